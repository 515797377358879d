/** What is queued for block devices: applied to an image, the records make it what the device is. */
import { execFileSync } from 'node:child_process';
import t, { type Test } from 'tap';
import { type DiskPart, diskPart } from '../../native/capture/disks.js';
import { blockTree, RecordFlag, RecordKind } from '../../native/capture/record.js';
import { type CaptureStream, openCaptureStream } from '../../native/capture/stream.js';
import { captureSkipReason, decodeBatch, type CaptureRecord, runProgram } from './capture-harness.js';
import { packageReason } from './debian-package.js';
import { LoopDevice, loopDeviceSkip } from './loop-device.js';

t.setTimeout(300_000);
const skip = captureSkipReason() || loopDeviceSkip();

class BlockRecorder implements AsyncDisposable {
  readonly stream: CaptureStream;
  readonly records: CaptureRecord[] = [];
  readonly images = new Map<number, Buffer>();
  #through = 0n;

  constructor(ringBytes = 2 ** 27) {
    this.stream = openCaptureStream({ ringBytes });
  }

  async watch(path: string): Promise<DiskPart> {
    const part = await diskPart(Buffer.from(path));
    this.stream.watchBlocks({ disk: part.disk, device: part.device, offset: part.offsetBytes, length: part.sizeBytes });
    this.images.set(part.device, execFileSync('dd', [`if=${path}`, 'bs=1M', 'iflag=direct', 'status=none'], { maxBuffer: part.sizeBytes + 1 }));
    return part;
  }

  async collect(): Promise<void> {
    const position = this.stream.position();
    while (this.#through < position) {
      const batch = await this.stream.next();
      if (batch === undefined) throw new Error('the stream ended');
      this.#through = batch.through;
      // Names that any other program of the machine changes come with the stream too.
      for (const record of decodeBatch(batch.bytes).filter(({ kind }) => kind >= RecordKind.blockWrite)) {
        this.records.push(record);
        this.#apply(record);
      }
    }
  }

  /** Runs a shell script while the ring is emptied. */
  async run(script: string): Promise<void> {
    let running = true;
    const ended = runProgram('bash', ['-euc', script]).finally(() => (running = false));
    ended.catch(() => undefined);
    while (running) {
      await this.collect();
      await new Promise((resolve) => setTimeout(resolve, 2));
    }
    await ended;
    await this.collect();
  }

  #apply({ kind, device, offset, length, data }: CaptureRecord): void {
    const image = this.images.get(device);
    if (image === undefined) return;
    if (offset + length > image.length) throw new RangeError(`a record of [${offset}, ${offset + length}) on a device of ${image.length} bytes`);
    if (kind === RecordKind.blockWrite) data.copy(image, offset);
    if (kind === RecordKind.blockDiscard || kind === RecordKind.blockZero) image.fill(0, offset, offset + length);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stream[Symbol.asyncDispose]();
  }
}

function assertImage(t: Test, recorder: BlockRecorder, device: LoopDevice, part: DiskPart, label: string): void {
  const [image, content] = [recorder.images.get(part.device)!, device.content(`/dev/${part.name}`)];
  t.ok(image.equals(content), label);
  if (!image.equals(content)) t.comment(`first differing sector: ${Array.from({ length: content.length / 512 }, (_, at) => at).find((at) => !content.subarray(at * 512, at * 512 + 512).equals(image.subarray(at * 512, at * 512 + 512)))}`);
}

t.test('requests of all kinds', { skip }, async (t) => {
  using device = new LoopDevice({ sizeMiB: 64 });
  await using recorder = new BlockRecorder();
  const { path } = device;
  const part = await recorder.watch(path);
  t.equal(part.disk, part.device);
  const kinds = (): number[] => [...new Set(recorder.records.splice(0).map(({ kind }) => kind))].sort((a, b) => a - b);
  const steps: readonly (readonly [label: string, script: string, kind: number])[] = [
    ['buffered, then synced', `head -c 5000000 /dev/urandom | dd of=${path} bs=1000 seek=777 conv=notrunc,fsync iflag=fullblock status=none`, RecordKind.blockWrite],
    ['direct, a sector', `head -c 512 /dev/urandom | dd of=${path} bs=512 seek=1001 oflag=direct conv=notrunc status=none`, RecordKind.blockWrite],
    ['direct, large', `dd if=/dev/urandom of=${path} bs=5M count=3 seek=2 oflag=direct iflag=fullblock conv=notrunc status=none`, RecordKind.blockWrite],
    ['zeroes', `fallocate -z -o 1048576 -l 3000320 ${path}`, RecordKind.blockZero],
    ['discard', `blkdiscard -o 8388608 -l 4194304 ${path}`, RecordKind.blockDiscard],
    ['sync', `dd if=/dev/urandom of=${path} bs=4k count=3 seek=9 oflag=direct,sync conv=notrunc status=none`, RecordKind.blockFlush],
  ];
  for (const [label, script, kind] of steps) {
    await recorder.run(script);
    t.ok(kinds().includes(kind), `${label}: told as what it is`);
    assertImage(t, recorder, device, part, `${label}: the image is what the device is`);
  }
  t.strictSame(recorder.stream.takeLost(), { ranges: [], namesSinceNs: undefined, everythingSinceNs: undefined });
});

for (const [kind, packageName, options, mountOptions] of [['ext4', 'e2fsprogs', '-q -F', 'discard'], ['xfs', 'xfsprogs', '-q -f', 'discard'], ['btrfs', 'btrfs-progs', '-q -f', 'discard=sync']] as const) {
  t.test(`a file system: ${kind}`, { skip: skip || (packageReason(`mkfs.${kind}`, packageName) ?? false) }, async (t) => {
    using device = new LoopDevice({ sizeMiB: 400 });
    await using recorder = new BlockRecorder();
    const part = await recorder.watch(device.path);
    await recorder.run(`mkfs.${kind} ${options} ${device.path}`);
    assertImage(t, recorder, device, part, 'made');
    const mount = device.mount(device.path, '-o', mountOptions);
    await recorder.run(`cd ${mount}; cp -r /usr/share/doc . 2>/dev/null || true; for i in $(seq 50); do dd if=/dev/urandom of=f$i bs=4k count=$i conv=fsync status=none; done; rm -r doc; fsfreeze -f .`);
    assertImage(t, recorder, device, part, 'frozen');
    await recorder.run(`fsfreeze -u ${mount}`);
    device.unmount(mount);
    await recorder.collect();
    assertImage(t, recorder, device, part, 'unmounted');
    t.ok(recorder.records.some(({ kind, flags }) => kind === RecordKind.blockFlush || (flags & RecordFlag.durable) !== 0), 'with what makes it durable');
    t.strictSame(recorder.stream.takeLost(), { ranges: [], namesSinceNs: undefined, everythingSinceNs: undefined });
  });
}

t.test('partitions: one watched, another not, and the disk beside them', { skip }, async (t) => {
  using device = new LoopDevice({ sizeMiB: 64, partitions: [20, 20] });
  await using recorder = new BlockRecorder();
  const part = await recorder.watch(device.partition(2));
  t.equal(part.sizeBytes, 20 * 2 ** 20);
  t.not(part.disk, part.device);
  await recorder.run(`dd if=/dev/urandom of=${device.partition(1)} bs=64k count=100 oflag=direct status=none`);
  t.strictSame(recorder.records, [], 'of the other nothing is told');
  await recorder.run(`dd if=/dev/urandom of=${device.partition(2)} bs=64k count=100 seek=3 oflag=direct status=none; blkdiscard -o 65536 -l 131072 ${device.partition(2)}`);
  assertImage(t, recorder, device, part, 'through the partition');
  await recorder.run(`dd if=/dev/urandom of=${device.path} bs=1M count=10 seek=15 oflag=direct conv=notrunc status=none`);
  assertImage(t, recorder, device, part, 'through the disk, across its start');
  recorder.stream.unwatchBlocks(part.device);
  recorder.records.length = 0;
  await recorder.run(`dd if=/dev/urandom of=${device.partition(2)} bs=64k count=10 oflag=direct status=none`);
  t.strictSame(recorder.records, []);
});

t.test('what finds no room is owned up to, with where it is', { skip }, async (t) => {
  using device = new LoopDevice({ sizeMiB: 64 });
  await using recorder = new BlockRecorder(2 ** 18);
  const part = await recorder.watch(device.path);
  await runProgram('dd', ['if=/dev/urandom', `of=${device.path}`, 'bs=1M', 'count=40', 'seek=3', 'oflag=direct', 'conv=notrunc', 'status=none']);
  await recorder.stream.whenBlocksDone();
  await recorder.collect();
  const { ranges } = recorder.stream.takeLost();
  t.strictSame(ranges.map(({ device: number, tree, high }) => [number, tree, high]), [[part.device, blockTree, 43 * 2 ** 20]]);
  const [image, content] = [recorder.images.get(part.device)!, device.content()];
  content.copy(image, ranges[0]!.low, ranges[0]!.low, ranges[0]!.high);
  t.ok(image.equals(content), 'all that differs lies in there');
});
