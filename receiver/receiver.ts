/**
 * The receiver: opens its stages and joins them in data order. Streams come in over gRPC, ingest
 * verifies and makes them durable in the store, the replica follows what is durable, recovery reads.
 */
import { join } from 'node:path';
import { openDatabase } from '../native/host/database.js';
import type { Logger } from 'pino';
import type { Clock } from '../native/host/clock.js';
import type { Files } from '../native/host/files.js';
import type { Random } from '../native/host/random.js';
import { noSequence, type Sequence, type VolumeId } from '../proto/change.js';
import { PeerError, UsageError } from '../proto/errors.js';
import type { Identity } from '../proto/identity.js';
import type { JournalId } from '../proto/journal/frame.js';
import { pathFromDisplay } from '../proto/name.js';
import type { RestoreItem, RestoreRequest } from '../proto/wire/messages.js';
import { AppliedBoard } from './applied-board.js';
import { dataLayout, type DataLayout, type ListenAddress } from './config.js';
import { journalReader, openPointOf, type DataDirectory } from './data.js';
import { CertificateAuthority } from './identity/authority.js';
import { enrol } from './identity/enrolment.js';
import { identifyPeer } from './identity/peer.js';
import { TokenBook } from './identity/tokens.js';
import { Ingest } from './ingest/ingest.js';
import { restoreItems } from './recovery/restore-source.js';
import { loadTimeline } from './recovery/timeline.js';
import { ReplicaWorker } from './replica/worker-client.js';
import { ReceiverService } from './service/receiver-service.js';
import type { Issued, ServiceParts } from './service/parts.js';
import type { HostRow } from './store/access-tables.js';
import { Catalogue } from './store/catalogue.js';
import { CatalogueRecorder } from './store/catalogue-recorder.js';
import { HostBook } from './store/host-book.js';
import { LocalSegmentStore } from './store/local-segment-store.js';
import { knownVolumes } from './store/rebuild.js';

export interface ReceiverOptions {
  readonly data: string;
  readonly listen: ListenAddress;
  /** Keep live replicas. */
  readonly replica: boolean;
  readonly logLevel: string;
  readonly files: Files;
  readonly clock: Clock;
  readonly random: Random;
  readonly logger: Logger;
}

/** Runs a receiver until the signal aborts; `ready` is told where it listens. */
export async function serveReceiver(options: ReceiverOptions, signal: AbortSignal, ready: (address: ListenAddress) => void): Promise<void> {
  const { files, clock, random, logger } = options;
  const layout = dataLayout(options.data);
  const place = { files, directory: layout.authority, clock };
  if (!(await CertificateAuthority.exists(place))) throw new UsageError(`${options.data} is no receiver's data directory; make one with "afterimage-receiver init --data ${options.data}"`);
  using claim = claimDirectory(layout);
  void claim;
  const authority = await CertificateAuthority.open(place);

  // KEEP EVERY CHANGE
  await using store = new LocalSegmentStore({ files, directory: layout.journals });
  using catalogue = Catalogue.open({ path: layout.catalogue });
  catalogue.access.setNoneConnected();
  await using recorder = new CatalogueRecorder({ catalogue, store, clock, logger: logger.child({ component: 'catalogue' }) });
  const hosts = new HostBook({ files, store, catalogue, clock, random });

  // THE LIVE COPY
  const applied = new AppliedBoard();
  await using replica = options.replica ? await startReplica(options, layout, catalogue, applied) : undefined;

  // ACCEPT, ACKNOWLEDGE WHEN DURABLE
  await using ingest = new Ingest({
    store,
    space: () => files.space(layout.journals),
    clock,
    logger: logger.child({ component: 'ingest' }),
    observer: {
      durable: (journal, progress) => {
        recorder.durable(journal, progress);
        // Without a replica nothing is left to apply.
        if (replica === undefined) applied.note(journal, progress.through);
        else replica.notifyDurable(journal, progress.through);
      },
      state: (journal, state) => recorder.state(journal, state),
      connected: (journal, agent) => recorder.connected(journal, agent),
      disconnected: (journal) => recorder.disconnected(journal),
      reported: (journal, report) => recorder.reported(journal, report),
    },
    durableFloor: (journal) => catalogue.state.ingest(journal)?.durableThrough ?? noSequence,
    knownVolumes: (journal) => knownVolumes({ store, catalogue, journal }),
    applied,
  });

  const tokens = new TokenBook({ store: catalogue.access, clock, random, caFingerprint: authority.fingerprint });
  const parts: ServiceParts = {
    identify: (certificateDer) => identifyPeer({ certificateDer, authority, nowNs: clock.wallNs(), revoked: (serial) => catalogue.access.isRevoked(serial) }),
    enrol: (request) => enrol(request, { tokens, authority }),
    renew: async (identity, csrDer) => ({ ...(await authority.sign(csrDer, { name: identity.name, role: identity.role })), caPem: authority.caPem }),
    noteIssued: (issued) => noteIssued(catalogue, issued, clock),
    admit: (host) => hosts.admit(host),
    journalOf: (host) => hosts.journalOf(host),
    stream: (stream) => ingest.serve(stream),
    frames: ({ journal, after, signal: aborted }) => durableFrames(ingest, store, catalogue, journal, after, aborted),
    restore: (request, identity, aborted) => restorePoint({ ingest, store, catalogue, hosts, clock }, request, identity, aborted),
    audit: (entry) => catalogue.access.audit({ timeNs: clock.wallNs(), ...entry }),
  };
  await using service = await ReceiverService.listen({ parts, ...options.listen, credentials: authority.serverCredentials(), clock, logger: logger.child({ component: 'service' }) });
  // Journals that nobody writes to now are recovered and replayed all the same.
  for (const journal of await store.journals()) void follow(ingest, replica, applied, journal, logger);
  ready(service.address);
  await ended(signal);
}

async function startReplica(options: ReceiverOptions, layout: DataLayout, catalogue: Catalogue, applied: AppliedBoard): Promise<ReplicaWorker> {
  const { clock, logger, logLevel } = options;
  return ReplicaWorker.start({
    journals: layout.journals,
    replicas: layout.replicas,
    clock,
    logger: logger.child({ component: 'replica' }),
    logLevel,
    onApplied: (progress) => applied.note(progress.journal, progress.through),
    onState: (journal, state) => noteReplica(catalogue, journal, state, logger),
  });
}

function noteReplica(catalogue: Catalogue, journal: JournalId, state: Parameters<Catalogue['state']['putReplica']>[1], logger: Logger): void {
  try {
    catalogue.state.putReplica(journal, state);
  } catch (error) {
    // On a full disk: what the replica says next is noted once there is room.
    logger.debug({ err: error }, 'the state of a replica could not be noted');
  }
}

async function follow(ingest: Ingest, replica: ReplicaWorker | undefined, applied: AppliedBoard, journal: JournalId, logger: Logger): Promise<void> {
  try {
    const { durableThrough } = await ingest.open(journal);
    if (replica === undefined) applied.note(journal, durableThrough);
    else replica.notifyDurable(journal, durableThrough);
  } catch (error) {
    logger.error({ journal: journal.toString('hex'), err: error }, 'a journal cannot be opened');
  }
}

function noteIssued(catalogue: Catalogue, issued: Issued, clock: Clock): void {
  catalogue.access.putIdentity({ ...issued.identity, issuedMs: Number(clock.wallNs() / 1_000_000n) });
}

async function* durableFrames(ingest: Ingest, store: LocalSegmentStore, catalogue: Catalogue, journal: JournalId, after: Sequence, signal: AbortSignal) {
  const { durableThrough } = await ingest.open(journal);
  yield* journalReader(store, catalogue, journal, () => durableThrough).frames({ after, signal });
}

/** What restoring a point takes, for a peer who may read it. */
async function* restorePoint(
  { ingest, store, catalogue, hosts, clock }: { readonly ingest: Ingest; readonly store: LocalSegmentStore; readonly catalogue: Catalogue; readonly hosts: HostBook; readonly clock: Clock },
  request: RestoreRequest,
  identity: Identity,
  signal: AbortSignal,
): AsyncGenerator<RestoreItem> {
  const journal = hosts.journalOf(request.host);
  if (journal === undefined) throw new PeerError('not-found', `no host named ${request.host} has a journal here`);
  // What a power cut could still take back is no point yet.
  const { durableThrough } = await ingest.open(journal);
  const reader = journalReader(store, catalogue, journal, () => durableThrough);
  const { point, volume } = await openPointOf({ reader, timeline: await loadTimeline(reader) }, request, undefined, signal);
  await using opened = point;
  catalogue.access.audit({ timeNs: clock.wallNs(), identity: `${identity.role} ${identity.name}`, act: 'restore', detail: { host: request.host, volume: request.volume, at: request.at, sequence: opened.sequence.toString() } });
  yield* restoreItems({ point: opened, volume, paths: request.paths.map(pathFromDisplay), exactOnly: request.exactOnly, planOnly: request.planOnly, signal });
}

/** Makes the replica of one volume anew, without a running receiver; returns where it lies. */
export async function rebuildReplica(options: { readonly data: DataDirectory; readonly host: HostRow; readonly volume: VolumeId; readonly clock: Clock; readonly files: Files }): Promise<string> {
  const { layout } = options.data;
  await using worker = await ReplicaWorker.start({ journals: layout.journals, replicas: layout.replicas, clock: options.clock, logLevel: 'warn' });
  return await worker.rebuild(options.host.journal, options.volume);
}

/**
 * Claims a data directory for one writer. The lock is SQLite's: the system releases it when the
 * process ends, however it ends. Throws UsageError while another process holds it.
 */
export function claimDirectory(layout: DataLayout): Disposable {
  const database = openDatabase(layout.lock, { timeout: 0 });
  try {
    database.pragma('locking_mode = EXCLUSIVE');
    database.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    database.close();
    throw new UsageError(`another receiver uses ${join(layout.directory)}; stop it first`, { cause });
  }
  return { [Symbol.dispose]: () => database.close() };
}

function ended(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
