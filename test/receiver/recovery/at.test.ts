/** How instants are named, and what is said when they cannot be found. */
import t from 'tap';
import { asSequence } from '../../../proto/change.js';
import { parseAt, resolveAt } from '../../../receiver/recovery/at.js';
import { formatTime } from '../../../receiver/recovery/instant.js';
import { loadTimeline } from '../../../receiver/recovery/timeline.js';
import { ChangeList, MemoryJournal, secondNs, startNs } from './memory-journal.js';

const nowNs = startNs + 1000n * secondNs;
const utc = (text: string): bigint => BigInt(Date.parse(text)) * 1_000_000n;

t.test('what AT may be', async (t) => {
  t.strictSame(parseAt('latest', nowNs), { kind: 'latest' });
  t.strictSame(parseAt('seq:42', nowNs), { kind: 'sequence', sequence: 42n });
  t.strictSame(parseAt('mark:before upgrade', nowNs), { kind: 'mark', name: 'before upgrade' });
  const times: [string, bigint][] = [
    ['-90s', nowNs - 90n * secondNs],
    ['-2h', nowNs - 7200n * secondNs],
    ['-1d', nowNs - 86_400n * secondNs],
    ['-15m', nowNs - 900n * secondNs],
    ['-1h30m', nowNs - 5400n * secondNs],
    ['-1.5h', nowNs - 5400n * secondNs],
    ['-250ms', nowNs - secondNs / 4n],
    ['-0s', nowNs],
    ['2026-03-01T12:30:00Z', utc('2026-03-01T12:30:00Z')],
    ['2026-03-01t12:30:00z', utc('2026-03-01T12:30:00Z')],
    ['2026-03-01 12:30Z', utc('2026-03-01T12:30:00Z')],
    ['2026-03-01T12:30:00+01:00', utc('2026-03-01T11:30:00Z')],
    ['2026-03-01T12:30:00-0530', utc('2026-03-01T18:00:00Z')],
    ['2026-03-01T12:30:00.123456789Z', utc('2026-03-01T12:30:00Z') + 123_456_789n],
    ['2026-03-01T12:30', BigInt(new Date(2026, 2, 1, 12, 30).getTime()) * 1_000_000n],
    ['2026-03-01', BigInt(new Date(2026, 2, 1).getTime()) * 1_000_000n],
    ['2024-02-29T00:00:00Z', utc('2024-02-29T00:00:00Z')],
  ];
  for (const [text, timeNs] of times) t.strictSame(parseAt(text, nowNs), { kind: 'time', timeNs }, text);
});

t.test('what AT may not be', async (t) => {
  for (const text of ['', 'now', 'yesterday', '90s', '+90s', '-90', '-s', '-1y', 'seq:', 'seq:x', 'seq:0', 'seq:-1', 'seq:99999999999999999999', 'mark:', '2026-02-29T00:00:00Z', '2026-13-01', '2026-01-32', '2026-01-01T24:00Z', '2026-01-01T10:60Z', '2026-01-01T10:00:61Z', '2026-01-01T10:00+25:00', '2026-1-1', '1772000000']) {
    t.throws(() => parseAt(text, nowNs), { name: 'UsageError' }, text);
  }
  t.throws(() => parseAt('yesterday', nowNs), { message: /-90s.*local time.*seq:1234.*mark:NAME/ }, 'the message shows what may be');
});

t.test('a time is shown so that it can be read back', async (t) => {
  for (const text of ['2026-03-01T12:30:00Z', '2026-03-01T12:30:00.5Z', '2026-03-01T12:30:00.000000001Z']) {
    const at = parseAt(text, nowNs);
    t.equal(at.kind === 'time' ? formatTime(at.timeNs) : '', text);
  }
  t.equal(formatTime(-1n), '1969-12-31T23:59:59.999999999Z');
  t.equal(formatTime(1n << 80n), `${(1n << 80n) / 1_000_000_000n}s`, 'beyond what a date can hold');
});

function journal(): { reader: MemoryJournal; list: ChangeList } {
  const list = new ChangeList();
  list.define(1, 'home');
  list.add(1, { kind: 'mark', name: 'before-upgrade' });
  list.add(0, { kind: 'mark', name: 'nightly' });
  list.add(1, { kind: 'mark', name: 'after-upgrade' });
  list.add(0, { kind: 'mark', name: 'nightly' });
  list.add(2, { kind: 'volume', name: 'new', volumeKind: 'tree', path: '/new', engine: 'exact', platform: 'linux' });
  return { reader: new MemoryJournal(list.changes), list };
}

async function resolved(at: string, volume = 'home', now = nowNs): Promise<string> {
  const { reader } = journal();
  const found = await resolveAt({ at: parseAt(at, now), volume, timeline: await loadTimeline(reader), reader, nowNs: now });
  return `${found.volume.volume} ${found.instant.sequence} ${(found.instant.timeNs - startNs) / secondNs}`;
}

t.test('instants are found in the journal', async (t) => {
  t.equal(await resolved('latest'), '1 8 8');
  t.equal(await resolved('seq:5'), '1 5 5');
  t.equal(await resolved('mark:before-upgrade'), '1 4 4');
  t.equal(await resolved('mark:nightly'), '1 7 7', 'of several marks of one name the last; marks of the journal are everyone\'s');
  t.equal(await resolved('-995s'), '1 5 5');
  t.equal(await resolved('-994.5s'), '1 5 5');
  t.equal(await resolved('-1s'), '1 8 999', 'after the end: the last state, at the time asked for');
  t.equal(await resolved(formatTime(startNs + 8n * secondNs), 'home', startNs), '1 8 8', 'a receiver whose clock is behind still finds what the journal holds');
});

t.test('what cannot be found is explained', async (t) => {
  await t.rejects(resolved('latest', 'hom'), { name: 'UsageError', message: /no volume is called "hom".*home, new/ });
  await t.rejects(resolved('latest', 'new'), { name: 'UsageError', message: /initial copy is not complete/ });
  await t.rejects(resolved('seq:2'), { name: 'UsageError', message: /sequence 2 lies before the first instant.*seq:3, 2026-/ });
  await t.rejects(resolved('-998s'), { name: 'UsageError', message: /lies before the first instant of "home".*seq:3/ });
  await t.rejects(resolved('-10d'), { name: 'UsageError', message: /lies before the first instant/ });
  await t.rejects(resolved('seq:9'), { name: 'UsageError', message: /sequence 9 is not in the journal, which ends at seq:8/ });
  await t.rejects(resolved('2099-01-01T00:00:00Z'), { name: 'UsageError', message: /future/ });
  await t.rejects(resolved('mark:befor-upgrade'), { name: 'UsageError', message: /no mark "befor-upgrade"; did you mean mark:before-upgrade/ });
});

t.test('a retired volume\'s latest point is where it was retired', async (t) => {
  const list = new ChangeList();
  list.define(1, 'home');
  list.add(1, { kind: 'retired', cause: '' });
  list.define(2, 'other');
  const reader = new MemoryJournal(list.changes);
  const timeline = await loadTimeline(reader);
  const { instant, volume } = await resolveAt({ at: { kind: 'latest' }, volume: 'home', timeline, reader, nowNs });
  t.equal(instant.sequence, asSequence(4n));
  t.equal(volume.labelAt(instant).label, 'exact');
});
