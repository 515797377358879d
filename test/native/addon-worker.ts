/** A thread of addon.test.ts: loads the addon for itself, works with it, and may leave work unfinished. */
import { closeSync, readdirSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { loadNative, nativeUnavailableReason } from '../../native/index.js';

const { path, rounds, abandon } = workerData as { path: string; rounds: number; abandon: boolean };
const addon = loadNative();
if (addon === undefined) throw new Error(nativeUnavailableReason());

const fd = addon.openRoot(Buffer.from(path));
if (abandon) {
  // Ends with many of these queued, some running and some done, none awaited.
  for (let round = 0; round < 200; round++) void addon.list(fd).catch(() => {});
  parentPort?.postMessage('queued');
} else {
  const expected = readdirSync(path).length;
  for (let round = 0; round < rounds; round++) {
    const record = Buffer.alloc(88);
    if (!addon.stat(fd, undefined, record)) throw new Error('no stat');
    const packed = await addon.list(fd);
    if (packed.length < expected * 96) throw new Error('list is short');
    try {
      addon.openFile(fd, Buffer.from('none'), false);
      throw new Error('opened what is not there');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  closeSync(fd);
  parentPort?.postMessage('done');
}
