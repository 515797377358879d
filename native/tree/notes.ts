/** What a restore has to tell: many cases of few problems, counted, with a few paths each. */

/** One problem and where it was met. */
export interface Note {
  readonly problem: string;
  readonly count: number;
  /** The first paths, as a person may see them. */
  readonly paths: readonly string[];
}

const problemsMax = 200;
const pathsMax = 10;

export class Notes {
  readonly #notes = new Map<string, { count: number; paths: string[] }>();

  add(problem: string, path: readonly string[]): void {
    // What exceeds the bound is still counted, under one heading.
    const key = this.#notes.has(problem) || this.#notes.size < problemsMax ? problem : 'further problems';
    let note = this.#notes.get(key);
    if (note === undefined) this.#notes.set(key, (note = { count: 0, paths: [] }));
    note.count += 1;
    if (note.paths.length < pathsMax) note.paths.push(displayComponents(path));
  }

  list(): Note[] {
    return [...this.#notes].map(([problem, { count, paths }]) => ({ problem, count, paths }));
  }
}

const changesKept = 1000;

/** Paths that were (or would be) created, changed or deleted: the first ones, and how many. */
export class PathList {
  readonly #first: string[] = [];
  #count = 0;

  add(path: readonly string[]): void {
    this.#count += 1;
    if (this.#first.length < changesKept) this.#first.push(displayComponents(path));
  }

  get count(): number {
    return this.#count;
  }

  get first(): readonly string[] {
    return this.#first;
  }
}

const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** Components of one character a byte, as a person may see them; what is not printable text is escaped. */
export function displayComponents(path: readonly string[]): string {
  return path.length === 0 ? '.' : path.map(displayComponent).join('/');
}

function displayComponent(name: string): string {
  const bytes = Buffer.from(name, 'latin1');
  let text: string;
  try {
    text = decoder.decode(bytes);
  } catch {
    text = bytes.toString('latin1');
    return text.replace(/[^\x20-\x5b\x5d-\x7e]/g, escaped);
  }
  // Bidirectional overrides and line separators can make a report lie.
  return text.replace(/[\p{Cc}\\\u2028\u2029\u202a-\u202e\u2066-\u2069]/gu, (character) => [...Buffer.from(character)].map((byte) => escaped(String.fromCharCode(byte))).join(''));
}

function escaped(character: string): string {
  if (character === '\\') return '\\\\';
  if (character === '\n') return '\\n';
  return `\\x${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}
