/** Writes that go to the overlay, against a model: by itself, and through several clients at once. */
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { systemFiles, type Files } from '../../../native/host/files.js';
import { Overlay } from '../../../receiver/nbd/overlay.js';
import { Dice, printedSeed } from '../recovery/dice.js';
import { NbdClient } from './client.js';
import { ModelDevice, serve } from './model-device.js';

const never = new AbortController().signal;

async function whole(overlay: Overlay, offset: number, length: number): Promise<Buffer> {
  const parts: Buffer[] = [];
  let at = offset;
  for await (const part of overlay.read({ offset, length }, never)) {
    if (part.offset !== at || part.length <= 0) throw new Error(`a part at ${part.offset} instead of ${at}`);
    parts.push(typeof part.content === 'string' ? Buffer.alloc(part.length) : Buffer.from(part.content));
    at += part.length;
  }
  const bytes = Buffer.concat(parts);
  if (bytes.byteLength !== length) throw new Error(`${bytes.byteLength} bytes instead of ${length}`);
  return bytes;
}

t.test('what was written is read, over what was there; the device below stays as it was', async (t) => {
  const dice = new Dice(printedSeed(t));
  const below = new ModelDevice(500_000);
  below.scatter(dice, 20);
  const asItWas = Buffer.from(below.bytes);
  const model = new ModelDevice(below.sizeBytes);
  model.bytes.set(below.bytes);
  model.states.set(below.states);
  const path = join(t.testdir({}), 'overlay');
  {
    await using overlay = await Overlay.create({ below, files: systemFiles, path });
    t.equal(statSync(path).mode & 0o777, 0o600);
    let wrong = 0;
    for (let round = 0; round < 1500; round += 1) {
      const offset = dice.below(below.sizeBytes);
      const length = Math.min(below.sizeBytes - offset, 1 + dice.below(dice.pick([10, 3000, 60_000])));
      if (dice.chance(0.4)) {
        const data = Buffer.alloc(length, dice.bytes(Math.min(length, 97)));
        await overlay.write(offset, data);
        model.write(offset, data);
      } else if (dice.chance(0.2)) {
        await overlay.punch({ offset, length });
        model.clear({ offset, length }, 'hole');
      } else {
        if (!(await whole(overlay, offset, length)).equals(model.bytes.subarray(offset, offset + length))) wrong += 1;
        for await (const part of overlay.allocation({ offset, length }, never)) {
          for (let at = part.offset; at < part.offset + part.length; at += 1) if ((['hole', 'data', 'zero'] as const)[model.states[at] as 0 | 1 | 2] !== part.state) wrong += 1;
        }
      }
    }
    t.equal(wrong, 0);
    t.strictSame(await whole(overlay, 0, below.sizeBytes), model.bytes);
    t.strictSame(below.bytes, asItWas);
  }
  t.notOk(existsSync(path), 'it is thrown away');
});

t.test('a file that exists is refused and stays', async (t) => {
  const path = join(t.testdir({}), 'overlay');
  writeFileSync(path, 'precious');
  await t.rejects(Overlay.create({ below: new ModelDevice(10), files: systemFiles, path }), { code: 'EEXIST' });
  t.ok(existsSync(path));
});

t.test('clients write, zero, trim and flush, and every one sees what another one was told is done', async (t) => {
  const dice = new Dice(printedSeed(t));
  const below = new ModelDevice(800_000);
  below.scatter(dice, 20);
  const model = new ModelDevice(below.sizeBytes);
  model.bytes.set(below.bytes);
  model.states.set(below.states);
  const overlay = await Overlay.create({ below, files: systemFiles, path: join(t.testdir({}), 'overlay') });
  const { server, logger } = await serve(t, overlay, { target: overlay });
  t.teardown(() => overlay[Symbol.asyncDispose]());
  const clients = await Promise.all(Array.from({ length: 4 }, (_, at) => NbdClient.ready(server.place, { structured: at !== 3 })));
  const share = below.sizeBytes / clients.length;
  // Each writes in a range of its own, and another one reads there afterwards.
  await Promise.all(clients.map(async (client, at) => {
    const own = new Dice(dice.below(2 ** 31));
    for (let round = 0; round < 100; round += 1) {
      const offset = at * share + own.below(share);
      const length = Math.min((at + 1) * share - offset, 1 + own.below(own.pick([500, 30_000])));
      const flags = own.pick([0, 1]);
      const kind = own.below(4);
      if (kind < 2) {
        const data = Buffer.alloc(length, own.bytes(Math.min(length, 97)));
        if ((await client.write(offset, data, flags)) !== 0) t.fail('a write was refused');
        model.write(offset, data);
      } else {
        const noHole = kind === 3 && own.chance(0.5);
        const error = await client.simple(client.request({ command: kind === 2 ? 4 : 6, flags: flags | (noHole ? 2 : 0), offset, length }));
        if (error !== 0) t.fail(`error ${error}`);
        if (noHole) model.write(offset, Buffer.alloc(length));
        else model.clear({ offset, length }, 'hole');
      }
      if (own.chance(0.1) && (await client.simple(client.request({ command: 3 }))) !== 0) t.fail('a flush failed');
    }
  }));
  for (const [at, client] of clients.entries()) {
    const data = at === 3 ? await client.readSimple(0, below.sizeBytes) : (await client.readStructured(0, below.sizeBytes)).data;
    t.ok(data.equals(model.bytes), `client ${at}`);
  }
  let at = 0;
  while (at < below.sizeBytes) {
    const extents = (await clients[0]!.blockStatus(at, below.sizeBytes - at)) as { length: number; state: number }[];
    for (const { length, state } of extents) {
      for (let place = at; place < at + length; place += 1) if (([3, 0, 2] as const)[model.states[place] as 0 | 1 | 2] !== state) t.fail(`state of ${place}`);
      at += length;
    }
  }
  t.equal(await clients[0]!.write(below.sizeBytes - 1, Buffer.alloc(2)), 28);
  t.equal(await clients[0]!.simple(clients[0]!.request({ command: 4, offset: below.sizeBytes, length: 1 })), 22);
  for (const client of clients) await client.disconnect();
  t.strictSame(logger.complaints, []);
});

t.test('a full disk, and more ranges than are remembered, are told as a full device', async (t) => {
  const path = join(t.testdir({}), 'overlay');
  let isFull = true;
  const files: Files = {
    ...systemFiles,
    async create(name) {
      const file = await systemFiles.create(name);
      const write = file.write.bind(file);
      file.write = async (parts, position) => {
        if (isFull) throw Object.assign(new Error('no space left on device'), { code: 'ENOSPC' });
        return write(parts, position);
      };
      return file;
    },
  };
  const below = new ModelDevice(10_000);
  below.write(0, Buffer.alloc(10_000, 1));
  const overlay = await Overlay.create({ below, files, path, rangesMax: 10 });
  const { server } = await serve(t, overlay, { target: overlay });
  t.teardown(() => overlay[Symbol.asyncDispose]());
  await using client = await NbdClient.ready(server.place);
  t.equal(await client.write(0, Buffer.alloc(5000, 2)), 28);
  t.strictSame((await client.readStructured(0, 5000)).data, Buffer.alloc(5000, 1), 'nothing of it is seen');
  isFull = false;
  let error = 0;
  let written = 0;
  for (; error === 0 && written < 100; written += 1) error = await client.write(written * 20, Buffer.alloc(10, 2));
  t.equal(error, 28);
  t.ok(written > 5 && written <= 11, `after ${written} ranges`);
  t.strictSame((await client.readStructured(0, 30)).data, Buffer.concat([Buffer.alloc(10, 2), Buffer.alloc(10, 1), Buffer.alloc(10, 2)]));
});
