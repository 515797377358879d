/** One setting of a restored entry: a refusal is reported, not thrown. */
import { errorCode } from '../host/directory-error.js';
import type { EntryTable } from './entry-table.js';
import type { Report } from './report.js';

export interface AttemptParts {
  readonly table: EntryTable;
  readonly report: Report;
  readonly dryRun: boolean;
}

/** Whether it was done, or would have been in a dry run. An error that says the disk is failing or full is thrown. */
export async function attempt({ table, report, dryRun }: AttemptParts, index: number, what: string, run: () => Promise<void>): Promise<boolean> {
  if (dryRun) return true;
  try {
    await run();
    return true;
  } catch (error) {
    const code = errorCode(error);
    if (code === undefined || code === 'EIO' || code === 'EROFS') throw error;
    report.skipped.add(`${what} is refused here (${code})`, table.path(index));
    return false;
  }
}
