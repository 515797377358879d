/** A receiver's data directory opened for reading, beside a running receiver or without one. */
import { systemClock } from '../native/host/clock.js';
import { systemFiles } from '../native/host/files.js';
import type { Sequence } from '../proto/change.js';
import { UsageError } from '../proto/errors.js';
import type { JournalId } from '../proto/journal/frame.js';
import type { JournalReader } from '../proto/journal/journal-reader.js';
import { dataLayout, type DataLayout } from './config.js';
import { parseAt, resolveAt } from './recovery/at.js';
import { openPoint, type OpenPointProgress, type Point } from './recovery/point.js';
import { loadTimeline, type Timeline } from './recovery/timeline.js';
import type { VolumeTimeline } from './recovery/volume-timeline.js';
import { Catalogue } from './store/catalogue.js';
import type { HostRow } from './store/access-tables.js';
import { StoreJournalReader } from './store/journal-reader.js';
import { LocalSegmentStore } from './store/local-segment-store.js';
import { controlChangesOf } from './store/rebuild.js';

/** The reader of a journal, with its control changes from the catalogue as far as that goes. */
export function journalReader(store: LocalSegmentStore, catalogue: Catalogue, journal: JournalId, durableThrough?: () => Sequence): JournalReader {
  return new StoreJournalReader({ store, journal, controlChanges: controlChangesOf({ store, catalogue }), ...(durableThrough === undefined ? {} : { durableThrough }) });
}

/** One host's journal, ready for questions about instants. */
export interface HostView {
  readonly host: HostRow;
  readonly reader: JournalReader;
  readonly timeline: Timeline;
}

export class DataDirectory implements AsyncDisposable {
  readonly layout: DataLayout;
  readonly store: LocalSegmentStore;
  readonly catalogue: Catalogue;

  private constructor(layout: DataLayout, store: LocalSegmentStore, catalogue: Catalogue) {
    this.layout = layout;
    this.store = store;
    this.catalogue = catalogue;
  }

  /** Throws UsageError when the directory is no receiver's. */
  static async open(directory: string, options: { readonly readOnly?: boolean } = {}): Promise<DataDirectory> {
    const layout = dataLayout(directory);
    if (!(await systemFiles.exists(layout.authority))) throw new UsageError(`${directory} is no receiver's data directory; make one with "afterimage-receiver init --data ${directory}"`);
    if (!(await systemFiles.exists(layout.catalogue))) throw new UsageError(`${layout.catalogue} is missing; rebuild it with "afterimage-receiver rebuild-catalogue --data ${directory}"`);
    const catalogue = Catalogue.open({ path: layout.catalogue, readOnly: options.readOnly ?? true });
    return new DataDirectory(layout, new LocalSegmentStore({ files: systemFiles, directory: layout.journals }), catalogue);
  }

  /** Hosts that have a journal; all of them, or the one that is asked for. Throws UsageError for an unknown one. */
  hosts(name?: string): HostRow[] {
    const hosts = this.catalogue.access.hosts();
    if (name === undefined) return hosts;
    const found = hosts.filter((host) => host.name === name);
    if (found.length === 0) throw new UsageError(`no host named ${name} is enrolled; known: ${hosts.map((host) => host.name).join(', ') || 'none'}`);
    return found;
  }

  async view(name: string): Promise<HostView> {
    const [host] = this.hosts(name);
    const reader = journalReader(this.store, this.catalogue, host!.journal);
    return { host: host!, reader, timeline: await loadTimeline(reader) };
  }

  /** Opens the point that host, volume and AT name. */
  async point(wanted: { readonly host: string; readonly volume: string; readonly at: string }, onProgress?: (progress: OpenPointProgress) => void, signal?: AbortSignal): Promise<{ readonly view: HostView; readonly point: Point; readonly volume: VolumeTimeline }> {
    const view = await this.view(wanted.host);
    return { view, ...(await openPointOf(view, wanted, onProgress, signal)) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.catalogue.close();
    await this.store[Symbol.asyncDispose]();
  }
}

/** Opens a point of a journal by volume name and AT. */
export async function openPointOf(
  { reader, timeline }: Pick<HostView, 'reader' | 'timeline'>,
  wanted: { readonly volume: string; readonly at: string },
  onProgress?: (progress: OpenPointProgress) => void,
  signal?: AbortSignal,
): Promise<{ readonly point: Point; readonly volume: VolumeTimeline }> {
  const nowNs = systemClock.wallNs();
  const { volume, instant } = await resolveAt({ at: parseAt(wanted.at, nowNs), volume: wanted.volume, timeline, reader, nowNs });
  const point = await openPoint({ reader, volume, instant, ...(onProgress === undefined ? {} : { onProgress }), ...(signal === undefined ? {} : { signal }) });
  return { point, volume };
}
