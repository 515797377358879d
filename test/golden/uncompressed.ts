/** A frame that is stored as it is, however well it would shrink: its bytes depend on no version of zstd. */
import type { Change } from '../../proto/change.js';
import { encodeHeader, type JournalId } from '../../proto/journal/frame.js';
import { hash64 } from '../../proto/journal/hash.js';
import { encodePayload } from '../../proto/wire/convert.js';

export function encodeUncompressed({ journal, previousDigest, changes }: { readonly journal: JournalId; readonly previousDigest: Buffer; readonly changes: readonly Change[] }): Buffer {
  const [first, last] = [changes[0]!, changes[changes.length - 1]!];
  const payload = encodePayload(changes, first.timeNs);
  const header = encodeHeader({
    journal,
    firstSequence: first.sequence,
    lastSequence: last.sequence,
    firstTimeNs: first.timeNs,
    lastTimeNs: last.timeNs,
    codec: 'none',
    rawLength: payload.byteLength,
    storedLength: payload.byteLength,
    payloadHash: hash64(payload),
    previousDigest,
  });
  return Buffer.concat([header, payload]);
}
