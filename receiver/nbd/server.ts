/** Listens for NBD clients and serves one export to all of them, each on its own connection. */
import { lstat, rm } from 'node:fs/promises';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';
import type { Clock } from '../../native/host/clock.js';
import { errorCode, UsageError } from '../../proto/errors.js';
import { ByteChannel } from './byte-channel.js';
import { negotiate } from './handshake.js';
import type { Logger, NbdExport } from './parts.js';
import { ProtocolViolation, Transmission } from './transmission.js';

/** A TCP address, or the path of a UNIX socket. */
export type ListenPlace = { readonly host: string; readonly port: number } | { readonly path: string };

export interface NbdServerOptions {
  readonly exported: NbdExport;
  readonly listen: ListenPlace;
  readonly clock: Clock;
  readonly logger: Logger;
  /** Clients at once; more are turned away. */
  readonly connectionsMax?: number;
  /** What a client may take for one step of the handshake. */
  readonly handshakeMs?: number;
  /** What a connection that ends may take to send what it still has. */
  readonly lingerMs?: number;
}

/** What fits into an address on every system. */
const socketPathBytesMax = 103;
const connectionsMaxDefault = 64;
const handshakeMsDefault = 30_000;
const lingerMsDefault = 1000;
/** From when on a peer is asked whether it still is there: one that vanished would hold its connection for ever. */
const keepAliveMs = 60_000;

export class NbdServer implements AsyncDisposable {
  readonly #options: NbdServerOptions;
  readonly #server: Server;
  readonly #closing = new AbortController();
  readonly #sessions = new Map<ByteChannel, Promise<void>>();
  /** Connections so far, by which the log tells them apart. */
  #count = 0;

  private constructor(options: NbdServerOptions) {
    this.#options = options;
    // A client may end its side at once after its last request.
    this.#server = createServer({ allowHalfOpen: true, noDelay: true, keepAlive: true, keepAliveInitialDelay: keepAliveMs });
    this.#server.on('connection', (socket) => this.#admit(socket));
  }

  /** Throws UsageError when the place is taken or cannot be listened on. */
  static async listen(options: NbdServerOptions): Promise<NbdServer> {
    const { listen } = options;
    if ('path' in listen) {
      // A longer one would be cut without a word, and the socket be somewhere else.
      if (Buffer.byteLength(listen.path) > socketPathBytesMax) throw new UsageError(`the path of a UNIX socket has at most ${socketPathBytesMax} bytes: ${listen.path}`);
      await clearStale(listen.path);
    }
    const server = new NbdServer(options);
    // The umask keeps a socket in the file system from ever being open to others, not even between bind and chmod.
    const umask = process.umask(0o177);
    try {
      await new Promise<void>((resolve, reject) => {
        server.#server.once('error', reject);
        server.#server.listen('path' in listen ? { path: listen.path } : { host: listen.host, port: listen.port }, resolve);
      });
    } catch (error) {
      throw new UsageError(`cannot listen on ${describePlace(listen)}: ${(error as Error).message}`, { cause: error });
    } finally {
      process.umask(umask);
    }
    server.#server.on('error', (error) => options.logger.error({ err: error }, 'a connection could not be accepted'));
    return server;
  }

  /** Where it listens, with the port that the system chose. */
  get place(): ListenPlace {
    const { listen } = this.#options;
    return 'path' in listen ? listen : { host: listen.host, port: (this.#server.address() as AddressInfo).port };
  }

  /** Connections that are open. */
  get connections(): number {
    return this.#sessions.size;
  }

  /** What is being answered is ended with an error; clients that do not take it in time are cut off. */
  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    this.#closing.abort(new Error('the server ends'));
    for (const channel of this.#sessions.keys()) channel.refuseInput();
    const { clock, lingerMs = lingerMsDefault } = this.#options;
    const cancel = clock.after(lingerMs, () => {
      for (const channel of this.#sessions.keys()) channel.destroy();
    });
    await Promise.all(this.#sessions.values());
    cancel();
    await closed;
  }

  #admit(socket: Socket): void {
    const { logger, connectionsMax = connectionsMaxDefault } = this.#options;
    if (this.#sessions.size >= connectionsMax || this.#closing.signal.aborted) {
      logger.warn({ connections: this.#sessions.size }, 'a client was turned away: as many as are allowed are connected');
      socket.on('error', () => undefined).destroy();
      return;
    }
    const channel = new ByteChannel(socket);
    this.#sessions.set(channel, this.#run(channel).finally(() => this.#sessions.delete(channel)));
  }

  /** Never rejects. */
  async #run(channel: ByteChannel): Promise<void> {
    const { exported, clock, logger, lingerMs = lingerMsDefault } = this.#options;
    const client = { connection: (this.#count += 1) };
    logger.debug(client, 'a client connected');
    try {
      await this.#talk(channel, exported);
    } catch (error) {
      const isExpected = channel.gone.aborted || error instanceof ProtocolViolation;
      logger[isExpected ? 'debug' : 'warn']({ ...client, err: error }, 'a connection was cut');
      // What was sent may be half a reply: there is nothing to add to it.
      channel.destroy();
    }
    if (!channel.gone.aborted) {
      const gone = new Promise<void>((resolve) => channel.gone.addEventListener('abort', () => resolve(), { once: true }));
      channel.end();
      const cancel = clock.after(lingerMs, () => channel.destroy());
      await gone;
      cancel();
    }
    // One that went away by itself may have left its side of the socket open.
    channel.destroy();
    logger.debug(client, 'a client disconnected');
  }

  async #talk(channel: ByteChannel, exported: NbdExport): Promise<void> {
    const { clock, logger, handshakeMs = handshakeMsDefault } = this.#options;
    let cancel: () => void = () => undefined;
    const onStep = (): void => {
      cancel();
      cancel = clock.after(handshakeMs, () => channel.destroy());
    };
    onStep();
    const agreement = await negotiate(channel, exported, onStep).finally(() => cancel());
    if (agreement !== undefined) await new Transmission({ channel, exported, agreement, logger, clock, closing: this.#closing.signal }).run();
  }
}

/** The address at which clients reach the export. */
export function uriOf(place: ListenPlace, name: string): string {
  const path = encodeURIComponent(name);
  if ('path' in place) return `nbd+unix:///${path}?socket=${encodeURIComponent(place.path).replaceAll('%2F', '/')}`;
  return `nbd://${place.host.includes(':') ? `[${place.host}]` : place.host}:${place.port}/${path}`;
}

function describePlace(place: ListenPlace): string {
  return 'path' in place ? place.path : `${place.host}:${place.port}`;
}

/** Removes a socket that a killed server left. Throws UsageError for one on which somebody listens, and for what is no socket. */
async function clearStale(path: string): Promise<void> {
  const stat = await lstat(path).catch((error: unknown) => {
    if (errorCode(error) === 'ENOENT') return undefined;
    throw error;
  });
  if (stat === undefined) return;
  if (!stat.isSocket()) throw new UsageError(`${path} exists and is no socket; name another path to listen on`);
  const refused = await new Promise<boolean>((resolve) => {
    const probe = connect(path);
    probe.on('connect', () => {
      probe.destroy();
      resolve(false);
    });
    probe.on('error', (error) => resolve(errorCode(error) === 'ECONNREFUSED'));
  });
  if (!refused) throw new UsageError(`another program listens on ${path}; stop it first, or name another path`);
  await rm(path, { force: true });
}
