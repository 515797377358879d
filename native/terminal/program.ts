/** Runs a command-line program: usage errors exit with 2, failures with 1, each with a message and a remedy. */
import { Command, CommanderError } from 'commander';

export const exitFailed = 1;
export const exitUsage = 2;

/** A program or command whose errors are thrown instead of ending the process. */
export function newCommand(name: string): Command {
  return new Command(name).exitOverride().showHelpAfterError('(add --help for usage and examples)').allowExcessArguments(false);
}

/** A group of lines that `--help` shows last. */
export function withExamples(command: Command, ...examples: readonly string[]): Command {
  return command.addHelpText('after', `\nExamples:\n${examples.map((line) => `  ${line}`).join('\n')}`);
}

/**
 * Parses `argv` and runs what it names. Errors named UsageError, and commander's own, exit with 2.
 * Sets `process.exitCode` instead of exiting, so that output is flushed and resources are closed.
 */
export async function runProgram(program: Command, argv: readonly string[] = process.argv): Promise<void> {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // The reader of a pipe went away (`| head`): nothing is left to say.
    if (error.code === 'EPIPE') process.exit(0);
    throw error;
  });
  try {
    await program.parseAsync(argv);
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 || error.code === 'commander.help' && argv.length > 2 ? 0 : exitUsage;
      return;
    }
    const { name, message } = error instanceof Error ? error : { name: '', message: String(error) };
    process.stderr.write(`${program.name()}: ${message}\n`);
    if (process.env['AFTERIMAGE_TRACE'] !== undefined && error instanceof Error) process.stderr.write(`${error.stack}\n`);
    process.exitCode = name === 'UsageError' ? exitUsage : exitFailed;
  }
}

/** A signal that aborts at the first SIGINT or SIGTERM; a second one ends the process at once. */
export function shutdownSignal(): AbortSignal {
  const controller = new AbortController();
  let asked = false;
  for (const name of ['SIGINT', 'SIGTERM'] as const) {
    process.on(name, () => {
      if (asked) process.exit(name === 'SIGINT' ? 130 : 143);
      asked = true;
      controller.abort(new Error(`stopped by ${name}`));
    });
  }
  return controller.signal;
}
