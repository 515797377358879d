/** What is known of block devices, from files as the kernel shows them. */
import { mkdir, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { splitDevice, type DeviceNumber } from '../../../native/host/device-number.js';
import { deviceFacts, type DeviceFacts } from '../../../native/image/device-use.js';

interface Kernel {
  readonly mountinfo?: readonly string[];
  readonly swaps?: readonly string[];
  /** Files below /sys/block, beside those of the disk sda and its partitions sda1 and sda2. */
  readonly files?: Readonly<Record<string, string>>;
}

const numbers: Readonly<Record<string, DeviceNumber>> = { '/dev/sda': { major: 8, minor: 0 }, '/dev/sda1': { major: 8, minor: 1 }, '/dev/sda2': { major: 8, minor: 2 }, '/dev/with blank': { major: 8, minor: 2 } };

async function factsOf(t: Test, number: DeviceNumber, { mountinfo = [], swaps = [], files = {} }: Kernel): Promise<DeviceFacts> {
  const directory = t.testdir({});
  const put = async (path: string, text: string): Promise<void> => {
    await mkdir(dirname(join(directory, path)), { recursive: true });
    await writeFile(join(directory, path), text);
  };
  const disk = 'sys/devices/pci/sda';
  for (const [name, text] of Object.entries({
    [`${disk}/dev`]: '8:0\n', [`${disk}/size`]: '2048\n', [`${disk}/ro`]: '0\n', [`${disk}/queue/rotational`]: '0\n',
    [`${disk}/sda1/dev`]: '8:1\n', [`${disk}/sda1/partition`]: '1\n', [`${disk}/sda1/size`]: '100\n', [`${disk}/sda1/ro`]: '1\n',
    [`${disk}/sda2/dev`]: '8:2\n', [`${disk}/sda2/partition`]: '2\n', [`${disk}/sda2/size`]: '200\n',
    ...files,
    'proc/self/mountinfo': mountinfo.join('\n'), 'proc/swaps': ['Filename Type Size Used Priority', ...swaps].join('\n'),
  })) await put(name, text);
  await mkdir(join(directory, 'sys', 'dev', 'block'), { recursive: true });
  for (const [path, to] of Object.entries({ '8:0': 'sda', '8:1': 'sda/sda1', '8:2': 'sda/sda2' })) await symlink(`../../devices/pci/${to}`, join(directory, 'sys', 'dev', 'block', path));
  return deviceFacts(number, { proc: join(directory, 'proc'), sys: join(directory, 'sys'), numberAt: async (path) => numbers[path] });
}

const disk = { major: 8, minor: 0 };
const first = { major: 8, minor: 1 };

t.test('a disk and a partition that nothing uses', async (t) => {
  t.strictSame(await factsOf(t, disk, {}), { name: 'sda', sizeBytes: 1024 * 1024, isReadOnly: false, isPartition: false, partitions: ['sda1', 'sda2'], uses: [] });
  t.strictSame(await factsOf(t, first, {}), { name: 'sda1', sizeBytes: 51_200, isReadOnly: true, isPartition: true, partitions: [], uses: [] });
  await t.rejects(factsOf(t, { major: 9, minor: 9 }, {}), { code: 'ENOENT' }, 'of what is not there nothing is said');
});

t.test('every use is found', async (t) => {
  const other = '22 1 0:5 / /proc rw shared:3 - proc proc rw';
  const rows: readonly [label: string, number: DeviceNumber, kernel: Kernel, uses: readonly string[]][] = [
    ['mounted', disk, { mountinfo: [other, '30 1 8:0 / /srv rw,relatime shared:1 - ext4 /dev/sda rw'] }, ['it is mounted at /srv']],
    ['a mounted partition', disk, { mountinfo: [other, '30 1 8:1 / /srv rw - ext4 /dev/sda1 rw', '31 1 8:1 /a /bound rw master:1 propagate_from:2 - ext4 /dev/sda1 rw'] }, ['its partition sda1 is mounted at /srv', 'its partition sda1 is mounted at /bound']],
    ['a mounted partition of another number, by its source', disk, { mountinfo: ['30 1 0:47 /@ / rw - btrfs /dev/sda2 rw,subvol=/@'] }, ['its partition sda2 is mounted at /']],
    ['a source and a place with blanks', disk, { mountinfo: ['30 1 0:47 / /the\\040place rw - btrfs /dev/with\\040blank rw'] }, ['its partition sda2 is mounted at /the place']],
    ['the sibling of a mounted partition', first, { mountinfo: ['30 1 8:2 / /srv rw - ext4 /dev/sda2 rw'] }, []],
    ['swap', disk, { swaps: ['/dev/sda2 partition 1 0 -2', '/swapfile file 1 0 -3'] }, ['its partition sda2 is used as swap']],
    ['a holder', disk, { files: { 'sys/devices/pci/sda/holders/dm-0': '', 'sys/devices/pci/sda/holders/md0': '' } }, ['it is part of dm-0, md0']],
    ['a holder of a partition', disk, { files: { 'sys/devices/pci/sda/sda1/holders/dm-3': '' } }, ['its partition sda1 is part of dm-3']],
    ['a loop device on it', disk, { files: { 'sys/block/loop7/loop/backing_file': '/dev/sda1\n', 'sys/block/loop8/loop/backing_file': '/srv/image\n', 'sys/block/loop9/size': '0\n' } }, ['its partition sda1 is what loop7 is made on']],
  ];
  for (const [label, number, kernel, uses] of rows) t.strictSame((await factsOf(t, number, kernel)).uses, uses, label);
});

t.test('device numbers are taken apart as Linux puts them together', async (t) => {
  t.strictSame(splitDevice(0x0801), { major: 8, minor: 1 });
  t.strictSame(splitDevice(66_309), { major: 259, minor: 5 });
  t.strictSame(splitDevice(0x1234_5678), { major: 0x456, minor: 0x12378 });
});
