/** Holds a copy against its source, and says of files whose content differs where it does. */
import { open, type FileHandle } from 'node:fs/promises';
import { differences, readTree, type TreeEntry, type TreeOptions } from '../end-to-end/trees.js';

const blockBytes = 4096;
const explainedMax = 8;

export interface TreePair {
  readonly source: string;
  readonly copy: string;
}

/** Lines that name what differs; empty when the copy is identical. Nothing may write to either meanwhile. */
export async function compareTrees({ source, copy }: TreePair, options: TreeOptions = {}): Promise<string[]> {
  const [before, after] = [await readTree(source, options), await readTree(copy, options)];
  const found = differences(before.map(({ line }) => line), after.map(({ line }) => line));
  if (found.length === 0) return [];
  const there = new Map(after.map((entry) => [entry.path.toString('latin1'), entry]));
  const both = before.filter((entry) => {
    const other = there.get(entry.path.toString('latin1'));
    return entry.kind === 'file' && other?.kind === 'file' && other.line !== entry.line;
  });
  for (const entry of both.slice(0, explainedMax)) found.push(...(await explain(entry, source, copy)));
  return found;
}

async function explain({ path }: TreeEntry, source: string, copy: string): Promise<string[]> {
  const name = JSON.stringify(path.toString('latin1'));
  try {
    await using wanted = await opened(source, path);
    await using found = await opened(copy, path);
    const ranges = await differingRanges(wanted.handle, found.handle);
    return ranges.length === 0 ? [] : [`  content of ${name} differs in bytes ${ranges.join(', ')}`];
  } catch (error) {
    // Paths may be too long to be opened whole; the difference itself is told already.
    return [`  content of ${name} cannot be explained: ${String(error)}`];
  }
}

async function opened(root: string, path: Buffer): Promise<{ readonly handle: FileHandle } & AsyncDisposable> {
  const handle = await open(Buffer.concat([Buffer.from(`${root}/`), path]), 'r');
  return { handle, [Symbol.asyncDispose]: () => handle.close() };
}

/** The first ranges of blocks that differ, as text. Reads at most the first gibibyte and a bit of both. */
async function differingRanges(wanted: FileHandle, found: FileHandle, rangesMax = 6): Promise<string[]> {
  const sizeBytes = Math.min(Math.max((await wanted.stat()).size, (await found.stat()).size), 2 ** 30 + 2 ** 24);
  const [one, two] = [Buffer.alloc(2 ** 20), Buffer.alloc(2 ** 20)];
  const ranges: string[] = [];
  let from: number | undefined;
  let zeroes = true;
  const end = (to: number): void => {
    if (from !== undefined) ranges.push(`${from}-${to - 1}${zeroes ? ' (all zero in the copy)' : ''}`);
    from = undefined;
    zeroes = true;
  };
  for (let position = 0; position < sizeBytes && ranges.length < rangesMax; position += one.length) {
    one.fill(0);
    two.fill(0);
    await wanted.read(one, 0, one.length, position);
    await found.read(two, 0, two.length, position);
    if (one.equals(two)) {
      end(position);
      continue;
    }
    for (let at = 0; at < one.length; at += blockBytes) {
      const block = two.subarray(at, at + blockBytes);
      if (one.subarray(at, at + blockBytes).equals(block)) end(position + at);
      else {
        from ??= position + at;
        zeroes &&= block.every((byte) => byte === 0);
      }
    }
  }
  end(sizeBytes);
  return ranges;
}
