/** One file system with exactly captured volumes on it: which node an inode is, and the names that wait for their calls. */
import type { HandleAccess } from '../../../native/capture/handles.js';
import type { InodeKey, NameStream } from '../../../native/capture/names.js';
import { asNodeId, type NodeId } from '../../../proto/change.js';
import { inodeIdentity } from '../tree/seen.js';
import type { ExactVolume } from './exact-volume.js';
import { nameBits, NameQueue, type NameQueueState } from './name-queue.js';

export interface FoundNode {
  readonly volume: ExactVolume;
  readonly node: number;
  /** The same as the journal names it. */
  readonly id: NodeId;
}

interface CachedInode extends FoundNode {
  readonly generation: number;
  readonly tree: bigint;
}

export interface FileSystemState {
  readonly device: number;
  readonly queue: NameQueueState;
  readonly incompleteSinceNs: bigint | undefined;
  readonly drainedNs: bigint;
}

const cachedInodesMax = 65_536;
const otherThreadsMax = 1024;

export class FileSystem implements Disposable {
  /** st_dev of the superblock, as records carry it. */
  readonly device: number;
  readonly names: NameStream;
  readonly handles: HandleAccess;
  readonly queue = new NameQueue();
  readonly volumes = new Set<ExactVolume>();
  readonly #isOwnThread: (tid: number) => boolean;
  /** Threads of others. That a thread is our own is asked each time: when it ends, its number may become another's, whose events count. */
  readonly #otherThreads = new Set<number>();
  readonly #inodes = new Map<bigint, CachedInode>();
  /** Since when names are missing from the queue (CLOCK_MONOTONIC): the kernel lost some, or there were too many to be kept. */
  incompleteSinceNs: bigint | undefined;
  #drainedNs = 0n;

  constructor(device: number, { names, handles, isOwnThread }: { readonly names: NameStream; readonly handles: HandleAccess; readonly isOwnThread: (tid: number) => boolean }) {
    this.#isOwnThread = isOwnThread;
    this.device = device;
    this.names = names;
    this.handles = handles;
  }

  /** For a later engine to go on with. */
  get state(): FileSystemState {
    return { device: this.device, queue: this.queue.state, incompleteSinceNs: this.incompleteSinceNs, drainedNs: this.#drainedNs };
  }
  restore({ queue, incompleteSinceNs, drainedNs }: FileSystemState): void {
    this.queue.restore(queue);
    this.incompleteSinceNs = incompleteSinceNs;
    this.#drainedNs = drainedNs;
  }

  /** The volume and node of an inode; undefined when it is in none, as far as the models tell. */
  find(inode: InodeKey): FoundNode | undefined {
    const cached = this.#inodes.get(inode.ino);
    if (cached !== undefined) {
      if (cached.generation === inode.generation && cached.tree === inode.tree && cached.volume.index.node(cached.volume.definition.volume, cached.node) !== undefined) return cached;
      this.#inodes.delete(inode.ino);
    }
    for (const volume of this.volumes) {
      if (volume.root.tree !== inode.tree) continue;
      const row = volume.index.nodeByIdentity(volume.definition.volume, inodeIdentity(inode));
      if (row === undefined) continue;
      if (this.#inodes.size >= cachedInodesMax) this.#inodes.clear();
      const found = { volume, node: row.node, id: asNodeId(BigInt(row.node)), generation: inode.generation, tree: inode.tree };
      this.#inodes.set(inode.ino, found);
      return found;
    }
    return undefined;
  }

  /** The same in every volume that has a name of the inode. */
  findAll(inode: InodeKey): readonly FoundNode[] {
    if (this.volumes.size === 1) {
      const only = this.find(inode);
      return only === undefined ? [] : [only];
    }
    return [...this.volumes].flatMap((volume) => {
      const row = volume.root.tree === inode.tree ? volume.index.nodeByIdentity(volume.definition.volume, inodeIdentity(inode)) : undefined;
      return row === undefined ? [] : [{ volume, node: row.node, id: asNodeId(BigInt(row.node)) }];
    });
  }

  /** What was known of inodes may no longer hold: rows were rolled back, or a volume went. */
  forgetInodes(): void {
    this.#inodes.clear();
  }

  /** Whether an inode that is not known may be in a volume all the same. */
  get isPartial(): boolean {
    for (const volume of this.volumes) if (volume.isPartial) return true;
    return false;
  }

  /**
   * Takes over what fanotify has queued; tells which known nodes had their metadata changed. The stream is
   * applied up to `streamNs`.
   */
  drain(nowNs: bigint, streamNs: bigint, foreign = false): void {
    for (const event of this.names.drain()) {
      // What this process does itself is none of the volumes' business, and has no records.
      if (!foreign && this.#isOwn(event.tid)) continue;
      if (event.isOverflow) this.incompleteSinceNs ??= this.#drainedNs;
      if ((event.mask & nameBits.attributes) !== 0) {
        const inode = event.target ?? (event.name === undefined || event.name.length === 0 ? event.directory : undefined);
        for (const { volume, node } of inode === undefined ? [] : this.findAll(inode)) volume.look(node);
      }
      this.queue.add(event, nowNs);
    }
    this.#drainedNs = nowNs;
    if (!this.queue.isTooLong) return;
    this.queue.clear();
    this.incompleteSinceNs ??= streamNs;
  }

  #isOwn(tid: number): boolean {
    if (this.#otherThreads.has(tid)) return false;
    if (this.#isOwnThread(tid)) return true;
    if (this.#otherThreads.size >= otherThreadsMax) this.#otherThreads.clear();
    this.#otherThreads.add(tid);
    return false;
  }

  [Symbol.dispose](): void {
    this.names[Symbol.dispose]();
    this.handles[Symbol.dispose]();
  }
}
