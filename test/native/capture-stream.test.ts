/** The capture stream as an object: closing, waiting, aborting, collection, worker threads, backpressure. */
import { existsSync, mkdtempSync, mkdirSync, readdirSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { spawn } from 'node:child_process';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { Worker } from 'node:worker_threads';
import t from 'tap';
import { RecordCursor, recordHeaderBytes } from '../../native/capture/record.js';
import { captureUnavailableReason, openCaptureStream } from '../../native/capture/stream.js';

const reason = captureUnavailableReason();
const skip = reason ?? false;

function run(file: string, options: string[]): Promise<void> {
  return new Promise((resolve, reject) => spawn(file, options, { stdio: 'ignore' }).on('close', (code) => (code === 0 ? resolve() : reject(new Error(`${file} ended with ${code}`)))));
}
const threads = () => readdirSync('/proc/self/task').length;

t.test('there is a reason exactly where it cannot be opened', async (t) => {
  if (reason === undefined) {
    await using stream = openCaptureStream({ ringBytes: 2 ** 20 });
    t.ok(stream.stats().pageCache, 'pages can be read');
  } else {
    t.throws(() => openCaptureStream({ ringBytes: 2 ** 20 }), { message: new RegExp(reason.slice(0, 20).replace(/[^\w ]/g, '.')) });
  }
});

t.test('records of another process arrive, in whole records, and none of our own', { skip }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'afterimage-stream-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  await using stream = openCaptureStream({ ringBytes: 2 ** 24 });
  mkdirSync(join(folder, 'own'));
  await run('mkdir', [join(folder, 'theirs')]);
  const position = stream.position();
  const names: string[] = [];
  for (let through = 0n; through < position; ) {
    const batch = await stream.next();
    t.ok(batch !== undefined && batch.wallOffsetNs > 0n);
    through = batch!.through;
    const cursor = new RecordCursor(batch!.bytes);
    while (cursor.next()) if (cursor.kind === 6) names.push(...cursor.names().map(String));
  }
  t.ok(names.includes('theirs'));
  t.notOk(names.includes('own'));
});

t.test('waiting ends with a signal, and with the stream', { skip }, async (t) => {
  const stream = openCaptureStream({ ringBytes: 2 ** 20 });
  t.equal(await stream.next(AbortSignal.abort()), undefined);
  const drained = AbortSignal.timeout(300);
  while ((await stream.next(drained)) !== undefined);
  t.ok(drained.aborted, 'the wait ended');
  const waiting = (async () => {
    while ((await stream.next()) !== undefined);
  })();
  await stream[Symbol.asyncDispose]();
  await waiting;
  t.equal(await stream.next(), undefined);
  t.throws(() => stream.position(), { message: /closed/ });
  t.throws(() => stream.takeLost(), { message: /closed/ });
  await stream[Symbol.asyncDispose]();
});

t.test('opening and closing leaves nothing behind', { skip }, async (t) => {
  await using first = openCaptureStream({ ringBytes: 2 ** 18 });
  const [descriptors, running] = [readdirSync('/proc/self/fd').length, threads()];
  for (let round = 0; round < 5; round++) {
    const stream = openCaptureStream({ ringBytes: 2 ** 18 });
    stream.watch(5);
    stream.unwatch(5);
    await stream[Symbol.asyncDispose]();
  }
  t.equal(readdirSync('/proc/self/fd').length, descriptors);
  t.equal(threads(), running);
  t.ok(first.stats().ringBytes === 2 ** 18);
});

t.test('an abandoned stream is collected, with its thread and programs', { skip }, async (t) => {
  setFlagsFromString('--expose-gc');
  const collect = runInNewContext('gc') as () => void;
  const before = threads();
  (() => openCaptureStream({ ringBytes: 2 ** 18 }).stats())();
  t.equal(threads(), before + 1);
  for (let round = 0; round < 50 && threads() > before; round++) {
    collect();
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  t.equal(threads(), before);
});

t.test('at most four batches wait, and memory stays bounded', { skip }, async (t) => {
  const folder = mkdtempSync(join(tmpdir(), 'afterimage-stream-'));
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  await using stream = openCaptureStream({ ringBytes: 2 ** 20 });
  await run('sh', ['-c', `for n in $(seq 3000); do mkdir ${folder}/$n; done`]);
  t.ok(stream.stats().ringUsedBytes > 0, 'the rest stays in the ring');
  const position = stream.position();
  let bytes = 0;
  for (let through = 0n; through < position; ) {
    const batch = (await stream.next())!;
    through = batch.through;
    bytes += batch.bytes.length;
    t.ok(batch.bytes.length < 2 ** 20 + 2 ** 17);
  }
  t.ok(bytes > recordHeaderBytes);
});

t.test('worker threads may end with a stream open', { skip }, async (t) => {
  const descriptors = readdirSync('/proc/self/fd').length;
  const code = `
    const { parentPort } = require('node:worker_threads');
    import(${JSON.stringify(new URL('../../native/capture/stream.js', import.meta.url).href)}).then(async ({ openCaptureStream }) => {
      globalThis.stream = openCaptureStream({ ringBytes: 2 ** 20 });
      parentPort.postMessage('open');
      for (;;) await stream.next();
    });`;
  for (let round = 0; round < 5; round++) {
    const worker = new Worker(code, { eval: true });
    await new Promise((resolve, reject) => worker.once('message', resolve).once('error', reject));
    mkdirSync(join(tmpdir(), `afterimage-worker-${process.pid}`));
    rmdirSync(join(tmpdir(), `afterimage-worker-${process.pid}`));
    await worker.terminate();
  }
  t.ok(readdirSync('/proc/self/fd').length <= descriptors + 1, 'their programs and maps are gone');
  t.ok(existsSync('/proc/self'));
});
