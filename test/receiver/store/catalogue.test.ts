/** The catalogue: exact numbers, one schema, tokens and hosts that last, and the same again when rebuilt. */
import Database from 'better-sqlite3';
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import t from 'tap';
import { systemClock } from '../../../native/host/clock.js';
import { systemFiles } from '../../../native/host/files.js';
import { systemRandom } from '../../../native/host/random.js';
import { asSequence, asVolumeId, noSequence, type ChangeBody, type Sequence } from '../../../proto/change.js';
import { frameChanges, frameLength, type Frame } from '../../../proto/journal/frame.js';
import { enrol } from '../../../receiver/identity/enrolment.js';
import { TokenBook } from '../../../receiver/identity/tokens.js';
import { generateKey } from '../../../agent/identity/keys.js';
import { CatalogueRecorder } from '../../../receiver/store/catalogue-recorder.js';
import { fromColumn, schemaVersion, toColumn } from '../../../receiver/store/catalogue-schema.js';
import { Catalogue } from '../../../receiver/store/catalogue.js';
import { HostBook } from '../../../receiver/store/host-book.js';
import { StoreJournalReader } from '../../../receiver/store/journal-reader.js';
import { LocalSegmentStore } from '../../../receiver/store/local-segment-store.js';
import { catchUp, controlChangesOf, knownVolumes, rebuildCatalogue } from '../../../receiver/store/rebuild.js';
import { revoke } from '../../../receiver/store/revocations.js';
import { newAuthority } from '../identity/fixture.js';
import { FrameMaker, journalId, Log, volumeOne } from '../ingest/fixture.js';

type Test = Pick<typeof t, 'testdir' | 'teardown'>;

function make(t: Test) {
  const directory = t.testdir({});
  const store = new LocalSegmentStore({ files: systemFiles, directory: `${directory}/journals`, segmentSizeBytes: 3000 });
  const catalogue = Catalogue.open({ path: `${directory}/catalogue.db` });
  const hosts = new HostBook({ files: systemFiles, store, catalogue, clock: systemClock, random: systemRandom });
  t.teardown(async () => {
    catalogue.close();
    await store[Symbol.asyncDispose]();
  });
  return { directory, store, catalogue, hosts };
}

/** Frames with all kinds of control changes among writes. */
function* frames(maker: FrameMaker, count: number): Generator<Frame> {
  const kinds: readonly ChangeBody[] = [
    volumeOne, { kind: 'baseline', edge: 'begin' }, { kind: 'baseline', edge: 'end' }, { kind: 'gap', edge: 'open', gap: 1, label: 'unknown', cause: 'ring full', sinceNs: 2n ** 63n + 5n },
    { kind: 'gap', edge: 'close', gap: 1, label: 'unknown', cause: 'ring full', sinceNs: 2n ** 63n + 5n }, { kind: 'settled', sinceNs: 9n }, { kind: 'mark', name: 'before the upgrade' },
    { kind: 'clock', stepNs: -5n }, { kind: 'volume', name: 'data', volumeKind: 'tree', path: '/srv/\u00ff', engine: 'portable', platform: 'linux' }, { kind: 'retired', cause: 'unprotected' },
  ];
  for (let n = 0; n < count; n += 1) yield maker.frame({ kind: 'flush' }, kinds[n % kinds.length]!, { kind: 'durable' }, { kind: 'mark', name: `m${n}`.padEnd(40, 'x') });
}

async function append(store: LocalSegmentStore, made: Iterable<Frame>, note?: (frame: Frame, location: { segment: Sequence; offset: number }) => void): Promise<void> {
  await using appender = await store.openAppender(journalId, noSequence);
  for (const frame of made) {
    const location = await appender.append(frame);
    note?.(frame, location);
  }
  await appender.sync();
}

/** Everything that is derived from the segments. */
function view(catalogue: Catalogue, journal = journalId) {
  return {
    through: catalogue.journals.cataloguedThrough(journal), segments: catalogue.journals.segments(journal),
    volumes: catalogue.journals.volumes(journal), control: catalogue.journals.controlChanges(journal),
  };
}

t.test('unsigned 64-bit columns are exact and sort as numbers', async (t) => {
  const database = new Database(':memory:').defaultSafeIntegers(true);
  database.exec('CREATE TABLE n (value ANY) STRICT');
  const values = [0n, 1n, 2n ** 53n + 1n, 2n ** 63n - 1n, 2n ** 63n, 2n ** 63n + 1n, 2n ** 64n - 1n];
  for (const value of [...values].reverse()) database.prepare('INSERT INTO n VALUES (?)').run(toColumn(value));
  const read = database.prepare('SELECT value FROM n ORDER BY value').all() as { value: bigint | Buffer }[];
  t.same(read.map(({ value }) => fromColumn(value)), values);
  t.equal(Number((database.prepare('SELECT count(*) AS n FROM n WHERE value <= ?').get(toColumn(2n ** 63n)) as { n: bigint }).n), 5);
  t.throws(() => toColumn(-1n), RangeError);
  t.throws(() => toColumn(2n ** 64n), RangeError);
});

t.test('a catalogue of a newer program is refused, also for reading', async (t) => {
  const path = `${t.testdir({})}/catalogue.db`;
  Catalogue.open({ path }).close();
  t.equal(statSync(path).mode & 0o777, 0o600);
  const database = new Database(path);
  database.pragma(`user_version = ${schemaVersion + 1}`);
  database.close();
  for (const readOnly of [false, true]) t.throws(() => Catalogue.open({ path, readOnly }), { name: 'UsageError', message: /use the newer program/ });
});

t.test('rebuilt from the segments alone, the catalogue is what it was', async (t) => {
  const { directory, store, catalogue, hosts } = make(t);
  const journal = await hosts.admit({ name: 'web-1', platform: 'linux', agentVersion: '1' });
  t.same(await hosts.admit({ name: 'web-1', platform: 'linux', agentVersion: '2' }), journal, 'enrolling again keeps the journal');
  const log = new Log();
  {
    await using recorder = new CatalogueRecorder({ catalogue, store, clock: systemClock, logger: log, flushMs: 1 });
    await append(store, frames(new FrameMaker(), 60), (frame, { segment, offset }) => {
      const { firstSequence, lastSequence, firstTimeNs, lastTimeNs } = frame.header;
      recorder.durable(journalId, {
        through: lastSequence, timeNs: lastTimeNs, control: [],
        frames: [{ segment, endOffset: offset + frameLength(frame), firstSequence, lastSequence, firstTimeNs, lastTimeNs }],
      });
    });
    await recorder.flush();
  }
  t.equal(catalogue.state.ingest(journalId)?.durableThrough, 240n);
  catalogue.journals.forget(journalId);
  await catchUp({ store, catalogue, journal: journalId });
  const before = view(catalogue);
  t.equal(before.through, 240n);
  t.ok(before.segments.length > 3);
  t.equal(before.control.length, 120);
  await revoke({ files: systemFiles, directory, catalogue, revocation: { serial: 'ab'.repeat(16), name: 'web-1', role: 'host', revokedMs: 5 } });
  await revoke({ files: systemFiles, directory, catalogue, revocation: { serial: 'cd'.repeat(16), name: 'ann', role: 'operator', revokedMs: 6 } });
  const host = catalogue.access.host('web-1');
  catalogue.close();
  rmSync(`${directory}/catalogue.db`);
  rmSync(`${directory}/catalogue.db-wal`, { force: true });
  rmSync(`${directory}/catalogue.db-shm`, { force: true });

  using again = Catalogue.open({ path: `${directory}/catalogue.db` });
  t.match(await rebuildCatalogue({ store, catalogue: again, files: systemFiles, directory }), { journals: 2, nameless: [journalId], damage: [] });
  t.same(view(again), before);
  t.same(again.access.host('web-1'), { ...host, platform: '', agentVersion: '' });
  t.ok(again.access.isRevoked('ab'.repeat(16)));
  t.ok(again.access.isRevoked('cd'.repeat(16)));
  t.notOk(again.access.isRevoked('ef'.repeat(16)));
});

t.test('what the recorder notes frame by frame is what a rebuild finds', async (t) => {
  const { directory, store, catalogue } = make(t);
  await using recorder = new CatalogueRecorder({ catalogue, store, clock: systemClock, logger: new Log(), flushMs: 1 });
  let n = 0;
  await append(store, frames(new FrameMaker(), 50), (frame, { segment, offset }) => {
    const { firstSequence, lastSequence, firstTimeNs, lastTimeNs } = frame.header;
    const note = { segment, endOffset: offset + frameLength(frame), firstSequence, lastSequence, firstTimeNs, lastTimeNs };
    recorder.durable(journalId, { through: lastSequence, timeNs: lastTimeNs, frames: [note], control: frameChanges(frame).changes });
    n += 1;
    if (n % 10 === 0) void recorder.flush();
  });
  await recorder.flush();
  const noted = view(catalogue);
  t.equal(noted.control.length, 100);
  using other = Catalogue.open({ path: `${directory}/other.db` });
  await catchUp({ store, catalogue: other, journal: journalId });
  t.same(noted, view(other));
  t.same(noted.volumes, [{
    volume: asVolumeId(1), name: 'data', kind: 'tree', path: '/srv/\u00ff', engine: 'portable', platform: 'linux', definedSequence: asSequence(2n), definedNs: noted.volumes[0]!.definedNs,
    retiredSequence: asSequence(198n), retiredNs: noted.volumes[0]!.retiredNs,
  }]);
  t.same(await knownVolumes({ store, catalogue, journal: journalId }), { lastVolume: 1, liveVolumes: [] });
  other.journals.forget(journalId);
  t.same(await knownVolumes({ store, catalogue: other, journal: journalId }), { lastVolume: 1, liveVolumes: [] }, 'also where the catalogue knows nothing');
});

t.test('control changes that the catalogue does not have yet are read from the segments', async (t) => {
  const { store, catalogue } = make(t);
  const maker = new FrameMaker();
  await append(store, frames(maker, 30));
  await catchUp({ store, catalogue, journal: journalId, through: asSequence(41n) });
  const through = catalogue.journals.cataloguedThrough(journalId);
  t.ok(through >= 41n && through < 60n);
  const find = controlChangesOf({ store, catalogue });
  const wanted = (await new StoreJournalReader({ store, journal: journalId }).controlChanges()).map(({ sequence }) => sequence);
  t.equal(wanted.length, 60);
  for (const last of [0n, 7n, 40n, through, 90n, 120n]) {
    t.same((await find(journalId, asSequence(last))).map(({ sequence }) => sequence), wanted.filter((sequence) => sequence <= last), `through ${last}`);
  }
});

t.test('a journal that is ahead of the catalogue after a stop is caught up with', async (t) => {
  const { store, catalogue } = make(t);
  await append(store, frames(new FrameMaker(), 30));
  await using recorder = new CatalogueRecorder({ catalogue, store, clock: systemClock, logger: new Log(), flushMs: 1 });
  recorder.durable(journalId, { through: asSequence(120n), timeNs: 1n, frames: [], control: [] });
  await recorder.flush();
  t.equal(catalogue.journals.cataloguedThrough(journalId), 120n);
  t.equal(catalogue.journals.controlChanges(journalId).length, 60);
  recorder.durable(journalId, { through: asSequence(500n), timeNs: 1n, frames: [], control: [] });
  await recorder.flush();
  t.equal(catalogue.journals.cataloguedThrough(journalId), 120n, 'what is not there is not tried for ever');
});

t.test('a catalogue that takes no writes is brought up to date from the segments later', async (t) => {
  const { store, catalogue, directory } = make(t);
  const log = new Log();
  const blocked = new Database(`${directory}/catalogue.db`, { timeout: 0 });
  const made = { catalogue, together: catalogue.together.bind(catalogue) };
  let full = true;
  catalogue.together = (run) => {
    if (full) throw Object.assign(new Error('database or disk is full'), { code: 'SQLITE_FULL' });
    return made.together(run);
  };
  await using recorder = new CatalogueRecorder({ catalogue, store, clock: systemClock, logger: log, flushMs: 1, retryMs: 10 });
  const note = (frame: Frame, { segment, offset }: { segment: Sequence; offset: number }): void => {
    const { firstSequence, lastSequence, firstTimeNs, lastTimeNs } = frame.header;
    recorder.durable(journalId, { through: lastSequence, timeNs: lastTimeNs, control: [], frames: [{ segment, endOffset: offset + frameLength(frame), firstSequence, lastSequence, firstTimeNs, lastTimeNs }] });
  };
  await append(store, frames(new FrameMaker(), 20), note);
  await recorder.flush();
  t.match(log.text(), /the catalogue cannot be written; ingest goes on/);
  t.equal(catalogue.journals.cataloguedThrough(journalId), 0n);
  full = false;
  while (catalogue.journals.cataloguedThrough(journalId) !== 80n) await new Promise((resolve) => setTimeout(resolve, 5));
  t.equal(catalogue.journals.controlChanges(journalId).length, 40, 'read back, for the notes were dropped');
  await recorder.flush();
  t.match(log.text(), /takes writes again/);
  t.equal(catalogue.state.ingest(journalId)?.durableThrough, 80n);
  blocked.close();
});

t.test('damage is told, and what lies behind it is catalogued', async (t) => {
  const { store, catalogue, directory } = make(t);
  await append(store, frames(new FrameMaker(), 60));
  const segments = await store.list(journalId);
  const { segment } = segments[1]!;
  const path = `${directory}/journals/${journalId.toString('hex')}/${segment.toString().padStart(20, '0')}.segment`;
  const bytes = readFileSync(path);
  bytes[200]! ^= 1;
  writeFileSync(path, bytes);
  const damage = await catchUp({ store, catalogue, journal: journalId });
  t.match(damage, [{ after: segment - 1n, next: segments[2]!.segment, fault: /offset 72/ }]);
  t.equal(catalogue.journals.cataloguedThrough(journalId), 240n);
  t.same(catalogue.journals.segments(journalId).map(({ firstSequence }) => firstSequence), segments.filter((one) => one.segment !== segment).map((one) => one.segment));
});

t.test('tokens in the catalogue enrol once, and the identity is noted with it', async (t) => {
  const { directory, catalogue } = make(t);
  const authority = await newAuthority(directory, [], systemClock);
  const tokens = new TokenBook({ store: catalogue.access, clock: systemClock, random: systemRandom, caFingerprint: authority.fingerprint });
  const token = await tokens.issue({ host: 'web-1', role: 'host', ttlMs: 60_000 });
  const { csrDer } = await generateKey();
  const { identity } = await enrol({ token, csrDer }, { tokens, authority });
  await t.rejects(enrol({ token, csrDer }, { tokens, authority }), { message: /works only once/ });
  t.match(catalogue.access.identities(), [{ serial: identity.serial, name: 'web-1', role: 'host', fingerprint: identity.fingerprint, revokedMs: undefined }]);
  catalogue.access.audit({ timeNs: 5n, identity: 'host web-1', act: 'enrol', detail: { peer: '::1' } });
  t.same(catalogue.access.auditEntries(), [{ timeNs: 5n, identity: 'host web-1', act: 'enrol', detail: { peer: '::1' } }]);
});

t.test('what hosts and replicas report is kept as it was last', async (t) => {
  const { catalogue } = make(t);
  const volume = { volume: asVolumeId(1), label: 'exact', cause: '', phase: 'live', settled: true, gaps: 2, reportCount: 7 };
  const report = { kind: 'report', capturedThrough: asSequence(2n ** 64n - 1n), capturedTimeNs: 2n ** 63n, oldestUndurableNs: 3n, undurableBytes: 2 ** 40, spoolBytes: 5, sentNs: 6n } as const;
  catalogue.state.putReport(journalId, { ...report, volumes: [volume, { ...volume, volume: asVolumeId(2) }] }, 10n);
  catalogue.state.putReport(journalId, { ...report, volumes: [volume] }, 11n);
  catalogue.state.putState(journalId, { state: 'disk-full', message: 'no space', nowNs: 12n });
  catalogue.state.putDurable(journalId, { through: asSequence(8n), timeNs: 9n, nowNs: 13n });
  t.same(catalogue.state.ingest(journalId), {
    state: 'disk-full', message: 'no space', durableThrough: 8n, durableNs: 9n, capturedThrough: 2n ** 64n - 1n, capturedNs: 2n ** 63n,
    oldestUndurableNs: 3n, undurableBytes: 2 ** 40, spoolBytes: 5, reportedNs: 11n, updatedNs: 13n,
  });
  t.same(catalogue.state.volumeReports(journalId), [volume]);
  const replica = { volume: asVolumeId(1), appliedThrough: asSequence(7n), state: 'ok', message: '', updatedNs: 1n };
  catalogue.state.putReplica(journalId, replica);
  t.same(catalogue.state.replica(journalId), [replica]);
});
