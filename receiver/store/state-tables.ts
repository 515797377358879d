/** What hosts and replicas said last: where lag is read from. Lost without harm: the next report brings it again. */
import type { Database } from '../../native/host/database.js';
import { asSequence, asVolumeId, type Sequence, type TimeNs, type VolumeId } from '../../proto/change.js';
import type { JournalId } from '../../proto/journal/frame.js';
import type { Report, VolumeReport } from '../../proto/wire/messages.js';
import { fromColumn, toColumn } from './catalogue-schema.js';

export interface IngestState {
  readonly state: string;
  readonly message: string;
  readonly durableThrough: Sequence;
  /** Time of the last durable change. */
  readonly durableNs: TimeNs;
  readonly capturedThrough: Sequence;
  readonly capturedNs: TimeNs;
  readonly oldestUndurableNs: TimeNs;
  readonly undurableBytes: number;
  readonly spoolBytes: number;
  /** When the receiver had the last report; 0 for never. */
  readonly reportedNs: TimeNs;
  readonly updatedNs: TimeNs;
}

export interface ReplicaState {
  readonly volume: VolumeId;
  readonly appliedThrough: Sequence;
  readonly state: string;
  readonly message: string;
  readonly updatedNs: TimeNs;
}

type Row = Readonly<Record<string, unknown>>;
type Column = bigint | Buffer;

export class StateTables {
  readonly #database: Database;

  constructor(database: Database) {
    this.#database = database;
  }

  ingest(journal: JournalId): IngestState | undefined {
    const row = this.#database.prepare('SELECT * FROM ingest_state WHERE journal = ?').get(journal) as Row | undefined;
    if (row === undefined) return undefined;
    const u64 = (column: string): bigint => fromColumn(row[column] as Column);
    return {
      state: row['state'] as string,
      message: row['message'] as string,
      durableThrough: asSequence(u64('durable_through')),
      durableNs: u64('durable_ns'),
      capturedThrough: asSequence(u64('captured_through')),
      capturedNs: u64('captured_ns'),
      oldestUndurableNs: u64('oldest_undurable_ns'),
      undurableBytes: Number(row['undurable_bytes']),
      spoolBytes: Number(row['spool_bytes']),
      reportedNs: u64('reported_ns'),
      updatedNs: u64('updated_ns'),
    };
  }

  putDurable(journal: JournalId, { through, timeNs, nowNs }: { readonly through: Sequence; readonly timeNs: TimeNs; readonly nowNs: TimeNs }): void {
    this.#database.prepare(`INSERT INTO ingest_state (journal, durable_through, durable_ns, updated_ns) VALUES (?, ?, ?, ?)
      ON CONFLICT (journal) DO UPDATE SET durable_through = excluded.durable_through, durable_ns = excluded.durable_ns, updated_ns = excluded.updated_ns`)
      .run(journal, toColumn(through), toColumn(timeNs), toColumn(nowNs));
  }

  putState(journal: JournalId, { state, message, nowNs }: { readonly state: string; readonly message: string; readonly nowNs: TimeNs }): void {
    this.#database.prepare(`INSERT INTO ingest_state (journal, state, message, updated_ns) VALUES (?, ?, ?, ?)
      ON CONFLICT (journal) DO UPDATE SET state = excluded.state, message = excluded.message, updated_ns = excluded.updated_ns`)
      .run(journal, state, message, toColumn(nowNs));
  }

  putReport(journal: JournalId, report: Report, nowNs: TimeNs): void {
    this.#database.transaction(() => {
      this.#database.prepare(`INSERT INTO ingest_state (journal, captured_through, captured_ns, oldest_undurable_ns, undurable_bytes, spool_bytes, reported_ns, updated_ns) VALUES (?, ?, ?, ?, ?, ?, ?, ?)
        ON CONFLICT (journal) DO UPDATE SET captured_through = excluded.captured_through, captured_ns = excluded.captured_ns, oldest_undurable_ns = excluded.oldest_undurable_ns,
          undurable_bytes = excluded.undurable_bytes, spool_bytes = excluded.spool_bytes, reported_ns = excluded.reported_ns, updated_ns = excluded.updated_ns`)
        .run(journal, toColumn(report.capturedThrough), toColumn(report.capturedTimeNs), toColumn(report.oldestUndurableNs), report.undurableBytes, report.spoolBytes, toColumn(nowNs), toColumn(nowNs));
      // A report names every volume that the host has: what it leaves out is gone.
      this.#database.prepare('DELETE FROM volume_reports WHERE journal = ?').run(journal);
      const put = this.#database.prepare('INSERT OR REPLACE INTO volume_reports (journal, volume, label, cause, phase, settled, gaps, report_count, updated_ns) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)');
      for (const { volume, label, cause, phase, settled, gaps, reportCount } of report.volumes) put.run(journal, volume, label, cause, phase, settled ? 1 : 0, gaps, reportCount, toColumn(nowNs));
    }).immediate();
  }

  volumeReports(journal: JournalId): VolumeReport[] {
    const rows = this.#database.prepare('SELECT * FROM volume_reports WHERE journal = ? ORDER BY volume').all(journal) as Row[];
    return rows.map((row) => ({
      volume: asVolumeId(Number(row['volume'])),
      label: row['label'] as string,
      cause: row['cause'] as string,
      phase: row['phase'] as string,
      settled: row['settled'] !== 0n,
      gaps: Number(row['gaps']),
      reportCount: Number(row['report_count']),
    }));
  }

  putReplica(journal: JournalId, state: ReplicaState): void {
    this.#database.prepare('INSERT OR REPLACE INTO replica_state (journal, volume, applied_through, state, message, updated_ns) VALUES (?, ?, ?, ?, ?, ?)')
      .run(journal, state.volume, toColumn(state.appliedThrough), state.state, state.message, toColumn(state.updatedNs));
  }

  replica(journal: JournalId): ReplicaState[] {
    const rows = this.#database.prepare('SELECT * FROM replica_state WHERE journal = ? ORDER BY volume').all(journal) as Row[];
    return rows.map((row) => ({
      volume: asVolumeId(Number(row['volume'])),
      appliedThrough: asSequence(fromColumn(row['applied_through'] as Column)),
      state: row['state'] as string,
      message: row['message'] as string,
      updatedNs: fromColumn(row['updated_ns'] as Column),
    }));
  }
}
