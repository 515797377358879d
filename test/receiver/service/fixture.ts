/** A whole receiver front on a loopback port, composed as the receiver does it, and clients that dial it. */
import { Client, credentials, type ClientDuplexStream, type ClientReadableStream, type ServiceError } from '@grpc/grpc-js';
import { connect, type TLSSocket } from 'node:tls';
import type tap from 'tap';
import { generateKey } from '../../../agent/identity/keys.js';
import { systemClock } from '../../../native/host/clock.js';
import { systemFiles } from '../../../native/host/files.js';
import { systemRandom } from '../../../native/host/random.js';
import { asSequence, noSequence } from '../../../proto/change.js';
import type { Role } from '../../../proto/identity.js';
import {
  decodeEnrolReply, decodeFrameMessage, decodeReceiverMessage, decodeRestoreItem, encodeAgentMessage, encodeEnrolRequest, encodeReadFramesRequest, encodeRenewRequest, encodeRestoreRequest,
  type AgentMessage, type EnrolReply, type Hello, type ReceiverMessage, type RestoreItem, type RestoreRequest,
} from '../../../proto/wire/messages.js';
import type { CertificateAuthority } from '../../../receiver/identity/authority.js';
import { enrol } from '../../../receiver/identity/enrolment.js';
import { identifyPeer } from '../../../receiver/identity/peer.js';
import { TokenBook } from '../../../receiver/identity/tokens.js';
import { Ingest } from '../../../receiver/ingest/ingest.js';
import type { ServiceParts } from '../../../receiver/service/parts.js';
import { ReceiverService, type ReceiverServiceOptions } from '../../../receiver/service/receiver-service.js';
import { CatalogueRecorder } from '../../../receiver/store/catalogue-recorder.js';
import { Catalogue } from '../../../receiver/store/catalogue.js';
import { HostBook } from '../../../receiver/store/host-book.js';
import { StoreJournalReader } from '../../../receiver/store/journal-reader.js';
import { LocalSegmentStore } from '../../../receiver/store/local-segment-store.js';
import { knownVolumes } from '../../../receiver/store/rebuild.js';
import { newAuthority } from '../identity/fixture.js';
import { Log } from '../ingest/fixture.js';

export interface Credentials {
  readonly keyPem: string;
  readonly certificatePem: string;
}

export interface Front {
  readonly service: ReceiverService;
  readonly address: string;
  readonly port: number;
  readonly log: Log;
  readonly authority: CertificateAuthority;
  readonly tokens: TokenBook;
  readonly catalogue: Catalogue;
  readonly store: LocalSegmentStore;
  readonly ingest: Ingest;
  readonly restores: { readonly request: RestoreRequest; readonly who: string }[];
  restoreItems: (signal: AbortSignal) => AsyncIterable<RestoreItem>;
  /** Enrols over the wire. */
  enrol(host: string, role?: Role): Promise<Credentials & EnrolReply>;
  client(who?: Credentials, caPem?: string): Peer;
}

export async function front(t: Pick<typeof tap, 'testdir' | 'teardown'>, more: Partial<ReceiverServiceOptions> = {}): Promise<Front> {
  const directory = t.testdir({});
  const log = new Log();
  const authority = await newAuthority(directory, ['localhost'], systemClock);
  const store = new LocalSegmentStore({ files: systemFiles, directory: `${directory}/journals` });
  const catalogue = Catalogue.open({ path: `${directory}/catalogue.db` });
  const tokens = new TokenBook({ store: catalogue.access, clock: systemClock, random: systemRandom, caFingerprint: authority.fingerprint });
  const hosts = new HostBook({ files: systemFiles, store, catalogue, clock: systemClock, random: systemRandom });
  const recorder = new CatalogueRecorder({ catalogue, store, clock: systemClock, logger: log });
  const ingest = new Ingest({
    store, space: () => systemFiles.space(directory), clock: systemClock, logger: log, observer: recorder,
    durableFloor: (journal) => catalogue.state.ingest(journal)?.durableThrough ?? noSequence, knownVolumes: (journal) => knownVolumes({ store, catalogue, journal }),
  });
  const restores: { request: RestoreRequest; who: string }[] = [];
  const parts: ServiceParts = {
    identify: (certificateDer) => identifyPeer({ certificateDer, authority, nowNs: systemClock.wallNs(), revoked: (serial) => catalogue.access.isRevoked(serial) }),
    enrol: (request) => enrol(request, { tokens, authority }),
    renew: async ({ name, role }, csrDer) => ({ ...(await authority.sign(csrDer, { name, role })), caPem: authority.caPem }),
    noteIssued: ({ identity }) => catalogue.access.putIdentity(identity),
    admit: (host) => hosts.admit(host),
    journalOf: (host) => hosts.journalOf(host),
    stream: (stream) => ingest.serve(stream),
    frames: async function* ({ journal, after, signal }) {
      const { durableThrough } = await ingest.open(journal);
      yield* new StoreJournalReader({ store, journal, durableThrough: () => durableThrough }).frames({ after, signal });
    },
    restore: (request, identity, signal) => {
      restores.push({ request, who: `${identity.role} ${identity.name}` });
      return made.restoreItems(signal);
    },
    audit: (entry) => catalogue.access.audit({ ...entry, timeNs: systemClock.wallNs() }),
  };
  const service = await ReceiverService.listen({ parts, host: '127.0.0.1', port: 0, credentials: authority.serverCredentials(), clock: systemClock, logger: log, ...more });
  const { port } = service.address;
  const peers: Peer[] = [];
  t.teardown(async () => {
    for (const peer of peers) peer.close();
    await service[Symbol.asyncDispose]();
    await ingest[Symbol.asyncDispose]();
    await recorder[Symbol.asyncDispose]();
    catalogue.close();
    await store[Symbol.asyncDispose]();
  });
  const made: Front = {
    service, port, address: `127.0.0.1:${port}`, log, authority, tokens, catalogue, store, ingest, restores,
    restoreItems: async function* () {
      yield { kind: 'end', entries: 0, bytes: 0 };
    },
    async enrol(host, role = 'host') {
      const token = await tokens.issue({ host, role, ttlMs: 60_000 });
      const { keyPem, csrDer } = await generateKey();
      return { keyPem, ...(await made.client().enrol(token, csrDer)) };
    },
    client(who, caPem = authority.caPem) {
      const peer = new Peer(made.address, caPem, who);
      peers.push(peer);
      return peer;
    },
  };
  return made;
}

const raw = (bytes: Buffer): Buffer => bytes;

/** A client of all services, as far as tests need one. */
export class Peer {
  readonly #client: Client;

  constructor(address: string, caPem: string, who: Credentials | undefined) {
    const tls = who === undefined ? credentials.createSsl(Buffer.from(caPem)) : credentials.createSsl(Buffer.from(caPem), Buffer.from(who.keyPem), Buffer.from(who.certificatePem));
    this.#client = new Client(address, tls, { 'grpc.use_local_subchannel_pool': 1, 'grpc.max_send_message_length': -1, 'grpc.ssl_target_name_override': 'localhost' });
  }

  enrol(token: string, csrDer: Uint8Array): Promise<EnrolReply> {
    const request = encodeEnrolRequest({ token, certificateRequestDer: Buffer.from(csrDer), platform: 'linux', agentVersion: '1' });
    return this.unary('/afterimage.Enrolment/Enrol', request, decodeEnrolReply);
  }

  renew(csrDer: Uint8Array): Promise<EnrolReply> {
    return this.unary('/afterimage.Journal/Renew', encodeRenewRequest(Buffer.from(csrDer)), decodeEnrolReply);
  }

  unary<T>(path: string, request: Buffer, decode: (bytes: Buffer) => T): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#client.makeUnaryRequest(path, raw, decode, request, (error, reply) => (error === null ? resolve(reply!) : reject(error)));
    });
  }

  stream(): Conversation {
    return new Conversation(this.#client.makeBidiStreamRequest('/afterimage.Journal/Stream', raw, decodeReceiverMessage));
  }

  readFrames(after: bigint): ClientReadableStream<Buffer> {
    return this.#client.makeServerStreamRequest('/afterimage.Journal/ReadFrames', raw, decodeFrameMessage, encodeReadFramesRequest(asSequence(after)));
  }

  restore(request: Partial<RestoreRequest>): ClientReadableStream<RestoreItem> {
    const whole = { host: '', volume: 'data', at: 'latest', paths: [], exactOnly: false, planOnly: false, ...request };
    return this.#client.makeServerStreamRequest('/afterimage.Recovery/Restore', raw, decodeRestoreItem, encodeRestoreRequest(whole));
  }

  close(): void {
    this.#client.close();
  }
}

export class Conversation {
  readonly call: ClientDuplexStream<Buffer, ReceiverMessage>;
  readonly told: ReceiverMessage[] = [];
  readonly ended: Promise<ServiceError | undefined>;
  #wake: () => void = () => undefined;
  #over = false;

  constructor(call: ClientDuplexStream<Buffer, ReceiverMessage>) {
    this.call = call;
    call.on('data', (message: ReceiverMessage) => {
      this.told.push(message);
      this.#wake();
    });
    this.ended = new Promise((resolve) => {
      call.on('error', (error: ServiceError) => resolve(error));
      call.on('end', () => setTimeout(() => resolve(undefined), 50));
    });
    void this.ended.then(() => {
      this.#over = true;
      this.#wake();
    });
  }

  say(message: AgentMessage): this {
    return this.sayBytes(encodeAgentMessage(message));
  }

  sayBytes(bytes: Buffer): this {
    this.call.write(bytes);
    return this;
  }

  async hears(holds: (message: ReceiverMessage) => boolean): Promise<ReceiverMessage> {
    for (;;) {
      const found = this.told.find(holds);
      if (found !== undefined) return found;
      if (this.#over) throw new Error(`the stream ended: ${(await this.ended)?.message ?? 'without an error'}`);
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
  }
}

export function helloOf(journal: Buffer): Hello {
  return { kind: 'hello', protocolVersion: 1, journal, agentVersion: '1', platform: 'linux', heldFrom: 0n, capturedThrough: noSequence };
}

export async function collected<T>(stream: ClientReadableStream<T>): Promise<T[]> {
  const found: T[] = [];
  for await (const item of stream) found.push(item as T);
  return found;
}

/** A TLS connection to the port without gRPC on it. */
export function dial(port: number, options: { readonly protocols?: string[] } = {}): Promise<TLSSocket> {
  return new Promise((resolve, reject) => {
    const socket = connect({ host: '127.0.0.1', port, rejectUnauthorized: false, ...(options.protocols === undefined ? {} : { ALPNProtocols: options.protocols }) }, () => resolve(socket));
    socket.on('error', reject);
  });
}
