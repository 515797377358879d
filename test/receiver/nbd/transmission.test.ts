/** Reads against a model of the device; clients that stall, vanish, ask for too much; a device that fails; a server that ends. */
import { connect } from 'node:net';
import t from 'tap';
import { systemClock } from '../../../native/host/clock.js';
import { FormatError } from '../../../proto/errors.js';
import { holeBytesMin } from '../../../receiver/nbd/read-chunks.js';
import { NbdServer } from '../../../receiver/nbd/server.js';
import { Dice, printedSeed } from '../recovery/dice.js';
import { contextRequest, exportRequest, NbdClient, optionHeader, requestBytes, u32 } from './client.js';
import { MemoryLogger, ModelDevice, serve, until } from './model-device.js';

const sizeBytes = 3_000_001;
const stateBits = [3, 0, 2] as const;

t.test('reads of random ranges, by several clients at once, give what the device holds, and holes as holes', async (t) => {
  const dice = new Dice(printedSeed(t));
  const device = new ModelDevice(sizeBytes);
  device.scatter(dice, 60);
  const { server, logger } = await serve(t, device);
  const ranges = Array.from({ length: 400 }, () => {
    const offset = dice.below(sizeBytes + 1);
    return { offset, length: Math.min(sizeBytes - offset, dice.below(dice.pick([2, 5000, 600_000]))) };
  });
  const clients = await Promise.all(Array.from({ length: 6 }, (_, at) => NbdClient.ready(server.place, { structured: at % 2 === 0 })));
  let wrong = 0;
  await Promise.all(clients.map(async (client, at) => {
    for (const { offset, length } of ranges.filter((_, index) => index % clients.length === at)) {
      const expected = device.bytes.subarray(offset, offset + length);
      if (at % 2 === 1) {
        if (!(await client.readSimple(offset, length)).equals(expected)) wrong += 1;
        continue;
      }
      const { data, holes, error } = await client.readStructured(offset, length);
      const isHole = (place: number): boolean => device.states[place] !== 1;
      const longHoles = [...device.runs({ offset, length })].filter((run) => run.state !== 'data' && run.length >= holeBytesMin).reduce((sum, run) => sum + run.length, 0);
      const isWrong = error !== 0 || !data.equals(expected) || holes.some(([begin, size]) => !isHole(begin) || !isHole(begin + size - 1)) || holes.reduce((sum, [, size]) => sum + size, 0) !== longHoles;
      if (isWrong) wrong += 1;
    }
    await client.disconnect();
  }));
  t.equal(wrong, 0);
  await until(() => server.connections === 0);
  t.equal(device.reading, 0);
  t.strictSame(logger.complaints, []);
});

t.test('the state of random ranges is what the device says, in any number of extents', async (t) => {
  const dice = new Dice(printedSeed(t));
  const device = new ModelDevice(sizeBytes);
  device.scatter(dice, 60);
  const { server } = await serve(t, device);
  await using client = await NbdClient.ready(server.place);
  for (let round = 0; round < 100; round += 1) {
    const offset = dice.below(sizeBytes);
    const length = 1 + dice.below(sizeBytes - offset);
    const one = dice.chance(0.3);
    const extents = await client.blockStatus(offset, length, one ? 8 : 0);
    if (typeof extents === 'number') throw new Error(`error ${extents}`);
    let at = offset;
    let isRight = one ? extents.length === 1 : true;
    for (const [index, { length: size, state }] of extents.entries()) {
      isRight &&= size > 0 && at + size <= offset + length && extents[index + 1]?.state !== state;
      for (let place = at; place < at + size; place += 1) isRight &&= stateBits[device.states[place] as 0 | 1 | 2] === state;
      at += size;
    }
    if (!one) isRight &&= at === offset + length;
    if (!isRight) t.strictSame(extents, [], `offset ${offset}, length ${length}`);
  }
});

t.test('many more extents than one reply holds are told in several', async (t) => {
  const device = new ModelDevice(10_000);
  for (let at = 0; at < 10_000; at += 2) device.write(at, Buffer.from([1]));
  const { server } = await serve(t, device);
  await using client = await NbdClient.ready(server.place);
  let at = 0;
  for (let replies = 0; at < 10_000 && replies < 100; replies += 1) {
    const extents = await client.blockStatus(at, 10_000 - at);
    for (const { length } of extents as { length: number }[]) at += length;
  }
  t.equal(at, 10_000);
});

t.test('what may not be is refused, and the connection goes on', async (t) => {
  const device = new ModelDevice(10_000);
  device.write(0, Buffer.alloc(10_000, 7));
  const { server, logger } = await serve(t, device);
  for (const structured of [true, false]) {
    await using client = await NbdClient.ready(server.place, { structured });
    const readError = async (offset: number | bigint, length: number, flags = 0): Promise<number> => {
      const cookie = client.request({ command: 0, offset, length, flags });
      return structured ? (await client.structuredReply(cookie, 0, 0)).error : client.simple(cookie);
    };
    t.equal(await readError(9999, 2), 22, 'past the end');
    t.equal(await readError(2n ** 64n - 1n, 0xffffffff), 22);
    t.equal(await readError(0, 33 * 1024 * 1024), 22, 'longer than allowed');
    t.equal(await readError(0, 1, 4), 22, 'a flag that was not offered');
    t.equal(await client.write(0, Buffer.alloc(100_000)), 1, 'a write to what is read-only, which is passed over');
    t.equal(await client.simple(client.request({ command: 4, length: 100 })), 1);
    t.equal(await client.simple(client.request({ command: 6, length: 100 })), 1);
    t.equal(await client.simple(client.request({ command: 5, length: 100 })), 22, 'cache');
    t.equal(await client.simple(client.request({ command: 999 })), 22);
    t.equal(await client.simple(client.request({ command: 3 })), 0, 'a flush of nothing');
    if (structured) {
      t.equal((await client.readStructured(10_000, 0)).error, 0, 'a read of nothing');
      t.strictSame((await client.readStructured(1, 9999)).data, Buffer.alloc(9999, 7));
    } else t.strictSame(await client.readSimple(1, 9999), Buffer.alloc(9999, 7));
  }
  t.strictSame(logger.complaints, []);
});

t.test('what cannot be understood closes the connection, and that one only', async (t) => {
  const { server, logger } = await serve(t, new ModelDevice(10_000));
  await using other = await NbdClient.ready(server.place);
  for (const bytes of [Buffer.alloc(28, 0xee), requestBytes({ command: 1, length: 33 * 1024 * 1024 }, 1n)]) {
    await using client = await NbdClient.ready(server.place);
    client.send(bytes);
    await t.rejects(client.take(1));
  }
  await until(() => server.connections === 1);
  t.equal((await other.readStructured(0, 100)).error, 0);
  t.strictSame(logger.complaints, []);
});

t.test('requests sent ahead are answered in turn, also those before the client ends its side', async (t) => {
  const device = new ModelDevice(1_000_000);
  device.scatter(new Dice(printedSeed(t)), 30);
  const { server } = await serve(t, device);
  await using client = await NbdClient.ready(server.place);
  const cookies = Array.from({ length: 200 }, (_, at) => client.request({ command: 0, offset: at * 5000, length: 5000 }));
  client.request({ command: 2 });
  client.socket.end();
  let wrong = 0;
  for (const [at, cookie] of cookies.entries()) if (!(await client.structuredReply(cookie, at * 5000, 5000)).data.equals(device.bytes.subarray(at * 5000, at * 5000 + 5000))) wrong += 1;
  t.equal(wrong, 0);
  await client.closed;
  await until(() => server.connections === 0);
});

t.test('a device that fails is told to the client and logged; half a simple reply is cut off', async (t) => {
  const device = new ModelDevice(2_000_000);
  device.write(0, Buffer.alloc(2_000_000, 7));
  device.beforePart = (offset) => {
    if (offset >= 1_500_000) throw new FormatError('read content', { segment: 1n, offset: 72, fault: 'payload checksum does not match' });
  };
  const { server, logger } = await serve(t, device);
  await using structured = await NbdClient.ready(server.place);
  const failed = await structured.readStructured(0, 2_000_000);
  t.equal(failed.error, 5);
  t.match(failed.text, /read content \(segment 1, offset 72, fault payload checksum does not match\)/);
  t.equal((await structured.readStructured(0, 1000)).error, 0);
  await using simple = await NbdClient.ready(server.place, { structured: false });
  t.equal(await simple.simple(simple.request({ command: 0, offset: 1_500_000, length: 1000 })), 5, 'nothing was sent yet, so the error can be');
  t.strictSame(await simple.readSimple(0, 1000), Buffer.alloc(1000, 7));
  await t.rejects(simple.readSimple(0, 2_000_000), /ended/);
  t.match(logger.complaints.join('\n'), /a request failed FormatError/);
  t.equal((await structured.readStructured(0, 1000)).error, 0);
});

t.test('a client that does not read its replies has little read for it, and others go on', async (t) => {
  const device = new ModelDevice(30_000_000);
  device.write(0, Buffer.alloc(30_000_000, 7));
  const { server } = await serve(t, device);
  await using stalled = await NbdClient.ready(server.place);
  stalled.socket.removeAllListeners('readable');
  const before = device.parts;
  for (let at = 0; at < 20_000; at += 1) stalled.request({ command: 0, offset: 0, length: 30_000_000 });
  await until(() => device.parts > before);
  // What the system buffers for a connection is all that is read ahead of the client.
  let seen = -1;
  for (; seen !== device.parts; await new Promise((resolve) => setTimeout(resolve, 200))) seen = device.parts;
  t.ok(device.parts - before < 100, `${device.parts - before} parts of at most 300 kB were read`);
  t.equal(device.reading, 1);
  await using other = await NbdClient.ready(server.place);
  t.equal((await other.readStructured(0, 1_000_000)).error, 0);
  stalled.socket.destroy();
  await until(() => server.connections === 1 && device.reading === 0);
});

t.test('a client that vanishes while its read goes on has it given up', async (t) => {
  const device = new ModelDevice(10_000_000);
  device.write(0, Buffer.alloc(10_000_000, 7));
  const { server, logger } = await serve(t, device);
  for (const structured of [true, false]) {
    let release: () => void = () => undefined;
    device.beforePart = () => new Promise((resolve) => (release = resolve));
    const client = await NbdClient.ready(server.place, { structured });
    client.request({ command: 0, offset: 0, length: 10_000_000 });
    await until(() => device.reading === 1);
    const before = device.parts;
    client.socket.destroy();
    await new Promise((resolve) => setTimeout(resolve, 50));
    release();
    await until(() => server.connections === 0 && device.reading === 0);
    t.equal(device.parts, before, 'nothing more was read');
  }
  t.strictSame(logger.complaints, []);
});

t.test('a server that ends answers what is under way, cuts off who does not listen, and leaves nothing', async (t) => {
  const device = new ModelDevice(10_000_000);
  device.write(0, Buffer.alloc(10_000_000, 7));
  const logger = new MemoryLogger();
  const server = await NbdServer.listen({ exported: { name: 'disk', description: '', device }, listen: { host: '127.0.0.1', port: 0 }, clock: systemClock, logger, lingerMs: 200 });
  const idle = await NbdClient.ready(server.place);
  const haggling = await NbdClient.connect(server.place);
  await haggling.greet();
  const stalled = await NbdClient.ready(server.place);
  stalled.socket.removeAllListeners('readable');
  for (let at = 0; at < 10; at += 1) stalled.request({ command: 0, length: 10_000_000 });
  const held: (() => void)[] = [];
  await until(() => device.reading === 1);
  device.beforePart = () => new Promise((resolve) => held.push(resolve));
  const busy = await NbdClient.ready(server.place);
  const cookie = busy.request({ command: 0, length: 1000 });
  await until(() => device.reading === 2);
  const { place } = server;
  const ended = server[Symbol.asyncDispose]();
  device.beforePart = () => undefined;
  for (const release of held) release();
  t.equal((await busy.structuredReply(cookie, 0, 1000)).error, 108, 'the server is shutting down');
  await Promise.all([idle.closed, haggling.closed, busy.closed]);
  await ended;
  t.equal(server.connections, 0);
  t.equal(device.reading, 0);
  for (const client of [idle, haggling, stalled, busy]) await client[Symbol.asyncDispose]();
  await t.rejects(NbdClient.connect(place), { code: 'ECONNREFUSED' });
  t.strictSame(logger.complaints, []);
});

/** What a client could send at a stage, more or less right. */
function plausible(dice: Dice): Buffer {
  const names = ['', 'disk', 'disc', 'n'.repeat(300)];
  const length = dice.pick([0, 1, 100, 2 ** 25 + 1, 2 ** 32 - 1]);
  return dice.pick([
    () => u32(dice.pick([0, 1, 2, 3, 4, 0xffffffff])),
    () => optionHeader(dice.below(13), dice.pick([0, 4, 10, 70_000, 2 ** 32 - 1])),
    () => Buffer.concat([optionHeader(dice.pick([6, 7]), 6), exportRequest('')]),
    () => Buffer.concat([optionHeader(8, 0), optionHeader(10, 27), contextRequest('', ['base:allocation'])]),
    () => Buffer.concat([optionHeader(1, 4), Buffer.from(dice.pick(['disk', 'what']))]),
    () => exportRequest(dice.pick(names), [dice.below(5), dice.below(65_536)]),
    () => contextRequest(dice.pick(names), [dice.pick(['base:allocation', 'base:', ''])]),
    () => requestBytes({ command: dice.below(9), flags: dice.pick([0, 0, 1, 2, 8, 0xffff]), offset: BigInt(dice.below(200_000)), length }, BigInt(dice.below(100))),
    () => requestBytes({ command: 1, offset: dice.below(90_000), data: dice.bytes(dice.below(5000)) }, 1n),
    () => dice.bytes(1 + dice.below(64)),
  ])();
}

t.test('random bytes at any stage neither harm the server nor keep connections', async (t) => {
  const dice = new Dice(printedSeed(t));
  const device = new ModelDevice(100_000);
  device.scatter(dice, 10);
  const { server, logger } = await serve(t, device);
  const { host, port } = server.place as { host: string; port: number };
  await using steady = await NbdClient.ready(server.place);
  for (let round = 0; round < 60; round += 1) {
    await Promise.all(Array.from({ length: 10 }, () => new Promise<void>((resolve) => {
      const pieces: Buffer[] = [];
      const stage = dice.below(4);
      if (stage > 0) pieces.push(u32(dice.pick([1, 3])));
      if (stage > 1) pieces.push(optionHeader(8, 0));
      if (stage > 2) pieces.push(Buffer.concat([optionHeader(dice.pick([1, 7]), 0)]), Buffer.concat([optionHeader(7, 6), exportRequest('')]));
      for (let count = dice.below(12); count > 0; count -= 1) pieces.push(plausible(dice));
      let bytes = Buffer.concat(pieces);
      if (dice.chance(0.3) && bytes.byteLength > 0) bytes[dice.below(bytes.byteLength)]! ^= 1 << dice.below(8);
      if (dice.chance(0.3)) bytes = bytes.subarray(0, dice.below(bytes.byteLength + 1));
      const [abrupt, cut] = [dice.chance(0.5), dice.below(bytes.byteLength + 1)];
      const socket = connect({ host, port }, () => {
        socket.write(bytes.subarray(0, cut));
        setImmediate(() => {
          if (abrupt) socket.destroy();
          else socket.end(bytes.subarray(cut));
        });
      });
      socket.resume().on('error', () => undefined).on('close', () => resolve());
    })));
    const offset = dice.below(90_000);
    if (!(await steady.readStructured(offset, 10_000)).data.equals(device.bytes.subarray(offset, offset + 10_000))) t.fail('a client that keeps to the protocol was given something else');
  }
  await until(() => server.connections === 1 && device.reading === 0);
  t.strictSame(logger.complaints, []);
});
