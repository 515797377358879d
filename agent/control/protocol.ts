/** What commands say to the running agent over its local socket: one JSON request and one JSON answer a connection. */
import { createHash } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface ControlRequests {
  status: { arguments: Record<never, never>; answer: AgentStatus };
  protect: { arguments: { path: string; name?: string; engine: 'auto' | 'exact' | 'portable'; exclude: string[] }; answer: { name: string; engine: string; reason: string } };
  unprotect: { arguments: { name: string }; answer: { name: string } };
  mark: { arguments: { name: string }; answer: { name: string; sequence: string; time: string } };
  flush: { arguments: { applied: boolean }; answer: { sequence: string } };
}

export type ControlCommand = keyof ControlRequests;

export interface VolumeStatus {
  readonly name: string;
  readonly path: string;
  readonly kind: string;
  readonly engine: string;
  readonly label: string;
  readonly cause: string;
  readonly settled: boolean;
  readonly phase: string;
  readonly progress?: { readonly doneBytes: number; readonly totalBytes: number; readonly doneEntries: number; readonly totalEntries: number };
  readonly gaps: number;
  readonly pendingHints: number;
  readonly lastScan?: string;
  /** Of the exact engine: when it last compared the whole volume with its model, and how many differences that ever found. */
  readonly comparison?: { readonly ended?: string; readonly differences: number };
  readonly reports: readonly { readonly path: string; readonly problem: string }[];
  readonly reportCount: number;
}

/** The state of an agent; sequences are decimal strings, times ISO 8601. */
export interface AgentStatus {
  readonly agent: { readonly version: string; readonly pid: number; readonly started: string; readonly host: string; readonly receiver: string; readonly stateDirectory: string; readonly certificateExpires?: string };
  readonly connection: { readonly state: string; readonly message: string; readonly since: string };
  readonly receiver: { readonly state: string; readonly message: string };
  readonly journal: {
    readonly state: string;
    readonly message: string;
    readonly captured: string;
    readonly durable: string;
    readonly applied: string;
    readonly lagSeconds: number;
    readonly lagBytes: number;
    readonly spoolBytes: number;
    readonly spoolBytesMax: number;
    readonly ringBytes: number;
    readonly gaps: number;
    readonly shippedBytes: number;
    readonly resentBytes: number;
    readonly reconnects: number;
  };
  readonly memory: { readonly residentBytes: number };
  readonly volumes: readonly VolumeStatus[];
}

export type ControlAnswer = { readonly kind: 'answer'; readonly value: unknown } | { readonly kind: 'error'; readonly name: string; readonly message: string };

/** Bytes of one request or answer at most. */
export const controlBytesMax = 4 * 1024 * 1024;

/** Longest socket path that every system takes (sun_path has 104 bytes on macOS, NUL included). */
const socketPathBytesMax = 103;

/**
 * Where the socket of a state directory is. A state directory whose path is too long for a socket
 * address gets one in the directory for temporary files, in a folder of this user's own.
 */
export function controlSocketPath(stateDirectory: string, platform: NodeJS.Platform = process.platform): string {
  const hash = createHash('sha256').update(stateDirectory).digest('hex').slice(0, 24);
  if (platform === 'win32') return `\\\\.\\pipe\\afterimage-agent-${hash}`;
  const path = join(stateDirectory, 'control.sock');
  if (Buffer.byteLength(path) <= socketPathBytesMax) return path;
  return join(tmpdir(), `afterimage-${process.getuid?.() ?? 0}`, `${hash}.sock`);
}
