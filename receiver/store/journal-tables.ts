/** Segments, volumes and control changes of each journal: a view of the segments, kept up with them step by step. */
import type { Database, Statement } from '../../native/host/database.js';
import { asSequence, asVolumeId, noSequence, type Change, type ChangeKind, type Engine, type Sequence, type TimeNs, type VolumeId, type VolumeKind } from '../../proto/change.js';
import type { JournalId } from '../../proto/journal/frame.js';
import { fromColumn, toColumn } from './catalogue-schema.js';
import { decodeControl, encodeControl, isCatalogued } from './control-changes.js';

export interface SegmentRow {
  readonly firstSequence: Sequence;
  readonly lastSequence: Sequence;
  readonly firstTimeNs: TimeNs;
  readonly lastTimeNs: TimeNs;
  /** Where the last known frame ends. */
  readonly framesBytes: number;
  readonly sealed: boolean;
}

export interface VolumeRow {
  readonly volume: VolumeId;
  readonly name: string;
  readonly kind: VolumeKind;
  readonly path: string;
  readonly engine: Engine;
  readonly platform: string;
  readonly definedSequence: Sequence;
  readonly definedNs: TimeNs;
  readonly retiredSequence: Sequence | undefined;
  readonly retiredNs: TimeNs | undefined;
}

/** A durable frame as the catalogue notes it. */
export interface FrameNote {
  readonly segment: Sequence;
  /** Where the frame ends in its segment. */
  readonly endOffset: number;
  readonly firstSequence: Sequence;
  readonly lastSequence: Sequence;
  readonly firstTimeNs: TimeNs;
  readonly lastTimeNs: TimeNs;
}

/** A stretch of a journal that follows what was catalogued before. */
export interface JournalStretch {
  readonly journal: JournalId;
  readonly frames: readonly FrameNote[];
  /** Its control changes; kinds that are not catalogued may be among them. */
  readonly control: readonly Change[];
}

type Row = Readonly<Record<string, unknown>>;
type Column = bigint | Buffer;

export class JournalTables {
  readonly #database: Database;
  readonly #putSegment: Statement;
  readonly #putControl: Statement;

  constructor(database: Database) {
    this.#database = database;
    this.#putSegment = database.prepare(`INSERT INTO segments (journal, first_sequence, last_sequence, first_ns, last_ns, frames_bytes, sealed) VALUES (?, ?, ?, ?, ?, ?, 0)
      ON CONFLICT (journal, first_sequence) DO UPDATE SET last_sequence = excluded.last_sequence, last_ns = excluded.last_ns, frames_bytes = excluded.frames_bytes`);
    this.#putControl = database.prepare('INSERT OR REPLACE INTO control_changes (journal, sequence, time_ns, volume, kind, change) VALUES (?, ?, ?, ?, ?, ?)');
  }

  /** Everything of a journal up to here is in these tables. */
  cataloguedThrough(journal: JournalId): Sequence {
    const row = this.#database.prepare('SELECT catalogued_through FROM journals WHERE journal = ?').get(journal) as Row | undefined;
    return row === undefined ? noSequence : asSequence(fromColumn(row['catalogued_through'] as Column));
  }

  /** Adds what follows `cataloguedThrough` (with `skips`: anything after it); false, and nothing added, when it does not follow. One transaction. */
  extend({ journal, frames, control }: JournalStretch, options: { readonly skips?: boolean } = {}): boolean {
    const first = frames[0];
    const last = frames[frames.length - 1];
    if (first === undefined || last === undefined) return true;
    return this.#database.transaction(() => {
      const through = this.cataloguedThrough(journal);
      const follows = options.skips === true ? first.firstSequence > through : first.firstSequence === through + 1n;
      if (!follows) return false;
      for (const note of oneEachSegment(frames)) {
        this.#putSegment.run(journal, toColumn(note.segment), toColumn(note.lastSequence), toColumn(note.firstTimeNs), toColumn(note.lastTimeNs), note.endOffset);
      }
      // A frame in a later segment says that the ones before it are sealed.
      this.#database.prepare('UPDATE segments SET sealed = 1 WHERE journal = ? AND first_sequence < ? AND sealed = 0').run(journal, toColumn(last.segment));
      for (const change of control) this.#addControl(journal, change);
      this.#database.prepare(`INSERT INTO journals (journal, catalogued_through, catalogued_ns) VALUES (?, ?, ?)
        ON CONFLICT (journal) DO UPDATE SET catalogued_through = excluded.catalogued_through, catalogued_ns = excluded.catalogued_ns`)
        .run(journal, toColumn(last.lastSequence), toColumn(last.lastTimeNs));
      return true;
    }).immediate();
  }

  /** Notes that segments found sealed are. */
  markSealed(journal: JournalId, segments: readonly Sequence[]): void {
    const mark = this.#database.prepare('UPDATE segments SET sealed = 1 WHERE journal = ? AND first_sequence = ? AND sealed = 0');
    this.#database.transaction(() => segments.forEach((segment) => mark.run(journal, toColumn(segment)))).immediate();
  }

  /** Forgets a journal, so that it can be catalogued anew. */
  forget(journal: JournalId): void {
    this.#database.transaction(() => {
      for (const table of ['journals', 'segments', 'volumes', 'control_changes']) this.#database.prepare(`DELETE FROM ${table} WHERE journal = ?`).run(journal);
    }).immediate();
  }

  journals(): JournalId[] {
    return (this.#database.prepare('SELECT journal FROM journals ORDER BY journal').all() as Row[]).map((row) => row['journal'] as Buffer);
  }

  segments(journal: JournalId): SegmentRow[] {
    const rows = this.#database.prepare('SELECT * FROM segments WHERE journal = ? ORDER BY first_sequence').all(journal) as Row[];
    return rows.map((row) => ({
      firstSequence: sequence(row['first_sequence']),
      lastSequence: sequence(row['last_sequence']),
      firstTimeNs: fromColumn(row['first_ns'] as Column),
      lastTimeNs: fromColumn(row['last_ns'] as Column),
      framesBytes: Number(row['frames_bytes']),
      sealed: row['sealed'] !== 0n,
    }));
  }

  volumes(journal: JournalId): VolumeRow[] {
    const rows = this.#database.prepare('SELECT * FROM volumes WHERE journal = ? ORDER BY volume').all(journal) as Row[];
    return rows.map((row) => ({
      volume: asVolumeId(Number(row['volume'])),
      name: row['name'] as string,
      kind: row['kind'] as VolumeKind,
      path: (row['path'] as Buffer).toString('latin1'),
      engine: row['engine'] as Engine,
      platform: row['platform'] as string,
      definedSequence: sequence(row['defined_sequence']),
      definedNs: fromColumn(row['defined_ns'] as Column),
      retiredSequence: row['retired_sequence'] === null ? undefined : sequence(row['retired_sequence']),
      retiredNs: row['retired_ns'] === null ? undefined : fromColumn(row['retired_ns'] as Column),
    }));
  }

  /** Control changes up to a sequence, in order; of one kind or one volume where asked. */
  controlChanges(journal: JournalId, options: { readonly through?: Sequence; readonly kind?: ChangeKind; readonly volume?: VolumeId } = {}): Change[] {
    const rows = this.#database.prepare(`SELECT sequence, time_ns, change FROM control_changes
      WHERE journal = ? AND sequence <= ? AND (? IS NULL OR kind = ?) AND (? IS NULL OR volume = ?) ORDER BY sequence`)
      .all(journal, toColumn(options.through ?? 2n ** 64n - 1n), options.kind ?? null, options.kind ?? null, options.volume ?? null, options.volume ?? null) as Row[];
    return rows.map((row) => decodeControl(row['change'] as Buffer, { sequence: sequence(row['sequence']), timeNs: fromColumn(row['time_ns'] as Column) }));
  }

  #addControl(journal: JournalId, change: Change): void {
    const { body } = change;
    if (!isCatalogued(body)) return;
    const at = toColumn(change.sequence);
    const timeNs = toColumn(change.timeNs);
    this.#putControl.run(journal, at, timeNs, change.volume, body.kind, encodeControl(change));
    if (body.kind === 'volume') {
      // A new definition of a volume keeps when it began, and revives it if it was retired.
      this.#database.prepare(`INSERT INTO volumes (journal, volume, name, kind, path, engine, platform, defined_sequence, defined_ns) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (journal, volume) DO UPDATE SET name = excluded.name, kind = excluded.kind, path = excluded.path, engine = excluded.engine, platform = excluded.platform, retired_sequence = NULL, retired_ns = NULL`)
        .run(journal, change.volume, body.name, body.volumeKind, Buffer.from(body.path, 'latin1'), body.engine, body.platform, at, timeNs);
    }
    if (body.kind === 'retired') this.#database.prepare('UPDATE volumes SET retired_sequence = ?, retired_ns = ? WHERE journal = ? AND volume = ?').run(at, timeNs, journal, change.volume);
  }
}

/** One note a segment: its first frame's beginning and its last frame's end. */
function oneEachSegment(frames: readonly FrameNote[]): FrameNote[] {
  const notes: FrameNote[] = [];
  for (const frame of frames) {
    const before = notes[notes.length - 1];
    if (before?.segment === frame.segment) notes[notes.length - 1] = { ...frame, firstSequence: before.firstSequence, firstTimeNs: before.firstTimeNs };
    else notes.push(frame);
  }
  return notes;
}

function sequence(value: unknown): Sequence {
  return asSequence(fromColumn(value as Column));
}
