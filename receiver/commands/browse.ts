/** The commands that look into a point without restoring it: ls, stat, cat, diff. */
import type { Command } from 'commander';
import { flagNames, flagsKey } from '../../native/host/file-flags.js';
import { formatJson, formatTable, formatTime } from '../../native/terminal/format.js';
import { newCommand, withExamples } from '../../native/terminal/program.js';
import { UsageError } from '../../proto/errors.js';
import { displayName, displayPath, pathFromDisplay, type Name } from '../../proto/name.js';
import type { NodeState } from '../../proto/tree/namespace.js';
import { DataDirectory, openPointOf } from '../data.js';
import { diffPoints, type DiffEntry } from '../recovery/diff.js';
import { describeLabel } from '../recovery/restore-source.js';
import type { Point } from '../recovery/point.js';
import { sayLabel } from './opened-point.js';
import { atWords, withData, withJson, withPoint, type DataOption, type JsonOption, type PointOption } from './options.js';

const pageEntries = 1000;

/** What a path names. A device is one image; what its file system holds shows only where that is mounted. */
async function found(point: Point, path: string): Promise<NodeState> {
  const where = pathFromDisplay(path);
  if (point.info.volumeKind === 'device' && where.length > 0) {
    throw new UsageError(`"${point.info.name}" is a block device, which has no paths; restore with --path takes files out of its file system, and "afterimage-receiver nbd" connects it as a disk`);
  }
  const state = await point.stat(where);
  if (state === undefined) throw new UsageError(`${path} did not exist then`);
  return state;
}

/** The image of a device volume has no metadata of its own. */
function describeImage({ info }: Point, state: NodeState) {
  return { name: info.name, kind: 'device', size: state.size };
}

function describeNode(name: string, state: NodeState) {
  const flags = state.xattrs?.get(flagsKey);
  const xattrs = [...(state.xattrs ?? [])].filter(([key]) => key !== flagsKey);
  return {
    name,
    kind: state.nodeKind,
    mode: state.mode.toString(8).padStart(4, '0'),
    uid: state.uid,
    gid: state.gid,
    size: state.size,
    modified: formatTime(state.modifyNs),
    node: state.node,
    links: state.links,
    ...(state.target === undefined ? {} : { target: displayName(state.target.toString('latin1') as Name) }),
    ...(state.device === undefined ? {} : { device: `${state.device.major}:${state.device.minor}` }),
    ...(flags === undefined ? {} : { flags: flagNames(flags) }),
    ...(xattrs.length === 0 ? {} : { xattrs: Object.fromEntries(xattrs.map(([key, value]) => [key, value.toString('base64')])) }),
  };
}

export function lsCommand(): Command {
  const command = withJson(withPoint(newCommand('ls')))
    .description('list a directory as it was')
    .argument('[path]', 'directory below the volume\'s root', '.')
    .action(async (path: string, options: PointOption) => {
      await using data = await DataDirectory.open(options.data);
      const { point } = await data.point(options);
      await using opened = point;
      sayLabel(opened);
      const state = await found(opened, path);
      if (opened.info.volumeKind === 'device') {
        const image = describeImage(opened, state);
        return void process.stdout.write(`${options.json === true ? formatJson([image]) : formatTable(['kind', 'size', 'name'], [[image.kind, image.size, image.name]])}\n`);
      }
      const rows = state.nodeKind === 'directory' ? await listAll(opened, pathFromDisplay(path)) : [describeNode(path, state)];
      if (options.json === true) process.stdout.write(`${formatJson(rows)}\n`);
      else process.stdout.write(`${formatTable(['kind', 'mode', 'uid', 'gid', 'size', 'modified', 'name'], rows.map((row) => [row.kind, row.mode, row.uid, row.gid, row.size, row.modified, row.target === undefined ? row.name : `${row.name} -> ${row.target}`]))}\n`);
    });
  return withExamples(command, 'afterimage-receiver ls --data /var/lib/afterimage --host web-1 --volume data --at -2h', 'afterimage-receiver ls --data /var/lib/afterimage --host web-1 --volume data --at latest etc/nginx');
}

async function listAll(point: Point, path: readonly Name[]) {
  const rows = [];
  let after: Name | undefined;
  for (;;) {
    const page = await point.list(path, { limit: pageEntries, ...(after === undefined ? {} : { after }) });
    for (const { name, state } of page?.entries ?? []) rows.push(describeNode(displayName(name), state));
    after = page?.entries.at(-1)?.name;
    if (page === undefined || !page.more || after === undefined) return rows;
  }
}

export function statCommand(): Command {
  const command = withJson(withPoint(newCommand('stat')))
    .description('show everything about one entry as it was')
    .argument('[path]', 'entry below the volume\'s root', '.')
    .action(async (path: string, options: PointOption) => {
      await using data = await DataDirectory.open(options.data);
      const { point } = await data.point(options);
      await using opened = point;
      const state = await found(opened, path);
      const value = { ...(opened.info.volumeKind === 'device' ? describeImage(opened, state) : describeNode(path, state)), point: { sequence: opened.sequence, time: formatTime(opened.timeNs), ...opened.label } };
      if (options.json === true) process.stdout.write(`${formatJson(value)}\n`);
      else process.stdout.write(`${Object.entries({ ...value, point: `seq:${opened.sequence}, ${formatTime(opened.timeNs)}, ${describeLabel(opened.label)}` }).map(([key, entry]) => `${key}: ${typeof entry === 'object' ? formatJson(entry) : String(entry)}`).join('\n')}\n`);
    });
  return withExamples(command, 'afterimage-receiver stat --data /var/lib/afterimage --host web-1 --volume data --at -1d etc/passwd');
}

export function catCommand(): Command {
  const command = withPoint(newCommand('cat'))
    .description('write a file as it was to standard output')
    .argument('[path]', 'file below the volume\'s root; none for the image of a device volume', '.')
    .action(async (path: string, options: PointOption) => {
      await using data = await DataDirectory.open(options.data);
      const { point } = await data.point(options);
      await using opened = point;
      sayLabel(opened);
      const { node, nodeKind } = await found(opened, path);
      if (nodeKind !== 'file') throw new UsageError(`${path} is no file but a ${nodeKind}`);
      for await (const part of opened.readNode(node)) {
        if (!process.stdout.write(part)) await new Promise<void>((resolve) => process.stdout.once('drain', resolve));
      }
    });
  return withExamples(command, 'afterimage-receiver cat --data /var/lib/afterimage --host web-1 --volume data --at -1d etc/passwd', 'afterimage-receiver cat --data /var/lib/afterimage --host web-1 --volume disk --at -1d > disk.img');
}

export function diffCommand(): Command {
  const command = withJson(withData(newCommand('diff')))
    .requiredOption('--host <name>', 'whose journal')
    .requiredOption('--volume <name>', 'which volume')
    .requiredOption('--from <at>', atWords)
    .requiredOption('--to <at>', atWords)
    .description('show what differs between two points of a volume')
    .action(async (options: DataOption & JsonOption & { host: string; volume: string; from: string; to: string }) => {
      await using data = await DataDirectory.open(options.data);
      const view = await data.view(options.host);
      await using from = (await openPointOf(view, { volume: options.volume, at: options.from })).point;
      await using to = (await openPointOf(view, { volume: options.volume, at: options.to })).point;
      for (const point of [from, to]) sayLabel(point);
      const entries: unknown[] = [];
      for await (const entry of diffPoints({ from, to })) {
        if (options.json === true) entries.push({ ...entry, path: displayPath(entry.path), ...(entry.kind === 'renamed' ? { fromPath: displayPath(entry.fromPath) } : {}), state: describeNode(displayPath(entry.path), entry.state), fromState: undefined });
        else process.stdout.write(`${describeDifference(entry)}\n`);
      }
      if (options.json === true) process.stdout.write(`${formatJson(entries)}\n`);
    });
  return withExamples(command, 'afterimage-receiver diff --data /var/lib/afterimage --host web-1 --volume data --from -2h --to latest');
}

function describeDifference(entry: DiffEntry): string {
  const path = displayPath(entry.path);
  switch (entry.kind) {
    case 'added':
      return `+ ${path}`;
    case 'removed':
      return `- ${path}`;
    case 'renamed':
      return `> ${displayPath(entry.fromPath)} -> ${path}`;
    case 'modified': {
      const bytes = entry.ranges.reduce((sum, range) => sum + range.length, 0);
      const content = bytes === 0 ? [] : [`${bytes} bytes in ${entry.ranges.length} ranges`];
      return `~ ${path} (${[...(entry.replaced ? ['replaced'] : []), ...content, ...entry.metadata].join(', ')})`;
    }
  }
}
