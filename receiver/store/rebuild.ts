/** Brings the catalogue up to what the segments hold: after a stop, after failed writes, or from nothing. */
import type { Sequence } from '../../proto/change.js';
import { asSequence, type Change } from '../../proto/change.js';
import type { Files } from '../../native/host/files.js';
import type { JournalId } from '../../proto/journal/frame.js';
import type { Catalogue } from './catalogue.js';
import { isCatalogued } from './control-changes.js';
import { readPastDamage, type DamagedStretch } from './damage-tolerant.js';
import { readHostFile } from './host-file.js';
import type { FrameNote } from './journal-tables.js';
import type { LocalSegmentStore } from './local-segment-store.js';
import { readRevocations } from './revocations.js';
import type { SegmentStore } from './segment-store.js';

const framesABatchMax = 256;
const controlABatchMax = 4096;

/** Catalogues what a journal holds after what is catalogued, up to `through` where given. Returns the damage met on the way. */
export async function catchUp(options: {
  readonly store: Pick<SegmentStore, 'list' | 'read'>;
  readonly catalogue: Catalogue;
  readonly journal: JournalId;
  readonly through?: Sequence;
  readonly signal?: AbortSignal;
}): Promise<DamagedStretch[]> {
  const { store, catalogue, journal, through, signal } = options;
  const damage: DamagedStretch[] = [];
  let frames: FrameNote[] = [];
  let control: Change[] = [];
  const flush = (): void => {
    catalogue.journals.extend({ journal, frames, control }, { skips: true });
    frames = [];
    control = [];
  };
  const after = catalogue.journals.cataloguedThrough(journal);
  for await (const { note, changes } of readPastDamage({ store, journal, after, damaged: (stretch) => damage.push(stretch), ...(through === undefined ? {} : { through }), ...(signal === undefined ? {} : { signal }) })) {
    frames.push(note);
    for (const change of changes) if (isCatalogued(change.body)) control.push(change);
    if (frames.length >= framesABatchMax || control.length >= controlABatchMax) flush();
  }
  flush();
  const sealed = (await store.list(journal)).filter((info) => info.sealed).map((info) => info.segment);
  catalogue.journals.markSealed(journal, sealed);
  return damage;
}

export interface Rebuilt {
  readonly journals: number;
  /** Journals whose host.json is missing or damaged: their host has to enrol again under its name. */
  readonly nameless: readonly JournalId[];
  readonly damage: readonly DamagedStretch[];
}

/**
 * Derives the catalogue anew: segments, volumes and control changes from the segments, hosts from the
 * host.json beside them, revocations from their file. Not brought back: unused enrolment tokens (make
 * new ones), the list of certificates issued (they are accepted by the authority's signature), and the audit log.
 */
export async function rebuildCatalogue(options: {
  readonly store: LocalSegmentStore;
  readonly catalogue: Catalogue;
  readonly files: Files;
  /** The data directory, which holds the file of revocations. */
  readonly directory: string;
  readonly signal?: AbortSignal;
}): Promise<Rebuilt> {
  const { store, catalogue, files, directory, signal } = options;
  const damage: DamagedStretch[] = [];
  const nameless: JournalId[] = [];
  const journals = await store.journals();
  for (const journal of journals) {
    catalogue.journals.forget(journal);
    damage.push(...(await catchUp({ store, catalogue, journal, ...(signal === undefined ? {} : { signal }) })));
    const host = await readHostFile(files, store.directoryOf(journal));
    if (host === undefined || !host.journal.equals(journal)) nameless.push(journal);
    else if (catalogue.access.host(host.name) === undefined) catalogue.access.putHost({ ...host, platform: '', agentVersion: '' });
  }
  for (const revocation of await readRevocations(files, directory)) catalogue.access.revoke(revocation);
  return { journals: journals.length, nameless, damage };
}

/**
 * A journal's control changes as a reader wants them: from the catalogue, and what it does not have yet (it is
 * a little behind) from the segments. A mark that is durable is found at once.
 */
export function controlChangesOf({ store, catalogue }: { readonly store: Pick<SegmentStore, 'list' | 'read'>; readonly catalogue: Catalogue }): (journal: JournalId, through: Sequence) => Promise<Change[]> {
  return async (journal, through) => {
    const after = catalogue.journals.cataloguedThrough(journal);
    const found = catalogue.journals.controlChanges(journal, { through });
    if (after >= through) return found;
    for await (const { changes } of readPastDamage({ store, journal, after, through, damaged: () => undefined })) {
      for (const change of changes) if (change.sequence > after && change.sequence <= through && isCatalogued(change.body)) found.push(change);
    }
    return found;
  };
}

/** What volumes a journal knows, also where the catalogue lags behind or cannot be written. */
export async function knownVolumes({ store, catalogue, journal }: { readonly store: Pick<SegmentStore, 'list' | 'read'>; readonly catalogue: Catalogue; readonly journal: JournalId }): Promise<{ readonly lastVolume: number; readonly liveVolumes: readonly number[] }> {
  const live = new Set<number>();
  let last = 0;
  for (const { volume, retiredSequence } of catalogue.journals.volumes(journal)) {
    last = Math.max(last, volume);
    if (retiredSequence === undefined) live.add(volume);
  }
  const after = asSequence(catalogue.journals.cataloguedThrough(journal));
  for await (const { changes } of readPastDamage({ store, journal, after, damaged: () => undefined })) {
    for (const { volume, body } of changes) {
      if (body.kind === 'retired') live.delete(volume);
      if (body.kind !== 'volume') continue;
      live.add(volume);
      last = Math.max(last, volume);
    }
  }
  return { lastVolume: last, liveVolumes: [...live].sort((a, b) => a - b) };
}
