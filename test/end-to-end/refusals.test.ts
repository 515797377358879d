/** What a receiver must not take it refuses, with a message that says what is wrong, logs, and stores nothing of. */
import { randomBytes } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { status } from '@grpc/grpc-js';
import t, { type Test } from 'tap';
import { generateKey } from '../../agent/identity/keys.js';
import { enrol } from '../../agent/transport/grpc-link.js';
import { asVolumeId, journalVolume, type ChangeBody } from '../../proto/change.js';
import { decodeToken, encodeToken } from '../../proto/identity.js';
import { encodeFrame } from '../../proto/journal/frame.js';
import { frame as at, frameBytesMax } from '../../proto/journal/layout.js';
import { protocolVersion } from '../../proto/wire/messages.js';
import { agentMain, ReceiverProgram, run } from './programs.js';
import { enrolRaw, frameBytes, RawJournal, RawStream, store, type RawIdentity } from './raw-host.js';
import { assertConverged, eventually, hostName, openWorld, protect, segmentBytes, type World } from './world.js';

const mark = (name: string): ChangeBody => ({ kind: 'mark', name });

/** Waits for a line of the receiver's log from `from` on that matches, and returns it. */
function logged(receiver: ReceiverProgram, from: number, words: RegExp): Promise<string> {
  return eventually(`in the receiver's log: ${words}`, () => receiver.daemon.log.slice(from).split('\n').find((line) => words.test(line.replaceAll('\\"', '"'))) ?? '', Boolean, 20_000);
}

async function withGoodAgent(t: Test, run: (world: World) => Promise<void>): Promise<void> {
  await using world = await openWorld('refusals');
  const { source, agent } = world;
  await writeFile(`${source}/file`, randomBytes(10_000));
  await protect(agent, source, 'data');
  await assertConverged(t, world);
  await run(world);
  await writeFile(`${source}/file`, randomBytes(20_000));
  await assertConverged(t, world);
  t.equal((await agent.status()).journal.reconnects, 0, 'the good agent noticed nothing of it');
}

t.test('a frame that is not the next one, whole and of this version is refused, and nothing of it stored', (t) =>
  withGoodAgent(t, async ({ work, receiver }) => {
    const identity = await enrolRaw(work.path('raw'), receiver, 'raw-host');
    const other = await enrolRaw(work.path('other raw'), receiver, 'other-host');
    let journal: RawJournal;
    {
      await using stream = new RawStream(identity);
      journal = new RawJournal(identity.journal, (await stream.greet(identity.journal))!);
      await store(stream, journal, journal.next(asVolumeId(1), [{ kind: 'volume', name: 'raw', volumeKind: 'tree', path: '/raw', engine: 'portable', platform: 'linux' }]));
    }
    const good = (): Buffer => frameBytes(journal.next(journalVolume, [mark('an honest mark')]));
    const altered = (alter: (bytes: Buffer) => void): Buffer => {
      const bytes = good();
      alter(bytes);
      return bytes;
    };
    const lying = (options: { readonly previousDigest?: Buffer; readonly skip?: bigint; readonly journal?: Buffer }): Buffer => {
      const { header } = journal.next(journalVolume, [mark('a lie')]);
      const changes = [{ sequence: (header.firstSequence + (options.skip ?? 0n)) as typeof header.firstSequence, timeNs: header.firstTimeNs, volume: journalVolume, body: mark('a lie') }];
      return frameBytes(encodeFrame({ journal: options.journal ?? identity.journal, previousDigest: options.previousDigest ?? header.previousDigest, changes }));
    };
    const faults: readonly { readonly label: string; readonly frame?: Buffer; readonly message?: Buffer; readonly code: status; readonly says: RegExp; readonly isGrpcs?: boolean }[] = [
      { label: 'a flipped bit in the payload', frame: altered((bytes) => (bytes[bytes.length - 1]! ^= 1)), code: status.INVALID_ARGUMENT, says: /payload checksum does not match/ },
      { label: 'a flipped bit in the header', frame: altered((bytes) => (bytes[at.firstTime]! ^= 1)), code: status.INVALID_ARGUMENT, says: /header checksum does not match/ },
      { label: 'a flipped bit in the magic', frame: altered((bytes) => (bytes[at.magic]! ^= 1)), code: status.INVALID_ARGUMENT, says: /no frame begins here/ },
      { label: 'an older format version', frame: altered((bytes) => bytes.writeUInt16LE(0, at.version)), code: status.INVALID_ARGUMENT, says: /format version 0; this program reads version 1/ },
      { label: 'a newer format version', frame: altered((bytes) => bytes.writeUInt16LE(2, at.version)), code: status.INVALID_ARGUMENT, says: /format version 2; this program reads version 1/ },
      { label: 'a frame cut short', frame: good().subarray(0, -1), code: status.INVALID_ARGUMENT, says: /bytes instead of/ },
      { label: 'another digest of the frame before', frame: lying({ previousDigest: randomBytes(32) }), code: status.FAILED_PRECONDITION, says: /its digest of the frame before it does not match/ },
      { label: 'a sequence that leaves some out', frame: lying({ skip: 5n }), code: status.FAILED_PRECONDITION, says: /it starts at sequence 7, expected 2/ },
      { label: 'a frame of another journal', frame: lying({ journal: other.journal }), code: status.PERMISSION_DENIED, says: /came over the stream of journal/ },
      { label: 'a frame larger than any', frame: Buffer.alloc(frameBytesMax + 1), code: status.INVALID_ARGUMENT, says: new RegExp(`more than ${frameBytesMax}`) },
      { label: 'a message larger than any', message: Buffer.alloc(16 * 1024 * 1024), code: status.RESOURCE_EXHAUSTED, says: /larger than max|message (is )?too large|max.*message/i, isGrpcs: true },
      { label: 'bytes that are no message', message: Buffer.from('fffefdfc', 'hex'), code: status.INVALID_ARGUMENT, says: /agent message/ },
      { label: 'a message of an unknown kind', message: Buffer.from([0x7a, 0x01, 0x00]), code: status.INVALID_ARGUMENT, says: /of a kind that this version does not know/ },
    ];
    for (const { label, frame, message, code, says, isGrpcs = false } of faults) {
      const before = await segmentBytes(receiver);
      const from = receiver.daemon.log.length;
      await using stream = new RawStream(identity);
      const welcome = await stream.greet(identity.journal);
      t.equal(welcome?.durableThrough, journal.through, `${label}: nothing was stored before it`);
      if (frame !== undefined) stream.send({ kind: 'frame', frame });
      if (message !== undefined) stream.sendBytes(message);
      const ended = await stream.ended;
      t.equal(ended.code, code, `${label} is refused: ${ended.details}`);
      t.match(ended.details, says, `${label}: the refusal says what is wrong`);
      if (!isGrpcs) t.match(stream.messages.at(-1), { kind: 'refused', message: says }, `${label}: so does the last message`);
      t.ok(await logged(receiver, from, says), `${label} is logged`);
      t.equal(await segmentBytes(receiver), before, `${label}: nothing of it is stored`);
    }
    await using stream = new RawStream(identity);
    t.ok(await stream.greet(identity.journal));
    await store(stream, journal, journal.next(journalVolume, [mark('an honest mark')]));
    t.pass('the host goes on once it sends what it should');
  }));

t.test('who has no certificate, a foreign one, or that of another host gets nowhere', (t) =>
  withGoodAgent(t, async ({ work, receiver }) => {
    const identity = await enrolRaw(work.path('raw'), receiver, 'raw-host');
    const other = await enrolRaw(work.path('other raw'), receiver, 'other-host');
    await using elsewhere = await ReceiverProgram.init(work.path('elsewhere'));
    await elsewhere.start();
    const foreign = await enrolRaw(work.path('foreign raw'), elsewhere, 'raw-host');
    const { keyPem, certificatePem, ...bare } = identity;
    const cases: readonly { readonly label: string; readonly identity: RawIdentity; readonly version?: number; readonly code: status; readonly says: RegExp }[] = [
      { label: 'no certificate', identity: bare, code: status.UNAUTHENTICATED, says: /no client certificate was presented: enrol this host/ },
      { label: 'a certificate of another authority', identity: { ...identity, keyPem: foreign.keyPem!, certificatePem: foreign.certificatePem! }, code: status.UNAUTHENTICATED, says: /was not issued by this receiver/ },
      { label: "another host's certificate", identity: { ...identity, keyPem: other.keyPem!, certificatePem: other.certificatePem! }, code: status.PERMISSION_DENIED, says: /belongs to host other-host, whose journal is/ },
      { label: 'a newer protocol', identity, version: protocolVersion + 1, code: status.INVALID_ARGUMENT, says: /speaks protocol version 2 and this receiver version 1: bring the older/ },
    ];
    for (const { label, identity: used, version, code, says } of cases) {
      const before = await segmentBytes(receiver);
      const from = receiver.daemon.log.length;
      await using stream = new RawStream(used);
      t.equal(await stream.greet(used.journal, version), undefined, `${label} is not greeted`);
      const ended = await stream.ended;
      t.equal(ended.code, code, `${label} is refused: ${ended.details}`);
      t.match(ended.details, says, `${label}: the refusal says what is wrong`);
      t.ok(await logged(receiver, from, says), `${label} is logged`);
      t.equal(await segmentBytes(receiver), before);
    }
    await receiver.command('revoke', '--host', 'raw-host');
    await using stream = new RawStream(identity);
    t.equal(await stream.greet(identity.journal), undefined);
    t.match(await stream.ended, { code: status.UNAUTHENTICATED, details: /has been revoked/ }, 'a revoked certificate is refused by a receiver that runs');
  }));

t.test('a token that is expired, used, unknown, mistyped or of another receiver enrols nobody', (t) =>
  withGoodAgent(t, async ({ work, receiver, agent }) => {
    await using elsewhere = await ReceiverProgram.init(work.path('elsewhere'));
    const expired = await receiver.token('late-host', '--ttl', '1s');
    const used = await receiver.token('used-host');
    await run(agentMain, ['enroll', '--state', work.path('used'), '--receiver', receiver.address, '--token', used]);
    const known = decodeToken(await receiver.token('unused-host'));
    const unknown = encodeToken({ ...known, secret: randomBytes(known.secret.length) });
    const typed = await receiver.token('typed-host');
    const mistyped = typed.slice(0, 20) + (typed[20] === 'A' ? 'B' : 'A') + typed.slice(21);
    await sleep(1100);
    const caPem = (JSON.parse(await readFile(`${agent.state}/identity/identity.json`, 'utf8')) as { caPem: string }).caPem;
    const cases: readonly { readonly label: string; readonly token: string; readonly says: RegExp; readonly code: number; readonly atReceiver?: RegExp }[] = [
      { label: 'expired', token: expired, says: /this token for late-host expired at/, code: 1 },
      { label: 'used', token: used, says: /this token was used at .* and works only once/, code: 1 },
      { label: 'unknown', token: unknown, says: /knows no such token: ask for a new one/, code: 1 },
      { label: 'mistyped', token: mistyped, says: /not a whole enrolment token.*checksum does not match.*copy it again/, code: 2, atReceiver: /not a whole enrolment token/ },
      { label: 'of another receiver', token: await elsewhere.token('lost-host'), says: /is not the receiver that made the token.*the token was not sent/, code: 1, atReceiver: /made by another receiver/ },
    ];
    const names = async (): Promise<string[]> => (await receiver.json<{ name: string }[]>('hosts')).map(({ name }) => name);
    const hosts = await names();
    for (const { label, token, says, code, atReceiver } of cases) {
      const from = receiver.daemon.log.length;
      const state = work.path(`state ${label}`);
      const outcome = await run(agentMain, ['enroll', '--state', state, '--receiver', receiver.address, '--token', token]);
      t.equal(outcome.code, code, `${label}: the agent exits with ${code}; it said ${outcome.stderr}`);
      t.match(outcome.stderr, says, `${label}: the agent says what is wrong`);
      if (atReceiver === undefined) t.ok(await logged(receiver, from, says), `${label}: the receiver logs it`);
      else {
        // The agent does not even send it; somebody else might.
        const { csrDer } = await generateKey();
        await t.rejects(enrol(receiver.address, caPem, { token, certificateRequestDer: Buffer.from(csrDer), platform: 'linux', agentVersion: 'raw' }), { message: atReceiver }, `${label}: the receiver refuses it as well`);
        t.ok(await logged(receiver, from, atReceiver), `${label}: and logs it`);
      }
      t.match((await run(agentMain, ['run', '--state', state])).stderr, /not enrolled/, `${label}: no identity was left behind`);
    }
    t.same(await names(), hosts, 'no host was added');
  }));

t.test('an agent at the wrong receiver sends nothing and says why', (t) =>
  withGoodAgent(t, async ({ work, source, receiver, agent }) => {
    await using elsewhere = await ReceiverProgram.init(work.path('elsewhere'));
    await elsewhere.start();
    const path = `${agent.state}/identity/identity.json`;
    const rightly = await readFile(path, 'utf8');
    t.equal(await agent.daemon.stop(), 0);
    await writeFile(path, rightly.replaceAll(receiver.address, elsewhere.address));
    const from = elsewhere.daemon.log.length;
    await agent.start('--scan-interval', '5s');
    const { connection } = await agent.until('refusing', ({ connection: { state } }) => state === 'refused');
    t.match(connection.message, /did not issue: it is another server, or somebody is in between; nothing was sent/);
    t.match((await agent.command('status')), /refused .*another server/, 'a person sees it in the status');
    t.ok(await logged(elsewhere, from, /connection (was refused|ended|broke)/), 'the other receiver logs the connection');
    t.equal(await segmentBytes(elsewhere), 0, 'nothing is stored there');
    t.equal(await agent.daemon.stop(), 0);
    await writeFile(path, rightly);
    await writeFile(`${source}/meanwhile`, 'written while at the wrong receiver');
    await agent.start('--scan-interval', '5s');
    await agent.until('connected', ({ connection: { state }, volumes }) => state === 'connected' && volumes[0]?.phase === 'watching');
    t.equal((await receiver.json<{ name: string }[]>('hosts'))[0]?.name, hostName);
  }));
