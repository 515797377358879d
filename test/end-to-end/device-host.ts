/** A receiver with a host that protects block devices, without an agent: a test says what was written to them. */
import { open } from 'node:fs/promises';
import { asVolumeId, rootNode, type ChangeBody, type Sequence, type VolumeId } from '../../proto/change.js';
import { ReceiverProgram } from './programs.js';
import { enrolRaw, RawJournal, RawStream, store, type RawIdentity } from './raw-host.js';
import type { Workplace } from './world.js';

export const deviceHost = 'device-host';
const pieceBytes = 256 * 1024;
const frameBytes = 1024 * 1024;
const zeroes = Buffer.alloc(pieceBytes);

export class DeviceHost implements AsyncDisposable {
  readonly receiver: ReceiverProgram;
  /** The state directory of an agent of this host that never ran: its `restore` works. */
  readonly state: string;
  readonly #identity: RawIdentity;
  #volumes = 0;

  private constructor(receiver: ReceiverProgram, state: string, identity: RawIdentity) {
    this.receiver = receiver;
    this.state = state;
    this.#identity = identity;
  }

  static async start(work: Workplace): Promise<DeviceHost> {
    const receiver = await ReceiverProgram.init(work.path('receiver'));
    try {
      await receiver.start();
      const state = work.path('state');
      return new DeviceHost(receiver, state, await enrolRaw(state, receiver, deviceHost));
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
  async send(volume: VolumeId, bodies: AsyncIterable<ChangeBody> | Iterable<ChangeBody>): Promise<Sequence> {
    // A stream of its own each time: the receiver ends one that says nothing for long.
    await using stream = new RawStream(this.#identity);
    const welcome = await stream.greet(this.#identity.journal);
    if (welcome === undefined) throw new Error(`the receiver did not welcome the host: ${JSON.stringify(await stream.ended)}`);
    const journal = new RawJournal(this.#identity.journal, welcome);
    let [batch, bytes]: [ChangeBody[], number] = [[], 0];
    for await (const body of bodies) {
      batch.push(body);
      bytes += 64 + (body.kind === 'write' ? body.data.byteLength : 0);
      if (bytes < frameBytes) continue;
      await store(stream, journal, journal.next(volume, batch));
      [batch, bytes] = [[], 0];
    }
    if (batch.length > 0) await store(stream, journal, journal.next(volume, batch));
    return journal.through;
  }

  /** Writes what an image holds to the device, and discards what it does not. */
  async sendImage(volume: VolumeId, path: string): Promise<Sequence> {
    return this.send(volume, imageChanges(path));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.receiver[Symbol.asyncDispose]();
  }
}

async function* imageChanges(path: string): AsyncGenerator<ChangeBody, void, undefined> {
  const image = await open(path);
  try {
    const { size } = await image.stat();
    for (let offset = 0; offset < size; offset += pieceBytes) {
      const data = Buffer.alloc(Math.min(pieceBytes, size - offset));
      await image.read(data, 0, data.byteLength, offset);
      if (data.equals(zeroes.subarray(0, data.byteLength))) yield { kind: 'discard', offset, length: data.byteLength };
      else yield { kind: 'write', node: rootNode, offset, data };
    }
  } finally {
    await image.close();
  }
}
