/** A TCP proxy before a receiver that counts what agents send through it. */
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

export class CountingProxy implements AsyncDisposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Bytes from agents to the receiver: TLS, HTTP/2 and all. */
  sentBytes = 0;
  connections = 0;

  private constructor(server: Server) {
    this.#server = server;
  }

  static async open(target: { readonly host: string; readonly port: number }): Promise<CountingProxy> {
    const server = createServer();
    const proxy = new CountingProxy(server);
    server.on('connection', (socket) => proxy.#join(socket, target));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get address(): string {
    return `127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  #join(near: Socket, target: { readonly host: string; readonly port: number }): void {
    this.connections += 1;
    const far = connect(target);
    for (const [from, to] of [[near, far], [far, near]] as const) {
      this.#sockets.add(from);
      // Where one side ends or fails so does the other: neither may wait for a peer that was killed.
      from.on('error', () => undefined);
      from.on('close', () => {
        this.#sockets.delete(from);
        to.destroy();
      });
    }
    near.on('data', (bytes) => (this.sentBytes += bytes.length));
    near.pipe(far);
    far.pipe(near);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const closed = new Promise<void>((resolve) => this.#server.close(() => resolve()));
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }
}
