/** A receiver's data directory with the journal of a device in it, as an agent would have filled it. */
import { join } from 'node:path';
import { systemClock } from '../../../native/host/clock.js';
import { systemFiles } from '../../../native/host/files.js';
import { asSequence, asVolumeId, noSequence, rootNode, type ChangeBody, type Sequence } from '../../../proto/change.js';
import { FrameBuilder, zeroDigest } from '../../../proto/journal/frame.js';
import { writeHostFile } from '../../../receiver/store/host-file.js';
import { LocalSegmentStore } from '../../../receiver/store/local-segment-store.js';
import { ReceiverProgram } from '../../end-to-end/programs.js';

export const deviceHost = 'device-host';
export const deviceVolume = 'disk';
const frameBytes = 1024 * 1024;
const volume = asVolumeId(1);

/** What comes before the content of a device, and ends its first copy. */
export function begun(sizeBytes: number): ChangeBody[] {
  return [
    { kind: 'volume', name: deviceVolume, volumeKind: 'device', path: '/dev/vda', engine: 'exact', platform: 'linux' },
    { kind: 'baseline', edge: 'begin' },
    { kind: 'truncate', node: rootNode, size: sizeBytes },
    { kind: 'baseline', edge: 'end' },
  ];
}

export function written(offset: number, data: Buffer): ChangeBody {
  return { kind: 'write', node: rootNode, offset, data };
}

/** Makes the directory, and stores the changes in it, a microsecond after each other, the last of them in the past; the last sequence. */
export async function storeDevice(data: string, bodies: Iterable<ChangeBody>): Promise<{ readonly receiver: ReceiverProgram; readonly through: Sequence }> {
  const receiver = await ReceiverProgram.init(data);
  const journal = Buffer.alloc(16, 9);
  await using store = new LocalSegmentStore({ files: systemFiles, directory: join(data, 'journals') });
  const beganNs = systemClock.wallNs() - 3_600_000_000_000n;
  let sequence = 0n;
  {
    await using appender = await store.openAppender(journal, noSequence);
    const builder = new FrameBuilder();
    let previousDigest = zeroDigest;
    let bytes = 0;
    const close = async (): Promise<void> => {
      const frame = builder.close({ journal, previousDigest });
      previousDigest = frame.digest;
      bytes = 0;
      await appender.append(frame);
    };
    for (const body of bodies) {
      const more = body.kind === 'write' ? body.data.byteLength : 100;
      if (builder.count > 0 && bytes + more > frameBytes) await close();
      sequence += 1n;
      builder.add({ sequence: asSequence(sequence), timeNs: beganNs + sequence * 1000n, volume, body });
      bytes += more;
    }
    if (builder.count > 0) await close();
    await appender.sync();
  }
  await writeHostFile(systemFiles, store.directoryOf(journal), { name: deviceHost, role: 'host', journal, createdNs: beganNs });
  await receiver.command('rebuild-catalogue');
  return { receiver, through: asSequence(sequence) };
}
