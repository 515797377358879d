/** A process to be killed: repairs a replica, says how far it is, and on "go" applies a history that its seed gives. */
import { createInterface } from 'node:readline';
import { join } from 'node:path';
import { systemClock } from '../../../native/host/clock.js';
import { systemDirectories } from '../../../native/index.js';
import { FileDatabases } from '../../../receiver/replica/file-databases.js';
import { brought } from './crash-rig.js';
import { memoryLogger, openReplica } from './fixture.js';
import { journalOf } from './kill-history.js';

const [root = '', seed = '', count = ''] = process.argv.slice(2);
const asRoot = process.getuid?.() === 0;
const journal = journalOf({ seed: Number(seed), count: Number(count), asRoot });
const replica = await openReplica({ reader: journal, directories: systemDirectories, databases: new FileDatabases(join(root, 'state')), root, clock: systemClock, logger: memoryLogger(), asRoot, limits: { intentAhead: 100, checkpointMs: 40, tickMs: 10, settleMs: 5, filesMax: 8, directoriesMax: 8 } });
const { volumes } = await brought(replica);
const say = (text: string): void => void process.stdout.write(`${text}\n`);
say(`repaired ${volumes[0]?.appliedThrough ?? 0n} ${volumes[0]?.rebuilds ?? 0} ${volumes[0]?.rebuildCause ?? ''}`);
for await (const line of createInterface({ input: process.stdin })) {
  if (line === 'go') {
    await replica.applyThrough(journal.last);
    const [status] = replica.status().volumes;
    say(`applied ${status!.appliedThrough} ${status!.rebuilds} ${JSON.stringify(status!.notRepresented.first)}`);
  } else {
    await replica[Symbol.asyncDispose]();
    say('ended');
    process.stdin.destroy();
    break;
  }
}
