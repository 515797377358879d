/** The command that restores this host's own points from its receiver, over the network. */
import type { Command } from 'commander';
import { systemClock } from '../../native/host/clock.js';
import { systemFiles } from '../../native/host/files.js';
import { newCommand, shutdownSignal, withExamples } from '../../native/terminal/program.js';
import { runRestore } from '../../native/terminal/restore.js';
import { withTarget, type TargetOptions } from '../../native/terminal/restore-options.js';
import { FormatError, PeerError, UsageError } from '../../proto/errors.js';
import { pathFromDisplay } from '../../proto/name.js';
import type { RestoreHead, RestoreItem } from '../../proto/wire/messages.js';
import { loadIdentity } from '../identity/state.js';
import { GrpcLink } from '../transport/grpc-link.js';
import { configFor, withJson, withState, type StateOption } from './options.js';

interface RestoreOptions extends StateOption, TargetOptions {
  readonly volume: string;
  readonly at: string;
  readonly host?: string;
  readonly json?: boolean;
}

export function restoreCommand(): Command {
  const command = withTarget(
    withState(withJson(newCommand('restore')))
      .requiredOption('--volume <name>', 'which volume')
      .requiredOption('--at <at>', 'ISO 8601 time, -90s, -2h, seq:N, mark:NAME or latest')
      .option('--host <name>', 'another host\'s volume (for an identity of role operator)'),
  )
    .description('restore a volume of this host as it was, from its receiver')
    .action(async (options: RestoreOptions) => {
      const { stateDirectory } = configFor(options);
      const identity = await loadIdentity(systemFiles, stateDirectory);
      const signal = shutdownSignal();
      const link = new GrpcLink({ identity: { ...identity, address: identity.receiver }, clock: systemClock });
      const request = { host: options.host ?? '', volume: options.volume, at: options.at, paths: options.path, exactOnly: options.exactOnly === true, planOnly: false };
      const items = headFirst(link.restore(request, signal));
      const paths = options.path.map(pathFromDisplay);
      await runRestore({ items, target: options.to, inPlace: options.inPlace === true, dryRun: options.dryRun === true, json: options.json === true, sync: options.sync, paths, overwrite: options.yesOverwrite, partition: options.partition, signal });
    });
  return withExamples(command, 'afterimage-agent restore --volume data --at -10m --to /srv/restored', 'afterimage-agent restore --volume data --at mark:before-upgrade --to /srv/data --in-place');
}

/** The stream as the receiver must send it: what comes before a head is refused, and what it says of the request instead of a head is about the command line. */
async function* headFirst(items: AsyncIterable<RestoreItem>): AsyncGenerator<RestoreHead | Exclude<RestoreItem, RestoreHead>> {
  let begun = false;
  try {
    for await (const item of items) {
      if (!begun && item.kind !== 'head') throw new FormatError('read restore stream', { fault: 'it does not begin with a head' });
      begun = true;
      yield item;
    }
  } catch (error) {
    const isAboutRequest = !begun && error instanceof PeerError && (error.code === 'invalid' || error.code === 'not-found');
    throw isAboutRequest ? new UsageError(error.message, { cause: error }) : error;
  }
}
