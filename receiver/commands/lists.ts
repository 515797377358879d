/** The commands that list what there is: hosts, volumes, points, gaps, lag. */
import type { Command } from 'commander';
import { systemClock } from '../../native/host/clock.js';
import { systemFiles } from '../../native/host/files.js';
import { formatBytes, formatDuration, formatJson, formatTable, formatTime } from '../../native/terminal/format.js';
import { newCommand, withExamples } from '../../native/terminal/program.js';
import { UsageError } from '../../proto/errors.js';
import { frameBytesMax } from '../../proto/journal/layout.js';
import { DataDirectory } from '../data.js';
import { reserveOf } from '../ingest/space-guard.js';
import { describeLabel } from '../recovery/restore-source.js';
import type { HostRow } from '../store/access-tables.js';
import { withData, withFilters, withJson, type DataOption, type HostVolumeOption, type JsonOption } from './options.js';

function print(json: boolean | undefined, value: unknown, words: () => string): void {
  process.stdout.write(`${json === true ? formatJson(value) : words()}\n`);
}

export function hostsCommand(): Command {
  const command = withJson(withData(newCommand('hosts')))
    .description('list the enrolled hosts')
    .action(async (options: DataOption & JsonOption) => {
      await using data = await DataDirectory.open(options.data);
      const hosts = data.hosts().map((host) => ({ ...host, journal: host.journal.toString('hex'), lastSeen: host.lastSeenNs === undefined ? '' : formatTime(host.lastSeenNs) }));
      print(options.json, hosts, () => formatTable(['host', 'role', 'platform', 'agent', 'connected', 'last seen', 'journal'], hosts.map((host) => [host.name, host.role, host.platform, host.agentVersion, host.connected ? 'yes' : 'no', host.lastSeen || 'never', host.journal])));
    });
  return withExamples(command, 'afterimage-receiver hosts --data /var/lib/afterimage');
}

export function volumesCommand(): Command {
  const command = withFilters(newCommand('volumes'))
    .description('list the volumes of the hosts, live and retired, with the state of their replicas')
    .action(async (options: HostVolumeOption) => {
      await using data = await DataDirectory.open(options.data);
      const volumes = data.hosts(options.host).flatMap((host) => volumesOf(data, host)).filter((volume) => options.volume === undefined || volume.name === options.volume);
      if (options.volume !== undefined && volumes.length === 0) throw new UsageError(`no volume named ${options.volume}; "afterimage-receiver volumes --data ${options.data}" lists them`);
      print(options.json, volumes, () =>
        formatTable(['host', 'volume', 'path', 'engine', 'label', 'phase', 'applied', 'replica', 'since', 'retired'], volumes.map((volume) => [volume.host, volume.name, volume.path, volume.engine, volume.label, volume.phase, volume.applied, volume.replica, volume.defined, volume.retired || 'no'])),
      );
    });
  return withExamples(command, 'afterimage-receiver volumes --data /var/lib/afterimage --host web-1');
}

function volumesOf(data: DataDirectory, host: HostRow) {
  const { journals, state } = data.catalogue;
  const reports = new Map(state.volumeReports(host.journal).map((report) => [report.volume, report]));
  const replicas = new Map(state.replica(host.journal).map((replica) => [replica.volume, replica]));
  return journals.volumes(host.journal).map((volume) => {
    const report = reports.get(volume.volume);
    const replica = replicas.get(volume.volume);
    const isRetired = volume.retiredNs !== undefined;
    return {
      host: host.name,
      volume: volume.volume,
      name: volume.name,
      kind: volume.kind,
      path: Buffer.from(volume.path, 'latin1').toString('utf8'),
      engine: volume.engine,
      platform: volume.platform,
      defined: formatTime(volume.definedNs),
      retired: volume.retiredNs === undefined ? '' : formatTime(volume.retiredNs),
      label: isRetired ? 'retired' : (report?.label ?? 'unknown'),
      cause: report?.cause ?? '',
      phase: isRetired ? 'retired' : (report?.phase ?? 'unknown'),
      settled: report?.settled ?? false,
      problems: report?.reportCount ?? 0,
      applied: replica === undefined ? '0' : replica.appliedThrough.toString(),
      replica: replica?.state ?? 'none',
      replicaMessage: replica?.message ?? '',
    };
  });
}

export function pointsCommand(): Command {
  const command = withFilters(newCommand('points'))
    .description('show which instants of a volume can be restored, and how good they are')
    .action(async (options: HostVolumeOption) => {
      await using data = await DataDirectory.open(options.data);
      const found: PointRange[] = [];
      for (const host of data.hosts(options.host)) {
        const { timeline } = await data.view(host.name);
        for (const volume of timeline.volumes) {
          const { name } = volume.infoAt(volume.end);
          if (options.volume !== undefined && name !== options.volume) continue;
          const marks = volume.marks.map((mark) => ({ name: mark.name, sequence: mark.at.sequence, time: formatTime(mark.at.timeNs) }));
          const ranges = volume.ranges.map((range) => ({ from: formatTime(range.from.timeNs), fromSequence: range.from.sequence, to: range.to === undefined ? '' : formatTime(range.to.timeNs), label: range.label, settled: range.settled, phase: range.phase, cause: range.cause, words: describeLabel(range) }));
          found.push({ host: host.name, volume: name, ranges, marks });
        }
      }
      if (options.volume !== undefined && found.length === 0) throw new UsageError(`no volume named ${options.volume}; "afterimage-receiver volumes --data ${options.data}" lists them`);
      print(options.json, found, () => found.map(describePoints).join('\n\n'));
    });
  return withExamples(command, 'afterimage-receiver points --data /var/lib/afterimage --host web-1 --volume data');
}

interface PointRange {
  readonly host: string;
  readonly volume: string;
  readonly ranges: readonly { readonly from: string; readonly fromSequence: bigint; readonly to: string; readonly words: string }[];
  readonly marks: readonly { readonly name: string; readonly sequence: bigint; readonly time: string }[];
}

function describePoints({ host, volume, ranges, marks }: PointRange): string {
  const lines = [`${host} ${volume}`, formatTable(['from', 'to', 'label'], ranges.map(({ from, to, words }) => [from, to || 'now', words]))];
  if (marks.length > 0) lines.push(formatTable(['mark', 'sequence', 'time'], marks.map(({ name, sequence, time }) => [`mark:${name}`, sequence, time])));
  return lines.join('\n');
}

export function gapsCommand(): Command {
  const command = withFilters(newCommand('gaps'))
    .description('list the intervals that were not captured as they should be, with their cause')
    .action(async (options: HostVolumeOption) => {
      await using data = await DataDirectory.open(options.data);
      const gaps: { host: string; volume: string; label: string; cause: string; from: string; to: string }[] = [];
      for (const host of data.hosts(options.host)) {
        const { timeline } = await data.view(host.name);
        for (const volume of timeline.volumes) {
          const { name } = volume.infoAt(volume.end);
          if (options.volume !== undefined && name !== options.volume) continue;
          for (const gap of volume.gaps) gaps.push({ host: host.name, volume: name, label: gap.label, cause: gap.cause, from: formatTime(gap.fromNs), to: gap.closedAt === undefined ? '' : formatTime(gap.closedAt.timeNs) });
        }
      }
      print(options.json, gaps, () => (gaps.length === 0 ? 'no gaps are on record' : formatTable(['host', 'volume', 'label', 'from', 'to', 'cause'], gaps.map((gap) => [gap.host, gap.volume, gap.label, gap.from, gap.to || 'open', gap.cause]))));
    });
  return withExamples(command, 'afterimage-receiver gaps --data /var/lib/afterimage --host web-1');
}

export function lagCommand(): Command {
  const command = withFilters(newCommand('lag'))
    .description('show how far behind each host the receiver is, and each replica behind the receiver')
    .action(async (options: HostVolumeOption) => {
      await using data = await DataDirectory.open(options.data);
      const diskFull = await diskFullWords(data);
      const rows = data.hosts(options.host).map((host) => lagOf(data, host, diskFull));
      print(options.json, rows, () =>
        formatTable(['host', 'connected', 'state', 'lag', 'bytes', 'captured', 'durable', 'applied', 'last report', ''], rows.map((row) => [row.host, row.connected ? 'yes' : 'no', row.state, row.lagSeconds === undefined ? 'unknown' : formatDuration(row.lagSeconds * 1000), formatBytes(row.lagBytes), row.captured, row.durable, row.applied, row.reported || 'never', row.message])),
      );
    });
  return withExamples(command, 'afterimage-receiver lag --data /var/lib/afterimage', 'watch afterimage-receiver lag --data /var/lib/afterimage');
}

/** Looked at here as well: on a full disk the catalogue may have had no room to be told. */
async function diskFullWords(data: DataDirectory): Promise<string | undefined> {
  const space = await systemFiles.space(data.layout.journals).catch(() => undefined);
  if (space === undefined || space.freeBytes >= reserveOf(space.totalBytes) + frameBytesMax) return undefined;
  return `the receiver's disk is full: ${space.freeBytes} bytes are free`;
}

/** Agents report about once a second: what is older says nothing about now. */
const reportAgeSecondsMax = 10;

function lagOf(data: DataDirectory, host: HostRow, diskFull: string | undefined) {
  const ingest = data.catalogue.state.ingest(host.journal);
  const replicas = data.catalogue.state.replica(host.journal);
  const live = new Set(data.catalogue.journals.volumes(host.journal).filter((volume) => volume.retiredNs === undefined).map((volume) => volume.volume));
  const applied = replicas.filter((replica) => live.has(replica.volume)).reduce<bigint | undefined>((least, { appliedThrough }) => (least === undefined || appliedThrough < least ? appliedThrough : least), undefined);
  // Once something was not durable at the last report, its age grows until a report says otherwise.
  const isBehind = ingest !== undefined && ingest.oldestUndurableNs !== 0n && ingest.durableThrough < ingest.capturedThrough;
  const nowNs = systemClock.wallNs();
  const isFullUnsaid = diskFull !== undefined && ingest?.state === 'ok';
  const problems = [isFullUnsaid ? diskFull : (ingest?.message ?? ''), ...replicas.map((replica) => replica.message)].filter((text) => text !== '');
  const reportAgeSeconds = ingest === undefined ? 0 : Number((nowNs - ingest.reportedNs) / 1_000_000n) / 1000;
  return {
    host: host.name,
    connected: host.connected,
    state: isFullUnsaid ? 'disk-full' : (ingest?.state ?? 'never connected'),
    message: problems.join('; '),
    // A host that is away may have changes that nobody here knows of.
    lagSeconds: ingest === undefined || ingest.reportedNs === 0n ? undefined : isBehind ? Number((nowNs - ingest.oldestUndurableNs) / 1_000_000n) / 1000 : host.connected && reportAgeSeconds < reportAgeSecondsMax ? 0 : reportAgeSeconds,
    lagBytes: isBehind ? ingest.undurableBytes : 0,
    captured: (ingest?.capturedThrough ?? 0n).toString(),
    durable: (ingest?.durableThrough ?? 0n).toString(),
    applied: (applied ?? 0n).toString(),
    spoolBytes: ingest?.spoolBytes ?? 0,
    reported: ingest === undefined || ingest.reportedNs === 0n ? '' : formatTime(ingest.reportedNs),
  };
}
