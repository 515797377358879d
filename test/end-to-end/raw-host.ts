/** A host without an agent: enrols as one does, and then sends whatever bytes a test wants. */
import { createSecureContext } from 'node:tls';
import { ChannelCredentials, Client, type ClientDuplexStream, type ServiceError } from '@grpc/grpc-js';
import { enroll } from '../../agent/identity/enroll.js';
import type { AgentIdentity } from '../../agent/identity/state.js';
import { enrol } from '../../agent/transport/grpc-link.js';
import { systemClock } from '../../native/host/clock.js';
import { systemFiles } from '../../native/host/files.js';
import { asSequence, type Change, type ChangeBody, type Sequence, type VolumeId } from '../../proto/change.js';
import { encodeFrame, encodeHeader, type Frame } from '../../proto/journal/frame.js';
import { digest256, hash64 } from '../../proto/journal/hash.js';
import { decodeReceiverMessage, encodeAgentMessage, protocolVersion, type AgentMessage, type ReceiverMessage, type Welcome } from '../../proto/wire/messages.js';
import type { ReceiverProgram } from './programs.js';

export interface RawIdentity {
  readonly address: string;
  readonly caPem: string;
  readonly keyPem?: string;
  readonly certificatePem?: string;
  readonly journal: Buffer;
}

/** How a stream ended: gRPC's code and words. */
export interface Ended {
  readonly code: number;
  readonly details: string;
}

export async function enrolRaw(state: string, receiver: ReceiverProgram, host: string): Promise<RawIdentity> {
  const identity: AgentIdentity = await enroll({
    files: systemFiles,
    clock: systemClock,
    stateDirectory: state,
    receiver: receiver.address,
    token: await receiver.token(host),
    send: (caPem, request) => enrol(receiver.address, caPem, { token: request.token, certificateRequestDer: Buffer.from(request.csrDer), platform: 'linux', agentVersion: 'raw' }),
  });
  return { address: receiver.address, caPem: identity.caPem, keyPem: identity.keyPem, certificatePem: identity.certificatePem, journal: Buffer.from(identity.journalId, 'hex') };
}

/** A client without the limits that the agent's keeps to. */
function openRawClient({ address, caPem, keyPem, certificatePem }: RawIdentity): Client {
  const context = createSecureContext({ ca: caPem, ...(keyPem === undefined || certificatePem === undefined ? {} : { key: keyPem, cert: certificatePem }) });
  const credentials = ChannelCredentials.createFromSecureContext(context, { checkServerIdentity: () => undefined });
  return new Client(address, credentials, { 'grpc.max_send_message_length': -1, 'grpc.use_local_subchannel_pool': 1, 'grpc.enable_retries': 0 });
}

/** One stream of a journal, with everything that came over it. */
export class RawStream implements AsyncDisposable {
  readonly #client: Client;
  readonly #call: ClientDuplexStream<Buffer, ReceiverMessage>;
  readonly messages: ReceiverMessage[] = [];
  readonly ended: Promise<Ended>;
  #heard: () => void = () => undefined;
  #over = false;

  constructor(identity: RawIdentity) {
    this.#client = openRawClient(identity);
    this.#call = this.#client.makeBidiStreamRequest('/afterimage.Journal/Stream', (bytes: Buffer) => bytes, decodeReceiverMessage);
    this.#call.on('data', (message: ReceiverMessage) => {
      this.messages.push(message);
      this.#heard();
    });
    this.ended = new Promise((resolve) => {
      const end = (outcome: Ended): void => {
        this.#over = true;
        this.#heard();
        resolve(outcome);
      };
      this.#call.on('error', (error: ServiceError) => end({ code: error.code, details: error.details }));
      this.#call.on('status', ({ code, details }) => end({ code, details }));
    });
  }

  sendBytes(bytes: Buffer): void {
    this.#call.write(bytes);
  }

  send(message: AgentMessage): void {
    this.sendBytes(encodeAgentMessage(message));
  }

  /** The first message of a kind; undefined when the stream ended without one. */
  async first<K extends ReceiverMessage['kind']>(kind: K, holds: (message: Extract<ReceiverMessage, { kind: K }>) => boolean = () => true): Promise<Extract<ReceiverMessage, { kind: K }> | undefined> {
    for (;;) {
      for (const message of this.messages) if (message.kind === kind && holds(message as Extract<ReceiverMessage, { kind: K }>)) return message as Extract<ReceiverMessage, { kind: K }>;
      if (this.#over) return undefined;
      await new Promise<void>((resolve) => {
        this.#heard = resolve;
      });
    }
  }

  async greet(journal: Buffer, version = protocolVersion): Promise<Welcome | undefined> {
    this.send({ kind: 'hello', protocolVersion: version, journal, agentVersion: 'raw', platform: 'linux', heldFrom: 0n, capturedThrough: asSequence(0n) });
    return this.first('welcome');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#call.cancel();
    await this.ended;
    this.#client.close();
  }
}

/** Frames that follow the journal's end, one after the other. */
export class RawJournal {
  readonly journal: Buffer;
  #through: Sequence;
  #digest: Buffer;
  #timeNs: bigint;

  constructor(journal: Buffer, welcome: Pick<Welcome, 'durableThrough' | 'digest' | 'lastTimeNs'>) {
    this.journal = journal;
    this.#through = welcome.durableThrough;
    this.#digest = welcome.digest;
    this.#timeNs = welcome.lastTimeNs;
  }

  get through(): Sequence {
    return this.#through;
  }

  /** A frame that would be the next; `take` makes it so. */
  next(volume: VolumeId, bodies: readonly ChangeBody[]): Frame {
    const timeNs = this.#now();
    const changes = bodies.map((body, place): Change => ({ sequence: asSequence(this.#through + 1n + BigInt(place)), timeNs, volume, body }));
    return encodeFrame({ journal: this.journal, previousDigest: this.#digest, changes });
  }

  /** A frame around a payload that a test encoded by hand: right in all that the header says. */
  around(payload: Buffer, count: number): Frame {
    const timeNs = this.#now();
    const header = {
      journal: this.journal, firstSequence: asSequence(this.#through + 1n), lastSequence: asSequence(this.#through + BigInt(count)), firstTimeNs: timeNs, lastTimeNs: timeNs,
      codec: 'none' as const, rawLength: payload.length, storedLength: payload.length, payloadHash: hash64(payload), previousDigest: this.#digest,
    };
    const bytes = Buffer.concat([encodeHeader(header), payload]);
    return { header, bytes, payload, digest: digest256(bytes) };
  }

  take(frame: Frame): void {
    this.#through = frame.header.lastSequence;
    this.#digest = frame.digest;
    this.#timeNs = frame.header.lastTimeNs;
  }

  #now(): bigint {
    const nowNs = systemClock.wallNs();
    return nowNs > this.#timeNs ? nowNs : this.#timeNs;
  }
}

export function frameBytes(frame: Frame): Buffer {
  return Buffer.from(frame.bytes);
}

/** Sends a frame that must become durable. */
export async function store(stream: RawStream, journal: RawJournal, frame: Frame): Promise<void> {
  stream.send({ kind: 'frame', frame: frameBytes(frame) });
  const durable = await stream.first('durable', ({ through }) => through >= frame.header.lastSequence);
  if (durable === undefined) throw new Error(`the frame was not stored: ${JSON.stringify(await stream.ended)}`);
  journal.take(frame);
}
