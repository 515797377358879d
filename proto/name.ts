/** Names and paths as bytes: carried in strings of one character a byte, so that any byte survives. */
import { FormatError, UsageError } from './errors.js';

declare const nameBrand: unique symbol;

/**
 * One path component. Each character is one byte (U+0000 to U+00FF, "latin1"), which keeps names
 * that are not UTF-8 exact, makes them usable as map keys, and costs one byte a byte in memory.
 * Never show one to a person as it is: `displayName` decodes it.
 */
export type Name = string & { readonly [nameBrand]: true };

/** Components from the volume's root; empty for the root itself. */
export type Path = readonly Name[];

export const nameBytesMax = 4096;

/** The bytes of a name. */
export function nameBytes(name: Name): Buffer {
  return Buffer.from(name, 'latin1');
}

/** A name from bytes off a disk or a wire. Throws FormatError for what can never be a path component. */
export function nameFromBytes(bytes: Uint8Array): Name {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  const fault = nameFault(text);
  if (fault !== undefined) throw new FormatError('read file name', { name: displayBytes(text), fault });
  return text as Name;
}

/** What keeps a byte string from being a path component, or undefined when it is one. */
export function nameFault(text: string): string | undefined {
  if (text.length === 0) return 'empty';
  if (text === '.' || text === '..') return 'a relative directory';
  if (text.includes('/')) return 'contains a slash';
  if (text.includes('\0')) return 'contains a NUL byte';
  if (text.length > nameBytesMax) return `longer than ${nameBytesMax} bytes`;
  return undefined;
}

/** A name from ordinary text: its UTF-8 bytes. */
export function nameFromText(text: string): Name {
  return nameFromBytes(Buffer.from(text, 'utf8'));
}

/**
 * A name as a person may see it: valid UTF-8 as it is; other bytes, control characters and the
 * backslash as `\xNN`, `\n`, `\\` and so on. `nameFromDisplay` reads it back to the same bytes.
 */
export function displayName(name: Name): string {
  return displayBytes(name);
}

function displayBytes(latin1: string): string {
  // Plain printable ASCII needs no work, and almost every name is that.
  if (/^[\x20-\x5b\x5d-\x7e]*$/.test(latin1)) return latin1;
  const bytes = Buffer.from(latin1, 'latin1');
  let shown = '';
  for (let at = 0; at < bytes.length; ) {
    const length = utf8Length(bytes, at);
    if (length === 0) {
      shown += escapeByte(bytes[at]!);
      at += 1;
    } else {
      const character = bytes.toString('utf8', at, at + length);
      shown += isControl(character) ? [...bytes.subarray(at, at + length)].map(escapeByte).join('') : character === '\\' ? '\\\\' : character;
      at += length;
    }
  }
  return shown;
}

/** Reads what `displayName` wrote. Throws UsageError for a bad escape and for what is no file name. */
export function nameFromDisplay(shown: string): Name {
  const bytes: number[] = [];
  for (let at = 0; at < shown.length; ) {
    const code = shown.codePointAt(at)!;
    const character = String.fromCodePoint(code);
    if (character !== '\\') {
      bytes.push(...Buffer.from(character, 'utf8'));
      at += character.length;
      continue;
    }
    const hex = /^\\x([0-9a-fA-F]{2})/.exec(shown.slice(at, at + 4));
    const plain = { '\\': 0x5c, n: 0x0a, r: 0x0d, t: 0x09 }[shown[at + 1] ?? ''];
    if (hex !== null) {
      bytes.push(Number.parseInt(hex[1]!, 16));
      at += 4;
    } else if (plain !== undefined) {
      bytes.push(plain);
      at += 2;
    } else {
      throw new UsageError(`"${shown}" has a backslash that starts no escape; write \\\\ for a backslash and \\xNN for a byte`);
    }
  }
  const text = Buffer.from(bytes).toString('latin1');
  const fault = nameFault(text);
  if (fault !== undefined) throw new UsageError(`"${shown}" is not a file name: ${fault}`);
  return text as Name;
}

/** A path as a person may see it, without a leading slash; `.` for the root. */
export function displayPath(path: Path): string {
  return path.length === 0 ? '.' : path.map(displayName).join('/');
}

/** Reads a path below a volume's root as typed by a person; leading, trailing and double slashes do not matter. */
export function pathFromDisplay(shown: string): Path {
  const parts = shown.split('/').filter((part) => part !== '' && part !== '.');
  return parts.map(nameFromDisplay);
}

/** Bytewise order, as `LC_ALL=C sort` gives it. */
export function compareNames(a: Name, b: Name): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function escapeByte(byte: number): string {
  if (byte === 0x0a) return '\\n';
  if (byte === 0x0d) return '\\r';
  if (byte === 0x09) return '\\t';
  return `\\x${byte.toString(16).padStart(2, '0')}`;
}

function isControl(character: string): boolean {
  // Bidirectional overrides and line separators can make a listing lie, so they count too.
  return /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u.test(character);
}

/** Length of the well-formed UTF-8 sequence at `at`, or 0 when there is none. */
function utf8Length(bytes: Uint8Array, at: number): number {
  const lead = bytes[at]!;
  const length = lead < 0x80 ? 1 : lead >= 0xc2 && lead < 0xe0 ? 2 : lead >= 0xe0 && lead < 0xf0 ? 3 : lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
  if (length === 0 || at + length > bytes.length) return 0;
  for (let k = 1; k < length; k += 1) if ((bytes[at + k]! & 0xc0) !== 0x80) return 0;
  const second = bytes[at + 1];
  if (length === 3 && ((lead === 0xe0 && second! < 0xa0) || (lead === 0xed && second! > 0x9f))) return 0;
  if (length === 4 && ((lead === 0xf0 && second! < 0x90) || (lead === 0xf4 && second! > 0x8f))) return 0;
  return length;
}
