#!/usr/bin/env node
/** afterimage-receiver: the program that keeps the journals and restores from them. */
import '../native/host/collector.js';
import { version } from '../native/package/version.js';
import { newCommand, runProgram, withExamples } from '../native/terminal/program.js';
import { catCommand, diffCommand, lsCommand, statCommand } from './commands/browse.js';
import { gapsCommand, hostsCommand, lagCommand, pointsCommand, volumesCommand } from './commands/lists.js';
import { initCommand, rebuildCatalogueCommand, rebuildReplicaCommand, revokeCommand, serveCommand, tokenCommand } from './commands/manage.js';
import { nbdCommand } from './commands/nbd.js';
import { restoreCommand, verifyCommand } from './commands/restore.js';

const program = newCommand('afterimage-receiver').description('Keeps the journals of protected hosts, and restores any of them to any past instant.').version(version);
for (const command of [
  initCommand(),
  serveCommand(),
  tokenCommand(),
  revokeCommand(),
  hostsCommand(),
  volumesCommand(),
  pointsCommand(),
  gapsCommand(),
  lagCommand(),
  lsCommand(),
  statCommand(),
  catCommand(),
  diffCommand(),
  restoreCommand(),
  nbdCommand(),
  verifyCommand(),
  rebuildCatalogueCommand(),
  rebuildReplicaCommand(),
]) {
  program.addCommand(command);
}
withExamples(program, 'afterimage-receiver init --data /var/lib/afterimage --name backup.example.com', 'afterimage-receiver serve --data /var/lib/afterimage', 'afterimage-receiver restore --data /var/lib/afterimage --host web-1 --volume data --at -10m --to /srv/restored');
await runProgram(program);
