/** Which control changes a catalogue keeps: those that a listing shows or that define a volume. */
import { isControl, type Change, type ChangeBody } from '../../proto/change.js';
import { FormatError } from '../../proto/errors.js';
import type { Sequence, TimeNs } from '../../proto/change.js';
import { decodePayload, encodePayload } from '../../proto/wire/convert.js';

/** True of volumes, baselines, gaps, settled, marks and clock steps; not of the many flushes and durable edges. */
export function isCatalogued(body: ChangeBody): boolean {
  return isControl(body) && body.kind !== 'flush' && body.kind !== 'durable';
}

/** One change as bytes, to be read back with its sequence and time. */
export function encodeControl(change: Change): Buffer {
  return encodePayload([change], change.timeNs);
}

export function decodeControl(bytes: Buffer, { sequence, timeNs }: { readonly sequence: Sequence; readonly timeNs: TimeNs }): Change {
  const change = decodePayload(bytes, { firstSequence: sequence, firstTimeNs: timeNs, count: 1 }).changes[0]!;
  if (change.timeNs !== timeNs) throw new FormatError('read control change', { sequence, fault: 'its time differs' });
  return change;
}
