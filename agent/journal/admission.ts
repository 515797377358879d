/** Decides whether a batch is taken, refused or kept waiting: the budget of the spool, in bytes. */

export const spoolBytesMaxDefault = 10 * 1024 ** 3;
/** What control changes may take beyond the budget: a gap must be on record when content no longer is. */
export const reserveBytes = 16 * 1024 * 1024;
/** Closed frames that may wait to be written before appending waits. */
export const queueBytesMax = 8 * 1024 * 1024;
/** Content is taken again below this share of the budget, so that it does not stop and go at its edge. */
const roomShare = 0.9;

export type SpoolState = 'ok' | 'spent' | 'disk-full' | 'broken';

export interface AdmissionFacts {
  /** The receiver may hold sequences that are not known here. */
  readonly held: boolean;
  readonly controlOnly: boolean;
  readonly state: Exclude<SpoolState, 'broken'>;
  /** Bytes of closed frames that wait to be written. */
  readonly queuedBytes: number;
  /** Bytes that the spool holds and may not trim, queued ones included. */
  readonly usedBytes: number;
  readonly spoolBytesMax: number;
}

export type Admission = 'take' | 'refuse' | 'wait';

export const admissionTable: readonly { readonly label: string; readonly when: (facts: AdmissionFacts) => boolean; readonly verdict: Admission }[] = [
  { label: 'the receiver may hold these sequences already', when: (f) => f.held, verdict: 'wait' },
  { label: 'content, and the budget is spent or the disk full', when: (f) => !f.controlOnly && f.state !== 'ok', verdict: 'refuse' },
  { label: 'control changes, and the reserve is spent too', when: (f) => f.state === 'spent' && f.usedBytes > f.spoolBytesMax + reserveBytes, verdict: 'wait' },
  { label: 'control changes on a full disk, and the reserve in memory is spent', when: (f) => f.state === 'disk-full' && f.queuedBytes > queueBytesMax + reserveBytes, verdict: 'wait' },
  { label: 'control changes on a full disk', when: (f) => f.state === 'disk-full', verdict: 'take' },
  { label: 'the disk does not keep up', when: (f) => f.queuedBytes > queueBytesMax, verdict: 'wait' },
  { label: 'room', when: () => true, verdict: 'take' },
];

export function admission(facts: AdmissionFacts): Admission {
  for (const row of admissionTable) if (row.when(facts)) return row.verdict;
  return 'wait';
}

/** The budget with its hysteresis. */
export class SpoolBudget {
  readonly spoolBytesMax: number;
  #isSpent = false;

  constructor(spoolBytesMax: number) {
    this.spoolBytesMax = spoolBytesMax;
  }

  get isSpent(): boolean {
    return this.#isSpent;
  }

  /** Takes note of the bytes in use; true when the verdict changed. */
  update(usedBytes: number): boolean {
    const before = this.#isSpent;
    if (usedBytes >= this.spoolBytesMax) this.#isSpent = true;
    else if (usedBytes < this.spoolBytesMax * roomShare) this.#isSpent = false;
    return this.#isSpent !== before;
  }
}

/** Why the spool is not `ok`, for people. */
export function stateMessage(state: SpoolState, why: { readonly spoolBytesMax: number; readonly full: string; readonly broken: string }): string {
  switch (state) {
    case 'ok':
      return '';
    case 'spent':
      return `the spool's budget of ${why.spoolBytesMax} bytes is spent on what the receiver has not taken; content is not captured until it has`;
    case 'disk-full':
      return `${why.full}; content is not captured until there is space`;
    case 'broken':
      return why.broken;
  }
}
