/** Decides, before anything is done, whether a request of the transmission phase can be served. */
import { command, commandFlag, errorNumber, type ErrorNumber, type Request } from './transmission-codec.js';

/** Content of one read or write at most. */
export const requestBytesMax = 32 * 1024 * 1024;

export interface RequestRules {
  readonly sizeBytes: number;
  readonly isWritable: boolean;
  /** Whether holes may be asked for. */
  readonly allocation: boolean;
}

export interface Refusal {
  readonly error: ErrorNumber;
  readonly text: string;
}

interface Rule {
  /** Bits of `commandFlag` besides the one that all commands take on a writable device. */
  readonly flags: number;
  readonly writes: boolean;
  /** Whether its content travels, so that its length is bounded. */
  readonly hasContent: boolean;
  readonly ranged: boolean;
}

const rules: ReadonlyMap<number, Rule> = new Map([
  [command.read, { flags: 0, writes: false, hasContent: true, ranged: true }],
  [command.write, { flags: 0, writes: true, hasContent: true, ranged: true }],
  [command.flush, { flags: 0, writes: false, hasContent: false, ranged: false }],
  [command.trim, { flags: 0, writes: true, hasContent: false, ranged: true }],
  [command.writeZeroes, { flags: commandFlag.noHole, writes: true, hasContent: false, ranged: true }],
  [command.blockStatus, { flags: commandFlag.oneExtent, writes: false, hasContent: false, ranged: true }],
] as [number, Rule][]);

/** Undefined when the request can be served. */
export function refusalOf(request: Request, { sizeBytes, isWritable, allocation }: RequestRules): Refusal | undefined {
  const rule = rules.get(request.command);
  if (rule === undefined) return { error: errorNumber.EINVAL, text: `command ${request.command} is not supported` };
  if (rule.writes && !isWritable) return { error: errorNumber.EPERM, text: 'the export is read-only' };
  const flags = rule.flags | (isWritable ? commandFlag.forceUnitAccess : 0);
  if ((request.flags & ~flags) !== 0) return { error: errorNumber.EINVAL, text: 'the request has a flag that it cannot have' };
  if (!rule.ranged) return undefined;
  if (rule.hasContent && request.length > requestBytesMax) return { error: errorNumber.EINVAL, text: `a request is of at most ${requestBytesMax} bytes` };
  if (request.offset + BigInt(request.length) > BigInt(sizeBytes)) {
    return { error: rule.writes && request.command !== command.trim ? errorNumber.ENOSPC : errorNumber.EINVAL, text: `the device ends at ${sizeBytes}` };
  }
  if (request.command !== command.blockStatus) return undefined;
  if (!allocation) return { error: errorNumber.EINVAL, text: 'no metadata context was agreed on' };
  return request.length === 0 ? { error: errorNumber.EINVAL, text: 'an empty range has no state' } : undefined;
}
