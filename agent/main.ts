#!/usr/bin/env node
/** afterimage-agent: the program on a protected host. */
import '../native/host/collector.js';
import { version } from '../native/package/version.js';
import { newCommand, runProgram, withExamples } from '../native/terminal/program.js';
import { restoreCommand } from './commands/restore.js';
import { doctorCommand, enrollCommand, runCommand } from './commands/run.js';
import { installCommand, uninstallCommand } from './commands/service.js';
import { lagCommand, statusCommand } from './commands/status.js';
import { flushCommand, markCommand, protectCommand, unprotectCommand } from './commands/talk.js';

const program = newCommand('afterimage-agent').description('Captures every change to what you protect, and streams it to a receiver.').version(version);
for (const command of [
  enrollCommand(),
  runCommand(),
  protectCommand(),
  unprotectCommand(),
  statusCommand(),
  lagCommand(),
  markCommand(),
  flushCommand(),
  restoreCommand(),
  installCommand(),
  uninstallCommand(),
  doctorCommand(),
]) {
  program.addCommand(command);
}
withExamples(program, 'afterimage-agent enroll --receiver backup.example.com:7433 --token TOKEN', 'afterimage-agent install', 'afterimage-agent protect /srv/data', 'afterimage-agent lag --watch');
await runProgram(program);
