/** The gaps of one volume, as the journal and the index have them. */
import type { VolumeLabel } from '../change-source.js';
import type { VolumeParts } from '../tree/volume-parts.js';

export type GapLabel = 'converging' | 'unknown';

export class VolumeGaps {
  readonly #parts: Pick<VolumeParts, 'index' | 'recorder' | 'volume'>;
  /** Opened since capture began. */
  opened = 0;

  constructor(parts: Pick<VolumeParts, 'index' | 'recorder' | 'volume'>) {
    this.#parts = parts;
  }

  /** Asked of the index, not of what was meant to be: the journal may have refused a gap. */
  get current() {
    return this.#parts.index.openGaps(this.#parts.volume);
  }

  /** What they make of the volume, and why; `failed`: what ended its capture, if anything did. */
  standing(failed: string | undefined): { readonly label: VolumeLabel; readonly cause: string } {
    const { index, volume } = this.#parts;
    const gaps = this.current;
    const isUnknown = failed !== undefined || gaps.some(({ label }) => label === 'unknown');
    const label: VolumeLabel = index.volume(volume)?.baseline !== 'done' ? 'baseline' : isUnknown ? 'unknown' : gaps.length > 0 ? 'converging' : 'exact';
    const causes = [failed, ...gaps.map(({ cause }) => cause), ...(label === 'baseline' ? ['the initial copy is not complete'] : [])];
    return { label, cause: [...new Set(causes.filter((cause) => cause !== undefined))].join('; ') };
  }

  async openOnce(label: GapLabel, cause: string, sinceNs: bigint): Promise<void> {
    if (!this.current.some((gap) => gap.cause === cause)) await this.open(label, cause, sinceNs);
  }

  async open(label: GapLabel, cause: string, sinceNs: bigint): Promise<void> {
    const { index, recorder, volume } = this.#parts;
    this.opened += 1;
    await recorder.control(volume, { kind: 'gap', edge: 'open', gap: index.volume(volume)!.nextGap, label, cause, sinceNs });
  }

  /** Does nothing when the gap is closed already. */
  async close(gap: number): Promise<void> {
    const open = this.current.find((other) => other.gap === gap);
    if (open !== undefined) await this.#parts.recorder.control(this.#parts.volume, { kind: 'gap', edge: 'close', ...open });
  }

  async closeCauses(causes: ReadonlySet<string>): Promise<void> {
    for (const { gap, cause } of this.current) if (causes.has(cause)) await this.close(gap);
  }
}
