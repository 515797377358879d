/** Says whether the exact engine can serve a path, and why not. */
import { stat } from 'node:fs/promises';
import { diskPart } from '../../native/capture/disks.js';
import { captureUnavailableReason } from '../../native/capture/stream.js';
import { mountOf } from '../../native/capture/mounts.js';
import { namesUnavailableReason } from '../../native/capture/names.js';
import type { EngineVerdict } from './change-source.js';

/** File systems on which every write path was tried. */
const fileSystemTypes = ['ext4', 'xfs', 'btrfs', 'tmpfs'];

export async function exactVerdict(path: string): Promise<EngineVerdict> {
  const unavailable = (reason: string): EngineVerdict => ({ engine: 'exact', available: false, reason });
  if (process.platform !== 'linux') return unavailable('it needs Linux');
  const reason = captureUnavailableReason();
  if (reason !== undefined) return unavailable(reason);
  try {
    if ((await stat(path)).isBlockDevice()) {
      if (process.getuid?.() !== 0) return unavailable('it needs root');
      const { name } = await diskPart(Buffer.from(path));
      return { engine: 'exact', available: true, reason: `captures every write to ${name} as it is queued (eBPF)` };
    }
    const { type } = await mountOf(Buffer.from(path));
    if (!fileSystemTypes.includes(type)) return unavailable(`${path} is on ${type}; it captures ${fileSystemTypes.join(', ')}`);
    const names = namesUnavailableReason(Buffer.from(path));
    if (names !== undefined) return unavailable(names);
    return { engine: 'exact', available: true, reason: `captures every write as it is made (${type}, eBPF)` };
  } catch (error) {
    return unavailable((error as Error).message);
  }
}
