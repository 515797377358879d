/** The commands that restore and verify points. */
import type { Command } from 'commander';
import { systemClock } from '../../native/host/clock.js';
import { formatBytes, formatJson, formatTime } from '../../native/terminal/format.js';
import { newCommand, shutdownSignal, withExamples } from '../../native/terminal/program.js';
import { showProgress } from '../../native/terminal/progress.js';
import { runRestore } from '../../native/terminal/restore.js';
import { withTarget, type TargetOptions } from '../../native/terminal/restore-options.js';
import { UsageError } from '../../proto/errors.js';
import { pathFromDisplay } from '../../proto/name.js';
import { DataDirectory, openPointOf } from '../data.js';
import { restoreItems } from '../recovery/restore-source.js';
import { verifyJournal, verifyPoint, type VerifyProgress, type VerifyResult } from '../recovery/verify.js';
import { noteAct } from './audit.js';
import { openShown } from './opened-point.js';
import { withFilters, withJson, withPoint, type HostVolumeOption, type PointOption } from './options.js';

type RestoreOptions = PointOption & TargetOptions;

export function restoreCommand(): Command {
  const command = withTarget(withJson(withPoint(newCommand('restore'))))
    .description('restore a volume, or parts of it, as it was')
    .action(async (options: RestoreOptions) => {
      await using data = await DataDirectory.open(options.data);
      const signal = shutdownSignal();
      const paths = options.path.map(pathFromDisplay);
      const { point, volume } = await openShown(data, options, signal);
      await using opened = point;
      const items = restoreItems({ point: opened, volume, paths, exactOnly: options.exactOnly === true, signal });
      const dryRun = options.dryRun === true;
      const report = await runRestore({ items, target: options.to, inPlace: options.inPlace === true, dryRun, json: options.json === true, sync: options.sync, paths, overwrite: options.yesOverwrite, partition: options.partition, signal });
      if (!dryRun) await noteAct(options.data, 'restore', { host: options.host, volume: options.volume, at: options.at, to: options.to, sequence: opened.sequence.toString(), entries: report.entries });
    });
  return withExamples(
    command,
    'afterimage-receiver restore --data /var/lib/afterimage --host web-1 --volume data --at 2026-03-01T12:30:00Z --to /srv/restored',
    'afterimage-receiver restore --data /var/lib/afterimage --host web-1 --volume data --at -10m --to /srv/data --in-place --dry-run',
    'afterimage-receiver restore --data /var/lib/afterimage --host web-1 --volume data --at mark:good --to /tmp/etc --path etc/nginx',
    'afterimage-receiver restore --data /var/lib/afterimage --host web-1 --volume disk --at -1h --to /dev/sdb --yes-overwrite /dev/sdb',
  );
}

export function verifyCommand(): Command {
  const command = withFilters(newCommand('verify'))
    .description('read everything again: checksums, the chain of digests, every change; or, with --at, all that one point needs')
    .option('--at <at>', 'verify this point of --volume only')
    .action(async (options: HostVolumeOption & { at?: string }) => {
      if (options.at !== undefined && (options.host === undefined || options.volume === undefined)) throw new UsageError('--at needs --host and --volume: a point is of one volume');
      await using data = await DataDirectory.open(options.data);
      const signal = shutdownSignal();
      const results: { host: string; result: VerifyResult }[] = [];
      for (const host of data.hosts(options.host)) {
        if (host.role !== 'host') continue;
        const view = await data.view(host.name);
        const known = view.timeline.named(options.volume ?? '');
        if (options.volume !== undefined && known.length === 0) throw new UsageError(`host ${host.name} has no volume named ${options.volume}`);
        const display = showProgress(`verify ${host.name}`, { quiet: options.json === true, monotonicMs: () => systemClock.monotonicMs() });
        const onProgress = ({ doneBytes, totalBytes, sequence, through }: VerifyProgress): void =>
          display.update({ doneBytes, totalBytes, ...(totalBytes > 0 ? {} : { doneEntries: Number(sequence), totalEntries: Number(through), unit: 'changes' }) });
        if (options.at === undefined) results.push({ host: host.name, result: await verifyJournal({ reader: view.reader, timeline: view.timeline, signal, onProgress }) });
        else {
          await using point = (await openPointOf(view, { volume: options.volume!, at: options.at })).point;
          results.push({ host: host.name, result: await verifyPoint({ reader: view.reader, point, signal, onProgress }) });
        }
        display.end();
      }
      process.stdout.write(`${options.json === true ? formatJson(results) : results.map(describeResult).join('\n') || 'there is nothing to verify'}\n`);
      if (results.some(({ result }) => result.damageCount > 0)) process.exitCode = 1;
    });
  return withExamples(command, 'afterimage-receiver verify --data /var/lib/afterimage', 'afterimage-receiver verify --data /var/lib/afterimage --host web-1 --volume data --at -1d');
}

function describeResult({ host, result }: { host: string; result: VerifyResult }): string {
  const lines = [`${host}: ${result.frames} frames, ${result.changes} changes, ${formatBytes(result.bytes)}, through seq:${result.through}: ${result.damageCount === 0 ? 'no damage' : `${result.damageCount} damaged places`}`];
  for (const damage of result.damage) {
    const place = damage.segment === undefined ? 'somewhere' : `segment ${damage.segment}${damage.offset === undefined ? '' : `, offset ${damage.offset}`}`;
    const span = damage.sequences === undefined ? '' : `; sequences ${damage.sequences.first} to ${damage.sequences.last} are lost`;
    const from = damage.fromNs === undefined ? '' : `; instants from ${formatTime(damage.fromNs)} on need them`;
    lines.push(`  ${place}: ${damage.fault}${span}${from}; volumes ${damage.volumes.join(', ') || 'unknown'}${damage.files.count === 0 ? '' : `; ${damage.files.count} files: ${damage.files.first.join(', ')}`}`);
  }
  return lines.join('\n');
}
