/** A thread of addon.test.ts: loads the addon for itself, works with it, and may leave work unfinished. */
import { readdirSync } from 'node:fs';
import { parentPort, workerData } from 'node:worker_threads';
import { STAT_RECORD_BYTES } from '../../native/host/stat-record.js';
import { loadNative, nativeUnavailableReason, systemDirectories } from '../../native/index.js';

const { path, rounds, abandon } = workerData as { path: string; rounds: number; abandon: boolean };
const addon = loadNative();
if (addon === undefined) throw new Error(nativeUnavailableReason());

process.on('warning', (warning) => {
  throw warning;
});
const fd = addon.openRoot(Buffer.from(path));
if (abandon) {
  // Ends with many of these queued, some running and some done, none awaited.
  for (let round = 0; round < 200; round++) void addon.list(fd).catch(() => {});
  parentPort?.postMessage('queued');
} else {
  const expected = readdirSync(path).length;
  for (let round = 0; round < rounds; round++) {
    const record = Buffer.alloc(STAT_RECORD_BYTES);
    if (!addon.stat(fd, undefined, record)) throw new Error('no stat');
    const packed = await addon.list(fd);
    if (packed.length < expected * (STAT_RECORD_BYTES + 8)) throw new Error('list is short');
    const root = await systemDirectories.openRoot(path);
    const file = await root.openFile(Buffer.from('file-0'), 'read');
    await Promise.all([file.read(Buffer.alloc(1), 0), file.close(), root.close()]);
    try {
      addon.openFile(fd, Buffer.from('none'), false);
      throw new Error('opened what is not there');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ENOENT') throw error;
    }
  }
  addon.closeNow(fd);
  parentPort?.postMessage('done');
}
