/** Sets owner, mode, extended attributes and times of entries as the namespace has them, after content and names. */
import { rootNode, type NodeId } from '../../proto/change.js';
import { errorCode } from '../../proto/errors.js';
import { pathOf, type NodeState } from '../../proto/tree/namespace.js';
import type { Directory, EntryName, EntryStat } from '../../native/host/directory.js';
import { flagsKey } from '../../native/host/file-flags.js';
import { DivergenceError, isDiskFull, shownPath, type Deviations } from './divergence.js';
import { sameMark } from './node-row.js';
import type { Patience } from './patience.js';
import type { Places, Spot } from './places.js';
import type { SqliteNamespace } from './sqlite-namespace.js';
import type { Touched } from './touched.js';

export interface SettleOptions {
  readonly namespace: SqliteNamespace;
  readonly places: Places;
  readonly patience: Patience;
  readonly touched: Touched;
  readonly deviations: Deviations;
  readonly asRoot: boolean;
}

interface Target {
  readonly spot: Spot | { readonly directory: Directory; readonly node: NodeId; readonly name: undefined; release(): void };
  readonly state: NodeState;
  readonly stat: EntryStat;
}

/** Attribute bytes that a file system with small attribute blocks may refuse for want of space in the inode. */
const smallXattrBytes = 1024;
/** What the operating system keeps by itself and lets nobody remove. */
const systemKeys = ['security.selinux', 'security.ima', 'security.evm', 'com.apple.provenance'];
/** Neither set nor removed. Inode flags are the journal's to keep: they would lock the replica itself. */
const foreignKeys: ReadonlySet<string> = new Set([...systemKeys, flagsKey]);

/** Brings the metadata of all touched nodes in line; none is touched afterwards. */
export async function settle(options: SettleOptions): Promise<void> {
  const { namespace, touched } = options;
  // Loosening a directory to reach an entry touches it again, so directories come last, deepest first.
  while (touched.size > 0) {
    const directories: { node: NodeId; xattrs: boolean; depth: number }[] = [];
    for (const [node, xattrs] of touched.take()) {
      const state = namespace.node(node);
      if (state === undefined) continue;
      if (state.nodeKind === 'directory') directories.push({ node, xattrs, depth: depthOf(namespace, node) });
      else await settleNode(options, state, xattrs);
      touched.delete(node);
    }
    directories.sort((a, b) => b.depth - a.depth);
    for (const { node, xattrs } of directories) {
      const state = namespace.node(node);
      if (state !== undefined) await settleNode(options, state, xattrs);
      // What lies below may have touched it again meanwhile: that is settled with it.
      touched.delete(node);
    }
  }
}

function depthOf(namespace: SqliteNamespace, node: NodeId): number {
  return node === rootNode ? -1 : (pathOf(namespace, node)?.length ?? 0);
}

async function settleNode(options: SettleOptions, state: NodeState, xattrs: boolean): Promise<void> {
  const { namespace, places } = options;
  const { node } = state;
  const spot = node === rootNode ? { ...(await places.lease(node)), node, name: undefined } : await places.spot(node);
  try {
    const stat = spot.name === undefined ? await spot.directory.stat() : await places.permitted(spot, undefined, () => spot.directory.lookup(spot.name));
    const mark = namespace.mark(node);
    if (stat === undefined || mark === undefined || !sameMark(mark, stat)) {
      throw new DivergenceError(`${shownPath(pathOf(namespace, node))} is missing or another entry than the replica made`);
    }
    const target = { spot, state, stat };
    const owned = await setOwner(options, target);
    const attributed = xattrs || (state.xattrs?.size ?? 0) > 0 ? await setXattrs(options, target) : false;
    await setMode(options, target, owned || attributed);
    await setTimes(options, target);
  } finally {
    spot.release();
  }
}

async function setOwner(options: SettleOptions, target: Target): Promise<boolean> {
  const { state, stat } = target;
  if (stat.uid === state.uid && stat.gid === state.gid) return false;
  if (!options.asRoot) {
    options.deviations.note('(whole volume)', 'owners: the receiver does not run as root');
    return false;
  }
  return attempt(options, target, 'its owner', (directory, name) => directory.setOwnerAndMode(name, { uid: state.uid, gid: state.gid }));
}

async function setMode(options: SettleOptions, target: Target, always: boolean): Promise<void> {
  const { state, stat } = target;
  // Links have no mode of their own where it matters.
  if (state.nodeKind === 'symlink') return;
  if (!always && stat.mode === state.mode && !options.touched.has(state.node)) return;
  await attempt(options, target, `its mode 0${state.mode.toString(8)}`, (directory, name) => directory.setOwnerAndMode(name, { mode: state.mode }));
}

async function setTimes(options: SettleOptions, target: Target): Promise<void> {
  const { state, stat } = target;
  if (stat.modifyNs === state.modifyNs) return;
  await attempt(options, target, 'its time of modification', (directory, name) => directory.setTimes(name, { modifyNs: state.modifyNs }));
}

async function setXattrs(options: SettleOptions, target: Target): Promise<boolean> {
  const { namespace, places, deviations } = options;
  const { spot, state } = target;
  const entry = spot.name === undefined ? undefined : { name: spot.name, node: state.node };
  let found: Map<string, Buffer>;
  try {
    found = await places.permitted(spot, entry, () => spot.directory.xattrs(spot.name));
  } catch (error) {
    if (errorCode(error) !== 'EACCES') throw error;
    deviations.note(shownPath(pathOf(namespace, state.node)), 'extended attributes (EACCES)');
    return false;
  }
  let changed = false;
  for (const [key, value] of state.xattrs ?? []) {
    if (key === flagsKey || found.get(key)?.equals(value) === true) continue;
    changed = (await attempt(options, target, `extended attribute ${key}`, (directory, name) => directory.setXattr(name, key, value), value.byteLength)) || changed;
  }
  for (const key of found.keys()) {
    if (state.xattrs?.has(key) === true || foreignKeys.has(key)) continue;
    changed = (await attempt(options, target, `absence of extended attribute ${key}`, (directory, name) => directory.removeXattr(name, key))) || changed;
  }
  return changed;
}

/** Carries out one setting; where this machine refuses it, that is noted and not an error. */
async function attempt(options: SettleOptions, target: Target, what: string, set: (directory: Directory, name: EntryName | undefined) => Promise<void>, xattrBytes?: number): Promise<boolean> {
  const { namespace, places, patience, deviations } = options;
  const { spot, state } = target;
  const entry = spot.name === undefined ? undefined : { name: spot.name, node: state.node };
  const run = (): Promise<void> => places.permitted(spot, entry, () => set(spot.directory, spot.name));
  try {
    // A large attribute may never fit, however empty the disk is: waiting would be for ever.
    await (xattrBytes !== undefined && xattrBytes > smallXattrBytes ? run() : patience.run(run));
    return true;
  } catch (error) {
    const code = errorCode(error);
    const refused = ['EPERM', 'EACCES', 'ENOTSUP', 'EOPNOTSUPP', 'EINVAL', 'E2BIG', 'ERANGE', 'EOVERFLOW', 'ENODATA', 'EFTYPE', 'ENAMETOOLONG'].includes(code ?? '') || (xattrBytes !== undefined && isDiskFull(error));
    if (!refused) throw error;
    deviations.note(shownPath(pathOf(namespace, state.node)), `${what} (${code})`);
    return false;
  }
}
