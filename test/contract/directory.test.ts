/** Runs the directory contract on every implementation: the addon's, the one over node:fs, the one in memory. */
import { mkdtemp, rmdir, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import type { DirectoryOpener } from '../../native/host/directory.js';
import { MemoryTree } from '../../native/host/memory-directory.js';
import { plainDirectories } from '../../native/host/plain-directory.js';
import { systemDirectoryOpener } from '../../native/host/system-directory.js';
import { loadNative, nativeUnavailableReason } from '../../native/index.js';
import { entryContract } from './directory-entries.js';
import { fileContract } from './directory-files.js';
import { metadataContract } from './directory-metadata.js';
import { empty, type Subject } from './directory-subject.js';

const isRoot = process.getuid?.() === 0;

function onDisk(opener: DirectoryOpener): Subject['open'] {
  return async (t: Test) => {
    const path = await mkdtemp(join(tmpdir(), 'afterimage-contract-'));
    const root = await opener.openRoot(path);
    t.teardown(async () => {
      await empty(root);
      await root.close();
      await rmdir(path);
    });
    return root;
  };
}

/** Whether the disk under the temporary directory keeps user attributes; where it does not, the error is asserted. */
async function diskKeepsXattrs(): Promise<boolean> {
  const addon = loadNative();
  if (addon === undefined) return false;
  const path = await mkdtemp(join(tmpdir(), 'afterimage-contract-'));
  const root = await systemDirectoryOpener(addon).openRoot(path);
  try {
    await root.setXattr(undefined, 'user.probe', Buffer.from('x'));
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOTSUP') return false;
    throw error;
  } finally {
    await root.close();
    await rmdir(path);
  }
}

const subjects: Subject[] = [
  {
    label: 'plain',
    open: onDisk(plainDirectories),
    can: { exactTimes: false, xattrs: false, specials: false, exchange: false, holes: false, pathsOfAnyLength: false },
    asRoot: isRoot,
  },
  {
    label: 'memory',
    open: () => new MemoryTree().openRoot(),
    can: { exactTimes: true, xattrs: true, specials: true, exchange: true, holes: true, pathsOfAnyLength: true },
    asRoot: true,
  },
];
const addon = loadNative();
if (addon !== undefined) {
  const xattrs = await diskKeepsXattrs();
  subjects.unshift({
    label: 'system',
    open: onDisk(systemDirectoryOpener(addon)),
    can: { exactTimes: true, xattrs, specials: true, exchange: true, holes: true, pathsOfAnyLength: true },
    asRoot: isRoot,
  });
} else {
  t.test('system', { skip: nativeUnavailableReason() ?? true }, () => {});
}

for (const subject of subjects) {
  t.test(subject.label, async (t) => {
    entryContract(t, subject);
    fileContract(t, subject);
    metadataContract(t, subject);
  });
}

t.test('a root must be a directory, and may be reached through links', async (t) => {
  const openers = [plainDirectories, ...(addon === undefined ? [] : [systemDirectoryOpener(addon)])];
  const path = t.testdir({ real: { file: 'x' }, link: t.fixture('symlink', 'real') });
  await writeFile(join(path, 'plain-file'), '');
  for (const opener of openers) {
    const root = await opener.openRoot(join(path, 'link'));
    t.equal((await root.lookup(Buffer.from('file')))?.size, 1);
    await root.close();
    for (const [bad, code] of [['none', 'ENOENT'], ['plain-file', 'ENOTDIR'], ['nul\0', 'EINVAL']] as const) {
      await t.rejects(opener.openRoot(Buffer.from(join(path, bad))), { code });
    }
  }
});
