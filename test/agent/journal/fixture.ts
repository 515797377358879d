/** What the journal tests share: a journal over files in memory and a clock moved by hand, and a receiver's copy of it. */
import type { JournalOptions } from '../../../agent/journal/journal-types.js';
import { AgentJournal } from '../../../agent/journal/journal.js';
import { asNodeId, asSequence, asVolumeId, noSequence, type CapturedChange, type Change, type Sequence } from '../../../proto/change.js';
import { encodeFrame, readFrame, zeroDigest, type Frame, type JournalEnd } from '../../../proto/journal/frame.js';
import { protocolVersion, type Welcome } from '../../../proto/wire/messages.js';
import { ManualClock } from '../../sim/clock.js';
import { MemoryFiles } from './memory-files.js';

export const journalId = Buffer.alloc(16, 7);
export const stateDirectory = '/state';

export interface LogLine {
  readonly level: string;
  readonly message: string;
}

export function collectingLogger(lines: LogLine[] = []) {
  const log = (level: string) => (_: unknown, message?: string) => void lines.push({ level, message: message ?? '' });
  return { lines, debug: log('debug'), info: log('info'), warn: log('warn'), error: log('error') } as const;
}

export interface Opened {
  readonly journal: AgentJournal;
  readonly clock: ManualClock;
  readonly files: MemoryFiles;
  readonly lines: readonly LogLine[];
}

/** Opens a journal; unless `as: 'found'`, one that has met its empty receiver already. */
export async function openJournal(options: Partial<JournalOptions> & { readonly files?: MemoryFiles; readonly clock?: ManualClock; readonly as?: 'found' } = {}): Promise<Opened> {
  const { as, files = new MemoryFiles(), clock = new ManualClock(), ...rest } = options;
  const logger = collectingLogger();
  const journal = await AgentJournal.open({ files, clock, logger: logger as unknown as JournalOptions['logger'], stateDirectory, journal: journalId, bootId: 'boot-1', ...rest });
  if (as !== 'found') await journal.reconcile({ welcome: welcomeAt(), readFrames: nothing });
  return { journal, clock, files, lines: logger.lines };
}

export async function* nothing(): AsyncGenerator<Buffer> {}

export function welcomeAt(end: { readonly lastSequence: Sequence; readonly lastTimeNs: bigint; readonly digest: Buffer } = { lastSequence: noSequence, lastTimeNs: 0n, digest: zeroDigest }, rest: Partial<Welcome> = {}): Welcome {
  return {
    kind: 'welcome', protocolVersion, durableThrough: end.lastSequence, digest: end.digest, lastTimeNs: end.lastTimeNs,
    appliedThrough: noSequence, windowBytes: 16 * 1024 * 1024, lastVolume: asVolumeId(0), liveVolumes: [], ...rest,
  };
}

export const write = (bytes: number, fill = 1, timeNs?: bigint): CapturedChange => ({
  volume: asVolumeId(1), body: { kind: 'write', node: asNodeId(2n), offset: 0, data: Buffer.alloc(bytes, fill) }, ...(timeNs === undefined ? {} : { timeNs }),
});
export const gap = (id = 1): CapturedChange => ({ volume: asVolumeId(1), body: { kind: 'gap', edge: 'open', gap: id, label: 'unknown', cause: 'test', sinceNs: 1n } });

/** A write that does not compress. */
export function noise(bytes: number, seed = 1): CapturedChange {
  const data = Buffer.alloc(bytes);
  // xorshift32
  let x = Math.imul(seed, 0x9e3779b1) | 1;
  for (let at = 0; at + 4 <= bytes; at += 4) {
    x ^= x << 13;
    x ^= x >>> 17;
    x ^= x << 5;
    data.writeInt32LE(x, at);
  }
  return { volume: asVolumeId(1), body: { kind: 'write', node: asNodeId(2n), offset: 0, data } };
}

export async function collect<T>(items: AsyncIterable<T>): Promise<T[]> {
  const all: T[] = [];
  for await (const item of items) all.push(item);
  return all;
}

export async function allChanges(journal: AgentJournal, after: Sequence = noSequence): Promise<Change[]> {
  return (await collect(journal.changes(after))).flat();
}

/** A receiver's copy of a journal: whole frames in order. */
export class Copy {
  readonly frames: Frame[] = [];

  get end(): JournalEnd {
    const last = this.frames[this.frames.length - 1];
    if (last === undefined) return { journal: journalId, lastSequence: noSequence, lastTimeNs: 0n, digest: zeroDigest };
    return { journal: journalId, lastSequence: last.header.lastSequence, lastTimeNs: last.header.lastTimeNs, digest: last.digest };
  }

  /** A frame of its own making: another history, or one this host forgot. */
  add(changes: number, fill = 9): this {
    const { lastSequence, lastTimeNs, digest } = this.end;
    const body = write(100, fill);
    const made = Array.from({ length: changes }, (_, at) => ({ ...body, sequence: asSequence(lastSequence + BigInt(at) + 1n), timeNs: lastTimeNs + 1n }));
    this.frames.push(encodeFrame({ journal: journalId, previousDigest: digest, changes: made }));
    return this;
  }

  /** Takes everything a journal has written. */
  async take(journal: AgentJournal, through?: Sequence): Promise<this> {
    for await (const frame of journal.frames(this.end.lastSequence)) {
      if (through !== undefined && frame.header.lastSequence > through) break;
      this.frames.push(readFrame(Buffer.from(frame.bytes)));
    }
    return this;
  }

  readonly readFrames = async function* (this: Copy, after: Sequence): AsyncGenerator<Buffer> {
    for (const frame of this.frames) if (frame.header.lastSequence > after) yield Buffer.from(frame.bytes);
  }.bind(this);

  welcome(rest: Partial<Welcome> = {}): Welcome {
    return welcomeAt(this.end, rest);
  }
}
