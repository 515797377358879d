/**
 * What changes mean for names and metadata: the one state machine that replica, points and models
 * share. Content is not its business, sizes are. It never throws on what a journal says: a change
 * that does not fit is reported as an anomaly, and what happens then is defined here.
 */
import { rootNode, type ChangeBody, type NodeId, type NodeKind, type TimeNs } from '../change.js';
import type { Name } from '../name.js';

/** A node as it is at one instant. */
export interface NodeState {
  readonly node: NodeId;
  readonly nodeKind: NodeKind;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly modifyNs: TimeNs;
  readonly size: number;
  /** How many names it has; directories have one (the root: none). */
  readonly links: number;
  readonly device?: { readonly major: number; readonly minor: number };
  readonly target?: Buffer;
  readonly xattrs?: ReadonlyMap<string, Buffer>;
}

/** A name and what it names. */
export interface NamedNode {
  readonly parent: NodeId;
  readonly name: Name;
  readonly node: NodeId;
}

/** Where a namespace is kept: in memory for a point, in SQLite for a replica. */
export interface NamespaceTable {
  node(node: NodeId): NodeState | undefined;
  putNode(state: NodeState): void;
  dropNode(node: NodeId): void;
  child(parent: NodeId, name: Name): NodeId | undefined;
  putChild(parent: NodeId, name: Name, node: NodeId): void;
  dropChild(parent: NodeId, name: Name): void;
  /** Children of a directory in bytewise order of their names, optionally after a name. */
  children(parent: NodeId, after?: Name): Iterable<NamedNode>;
  /** All names of a node. */
  names(node: NodeId): Iterable<NamedNode>;
}

/** What applying one change did beside the obvious. */
export interface NamespaceEffect {
  /** Nodes that lost their last name and are gone, children before their directories. */
  readonly ended: readonly NodeId[];
  /** Why the change did not fit the namespace it met; undefined when it did. */
  readonly anomaly?: string;
}

const none: NamespaceEffect = { ended: [] };
const misfit = (anomaly: string): NamespaceEffect => ({ ended: [], anomaly });

/** Puts the root of a tree volume into an empty table. */
export function plantRoot(table: NamespaceTable): void {
  table.putNode({ node: rootNode, nodeKind: 'directory', mode: 0o755, uid: 0, gid: 0, modifyNs: 0n, size: 0, links: 0 });
}

/** Applies one change to names, metadata and sizes. Control changes and device changes do nothing here. */
export function applyToNamespace(table: NamespaceTable, body: ChangeBody): NamespaceEffect {
  switch (body.kind) {
    case 'create': {
      const { node, parent, name, metadata } = body;
      const { nodeKind, mode, uid, gid, modifyNs, device, target, xattrs } = metadata;
      const state: NodeState = {
        node,
        nodeKind,
        mode,
        uid,
        gid,
        modifyNs,
        size: target?.byteLength ?? 0,
        links: 0,
        ...(device === undefined ? {} : { device }),
        ...(target === undefined ? {} : { target }),
        ...(xattrs === undefined ? {} : { xattrs }),
      };
      if (node === rootNode) {
        if (nodeKind !== 'directory' || parent !== undefined) return misfit('the root is created as something else than a directory without a name');
        table.putNode(state);
        return none;
      }
      if (table.node(node) !== undefined) return misfit(`node ${node} is created again`);
      if (parent === undefined || name === undefined) {
        table.putNode(state);
        return none;
      }
      if (table.node(parent)?.nodeKind !== 'directory') return misfit(`node ${node} is created in ${parent}, which is no directory`);
      const displaced = table.child(parent, name);
      const ended = displaced === undefined ? [] : dropName(table, parent, name, displaced);
      table.putNode({ ...state, links: 1 });
      table.putChild(parent, name, node);
      return displaced === undefined ? none : { ended, anomaly: `node ${node} is created over node ${displaced}` };
    }
    case 'link': {
      const { node, parent, name } = body;
      const state = table.node(node);
      if (state === undefined || (state.nodeKind === 'directory')) return misfit(`a further name for node ${node}, which is unknown or a directory`);
      if (table.node(parent)?.nodeKind !== 'directory') return misfit(`a name in ${parent}, which is no directory`);
      const displaced = table.child(parent, name);
      if (displaced === node) return misfit(`node ${node} has that name already`);
      // Counted before anything is displaced: a displaced directory may hold the node's other names, and it must not end with them.
      table.putNode({ ...state, links: state.links + 1 });
      const ended = displaced === undefined ? [] : dropName(table, parent, name, displaced);
      table.putChild(parent, name, node);
      return displaced === undefined ? none : { ended, anomaly: `node ${node} is linked over node ${displaced}` };
    }
    case 'unlink': {
      const node = table.child(body.parent, body.name);
      if (node === undefined) return misfit(`a name that does not exist is removed from ${body.parent}`);
      const isFull = isFullDirectory(table, node);
      const ended = dropName(table, body.parent, body.name, node);
      return isFull ? { ended, anomaly: `directory ${node} is removed with what it holds` } : { ended };
    }
    case 'rename':
      return body.exchange ? exchange(table, body) : rename(table, body);
    case 'attributes': {
      const state = table.node(body.node);
      if (state === undefined) return misfit(`attributes of node ${body.node}, which is unknown`);
      const { mode = state.mode, uid = state.uid, gid = state.gid, modifyNs = state.modifyNs } = body;
      table.putNode({ ...state, mode, uid, gid, modifyNs });
      return none;
    }
    case 'xattr-set':
    case 'xattr-remove': {
      const state = table.node(body.node);
      if (state === undefined) return misfit(`extended attribute of node ${body.node}, which is unknown`);
      const xattrs = new Map(state.xattrs ?? []);
      if (body.kind === 'xattr-set') xattrs.set(body.key, body.value);
      else xattrs.delete(body.key);
      table.putNode({ ...state, xattrs });
      return none;
    }
    case 'write':
      return grow(table, body.node, body.offset + body.data.byteLength);
    case 'zero':
    case 'clone':
      return grow(table, body.node, body.offset + body.length);
    case 'punch':
      return grow(table, body.node, 0);
    case 'truncate': {
      const state = table.node(body.node);
      if (state?.nodeKind !== 'file') return misfit(`node ${body.node} is truncated, but is no known file`);
      table.putNode({ ...state, size: body.size });
      return none;
    }
    default:
      return none;
  }
}

/** The path of a node by one of its names, root first; undefined when it has none or hangs below nothing. */
export function pathOf(table: NamespaceTable, node: NodeId): Name[] | undefined {
  const path: Name[] = [];
  for (let at = node; at !== rootNode; ) {
    const [named] = table.names(at);
    if (named === undefined) return undefined;
    path.push(named.name);
    at = named.parent;
  }
  return path.reverse();
}

function grow(table: NamespaceTable, node: NodeId, end: number): NamespaceEffect {
  const state = table.node(node);
  if (state?.nodeKind !== 'file') return misfit(`content of node ${node}, which is no known file`);
  if (end > state.size) table.putNode({ ...state, size: end });
  return none;
}

function rename(table: NamespaceTable, body: ChangeBody & { kind: 'rename' }): NamespaceEffect {
  const { parent, name, toParent, toName } = body;
  const node = table.child(parent, name);
  if (node === undefined) return misfit(`a name that does not exist is renamed in ${parent}`);
  if (table.node(toParent)?.nodeKind !== 'directory') return misfit(`node ${node} is moved to ${toParent}, which is no directory`);
  if (isWithin(table, toParent, node)) return misfit(`directory ${node} is moved below itself`);
  const displaced = table.child(toParent, toName);
  // rename(2): two names of one node stay as they are.
  if (displaced === node) return none;
  const isFull = displaced !== undefined && isFullDirectory(table, displaced);
  // The old name goes first: were it inside a displaced directory, the node would end with that.
  table.dropChild(parent, name);
  const ended = displaced === undefined ? [] : dropName(table, toParent, toName, displaced);
  table.putChild(toParent, toName, node);
  return isFull ? { ended, anomaly: `node ${node} replaces directory ${displaced} with what it holds` } : { ended };
}

function exchange(table: NamespaceTable, body: ChangeBody & { kind: 'rename' }): NamespaceEffect {
  const { parent, name, toParent, toName } = body;
  const one = table.child(parent, name);
  const other = table.child(toParent, toName);
  if (one === undefined || other === undefined) return misfit('names are exchanged of which one does not exist');
  // Two names of one node, or one name twice: nothing would look different.
  if (one === other) return none;
  if (isWithin(table, toParent, one) || isWithin(table, parent, other)) return misfit('a directory is exchanged with what it holds');
  table.dropChild(parent, name);
  table.dropChild(toParent, toName);
  table.putChild(parent, name, other);
  table.putChild(toParent, toName, one);
  return none;
}

/** Removes one name; a node without names ends, a directory with everything in it. Returns what ended. */
function dropName(table: NamespaceTable, parent: NodeId, name: Name, node: NodeId): NodeId[] {
  const ended: NodeId[] = [];
  // A stack instead of recursion: trees may be deeper than the call stack.
  const stack: { parent: NodeId; name: Name; node: NodeId; opened: boolean }[] = [{ parent, name, node, opened: false }];
  for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
    const state = table.node(top.node);
    if (state?.nodeKind === 'directory' && !top.opened) {
      stack.push({ ...top, opened: true });
      for (const child of table.children(top.node)) stack.push({ ...child, opened: false });
      continue;
    }
    table.dropChild(top.parent, top.name);
    if (state !== undefined && state.links > 1) table.putNode({ ...state, links: state.links - 1 });
    else {
      table.dropNode(top.node);
      ended.push(top.node);
    }
  }
  return ended;
}

function isFullDirectory(table: NamespaceTable, node: NodeId): boolean {
  if (table.node(node)?.nodeKind !== 'directory') return false;
  for (const _ of table.children(node)) return true;
  return false;
}

/** Whether `node` is `ancestor` or lies below it. */
function isWithin(table: NamespaceTable, node: NodeId, ancestor: NodeId): boolean {
  for (let at: NodeId | undefined = node; at !== undefined && at !== rootNode; ) {
    if (at === ancestor) return true;
    const [named]: NamedNode[] = [...table.names(at)];
    at = named?.parent;
  }
  return ancestor === rootNode;
}
