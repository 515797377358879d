/** Notes in the audit log what an operator does with a data directory on the receiver itself. */
import { systemClock } from '../../native/host/clock.js';
import { DataDirectory } from '../data.js';

/** Every restore is in the audit log; what cannot be noted is said, but done all the same. */
export async function noteAct(directory: string, act: string, detail: Readonly<Record<string, unknown>>): Promise<void> {
  try {
    await using data = await DataDirectory.open(directory, { readOnly: false });
    data.catalogue.access.audit({ timeNs: systemClock.wallNs(), identity: 'operator local', act, detail });
  } catch (error) {
    process.stderr.write(`the act "${act}" could not be noted in the audit log: ${(error as Error).message}\n`);
  }
}
