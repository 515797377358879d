/** The command that serves a point of a device volume as a block device. */
import type { Command } from 'commander';
import { systemClock } from '../../native/host/clock.js';
import { systemFiles } from '../../native/host/files.js';
import { formatBytes, formatJson, formatTime } from '../../native/terminal/format.js';
import { newCommand, shutdownSignal, withExamples } from '../../native/terminal/program.js';
import { rootNode } from '../../proto/change.js';
import { errorCode, UsageError } from '../../proto/errors.js';
import { parseListen } from '../config.js';
import { DataDirectory } from '../data.js';
import { Overlay } from '../nbd/overlay.js';
import type { BlockSource } from '../nbd/parts.js';
import { NbdServer, uriOf, type ListenPlace } from '../nbd/server.js';
import { RandomReader } from '../recovery/random-reader.js';
import { describeLabel } from '../recovery/restore-source.js';
import { noteAct } from './audit.js';
import { openShown, sayLabel } from './opened-point.js';
import { openLogger, withJson, withLogLevel, withPoint, type LogLevelOption, type PointOption } from './options.js';

interface NbdOptions extends PointOption, LogLevelOption {
  readonly listen: string;
  readonly writableOverlay?: string;
}

const listenDefault = '127.0.0.1:10809';

export function nbdCommand(): Command {
  const command = withLogLevel(withJson(withPoint(newCommand('nbd'))), 'warn')
    .description('serve a device volume as it was as a block device (NBD), until interrupted')
    .option('--listen <place>', 'HOST:PORT, or the path of a UNIX socket, which only this user can open', listenDefault)
    .option('--writable-overlay <file>', 'let clients write, into this new file, which is thrown away at the end; without it they can only read')
    .action(async (options: NbdOptions) => {
      const logger = openLogger(options.logLevel);
      const listen = parsePlace(options.listen);
      await using data = await DataDirectory.open(options.data);
      await refuseTree(data, options);
      const signal = shutdownSignal();
      const { view, point } = await openShown(data, options, signal);
      await using opened = point;
      if (opened.info.volumeKind === 'tree') throw treeError(options.volume);
      sayLabel(opened);
      const name = opened.info.name;
      const sizeBytes = (await opened.stat([]))!.size;
      const reader = new RandomReader({ point: opened, reader: view.reader, node: rootNode, sizeBytes });
      await using overlay = options.writableOverlay === undefined ? undefined : await createOverlay(reader, options.writableOverlay);
      const label = describeLabel(opened.label);
      const description = `${name} of ${options.host} at ${formatTime(opened.timeNs)}, seq:${opened.sequence}, ${label}`;
      await using server = await NbdServer.listen({ exported: { name, description, ...(overlay === undefined ? { device: reader } : { device: overlay, target: overlay }) }, listen, clock: systemClock, logger });
      const uri = uriOf(server.place, name);
      await noteAct(options.data, 'nbd', { host: options.host, volume: options.volume, at: options.at, sequence: opened.sequence.toString(), listen: uri, writable: overlay !== undefined });
      const answer = { export: name, sizeBytes, writable: overlay !== undefined, uri, point: { sequence: opened.sequence, time: formatTime(opened.timeNs), ...opened.label } };
      process.stdout.write(options.json === true ? `${formatJson(answer)}\n` : `serving ${description}, ${formatBytes(sizeBytes)}, ${overlay === undefined ? 'read-only' : 'writable'}: ${uri}\n`);
      await new Promise<void>((resolve) => {
        if (signal.aborted) resolve();
        else signal.addEventListener('abort', () => resolve(), { once: true });
      });
    });
  command.addHelpText('after', '\nClients are neither asked who they are nor is anything encrypted (no TLS): listen on a UNIX socket or on the\nloopback address, and reach it from elsewhere through a tunnel.');
  return withExamples(
    command,
    'afterimage-receiver nbd --data /var/lib/afterimage --host web-1 --volume disk --at -10m',
    'afterimage-receiver nbd --data /var/lib/afterimage --host web-1 --volume disk --at mark:good --listen /run/disk.sock',
    'afterimage-receiver nbd --data /var/lib/afterimage --host web-1 --volume disk --at latest --writable-overlay /var/tmp/disk.overlay',
    'nbdinfo nbd://127.0.0.1:10809/disk',
    'nbdcopy nbd://127.0.0.1:10809/disk /srv/disk.img',
    'qemu-img convert -O qcow2 nbd://127.0.0.1:10809/disk /srv/disk.qcow2',
    'nbd-client -N disk 127.0.0.1 /dev/nbd0',
  );
}

function parsePlace(text: string): ListenPlace {
  return text.includes('/') ? { path: text } : parseListen(text);
}

/** Before the journal is read, which may take long. */
async function refuseTree(data: DataDirectory, { host, volume }: NbdOptions): Promise<void> {
  const { timeline } = await data.view(host);
  // One that is not there is refused, with what is there, when the point is opened.
  const known = timeline.named(volume);
  if (known.length > 0 && known.every(({ definitions }) => definitions.every(({ definition }) => definition.volumeKind === 'tree'))) throw treeError(volume);
}

function treeError(volume: string): UsageError {
  return new UsageError(`${volume} is a tree of files and no device: bring it back with "afterimage-receiver restore", or read one file of it with "afterimage-receiver cat"`);
}

async function createOverlay(below: BlockSource, path: string): Promise<Overlay> {
  try {
    return await Overlay.create({ below, files: systemFiles, path });
  } catch (error) {
    if (errorCode(error) === 'EEXIST') throw new UsageError(`${path} exists; name a file that does not: it is thrown away at the end`);
    throw error;
  }
}
