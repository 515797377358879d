/** The agent's state in the words of the control protocol. */
import { X509Certificate } from 'node:crypto';
import type { Clock } from '../native/host/clock.js';
import { formatTime } from '../native/terminal/format.js';
import type { VolumeReport } from '../proto/wire/messages.js';
import type { SourceStatus } from './capture/change-source.js';
import type { AgentStatus, VolumeStatus } from './control/protocol.js';
import type { AgentIdentity } from './identity/state.js';
import type { AgentJournal } from './journal/journal.js';
import type { Protection } from './protection.js';
import type { Shipper } from './transport/shipper.js';

export interface StatusParts {
  readonly clock: Clock;
  readonly identity: AgentIdentity;
  readonly stateDirectory: string;
  readonly version: string;
  readonly startedNs: bigint;
  readonly spoolBytesMax: number;
  readonly journal: AgentJournal;
  readonly shipper: Shipper;
  readonly protection: Protection;
}

export function agentStatus(parts: StatusParts): AgentStatus {
  const { clock, identity, journal, shipper, protection } = parts;
  const position = journal.position;
  const { state, message, waitingFor } = journal.state;
  const volumes = protection.records.map((record) => volumeStatus(record, protection.status(record), notBegun(protection.failure(record))));
  const link = shipper.status;
  const lagNs = position.oldestUndurableNs === 0n ? 0n : clock.wallNs() - position.oldestUndurableNs;
  return {
    agent: {
      version: parts.version,
      pid: process.pid,
      started: formatTime(parts.startedNs),
      host: identity.name,
      receiver: identity.receiver,
      stateDirectory: parts.stateDirectory,
      certificateExpires: new Date(new X509Certificate(identity.certificatePem).validTo).toISOString(),
    },
    connection: { state: link.state, message: link.message, since: formatTime(link.sinceNs) },
    receiver: { state: link.receiver.state, message: link.receiver.message },
    journal: {
      state: waitingFor === undefined ? state : 'waiting',
      message: waitingFor === undefined ? message : `waiting for ${waitingFor}`,
      captured: position.capturedThrough.toString(),
      durable: position.durableThrough.toString(),
      applied: position.appliedThrough.toString(),
      lagSeconds: lagNs > 0n ? Number(lagNs / 1_000_000n) / 1000 : 0,
      lagBytes: position.undurableBytes,
      spoolBytes: position.spoolBytes,
      spoolBytesMax: parts.spoolBytesMax,
      ringBytes: Math.max(0, ...protection.records.map((record) => protection.status(record)?.ringBytes ?? 0)),
      gaps: volumes.reduce((sum, volume) => sum + volume.gaps, 0),
      shippedBytes: link.counters.shippedBytes,
      resentBytes: link.counters.resentBytes,
      reconnects: link.counters.reconnects,
    },
    memory: { residentBytes: process.memoryUsage.rss() },
    volumes,
  };
}

function volumeStatus(record: { name: string; path: string; kind: string; engine: string }, source: SourceStatus | undefined, causeNotBegun: string): VolumeStatus {
  const { name, kind, engine } = record;
  const path = Buffer.from(record.path, 'latin1').toString('utf8');
  if (source === undefined) {
    return { name, path, kind, engine, label: 'unknown', cause: causeNotBegun, settled: false, phase: 'starting', gaps: 0, pendingHints: 0, reports: [], reportCount: 0 };
  }
  const { label, cause, settled, phase, progress, gaps, pendingHints, lastScanNs, comparison, reports, reportCount } = source;
  return {
    name,
    path,
    kind,
    engine,
    label,
    cause,
    settled,
    phase,
    ...(progress === undefined ? {} : { progress }),
    gaps,
    pendingHints,
    ...(lastScanNs === undefined ? {} : { lastScan: formatTime(lastScanNs) }),
    ...(comparison === undefined ? {} : { comparison: { differences: comparison.differences, ...(comparison.endedNs === undefined ? {} : { ended: formatTime(comparison.endedNs) }) } }),
    reports,
    reportCount,
  };
}

function notBegun(failure: string | undefined): string {
  return failure === undefined ? 'capture has not begun' : `capture has not begun: ${failure}; trying again`;
}

/** What the agent tells the receiver of its volumes, about once a second. */
export function volumeReports(protection: Protection): VolumeReport[] {
  return protection.records.map((record) => {
    const source = protection.status(record);
    return {
      volume: record.volume,
      label: source?.label ?? 'unknown',
      cause: source?.cause ?? notBegun(protection.failure(record)),
      phase: source?.phase ?? 'starting',
      settled: source?.settled ?? false,
      gaps: source?.gaps ?? 0,
      reportCount: source?.reportCount ?? 0,
    };
  });
}
