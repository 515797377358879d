/** Tells errors of the protected file system from those of the journal or the index. */

/** Whether an error is the file system's answer to a read of the protected tree. */
export function isReadFailure(error: unknown): boolean {
  const { code, syscall } = error as NodeJS.ErrnoException;
  return typeof code === 'string' && syscall !== undefined && /^E[A-Z0-9]+$/.test(code);
}

/** Whether an error says that the entry is no longer there, or no longer of its kind. */
export function isGone(error: unknown): boolean {
  if (!isReadFailure(error)) return false;
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT' || code === 'ENOTDIR' || code === 'ELOOP' || code === 'ESTALE' || code === 'EINVAL';
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
