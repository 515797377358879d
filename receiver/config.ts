/** What a receiver is told from outside, and where things lie in its data directory. */
import { join } from 'node:path';
import { UsageError } from '../proto/errors.js';

export const defaultListen = '0.0.0.0:7433';

/** The parts of a data directory. */
export interface DataLayout {
  readonly directory: string;
  readonly authority: string;
  readonly journals: string;
  readonly replicas: string;
  readonly catalogue: string;
  readonly lock: string;
}

export function dataLayout(directory: string): DataLayout {
  return {
    directory,
    authority: join(directory, 'authority'),
    journals: join(directory, 'journals'),
    replicas: join(directory, 'replicas'),
    catalogue: join(directory, 'catalogue.sqlite'),
    lock: join(directory, 'serve.lock'),
  };
}

export interface ListenAddress {
  readonly host: string;
  readonly port: number;
}

/** Reads HOST:PORT; an IPv6 address stands in brackets, port 0 lets the system choose. Throws UsageError. */
export function parseListen(text: string): ListenAddress {
  const match = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > 65535) throw new UsageError(`--listen ${text} is no address; write it as 0.0.0.0:7433 or [::]:7433`);
  return { host: match[1] ?? match[2]!, port };
}
