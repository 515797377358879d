/** Full disks, failing disks and power cuts at every call a log makes: nothing durable is lost, nothing is made up. */
import { cpSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { systemFiles } from '../../../native/host/files.js';
import { asSequence } from '../../../proto/change.js';
import { DurabilityError, errorCode } from '../../../proto/errors.js';
import { SegmentLog } from '../../../proto/journal/segment-log.js';
import { chance } from '../seeded.js';
import { FaultyFiles, type Call, type Fault } from './faulty-files.js';
import { journal, nextFrame } from './frames.js';

const segmentSizeBytes = 1000;
const frameCount = 9;
const wholeThrough = BigInt(frameCount * 2);

const open = (files: FaultyFiles | typeof systemFiles, directory: string, durableFloor = 0n): Promise<SegmentLog> =>
  SegmentLog.open({ files, directory, journal, segmentSizeBytes, durableFloor: asSequence(durableFloor) });

async function* steps(log: SegmentLog): AsyncGenerator<() => Promise<unknown>> {
  for (let place = 0; place < frameCount; place += 1) {
    yield () => log.append(nextFrame(log.end));
    if (place % 2 === 1) yield () => log.sync();
    if (place === 5) yield () => log.seal();
  }
  yield () => log.sync();
}

async function readThrough(log: SegmentLog): Promise<bigint> {
  let through: bigint = log.trimmedThrough;
  for await (const { frame } of log.frames(log.trimmedThrough)) {
    if (frame.header.firstSequence !== through + 1n) throw new RangeError('a hole');
    through = frame.header.lastSequence;
  }
  return through;
}

/** How often each deed is called when nothing fails. */
async function callsWithoutFault(directory: string): Promise<FaultyFiles['calls']> {
  const files = new FaultyFiles();
  const log = await open(files, directory);
  for await (const step of steps(log)) await step();
  await log.close();
  return files.calls;
}

for (const { label, alsoFails } of [
  { label: 'a disk that is full at any write', alsoFails: [] },
  { label: 'a disk that is full at any write, and then cannot even truncate', alsoFails: ['truncate'] },
  { label: 'a disk that is full at any write, and cannot remove the segment it began', alsoFails: ['remove'] },
] as const) {
  for (const partBytes of [0, 1, 60, 250]) {
    t.test(`${label}, after ${partBytes} bytes: the log waits and goes on`, async (t) => {
      const root = t.testdir();
      const writes = (await callsWithoutFault(join(root, 'whole'))).get('write')!;
      for (let index = 0; index < writes; index += 1) {
        const directory = join(root, `at-${index}`);
        let full = false;
        const files = new FaultyFiles((call: Call): Fault => {
          if (call.deed === 'write' && call.index === index) full = true;
          const fails = full && (call.deed === 'write' || (alsoFails as readonly string[]).includes(call.deed));
          return fails ? { code: 'ENOSPC', partBytes } : undefined;
        });
        const log = await open(files, directory);
        for await (const step of steps(log)) {
          for (let attempt = 0; ; attempt += 1) {
            const before = log.end;
            const failed = await step().then(() => undefined, (error: unknown) => error);
            if (failed === undefined) break;
            if (!(failed instanceof DurabilityError) || errorCode(failed) !== 'ENOSPC' || attempt > 1) throw failed;
            t.equal(log.end, before, 'a refused append leaves the end where it was');
            t.equal(await readThrough(log), log.writtenThrough, 'and what is there can be read');
            if (attempt === 1) full = false;
          }
        }
        t.ok(files.fired >= 2, `write ${index} failed, and failed again`);
        t.equal(await readThrough(log), wholeThrough);
        await log.close();
        const again = await open(systemFiles, directory, wholeThrough);
        t.strictSame(again.damage, []);
        t.equal(await readThrough(again), wholeThrough);
        await again.close();
      }
    });
  }
}

t.test('a full disk may be given up at any write: reopening finds all that was durable', async (t) => {
  const root = t.testdir();
  const writes = (await callsWithoutFault(join(root, 'whole'))).get('write')!;
  for (let index = 0; index < writes; index += 1) {
    const directory = join(root, `at-${index}`);
    const files: FaultyFiles = new FaultyFiles((call): Fault => (call.index >= index && call.deed === 'write') || (files.fired > 0 && (call.deed === 'truncate' || call.deed === 'remove')) ? { code: 'ENOSPC', partBytes: 100 } : undefined);
    const log = await open(files, directory);
    await t.rejects(play(log), { name: 'DurabilityError' });
    const { writtenThrough } = log;
    await log.close();
    const again = await open(systemFiles, directory, log.durableThrough);
    t.equal(again.writtenThrough, writtenThrough, `write ${index}`);
    await again.append(nextFrame(again.end));
    await again.seal();
    t.equal(await readThrough(again), again.writtenThrough);
    await again.close();
  }
});

for (const deed of ['write', 'datasync', 'syncDirectory', 'create'] as const) {
  t.test(`a disk that fails at any ${deed}: the log is broken until opened again, and nothing durable is missing`, async (t) => {
    const root = t.testdir();
    const calls = (await callsWithoutFault(join(root, 'whole'))).get(deed)!;
    for (let index = 0; index < calls; index += 1) {
      const directory = join(root, `at-${index}`);
      const files = new FaultyFiles((call) => (call.deed === deed && call.index === index ? { code: 'EIO', partBytes: 70 } : undefined));
      const log = await open(files, directory);
      await t.rejects(play(log), { name: 'DurabilityError', message: /EIO/ });
      t.equal(files.fired, 1);
      await t.rejects(log.append(nextFrame(log.end)), { name: 'DurabilityError', message: /EIO/ }, 'no append');
      await t.rejects(log.sync(), { name: 'DurabilityError', message: /EIO/ }, 'no second try of a sync');
      await t.rejects(log.seal(), { name: 'DurabilityError' }, 'no seal');
      t.equal(files.fired, 1);
      const { durableThrough, writtenThrough } = log;
      await log.close();
      const again = await open(systemFiles, directory, durableThrough);
      if (deed === 'datasync') t.equal(again.writtenThrough, durableThrough, `${deed} ${index}: only what was durable`);
      else t.equal(again.writtenThrough, writtenThrough, `${deed} ${index}: all that was written`);
      for (let more = 0; more < 6; more += 1) await again.append(nextFrame(again.end));
      t.equal(await readThrough(again), again.writtenThrough);
      t.strictSame(again.damage, []);
      await again.close();
    }
  });
}

t.test('a sync that fails beneath an append fails the append too', async (t) => {
  const directory = join(t.testdir(), 'log');
  let fail = false;
  const files = new FaultyFiles((call) => (fail && call.deed === 'datasync' ? { code: 'EIO' } : undefined));
  const log = await open(files, directory);
  await log.append(nextFrame(log.end));
  await log.sync();
  await log.append(nextFrame(log.end, { size: 10 }));
  fail = true;
  const sync = log.sync();
  const [append, failed] = await Promise.allSettled([log.append(nextFrame(log.end, { size: 10 })), sync]);
  t.equal(failed.status, 'rejected');
  if (append.status === 'rejected') t.match(append.reason, { name: 'DurabilityError' });
  await t.rejects(log.append(nextFrame(log.end)), { name: 'DurabilityError' });
  t.equal(log.durableThrough, 2n);
  await log.close();
  const again = await open(systemFiles, directory, 2n);
  t.equal(again.writtenThrough, 2n);
  await again.close();
});

t.test('a seal beside a sync that fails does not call lost frames durable', async (t) => {
  const directory = join(t.testdir(), 'log');
  let told = true;
  // As the kernel does it: a failed write-back is told to one sync, and the next one passes.
  const files = new FaultyFiles((call) => (call.deed === 'datasync' && !told ? ((told = true), { code: 'EIO' }) : undefined));
  const log = await open(files, directory);
  await log.append(nextFrame(log.end));
  told = false;
  files.duringSync = () => new Promise((resolve) => setTimeout(resolve, 20));
  const [sync, seal] = await Promise.allSettled([log.sync(), log.seal()]);
  t.equal(sync.status, 'rejected');
  t.equal(seal.status, 'rejected');
  t.equal(log.durableThrough, 0n);
  await log.close();
});

t.test('opening syncs what it found before it calls it durable', async (t) => {
  for (const sealed of [false, true]) {
    const directory = join(t.testdir(), `sealed-${sealed}`);
    const log = await open(systemFiles, directory);
    await log.append(nextFrame(log.end));
    if (sealed) await log.seal();
    await log.close();
    const files = new FaultyFiles();
    await (await open(files, directory)).close();
    t.equal(files.calls.get('datasync'), 1, 'the last segment');
    t.equal(files.calls.get('syncDirectory'), 1, 'and its name');
    for (const deed of ['datasync', 'syncDirectory'] as const) {
      await t.rejects(open(new FaultyFiles((call) => (call.deed === deed ? { code: 'EIO' } : undefined)), directory), { name: 'DurabilityError', message: /EIO/ });
    }
  }
});

t.test('power may fail at any moment: what was durable is there, what is there was written', async (t) => {
  const c = chance(t);
  const root = t.testdir();
  for (let round = 0; round < 25; round += 1) {
    const directory = join(root, `round-${round}`);
    const files = new FaultyFiles();
    const log = await open(files, directory);
    let count = 0;
    for await (const step of steps(log)) {
      await step();
      if (c.below(3) > 0) continue;
      const after = join(root, `round-${round}-cut-${(count += 1)}`);
      powerCut(directory, after, (path) => files.durableSizes.get(path) ?? 0, c);
      const survivor = await open(systemFiles, after, log.durableThrough);
      t.ok(survivor.writtenThrough >= log.durableThrough && survivor.writtenThrough <= log.writtenThrough, `durable ${log.durableThrough}, found ${survivor.writtenThrough}, written ${log.writtenThrough}`);
      t.equal(await readThrough(survivor), survivor.writtenThrough);
      await survivor.close();
    }
    await log.close();
  }
});

async function play(log: SegmentLog): Promise<void> {
  for await (const step of steps(log)) await step();
}

/** A copy of a directory as a power cut may leave it: of bytes that were not synced, some are missing, zero or old. */
function powerCut(from: string, to: string, durableSize: (path: string) => number, c: ReturnType<typeof chance>): void {
  mkdirSync(to);
  for (const name of readdirSync(from)) {
    const path = join(from, name);
    const bytes = readFileSync(path);
    const durable = durableSize(path);
    if (bytes.byteLength === durable) cpSync(path, join(to, name));
    else {
      const kept = Buffer.from(bytes.subarray(0, durable + c.below(bytes.byteLength - durable + 1)));
      if (kept.byteLength > durable && c.sometimes()) kept.fill(c.pick([0, 0xa5]), durable + c.below(kept.byteLength - durable));
      writeFileSync(join(to, name), kept);
    }
  }
}
