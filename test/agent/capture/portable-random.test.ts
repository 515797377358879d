/** Random operations on a real directory, flushes, restarts and crashes: the journal always gives the same tree. */
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, closeSync, ftruncateSync, linkSync, lstatSync, lutimesSync, mkdirSync, openSync, readdirSync, renameSync, rmdirSync, rmSync, symlinkSync, unlinkSync, writeFileSync, writeSync } from 'node:fs';
import t from 'tap';
import type { Directory } from '../../../native/host/directory.js';
import type { Random } from '../../../native/host/random.js';
import { loadNative, systemDirectories } from '../../../native/index.js';
import { PortableBench, volume } from './portable-bench.js';
import { seededRandom, seedFromEnvironment } from './seeded.js';

const names = ['a', 'b', 'c', 'd\\e', 'ü', ' ', '.dot', 'f\n'].map((name) => Buffer.from(name)).concat(Buffer.from([0xff, 0x41]), Buffer.from([0xc3, 0x28]));

/** Does what applications do to a tree, at random. */
class Scribbler {
  readonly #root: Buffer;
  readonly #random: Random;
  readonly done: string[] = [];

  constructor(root: string, random: Random) {
    this.#root = Buffer.from(root);
    this.#random = random;
  }

  pick(below: number): number {
    return Math.floor(this.#random.fraction() * below);
  }

  #join(parent: Buffer, name: Buffer): Buffer {
    return Buffer.concat([parent, Buffer.from('/'), name]);
  }

  #all(): { path: Buffer; kind: 'directory' | 'file' | 'other'; parent: Buffer }[] {
    const found: { path: Buffer; kind: 'directory' | 'file' | 'other'; parent: Buffer }[] = [];
    const visit = (directory: Buffer): void => {
      for (const entry of readdirSync(directory, { withFileTypes: true, encoding: 'buffer' as 'utf8' })) {
        const path = this.#join(directory, entry.name as unknown as Buffer);
        found.push({ path, kind: entry.isDirectory() ? 'directory' : entry.isFile() ? 'file' : 'other', parent: directory });
        if (entry.isDirectory()) visit(path);
      }
    };
    visit(this.#root);
    return found;
  }

  #oneOf<T>(items: readonly T[]): T | undefined {
    return items[this.pick(items.length)];
  }

  #newPath(): Buffer {
    const directories = [this.#root, ...this.#all().filter((entry) => entry.kind === 'directory').map((entry) => entry.path)];
    return this.#join(this.#oneOf(directories)!, this.#oneOf(names)!);
  }

  #content(length: number): Buffer {
    return this.pick(4) === 0 ? Buffer.alloc(length) : Buffer.from(this.#random.bytes(length));
  }

  #size(): number {
    return this.#oneOf([0, 1, 100, 4096, 5000, 20_000, 70_000])!;
  }

  async operate(): Promise<void> {
    const all = this.#all();
    const file = this.#oneOf(all.filter((entry) => entry.kind === 'file'))?.path;
    const any = this.#oneOf(all);
    const operation = this.pick(17);
    const note = (what: string): void => void this.done.push(`${what} ${file?.toString('latin1').slice(this.#root.length)} ${any?.path.toString('latin1').slice(this.#root.length)}`);
    note(String(operation));
    try {
      switch (operation) {
        case 0:
        case 1:
          return writeFileSync(this.#newPath(), this.#content(this.#size()));
        case 2:
          return mkdirSync(this.#newPath());
        case 3:
          return symlinkSync(this.#oneOf(names)!, this.#newPath());
        case 4:
        case 5:
          if (any !== undefined) renameSync(any.path, this.#newPath());
          return;
        case 6:
          if (any !== undefined && any.kind !== 'directory') linkSync(any.path, this.#newPath());
          return;
        case 7:
          if (any !== undefined && any.kind === 'directory') {
            if (this.pick(4) === 0) rmSync(any.path.toString('latin1') === any.path.toString('utf8') ? any.path.toString() : any.path, { recursive: true });
            else rmdirSync(any.path);
          } else if (any !== undefined) unlinkSync(any.path);
          return;
        case 8:
        case 9:
        case 10:
          if (file !== undefined) this.#overwrite(file);
          return;
        case 11:
          if (any !== undefined && any.kind !== 'other') chmodSync(any.path, 0o600 + this.pick(0o200));
          return;
        case 12:
          if (any !== undefined) lutimesSync(any.path, this.pick(1_000_000), this.pick(1_000_000));
          return;
        case 13:
          if (any !== undefined && any.kind !== 'other' && process.getuid?.() === 0) chownSync(any.path, this.pick(3), this.pick(3));
          return;
        default:
          if (any !== undefined) await this.#natively(operation, any, file);
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === undefined) throw error;
    }
  }

  #overwrite(path: Buffer): void {
    const { size } = lstatSync(path);
    const handle = openSync(path, 'r+');
    try {
      switch (this.pick(3)) {
        case 0:
          writeSync(handle, this.#content(1 + this.pick(9000)), 0, undefined, this.pick(size + 10_000));
          return;
        case 1:
          ftruncateSync(handle, this.pick(size + 20_000));
          return;
        default:
          writeSync(handle, this.#content(this.#size()), 0, undefined, size);
      }
    } finally {
      closeSync(handle);
    }
  }

  /** What node:fs has no call for. */
  async #natively(operation: number, any: { path: Buffer; parent: Buffer }, file: Buffer | undefined): Promise<void> {
    const name = any.path.subarray(any.parent.length + 1);
    const parent = await systemDirectories.openRoot(any.parent);
    try {
      if (operation === 14) {
        if (this.pick(3) === 0) await parent.removeXattr(name, 'user.note');
        else await parent.setXattr(name, 'user.note', Buffer.from(this.#random.bytes(5)));
      } else if (operation === 15) {
        const other = this.#oneOf(this.#all())!;
        const target = await systemDirectories.openRoot(other.parent);
        try {
          await parent.exchange(name, target, other.path.subarray(other.parent.length + 1));
        } finally {
          await target.close();
        }
      } else if (file !== undefined) {
        await punch(parent, name, this.pick(50_000), 1 + this.pick(30_000));
      }
    } finally {
      await parent.close();
    }
  }
}

async function punch(parent: Directory, name: Buffer, offset: number, length: number): Promise<void> {
  const opened = await parent.openFile(name, 'write');
  try {
    await opened.punch({ offset, length });
  } finally {
    await opened.close();
  }
}

t.test('random operations with flushes, restarts and crashes', async (t) => {
  const seed = seedFromEnvironment(t);
  const random = seededRandom(seed);
  const bench = new PortableBench(t, { timing: { settleMs: 5, quietMs: 20 } });
  const scribbler = new Scribbler(bench.root, random);
  for (let k = 0; k < 30; k += 1) await scribbler.operate();
  await bench.open();
  for (let round = 0; round < 40; round += 1) {
    for (let k = scribbler.pick(40); k >= 0; k -= 1) await scribbler.operate();
    const event = scribbler.pick(8);
    if (event === 0) {
      scribbler.done.push('restart');
      await bench.close();
      for (let k = scribbler.pick(10); k > 0; k -= 1) await scribbler.operate();
      await bench.open();
    } else if (event <= 2) {
      scribbler.done.push('crash');
      // Nothing is committed from here on, whatever is captured.
      bench.sink.syncs = false;
      if (scribbler.pick(2) === 0) await Promise.race([bench.source!.flush().catch(() => undefined), new Promise((resolve) => setTimeout(resolve, 30))]);
      for (let k = scribbler.pick(10); k > 0; k -= 1) await scribbler.operate();
      await bench.crash(Number(bench.sink.durableThrough) + scribbler.pick(40));
      for (let k = scribbler.pick(10); k > 0; k -= 1) await scribbler.operate();
      await bench.open();
    } else if (event === 3) {
      scribbler.done.push('refuse');
      bench.sink.full = true;
      for (let k = scribbler.pick(10); k > 0; k -= 1) await scribbler.operate();
      await new Promise((resolve) => setTimeout(resolve, 20));
      bench.sink.full = false;
      bench.sink.release();
    }
    const flushAt = bench.sink.changes.length;
    const { journal, tree } = await bench.compare();
    if (JSON.stringify(journal) !== JSON.stringify(tree)) {
      t.comment(scribbler.done.slice(-60).join('\n'));
      const show = (from: number): string => bench.sink.changes.slice(from).map(({ sequence, body }) => `${sequence} ${JSON.stringify(body, (_key, value: unknown) => typeof value === 'bigint' ? String(value) : value).slice(0, 150)}`).join('\n');
      t.comment(`event ${event} ${JSON.stringify(bench.source?.status(volume), (_key, value: unknown) => typeof value === 'bigint' ? String(value) : value)}`);
      t.comment(show(flushAt - 30));
      t.comment(`flush at ${flushAt}`);
      const again = await bench.compare();
      t.comment(JSON.stringify(again.journal) === JSON.stringify(again.tree) ? 'a second flush finds it' : 'a second flush does not find it');
      t.strictSame(journal, tree, `seed ${seed} round ${round}`);
      return;
    }
  }
  t.equal(bench.source?.status(volume)?.phase === 'failed', false);
  t.pass(`${bench.sink.changes.length} changes`);
});

t.test('holes stay holes', { skip: loadNative() === undefined ? 'holes are seen by the native addon only' : false }, async (t) => {
  const bench = new PortableBench(t);
  const path = Buffer.from(`${bench.root}/sparse`);
  execFileSync('truncate', ['-s', '40000000', path.toString()]);
  await bench.open();
  await bench.source!.flush();
  t.strictSame(bench.sink.bodies('write').concat(bench.sink.bodies('zero'), bench.sink.bodies('punch')), []);
  const handle = openSync(path, 'r+');
  writeSync(handle, Buffer.alloc(300_000, 9), 0, undefined, 9_000_000);
  closeSync(handle);
  let compared = await bench.compare();
  t.strictSame(compared.journal, compared.tree);
  const directory = await systemDirectories.openRoot(bench.root);
  await punch(directory, Buffer.from('sparse'), 9_000_000, 200_000);
  await directory.close();
  compared = await bench.compare();
  t.strictSame(compared.journal, compared.tree);
  t.ok(bench.sink.bodies('punch').length > 0);
});
