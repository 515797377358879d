/** The capture index: what the journal holds of each volume, as rows; the only place that speaks SQL. */
import { openDatabase, type Database } from '../../../native/host/database.js';
import { asSequence, type NodeKind, type Sequence } from '../../../proto/change.js';
import { chunkBytes, HashChunk } from './block-hash.js';
import { prepareSchema } from './index-schema.js';
import { RowCache } from './row-cache.js';

/** One node as the journal holds it, and the inode that it was last seen as. */
export interface NodeRow {
  readonly node: number;
  readonly kind: NodeKind;
  readonly links: number;
  /** Bytes of content in the journal. */
  readonly size: number;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  /** Nanoseconds; empty when a change since may have set another. */
  readonly modifyNs: string;
  /** Null when the inode is not known: the node came from a replayed journal. */
  readonly identity: string | null;
  /** Null when the content and metadata must be compared again. */
  readonly signature: string | null;
  /** Wall-clock milliseconds after which the content is compared once more; 0 for never. */
  readonly verifyAfterMs: number;
  readonly target: Buffer | null;
  readonly device: string | null;
  readonly xattrs: string | null;
}

export interface ChildRow extends NodeRow {
  readonly name: string;
}

export interface LinkRow {
  readonly parent: number;
  readonly name: string;
}

export interface VolumeRow {
  readonly nextNode: number;
  readonly nextGap: number;
  readonly baseline: 'none' | 'begun' | 'done';
  readonly knownThroughNs: bigint | undefined;
  readonly settledNs: bigint | undefined;
  readonly rootDevice: string | null;
}

export interface OpenGap {
  readonly gap: number;
  readonly label: 'converging' | 'unknown';
  readonly cause: string;
  readonly sinceNs: bigint;
}

type Columns = Record<string, unknown>;

const nodeColumns =
  'n.node, n.kind, n.links, n.size, n.mode, n.uid, n.gid, n.modify_ns AS modifyNs, n.identity, n.signature, n.verify_after_ms AS verifyAfterMs, n.target, n.device, n.xattrs';

/** A chunk takes 8 KiB. */
const cachedNodesMax = 16_384;
const cachedChunksMax = 1024;

/**
 * Rows of nodes and hashes are written back at a commit: many small writes to one file change the same
 * rows. What asks SQL about them in other ways has them written first.
 */
export class CaptureIndex {
  readonly #database: Database;
  readonly #nodes = new RowCache<NodeRow>({
    read: (volume, node) => this.#readNode(volume, node),
    write: (volume, node, _part, row) => this.#writeNode(volume, node, row),
    copy: (row) => row,
    rowsMax: cachedNodesMax,
  });
  /** Chunks that kept what others were before a batch: their memory is used again. */
  readonly #spareChunks: HashChunk[] = [];
  readonly #chunks = new RowCache<HashChunk>({
    read: (volume, node, chunk) => this.#readChunk(volume, node, chunk),
    write: (volume, node, chunk, hashes) => this.#writeChunk(volume, node, chunk, hashes),
    copy: (hashes) => hashes.copy(this.#spareChunks.pop()),
    discard: (hashes) => {
      if (this.#spareChunks.length < cachedChunksMax) this.#spareChunks.push(hashes);
    },
    rowsMax: cachedChunksMax,
  });
  #namesIndexed = false;

  constructor(path: string) {
    this.#database = openDatabase(path);
    prepareSchema(this.#database, path);
  }

  close(): void {
    this.#database.close();
  }

  // Transactions: one outer per commit to disk, one savepoint per batch offered to the journal.

  begin(): void {
    this.#database.exec('BEGIN IMMEDIATE; SAVEPOINT batch');
  }
  keepBatch(): void {
    this.#nodes.keep();
    this.#chunks.keep();
    this.#run('RELEASE batch');
    this.#run('SAVEPOINT batch');
  }
  dropBatch(): void {
    this.#nodes.drop();
    this.#chunks.drop();
    this.#database.exec('ROLLBACK TO batch');
  }
  commit(): void {
    this.#nodes.writeBack();
    this.#chunks.writeBack();
    this.#nodes.keep();
    this.#chunks.keep();
    this.#database.exec('RELEASE batch; COMMIT');
  }
  /** Undoes everything since the last commit. */
  abandon(): void {
    this.#nodes.abandon();
    this.#chunks.abandon();
    if (this.#database.inTransaction) this.#database.exec('ROLLBACK');
  }

  committedThrough(): Sequence {
    const row = this.#get("SELECT value FROM state WHERE key = 'committedThrough'") as { value: string } | undefined;
    return asSequence(BigInt(row?.value ?? '0'));
  }
  setCommittedThrough(through: Sequence): void {
    this.#run("INSERT OR REPLACE INTO state VALUES ('committedThrough', ?)", String(through));
  }

  // Volumes.

  volume(volume: number): VolumeRow | undefined {
    const row = this.#get('SELECT * FROM volumes WHERE volume = ?', volume) as Columns | undefined;
    if (row === undefined) return undefined;
    const time = (value: unknown): bigint | undefined => (value === null ? undefined : BigInt(value as string));
    return {
      nextNode: row['next_node'] as number,
      nextGap: row['next_gap'] as number,
      baseline: row['baseline'] as VolumeRow['baseline'],
      knownThroughNs: time(row['known_through_ns']),
      settledNs: time(row['settled_ns']),
      rootDevice: row['root_device'] as string | null,
    };
  }
  volumes(): number[] {
    return (this.#all('SELECT volume FROM volumes') as { volume: number }[]).map((row) => row.volume);
  }
  /** A volume of which the journal holds nothing yet but an empty root. */
  addVolume(volume: number): void {
    this.#run("INSERT INTO volumes VALUES (?, 2, 1, 'none', NULL, NULL, NULL)", volume);
    this.#run("INSERT INTO nodes VALUES (?, 1, 'directory', 1, 0, -1, -1, -1, '', NULL, NULL, 0, NULL, NULL, NULL)", volume);
  }
  removeVolume(volume: number): void {
    this.#nodes.forget();
    this.#chunks.forget();
    for (const table of ['volumes', 'nodes', 'links', 'hashes', 'gaps']) this.#run(`DELETE FROM ${table} WHERE volume = ?`, volume);
    this.#run('DELETE FROM state WHERE key = ?', `compared/${volume}`);
  }
  /** Removes the rows of a range of nodes, as a part of removing their volume. */
  removeNodes(volume: number, from: number, to: number): void {
    this.#nodes.forget();
    this.#chunks.forget();
    this.#run('DELETE FROM links WHERE volume = ? AND parent >= ? AND parent < ?', volume, from, to);
    this.#run('DELETE FROM hashes WHERE volume = ? AND node >= ? AND node < ?', volume, from, to);
    this.#run('DELETE FROM nodes WHERE volume = ? AND node >= ? AND node < ?', volume, from, to);
  }
  setBaseline(volume: number, baseline: VolumeRow['baseline']): void {
    this.#run('UPDATE volumes SET baseline = ? WHERE volume = ?', baseline, volume);
  }
  setKnownThrough(volume: number, timeNs: bigint): void {
    this.#run('UPDATE volumes SET known_through_ns = ? WHERE volume = ?', String(timeNs), volume);
  }
  setSettled(volume: number, timeNs: bigint): void {
    this.#run('UPDATE volumes SET settled_ns = ? WHERE volume = ?', String(timeNs), volume);
  }
  /** When all of the volume was last compared and found to be what the journal has: the start of that. */
  comparedNs(volume: number): bigint | undefined {
    const row = this.#get('SELECT value FROM state WHERE key = ?', `compared/${volume}`) as { value: string } | undefined;
    return row === undefined ? undefined : BigInt(row.value);
  }
  setCompared(volume: number, timeNs: bigint): void {
    this.#run('INSERT OR REPLACE INTO state VALUES (?, ?)', `compared/${volume}`, String(timeNs));
  }
  setRootDevice(volume: number, device: string): void {
    this.#run('UPDATE volumes SET root_device = ? WHERE volume = ?', device, volume);
  }
  /** Node numbers from `node` on have not been used. */
  raiseNextNode(volume: number, node: number): void {
    this.#run('UPDATE volumes SET next_node = max(next_node, ?) WHERE volume = ?', node, volume);
  }
  openGap(volume: number, { gap, label, cause, sinceNs }: OpenGap): void {
    this.#run('INSERT OR REPLACE INTO gaps VALUES (?, ?, ?, ?, ?)', volume, gap, label, cause, String(sinceNs));
    this.#run('UPDATE volumes SET next_gap = max(next_gap, ?) WHERE volume = ?', gap + 1, volume);
  }
  closeGap(volume: number, gap: number): void {
    this.#run('DELETE FROM gaps WHERE volume = ? AND gap = ?', volume, gap);
  }
  openGaps(volume: number): OpenGap[] {
    const rows = this.#all('SELECT gap, label, cause, since_ns AS sinceNs FROM gaps WHERE volume = ? ORDER BY gap', volume) as (Omit<OpenGap, 'sinceNs'> & { sinceNs: string })[];
    return rows.map((row) => ({ ...row, sinceNs: BigInt(row.sinceNs) }));
  }

  // Nodes.

  node(volume: number, node: number): NodeRow | undefined {
    return this.#nodes.get(volume, node);
  }
  #readNode(volume: number, node: number): NodeRow | undefined {
    return this.#get(`SELECT ${nodeColumns} FROM nodes n WHERE n.volume = ? AND n.node = ?`, volume, node) as NodeRow | undefined;
  }
  nodeByIdentity(volume: number, identity: string): NodeRow | undefined {
    this.#nodes.writeBack();
    return this.#get(`SELECT ${nodeColumns} FROM nodes n WHERE n.volume = ? AND n.identity = ?`, volume, identity) as NodeRow | undefined;
  }
  /** The next nodes after one, by number. */
  nodesAfter(volume: number, node: number, limit: number): NodeRow[] {
    this.#nodes.writeBack();
    return this.#all(`SELECT ${nodeColumns} FROM nodes n WHERE n.volume = ? AND n.node > ? ORDER BY n.node LIMIT ?`, volume, node, limit) as NodeRow[];
  }
  insertNode(volume: number, row: Omit<NodeRow, 'links' | 'size' | 'identity' | 'signature' | 'verifyAfterMs'>): void {
    this.#run(
      'INSERT INTO nodes VALUES (?, ?, ?, 0, 0, ?, ?, ?, ?, NULL, NULL, 0, ?, ?, ?)',
      volume, row.node, row.kind, row.mode, row.uid, row.gid, row.modifyNs, row.target, row.device, row.xattrs,
    );
  }
  deleteNode(volume: number, node: number): void {
    this.#nodes.forgetParts(volume, node);
    this.#chunks.forgetParts(volume, node);
    this.#run('DELETE FROM nodes WHERE volume = ? AND node = ?', volume, node);
    this.#run('DELETE FROM hashes WHERE volume = ? AND node = ?', volume, node);
  }
  /** Content changed: the time of that is not known until it is recorded. */
  setSize(volume: number, node: number, size: number): void {
    const row = this.#nodes.get(volume, node);
    // Nearly always so while a file is being written.
    if (row === undefined || (row.size === size && row.modifyNs === '' && row.signature === null)) return;
    this.#alter(volume, node, { size, modifyNs: '', signature: null });
  }
  setAttributes(volume: number, node: number, row: Pick<NodeRow, 'mode' | 'uid' | 'gid' | 'modifyNs'>): void {
    this.#alter(volume, node, { ...row, signature: null });
  }
  setXattrs(volume: number, node: number, xattrs: string | null): void {
    this.#nodes.release(volume, node);
    this.#run('UPDATE nodes SET xattrs = ?, signature = NULL WHERE volume = ? AND node = ?', xattrs, volume, node);
  }
  /** Says which inode the node is; another node that was thought to be it is so no longer. */
  setIdentity(volume: number, node: number, identity: string | null): void {
    // Another node may lose the identity: which one is not known here.
    this.#nodes.forget();
    if (identity !== null) this.#run('UPDATE nodes SET identity = NULL, signature = NULL WHERE volume = ? AND identity = ? AND node <> ?', volume, identity, node);
    this.#run('UPDATE nodes SET identity = ? WHERE volume = ? AND node = ?', identity, volume, node);
  }
  setSignature(volume: number, node: number, signature: string | null, verifyAfterMs: number): void {
    this.#nodes.release(volume, node);
    this.#run('UPDATE nodes SET signature = ?, verify_after_ms = ? WHERE volume = ? AND node = ?', signature, verifyAfterMs, volume, node);
  }
  /** A node may change, or have changed, without a sign of it in size and times: later looks have to read it. */
  distrust(volume: number, node: number): void {
    if (typeof this.#nodes.get(volume, node)?.signature === 'string') this.#alter(volume, node, { signature: null });
  }
  /** Forgets which inodes the nodes are, as after a root was replaced: they are found again by name. */
  forgetIdentities(volume: number): void {
    this.#nodes.forget();
    this.#run('UPDATE nodes SET identity = NULL, signature = NULL WHERE volume = ?', volume);
  }
  countNodes(volume: number): number {
    return (this.#get('SELECT count(*) AS count FROM nodes WHERE volume = ?', volume) as { count: number }).count;
  }

  // Names.

  childNode(volume: number, parent: number, name: string): number {
    const row = this.#get('SELECT node FROM links WHERE volume = ? AND parent = ? AND name = ?', volume, parent, bytes(name)) as { node: number } | undefined;
    return row?.node ?? 0;
  }
  child(volume: number, parent: number, name: string): ChildRow | undefined {
    this.#nodes.writeBack();
    const row = this.#get(
      `SELECT ${nodeColumns} FROM links l JOIN nodes n ON n.volume = l.volume AND n.node = l.node WHERE l.volume = ? AND l.parent = ? AND l.name = ?`,
      volume, parent, bytes(name),
    ) as NodeRow | undefined;
    return row === undefined ? undefined : { ...row, name };
  }
  /** Nodes that have a name, wherever it is: `countMax` of them at most. Makes an index for that when it is first asked. */
  nodesNamed(volume: number, name: string, countMax: number): NodeRow[] {
    this.#nodes.writeBack();
    if (!this.#namesIndexed) this.#database.exec('CREATE INDEX IF NOT EXISTS links_name ON links (name)');
    this.#namesIndexed = true;
    return this.#all(
      `SELECT ${nodeColumns} FROM links l JOIN nodes n ON n.volume = l.volume AND n.node = l.node WHERE l.name = ? AND l.volume = ? LIMIT ?`,
      bytes(name), volume, countMax,
    ) as NodeRow[];
  }
  /** The next children after a name, in bytewise order. */
  children(volume: number, parent: number, after: string, limit: number): ChildRow[] {
    this.#nodes.writeBack();
    const rows = this.#all(
      `SELECT l.name AS nameBytes, ${nodeColumns} FROM links l JOIN nodes n ON n.volume = l.volume AND n.node = l.node
       WHERE l.volume = ? AND l.parent = ? AND l.name > ? ORDER BY l.name LIMIT ?`,
      volume, parent, bytes(after), limit,
    ) as (NodeRow & { nameBytes: Buffer })[];
    return rows.map(({ nameBytes, ...row }) => ({ ...row, name: nameBytes.toString('latin1') }));
  }
  linksOf(volume: number, node: number): LinkRow[] {
    const rows = this.#all('SELECT parent, name FROM links WHERE volume = ? AND node = ?', volume, node) as { parent: number; name: Buffer }[];
    return rows.map((row) => ({ parent: row.parent, name: row.name.toString('latin1') }));
  }
  insertLink(volume: number, parent: number, name: string, node: number): void {
    this.#run('INSERT INTO links VALUES (?, ?, ?, ?)', volume, parent, bytes(name), node);
    this.#touchDirectory(volume, parent);
    this.#addLinks(volume, node, 1);
  }
  deleteLink(volume: number, parent: number, name: string, node: number): void {
    this.#run('DELETE FROM links WHERE volume = ? AND parent = ? AND name = ?', volume, parent, bytes(name));
    this.#touchDirectory(volume, parent);
    this.#addLinks(volume, node, -1);
  }

  /** Entries changed, and with them the directory's time, in the replica too: it is to be recorded again. */
  #touchDirectory(volume: number, directory: number): void {
    this.#alter(volume, directory, { modifyNs: '', signature: null });
  }

  // Hashes.

  /** Not to be altered. */
  chunk(volume: number, node: number, chunk: number): HashChunk | undefined {
    return this.#chunks.get(volume, node, chunk);
  }
  /** To be altered in place at once; undefined when all of it is holes. */
  alterChunk(volume: number, node: number, chunk: number): HashChunk | undefined {
    return this.#chunks.alter(volume, node, chunk);
  }
  setChunk(volume: number, node: number, chunk: number, hashes: HashChunk): void {
    this.#chunks.set(volume, node, chunk, hashes);
  }
  #readChunk(volume: number, node: number, chunk: number): HashChunk | undefined {
    const row = this.#get('SELECT digests FROM hashes WHERE volume = ? AND node = ? AND chunk = ?', volume, node, chunk) as { digests: Buffer } | undefined;
    return row === undefined ? undefined : new HashChunk(row.digests);
  }
  #writeChunk(volume: number, node: number, chunk: number, hashes: HashChunk): void {
    const stored = hashes.stored();
    if (stored.byteLength === 0) this.#run('DELETE FROM hashes WHERE volume = ? AND node = ? AND chunk = ?', volume, node, chunk);
    else this.#run('INSERT OR REPLACE INTO hashes VALUES (?, ?, ?, ?)', volume, node, chunk, stored);
  }
  /** The chunks of a range of bytes that hold anything but holes. */
  chunksWithin(volume: number, node: number, offset: number, end: number): number[] {
    this.#chunks.writeBack();
    const rows = this.#all(
      'SELECT chunk FROM hashes WHERE volume = ? AND node = ? AND chunk >= ? AND chunk < ? ORDER BY chunk',
      volume, node, Math.floor(offset / chunkBytes), Math.ceil(end / chunkBytes),
    ) as { chunk: number }[];
    return rows.map((row) => row.chunk);
  }
  deleteChunksFrom(volume: number, node: number, chunk: number): void {
    this.#chunks.forgetParts(volume, node, chunk);
    this.#run('DELETE FROM hashes WHERE volume = ? AND node = ? AND chunk >= ?', volume, node, chunk);
  }

  // Altered in memory.

  #alter(volume: number, node: number, change: Partial<NodeRow>): void {
    const row = this.#nodes.get(volume, node);
    if (row !== undefined) this.#nodes.set(volume, node, 0, { ...row, ...change });
  }
  #addLinks(volume: number, node: number, count: number): void {
    const row = this.#nodes.get(volume, node);
    if (row !== undefined) this.#alter(volume, node, { links: row.links + count });
  }
  #writeNode(volume: number, node: number, { links, size, mode, uid, gid, modifyNs, signature }: NodeRow): void {
    this.#run(
      'UPDATE nodes SET links = ?, size = ?, mode = ?, uid = ?, gid = ?, modify_ns = ?, signature = ? WHERE volume = ? AND node = ?',
      links, size, mode, uid, gid, modifyNs, signature, volume, node,
    );
  }

  #get(sql: string, ...values: unknown[]): unknown {
    return this.#database.prepare(sql).get(...values);
  }
  #all(sql: string, ...values: unknown[]): unknown[] {
    return this.#database.prepare(sql).all(...values);
  }
  #run(sql: string, ...values: unknown[]): void {
    this.#database.prepare(sql).run(...values);
  }
}

function bytes(name: string): Buffer {
  return Buffer.from(name, 'latin1');
}
