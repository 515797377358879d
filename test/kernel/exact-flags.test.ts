/** Inode flags (chattr): carried with their instants, set by a restore, and no obstacle to one. */
import { link, mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import { decodeFlags, FileFlag, flagsKey, setFlags } from '../../native/host/file-flags.js';
import { systemDirectories } from '../../native/index.js';
import { removeEntry } from '../../native/tree/remove-tree.js';
import { exactSkip, openExactWorld, type ExactWorld } from './exact-world.js';
import { fileSystemKinds } from './file-systems.js';
import { compareTrees } from './tree-compare.js';

t.setTimeout(600_000);
const { immutable, appendOnly, noDump } = FileFlag;

async function give(root: string, path: string, flags: number): Promise<void> {
  await inParent(root, path, (directory, name) => setFlags(directory, name, flags));
}

async function flagsOf(root: string, path: string): Promise<number> {
  return inParent(root, path, async (directory, name) => decodeFlags((await directory.xattrs(name)).get(flagsKey)));
}

async function inParent<Result>(root: string, path: string, use: (directory: Awaited<ReturnType<typeof systemDirectories.openRoot>>, name: Buffer) => Promise<Result>): Promise<Result> {
  const directory = await systemDirectories.openRoot(join(root, path, '..'));
  try {
    return await use(directory, Buffer.from(path.split('/').at(-1)!));
  } finally {
    await directory.close();
  }
}

interface RestoreReport {
  readonly created: { readonly count: number };
  readonly changed: { readonly count: number };
  readonly deleted: { readonly count: number };
  readonly skipped: readonly unknown[];
}

function restore({ world }: ExactWorld, at: string, to: string, ...more: string[]): Promise<RestoreReport> {
  return world.receiver.json<RestoreReport>('restore', '--host', 'tested-host', '--volume', 'data', '--at', at, '--to', to, ...more);
}

for (const kind of fileSystemKinds) {
  t.test(kind, { skip: await exactSkip(kind) }, async (t) => {
    await using exact = await openExactWorld(kind);
    const { source, outside, world } = exact;
    const at = (...parts: string[]): string => join(source, ...parts);
    await mkdir(at('locked'));
    await mkdir(at('plain'));
    for (const path of ['locked/inside', 'still', 'log', 'twice', 'plain/kept', 'plain/quiet']) await writeFile(at(path), `what ${path} holds`);
    await link(at('twice'), at('plain/second'));
    for (const [path, flags] of [['locked/inside', immutable], ['locked', immutable], ['still', immutable], ['log', appendOnly | noDump], ['twice', immutable], ['plain', noDump]] as const) await give(source, path, flags);
    await writeFile(at('log'), ', and more', { flag: 'a' });
    await writeFile(at('plain/inherits'), 'made after its directory was given a flag');
    const inherited = await flagsOf(source, 'plain/inherits');
    await world.agent.command('mark', 'locked');

    // Everything else than it was: unlocked, changed, gone, and locked where it was not.
    for (const path of ['locked', 'locked/inside', 'still', 'log', 'twice']) await give(source, path, 0);
    await writeFile(at('still'), 'changed after all');
    await rename(at('locked/inside'), at('moved'));
    await writeFile(at('log'), 'begun anew');
    await writeFile(at('plain/kept'), 'changed and locked');
    await mkdir(at('new'));
    await writeFile(at('new/below'), 'locked too');
    for (const path of ['new/below', 'new', 'plain/kept', 'plain', 'moved']) await give(source, path, immutable);
    await world.agent.command('mark', 'changed');

    const [then, now] = [join(outside, '..', 'then'), join(outside, '..', 'now')];
    await restore(exact, 'mark:locked', then);
    for (const [path, flags] of [['locked/inside', immutable], ['locked', immutable], ['still', immutable], ['log', appendOnly | noDump], ['plain/second', immutable], ['plain', noDump], ['plain/quiet', 0], ['plain/inherits', inherited]] as const) {
      t.equal(await flagsOf(then, path), flags, `${path} as it was then`);
    }
    t.equal(await readFile(join(then, 'log'), 'utf8'), 'what log holds, and more');
    await restore(exact, 'mark:changed', now);
    t.same(await compareTrees({ source, copy: now }, { flags: true }), [], 'a restore of the end has the flags of the end');
    await world.agent.command('flush');

    t.match(await restore(exact, 'mark:changed', source, '--in-place', '--dry-run'), { created: { count: 0 }, changed: { count: 0 }, deleted: { count: 0 } }, 'in place there would be nothing to do');
    t.match(await restore(exact, 'mark:changed', source, '--in-place'), { created: { count: 0 }, changed: { count: 0 }, deleted: { count: 0 } }, 'nor is there');
    t.same(await compareTrees({ source, copy: now }, { flags: true }), [], 'and what was locked is locked again');
    await restore(exact, 'mark:locked', source, '--in-place');
    t.same(await compareTrees({ source: then, copy: source }, { flags: true }), [], 'locks keep no restore from going back in place');
    await world.agent.command('flush');

    // What is locked could not be cleared away with the file system's other files.
    const root = await systemDirectories.openRoot(join(outside, '..'));
    for (const name of ['then', 'now', 'source']) t.same(await removeEntry(root, Buffer.from(name), (await root.lookup(Buffer.from(name)))!), [], `${name} is removed, locks and all`);
    await root.close();
  });
}
