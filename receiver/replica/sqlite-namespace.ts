/** A replica's namespace in SQLite: names, metadata, and where each node's entry is on disk. */
import type { Database, Statement } from '../../native/host/database.js';
import type { NodeId } from '../../proto/change.js';
import type { Name } from '../../proto/name.js';
import type { NamedNode, NamespaceTable, NodeState } from '../../proto/tree/namespace.js';
import { fromStored, toStored } from './databases.js';
import { decodeNode, encodeNode, nodeColumns, ownState, sameMark, type DiskMark, type NodeRow, type ReplicaNode } from './node-row.js';

interface CachedNode extends ReplicaNode {
  dirty: boolean;
}

interface NameRow {
  readonly parent: bigint;
  readonly name: Buffer;
  readonly node: bigint;
}

const schema = `
  CREATE TABLE IF NOT EXISTS nodes (
    node INTEGER PRIMARY KEY, kind INTEGER NOT NULL, mode INTEGER NOT NULL, uid INTEGER NOT NULL, gid INTEGER NOT NULL,
    modify_ns INTEGER NOT NULL, size INTEGER NOT NULL, links INTEGER NOT NULL, device_major INTEGER, device_minor INTEGER,
    target BLOB, xattrs BLOB, ino INTEGER, birth_ns INTEGER, staged INTEGER NOT NULL
  );
  CREATE TABLE IF NOT EXISTS names (
    parent INTEGER NOT NULL, name BLOB NOT NULL, node INTEGER NOT NULL, present INTEGER NOT NULL, PRIMARY KEY (parent, name)
  ) WITHOUT ROWID;
  CREATE INDEX IF NOT EXISTS names_by_node ON names (node);
  CREATE TABLE IF NOT EXISTS facts (key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID;
`;

/** Whether a name has an entry on disk: it has; it is to get one; this file system cannot hold it. */
const presence = { absent: 0, present: 1, awaited: 2 } as const;

/** Rows read at a time: an open cursor would keep the database from being written. */
const pageRows = 256;

/**
 * Node ids are unsigned 64-bit and stored as the signed integer of the same bits; names as their
 * bytes, which SQLite orders bytewise. All changes are part of one open transaction until `commit`;
 * nodes are written back from a cache, names at once.
 *
 * A name is *present* when it has an entry in the replica's tree; a name that this file system cannot
 * hold is not. A node none of whose names is present is *staged*: its entry is in the staging directory.
 */
export class SqliteNamespace implements NamespaceTable {
  readonly #database: Database;
  readonly #cache = new Map<NodeId, CachedNode>();
  readonly #dirty = new Set<CachedNode>();
  readonly #cacheNodesMax: number;
  readonly #statements: ReturnType<typeof prepareStatements>;
  #droppedStaged: NodeId[] = [];
  #unnamed = new Set<NodeId>();
  #newPresence: number = presence.present;

  /** Makes the tables when they are missing, and begins a transaction. */
  constructor(database: Database, options: { readonly cacheNodesMax?: number } = {}) {
    this.#database = database;
    this.#cacheNodesMax = options.cacheNodesMax ?? 65536;
    database.exec(schema);
    this.#statements = prepareStatements(database);
    database.exec('BEGIN');
  }

  node(node: NodeId): NodeState | undefined {
    return this.#find(node)?.state;
  }

  putNode(state: NodeState): void {
    const known = this.#find(state.node);
    if (known === undefined) this.#keep({ state: ownState(state), mark: undefined, staged: false, dirty: false }, true);
    else {
      known.state = ownState(state);
      this.#soil(known);
    }
  }

  dropNode(node: NodeId): void {
    const known = this.#find(node);
    if (known === undefined) return;
    if (known.staged) this.#droppedStaged.push(node);
    this.#cache.delete(node);
    this.#dirty.delete(known);
    this.#statements.dropNode.run(toStored(node));
  }

  child(parent: NodeId, name: Name): NodeId | undefined {
    const found = this.#statements.child.get(toStored(parent), nameKey(name));
    return found === undefined ? undefined : (fromStored(found.node) as NodeId);
  }

  putChild(parent: NodeId, name: Name, node: NodeId): void {
    this.#statements.putName.run(toStored(parent), nameKey(name), toStored(node), this.#newPresence);
  }

  dropChild(parent: NodeId, name: Name): void {
    const found = this.#statements.child.get(toStored(parent), nameKey(name));
    if (found === undefined) return;
    this.#statements.dropName.run(toStored(parent), nameKey(name));
    // A node with further names may be left with none that is present.
    if (found.present !== 0n) {
      const node = fromStored(found.node) as NodeId;
      if ((this.node(node)?.links ?? 0) > 1) this.#unnamed.add(node);
    }
  }

  *children(parent: NodeId, after?: Name): Iterable<NamedNode> {
    const key = toStored(parent);
    let last = after === undefined ? Buffer.alloc(0) : nameKey(after);
    for (;;) {
      const rows = this.#statements.children.all(key, last, pageRows);
      for (const row of rows) yield namedNode(row);
      if (rows.length < pageRows) return;
      last = rows[rows.length - 1]!.name;
    }
  }

  *names(node: NodeId): Iterable<NamedNode> {
    for (const row of this.#statements.names.all(toStored(node))) yield namedNode(row);
  }

  /** One name of the node that has an entry in the tree, other than `beside`. */
  presentName(node: NodeId, beside?: { readonly parent: NodeId; readonly name: Name }): NamedNode | undefined {
    const row = beside === undefined ? this.#statements.presentName.get(toStored(node)) : this.#statements.presentNameBeside.get(toStored(node), toStored(beside.parent), nameKey(beside.name));
    return row === undefined ? undefined : namedNode(row);
  }

  isPresent(parent: NodeId, name: Name): boolean {
    return this.#statements.child.get(toStored(parent), nameKey(name))?.present === 1n;
  }

  /** Notes that a name has its entry now. */
  setPresent(parent: NodeId, name: Name): void {
    if (!this.isPresent(parent, name)) this.#statements.setPresence.run(presence.present, toStored(parent), nameKey(name));
  }

  /** Notes that a name has no entry and cannot have one. */
  setAbsent(parent: NodeId, name: Name): void {
    this.#statements.setPresence.run(presence.absent, toStored(parent), nameKey(name));
  }

  /** Notes that a name has no entry yet. */
  setAwaited(parent: NodeId, name: Name): void {
    this.#statements.setPresence.run(presence.awaited, toStored(parent), nameKey(name));
  }

  /** Whether a name may have an entry: false when this file system cannot hold it. */
  isRepresentable(parent: NodeId, name: Name): boolean {
    return this.#statements.child.get(toStored(parent), nameKey(name))?.present !== BigInt(presence.absent);
  }

  /** While true, names that are put are awaited: the disk is brought to them later, and not at once. */
  set disksLater(later: boolean) {
    this.#newPresence = later ? presence.awaited : presence.present;
  }

  mark(node: NodeId): DiskMark | undefined {
    return this.#find(node)?.mark;
  }

  setMark(node: NodeId, mark: DiskMark): void {
    this.#change(node, (known) => (known.mark = mark));
  }

  isStaged(node: NodeId): boolean {
    return this.#find(node)?.staged === true;
  }

  setStaged(node: NodeId, staged: boolean): void {
    this.#change(node, (known) => (known.staged = staged));
  }

  /** Staged nodes that were dropped since the last call. */
  takeDroppedStaged(): NodeId[] {
    const taken = this.#droppedStaged;
    if (taken.length > 0) this.#droppedStaged = [];
    return taken;
  }

  /** Nodes that live on but lost, since the last call, the last name that was present. */
  takeUnplaced(): NodeId[] {
    if (this.#unnamed.size === 0) return [];
    const candidates = [...this.#unnamed];
    this.#unnamed = new Set();
    return candidates.filter((node) => this.#find(node)?.staged === false && this.presentName(node) === undefined);
  }

  /** From now on nodes can be found by their marks, until `endSearch`. Marks set later are not found. */
  beginSearch(): void {
    this.flush();
    this.#database.exec('CREATE INDEX IF NOT EXISTS nodes_by_ino ON nodes (ino)');
  }

  endSearch(): void {
    this.#database.exec('DROP INDEX IF EXISTS nodes_by_ino');
  }

  byMark(mark: DiskMark): NodeId | undefined {
    for (const row of this.#statements.byIno.all(toStored(mark.ino))) {
      const node = fromStored(row.node) as NodeId;
      const known = this.mark(node);
      if (known !== undefined && sameMark(known, mark)) return node;
    }
    return undefined;
  }

  /** Nodes whose entries are in the staging directory, or were never made. */
  stagedOrUnmade(): NodeId[] {
    this.flush();
    return this.#statements.unplaced.all().map((row) => fromStored(row.node) as NodeId);
  }

  clearStaged(): void {
    this.flush();
    this.#cache.clear();
    this.#database.exec('UPDATE nodes SET staged = 0 WHERE staged <> 0');
  }

  fact(key: string): string | undefined {
    return this.#statements.fact.get(key)?.value;
  }

  setFact(key: string, value: string): void {
    this.#statements.setFact.run(key, value);
  }

  /** Writes cached nodes to the database; still part of the transaction. */
  flush(): void {
    for (const known of this.#dirty) this.#write(known);
    this.#dirty.clear();
  }

  /** Makes everything up to now durable and begins the next transaction. */
  commit(): void {
    this.flush();
    this.#database.exec('COMMIT');
    this.#database.exec('BEGIN');
  }

  /** Undoes everything since the last commit; nothing can be read or changed afterwards. */
  abandon(): void {
    this.#cache.clear();
    this.#dirty.clear();
    if (this.#database.open && this.#database.inTransaction) this.#database.exec('ROLLBACK');
  }

  #find(node: NodeId): CachedNode | undefined {
    const cached = this.#cache.get(node);
    if (cached !== undefined) {
      // The order of insertion is the order of last use.
      this.#cache.delete(node);
      this.#cache.set(node, cached);
      return cached;
    }
    const row = this.#statements.node.get(toStored(node));
    if (row === undefined) return undefined;
    return this.#keep({ ...decodeNode(row), dirty: false }, false);
  }

  #keep(known: CachedNode, dirty: boolean): CachedNode {
    this.#cache.set(known.state.node, known);
    if (dirty) this.#soil(known);
    if (this.#cache.size > this.#cacheNodesMax) {
      const [oldest] = this.#cache;
      const [node, evicted] = oldest!;
      this.#cache.delete(node);
      if (this.#dirty.delete(evicted)) this.#write(evicted);
    }
    return known;
  }

  #change(node: NodeId, change: (known: CachedNode) => void): void {
    const known = this.#find(node);
    if (known === undefined) return;
    change(known);
    this.#soil(known);
  }

  #soil(known: CachedNode): void {
    if (known.dirty) return;
    known.dirty = true;
    this.#dirty.add(known);
  }

  #write(known: CachedNode): void {
    known.dirty = false;
    this.#statements.putNode.run(...encodeNode(known));
  }
}

function prepareStatements(database: Database) {
  const prepare = <Row>(source: string): Statement<unknown[], Row> => database.prepare<unknown[], Row>(source);
  const values = nodeColumns.map(() => '?').join(', ');
  return {
    node: prepare<NodeRow>(`SELECT ${nodeColumns.join(', ')} FROM nodes WHERE node = ?`),
    putNode: prepare(`INSERT OR REPLACE INTO nodes (${nodeColumns.join(', ')}) VALUES (${values})`),
    dropNode: prepare('DELETE FROM nodes WHERE node = ?'),
    child: prepare<{ node: bigint; present: bigint }>('SELECT node, present FROM names WHERE parent = ? AND name = ?'),
    putName: prepare('INSERT OR REPLACE INTO names (parent, name, node, present) VALUES (?, ?, ?, ?)'),
    dropName: prepare('DELETE FROM names WHERE parent = ? AND name = ?'),
    setPresence: prepare('UPDATE names SET present = ? WHERE parent = ? AND name = ?'),
    // No name is empty, so every name is greater than the empty one.
    children: prepare<NameRow>('SELECT parent, name, node FROM names WHERE parent = ? AND name > ? ORDER BY name LIMIT ?'),
    names: prepare<NameRow>('SELECT parent, name, node FROM names WHERE node = ?'),
    presentName: prepare<NameRow>('SELECT parent, name, node FROM names WHERE node = ? AND present = 1 LIMIT 1'),
    presentNameBeside: prepare<NameRow>('SELECT parent, name, node FROM names WHERE node = ? AND present = 1 AND NOT (parent = ? AND name = ?) LIMIT 1'),
    byIno: prepare<{ node: bigint }>('SELECT node FROM nodes WHERE ino = ?'),
    unplaced: prepare<{ node: bigint }>('SELECT node FROM nodes WHERE staged <> 0 OR ino IS NULL'),
    fact: prepare<{ value: string }>('SELECT value FROM facts WHERE key = ?'),
    setFact: prepare('INSERT OR REPLACE INTO facts (key, value) VALUES (?, ?)'),
  };
}

function nameKey(name: Name): Buffer {
  return Buffer.from(name, 'latin1');
}

function namedNode(row: NameRow): NamedNode {
  return { parent: fromStored(row.parent) as NodeId, name: row.name.toString('latin1') as Name, node: fromStored(row.node) as NodeId };
}
