/** Progress of long work: a bar on a terminal, plain lines from time to time elsewhere. */
import progressBar from 'cli-progress';
import { formatBytes, formatDuration } from './format.js';

export interface ProgressState {
  readonly doneBytes: number;
  readonly totalBytes: number;
  readonly doneEntries?: number;
  readonly totalEntries?: number;
  /** What the entries are, in the plural; `entries` unless told. */
  readonly unit?: string;
}

export interface ProgressDisplay {
  update(state: ProgressState): void;
  /** Ends the display; the last state stays visible. */
  end(): void;
}

/** Seconds between plain lines, where the output is no terminal. */
const plainIntervalMs = 5000;

/** What a state says in words: percentage, bytes, rate, remaining time. A total of 0 bytes means that it is not known. */
export function describeProgress(state: ProgressState, elapsedMs: number): string {
  const { doneBytes, totalBytes, doneEntries, totalEntries } = state;
  const share = shareOf(state);
  const rate = elapsedMs > 0 ? (doneBytes / elapsedMs) * 1000 : 0;
  const parts = share === undefined ? [] : [`${(share * 100).toFixed(1)} %`];
  if (totalBytes > 0) parts.push(`${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`);
  else if (doneBytes > 0) parts.push(formatBytes(doneBytes));
  if ((totalEntries ?? 0) > 0) parts.push(`${doneEntries ?? 0} of ${totalEntries} ${state.unit ?? 'entries'}`);
  if (doneBytes > 0) parts.push(`${formatBytes(Math.round(rate))}/s`);
  if (share !== 1) parts.push(share !== undefined && share > 0 && elapsedMs > 500 ? `${formatDuration((elapsedMs / share) * (1 - share))} left` : 'time left unknown');
  return parts.join(', ');
}

/** How much of it is done, by bytes where their total is known; undefined where no total is. */
function shareOf({ doneBytes, totalBytes, doneEntries = 0, totalEntries = 0 }: ProgressState): number | undefined {
  if (totalBytes > 0) return Math.min(doneBytes / totalBytes, 1);
  return totalEntries > 0 ? Math.min(doneEntries / totalEntries, 1) : undefined;
}

/** Shows progress on standard error, so that it never mixes with results. Work that never got anywhere shows nothing. */
export function showProgress(title: string, options: { readonly quiet?: boolean; readonly monotonicMs: () => number; readonly stream?: NodeJS.WriteStream }): ProgressDisplay {
  if (options.quiet === true) return { update: () => undefined, end: () => undefined };
  const { stream = process.stderr } = options;
  const begunMs = options.monotonicMs();
  let last: ProgressState | undefined;
  const words = (state: ProgressState): string => describeProgress(state, options.monotonicMs() - begunMs);
  if (stream.isTTY) {
    const bar = new progressBar.SingleBar({ format: `${title} [{bar}] {words}`, stream, hideCursor: true, barsize: 24, fps: 8, linewrap: false }, progressBar.Presets.shades_classic);
    return {
      update: (state) => {
        // What is said before the first state must not end up in the bar's line.
        if (last === undefined) bar.start(1, 0, { words: '' });
        last = state;
        bar.update(shareOf(state) ?? 0, { words: words(state) });
      },
      end: () => {
        if (last === undefined) return;
        bar.update(shareOf(last) ?? 0, { words: words(last) });
        bar.stop();
      },
    };
  }
  let saidMs = begunMs;
  const say = (state: ProgressState): void => void stream.write(`${title}: ${words(state)}\n`);
  return {
    update: (state) => {
      last = state;
      if (options.monotonicMs() - saidMs < plainIntervalMs) return;
      saidMs = options.monotonicMs();
      say(state);
    },
    end: () => {
      if (last !== undefined) say(last);
    },
  };
}
