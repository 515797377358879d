/** Lets one thread of another process change names, and tells the events of it in words. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Test } from 'tap';
import { FAN_ATTRIB, FAN_CREATE, FAN_DELETE, FAN_ONDIR, FAN_Q_OVERFLOW, FAN_RENAME, type InodeKey, type NameEvent } from '../../native/capture/names.js';
import { packageRoot } from '../golden/files.js';
import { run } from './names-volumes.js';

export interface Operations {
  /** Runs operations ("rename:a:b") in `directory` one after the other; the id of the one thread that did. */
  (directory: string, ...operations: readonly string[]): number;
}

/** Compiles the program that does it; `before` is what to start it with. */
export function compileOperations(t: Test, options: { before?: readonly string[] } = {}): Operations {
  const base = mkdtempSync(join(tmpdir(), 'afterimage-operations-'));
  t.teardown(() => rmSync(base, { recursive: true, force: true }));
  const program = join(base, 'operations');
  run('cc', '-Wall', '-o', program, join(packageRoot, 'test', 'kernel', 'names-operations.c'));
  return (directory, ...operations) => {
    const [first, ...others] = [...(options.before ?? []), program, ...operations];
    const done = spawnSync(first!, others, { cwd: directory, encoding: 'utf8' });
    if (done.status !== 0) throw new Error(`${operations.join(' ')}: ${done.stderr}`);
    return Number(done.stdout.trim());
  };
}

const bits: readonly [number, string][] = [
  [FAN_CREATE, 'CREATE'],
  [FAN_DELETE, 'DELETE'],
  [FAN_RENAME, 'RENAME'],
  [FAN_ATTRIB, 'ATTRIB'],
  [FAN_Q_OVERFLOW, 'OVERFLOW'],
];

export function sameKey(one: InodeKey | undefined, other: InodeKey | undefined): boolean {
  return one?.ino === other?.ino && one?.generation === other?.generation && one?.tree === other?.tree;
}

/** Gives inodes short names, in the order in which they are first met. */
export class Inodes {
  readonly #names = new Map<string, string>();

  name(key: InodeKey, name: string): void {
    this.#names.set(`${key.tree}/${key.ino}/${key.generation}`, name);
  }

  of(key: InodeKey | undefined): string {
    if (key === undefined) return '-';
    const id = `${key.tree}/${key.ino}/${key.generation}`;
    const known = this.#names.get(id);
    if (known !== undefined) return known;
    const next = `#${[...this.#names.values()].filter((name) => name.startsWith('#')).length + 1}`;
    this.#names.set(id, next);
    return next;
  }

  /** "CREATE dir root/a = #1", "RENAME root/a to root/b = #1", "ATTRIB = #1". */
  tell(event: NameEvent): string {
    const deeds = bits.filter(([bit]) => (event.mask & bit) !== 0).map(([, name]) => name);
    const strange = event.mask & ~bits.reduce((all, [bit]) => all | bit, FAN_ONDIR);
    if (strange !== 0) deeds.push(`0x${strange.toString(16)}`);
    const parts = [deeds.join('|')];
    if (event.isDirectory) parts.push('dir');
    if (event.directory !== undefined || event.name !== undefined) parts.push(`${this.of(event.directory)}/${event.name?.toString()}`);
    if (event.toDirectory !== undefined || event.toName !== undefined) parts.push(`to ${this.of(event.toDirectory)}/${event.toName?.toString()}`);
    parts.push(`= ${this.of(event.target)}`);
    return parts.join(' ');
  }
}
