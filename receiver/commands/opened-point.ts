/** Opens the point that a command's options name, and says of it what a person has to know. */
import { systemClock } from '../../native/host/clock.js';
import { showProgress } from '../../native/terminal/progress.js';
import type { DataDirectory } from '../data.js';
import type { Point } from '../recovery/point.js';
import { describeLabel } from '../recovery/restore-source.js';
import type { PointOption } from './options.js';

/** Opens it with progress on standard error. */
export function openShown(data: DataDirectory, options: PointOption, signal: AbortSignal): ReturnType<DataDirectory['point']> {
  const reading = showProgress('open point', { quiet: options.json === true, monotonicMs: () => systemClock.monotonicMs() });
  return data
    .point(options, ({ sequence, through }) => reading.update({ doneBytes: 0, totalBytes: 0, doneEntries: Number(sequence), totalEntries: Number(through), unit: 'changes' }), signal)
    .finally(() => reading.end());
}

/** A label that is not exact is said on standard error, so that it never mixes with results. */
export function sayLabel(point: Point): void {
  if (point.label.label !== 'exact') process.stderr.write(`this point is ${describeLabel(point.label)}\n`);
  if (point.anomalies.count > 0) process.stderr.write(`the journal has ${point.anomalies.count} changes before this point that did not fit: ${point.anomalies.first.join('; ')}\n`);
}
