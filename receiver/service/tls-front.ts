/**
 * The port: accepts TLS connections and hands them to gRPC.
 *
 * gRPC's own listener can only either ask for no client certificate or refuse, within the handshake and
 * without a word, whoever shows none or a wrong one. Here a certificate is asked for and every connection
 * let through, so that enrolment works without one and a refusal says what is wrong and what to do.
 * Sockets reach gRPC by its connection injector, which is part of its public interface.
 */
import { createServer, type Server, type TLSSocket } from 'node:tls';
import type { AddressInfo, Socket } from 'node:net';
import { UsageError } from '../../proto/errors.js';
import type { Logger } from './parts.js';

export interface TlsFrontOptions {
  readonly host: string;
  readonly port: number;
  readonly certificateChainPem: string;
  readonly keyPem: string;
  readonly caPem: string;
  readonly inject: (socket: TLSSocket) => void;
  readonly logger: Logger;
  readonly connectionsMax?: number;
  readonly connectionsPerAddressMax?: number;
}

const handshakeTimeoutMs = 10_000;
const connectionsMaxDefault = 1024;
const connectionsPerAddressMaxDefault = 128;

interface Connection {
  readonly socket: TLSSocket;
  calls: number;
}

export class TlsFront {
  readonly #options: TlsFrontOptions;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #perAddress = new Map<string, number>();
  readonly #connections = new Map<string, Connection>();

  private constructor(options: TlsFrontOptions) {
    this.#options = options;
    this.#server = createServer({
      cert: options.certificateChainPem,
      key: options.keyPem,
      ca: options.caPem,
      requestCert: true,
      rejectUnauthorized: false,
      minVersion: 'TLSv1.2',
      ALPNProtocols: ['h2'],
      handshakeTimeout: handshakeTimeoutMs,
    });
    this.#server.maxConnections = options.connectionsMax ?? connectionsMaxDefault;
    this.#server.on('connection', (socket: Socket) => this.#count(socket));
    this.#server.on('drop', (data) => options.logger.warn({ peer: `${data?.remoteAddress}:${data?.remotePort}` }, 'a connection was refused: too many are open'));
    this.#server.on('secureConnection', (socket) => this.#begin(socket));
    this.#server.on('tlsClientError', (error, socket) => {
      options.logger.warn({ peer: peerOf(socket), fault: error.message }, 'a connection was refused: no TLS handshake');
      socket.destroy();
    });
  }

  /** Listens. Throws UsageError when the address cannot be used. */
  static async listen(options: TlsFrontOptions): Promise<TlsFront> {
    const front = new TlsFront(options);
    await new Promise<void>((resolve, reject) => {
      const failed = (error: Error): void => reject(new UsageError(`cannot listen on ${options.host}:${options.port}: ${error.message}`, { cause: error }));
      front.#server.once('error', failed);
      front.#server.listen({ host: options.host, port: options.port }, () => {
        front.#server.off('error', failed);
        front.#server.on('error', (error) => options.logger.error({ err: error }, 'accepting connections failed'));
        resolve();
      });
    });
    return front;
  }

  get address(): { readonly host: string; readonly port: number } {
    const { address, port } = this.#server.address() as AddressInfo;
    return { host: address, port };
  }

  /**
   * The certificate that a peer showed and TLS could not verify, with the reason: to say what is wrong with
   * it, never to let it in. `peer` is an address and a port as gRPC gives them.
   */
  unverified(peer: string): { readonly certificateDer: Buffer; readonly fault: string } | undefined {
    const socket = this.#connections.get(peer)?.socket;
    if (socket === undefined || socket.authorized) return undefined;
    const certificateDer = socket.getPeerCertificate().raw as Buffer | undefined;
    return certificateDer === undefined ? undefined : { certificateDer, fault: String(socket.authorizationError) };
  }

  /** That a connection turned out to carry a call. */
  noteCall(peer: string): void {
    const connection = this.#connections.get(peer);
    if (connection !== undefined) connection.calls += 1;
  }

  /** Accepts no more. */
  stopAccepting(): void {
    this.#server.close();
  }

  /** Ends what is still open. */
  destroy(): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #count(socket: Socket): void {
    const address = socket.remoteAddress ?? 'unknown';
    const open = (this.#perAddress.get(address) ?? 0) + 1;
    this.#perAddress.set(address, open);
    this.#sockets.add(socket);
    socket.once('close', () => {
      this.#sockets.delete(socket);
      const left = (this.#perAddress.get(address) ?? 1) - 1;
      if (left === 0) this.#perAddress.delete(address);
      else this.#perAddress.set(address, left);
    });
    if (open > (this.#options.connectionsPerAddressMax ?? connectionsPerAddressMaxDefault)) {
      this.#options.logger.warn({ peer: peerOf(socket), open }, 'a connection was refused: too many from this address');
      socket.destroy();
    }
  }

  #begin(socket: TLSSocket): void {
    const { logger, inject } = this.#options;
    const peer = peerOf(socket);
    const connection: Connection = { socket, calls: 0 };
    this.#connections.set(peer, connection);
    socket.on('error', (error) => logger.debug({ peer, fault: error.message }, 'a connection broke'));
    socket.once('close', () => {
      if (this.#connections.get(peer) === connection) this.#connections.delete(peer);
      if (connection.calls === 0) logger.warn({ peer }, 'a connection ended without a call: what came was not gRPC, or nothing came');
    });
    if (socket.alpnProtocol !== 'h2') {
      logger.warn({ peer }, 'a connection was refused: it does not offer HTTP/2');
      socket.destroy();
      return;
    }
    inject(socket);
  }
}

/** As gRPC's getPeer gives it. */
function peerOf(socket: Socket): string {
  return `${socket.remoteAddress ?? 'unknown'}:${socket.remotePort ?? 0}`;
}
