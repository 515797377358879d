/** Gives each host its journal, once and for ever, and keeps that beside the segments and in the catalogue. */
import type { Clock } from '../../native/host/clock.js';
import type { Files } from '../../native/host/files.js';
import type { Random } from '../../native/host/random.js';
import type { JournalId } from '../../proto/journal/frame.js';
import { journalIdBytes } from '../../proto/journal/layout.js';
import type { Catalogue } from './catalogue.js';
import { readHostFile, writeHostFile, type HostRecord } from './host-file.js';
import type { LocalSegmentStore } from './local-segment-store.js';

export interface HostBookOptions {
  readonly files: Files;
  readonly store: LocalSegmentStore;
  readonly catalogue: Catalogue;
  readonly clock: Clock;
  readonly random: Random;
}

export class HostBook {
  readonly #options: HostBookOptions;
  /** Admissions wait for each other: two at once of one name must get one journal. */
  #last: Promise<unknown> = Promise.resolve();

  constructor(options: HostBookOptions) {
    this.#options = options;
  }

  /** The journal of an enrolled host; undefined for a stranger. */
  journalOf(name: string): JournalId | undefined {
    return this.#options.catalogue.access.host(name)?.journal;
  }

  /** Makes a host known and returns its journal: the one it had, or a new one that survives power loss. */
  admit(host: { readonly name: string; readonly platform: string; readonly agentVersion: string }): Promise<JournalId> {
    const admitted = this.#last.then(() => this.#admit(host));
    this.#last = admitted.catch(() => undefined);
    return admitted;
  }

  async #admit({ name, platform, agentVersion }: { readonly name: string; readonly platform: string; readonly agentVersion: string }): Promise<JournalId> {
    const { files, store, catalogue, clock, random } = this.#options;
    const known = catalogue.access.host(name) ?? (await this.#findOnDisk(name));
    if (known !== undefined) {
      catalogue.access.putHost({ ...known, platform, agentVersion });
      return known.journal;
    }
    const host: HostRecord = { name, role: 'host', journal: Buffer.from(random.bytes(journalIdBytes)), createdNs: clock.wallNs() };
    await store.makeJournal(host.journal);
    await writeHostFile(files, store.directoryOf(host.journal), host);
    catalogue.access.putHost({ ...host, platform, agentVersion });
    return host.journal;
  }

  /** For a catalogue that was lost and not rebuilt: a name must not get a second journal. */
  async #findOnDisk(name: string): Promise<HostRecord | undefined> {
    const { files, store } = this.#options;
    for (const journal of await store.journals()) {
      const host = await readHostFile(files, store.directoryOf(journal));
      if (host?.name === name && host.journal.equals(journal)) return host;
    }
    return undefined;
  }
}
