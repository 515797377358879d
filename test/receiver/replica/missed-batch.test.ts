/** A volume that is put right while another one holds up the same frame must not miss what is in that frame. */
import t from 'tap';
import { MemoryTree } from '../../../native/host/memory-directory.js';
import { asNodeId, asSequence, asVolumeId, rootNode, type Change, type ChangeBody, type VolumeId } from '../../../proto/change.js';
import { encodeFrame, zeroDigest } from '../../../proto/journal/frame.js';
import { nameFromText } from '../../../proto/name.js';
import { faults, HandClock, MemoryDatabases, modelAt, openReplica, turns } from './fixture.js';
import { MemoryJournal, volume } from './memory-journal.js';

const other = asVolumeId(2);
const metadata = { mode: 0o644, uid: 0, gid: 0, modifyNs: 7n } as const;
const create = (node: bigint, name: string, of: { nodeKind: 'file' | 'fifo' } | { nodeKind: 'symlink'; target: Buffer }): ChangeBody => ({ kind: 'create', node: asNodeId(node), parent: rootNode, name: nameFromText(name), metadata: { ...metadata, ...of } });

/** Puts changes of several volumes into one frame. */
function appendMixed(journal: MemoryJournal, mixed: readonly (readonly [VolumeId, ChangeBody])[]): void {
  const changes = mixed.map(([to, body], index): Change => ({ sequence: asSequence(BigInt(journal.changes.length + index + 1)), timeNs: 1_000n + BigInt(journal.changes.length), volume: to, body }));
  journal.frameList.push(encodeFrame({ journal: journal.journal, previousDigest: zeroDigest, changes }));
  journal.changes.push(...changes);
}

t.test('a volume that was rebuilt while another one waited for room gets the frame that both are in', async (t) => {
  const journal = new MemoryJournal();
  journal.define('data', 'tree', volume);
  journal.define('other', 'tree', other);
  let foreign = false;
  let full = false;
  const tree = new MemoryTree({
    onOperation: (name) => {
      if (name === 'makeSymlink' && foreign) {
        foreign = false;
        throw Object.assign(new Error('EEXIST: file exists'), { code: 'EEXIST' });
      }
      if (name === 'makeSpecial' && full) throw Object.assign(new Error('ENOSPC: no space left on device'), { code: 'ENOSPC' });
    },
  });
  const clock = new HandClock();
  const replica = await openReplica({ reader: journal, directories: tree, databases: new MemoryDatabases(), clock });
  await replica.applyThrough(journal.last);
  foreign = true;
  full = true;
  appendMixed(journal, [
    [volume, create(2n, 'link', { nodeKind: 'symlink', target: Buffer.from('x') })],
    [volume, create(3n, 'file', { nodeKind: 'file' })],
    [volume, { kind: 'write', node: asNodeId(3n), offset: 0, data: Buffer.from('content') }],
    [other, create(2n, 'fifo', { nodeKind: 'fifo' })],
  ]);
  replica.notifyDurable(journal.last);
  for (let turn = 0; turn < 10; turn += 1) await turns();
  t.match(replica.status().volumes, [{ rebuilds: 1, state: 'filling' }, { state: 'stalled' }], 'one is rebuilt and in step again, the other waits');
  full = false;
  for (let turn = 0; turn < 10; turn += 1) await clock.pass(10_000);
  journal.append([{ kind: 'attributes', node: rootNode, mode: 0o700 }], volume);
  await replica.applyThrough(journal.last);
  t.same(await faults(tree, '/1/tree', modelAt(journal)), [], 'nothing of the frame is missing');
  await replica[Symbol.asyncDispose]();
});
