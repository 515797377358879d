/** Entry of the replica's worker thread: joins the store, which it reads, and the replicas, which it writes. */
import { parentPort, workerData } from 'node:worker_threads';
import { systemClock } from '../native/host/clock.js';
import { systemFiles } from '../native/host/files.js';
import { blockingDirectories } from '../native/index.js';
import { WorkerHost } from './replica/worker-host.js';
import type { WorkerSetup } from './replica/worker-messages.js';
import { StoreJournalReader } from './store/journal-reader.js';
import { LocalSegmentStore } from './store/local-segment-store.js';

if (parentPort === null) throw new Error('this file runs as a worker thread only');
const setup = workerData as WorkerSetup;
await using store = new LocalSegmentStore({ files: systemFiles, directory: setup.journals });
const host = new WorkerHost({
  setup,
  port: parentPort,
  directories: blockingDirectories,
  clock: systemClock,
  asRoot: process.getuid?.() === 0,
  // What may be read is told with every message: the segments may hold more than is durable.
  openReader: (journal) => new StoreJournalReader({ store, journal: Buffer.from(journal, 'hex') }),
});
await host.run();
