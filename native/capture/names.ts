/** What happens to the names and attributes of whole file systems: fanotify through the addon. */
import { readFileSync } from 'node:fs';
import { decodeDevice } from '../host/device-number.js';
import { directoryError, errorCode } from '../host/directory-error.js';
import { NODE_RECORD_BYTES, decodeNodeStat } from '../host/stat-record.js';
import { loadNative, nativeUnavailableReason, type NativeAddon } from '../index.js';
import type { InodeKey } from './handles.js';

export type { InodeKey };

export const FAN_ATTRIB = 0x4;
export const FAN_CREATE = 0x100;
export const FAN_DELETE = 0x200;
export const FAN_Q_OVERFLOW = 0x4000;
export const FAN_RENAME = 0x1000_0000;
export const FAN_ONDIR = 0x4000_0000;

export interface NameEvent {
  /** FAN_* bits as the kernel gave them. */
  readonly mask: number;
  /** The thread that did it, as this process's PID namespace numbers it; 0 when that does not see it. */
  readonly tid: number;
  readonly isDirectory: boolean;
  /** Events were lost before this one. It has no other fields. */
  readonly isOverflow: boolean;
  /** Which watched file system: what watch returned. */
  readonly fileSystem: bigint;
  /** The directory that holds, held or (renames) used to hold the name. */
  readonly directory?: InodeKey | undefined;
  readonly name?: Buffer | undefined;
  /** Of a rename. */
  readonly toDirectory?: InodeKey | undefined;
  readonly toName?: Buffer | undefined;
  /**
   * What the name leads or led to. Alone, without a name, it is the inode itself that something
   * happened to (the kernel's "." in a directory that names itself counts as that, too).
   */
  readonly target?: InodeKey | undefined;
}

/**
 * What the kernel queues, found by experiment on Linux 6.18 and the same on ext4, xfs, btrfs and tmpfs
 * (test/kernel/names-events.test.ts and names-merge.test.ts hold it to this). An event is queued before
 * its system call returns, whichever mount, mount namespace or PID namespace that is made in.
 *
 * | operation                                | events, in this order |
 * | mkdir, mknod, symlink, bind, open that creates | CREATE directory/name, target |
 * | link, linkat of an O_TMPFILE             | ATTRIB target without a name (its link count); CREATE directory/name, target |
 * | unlink, of what is open too              | ATTRIB target without a name; DELETE directory/name, target |
 * | rmdir                                    | DELETE directory/name, target |
 * | rename                                   | RENAME directory/name, toDirectory/toName, target |
 * | rename over something                    | RENAME; ATTRIB of what was replaced, without a name. No DELETE |
 * | rename onto another name of the same inode | none, as nothing happens |
 * | exchange                                 | RENAME first to second; RENAME second to first |
 * | rename with whiteout                     | RENAME. That the old name now holds a whiteout is not told |
 * | chmod, chown, utimes, xattr, ACL of a file | ATTRIB directory/name, target, with the name that was used; of an unlinked open file the last it had; target only when it was opened by handle and the kernel knows no name |
 * | the same of a directory                  | ATTRIB target without a name |
 * | truncate, write, open with O_TRUNC, file flags (FS_IOC_SETFLAGS) | none |
 * | io_uring                                 | as the system call, with the tid of the kernel's worker thread, not of who asked |
 * | btrfs subvolume or snapshot made, deleted | CREATE, DELETE of it as of a directory (inode 256 of its own tree). Its entries are not told of; a snapshot's have the numbers and generations of the original |
 *
 * What is queued merges until it is read: an event joins an earlier one of the same thread with the
 * same directory, name, target and isDirectory (for a rename: both names), and its bits are added
 * to that one, **at the earlier one's place**. Events of other threads between them do not hinder it.
 * Renames merge with the same renames only; everything else about one name merges together.
 *
 * | done by one thread before a drain        | queued |
 * | creat a, unlink a, creat a               | CREATE+DELETE a of the first inode, its ATTRIB; CREATE a of the second: inodes are told apart |
 * | link w a, unlink a, link w a             | ATTRIB w; CREATE+DELETE a = w: the same as without the last link |
 * | rename a b, b a, a b                     | RENAME a b; RENAME b a: the same as without the last one |
 * | mkdir a, rename a b, rename b a, rmdir a | CREATE+DELETE a; RENAME a b; RENAME b a |
 * | link w a, rename a b, unlink b, link w a, rename a b | ATTRIB w; CREATE a; RENAME a b; DELETE b, though b is there |
 * | exchange twice                           | the two pairs merge to RENAME and RENAME of each: four events for any number of exchanges |
 * | creat a, chmod a, unlink a               | CREATE+DELETE+ATTRIB a; ATTRIB of its count |
 * | thread 1 renames a b, thread 2 b a, thread 1 a b | RENAME a b (1); RENAME b a (2), though it is at b |
 *
 * So an event says: this happened to this name at least once, first at this place. Read soon; and
 * wherever one drain tells of a name twice, or with CREATE and DELETE in one event, look at what the
 * name leads to now rather than reason from the order.
 */
/** Errors are Node-shaped; EBADF after dispose. When drain throws, events may have been lost. */
export interface NameStream extends Disposable {
  /**
   * From here on events of the whole file system that the directory `path` is on are queued, whichever
   * mount or mount namespace they happen through, all subvolumes of a btrfs included; this process's own
   * are among them. Returns what those events have as `fileSystem`. It does not hold the file system, and
   * ends when that is mounted nowhere any more: mounted again, it must be watched again.
   */
  watch(path: Buffer): bigint;
  unwatch(path: Buffer): void;
  /** Everything queued, in queue order, without waiting; [] when there is nothing. */
  drain(): NameEvent[];
  /** Readable when something is queued. Belongs to the stream. */
  readonly fd: number;
}

const FAN_CLOEXEC = 0x1;
const FAN_NONBLOCK = 0x2;
const FAN_CLASS_NOTIF = 0;
const FAN_UNLIMITED_QUEUE = 0x10;
const FAN_UNLIMITED_MARKS = 0x20;
const FAN_REPORT_TID = 0x100;
const FAN_REPORT_FID = 0x200;
const FAN_REPORT_DIR_FID = 0x400;
const FAN_REPORT_NAME = 0x800;
const FAN_REPORT_TARGET_FID = 0x1000;
const STREAM_FLAGS =
  FAN_CLASS_NOTIF | FAN_CLOEXEC | FAN_NONBLOCK | FAN_UNLIMITED_QUEUE | FAN_UNLIMITED_MARKS | FAN_REPORT_TID |
  FAN_REPORT_FID | FAN_REPORT_DIR_FID | FAN_REPORT_NAME | FAN_REPORT_TARGET_FID;

const FAN_MARK_ADD = 0x1;
const FAN_MARK_REMOVE = 0x2;
const FAN_MARK_FILESYSTEM = 0x100;
const WATCHED = FAN_CREATE | FAN_DELETE | FAN_RENAME | FAN_ATTRIB | FAN_ONDIR;

/** Twice what src/fanotify-calls.cc reads at once. */
const PACKED_BYTES = 128 * 1024;
const EVENT_BYTES = 32;
const KEY_BYTES = 24;
const HAS_DIRECTORY = 1;
const HAS_TO_DIRECTORY = 2;
const HAS_TARGET = 4;
const HAS_NAME = 8;
const HAS_TO_NAME = 16;

const KEY_SLOTS = 4096;

/** Decodes PackedEvent and PackedKey of src/fanotify-calls.cc: host byte order, everything on 8 bytes. */
class PackedEvents {
  readonly bytes = Buffer.from(new ArrayBuffer(PACKED_BYTES));
  readonly #halves = new Uint16Array(this.bytes.buffer);
  readonly #words = new Uint32Array(this.bytes.buffer);
  readonly #longs = new BigUint64Array(this.bytes.buffer);
  /** The keys decoded last: directories come again and again, and files at least with their attributes. */
  readonly #keys: (InodeKey | undefined)[] = new Array<InodeKey | undefined>(KEY_SLOTS).fill(undefined);
  readonly #keyWords = new Uint32Array(KEY_SLOTS * 5);
  /** The file system of the event before, and the same as words. */
  #id = 0n;
  readonly #idWords = new Uint32Array(2);

  decode(length: number, events: NameEvent[]): void {
    for (let at = 0; at < length; ) {
      const word = at / 4;
      events.push(this.#event(at));
      at += this.#words[word]!;
    }
  }

  #event(start: number): NameEvent {
    const [word, half] = [start / 4, start / 2];
    const mask = this.#words[word + 1]!;
    const present = this.#halves[half + 6]!;
    const [nameLength, toNameLength] = [this.#halves[half + 7]!, this.#halves[half + 12]!];
    let at = start + EVENT_BYTES;
    let directory: InodeKey | undefined;
    let toDirectory: InodeKey | undefined;
    let target: InodeKey | undefined;
    if ((present & HAS_DIRECTORY) !== 0) {
      directory = this.#key(at);
      at += KEY_BYTES;
    }
    if ((present & HAS_TO_DIRECTORY) !== 0) {
      toDirectory = this.#key(at);
      at += KEY_BYTES;
    }
    if ((present & HAS_TARGET) !== 0) {
      target = this.#key(at);
      at += KEY_BYTES;
    }
    let name = (present & HAS_NAME) === 0 ? undefined : this.#copy(at, nameLength);
    if (name?.length === 1 && name[0] === 0x2e) [target, directory, name] = [directory, undefined, undefined];
    return {
      mask,
      tid: this.#words[word + 2]! | 0,
      isDirectory: (mask & FAN_ONDIR) !== 0,
      isOverflow: (mask & FAN_Q_OVERFLOW) !== 0,
      fileSystem: this.#fileSystemId(start + 16),
      directory,
      name,
      toDirectory,
      toName: (present & HAS_TO_NAME) === 0 ? undefined : this.#copy(at + nameLength, toNameLength),
      target,
    };
  }

  #fileSystemId(at: number): bigint {
    const word = at / 4;
    if (this.#words[word] !== this.#idWords[0] || this.#words[word + 1] !== this.#idWords[1]) {
      this.#idWords.set(this.#words.subarray(word, word + 2));
      this.#id = this.#longs[at / 8]!;
    }
    return this.#id;
  }

  /** A copy: keeping a name does not keep the packed events, which are overwritten. */
  #copy(at: number, length: number): Buffer {
    const name = Buffer.allocUnsafe(length);
    // Names are mostly short, and a call for so few bytes takes longer.
    if (length <= 64) for (let index = 0; index < length; index++) name[index] = this.bytes[at + index]!;
    else this.bytes.copy(name, 0, at, at + length);
    return name;
  }

  #key(at: number): InodeKey {
    const word = at / 4;
    const [words, known] = [this.#words, this.#keyWords];
    // Either half of the number holds its low bits, according to the byte order; neighbours spread out.
    const slot = (words[word]! ^ words[word + 1]! ^ Math.imul(words[word + 2]! ^ words[word + 3]!, 31)) & (KEY_SLOTS - 1);
    const from = slot * 5;
    const held = this.#keys[slot];
    if (
      held !== undefined &&
      known[from] === words[word] &&
      known[from + 1] === words[word + 1] &&
      known[from + 2] === words[word + 2] &&
      known[from + 3] === words[word + 3] &&
      known[from + 4] === words[word + 4]
    ) {
      return held;
    }
    for (let index = 0; index < 5; index++) known[from + index] = words[word + index]!;
    const tree = words[word + 2] === 0 && words[word + 3] === 0 ? 0n : this.#longs[at / 8 + 1]!;
    const key = { ino: this.#longs[at / 8]!, generation: words[word + 4]!, tree };
    this.#keys[slot] = key;
    return key;
  }
}

class SystemNameStream implements NameStream {
  readonly #addon: NativeAddon;
  readonly #packed = new PackedEvents();
  #fd: number | undefined;

  constructor(addon: NativeAddon, fd: number) {
    this.#addon = addon;
    this.#fd = fd;
  }

  get fd(): number {
    if (this.#fd === undefined) throw directoryError('EBADF', 'use after close');
    return this.#fd;
  }

  watch(path: Buffer): bigint {
    return this.#mark(path, FAN_MARK_ADD);
  }

  unwatch(path: Buffer): void {
    this.#mark(path, FAN_MARK_REMOVE);
  }

  drain(): NameEvent[] {
    const events: NameEvent[] = [];
    for (;;) {
      const length = this.#addon.fanotifyRead(this.fd, this.#packed.bytes);
      if (length === 0) return events;
      this.#packed.decode(length, events);
    }
  }

  [Symbol.dispose](): void {
    if (this.#fd === undefined) return;
    this.#addon.closeNow(this.#fd);
    this.#fd = undefined;
  }

  #mark(path: Buffer, deed: number): bigint {
    const stream = this.fd;
    const directory = this.#addon.openRoot(path);
    try {
      try {
        return this.#markOpened(stream, directory, deed);
      } catch (error) {
        // A btrfs subvolume has a file system identity of its own, and the kernel marks a whole file
        // system only through what has the identity of its top. That covers all subvolumes.
        if (errorCode(error) !== 'EXDEV') throw error;
        const top = this.#addon.openTop(directory);
        try {
          return this.#markOpened(stream, top, deed);
        } finally {
          this.#addon.closeNow(top);
        }
      }
    } finally {
      this.#addon.closeNow(directory);
    }
  }

  #markOpened(stream: number, directory: number, deed: number): bigint {
    this.#addon.fanotifyMark(stream, deed | FAN_MARK_FILESYSTEM, WATCHED, directory);
    const id = new BigUint64Array(1);
    this.#addon.fileSystemId(directory, new Uint8Array(id.buffer));
    return id[0]!;
  }
}

/** ENOTSUP without the addon, ENOSYS or EINVAL where the kernel has no such events (before 5.17), EPERM without CAP_SYS_ADMIN. */
export function openNameStream(): NameStream {
  const addon = loadNative();
  if (addon === undefined) throw directoryError('ENOTSUP', 'fanotify_init', undefined, nativeUnavailableReason() ?? 'no native addon');
  return new SystemNameStream(addon, addon.fanotifyInit(STREAM_FLAGS, 0));
}

/** Goes on with a stream's descriptor that another process had; it then belongs to this one. */
export function adoptNameStream(fd: number): NameStream {
  return new SystemNameStream(loadNative()!, fd);
}

/** Whether a name stream watches a file system, by its superblock's device as records encode it: a mark goes when that is unmounted. */
export function marksFileSystem(fd: number, device: number): boolean {
  // The kernel's own form; see encode_device in bpf/inode.h.
  const { major, minor } = decodeDevice(device);
  const sdev = major * 2 ** 20 + minor;
  return readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1').split('\n').some((line) => line.startsWith('fanotify sdev:') && Number.parseInt(line.slice('fanotify sdev:'.length), 16) === sdev);
}

const initReasons = new Map([
  ['ENOSYS', 'this kernel has no fanotify'],
  ['EINVAL', "this kernel's fanotify does not name what was renamed (Linux 5.17 and later do)"],
  ['EPERM', 'watching a whole file system takes the capability CAP_SYS_ADMIN'],
  ['EMFILE', 'this user has as many fanotify groups as fs.fanotify.max_user_groups allows'],
]);
const markReasons = new Map([
  ['EOPNOTSUPP', 'this file system has no file handles'],
  ['ENOTSUP', 'this file system has no file handles'],
  ['ENODEV', 'this file system has no identity (statfs gives it no f_fsid)'],
  ['EXDEV', 'this part of the file system has an identity of its own'],
  ['EINVAL', "this kernel's fanotify cannot watch this file system"],
  ['EPERM', 'watching a whole file system takes the capability CAP_SYS_ADMIN'],
]);

function reasonFor(error: unknown, reasons: ReadonlyMap<string, string>): string {
  const { message } = error as Error;
  const known = reasons.get(errorCode(error) ?? '');
  return known === undefined ? message : `${known} (${message})`;
}

/** Why the names of the file system that the directory `path` is on cannot be watched, for a person to read; undefined when they can. */
export function namesUnavailableReason(path: Buffer): string | undefined {
  const addon = loadNative();
  if (addon === undefined) return nativeUnavailableReason() ?? 'no native addon';
  if (process.platform !== 'linux') return 'only Linux has fanotify';
  let directory: number;
  try {
    directory = addon.openRoot(path);
  } catch (error) {
    return (error as Error).message;
  }
  const record = Buffer.alloc(NODE_RECORD_BYTES);
  try {
    addon.statNode(directory, undefined, record);
  } finally {
    addon.closeNow(directory);
  }
  if (decodeNodeStat(record).inode === undefined) return "this file system's file handles are of a kind that is not known";
  let stream: NameStream;
  try {
    stream = openNameStream();
  } catch (error) {
    return reasonFor(error, initReasons);
  }
  try {
    stream.watch(path);
    return undefined;
  } catch (error) {
    return reasonFor(error, markReasons);
  } finally {
    stream[Symbol.dispose]();
  }
}
