/** Volumes that cannot be taken up at a start: they are tried again, or go on with another engine, and status says so. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import t from 'tap';
import type { ChangeSource, EngineVerdict, ProtectedVolume, SourceStatus } from '../../agent/capture/change-source.js';
import { Protection } from '../../agent/protection.js';
import { VolumeRegister } from '../../agent/volumes.js';
import { systemFiles } from '../../native/host/files.js';
import { asSequence, type CapturedChange, type Engine, noSequence, type VolumeId } from '../../proto/change.js';

const silent = { info: () => undefined, warn: () => undefined, error: () => undefined };

/** An engine that captures whatever it is given, or fails as it is told to. */
class FakeSource implements ChangeSource {
  readonly engine: Engine;
  readonly committedThrough = noSequence;
  readonly added: ProtectedVolume[] = [];
  readonly known = new Set<VolumeId>();
  failure: string | undefined;
  constructor(engine: Engine) {
    this.engine = engine;
  }
  async replay(): Promise<void> {}
  async start(): Promise<void> {}
  knows(volume: VolumeId): boolean {
    return this.known.has(volume);
  }
  async add(volume: ProtectedVolume): Promise<void> {
    if (this.failure !== undefined) throw new Error(this.failure);
    this.added.push(volume);
    this.known.add(volume.volume);
  }
  async remove(): Promise<void> {}
  async flush(): Promise<void> {}
  status(): SourceStatus | undefined {
    return undefined;
  }
  advance(): void {}
  async [Symbol.asyncDispose](): Promise<void> {}
}

async function setUp(directory: string) {
  const path = join(directory, 'volume');
  await mkdir(path, { recursive: true });
  const [exact, portable] = [new FakeSource('exact'), new FakeSource('portable')];
  const verdicts: EngineVerdict[] = [{ engine: 'exact', available: true, reason: 'can' }, { engine: 'portable', available: true, reason: 'can' }];
  const appended: CapturedChange[] = [];
  const open = async (): Promise<Protection> =>
    new Protection({
      register: await VolumeRegister.open(systemFiles, join(directory, 'volumes.json')),
      sources: new Map<Engine, ChangeSource>([['exact', exact], ['portable', portable]]),
      sink: {
        append: async (changes) => {
          appended.push(...changes);
          return { taken: true, firstSequence: asSequence(1n), lastSequence: asSequence(1n) };
        },
        whenDurable: async () => undefined,
        whenRoom: async () => undefined,
      },
      excludedDirectories: [],
      verdicts: async () => verdicts,
      logger: silent,
    });
  const kinds = (): string[] => appended.splice(0).map(({ volume, body }) => `${body.kind} ${volume}`);
  return { path, exact, portable, verdicts, open, kinds };
}

t.test('a volume that cannot be taken up says why, and is tried again until it can', async (t) => {
  const { path, exact, open } = await setUp(t.testdir());
  await (await open()).protect({ path, name: 'data', engine: 'exact', exclude: [] });
  exact.added.length = 0;
  exact.failure = 'the directory is missing';
  const protection = await open();
  await protection.retry();
  t.strictSame(exact.added, [], 'nothing is tried before the start is over');
  await protection.resume();
  t.match(protection.failure(protection.records[0]!), /the directory is missing/);
  await protection.retry();
  t.match(protection.failure(protection.records[0]!), /the directory is missing/);
  exact.failure = undefined;
  await protection.retry();
  t.equal(protection.failure(protection.records[0]!), undefined);
  t.equal(exact.added.length, 1);
  await protection.retry();
  t.equal(exact.added.length, 1, 'once it is captured it is left alone');
});

t.test('where the engine that was chosen is not available any more, another copies the volume anew', async (t) => {
  const { path, exact, portable, verdicts, open, kinds } = await setUp(t.testdir());
  await (await open()).protect({ path, name: 'data', engine: 'auto', exclude: [] });
  t.strictSame(kinds(), ['volume 1']);
  exact.failure = 'the kernel describes no types';
  verdicts[0] = { engine: 'exact', available: false, reason: exact.failure };
  const protection = await open();
  await protection.resume();
  t.match(protection.records[0], { name: 'data', engine: 'portable', volume: 2 });
  t.strictSame(kinds(), ['volume 1', 'retired 1', 'volume 2']);
  t.strictSame(portable.added.map(({ volume }) => volume), [2]);
  t.equal(protection.failure(protection.records[0]!), undefined);
});

t.test('a failure that is none of the engine, or an engine asked for by name, leaves the volume as it is', async (t) => {
  for (const [engine, available] of [['auto', true], ['exact', false]] as const) {
    const { path, exact, portable, verdicts, open } = await setUp(t.testdir());
    await (await open()).protect({ path, name: 'data', engine, exclude: [] });
    exact.failure = 'no';
    verdicts[0] = { engine: 'exact', available, reason: 'no' };
    const protection = await open();
    await protection.resume();
    t.match(protection.records[0], { engine: 'exact', volume: 1 });
    t.strictSame(portable.added, []);
    t.match(protection.failure(protection.records[0]!), /no/);
  }
});
