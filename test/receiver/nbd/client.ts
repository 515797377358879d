/** A small NBD client for tests: every byte it sends is the test's, every byte it gets is checked against the protocol. */
import { connect, type NetConnectOpts, type Socket } from 'node:net';
import type { ListenPlace } from '../../../receiver/nbd/server.js';

export interface OptionReply {
  readonly type: number;
  readonly data: Buffer;
}

export interface Chunk {
  readonly flags: number;
  readonly type: number;
  readonly payload: Buffer;
}

export interface RequestWords {
  readonly command: number;
  readonly flags?: number;
  readonly offset?: number | bigint;
  readonly length?: number;
  readonly data?: Buffer;
}

/** What a structured read came to. */
export interface StructuredRead {
  /** Bytes, with zeroes where holes were. */
  readonly data: Buffer;
  readonly holes: readonly (readonly [offset: number, length: number])[];
  readonly error: number;
  readonly text: string;
}

export class NbdClient implements AsyncDisposable {
  readonly socket: Socket;
  readonly closed: Promise<void>;
  #held = Buffer.alloc(0);
  #over = false;
  #wake: () => void = () => undefined;
  #cookie = 0n;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('readable', () => this.#wake());
    socket.on('error', () => undefined);
    this.closed = new Promise((resolve) => {
      for (const event of ['end', 'close']) {
        socket.on(event, () => {
          this.#over = true;
          this.#wake();
          resolve();
        });
      }
    });
  }

  static async connect(place: ListenPlace): Promise<NbdClient> {
    const socket = connect({ ...place } as NetConnectOpts);
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new NbdClient(socket);
  }

  /** Connects, and goes over to transmission. */
  static async ready(place: ListenPlace, options: { readonly structured?: boolean; readonly allocation?: boolean; readonly name?: string } = {}): Promise<NbdClient> {
    const client = await NbdClient.connect(place);
    await client.greet();
    const { structured = true, allocation = structured, name = '' } = options;
    if (structured) await client.option(8);
    if (allocation) await client.option(10, contextRequest(name, ['base:allocation']));
    const replies = await client.option(7, exportRequest(name));
    if (replies.at(-1)!.type !== 1) throw new Error(`the export was refused: ${replies.at(-1)!.data.toString()}`);
    return client;
  }

  send(bytes: Buffer): void {
    if (!this.socket.destroyed) this.socket.write(bytes);
  }

  /** Exactly so many bytes; throws when the connection ends before. */
  async take(length: number): Promise<Buffer> {
    for (;;) {
      for (let chunk = this.socket.read() as Buffer | null; chunk !== null; chunk = this.socket.read() as Buffer | null) this.#held = Buffer.concat([this.#held, chunk]);
      if (this.#held.byteLength >= length) break;
      if (this.#over) throw new Error(`the connection ended after ${this.#held.byteLength} of ${length} bytes`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const bytes = this.#held.subarray(0, length);
    this.#held = this.#held.subarray(length);
    return bytes;
  }

  /** Reads the greeting and answers it; the handshake flags. */
  async greet(clientFlags = 3): Promise<number> {
    const greeting = await this.take(18);
    if (greeting.toString('latin1', 0, 16) !== 'NBDMAGICIHAVEOPT') throw new Error('no greeting');
    this.send(u32(clientFlags));
    return greeting.readUInt16BE(16);
  }

  /** Sends an option; all replies to it. */
  async option(option: number, data: Buffer = Buffer.alloc(0)): Promise<OptionReply[]> {
    this.send(Buffer.concat([optionHeader(option, data.byteLength), data]));
    return this.optionReplies(option);
  }

  async optionReplies(option: number): Promise<OptionReply[]> {
    const replies: OptionReply[] = [];
    for (;;) {
      const head = await this.take(20);
      if (head.readBigUInt64BE() !== 0x3e889045565a9n || head.readUInt32BE(8) !== option) throw new Error(`no reply to option ${option}: ${head.toString('hex')}`);
      const type = head.readUInt32BE(12);
      replies.push({ type, data: Buffer.from(await this.take(head.readUInt32BE(16))) });
      if (type === 1 || type >= 2 ** 31) return replies;
    }
  }

  /** Sends a request; its cookie. */
  request(words: RequestWords): bigint {
    this.#cookie += 1n;
    this.send(requestBytes(words, this.#cookie));
    return this.#cookie;
  }

  /** The error of a simple reply. */
  async simple(cookie: bigint): Promise<number> {
    const bytes = await this.take(16);
    if (bytes.readUInt32BE() !== 0x67446698 || bytes.readBigUInt64BE(8) !== cookie) throw new Error(`no simple reply to ${cookie}: ${bytes.toString('hex')}`);
    return bytes.readUInt32BE(4);
  }

  async chunk(cookie: bigint): Promise<Chunk> {
    const head = await this.take(20);
    if (head.readUInt32BE() !== 0x668e33ef || head.readBigUInt64BE(8) !== cookie) throw new Error(`no chunk of ${cookie}: ${head.toString('hex')}`);
    const [flags, type] = [head.readUInt16BE(4), head.readUInt16BE(6)];
    return { flags, type, payload: await this.take(head.readUInt32BE(16)) };
  }

  async readSimple(offset: number, length: number): Promise<Buffer> {
    const error = await this.simple(this.request({ command: 0, offset, length }));
    if (error !== 0) throw new Error(`error ${error}`);
    return this.take(length);
  }

  /** Throws where the chunks break the protocol: overlap, leave something out, lie outside. */
  async readStructured(offset: number, length: number): Promise<StructuredRead> {
    return this.structuredReply(this.request({ command: 0, offset, length }), offset, length);
  }

  async structuredReply(cookie: bigint, offset: number, length: number): Promise<StructuredRead> {
    const data = Buffer.alloc(length);
    const holes: [number, number][] = [];
    const covered: [number, number][] = [];
    for (;;) {
      const { flags, type, payload } = await this.chunk(cookie);
      if (type === 1) {
        const at = Number(payload.readBigUInt64BE());
        if (payload.byteLength < 9) throw new Error('an empty chunk of data');
        covered.push([at, payload.byteLength - 8]);
        payload.copy(data, at - offset, 8);
      } else if (type === 2) {
        const hole: [number, number] = [Number(payload.readBigUInt64BE()), payload.readUInt32BE(8)];
        holes.push(hole);
        covered.push(hole);
      } else if (type === 2 ** 15 + 1) return { data, holes, error: payload.readUInt32BE(), text: payload.toString('utf8', 6) };
      else if (type !== 0) throw new Error(`chunk of type ${type}`);
      if ((flags & 1) !== 0) break;
    }
    let at = offset;
    for (const [begin, size] of covered.sort((a, b) => a[0] - b[0])) {
      if (begin !== at) throw new Error(`chunks do not meet at ${at}: ${JSON.stringify(covered)}`);
      at += size;
    }
    if (at !== offset + length) throw new Error(`chunks end at ${at} instead of ${offset + length}`);
    return { data, holes, error: 0, text: '' };
  }

  async write(offset: number, data: Buffer, flags = 0): Promise<number> {
    return this.simple(this.request({ command: 1, flags, offset, data }));
  }

  /** Extents of the context that was agreed on, or the error. */
  async blockStatus(offset: number, length: number, flags = 0): Promise<number | { readonly length: number; readonly state: number }[]> {
    const { type, payload } = await this.chunk(this.request({ command: 7, flags, offset, length }));
    if (type === 2 ** 15 + 1) return payload.readUInt32BE();
    if (type !== 5 || payload.readUInt32BE() !== 1) throw new Error(`chunk of type ${type} in reply to block status`);
    return Array.from({ length: (payload.byteLength - 4) / 8 }, (_, at) => ({ length: payload.readUInt32BE(4 + at * 8), state: payload.readUInt32BE(8 + at * 8) }));
  }

  async disconnect(): Promise<void> {
    this.request({ command: 2 });
    await this.closed;
    this.socket.destroy();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.socket.destroy();
    await this.closed;
  }
}

export function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

export function optionHeader(option: number, length: number): Buffer {
  return Buffer.concat([Buffer.from('IHAVEOPT'), u32(option), u32(length)]);
}

export function exportRequest(name: string, wanted: readonly number[] = []): Buffer {
  const bytes = Buffer.alloc(2 + wanted.length * 2);
  for (const [at, value] of [wanted.length, ...wanted].entries()) bytes.writeUInt16BE(value, at * 2);
  return Buffer.concat([u32(Buffer.byteLength(name)), Buffer.from(name), bytes]);
}

export function contextRequest(name: string, queries: readonly string[]): Buffer {
  return Buffer.concat([u32(Buffer.byteLength(name)), Buffer.from(name), u32(queries.length), ...queries.flatMap((query) => [u32(Buffer.byteLength(query)), Buffer.from(query)])]);
}

export function requestBytes({ command, flags = 0, offset = 0, length, data }: RequestWords, cookie: bigint): Buffer {
  const bytes = Buffer.alloc(28);
  bytes.writeUInt32BE(0x25609513);
  bytes.writeUInt16BE(flags, 4);
  bytes.writeUInt16BE(command, 6);
  bytes.writeBigUInt64BE(cookie, 8);
  bytes.writeBigUInt64BE(BigInt(offset), 16);
  bytes.writeUInt32BE(length ?? data?.byteLength ?? 0, 24);
  return data === undefined ? bytes : Buffer.concat([bytes, data]);
}
