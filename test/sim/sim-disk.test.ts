/** The simulated disk itself: what it may lose, what it may not, and that it does lose it at times. */
import t from 'tap';
import type { File } from '../../native/host/files.js';
import { SimProcess, WallClock, type CrashKind } from './process.js';
import { Scheduler } from './scheduler.js';
import { noDiskFaults, SimDisk } from './sim-disk.js';
import { SimFiles } from './sim-files.js';

const path = '/data/file';

/** Runs `work` on a prepared disk, crashes in the given way, and returns what is found: by seed, as text. */
async function afterwards(kind: CrashKind, work: (files: SimFiles, disk: SimDisk) => Promise<unknown>): Promise<Set<string>> {
  const found = new Set<string>();
  for (let seed = 1; seed <= 60; seed += 1) {
    const scheduler = new Scheduler(seed);
    const disk = new SimDisk({ chance: scheduler.chance.fork(), capacityBytes: 100_000, fired: () => undefined });
    disk.prepare('/data');
    const process = new SimProcess(scheduler, 'process', new WallClock(scheduler));
    const files = new SimFiles(process, disk);
    let isDone = false;
    void work(files, disk).then(() => (isDone = true));
    await scheduler.runUntil(() => isDone, { untilUs: 60_000_000, eventsMax: 10_000 });
    process.crash(kind);
    const lines = [...disk.contents('/data', 'cache')].map(([name, bytes]) => `${name}: ${bytes.toString()}`);
    found.add(lines.sort().join(', '));
    t.equal(process.isAlive, false);
  }
  return found;
}

async function put(file: File, text: string, position = 0): Promise<void> {
  await file.write([Buffer.from(text)], position);
}

t.test('what a killed process wrote stays; what was synced survives power loss, and nothing else need', async (t) => {
  const unsynced = async (files: SimFiles): Promise<void> => put(await files.create(path), 'text');
  t.same([...(await afterwards('kill', unsynced))], ['file: text']);
  t.same([...(await afterwards('power', unsynced))].sort(), ['', 'file: ', 'file: \0\0\0\0', 'file: text'], 'name, size and content each for itself');
  const synced = async (files: SimFiles): Promise<void> => {
    const file = await files.create(path);
    await put(file, 'text');
    await file.datasync();
  };
  t.same([...(await afterwards('power', synced))].sort(), ['', 'file: text'], 'the name is in the directory');
  const whole = async (files: SimFiles): Promise<void> => {
    await synced(files);
    await files.syncDirectory('/data');
  };
  t.same([...(await afterwards('power', whole))], ['file: text']);
});

t.test('sectors arrive one by one, in any order and any version', async (t) => {
  const found = await afterwards('power', async (files) => {
    const file = await files.create(path);
    await put(file, 'a'.repeat(1536));
    await file.datasync();
    await files.syncDirectory('/data');
    await put(file, 'b'.repeat(1536));
    await put(file, 'c'.repeat(512), 512);
  });
  const letters = new Set([...found].map((line) => [6, 6 + 512, 6 + 1024].map((at) => line[at]).join('')));
  t.ok(letters.has('aaa') && letters.has('bcb'), 'nothing, or all');
  t.ok(letters.has('bca') || letters.has('acb'), 'the second without one beside it');
  t.ok([...letters].some((one) => one[1] === 'b'), 'an earlier version');
});

t.test('a rename happens whole or not at all, and a removal may be undone', async (t) => {
  const found = await afterwards('power', async (files) => {
    for (const name of ['one', 'two']) {
      const file = await files.create(`/data/${name}`);
      await put(file, name);
      await file.datasync();
    }
    await files.syncDirectory('/data');
    await files.rename('/data/one', '/data/three');
    await files.remove('/data/two');
  });
  t.same([...found].sort(), ['one: one', 'one: one, two: two', 'three: one', 'three: one, two: two']);
});

t.test('after a failed sync the content is still seen, and gone with the power or the cache', async (t) => {
  const work = async (files: SimFiles, disk: SimDisk): Promise<void> => {
    const file = await files.create(path);
    await put(file, 'old.');
    await file.datasync();
    await files.syncDirectory('/data');
    await put(file, 'new.');
    disk.faults = { ...noDiskFaults, syncFails: 1 };
    await t.rejects(file.datasync(), { code: 'EIO' });
    disk.faults = noDiskFaults;
    await file.datasync();
  };
  t.same([...(await afterwards('kill', work))].sort(), ['file: new.', 'file: old.']);
  t.same([...(await afterwards('power', work))].sort(), ['file: new.', 'file: old.'], 'some of it may have arrived');
  const again = await afterwards('power', async (files, disk) => {
    await work(files, disk);
    const file = await files.open(path, 'write');
    await put(file, 'new.');
    await file.datasync();
  });
  t.same([...again], ['file: new.'], 'written again it is there');
});

t.test('a full disk takes what fits and says so', async (t) => {
  const found = await afterwards('kill', async (files) => {
    const file = await files.create(path);
    await t.rejects(put(file, 'x'.repeat(100_001)), { code: 'ENOSPC' });
    t.equal(await file.sizeBytes(), 100_000);
    await file.truncate(2);
    await put(file, 'y', 2);
  });
  t.same([...found], ['file: xxy']);
});
