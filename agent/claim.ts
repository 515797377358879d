/** Claims a state directory for one running agent. */
import { join } from 'node:path';
import { openDatabase } from '../native/host/database.js';
import { errorCode, UsageError } from '../proto/errors.js';

/**
 * The lock is SQLite's: the system releases it when the process ends, however it ends.
 * Throws UsageError while another agent holds it.
 */
export function claimState(stateDirectory: string): Disposable {
  const database = openDatabase(join(stateDirectory, 'run.lock'), { timeout: 0 });
  try {
    database.pragma('locking_mode = EXCLUSIVE');
    database.exec('BEGIN EXCLUSIVE');
  } catch (cause) {
    database.close();
    if (errorCode(cause) !== 'SQLITE_BUSY') throw cause;
    throw new UsageError(`an agent already runs on ${stateDirectory}; stop it first, or give this one another --state`, { cause });
  }
  return { [Symbol.dispose]: () => database.close() };
}
