/** A receiver with a host that protects block devices, without an agent: a test says what was written to them. */
import { open } from 'node:fs/promises';
import { asVolumeId, rootNode, type ChangeBody, type Sequence, type VolumeId } from '../../proto/change.js';
import { ReceiverProgram } from './programs.js';
import { enrolRaw, RawJournal, RawStream, store } from './raw-host.js';
import type { Workplace } from './world.js';

export const deviceHost = 'device-host';
const pieceBytes = 256 * 1024;
const frameBytes = 1024 * 1024;
const zeroes = Buffer.alloc(pieceBytes);

export class DeviceHost implements AsyncDisposable {
  readonly receiver: ReceiverProgram;
  /** The state directory of an agent of this host that never ran: its `restore` works. */
  readonly state: string;
  readonly #stream: RawStream;
  readonly #journal: RawJournal;
  #volumes = 0;

  private constructor(receiver: ReceiverProgram, state: string, stream: RawStream, journal: RawJournal) {
    this.receiver = receiver;
    this.state = state;
    this.#stream = stream;
    this.#journal = journal;
  }

  static async start(work: Workplace): Promise<DeviceHost> {
    const receiver = await ReceiverProgram.init(work.path('receiver'));
    try {
      await receiver.start();
      const state = work.path('state');
      const identity = await enrolRaw(state, receiver, deviceHost);
      const stream = new RawStream(identity);
      const welcome = await stream.greet(identity.journal);
      if (welcome === undefined) throw new Error(`the receiver did not welcome the host: ${JSON.stringify(await stream.ended)}`);
      return new DeviceHost(receiver, state, stream, new RawJournal(identity.journal, welcome));
    } catch (error) {
      await receiver[Symbol.asyncDispose]();
      throw error;
    }
  }

  /** Defines a device volume of this size that holds nothing. */
  async define(name: string, sizeBytes: number): Promise<VolumeId> {
    this.#volumes += 1;
    const volume = asVolumeId(this.#volumes);
    await this.send(volume, [
      { kind: 'volume', name, volumeKind: 'device', path: `/dev/${name}`, engine: 'exact', platform: 'linux' },
      { kind: 'baseline', edge: 'begin' },
      { kind: 'truncate', node: rootNode, size: sizeBytes },
      { kind: 'baseline', edge: 'end' },
    ]);
    return volume;
  }

  /** Returns once all of it is durable, with the last change's sequence. */
  async send(volume: VolumeId, bodies: readonly ChangeBody[]): Promise<Sequence> {
    for (let at = 0, next = 0; at < bodies.length; at = next) {
      for (let bytes = 0; next < bodies.length && bytes < frameBytes; next += 1) {
        const body = bodies[next]!;
        bytes += 64 + (body.kind === 'write' ? body.data.byteLength : 0);
      }
      await store(this.#stream, this.#journal, this.#journal.next(volume, bodies.slice(at, next)));
    }
    return this.#journal.through;
  }

  /** Writes what an image holds to the device, and discards what it does not. */
  async sendImage(volume: VolumeId, path: string): Promise<Sequence> {
    const image = await open(path);
    try {
      const { size } = await image.stat();
      let through = this.#journal.through;
      let bodies: ChangeBody[] = [];
      for (let offset = 0; offset < size; offset += pieceBytes) {
        const data = Buffer.alloc(Math.min(pieceBytes, size - offset));
        await image.read(data, 0, data.byteLength, offset);
        bodies.push(data.equals(zeroes.subarray(0, data.byteLength)) ? { kind: 'discard', offset, length: data.byteLength } : { kind: 'write', node: rootNode, offset, data });
        if (bodies.length < 64) continue;
        through = await this.send(volume, bodies);
        bodies = [];
      }
      return bodies.length === 0 ? through : await this.send(volume, bodies);
    } finally {
      await image.close();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stream[Symbol.asyncDispose]();
    await this.receiver[Symbol.asyncDispose]();
  }
}
