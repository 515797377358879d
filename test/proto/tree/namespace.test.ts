/** What each change means for names, sizes and metadata: one row a case, misfits included. */
import t from 'tap';
import { asNodeId, rootNode, type ChangeBody, type NodeId, type NodeKind } from '../../../proto/change.js';
import { displayName, nameFromText } from '../../../proto/name.js';
import { MemoryNamespace } from '../../../proto/tree/memory-table.js';
import { applyToNamespace, pathOf } from '../../../proto/tree/namespace.js';

const id = (value: number | bigint): NodeId => asNodeId(BigInt(value));
const [a, b, c, d] = ['a', 'b', 'c', 'd'].map(nameFromText) as [ReturnType<typeof nameFromText>, ReturnType<typeof nameFromText>, ReturnType<typeof nameFromText>, ReturnType<typeof nameFromText>];
const root = rootNode;

const make = (node: number | bigint, nodeKind: NodeKind, parent: NodeId | number | undefined, name = a): ChangeBody => ({
  kind: 'create', node: id(node), ...(parent === undefined ? {} : { parent: id(parent), name }),
  metadata: { nodeKind, mode: 0o644, uid: 1, gid: 2, modifyNs: 3n, ...(nodeKind === 'symlink' ? { target: Buffer.from('target') } : {}) },
});
const file = (node: number | bigint, parent?: NodeId | number, name = a): ChangeBody => make(node, 'file', parent, name);
const directory = (node: number | bigint, parent?: NodeId | number, name = a): ChangeBody => make(node, 'directory', parent, name);
const link = (node: number, parent: NodeId | number, name = a): ChangeBody => ({ kind: 'link', node: id(node), parent: id(parent), name });
const unlink = (parent: NodeId | number, name = a): ChangeBody => ({ kind: 'unlink', parent: id(parent), name });
const rename = (parent: NodeId | number, name: typeof a, toParent: NodeId | number, toName: typeof a, exchange = false): ChangeBody =>
  ({ kind: 'rename', parent: id(parent), name, toParent: id(toParent), toName, exchange });
const write = (node: number, offset: number, length: number): ChangeBody => ({ kind: 'write', node: id(node), offset, data: Buffer.alloc(length) });

interface Row {
  readonly label: string;
  readonly given?: readonly ChangeBody[];
  readonly change: ChangeBody;
  readonly ended?: readonly number[];
  readonly anomaly?: RegExp;
  /** Lines `path node kind size=… links=…`, in order. */
  readonly then: readonly string[];
  /** Nodes without a name. */
  readonly unnamed?: readonly number[];
}

const table: readonly Row[] = [
  { label: 'a file is created', change: file(2, root), then: ['a 2 file 0 1'] },
  { label: 'a symlink has the size of its target', change: make(2, 'symlink', root), then: ['a 2 symlink 6 1'] },
  { label: 'an unnamed file has no links', change: file(2), then: [], unnamed: [2] },
  { label: 'an unnamed file gets its name', given: [file(2)], change: link(2, root), then: ['a 2 file 0 1'] },
  { label: 'a file in a directory', given: [directory(2, root)], change: file(3, 2, b), then: ['a 2 directory 0 1', 'a/b 3 file 0 1'] },
  { label: 'a node is created again', given: [file(2, root)], change: file(2, root, b), anomaly: /created again/, then: ['a 2 file 0 1'] },
  { label: 'a create over a name', given: [file(2, root)], change: file(3, root), ended: [2], anomaly: /created over node 2/, then: ['a 3 file 0 1'] },
  { label: 'a create in a file', given: [file(2, root)], change: file(3, 2), anomaly: /no directory/, then: ['a 2 file 0 1'] },
  { label: 'a create in nothing', change: file(3, 99), anomaly: /no directory/, then: [] },
  { label: 'the root as a file', change: file(1), anomaly: /root/, then: [] },
  { label: 'a second name', given: [file(2, root)], change: link(2, root, b), then: ['a 2 file 0 2', 'b 2 file 0 2'] },
  { label: 'a second name for a directory', given: [directory(2, root)], change: link(2, root, b), anomaly: /a directory/, then: ['a 2 directory 0 1'] },
  { label: 'a name for an unknown node', change: link(2, root), anomaly: /unknown/, then: [] },
  { label: 'a name it has already', given: [file(2, root)], change: link(2, root), anomaly: /already/, then: ['a 2 file 0 1'] },
  { label: 'a name over another', given: [file(2, root), file(3, root, b)], change: link(2, root, b), ended: [3], anomaly: /linked over node 3/, then: ['a 2 file 0 2', 'b 2 file 0 2'] },
  { label: 'a name over the directory that holds the only other one', given: [directory(2, root), file(3, 2, b)], change: link(3, root), ended: [2], anomaly: /linked over/, then: ['a 3 file 0 1'] },
  { label: 'one of two names goes', given: [file(2, root), link(2, root, b)], change: unlink(root), then: ['b 2 file 0 1'] },
  { label: 'the last name goes', given: [file(2, root)], change: unlink(root), ended: [2], then: [] },
  { label: 'a name that is not there goes', change: unlink(root), anomaly: /does not exist/, then: [] },
  { label: 'an empty directory goes', given: [directory(2, root)], change: unlink(root), ended: [2], then: [] },
  { label: 'a full directory goes with all it holds, but not what has names elsewhere', given: [directory(2, root), directory(3, 2, b), file(4, 3, c), file(5, 3, d), link(5, root, d)], change: unlink(root), ended: [4, 3, 2], anomaly: /with what it holds/, then: ['d 5 file 0 1'] },
  { label: 'a file with both its names in a directory that goes', given: [directory(2, root), file(3, 2, b), link(3, 2, c)], change: unlink(root), ended: [3, 2], anomaly: /with what it holds/, then: [] },
  { label: 'a rename', given: [file(2, root)], change: rename(root, a, root, b), then: ['b 2 file 0 1'] },
  { label: 'a rename replaces', given: [file(2, root), file(3, root, b)], change: rename(root, a, root, b), ended: [3], then: ['b 2 file 0 1'] },
  { label: 'a rename replaces one of two names', given: [file(2, root), file(3, root, b), link(3, root, c)], change: rename(root, a, root, b), then: ['b 2 file 0 1', 'c 3 file 0 1'] },
  { label: 'a directory moves with what it holds', given: [directory(2, root), file(3, 2, b), directory(4, root, d)], change: rename(root, a, 4, c), then: ['d 4 directory 0 1', 'd/c 2 directory 0 1', 'd/c/b 3 file 0 1'] },
  { label: 'a directory replaces an empty one', given: [directory(2, root), directory(3, root, b)], change: rename(root, a, root, b), ended: [3], then: ['b 2 directory 0 1'] },
  { label: 'a rename over a full directory', given: [file(2, root), directory(3, root, b), file(4, 3, c)], change: rename(root, a, root, b), ended: [4, 3], anomaly: /with what it holds/, then: ['b 2 file 0 1'] },
  { label: 'a rename over the directory it lies in', given: [directory(2, root), directory(3, 2, b), file(4, 3, c)], change: rename(3, c, 2, b), ended: [3], anomaly: /with what it holds/, then: ['a 2 directory 0 1', 'a/b 4 file 0 1'] },
  { label: 'a rename out of and over a full directory', given: [directory(2, root), file(3, 2, b), file(4, 2, c)], change: rename(2, b, root, a), ended: [4, 2], anomaly: /with what it holds/, then: ['a 3 file 0 1'] },
  { label: 'a rename to itself', given: [file(2, root)], change: rename(root, a, root, a), then: ['a 2 file 0 1'] },
  { label: 'a rename onto another name of the same node', given: [file(2, root), link(2, root, b)], change: rename(root, a, root, b), then: ['a 2 file 0 2', 'b 2 file 0 2'] },
  { label: 'a rename of nothing', change: rename(root, a, root, b), anomaly: /does not exist/, then: [] },
  { label: 'a rename to no directory', given: [file(2, root), file(3, root, b)], change: rename(root, a, 3, c), anomaly: /no directory/, then: ['a 2 file 0 1', 'b 3 file 0 1'] },
  { label: 'a directory moves below itself', given: [directory(2, root), directory(3, 2, b)], change: rename(root, a, 3, c), anomaly: /below itself/, then: ['a 2 directory 0 1', 'a/b 3 directory 0 1'] },
  { label: 'a directory moves into itself', given: [directory(2, root)], change: rename(root, a, 2, c), anomaly: /below itself/, then: ['a 2 directory 0 1'] },
  { label: 'an exchange', given: [file(2, root), directory(3, root, b), file(4, 3, c)], change: rename(root, a, 3, c, true), then: ['a 4 file 0 1', 'b 3 directory 0 1', 'b/c 2 file 0 1'] },
  { label: 'an exchange of two names of one node', given: [file(2, root), link(2, root, b)], change: rename(root, a, root, b, true), then: ['a 2 file 0 2', 'b 2 file 0 2'] },
  { label: 'an exchange of a name with itself', given: [file(2, root)], change: rename(root, a, root, a, true), then: ['a 2 file 0 1'] },
  { label: 'an exchange with nothing', given: [file(2, root)], change: rename(root, a, root, b, true), anomaly: /does not exist/, then: ['a 2 file 0 1'] },
  { label: 'an exchange with what it holds', given: [directory(2, root), file(3, 2, b)], change: rename(root, a, 2, b, true), anomaly: /what it holds/, then: ['a 2 directory 0 1', 'a/b 3 file 0 1'] },
  { label: 'an exchange with what holds it', given: [directory(2, root), file(3, 2, b)], change: rename(2, b, root, a, true), anomaly: /what it holds/, then: ['a 2 directory 0 1', 'a/b 3 file 0 1'] },
  { label: 'a write grows', given: [file(2, root)], change: write(2, 10, 5), then: ['a 2 file 15 1'] },
  { label: 'a write within does not', given: [file(2, root), write(2, 0, 100)], change: write(2, 10, 5), then: ['a 2 file 100 1'] },
  { label: 'a zeroed range grows', given: [file(2, root)], change: { kind: 'zero', node: id(2), offset: 5, length: 5 }, then: ['a 2 file 10 1'] },
  { label: 'a clone grows', given: [file(2, root)], change: { kind: 'clone', node: id(2), offset: 5, length: 6, sourceNode: id(2), sourceOffset: 0 }, then: ['a 2 file 11 1'] },
  { label: 'a punched range does not grow', given: [file(2, root)], change: { kind: 'punch', node: id(2), offset: 5, length: 5 }, then: ['a 2 file 0 1'] },
  { label: 'a truncate shrinks', given: [file(2, root), write(2, 0, 100)], change: { kind: 'truncate', node: id(2), size: 7 }, then: ['a 2 file 7 1'] },
  { label: 'a write to a directory', given: [directory(2, root)], change: write(2, 0, 1), anomaly: /no known file/, then: ['a 2 directory 0 1'] },
  { label: 'a write to nothing', change: write(9, 0, 1), anomaly: /no known file/, then: [] },
  { label: 'a truncate of nothing', change: { kind: 'truncate', node: id(9), size: 1 }, anomaly: /no known file/, then: [] },
  { label: 'attributes of nothing', change: { kind: 'attributes', node: id(9), mode: 0 }, anomaly: /unknown/, then: [] },
  { label: 'an extended attribute of nothing', change: { kind: 'xattr-set', node: id(9), key: 'user.a', value: Buffer.alloc(0) }, anomaly: /unknown/, then: [] },
  { label: 'control changes do nothing', given: [file(2, root)], change: { kind: 'mark', name: 'm' }, then: ['a 2 file 0 1'] },
];

for (const { label, given = [], change, ended = [], anomaly, then, unnamed = [] } of table) {
  t.test(label, (t) => {
    const namespace = MemoryNamespace.planted();
    for (const body of given) t.equal(applyToNamespace(namespace, body).anomaly, undefined, 'what is given fits');
    const effect = applyToNamespace(namespace, change);
    if (anomaly === undefined) t.equal(effect.anomaly, undefined);
    else t.match(effect.anomaly, anomaly);
    t.strictSame(effect.ended, ended.map(id));
    t.strictSame(listing(namespace), then);
    t.equal(namespace.size, 1 + new Set(then.map((line) => line.split(' ')[1])).size + unnamed.length, 'and no other node is left');
    for (const node of unnamed) t.equal(pathOf(namespace, id(node)), undefined);
    t.end();
  });
}

t.test('attributes change what they name and keep the rest', (t) => {
  const namespace = MemoryNamespace.planted();
  applyToNamespace(namespace, file(2, root));
  applyToNamespace(namespace, { kind: 'attributes', node: id(2), mode: 0o600, modifyNs: -5n });
  t.match(namespace.node(id(2)), { mode: 0o600, uid: 1, gid: 2, modifyNs: -5n });
  applyToNamespace(namespace, { kind: 'xattr-set', node: id(2), key: 'user.a', value: Buffer.from('1') });
  applyToNamespace(namespace, { kind: 'xattr-set', node: id(2), key: 'user.b', value: Buffer.from('2') });
  applyToNamespace(namespace, { kind: 'xattr-remove', node: id(2), key: 'user.a' });
  t.strictSame([...namespace.node(id(2))!.xattrs!], [['user.b', Buffer.from('2')]]);
  t.equal(applyToNamespace(namespace, { ...directory(1), kind: 'create' } as ChangeBody).anomaly, undefined, 'the root gets its metadata');
  t.equal(namespace.node(root)!.uid, 1);
  t.strictSame(listing(namespace), ['a 2 file 0 1'], 'and keeps what it holds');
  t.end();
});

t.test('children come in bytewise order, also from the middle', (t) => {
  const namespace = MemoryNamespace.planted();
  for (const [place, name] of ['b', 'ü', 'B', 'a', '\u0001'].entries()) applyToNamespace(namespace, file(2 + place, root, nameFromText(name)));
  const names = (after?: typeof a): string[] => [...namespace.children(root, after)].map(({ name }) => displayName(name));
  t.strictSame(names(), ['\\x01', 'B', 'a', 'b', 'ü']);
  t.strictSame(names(a), ['b', 'ü']);
  t.end();
});

t.test('a tree deeper than any call stack goes at once', (t) => {
  const depth = 50_000;
  const namespace = MemoryNamespace.planted();
  for (let level = 0; level < depth; level += 1) applyToNamespace(namespace, directory(level + 2, level + 1));
  t.equal(pathOf(namespace, id(depth + 1))!.length, depth);
  t.match(applyToNamespace(namespace, rename(root, a, depth + 1, b)).anomaly, /below itself/);
  const { ended } = applyToNamespace(namespace, unlink(root));
  t.equal(ended.length, depth);
  t.equal(ended[0], id(depth + 1), 'the deepest first');
  t.equal(ended[depth - 1], id(2));
  t.equal(namespace.size, 1);
  t.end();
});

function listing(namespace: MemoryNamespace, at: NodeId = root, prefix = ''): string[] {
  return [...namespace.children(at)].flatMap(({ name, node }) => {
    const path = `${prefix}${displayName(name)}`;
    const { nodeKind, size, links } = namespace.node(node)!;
    return [`${path} ${node} ${nodeKind} ${size} ${links}`, ...listing(namespace, node, `${path}/`)];
  });
}
