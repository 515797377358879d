/** What the capture addon exports, and whether this machine can use it. */
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Raised together with kInterfaceVersion in src/capture/addon.cc. */
const interfaceVersion = 5;

/** [ino, generation, device, tree, low, high, firstNs, lastNs, causes, count] */
export type NativeLostRange = readonly [bigint, number, number, bigint, bigint, bigint, bigint, bigint, number, number];

export interface NativeStream {
  close(): void;
  /** The batch in a buffer will not be read again: the drain may fill it. */
  consumed(buffer: number): void;
  /** Whether the process is to stay for the next batch. */
  hold(waiting: boolean): void;
  watch(device: number): void;
  unwatch(device: number): void;
  forgetOutside(): void;
  markOutside(ino: bigint, tree: bigint, generation: number, device: number): void;
  position(): bigint;
  takeLost(): readonly [readonly NativeLostRange[], bigint | undefined, bigint | undefined];
  isMapped(ino: bigint, tree: bigint, generation: number, device: number): boolean;
  noteMapped(fd: number): boolean;
  watchPart(disk: number, device: number, start: bigint, end: bigint): void;
  unwatchPart(device: number): void;
  beginBlockEpoch(): bigint;
  hasBlockFlightBefore(epoch: bigint): boolean;
  stats(): readonly [number, number, bigint, bigint, boolean];
  quiesce(): bigint;
  resume(): void;
  suspend(directory: string): bigint[];
}

export interface CaptureAddon {
  readonly interfaceVersion: number;
  /** Bytes at an address that direct reads can be made to. */
  alignedBuffer(bytes: number): Buffer;
  /** Bytes of a batch's buffer at least. */
  readonly batchBufferBytes: number;
  readonly Stream: {
    new (
      objectPath: string,
      ringBytes: number,
      excludedPid: number,
      deliver: (buffer: number, length: number, through: bigint, wallOffsetNs: bigint) => void,
      buffers: readonly Buffer[],
      preferPages: boolean,
      followChanges: boolean,
      pins?: string,
      state?: readonly bigint[],
    ): NativeStream;
    unpin(directory: string): void;
  };
}

export interface LoadedCapture {
  readonly addon: CaptureAddon;
  readonly objectPath: string;
}

/** The directory of what was built: the same from dist/ and from source. */
function releaseDirectory(): string | undefined {
  for (let at = dirname(fileURLToPath(import.meta.url)); ; at = dirname(at)) {
    const manifest = join(at, 'package.json');
    if (existsSync(manifest) && (JSON.parse(readFileSync(manifest, 'utf8')) as { name?: string }).name === 'afterimage') {
      return join(at, 'native', 'build', 'Release');
    }
    if (dirname(at) === at) return undefined;
  }
}

/** Capabilities by bit: CAP_BPF and CAP_PERFMON, or CAP_SYS_ADMIN, which implies both. */
function lacksPrivilege(): boolean {
  const effective = /^CapEff:\s*([0-9a-f]+)/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1] ?? '0';
  const has = (bit: bigint): boolean => ((BigInt(`0x${effective}`) >> bit) & 1n) === 1n;
  return !(has(21n) || (has(39n) && has(38n)));
}

function load(): LoadedCapture | string {
  if (process.platform !== 'linux') return 'exact capture needs Linux';
  const release = releaseDirectory();
  if (release === undefined) return 'the package that this file belongs to was not found';
  const addonPath = join(release, 'afterimage-capture.node');
  const objectPath = join(release, 'capture.bpf.o');
  if (!existsSync(addonPath) || !existsSync(objectPath)) {
    return (
      'the capture programs are not built: install clang, libbpf, libelf and zlib with their headers ' +
      '(on Debian and Ubuntu: apt-get install clang libbpf-dev libelf-dev zlib1g-dev), then npm run build:native'
    );
  }
  if (!existsSync('/sys/kernel/btf/vmlinux')) return 'the kernel describes no types (/sys/kernel/btf/vmlinux): it needs CONFIG_DEBUG_INFO_BTF, as distributions have it';
  if (lacksPrivilege()) return 'no privilege to load programs into the kernel: run as root, or with CAP_BPF and CAP_PERFMON';
  try {
    const addon = createRequire(import.meta.url)(addonPath) as CaptureAddon;
    if (addon.interfaceVersion !== interfaceVersion) return `${addonPath} was built from another version (npm run build:native)`;
    return { addon, objectPath };
  } catch (error) {
    return `${addonPath} cannot be loaded: ${(error as Error).message}`;
  }
}

let loaded: LoadedCapture | string | undefined;

/** The addon with the programs' object file, or why there is none. */
export function loadCapture(): LoadedCapture | string {
  loaded ??= load();
  return loaded;
}
