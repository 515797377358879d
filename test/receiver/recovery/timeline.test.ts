/** Labels of instants: one row a case, then their consequences. */
import t from 'tap';
import { asSequence, type ChangeBody } from '../../../proto/change.js';
import { adviceFor } from '../../../receiver/recovery/restore-source.js';
import { buildTimeline, type Timeline } from '../../../receiver/recovery/timeline.js';
import { labelOf, labelTable, type InstantLabel, type LabelInputs } from '../../../receiver/recovery/volume-timeline.js';
import { ChangeList, secondNs, startNs } from './memory-journal.js';

const base: LabelInputs = { isRestorable: true, isCopying: false, isSettled: false, engine: 'exact', gap: undefined, retired: undefined, journalEnd: undefined };
const at = { sequence: asSequence(5n), timeNs: startNs };
const rows: { row: string; inputs: Partial<LabelInputs>; label: InstantLabel['label']; cause: RegExp; settled?: boolean; phase?: 'baseline' }[] = [
  { row: 'before the end of the initial copy', inputs: { isRestorable: false, gap: { label: 'unknown', cause: 'x' } }, label: 'unknown', cause: /initial copy/, phase: 'baseline' },
  { row: 'after the volume was retired', inputs: { retired: { at, cause: 'unprotected' }, gap: { label: 'converging', cause: 'x' } }, label: 'unknown', cause: /retired at .*unprotected/ },
  { row: 'within an unknown gap', inputs: { gap: { label: 'unknown', cause: 'agent was down' }, isSettled: true, engine: 'portable' }, label: 'unknown', cause: /^agent was down$/ },
  { row: 'within a converging gap', inputs: { gap: { label: 'converging', cause: 'ring overflow' }, isSettled: true, engine: 'portable' }, label: 'converging', cause: /^ring overflow$/ },
  { row: 'while the volume is copied again', inputs: { isCopying: true }, label: 'converging', cause: /copied again/ },
  { row: 'after the end of the journal', inputs: { journalEnd: at }, label: 'converging', cause: /journal ends at .*not arrived/ },
  { row: 'portable, and found equal by a look at the whole volume', inputs: { engine: 'portable', isSettled: true }, label: 'converging', cause: /found it equal/, settled: true },
  { row: 'portable', inputs: { engine: 'portable' }, label: 'converging', cause: /seen shortly after/ },
  { row: 'exact', inputs: {}, label: 'exact', cause: /^$/ },
];

t.test('the table of labels', async (t) => {
  t.strictSame(rows.map(({ row }) => row), labelTable.map(({ row }) => row), 'every row of the table is tested');
  for (const { row, inputs, label, cause, settled = false, phase = 'restorable' } of rows) {
    const found = labelOf({ ...base, ...inputs });
    t.match(found, { label, settled, phase }, row);
    t.match(found.cause, cause, row);
  }
});

/** A history written as seconds and changes of volume 1. */
function timelineOf(engine: 'exact' | 'portable', steps: readonly (readonly [second: number, body: ChangeBody, volume?: number])[], endSecond = 1000): Timeline {
  const list = new ChangeList();
  list.add(1, { kind: 'volume', name: 'home', volumeKind: 'tree', path: '/home', engine, platform: 'linux' }, startNs);
  for (const [second, body, volume = 1] of steps) list.add(volume, body, startNs + BigInt(second) * secondNs);
  const end = { sequence: asSequence(BigInt(list.changes.length)), timeNs: startNs + BigInt(endSecond) * secondNs };
  return buildTimeline(list.changes, end);
}

const sinceNs = (second: number): bigint => startNs + BigInt(second) * secondNs;
const instant = (second: number, sequence = 1000): { sequence: ReturnType<typeof asSequence>; timeNs: bigint } => ({ sequence: asSequence(BigInt(sequence)), timeNs: sinceNs(second) });
const begin: ChangeBody = { kind: 'baseline', edge: 'begin' };
const end: ChangeBody = { kind: 'baseline', edge: 'end' };
const gap = (edge: 'open' | 'close', label: 'converging' | 'unknown', since: number, number = 1): ChangeBody => ({ kind: 'gap', edge, gap: number, label, cause: `gap ${number}`, sinceNs: sinceNs(since) });
const shown = (timeline: Timeline): string[] => timeline.volumes[0]!.ranges.map(({ from, label, settled, phase }) => `${Number((from.timeNs - startNs) * 1000n / secondNs) / 1000}${from.sequence === 0n ? '' : `#${from.sequence}`} ${phase === 'baseline' ? phase : label}${settled ? ' settled' : ''}`);

t.test('histories as ranges of labels', async (t) => {
  t.strictSame(shown(timelineOf('exact', [[1, begin], [5, end]])), ['0#1 baseline', '5#3 exact', '1000 converging'], 'baseline, then exact to the end of the journal');
  t.strictSame(shown(timelineOf('exact', [[1, begin]])), ['0#1 baseline'], 'a baseline that never ends');
  t.strictSame(
    shown(timelineOf('exact', [[1, begin], [5, end], [20, gap('open', 'converging', 20)], [30, gap('close', 'converging', 20)]])),
    ['0#1 baseline', '5#3 exact', '20 converging', '30#5 exact', '1000 converging'],
    'a gap',
  );
  t.strictSame(
    shown(timelineOf('exact', [[1, begin], [5, end], [20, gap('open', 'unknown', 12)], [30, gap('close', 'unknown', 12)]])),
    ['0#1 baseline', '5#3 exact', '12 unknown', '30#5 exact', '1000 converging'],
    'a gap that reaches back',
  );
  t.strictSame(
    shown(timelineOf('exact', [[1, begin], [5, end], [20, gap('open', 'converging', 20)], [25, gap('open', 'unknown', 25, 2)], [28, gap('close', 'unknown', 25, 2)], [30, gap('close', 'converging', 20)]])),
    ['0#1 baseline', '5#3 exact', '20 converging', '25 unknown', '28#6 converging', '30#7 exact', '1000 converging'],
    'the worse of two gaps counts',
  );
  t.strictSame(shown(timelineOf('exact', [[1, begin], [5, end], [20, gap('open', 'unknown', 20)]])), ['0#1 baseline', '5#3 exact', '20 unknown'], 'a gap that is still open');
  t.strictSame(shown(timelineOf('exact', [[1, begin], [5, end], [20, gap('close', 'unknown', 10)]])), ['0#1 baseline', '5#3 exact', '10 unknown', '20#4 exact', '1000 converging'], 'a closing edge alone still tells of loss');
  t.strictSame(shown(timelineOf('exact', [[1, begin], [5, end], [20, gap('open', 'unknown', 20), 0], [30, gap('close', 'unknown', 20), 0]])), ['0#1 baseline', '5#3 exact', '20 unknown', '30#5 exact', '1000 converging'], 'a gap of the whole journal');
  t.strictSame(
    shown(timelineOf('portable', [[1, begin], [5, end], [30, { kind: 'settled', sinceNs: sinceNs(20) }], [40, { kind: 'settled', sinceNs: sinceNs(30) }]])),
    ['0#1 baseline', '5#3 converging', '20 converging settled', '40.000 converging', '1000 converging'].map((text) => text.replace('40.000', '40')),
    'portable, with the union of settled intervals',
  );
  t.strictSame(shown(timelineOf('exact', [[1, begin], [5, end], [50, { kind: 'retired', cause: '' }]])), ['0#1 baseline', '5#3 exact', '50 unknown'], 'retired');
  t.strictSame(shown(timelineOf('exact', [[1, begin], [5, end], [50, begin], [60, end]])), ['0#1 baseline', '5#3 exact', '50#4 converging', '60#5 exact', '1000 converging'], 'copied again');
});

t.test('instants that share a time are told apart by sequence', async (t) => {
  const volume = timelineOf('exact', [[1, begin], [5, end], [20, gap('open', 'unknown', 10)], [30, { kind: 'flush' }], [30, gap('close', 'unknown', 10)], [30, { kind: 'flush' }]]).volumes[0]!;
  t.equal(volume.labelAt(instant(30, 5)).label, 'unknown', 'before the closing edge');
  t.equal(volume.labelAt(instant(30, 6)).label, 'exact', 'at the closing edge');
  t.equal(volume.labelAt(instant(5, 3)).phase, 'restorable', 'the end of the baseline is the first point');
  t.equal(volume.labelAt(instant(5, 2)).phase, 'baseline');
});

t.test('the nearest better instants lie on both sides', async (t) => {
  const volume = timelineOf('exact', [[1, begin], [5, end], [20, gap('open', 'converging', 20)], [25, gap('open', 'unknown', 25, 2)], [28, gap('close', 'unknown', 25, 2)], [30, gap('close', 'converging', 20)]]).volumes[0]!;
  const unknown = volume.nearestBetter(instant(26));
  t.match([unknown.before?.timeNs, unknown.before?.label.label, unknown.after?.at, unknown.after?.label.label], [sinceNs(25) - 1n, 'converging', 'seq:6', 'converging']);
  const converging = volume.nearestBetter(instant(22));
  t.match([converging.before?.timeNs, converging.before?.label.label, converging.after?.at, converging.after?.label.label], [sinceNs(20) - 1n, 'exact', 'seq:7', 'exact']);
  t.strictSame(volume.nearestBetter(instant(40)), {}, 'nothing is better than exact');
  t.equal(volume.nearestBetter(instant(2)).after?.at, 'seq:3', 'before the first restorable point');
  t.equal(volume.labelAt({ sequence: asSequence(1000n), timeNs: unknown.before!.timeNs }).label, 'converging', 'the instant named has the label promised');
  t.match(adviceFor(volume, instant(26)), [/^the nearest better point before is .*: converging \(gap 1\)$/, /^the nearest better point after is seq:6, .*: converging/]);
});

t.test('settled is better than converging alone', async (t) => {
  const volume = timelineOf('portable', [[1, begin], [5, end], [30, { kind: 'settled', sinceNs: sinceNs(20) }]]).volumes[0]!;
  const { before, after } = volume.nearestBetter(instant(40));
  t.match([before?.timeNs, before?.label.settled, after], [sinceNs(30), true, undefined]);
  t.equal(volume.nearestBetter(instant(10)).after?.timeNs, sinceNs(20));
});

t.test('a name means the volume that had it then', async (t) => {
  const list = new ChangeList();
  list.define(1, 'home');
  list.add(1, { kind: 'retired', cause: 'unprotected' });
  list.define(2, 'home');
  list.add(2, { kind: 'volume', name: 'house', volumeKind: 'tree', path: '/home', engine: 'exact', platform: 'linux' });
  const timeline = buildTimeline(list.changes, { sequence: asSequence(8n), timeNs: list.timeNs });
  const at = (sequence: bigint): { sequence: ReturnType<typeof asSequence>; timeNs: bigint } => ({ sequence: asSequence(sequence), timeNs: startNs + sequence * secondNs });
  t.equal(timeline.resolve('home', at(3n))?.volume, 1);
  t.equal(timeline.resolve('home', at(4n))?.volume, 1, 'retired and not yet defined again: the one there was');
  t.equal(timeline.resolve('home', at(6n))?.volume, 2);
  t.equal(timeline.resolve('house', at(8n))?.volume, 2);
  t.equal(timeline.resolve('home', at(8n))?.volume, 2, 'renamed: the latest that had the name');
  t.equal(timeline.resolve('home', { sequence: asSequence(0n), timeNs: 0n })?.volume, 1, 'before all of them: the first');
  t.equal(timeline.resolve('nothing', at(8n)), undefined);
  t.equal(timeline.latest('house')?.volume, 2);
});

t.test('ten thousand settled intervals and gaps are kept apart', async (t) => {
  const steps: [number, ChangeBody][] = [[1, begin], [5, end]];
  for (let at = 0; at < 10_000; at += 1) steps.push([10 + at * 10, gap('open', 'converging', 10 + at * 10, at)], [12 + at * 10, gap('close', 'converging', 10 + at * 10, at)], [18 + at * 10, { kind: 'settled', sinceNs: sinceNs(15 + at * 10) }]);
  const volume = timelineOf('portable', steps, 200_000).volumes[0]!;
  t.ok(volume.ranges.length > 30_000);
});
