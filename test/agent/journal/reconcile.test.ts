/** What happens when a journal and the receiver's copy of it meet again: each row of the table, decided and carried out. */
import t from 'tap';
import { reconcileRow, reconcileTable, type ReconcileFacts, type ReconcileVerdict } from '../../../agent/journal/reconcile.js';
import { asSequence, type Change } from '../../../proto/change.js';
import { allChanges, Copy, noise, openJournal, welcomeAt, write, type Opened } from './fixture.js';

const facts = (change: Partial<Record<keyof Omit<ReconcileFacts, 'digests' | 'isNew'>, bigint>> & Partial<Pick<ReconcileFacts, 'digests' | 'isNew'>>): ReconcileFacts => ({
  receiverThrough: 0n, acknowledgedThrough: 0n, trimmedThrough: 0n, writtenThrough: 0n, capturedThrough: 0n, keepAfter: 0n, isNew: false, digests: 'equal', ...change,
}) as ReconcileFacts;

const cases: Readonly<Record<string, readonly [ReconcileFacts, ReconcileVerdict, RegExp][]>> = {
  'both are empty': [[facts({}), 'follow', /new journal/]],
  'the engine knows more than either holds': [
    [facts({ keepAfter: 9n }), 'lost', /changes 1\.\.9/],
    [facts({ receiverThrough: 5n, writtenThrough: 7n, capturedThrough: 7n, keepAfter: 9n }), 'lost', /changes 8\.\.9/],
  ],
  'nothing here, and the engine begins anew': [[facts({ receiverThrough: 50n, isNew: true, digests: 'none' }), 'adopt', /after change 50/], [facts({ receiverThrough: 50n, keepAfter: 50n, digests: 'none' }), 'adopt', /after change 50/]],
  'nothing here, and the engine lacks the end': [[facts({ receiverThrough: 50n, keepAfter: 20n, digests: 'none' }), 'adopt-fetch', /changes 21\.\.50/], [facts({ receiverThrough: 50n, keepAfter: 20n, isNew: true, digests: 'none' }), 'adopt-fetch', /changes 21\.\.50/]],
  'the receiver lost what is trimmed here': [
    [facts({ receiverThrough: 5n, trimmedThrough: 10n, writtenThrough: 20n, capturedThrough: 20n, digests: 'none' }), 'lost', /lost acknowledged changes 6\.\.10/],
    [facts({ trimmedThrough: 10n, writtenThrough: 10n, capturedThrough: 10n, digests: 'none' }), 'lost', /changes 1\.\.10/],
  ],
  'the receiver is ahead, while changes here await writing': [[facts({ receiverThrough: 25n, writtenThrough: 20n, capturedThrough: 22n, digests: 'none' }), 'forked', /21\.\.25/]],
  'the receiver is ahead': [[facts({ receiverThrough: 25n, digests: 'none' }), 'fetch', /1\.\.25/], [facts({ receiverThrough: 25n, writtenThrough: 20n, capturedThrough: 20n, digests: 'none' }), 'fetch', /21\.\.25/], [facts({ receiverThrough: 25n, writtenThrough: 20n, capturedThrough: 20n, keepAfter: 23n, digests: 'none' }), 'fetch', /21\.\.25/]],
  'the receiver holds something else': [
    [facts({ receiverThrough: 15n, writtenThrough: 20n, capturedThrough: 20n, digests: 'different' }), 'forked', /not the one here/],
    [facts({ receiverThrough: 15n, writtenThrough: 20n, capturedThrough: 20n, digests: 'none' }), 'forked', /no frame here ends/],
  ],
  'the receiver lost what is still here': [[facts({ receiverThrough: 12n, acknowledgedThrough: 15n, trimmedThrough: 10n, writtenThrough: 20n, capturedThrough: 20n }), 'resend', /13\.\.15/]],
  'the receiver is within the spool': [[facts({ receiverThrough: 15n, trimmedThrough: 10n, writtenThrough: 20n, capturedThrough: 22n }), 'follow', /lacks changes after 15/], [facts({ receiverThrough: 20n, writtenThrough: 20n, capturedThrough: 20n }), 'follow', /holds everything/]],
};

t.test('the table', async (t) => {
  t.same(Object.keys(cases), reconcileTable.map(({ label }) => label), 'every row has a case');
  for (const [label, rows] of Object.entries(cases)) for (const [found, verdict, message] of rows) {
    const row = reconcileRow(found);
    t.equal(row.label, label);
    t.equal(row.verdict, verdict, label);
    t.match(row.message(found), message);
  }
});

/** Five frames of two changes each. */
async function filled(options: Parameters<typeof openJournal>[0] = {}): Promise<Opened> {
  const opened = await openJournal(options);
  for (let at = 0; at < 5; at += 1) {
    await opened.journal.append([noise(3000, at), noise(3000, at + 50)]);
    await opened.clock.advance(20);
  }
  return opened;
}

t.test('a receiver that holds a part is followed from there', async (t) => {
  const { journal } = await filled();
  const copy = await new Copy().take(journal, asSequence(6n));
  t.match(await journal.reconcile({ welcome: copy.welcome({ appliedThrough: asSequence(4n) }), readFrames: copy.readFrames }), { verdict: 'follow', after: 6n });
  t.equal(journal.position.durableThrough, 6n);
  t.equal(journal.position.appliedThrough, 4n);
  await journal.close();
});

t.test('a receiver that holds what is trimmed here exactly is followed', async (t) => {
  const { journal, clock } = await filled({ segmentSizeBytes: 7000 });
  journal.setKeepAfter(asSequence(10n));
  const copy = await new Copy().take(journal, asSequence(8n));
  journal.noteDurable(asSequence(8n));
  await clock.advance(1);
  t.equal(journal.position.heldFrom, 9n);
  t.match(await journal.reconcile({ welcome: copy.welcome(), readFrames: copy.readFrames }), { verdict: 'follow', after: 8n });
  await journal.close();
});

t.test('a receiver with another frame at its end is not sent anything', async (t) => {
  const { journal } = await filled();
  const other = new Copy().add(2).add(2);
  t.match(await journal.reconcile({ welcome: other.welcome(), readFrames: other.readFrames }), { verdict: 'forked', message: /not the one here/ });
  const uneven = new Copy().add(3);
  t.match(await journal.reconcile({ welcome: uneven.welcome(), readFrames: uneven.readFrames }), { verdict: 'forked', message: /no frame here ends/ });
  t.equal(journal.position.durableThrough, 0n);
  await journal.close();
});

t.test('what reached the receiver but not this disk is fetched, handed to the engine, and followed', async (t) => {
  const first = await filled();
  await first.journal.whenDurable(asSequence(10n));
  await first.journal.append([noise(100, 1)]);
  await first.clock.advance(20);
  await first.journal.append([noise(100, 2), noise(100, 3)]);
  await first.clock.advance(20);
  const copy = await new Copy().take(first.journal);
  t.equal(copy.end.lastSequence, 13n);
  const files = first.files.afterPowerLoss();
  const recovered: Change[] = [];
  const { journal, clock } = await openJournal({ files, as: 'found', bootId: 'boot-2', keepAfter: asSequence(12n), onRecovered: async (changes) => void recovered.push(...changes) });
  t.equal(journal.position.capturedThrough, 10n);
  t.ok(journal.mayBehind);
  let result: unknown;
  void journal.append([write(7)]).then((taken) => (result = taken));
  await clock.advance(100);
  t.equal(result, undefined, 'no sequence is given out twice');
  t.match(await journal.reconcile({ welcome: copy.welcome(), readFrames: copy.readFrames }), { verdict: 'fetch', after: 13n });
  await clock.advance(20);
  t.match(result, { taken: true, firstSequence: 14n });
  t.same(recovered.map(({ sequence }) => sequence), [13n], 'what its state lacks');
  t.equal(journal.position.durableThrough, 13n);
  t.notOk(journal.mayBehind);
  await copy.take(journal);
  t.equal(copy.end.lastSequence, 14n, 'and the chain goes on');
  t.same((await allChanges(journal)).map(({ sequence }) => sequence), Array.from({ length: 14 }, (_, at) => BigInt(at) + 1n));
  await journal.close();
});

t.test('a fetch that breaks off goes on where it ended, and appending waits all the while', async (t) => {
  const first = await filled();
  const copy = await new Copy().take(first.journal);
  const files = first.files.afterPowerLoss();
  const { journal } = await openJournal({ files, as: 'found', bootId: 'boot-2', keepAfter: asSequence(1n) });
  const broken = async function* (after: bigint): AsyncGenerator<Buffer> {
    let count = 0;
    for await (const frame of copy.readFrames(asSequence(after))) {
      if (count === 2) throw new Error('the link broke');
      count += 1;
      yield frame;
    }
  };
  await t.rejects(journal.reconcile({ welcome: copy.welcome(), readFrames: broken }), /the link broke/);
  t.ok(journal.mayBehind);
  t.equal(journal.position.writtenThrough, 4n);
  t.match(await journal.reconcile({ welcome: copy.welcome(), readFrames: copy.readFrames }), { verdict: 'fetch', after: 10n });
  t.same((await allChanges(journal)).map(({ sequence }) => sequence), Array.from({ length: 10 }, (_, at) => BigInt(at) + 1n));
  await journal.close();
});

t.test('a receiver ahead of a spool that it does not continue is a fork', async (t) => {
  const { journal, clock } = await filled();
  const other = new Copy();
  for (let at = 0; at < 7; at += 1) other.add(2);
  t.match(await journal.reconcile({ welcome: other.welcome(), readFrames: other.readFrames }), { verdict: 'forked', message: /does not follow what is here/ });
  t.equal(journal.position.writtenThrough, 10n, 'nothing of it was taken');
  let taken = false;
  void journal.append([noise(10)]).then(() => (taken = true), () => undefined);
  await clock.advance(100);
  t.notOk(taken, 'and appending waits: these sequences are given out already');
  await journal.close();
});

t.test('frames from the receiver are believed only as far as they are intact and linked', async (t) => {
  for (const [spoil, expected] of [
    [(frames: Buffer[]) => frames[1]!.fill(0, 200, 210), /damaged frame/],
    [(frames: Buffer[]) => frames.splice(1, 1), undefined],
    [(frames: Buffer[]) => frames.splice(2), /frames end at change 6, although it holds 10/],
    [(frames: Buffer[]) => frames.splice(0), /frames end before they begin/],
  ] as const) {
    const first = await filled();
    const copy = await new Copy().take(first.journal);
    const files = first.files.afterPowerLoss();
    const { journal } = await openJournal({ files, as: 'found', bootId: 'boot-2', keepAfter: asSequence(2n) });
    const frames: Buffer[] = [];
    for await (const frame of copy.readFrames(asSequence(2n))) frames.push(Buffer.from(frame));
    spoil(frames);
    const readFrames = async function* (): AsyncGenerator<Buffer> { yield* frames; };
    const outcome = journal.reconcile({ welcome: copy.welcome(), readFrames });
    if (expected === undefined) t.match(await outcome, { verdict: 'forked' });
    else await t.rejects(outcome, { name: 'PeerError', message: expected });
    t.ok(journal.mayBehind);
    t.match(await journal.reconcile({ welcome: copy.welcome(), readFrames: copy.readFrames }), { after: 10n }, 'and the next try succeeds');
    t.equal(journal.position.writtenThrough, 10n);
    await journal.close();
  }
});

t.test('a receiver whose frames end with another digest than it announced is a fork', async (t) => {
  const first = await filled();
  const copy = await new Copy().take(first.journal);
  const { journal } = await openJournal({ files: first.files.afterPowerLoss(), as: 'found', bootId: 'boot-2', keepAfter: asSequence(2n) });
  t.match(await journal.reconcile({ welcome: { ...copy.welcome(), digest: Buffer.alloc(32, 1) }, readFrames: copy.readFrames }), { verdict: 'forked', message: /not the one that it announced/ });
  await journal.close();
});

t.test('a new spool of a known host goes on after the end of the receiver, fetching nothing', async (t) => {
  const copy = new Copy();
  for (let at = 0; at < 9; at += 1) copy.add(10);
  const opened = await openJournal({ as: 'found' });
  const { journal, clock } = opened;
  t.ok(journal.mayBehind);
  const never = async function* (): AsyncGenerator<Buffer> { throw new Error('nothing is to be fetched'); };
  t.match(await journal.reconcile({ welcome: { ...copy.welcome(), lastTimeNs: clock.wallNs() + 5n }, readFrames: never }), { verdict: 'adopt', after: 90n });
  t.equal(journal.position.heldFrom, 0n);
  t.match(await journal.append([noise(10)]), { taken: true, firstSequence: 91n, lastSequence: 91n });
  await clock.advance(20);
  await copy.take(journal);
  t.equal(copy.end.lastSequence, 91n, 'the chain goes on');
  t.equal(copy.end.lastTimeNs, clock.wallNs() - 20_000_000n + 5n, 'and so do the times');
  await journal.close();

  const again = await openJournal({ files: opened.files, as: 'found' });
  t.equal(again.journal.position.capturedThrough, 91n);
  t.same((await allChanges(again.journal)).map(({ sequence }) => sequence), [91n], 'an engine that has committed nothing replays what came since');
  t.notOk(again.journal.mayBehind);
  await again.journal.close();
});

t.test('an adopted end is remembered although nothing was appended after it', async (t) => {
  const copy = new Copy().add(4);
  const first = await openJournal({ as: 'found' });
  await first.journal.reconcile({ welcome: copy.welcome(), readFrames: copy.readFrames });
  const { journal, clock } = await openJournal({ files: first.files.afterKill(), as: 'found' });
  t.notOk(journal.mayBehind);
  t.match(await journal.append([noise(10)]), { firstSequence: 5n });
  await clock.advance(20);
  t.match(await journal.reconcile({ welcome: copy.welcome(), readFrames: copy.readFrames }), { verdict: 'follow', after: 4n });
  await copy.take(journal);
  t.equal(copy.end.lastSequence, 5n);
  await journal.close();
});

t.test('a spool that lost what an engine here has captured but not committed gets all of it back', async (t) => {
  const first = await filled();
  const copy = await new Copy().take(first.journal);
  const { journal } = await openJournal({ files: first.files.afterPowerLoss(), as: 'found', bootId: 'boot-2' });
  t.equal(journal.position.capturedThrough, 0n);
  t.match(await journal.reconcile({ welcome: copy.welcome(), readFrames: copy.readFrames }), { verdict: 'fetch', after: 10n });
  t.same((await allChanges(journal)).map(({ sequence }) => sequence), Array.from({ length: 10 }, (_, at) => BigInt(at) + 1n));
  await journal.close();
});

t.test('a new spool that could not ask at first is still new when it can', async (t) => {
  const copy = new Copy().add(4);
  const first = await openJournal({ as: 'found' });
  await first.journal.close();
  const { journal } = await openJournal({ files: first.files, as: 'found' });
  t.match(await journal.reconcile({ welcome: copy.welcome(), readFrames: copy.readFrames }), { verdict: 'adopt', after: 4n });
  t.same(await allChanges(journal), []);
  await journal.close();
});

t.test('a spool lost under an engine that kept its state gets back what that state lacks', async (t) => {
  const copy = new Copy();
  for (let at = 0; at < 9; at += 1) copy.add(10);
  const recovered: Change[] = [];
  const { journal, clock } = await openJournal({ as: 'found', keepAfter: asSequence(45n), onRecovered: async (changes) => void recovered.push(...changes) });
  t.match(await journal.reconcile({ welcome: copy.welcome(), readFrames: copy.readFrames }), { verdict: 'adopt-fetch', after: 90n });
  t.same(recovered.map(({ sequence }) => sequence), Array.from({ length: 45 }, (_, at) => BigInt(at) + 46n));
  t.equal(journal.position.heldFrom, 41n, 'from the frame that holds the first of them');
  t.match(await journal.append([noise(10)]), { firstSequence: 91n });
  await clock.advance(20);
  await copy.take(journal);
  t.equal(copy.end.lastSequence, 91n);
  await journal.close();
});

t.test('what the receiver lost and is still here is sent again, is not trimmed meanwhile, and is durable here', async (t) => {
  const { journal, clock, files, lines } = await filled({ segmentSizeBytes: 7000 });
  const copy = await new Copy().take(journal);
  journal.noteDurable(asSequence(10n));
  copy.frames.splice(2);
  t.match(await journal.reconcile({ welcome: copy.welcome(), readFrames: copy.readFrames }), { verdict: 'resend', after: 4n });
  t.ok(lines.some(({ level, message }) => level === 'error' && /lost acknowledged changes 5\.\.10/.test(message)));
  t.equal(journal.position.durableThrough, 4n);
  t.ok(journal.position.undurableBytes > 15_000);
  await clock.advance(1);
  t.equal(journal.position.locallyDurableThrough, 10n);
  journal.setKeepAfter(asSequence(10n));
  await clock.advance(1);
  t.equal(journal.position.heldFrom, 5n);
  await copy.take(journal);
  journal.noteDurable(asSequence(10n));
  t.equal(journal.position.undurableBytes, 0);
  t.ok(files.usedBytes > 0);
  await journal.close();
});

t.test('what the receiver lost and is trimmed here stops everything, loudly', async (t) => {
  const { journal, clock, lines } = await filled({ segmentSizeBytes: 7000 });
  const copy = await new Copy().take(journal, asSequence(4n));
  journal.setKeepAfter(asSequence(10n));
  journal.noteDurable(asSequence(10n));
  await clock.advance(1);
  t.equal(journal.position.heldFrom, 9n);
  t.match(await journal.reconcile({ welcome: copy.welcome(), readFrames: copy.readFrames }), { verdict: 'lost', message: /the receiver lost acknowledged changes 5\.\.8/ });
  t.match(await journal.reconcile({ welcome: welcomeAt(), readFrames: copy.readFrames }), { verdict: 'lost', message: /1\.\.8/ });
  t.ok(lines.some(({ level }) => level === 'error'));
  await journal.close();
});

t.test('no space for what is fetched is no end: it is tried again', async (t) => {
  const first = await filled();
  const copy = await new Copy().take(first.journal);
  const files = first.files.afterPowerLoss();
  const { journal, clock } = await openJournal({ files, as: 'found', bootId: 'boot-2', keepAfter: asSequence(2n) });
  files.capacityBytes = files.usedBytes + 2000;
  await t.rejects(journal.reconcile({ welcome: copy.welcome(), readFrames: copy.readFrames }), { code: 'unavailable', message: /no space for what the receiver holds/ });
  files.capacityBytes = Infinity;
  t.match(await journal.reconcile({ welcome: copy.welcome(), readFrames: copy.readFrames }), { after: 10n });
  t.match(await journal.append([noise(5)]), { firstSequence: 11n });
  await clock.advance(20);
  await journal.close();
});

t.test('fetched changes that the engine could not take over are not appended after: a start replays them', async (t) => {
  const first = await filled();
  const copy = await new Copy().take(first.journal);
  const files = first.files.afterPowerLoss();
  const before = { files, bootId: 'boot-2', as: 'found', keepAfter: asSequence(2n) } as const;
  const { journal } = await openJournal({ ...before, onRecovered: async () => Promise.reject(Object.assign(new Error('database or disk is full'), { code: 'ENOSPC' })) });
  await t.rejects(journal.reconcile({ welcome: copy.welcome(), readFrames: copy.readFrames }), { name: 'DurabilityError', message: /database or disk is full/ });
  t.match(await journal.whenBroken(), { message: /hand fetched changes/ });
  await t.rejects(journal.append([noise(5)]), 'nothing is appended after what the engine does not know');
  await journal.close();
  const next = await openJournal({ ...before, files: files.afterKill() });
  t.ok(next.journal.mayBehind, 'the next start asks the receiver again');
  t.ok((await allChanges(next.journal, asSequence(2n))).some(({ sequence }) => sequence === 3n), 'and has what is to be replayed');
  await next.journal.close();
});
