/** Options that several commands share. */
import { Option, type Command } from 'commander';
import { agentConfig, defaultStateDirectory, type AgentConfig } from '../config.js';

export interface StateOption {
  readonly state?: string;
}

export function withState(command: Command): Command {
  return command.addOption(new Option('--state <dir>', 'where the agent keeps its state').default(undefined, `AFTERIMAGE_STATE, else ${defaultStateDirectory()}`));
}

export function withJson(command: Command): Command {
  return command.option('--json', 'print JSON');
}

/** The configuration that a command which talks to the running agent needs. */
export function configFor(options: StateOption): AgentConfig {
  return agentConfig(options.state === undefined ? {} : { state: options.state });
}
