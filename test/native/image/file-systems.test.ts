/** Which file system of an image is taken. */
import t from 'tap';
import { chooseFileSystem, type ImageFileSystem } from '../../../native/image/file-systems.js';

const on = (partition: number | undefined, kind: string): ImageFileSystem => ({ partition, offset: 0, length: 1000, kind });

t.test('the only one that can be mounted is taken, or the one that is asked for', async (t) => {
  const rows: readonly [label: string, found: readonly ImageFileSystem[], partition: number | undefined, verdict: number | 'whole' | RegExp][] = [
    ['one over all', [on(undefined, 'ext4')], undefined, 'whole'],
    ['one over all, and a partition is asked for', [on(undefined, 'ext4')], 1, /no partition 1; the image holds on all of it ext4/],
    ['the only one', [on(1, ''), on(2, 'swap'), on(3, 'xfs')], undefined, 3],
    ['one of two', [on(1, 'vfat'), on(2, 'ext4')], 2, 2],
    ['two, and none is asked for', [on(1, 'vfat'), on(2, 'ext4')], undefined, /--partition; the image holds partition 1: vfat \(1000 bytes\), partition 2: ext4/],
    ['one that is not there', [on(1, 'vfat')], 4, /no partition 4/],
    ['one that cannot be mounted', [on(1, 'vfat'), on(2, 'crypto_LUKS')], 2, /partition 2 cannot be mounted, only ext2/],
    ['none that can be mounted', [on(1, 'LVM2_member'), on(2, '')], undefined, /no file system can be mounted.*partition 2: unknown content/],
    ['a kind that rarely anybody uses', [on(undefined, 'hfsplus')], undefined, /no file system can be mounted/],
    ['nothing', [], undefined, /neither a file system nor partitions/],
  ];
  for (const [label, found, partition, verdict] of rows) {
    if (verdict instanceof RegExp) t.throws(() => chooseFileSystem(found, partition), { name: 'TreeRestoreError', code: 'request', message: verdict }, label);
    else t.equal(chooseFileSystem(found, partition).partition ?? 'whole', verdict, label);
  }
});
