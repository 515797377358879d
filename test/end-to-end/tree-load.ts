/** Changes a tree without pause, as applications do, from one seed, and counts how many blocks it touched. */
import { randomBytes } from 'node:crypto';
import { chmod, link, mkdir, open, rename, rm, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Chance } from '../proto/seeded.js';

export const blockBytes = 4096;

interface LoadFile {
  path: string;
  size: number;
}

export class TreeLoad {
  readonly #root: string;
  readonly #chance: Chance;
  readonly #directories: string[] = [''];
  readonly #files: LoadFile[] = [];
  #names = 0;
  /** Blocks of files that were written, plus one for each name, link or attribute that changed. */
  blocksTouched = 0;
  operations = 0;

  constructor(root: string, chance: Chance) {
    this.#root = root;
    this.#chance = chance;
  }

  get bytesTouched(): number {
    return this.blocksTouched * blockBytes;
  }

  /** A few larger files, which live through the load. */
  async begin(sizes: readonly number[]): Promise<void> {
    for (const [place, size] of sizes.entries()) {
      await writeFile(join(this.#root, `large ${place}`), randomBytes(size));
      this.#count(0, size);
    }
    this.#large = sizes.map((size, place) => ({ path: `large ${place}`, size }));
  }
  #large: LoadFile[] = [];

  /** Runs until the signal aborts; operations come in bursts. */
  async run(signal: AbortSignal, pauseMsMax: number): Promise<void> {
    while (!signal.aborted) {
      for (let left = 1 + this.#chance.below(8); left > 0; left -= 1) await this.#operation();
      await sleep(this.#chance.below(pauseMsMax));
    }
  }

  #count(offset: number, length: number): void {
    this.blocksTouched += length === 0 ? 1 : Math.floor((offset + length - 1) / blockBytes) - Math.floor(offset / blockBytes) + 1;
  }

  #at(path: string): string {
    return join(this.#root, path);
  }

  #newName(kind: string): string {
    return join(this.#chance.pick(this.#directories), `${kind} ${this.#names++}`);
  }

  async #operation(): Promise<void> {
    const c = this.#chance;
    this.operations += 1;
    const draw = c.below(100);
    const file = this.#files.length === 0 ? undefined : c.pick(this.#files);
    if (draw < 25) await this.#edit(c.pick(this.#large));
    else if (draw < 50 || file === undefined) await this.#create();
    else if (draw < 65) await this.#append(file);
    else if (draw < 73) await this.#edit(file);
    else if (draw < 80) await this.#rename(file);
    else if (draw < 88) await this.#remove(file);
    else if (draw < 91) await this.#makeDirectory();
    else if (draw < 93) await this.#renameDirectory();
    else if (draw < 94) await this.#removeDirectory();
    else if (draw < 96) await this.#truncate(file);
    else if (draw < 97) await this.#link(file);
    else if (draw < 98) await this.#symlink();
    else await this.#chmod(file);
  }

  async #write(file: LoadFile, offset: number, length: number): Promise<void> {
    const handle = await open(this.#at(file.path), 'r+');
    await handle.write(randomBytes(length), 0, length, offset);
    await handle.close();
    file.size = Math.max(file.size, offset + length);
    this.#count(offset, length);
  }

  async #create(): Promise<void> {
    const size = this.#chance.below(20_000);
    const path = this.#newName('file');
    await writeFile(this.#at(path), randomBytes(size));
    this.#files.push({ path, size });
    this.#count(0, size);
    this.#count(0, 0);
  }

  async #edit(file: LoadFile): Promise<void> {
    const offset = this.#chance.below(Math.max(1, file.size));
    const length = Math.min(1 + this.#chance.below(16_384), Math.max(1, file.size - offset));
    await this.#write(file, offset, length);
  }

  async #append(file: LoadFile): Promise<void> {
    await this.#write(file, file.size, 1 + this.#chance.below(8192));
  }

  async #rename(file: LoadFile): Promise<void> {
    const path = this.#newName('moved');
    await rename(this.#at(file.path), this.#at(path));
    file.path = path;
    this.#count(0, 0);
  }

  async #remove(file: LoadFile): Promise<void> {
    await rm(this.#at(file.path));
    this.#files.splice(this.#files.indexOf(file), 1);
    this.#count(0, 0);
  }

  async #makeDirectory(): Promise<void> {
    const path = this.#newName('directory');
    if (path.split('/').length > 6) return;
    await mkdir(this.#at(path));
    this.#directories.push(path);
    this.#count(0, 0);
  }

  async #renameDirectory(): Promise<void> {
    const [, ...named] = this.#directories;
    if (named.length === 0) return;
    const from = this.#chance.pick(named);
    const to = `renamed ${this.#names++}`;
    await rename(this.#at(from), this.#at(to));
    const moved = (path: string): string => (path === from || path.startsWith(`${from}/`) ? to + path.slice(from.length) : path);
    for (const [place, path] of this.#directories.entries()) this.#directories[place] = moved(path);
    for (const file of this.#files) file.path = moved(file.path);
    this.#count(0, 0);
  }

  async #removeDirectory(): Promise<void> {
    const [, ...named] = this.#directories;
    if (named.length < 3) return;
    const gone = this.#chance.pick(named);
    const below = (path: string): boolean => path === gone || path.startsWith(`${gone}/`);
    await rm(this.#at(gone), { recursive: true });
    for (const list of [this.#directories.filter(below), this.#files.map((file) => file.path).filter(below)]) for (const _ of list) this.#count(0, 0);
    for (let place = this.#directories.length - 1; place > 0; place -= 1) if (below(this.#directories[place]!)) this.#directories.splice(place, 1);
    for (let place = this.#files.length - 1; place >= 0; place -= 1) if (below(this.#files[place]!.path)) this.#files.splice(place, 1);
  }

  async #truncate(file: LoadFile): Promise<void> {
    const size = this.#chance.below(file.size + 1);
    await truncate(this.#at(file.path), size);
    file.size = size;
    this.#count(0, 0);
  }

  /** The further name is written no more, so that sizes stay known. */
  async #link(file: LoadFile): Promise<void> {
    await link(this.#at(file.path), this.#at(this.#newName('link')));
    this.#count(0, 0);
  }

  async #symlink(): Promise<void> {
    await symlink('where it points', this.#at(this.#newName('symlink')));
    this.#count(0, 0);
  }

  async #chmod(file: LoadFile): Promise<void> {
    await chmod(this.#at(file.path), this.#chance.pick([0o600, 0o644, 0o755]));
    this.#count(0, 0);
  }
}
