/** Asks the running agent over its local socket. */
import { connect } from 'node:net';
import { UsageError, errorCode } from '../../proto/errors.js';
import { controlBytesMax, controlSocketPath, type ControlAnswer, type ControlCommand, type ControlRequests } from './protocol.js';

/** Nothing answers on the socket of a state directory. */
export class AgentNotRunning extends Error {
  override readonly name = 'AgentNotRunning';

  constructor(stateDirectory: string, cause: unknown) {
    super(`no agent runs on ${stateDirectory}; start it with "afterimage-agent run" or "afterimage-agent install"`, { cause });
  }
}

/** Sends one request and waits for its answer, however long it takes unless `timeoutMs` is given. */
export async function ask<C extends ControlCommand>(
  stateDirectory: string,
  command: C,
  request: ControlRequests[C]['arguments'],
  options: { readonly timeoutMs?: number } = {},
): Promise<ControlRequests[C]['answer']> {
  const line = await exchange(stateDirectory, JSON.stringify({ command, arguments: request }), options.timeoutMs);
  const answer = JSON.parse(line) as ControlAnswer;
  if (answer.kind === 'answer') return answer.value as ControlRequests[C]['answer'];
  if (answer.name === 'UsageError') throw new UsageError(answer.message);
  throw new Error(answer.message);
}

function exchange(stateDirectory: string, request: string, timeoutMs: number | undefined): Promise<string> {
  const path = controlSocketPath(stateDirectory);
  return new Promise((resolve, reject) => {
    const socket = connect(path);
    let received = '';
    if (timeoutMs !== undefined) socket.setTimeout(timeoutMs, () => socket.destroy(new Error(`the agent on ${stateDirectory} did not answer within ${timeoutMs} ms`)));
    socket.setEncoding('utf8');
    socket.on('connect', () => socket.write(`${request}\n`));
    socket.on('data', (text: string) => {
      received += text;
      if (received.length > controlBytesMax) socket.destroy(new Error('the agent answered with more than expected'));
    });
    socket.on('end', () => {
      socket.end();
      if (received.endsWith('\n')) resolve(received);
      else reject(new Error(`the agent on ${stateDirectory} stopped before it answered`));
    });
    socket.on('error', (error) => {
      const isAbsent = ['ENOENT', 'ECONNREFUSED', 'ENOTSOCK'].includes(errorCode(error) ?? '');
      reject(isAbsent ? new AgentNotRunning(stateDirectory, error) : error);
    });
  });
}
