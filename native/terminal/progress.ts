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
  const share = totalBytes > 0 ? doneBytes / totalBytes : (totalEntries ?? 0) > 0 ? (doneEntries ?? 0) / totalEntries! : 1;
  const rate = elapsedMs > 0 ? (doneBytes / elapsedMs) * 1000 : 0;
  const parts = [`${(Math.min(share, 1) * 100).toFixed(1)} %`];
  if (totalBytes > 0) parts.push(`${formatBytes(doneBytes)} of ${formatBytes(totalBytes)}`);
  else if (doneBytes > 0) parts.push(formatBytes(doneBytes));
  if (totalEntries !== undefined) parts.push(`${doneEntries ?? 0} of ${totalEntries} ${state.unit ?? 'entries'}`);
  if (doneBytes > 0) parts.push(`${formatBytes(Math.round(rate))}/s`);
  if (share < 1) parts.push(share > 0 && elapsedMs > 500 ? `${formatDuration((elapsedMs / share) * (1 - share))} left` : 'time left unknown');
  return parts.join(', ');
}

/** Shows progress on standard error, so that it never mixes with results. */
export function showProgress(title: string, options: { readonly quiet?: boolean; readonly monotonicMs: () => number }): ProgressDisplay {
  if (options.quiet === true) return { update: () => undefined, end: () => undefined };
  const begunMs = options.monotonicMs();
  let last: ProgressState = { doneBytes: 0, totalBytes: 0 };
  if (process.stderr.isTTY) {
    const bar = new progressBar.SingleBar({ format: `${title} [{bar}] {words}`, stream: process.stderr, hideCursor: true, barsize: 24, fps: 8, linewrap: false }, progressBar.Presets.shades_classic);
    bar.start(1, 0, { words: '' });
    const show = (): void => {
      const share = last.totalBytes > 0 ? last.doneBytes / last.totalBytes : (last.totalEntries ?? 0) > 0 ? (last.doneEntries ?? 0) / last.totalEntries! : 0;
      bar.update(Math.min(share, 1), { words: describeProgress(last, options.monotonicMs() - begunMs) });
    };
    return {
      update: (state) => {
        last = state;
        show();
      },
      end: () => {
        show();
        bar.stop();
      },
    };
  }
  let saidMs = begunMs;
  const say = (): void => void process.stderr.write(`${title}: ${describeProgress(last, options.monotonicMs() - begunMs)}\n`);
  return {
    update: (state) => {
      last = state;
      if (options.monotonicMs() - saidMs < plainIntervalMs) return;
      saidMs = options.monotonicMs();
      say();
    },
    end: say,
  };
}
