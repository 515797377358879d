/** What capture of a block device overlooked is found by the comparison in the background, put on record, and healed. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { ExactSource } from '../../agent/capture/exact.js';
import { exactKernel } from '../../agent/exact-kernel.js';
import { RecordKind } from '../../native/capture/record.js';
import { systemClock } from '../../native/host/clock.js';
import { RecordingSink } from '../agent/capture/recording-sink.js';
import { volume } from './exact-bench.js';
import { exactSkip } from './exact-world.js';
import { LoopDevice, loopDeviceSkip } from './loop-device.js';
import { lossyStream, type Loss } from './lossy-kernel.js';

t.setTimeout(120_000);
const skip = (await exactSkip()) || loopDeviceSkip();

t.test('writes that nothing told of', { skip }, async (t) => {
  using device = new LoopDevice({ sizeMiB: 24 });
  const stateDirectory = mkdtempSync(join(tmpdir(), 'afterimage-device-comparison-'));
  t.teardown(() => rmSync(stateDirectory, { recursive: true, force: true }));
  const write = (...words: string[]): unknown => execFileSync('dd', [`of=${device.path}`, 'oflag=direct', 'conv=notrunc', 'iflag=fullblock', 'status=none', ...words]);
  const isBlock = ({ kind }: { readonly kind: number }): boolean => kind >= RecordKind.blockWrite;
  write('if=/dev/urandom', 'bs=1M', 'count=20');
  const loss: Loss = { drops: () => false };
  const kernel = exactKernel({ ringBytes: 8 * 1024 * 1024, stateDirectory, keepSeconds: 0 });
  const sink = new RecordingSink();
  const log = (): undefined => undefined;
  await using source = await ExactSource.open({
    clock: systemClock, stateDirectory,
    kernel: { ...kernel, openStream: () => lossyStream(kernel.openStream(), loss) },
    comparison: { intervalMs: 50, rest: 0, confirmMs: 20 },
    logger: { debug: log, info: log, warn: log, error: log },
  });
  await source.start(sink);
  await source.add({ volume, name: 'disk', kind: 'device', path: Buffer.from(device.path), exclude: [], excludedDirectories: [] });
  const until = async (what: string, holds: () => boolean): Promise<void> => {
    for (const endMs = performance.now() + 60_000; !holds(); await systemClock.sleep(10)) if (performance.now() > endMs) throw new Error(`not ${what}: ${JSON.stringify(source.status(volume))}`);
  };
  const compared = (): bigint => source.status(volume)?.comparison?.endedNs ?? 0n;
  const image = (): Buffer => {
    const bytes = Buffer.alloc(device.sizeBytes);
    for (const { body } of sink.changes) {
      if (body.kind === 'write') body.data.copy(bytes, body.offset);
      if (body.kind === 'zero' || body.kind === 'discard') bytes.fill(0, body.offset, body.offset + body.length);
    }
    return bytes;
  };
  await until('exact', () => source.status(volume)?.label === 'exact');
  const causes = (): string[] => sink.changes.flatMap(({ body }) => (body.kind === 'gap' && body.edge === 'open' ? [body.cause] : []));

  const before = compared();
  await until('compared', () => compared() > before);
  t.strictSame(causes(), [], 'nothing is found where nothing was overlooked');
  t.ok(image().equals(device.content()));

  loss.drops = isBlock;
  write('if=/dev/urandom', 'bs=512', 'seek=1001', 'count=3');
  write('if=/dev/zero', 'bs=64k', 'seek=40', 'count=2');
  write('if=/dev/urandom', 'bs=1M', 'seek=22', 'count=1');
  await source.flush();
  loss.drops = () => false;
  t.notOk(image().equals(device.content()), 'the journal lacks them');
  await until('found', () => causes().length > 0);
  await until('exact', () => source.status(volume)?.label === 'exact' && image().equals(device.content()));
  t.strictSame([...new Set(causes())], ['a comparison found what capture had overlooked']);

  // Blocks whose hash is not known are sent once more, and no difference.
  write('if=/dev/urandom', 'bs=512', 'seek=5000', 'count=1');
  execFileSync('blkdiscard', ['-o', '8388608', '-l', '1048576', device.path]);
  await source.flush();
  const [found, ended] = [source.status(volume)!.comparison!.differences, compared()];
  await until('compared once more', () => compared() > ended);
  t.equal(source.status(volume)!.comparison!.differences, found);
  t.ok(image().equals(device.content()));
});
