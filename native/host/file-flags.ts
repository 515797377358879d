/** Inode flags (chattr) as they stand among extended attributes; src/file-flags.cc reads and sets them. */
import type { Directory, EntryName } from './directory.js';

/** Their key. The value is four bytes, little-endian, of FS_*_FL bits of linux/fs.h; no entry for none. */
export const flagsKey = 'afterimage.flags';

export const FileFlag = {
  securelyDeleted: 0x1,
  undeletable: 0x2,
  compressed: 0x4,
  synchronous: 0x8,
  immutable: 0x10,
  appendOnly: 0x20,
  noDump: 0x40,
  noAccessTime: 0x80,
  notCompressed: 0x400,
  journalledData: 0x4000,
  noTail: 0x8000,
  synchronousDirectory: 0x1_0000,
  topDirectory: 0x2_0000,
  noCopyOnWrite: 0x80_0000,
} as const;

/** Keep everybody, root included, from changing an entry, or from anything but appending to it. */
const locks = FileFlag.immutable | FileFlag.appendOnly;

/** The flags in an attribute's value; 0 for none, and for what is no value of theirs. */
export function decodeFlags(value: Uint8Array | undefined): number {
  return value?.byteLength === 4 ? Buffer.from(value.buffer, value.byteOffset, 4).readUInt32LE() : 0;
}

/** Their names, for a person. */
export function flagNames(value: Uint8Array): string[] {
  const flags = decodeFlags(value);
  return Object.entries(FileFlag).flatMap(([name, flag]) => ((flags & flag) === 0 ? [] : [name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)]));
}

export function encodeFlags(flags: number): Buffer {
  const value = Buffer.alloc(4);
  value.writeUInt32LE(flags);
  return value;
}

/** Sets the flags of an entry, or of the directory itself. Throws as setXattr does; EINVAL for flags that are not carried. */
export function setFlags(directory: Directory, name: EntryName | undefined, flags: number): Promise<void> {
  return directory.setXattr(name, flagsKey, encodeFlags(flags));
}

/** Makes a locked entry changeable. Returns the flags it had; undefined where it was not locked, or only its owner's superior may unlock it. */
export async function unlock(directory: Directory, name: EntryName | undefined): Promise<number | undefined> {
  try {
    const flags = decodeFlags((await directory.xattrs(name)).get(flagsKey));
    if ((flags & locks) === 0) return undefined;
    await setFlags(directory, name, flags & ~locks);
    return flags;
  } catch {
    // What is refused because of the lock is told by whoever tries it.
    return undefined;
  }
}
