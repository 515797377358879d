/** The content comparison: what it records turns the journal's content into the file's, block for block. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { BlockHasher } from '../../../agent/capture/tree/block-hash.js';
import { CaptureIndex } from '../../../agent/capture/tree/capture-index.js';
import { captureContent } from '../../../agent/capture/tree/content.js';
import { Recorder } from '../../../agent/capture/tree/recorder.js';
import { systemClock } from '../../../native/host/clock.js';
import type { ByteSpan, TreeFile } from '../../../native/host/directory.js';
import { asNodeId, asVolumeId, rootNode, writeBytesMax } from '../../../proto/change.js';
import { nameFromText } from '../../../proto/name.js';
import { ModelTree } from './model-tree.js';
import { RecordingSink } from './recording-sink.js';
import { seededRandom, seedFromEnvironment } from './seeded.js';

const volume = asVolumeId(1);
const node = 2;

/** A file in memory whose holes are the spans given. */
function fakeFile(content: Buffer, holes: readonly ByteSpan[] = []): TreeFile {
  const isHole = (at: number): boolean => holes.some((hole) => at >= hole.offset && at < hole.offset + hole.length);
  const unused = (): never => {
    throw new Error('not a read');
  };
  return {
    stat: unused,
    read: async (target, position) => content.copy(target, 0, position),
    nextData: async (offset) => {
      let start = offset;
      while (start < content.byteLength && isHole(start)) start += 1;
      let end = start;
      while (end < content.byteLength && !isHole(end)) end += 1;
      return start === end ? undefined : { offset: start, length: end - start };
    },
    write: unused, truncate: unused, punch: unused, datasync: unused,
    close: async () => undefined,
  };
}

async function makeBench(t: { teardown(run: () => unknown): unknown }) {
  const directory = mkdtempSync(join(tmpdir(), 'afterimage-content-'));
  const index = new CaptureIndex(join(directory, 'index.sqlite'));
  t.teardown(() => {
    index.abandon();
    index.close();
    rmSync(directory, { recursive: true });
  });
  index.addVolume(volume);
  const hasher = await BlockHasher.create();
  const sink = new RecordingSink();
  const recorder = new Recorder({ index, hasher, clock: systemClock }, sink);
  await recorder.add(volume, {
    kind: 'create', node: asNodeId(BigInt(node)), parent: rootNode, name: nameFromText('file'),
    metadata: { nodeKind: 'file', mode: 0o644, uid: 0, gid: 0, modifyNs: 0n },
  });
  const model = new ModelTree();
  let applied = 0;
  return {
    sink,
    async capture(content: Buffer, holes?: readonly ByteSpan[]) {
      await recorder.flush();
      const before = sink.changes.length;
      const bytesRead = await captureContent({ index, hasher, recorder, volume }, { file: fakeFile(content, holes), node, size: content.byteLength, sparse: holes !== undefined });
      await recorder.flush();
      return { bytesRead, bodies: sink.changes.slice(before).map((change) => change.body) };
    },
    content() {
      for (; applied < sink.changes.length; applied += 1) model.apply(sink.changes[applied]!.body);
      return model.nodes.get(asNodeId(BigInt(node)))!.content;
    },
  };
}

t.test('runs are merged and cut to the largest write', async (t) => {
  const bench = await makeBench(t);
  const content = Buffer.alloc(3 * writeBytesMax + 100, 1);
  const { bodies } = await bench.capture(content);
  t.strictSame(bodies.map((body) => body.kind === 'write' && body.data.byteLength), [writeBytesMax, writeBytesMax, writeBytesMax, 100]);
  t.strictSame((await bench.capture(content)).bodies, [], 'the same content again is no change');
});

t.test('zeroes travel as a range, holes not at all, and a new hole as a punch', async (t) => {
  const bench = await makeBench(t);
  const content = Buffer.alloc(40_960);
  t.strictSame((await bench.capture(content)).bodies, [{ kind: 'zero', node: 2n, offset: 0, length: 40_960 }]);
  const holed = await bench.capture(content, [{ offset: 8192, length: 16_384 }]);
  t.strictSame(holed.bodies, [{ kind: 'punch', node: 2n, offset: 8192, length: 16_384 }]);
  t.equal(holed.bytesRead, 24_576);
  t.strictSame((await bench.capture(content, [{ offset: 8192, length: 16_384 }])).bodies, []);
});

t.test('growing by a hole is a truncate, and shrinking comes first', async (t) => {
  const bench = await makeBench(t);
  await bench.capture(Buffer.alloc(5000, 1));
  const grown = Buffer.concat([Buffer.alloc(5000, 1), Buffer.alloc(15_000)]);
  t.match((await bench.capture(grown, [{ offset: 8192, length: 20_000 }])).bodies, [{ kind: 'truncate', size: 20_000 }]);
  const shrunk = Buffer.concat([Buffer.alloc(4096, 1), Buffer.alloc(100, 2)]);
  t.match((await bench.capture(shrunk)).bodies.map((body) => body.kind), ['truncate', 'write']);
  t.ok(bench.content().equals(shrunk));
});

t.test('any content becomes any other', async (t) => {
  const seed = seedFromEnvironment(t);
  const random = seededRandom(seed);
  const pick = (below: number): number => Math.floor(random.fraction() * below);
  const bench = await makeBench(t);
  let content = Buffer.alloc(0);
  for (let round = 0; round < 100; round += 1) {
    const size = pick(4) === 0 ? pick(2_000_000) : pick(60_000);
    const next = Buffer.alloc(pick(3) === 0 ? size : content.byteLength);
    content.copy(next);
    for (let k = pick(5); k > 0 && next.byteLength > 0; k -= 1) {
        const from = pick(next.byteLength);
        next.fill(pick(3), from, from + pick(next.byteLength - from));
      }
    const holes: ByteSpan[] = [];
    for (let k = pick(3); k > 0 && next.byteLength > 0; k -= 1) {
      const hole = { offset: pick(next.byteLength / 4096) * 4096, length: (1 + pick(20)) * 4096 };
      next.fill(0, hole.offset, Math.min(next.byteLength, hole.offset + hole.length));
      holes.push(hole);
    }
    await bench.capture(next, holes);
    if (!bench.content().equals(next)) {
      t.fail(`seed ${seed} round ${round}`);
      return;
    }
    content = next;
  }
  t.pass('100 random contents');
});
