/** Both programs killed again and again under load: nothing is lost, nothing is copied anew. */
import t from 'tap';
import { setTimeout as sleep } from 'node:timers/promises';
import { chance, seeded, type Chance } from '../proto/seeded.js';
import { CountingProxy } from './counting-proxy.js';
import { AgentProgram, ReceiverProgram } from './programs.js';
import { TreeLoad } from './tree-load.js';
import { assertConverged, hostName, protect, Workplace, type GapRow } from './world.js';

const kills = 50;
const mebibyte = 1024 * 1024;
/** One connection's TLS and HTTP/2 handshake, its hello, and the reports of about once a second. */
const connectionBytes = 16 * 1024;
/** What may travel beyond the changed blocks: headers, metadata, and frames that were under way when a program was killed. */
const factorMax = 1.5;

/** Starts, waits or not until it is ready, and kills, `kills` times; it runs in the end. */
async function killAgain(c: Chance, start: () => Promise<void>, kill: () => Promise<void>): Promise<number> {
  let early = 0;
  for (let left = kills; left > 0; left -= 1) {
    const starting = start();
    // Killed while it starts, it rejects, which is what is wanted.
    const started = starting.then(() => true, () => false);
    if (c.below(4) > 0) await started;
    else early += 1;
    await sleep(c.below(500));
    await kill();
    await started;
  }
  await start();
  return early;
}

t.test(`killed ${kills} times each under load, the programs lose nothing and copy nothing anew`, async (t) => {
  const c = chance(t);
  await using work = await Workplace.make('kill');
  const source = await work.makeDirectory('source');
  await using receiver = await ReceiverProgram.init(work.path('receiver'));
  await receiver.start();
  await using proxy = await CountingProxy.open({ host: '127.0.0.1', port: Number(receiver.address.split(':').pop()) });
  await using agent = await AgentProgram.enroll(work.path('agent'), receiver, hostName, proxy.address);
  const startAgent = (): Promise<void> => agent.start('--scan-interval', '10s');
  await startAgent();
  const load = new TreeLoad(source, c);
  await load.begin([8 * mebibyte, 4 * mebibyte, 4 * mebibyte]);
  await protect(agent, source, 'data');
  await agent.command('flush');

  const end = new AbortController();
  const loading = load.run(end.signal, 200);
  loading.catch(() => undefined);
  await Promise.all([receiver.daemon.kill(), agent.daemon.kill()]);
  const early = await Promise.all([
    killAgain(seeded(c.seed + 1), () => receiver.start(), () => receiver.daemon.kill()),
    killAgain(seeded(c.seed + 2), startAgent, () => agent.daemon.kill()),
  ]);
  end.abort();
  await loading;
  t.comment(`${load.operations} operations touched ${load.blocksTouched} blocks; ${early.join(' and ')} kills came during a start`);

  await agent.until('watching', ({ volumes, connection }) => volumes[0]?.phase === 'watching' && connection.state === 'connected', 300_000);
  await assertConverged(t, { work, receiver, agent, source });
  await receiver.command('verify');
  const gaps = await receiver.json<GapRow[]>('gaps', '--volume', 'data');
  t.ok(gaps.some((gap) => gap.label === 'unknown'), 'the times without an agent are on record');
  t.ok(gaps.filter((gap) => gap.to === '').length === 0, 'and none of them is open');
  const allowed = factorMax * load.bytesTouched + proxy.connections * connectionBytes;
  t.comment(`${proxy.sentBytes} bytes in ${proxy.connections} connections for ${load.bytesTouched} changed; ${(proxy.sentBytes / load.bytesTouched).toFixed(3)} of them, ${allowed} allowed`);
  t.ok(proxy.sentBytes <= allowed, `${proxy.sentBytes} bytes travelled for ${load.bytesTouched} bytes of touched blocks`);
  t.equal(await agent.daemon.stop(), 0);
  t.equal(await receiver.daemon.stop(), 0);
});
