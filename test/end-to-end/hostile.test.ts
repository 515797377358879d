/** An enrolled host that lies about names, links and cycles: the receiver lives, and nothing is written outside of a target. */
import { mkdir, readdir, readFile, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { asNodeId, asVolumeId, rootNode, type ChangeBody, type NodeKind, type NodeMetadata } from '../../proto/change.js';
import { nameFromBytes, nameFromText } from '../../proto/name.js';
import { agentMain, ReceiverProgram, receiverMain, run } from './programs.js';
import { enrolRaw, frameBytes, RawJournal, RawStream, store, type RawIdentity } from './raw-host.js';
import { describeTree, differences } from './trees.js';
import { eventually, replicaTree, Workplace, type VolumeRow } from './world.js';

const hostile = 'hostile-host';
const volume = asVolumeId(1);
const definition: ChangeBody = { kind: 'volume', name: '../../canary', volumeKind: 'tree', path: '/../../etc', engine: 'portable', platform: 'linux' };

/** Protobuf by hand, for what the encoder would not write. */
const varint = (value: number): Buffer => (value < 0x80 ? Buffer.from([value]) : Buffer.concat([Buffer.from([(value & 0x7f) | 0x80]), varint(value >>> 7)]));
const bytesField = (field: number, bytes: Buffer): Buffer => Buffer.concat([varint(field * 8 + 2), varint(bytes.length), bytes]);
const numberField = (field: number, value: number): Buffer => Buffer.concat([varint(field * 8), varint(value)]);
const delimited = (bytes: Buffer): Buffer => Buffer.concat([varint(bytes.length), bytes]);

/** A change of volume 1: `create` is field 5, `rename` field 8, `unlink` field 7 of Change (change.proto). */
const change = (field: number, body: Buffer): Buffer => delimited(Buffer.concat([numberField(2, volume), bytesField(field, body)]));
const metadataBytes = Buffer.concat([numberField(1, 1), numberField(2, 0o644)]);
const createNamed = (node: number, name: Buffer): Buffer => change(5, Buffer.concat([numberField(1, node), numberField(2, 1), bytesField(3, name), bytesField(4, metadataBytes)]));
const renameTo = (name: Buffer): Buffer => change(8, Buffer.concat([numberField(1, 1), bytesField(2, Buffer.from('honest')), numberField(3, 1), bytesField(4, name)]));

const metadata = (nodeKind: NodeKind, target?: string): NodeMetadata => ({ nodeKind, mode: nodeKind === 'directory' ? 0o755 : 0o644, uid: 0, gid: 0, modifyNs: 1_700_000_000_000_000_000n, ...(target === undefined ? {} : { target: Buffer.from(target) }) });
const create = (node: number | bigint, parent: number | bigint, name: string, nodeKind: NodeKind = 'file', target?: string): ChangeBody => ({ kind: 'create', node: asNodeId(BigInt(node)), parent: asNodeId(BigInt(parent)), name: nameFromText(name), metadata: metadata(nodeKind, target) });
const write = (node: number, text: string, offset = 0): ChangeBody => ({ kind: 'write', node: asNodeId(BigInt(node)), offset, data: Buffer.from(text) });
const rename = (parent: number, name: string, toParent: number, toName: string, exchange = false): ChangeBody => ({ kind: 'rename', parent: asNodeId(BigInt(parent)), name: nameFromText(name), toParent: asNodeId(BigInt(toParent)), toName: nameFromText(toName), exchange });
const unlink = (parent: number, name: string): ChangeBody => ({ kind: 'unlink', parent: asNodeId(BigInt(parent)), name: nameFromText(name) });
const link = (node: number, parent: number, name: string): ChangeBody => ({ kind: 'link', node: asNodeId(BigInt(node)), parent: asNodeId(BigInt(parent)), name: nameFromText(name) });

/** What no system would do, but the protocol can say. `out` is a directory outside of every target. */
function lies(out: string): ChangeBody[] {
  const deep: ChangeBody[] = [];
  for (let level = 0; level < 1500; level += 1) deep.push(create(10_000 + level, level === 0 ? 1 : 10_000 + level - 1, `level ${level} ${'x'.repeat(80)}`, 'directory'));
  deep.push(create(20_000, 11_499, 'at the bottom'), write(20_000, 'found'));
  return [
    definition,
    { kind: 'baseline', edge: 'begin' },
    { kind: 'create', node: rootNode, metadata: metadata('directory') },
    create(2, 1, 'honest'), write(2, 'honest content'),
    { kind: 'baseline', edge: 'end' },
    // Links that lead out, and what pretends to lie below them.
    create(3, 1, 'absolute link', 'symlink', out), create(4, 3, 'below absolute link'), write(4, 'escaped'), link(2, 3, 'linked below'),
    create(5, 1, 'relative link', 'symlink', '../canary'), create(6, 5, 'below relative link'), write(6, 'escaped'),
    create(7, 1, 'dotted link', 'symlink', '..'), create(8, 7, 'below dotted link', 'directory'), create(9, 8, 'and deeper'),
    write(3, 'written to a link'), { kind: 'truncate', node: asNodeId(3n), size: 3 }, { kind: 'xattr-set', node: asNodeId(3n), key: 'user.x', value: Buffer.from('y') },
    { kind: 'attributes', node: asNodeId(5n), mode: 0o4777, uid: 12345, modifyNs: 1n },
    rename(1, 'honest', 3, 'moved below a link'), rename(3, 'below absolute link', 1, 'moved from a link'),
    // A directory that becomes a link, and the reverse, under the same name.
    create(20, 1, 'changing', 'directory'), create(21, 20, 'child'), unlink(1, 'changing'), create(22, 1, 'changing', 'symlink', out), create(23, 22, 'child'), write(23, 'escaped'), write(21, 'escaped'),
    create(24, 1, 'planted', 'symlink', out), create(25, 1, 'planted', 'directory'), create(26, 25, 'inside'), write(26, 'inside the target'),
    // Names twice, nodes twice, nodes that never were.
    create(2, 1, 'second honest'), create(30, 1, 'twice'), create(31, 1, 'twice'), write(30, 'of the first'), write(31, 'of the second'),
    create(1, 1, 'root again', 'directory'), { kind: 'create', node: rootNode, metadata: metadata('symlink', out) }, create(40, 999, 'child of nobody'), write(998, 'to nobody'), link(997, 1, 'link of nobody'), unlink(1, 'never there'), unlink(2, 'of a file'),
    // Cycles.
    create(50, 1, 'a', 'directory'), create(51, 50, 'b', 'directory'), create(52, 51, 'c', 'directory'), rename(1, 'a', 52, 'cycle'), rename(50, 'b', 51, 'itself'), rename(1, 'a', 51, 'c', true), link(50, 52, 'hard link of a directory'), link(1, 50, 'root below itself'),
    // Names that are legal, and names that no file system here takes.
    create(60, 1, 'new\nline'), write(60, 'of one line'), { kind: 'create', node: asNodeId(61n), parent: rootNode, name: nameFromBytes(Buffer.from([0xff, 0xfe, 0x0a, 0x1b, 0x5b])), metadata: metadata('file') },
    create(62, 1, '-rf *'), create(63, 1, '\\..\\x'), create(64, 1, 'x'.repeat(4000)), write(64, 'name too long'),
    // Sizes that no file system here takes.
    create(70, 1, 'enormous'), { kind: 'truncate', node: asNodeId(70n), size: Number.MAX_SAFE_INTEGER }, write(70, 'far out', Number.MAX_SAFE_INTEGER - 100),
    // A clone of what is not there, and of what is there no more.
    create(80, 1, 'clone'), { kind: 'clone', node: asNodeId(80n), offset: 0, length: 100, sourceNode: asNodeId(996n), sourceOffset: 0 }, { kind: 'clone', node: asNodeId(80n), offset: 0, length: 14, sourceNode: asNodeId(2n), sourceOffset: 0 },
    ...deep,
  ];
}

async function makeCanary(work: Workplace): Promise<string> {
  const canary = await work.makeDirectory('canary');
  await writeFile(join(canary, 'keep'), 'as it was');
  await mkdir(join(canary, 'child'));
  await writeFile(join(canary, 'child', 'keep'), 'as it was');
  return canary;
}

async function hostileWorld(name: string): Promise<{ work: Workplace; receiver: ReceiverProgram; identity: RawIdentity; canary: string; state: string }> {
  const work = await Workplace.make(name);
  const canary = await makeCanary(work);
  const receiver = await ReceiverProgram.init(work.path('receiver'));
  work.onEnd(() => receiver[Symbol.asyncDispose]());
  await receiver.start();
  const state = work.path('state');
  return { work, receiver, canary, state, identity: await enrolRaw(state, receiver, hostile) };
}

t.test('a name that is no name is refused with its frame', async (t) => {
  const { work, receiver, identity } = await hostileWorld('hostile');
  await using place = work;
  void place;
  let journal: RawJournal;
  {
    await using stream = new RawStream(identity);
    journal = new RawJournal(identity.journal, (await stream.greet(identity.journal))!);
    await store(stream, journal, journal.next(volume, [definition, { kind: 'baseline', edge: 'begin' }, create(2, 1, 'honest'), { kind: 'baseline', edge: 'end' }]));
  }
  const names = ['../x', '/abs', 'a/../../b', '..', '.', '', 'with\0nul', 'x'.repeat(5000)];
  for (const name of names) {
    for (const [deed, payload] of [['created', createNamed(3, Buffer.from(name))], ['renamed', renameTo(Buffer.from(name))]] as const) {
      await using stream = new RawStream(identity);
      const welcome = await stream.greet(identity.journal);
      t.equal(welcome?.durableThrough, journal.through);
      stream.send({ kind: 'frame', frame: frameBytes(journal.around(payload, 1)) });
      const { details } = await stream.ended;
      // A create without a name is a node that has none yet, so it is refused for the parent it names, or not at all.
      if (name === '' && deed === 'created') t.match(details, /refused|name|/);
      else t.match(details, /a frame was refused, and nothing of it stored: .*(file name|name)/, `${JSON.stringify(name.slice(0, 20))} ${deed}`);
    }
  }
  await using stream = new RawStream(identity);
  await stream.greet(identity.journal);
  // The encoder by hand is right: an honest name passes.
  await store(stream, journal, journal.around(createNamed(3, Buffer.from('by hand')), 1));
  t.match(await receiver.command('ls', '--host', hostile, '--volume', '../../canary', '--at', 'latest'), /by hand/);
});

/** Everything below the workplace that no restore and no replica may touch. */
async function untouchables(work: Workplace, canary: string): Promise<unknown> {
  return { canary: await describeTree(canary), beside: (await readdir(work.directory)).filter((name) => !name.startsWith('target') && !name.startsWith('receiver')).sort() };
}

async function restoreEverywhere(t: Test, { work, receiver, canary, state }: { work: Workplace; receiver: ReceiverProgram; canary: string; state: string }): Promise<void> {
  const before = await untouchables(work, canary);
  const at = ['--volume', '../../canary', '--at', 'latest'];
  const programs = { receiver: { main: receiverMain, args: ['restore', '--data', receiver.data, '--host', hostile, ...at] }, agent: { main: agentMain, args: ['restore', '--state', state, ...at] } } as const;
  const trees: string[][] = [];
  for (const [name, { main, args }] of Object.entries(programs)) {
    const fresh = work.path(`target fresh ${name}`);
    const made = await run(main, [...args, '--to', fresh], { timeoutMs: 120_000 });
    t.equal(made.code, 0, `the ${name} restores what can be: ${made.stderr.slice(-1000)}`);
    t.match(made.stdout, /not restored|not in every respect/, 'and says what could not be');
    trees.push(await describeTree(fresh));

    // A target that is prepared: links where the point has directories and files.
    const prepared = await work.makeDirectory(`target in place ${name}`);
    for (const trap of ['planted', 'a', 'honest', 'twice']) await symlink(canary, join(prepared, trap));
    await symlink(join(canary, 'keep'), join(prepared, 'clone'));
    await mkdir(join(prepared, 'absolute link'));
    const changed = await run(main, [...args, '--to', prepared, '--in-place'], { timeoutMs: 120_000 });
    t.equal(changed.code, 0, `the ${name} restores in place: ${changed.stderr.slice(-1000)}`);
    trees.push(await describeTree(prepared));
    t.same(await untouchables(work, canary), before, `nothing outside the targets of the ${name} changed`);
    t.equal(await readFile(join(prepared, 'planted', 'inside'), 'utf8'), 'inside the target');
  }
  for (const tree of trees.slice(1)) t.same(differences(trees[0]!, tree), [], 'all restores are equal');
}

t.test('lies about links, nodes and cycles are recorded, and stay inside of replica and restores', async (t) => {
  const world = await hostileWorld('hostile');
  const { work, receiver, identity, canary } = world;
  await using place = work;
  void place;
  const before = await untouchables(work, canary);
  await using stream = new RawStream(identity);
  const journal = new RawJournal(identity.journal, (await stream.greet(identity.journal))!);
  const bodies = lies(canary);
  // One change a frame as well as many: each must stand for itself.
  for (let at = 0; at < bodies.length; at += at < 200 ? 7 : 500) await store(stream, journal, journal.next(volume, bodies.slice(at, at + (at < 200 ? 7 : 500))));
  const through = journal.through;
  await eventually('applied to the replica', () => receiver.json<VolumeRow[]>('volumes', '--host', hostile), ([row]) => BigInt(row?.applied ?? 0) >= through);
  t.same(await untouchables(work, canary), before, 'the replica wrote nothing outside');

  const listed = await run(receiverMain, ['ls', '--data', receiver.data, '--host', hostile, '--volume', '../../canary', '--at', 'latest']);
  t.equal(listed.code, 0);
  t.match(listed.stderr, /changes before this point that did not fit: seq:\d+/, 'what did not fit is told');
  t.match(listed.stdout, /new\\nline/, 'a name with a line feed is one line');
  await receiver.command('verify');
  await restoreEverywhere(t, world);

  // The replica keeps an empty file for one that is too large for any file system here, a restore leaves it out.
  const replica = (await describeTree(replicaTree(receiver, identity.journal.toString('hex'), volume))).filter((line) => !line.startsWith('enormous '));
  t.same(differences(await describeTree(work.path('target fresh receiver')), replica), [], 'the replica is what is restored');
  // The receiver lived through all of it, and serves on.
  t.ok(receiver.daemon.running);
  await store(stream, journal, journal.next(volume, [create(90, 1, 'afterwards'), write(90, 'still here')]));
  t.equal(await receiver.command('cat', '--host', hostile, '--volume', '../../canary', '--at', 'latest', 'afterwards'), 'still here');
});
