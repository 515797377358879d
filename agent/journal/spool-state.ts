/**
 * What the spool must remember beside its segments, and what a start may conclude from it.
 *
 * Which sequences may rightly be missing after power loss: those written since the last local sync,
 * whether or not the receiver made them durable meanwhile. So what the receiver acknowledged is no
 * floor for the local segments; only what a local sync covered is, and only where it is the sole copy.
 */
import { asSequence, noSequence, type Sequence } from '../../proto/change.js';
import { errorCode, FormatError } from '../../proto/errors.js';
import type { JournalEnd, JournalId } from '../../proto/journal/frame.js';
import { digestBytes } from '../../proto/journal/layout.js';
import { readWhole, replaceFile, type Files } from '../../native/host/files.js';

/** All sequences are lower bounds: the file is replaced now and then, not with every frame. */
export interface SpoolMemory {
  /** Names the run of the operating system that wrote this. */
  readonly bootId: string;
  /** The receiver may hold changes that the segments here do not. */
  readonly mayBehind: boolean;
  /** This spool and the receiver have never agreed on what both hold. */
  readonly isNew: boolean;
  /** Where the journal went on from the receiver's end without the segments before it. */
  readonly base: JournalEnd | undefined;
  readonly locallyDurableThrough: Sequence;
  readonly receiverDurableThrough: Sequence;
}

const fileSizeBytesMax = 64 * 1024;
const memoryPath = (directory: string): string => `${directory}/state.json`;
const cleanPath = (directory: string): string => `${directory}/clean`;

/** The stored memory; undefined when there is none, or none that can be read, which means the same: nothing is known. */
export async function loadMemory(files: Files, directory: string, journal: JournalId): Promise<{ readonly memory: SpoolMemory | undefined; readonly fault: FormatError | undefined }> {
  const path = memoryPath(directory);
  let text: string;
  try {
    text = (await readWhole(files, path, fileSizeBytesMax)).toString('utf8');
  } catch (error) {
    if (errorCode(error) === 'ENOENT') return { memory: undefined, fault: undefined };
    throw error;
  }
  try {
    return { memory: decode(JSON.parse(text), journal), fault: undefined };
  } catch (cause) {
    return { memory: undefined, fault: new FormatError('read spool state', { path, cause }) };
  }
}

export async function saveMemory(files: Files, directory: string, journal: JournalId, memory: SpoolMemory): Promise<void> {
  const { base, ...rest } = memory;
  const stored = {
    version: 1,
    journal: journal.toString('hex'),
    ...rest,
    base: base === undefined ? null : { lastSequence: base.lastSequence, lastTimeNs: base.lastTimeNs, digest: base.digest.toString('hex') },
  };
  const text = JSON.stringify(stored, (_, value: unknown) => (typeof value === 'bigint' ? value.toString() : value), 2);
  await replaceFile(files, memoryPath(directory), Buffer.from(`${text}\n`));
}

/** Whether the last run ended by closing the journal. */
export function isMarkedClean(files: Files, directory: string): Promise<boolean> {
  return files.exists(cleanPath(directory));
}

/** Removes the mark, durably: to be done before anything is appended. */
export async function takeCleanMark(files: Files, directory: string): Promise<void> {
  if (!(await files.exists(cleanPath(directory)))) return;
  await files.remove(cleanPath(directory));
  await files.syncDirectory(directory);
}

export async function leaveCleanMark(files: Files, directory: string): Promise<void> {
  await (await files.create(cleanPath(directory))).close();
  await files.syncDirectory(directory);
}

/**
 * Up to where damage in the segments is to be reported rather than cut off as a torn write. What the
 * receiver holds as well is better cut off and fetched again.
 */
export function durableFloor(memory: SpoolMemory | undefined): Sequence {
  if (memory === undefined || memory.locallyDurableThrough <= memory.receiverDurableThrough) return noSequence;
  return memory.locallyDurableThrough;
}

export interface StartFacts {
  readonly memory: SpoolMemory | undefined;
  readonly isClean: boolean;
  readonly bootId: string;
  /** The end of what the segments hold. */
  readonly writtenThrough: Sequence;
  /** Bytes after that could not be read. */
  readonly isCut: boolean;
}

export const startTable: readonly { readonly label: string; readonly when: (facts: StartFacts) => boolean; readonly mayBehind: boolean }[] = [
  { label: 'nothing is remembered: a new journal, or a lost state', when: (f) => f.memory === undefined, mayBehind: true },
  { label: 'the last run ended before it could ask the receiver, or with a failed disk', when: (f) => f.memory!.mayBehind, mayBehind: true },
  { label: 'the segments end before what the receiver acknowledged', when: (f) => f.writtenThrough < f.memory!.receiverDurableThrough, mayBehind: true },
  // A failed sync takes back what was written, and perhaps shipped, and leaves such bytes in its place.
  { label: 'something was cut off at the end', when: (f) => f.isCut, mayBehind: true },
  { label: 'closed in order', when: (f) => f.isClean, mayBehind: false },
  // The page cache outlives a killed process: what was shipped had been written before.
  { label: 'killed, and the operating system ran on', when: (f) => f.memory!.bootId === f.bootId, mayBehind: false },
  { label: 'not closed, and the operating system was started again', when: () => true, mayBehind: true },
];

/** Whether the receiver may hold changes that the segments here do not. */
export function mayBehindAtStart(facts: StartFacts): boolean {
  return startTable.find((row) => row.when(facts))?.mayBehind ?? true;
}

function decode(value: unknown, journal: JournalId): SpoolMemory {
  const stored = (value ?? {}) as Record<string, unknown>;
  if (stored['version'] !== 1) throw new FormatError('decode spool state', { version: stored['version'], fault: 'unknown version' });
  if (stored['journal'] !== journal.toString('hex')) throw new FormatError('decode spool state', { journal: stored['journal'], fault: 'it belongs to another journal' });
  const { bootId, mayBehind, isNew } = stored;
  if (typeof bootId !== 'string' || typeof mayBehind !== 'boolean' || typeof isNew !== 'boolean') throw new FormatError('decode spool state', { fault: 'a field is missing' });
  return {
    bootId,
    mayBehind,
    isNew,
    base: baseFrom(stored['base'], journal),
    locallyDurableThrough: sequenceFrom(stored['locallyDurableThrough']),
    receiverDurableThrough: sequenceFrom(stored['receiverDurableThrough']),
  };
}

function baseFrom(value: unknown, journal: JournalId): JournalEnd | undefined {
  if (value === null) return undefined;
  const { lastSequence, lastTimeNs, digest } = (value ?? {}) as Record<string, unknown>;
  if (typeof digest !== 'string' || Buffer.from(digest, 'hex').byteLength !== digestBytes) throw new FormatError('decode spool state', { fault: 'no digest' });
  return { journal, lastSequence: sequenceFrom(lastSequence), lastTimeNs: sequenceFrom(lastTimeNs), digest: Buffer.from(digest, 'hex') };
}

function sequenceFrom(value: unknown): Sequence {
  if (typeof value !== 'string' || !/^\d{1,20}$/.test(value)) throw new FormatError('decode spool state', { value, fault: 'no number' });
  return asSequence(BigInt(value));
}
