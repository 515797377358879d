/** Each kind of gap, forced: it is put on record with its cause, what was lost is read back, and it closes. */
import t, { type Test } from 'tap';
import { exactKernel } from '../../agent/exact-kernel.js';
import { FAN_Q_OVERFLOW, type NameEvent } from '../../native/capture/names.js';
import { DirtyCause, type RecordCursor, RecordKind } from '../../native/capture/record.js';
import type { LostRange } from '../../native/capture/stream.js';
import { systemClock } from '../../native/host/clock.js';
import { ExactBench, volume } from './exact-bench.js';
import { exactSkip } from './exact-world.js';
import { lossyNames, lossyStream, type Loss } from './lossy-kernel.js';

t.setTimeout(300_000);
const skip = await exactSkip('ext4');

function openBench(t: Test, loss: Loss): ExactBench {
  const kernel = exactKernel({ ringBytes: 8 * 1024 * 1024, stateDirectory: '/', keepSeconds: 0 });
  return new ExactBench(t, { kernel: { openStream: () => lossyStream(kernel.openStream(), loss), openNames: () => lossyNames(kernel.openNames(), loss) } });
}

/** Gaps of the journal by their causes: how many were opened and how many closed. */
function gapsOf(bench: ExactBench, cause: RegExp): { readonly opened: number; readonly closed: number } {
  const edges = bench.sink.changes.flatMap(({ body }) => (body.kind === 'gap' && cause.test(body.cause) ? [body.edge] : []));
  return { opened: edges.filter((edge) => edge === 'open').length, closed: edges.filter((edge) => edge === 'close').length };
}

function rangeOf({ ino, generation, device, tree, offset, length, monotonicNs }: RecordCursor, cause: number): LostRange {
  return { ino, generation, device, tree, low: offset, high: offset + length, firstNs: monotonicNs, lastNs: monotonicNs, causes: 1 << cause, count: 1 };
}

const contents: readonly (readonly [cause: number, text: RegExp, closes: boolean])[] = [
  [DirtyCause.ringFull, /the capture ring was full/, true],
  [DirtyCause.userFault, /could not be read from the writer/, true],
  [DirtyCause.concurrent, /several writers wrote one file at once/, true],
  [DirtyCause.sharedMapping, /memory mapping/, true],
  [DirtyCause.notByByte, /without passing its bytes/, true],
  // What goes on unseen is read again for most of a minute.
  [DirtyCause.asynchronous, /asynchronous or direct I\/O/, false],
  [DirtyCause.unknownCall, /outside any captured call/, false],
];

t.test('content that did not come with the stream', { skip }, async (t) => {
  const loss: Loss = { drops: () => false };
  const bench = openBench(t, loss);
  await bench.open();
  await bench.untilExact();
  await bench.shell('head -c 100000 /dev/urandom > file');
  t.strictSame(await bench.differences(), []);
  for (const [cause, text, closes] of contents) {
    const ranges: LostRange[] = [];
    loss.drops = (cursor) => {
      if (cursor.kind !== RecordKind.write) return false;
      ranges.push(rangeOf(cursor, cause));
      return true;
    };
    loss.lost = (lost) => ({ ...lost, ranges: [...lost.ranges, ...ranges.splice(0)] });
    await bench.shell('dd if=/dev/urandom of=file bs=4096 count=3 seek=5 conv=notrunc status=none');
    t.strictSame(await bench.differences(), [], `${text}: read back`);
    t.equal(gapsOf(bench, text).opened, 1, `${text}: on record`);
    loss.drops = () => false;
    if (!closes) continue;
    await bench.untilExact();
    t.equal(gapsOf(bench, text).closed, 1, `${text}: over`);
  }
  await bench.close();
});

const overflow: NameEvent = { mask: FAN_Q_OVERFLOW, tid: 0, isDirectory: false, isOverflow: true, fileSystem: 0n };

const names: readonly (readonly [label: string, text: RegExp, loss: () => Partial<Loss>])[] = [
  ['names that the ring had no room for', /the capture ring overflowed/, () => once({ names: () => [], drops: isNames }, { namesSinceNs: true })],
  ['losses that could not be noted', /the capture ring overflowed/, () => once({ names: () => [], drops: isNames }, { everythingSinceNs: true })],
  ['an overflow of the names', /faster than they could be taken down/, () => once({ names: (events) => (events.length > 0 ? [overflow] : []), drops: isNames }, {})],
  ['names that no call claims', /names were changed outside any captured call/, () => ({ drops: isNames })],
];

function isNames({ kind }: RecordCursor): boolean {
  return kind === RecordKind.names;
}

/** With what the kernel owns up to, one time. */
function once(loss: Partial<Loss>, told: { readonly namesSinceNs?: boolean; readonly everythingSinceNs?: boolean }): Partial<Loss> {
  let isTold = false;
  const sinceNs = process.hrtime.bigint();
  return {
    ...loss,
    lost: (lost) => {
      if (isTold) return lost;
      isTold = true;
      return { ...lost, ...(told.namesSinceNs === true ? { namesSinceNs: sinceNs } : {}), ...(told.everythingSinceNs === true ? { everythingSinceNs: sinceNs } : {}) };
    },
  };
}

t.test('names that did not come', { skip }, async (t) => {
  const loss: Loss = { drops: () => false };
  const bench = openBench(t, loss);
  await bench.open();
  await bench.untilExact();
  for (const [at, [label, text, forced]] of names.entries()) {
    const before = gapsOf(bench, text);
    const { lost, ...others } = forced();
    Object.assign(loss, { names: undefined, ...others });
    await bench.shell(`mkdir -p d${at}/e; echo x > d${at}/f; ln d${at}/f d${at}/g; ${at === 0 ? '' : `mv d${at - 1} d${at}/moved`}`);
    if (lost !== undefined) {
      // The calls are over, and what tells of them is left out; then the kernel owns up to it.
      await bench.source!.flush();
      Object.assign(loss, { lost });
    }
    while (gapsOf(bench, text).opened === before.opened) await systemClock.sleep(10);
    Object.assign(loss, { drops: () => false, names: undefined, lost: undefined });
    t.strictSame(await bench.differences(), [], `${label}: looked up`);
    await bench.untilExact();
    t.equal(gapsOf(bench, text).closed, gapsOf(bench, text).opened, `${label}: over`);
  }
  await bench.close();
});

t.test('the agent was away', { skip }, async (t) => {
  const bench = openBench(t, { drops: () => false });
  await bench.open();
  await bench.untilExact();
  await bench.close();
  await bench.shell('echo meanwhile > file');
  await bench.open();
  await bench.untilExact();
  t.strictSame(await bench.differences(), []);
  t.strictSame(gapsOf(bench, /the agent was not running/), { opened: 1, closed: 1 });
  t.ok(bench.source!.status(volume));
  await bench.close();
});
