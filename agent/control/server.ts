/** Answers commands on the local socket; only this user (or root) can reach it. */
import { lstat, mkdir, rm } from 'node:fs/promises';
import { createServer, type Server, type Socket } from 'node:net';
import { dirname } from 'node:path';
import { UsageError } from '../../proto/errors.js';
import { ask, AgentNotRunning } from './client.js';
import { controlBytesMax, controlSocketPath, type ControlAnswer, type ControlCommand, type ControlRequests } from './protocol.js';

/** What answers each command. A handler's signal aborts when the asker goes away or the server closes. */
export type ControlHandlers = { readonly [C in ControlCommand]: (request: ControlRequests[C]['arguments'], signal: AbortSignal) => Promise<ControlRequests[C]['answer']> };

export class ControlServer implements AsyncDisposable {
  readonly #server: Server;
  readonly #path: string;
  readonly #sockets = new Set<Socket>();
  readonly #closing = new AbortController();

  private constructor(server: Server, path: string) {
    this.#server = server;
    this.#path = path;
  }

  /** Throws UsageError when another agent already serves this state directory. */
  static async open(options: { readonly stateDirectory: string; readonly handlers: ControlHandlers }): Promise<ControlServer> {
    const path = controlSocketPath(options.stateDirectory);
    if (process.platform !== 'win32') await prepare(path, options.stateDirectory);
    const server = createServer({ allowHalfOpen: true });
    const control = new ControlServer(server, path);
    server.on('connection', (socket) => control.#serve(socket, options.handlers));
    // The umask keeps the socket from ever being open to others, not even between bind and chmod.
    const umask = process.umask(0o177);
    try {
      await new Promise<void>((resolve, reject) => {
        server.once('error', reject);
        server.listen(path, resolve);
      });
    } finally {
      process.umask(umask);
    }
    return control;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#closing.abort(new Error('the agent is stopping'));
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroySoon();
    await closed;
    if (process.platform !== 'win32') await rm(this.#path, { force: true });
  }

  #serve(socket: Socket, handlers: ControlHandlers): void {
    this.#sockets.add(socket);
    const gone = new AbortController();
    socket.on('close', () => {
      this.#sockets.delete(socket);
      gone.abort(new Error('the asker went away'));
    });
    socket.on('error', () => socket.destroy());
    let received = '';
    socket.setEncoding('utf8');
    socket.on('data', (text: string) => {
      received += text;
      if (received.length > controlBytesMax) socket.destroy();
      const end = received.indexOf('\n');
      if (end < 0) return;
      socket.pause();
      const signal = AbortSignal.any([gone.signal, this.#closing.signal]);
      void answer(received.slice(0, end), handlers, signal).then((reply) => socket.end(`${JSON.stringify(reply)}\n`));
      socket.resume();
      received = '';
    });
  }
}

async function answer(line: string, handlers: ControlHandlers, signal: AbortSignal): Promise<ControlAnswer> {
  try {
    const request = JSON.parse(line) as { command?: unknown; arguments?: unknown };
    const command = request.command as ControlCommand;
    const handler = Object.hasOwn(handlers, command) ? (handlers[command] as (request: unknown, signal: AbortSignal) => Promise<unknown>) : undefined;
    if (handler === undefined) throw new UsageError(`the running agent knows no command "${String(request.command)}"; it may be of another version`);
    return { kind: 'answer', value: await handler(request.arguments ?? {}, signal) };
  } catch (error) {
    const { name, message } = error instanceof Error ? error : { name: 'Error', message: String(error) };
    return { kind: 'error', name, message };
  }
}

/** Makes the socket's directory private and clears a socket that a killed agent left; a live one is refused. */
async function prepare(path: string, stateDirectory: string): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o700 });
  const directory = await lstat(dirname(path));
  if (!directory.isDirectory() || (process.getuid !== undefined && directory.uid !== process.getuid() && process.getuid() !== 0)) {
    throw new UsageError(`${dirname(path)} belongs to somebody else; give the agent a shorter --state directory`);
  }
  try {
    await ask(stateDirectory, 'status', {}, { timeoutMs: 2000 });
  } catch (error) {
    if (error instanceof AgentNotRunning) {
      await rm(path, { force: true });
      return;
    }
  }
  throw new UsageError(`an agent already runs on ${stateDirectory}; stop it first, or give this one another --state`);
}
