/** Errors of directory operations in the shape of Node's own, for what fails without a system call. */
import { getSystemErrorMap } from 'node:util';

/** As Node shapes it; `entry` is the name that the operation was about. */
export interface DirectoryError extends Error {
  code: string;
  errno?: number;
  syscall: string;
  entry?: Buffer;
}

const known = new Map<string, { errno: number; text: string }>();
for (const [errno, [code, text]] of getSystemErrorMap()) known.set(code, { errno, text });

/** An error such as `ENOENT: no such file or directory, openat 'name'`; `reason` replaces the usual text. */
export function directoryError(code: string, syscall: string, entry?: Uint8Array, reason?: string): DirectoryError {
  const { errno, text } = known.get(code) ?? {};
  // Latin-1 keeps every byte of a name visible, whatever its encoding was.
  const name = entry === undefined ? '' : ` '${Buffer.from(entry).toString('latin1')}'`;
  const error = new Error(`${code}: ${reason ?? text ?? 'operation failed'}, ${syscall}${name}`);
  return Object.assign(error, {
    code,
    syscall,
    ...(errno === undefined ? {} : { errno }),
    ...(entry === undefined ? {} : { entry: Buffer.from(entry) }),
  });
}

/** The `code` of a Node-shaped error, or undefined for anything else. */
export function errorCode(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException | undefined)?.code;
}

/** Refuses bytes that cannot become a C string (a link target, an attribute key). */
export function checkNoNul(bytes: Uint8Array, syscall: string, entry?: Uint8Array): void {
  if (bytes.includes(0)) throw directoryError('EINVAL', syscall, entry, 'contains a NUL byte');
}
