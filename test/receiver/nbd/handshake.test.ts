/** The handshake with clients that are right, wrong, silent, or too many. */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { rename, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { systemClock } from '../../../native/host/clock.js';
import { NbdServer, uriOf } from '../../../receiver/nbd/server.js';
import { HandClock } from '../replica/fixture.js';
import { contextRequest, exportRequest, NbdClient, optionHeader, u32 } from './client.js';
import { MemoryLogger, ModelDevice, serve, until } from './model-device.js';

const invalid = 2 ** 31 + 3;
const unsupported = 2 ** 31 + 1;
const unknownExport = 2 ** 31 + 6;
const tooBig = 2 ** 31 + 9;

t.test('a client learns what there is and goes over to transmission', async (t) => {
  const device = new ModelDevice(10_000);
  device.write(5000, Buffer.from('hello'));
  const { server } = await serve(t, device);
  await using client = await NbdClient.connect(server.place);
  t.equal(await client.greet(), 3, 'fixed newstyle, without zeroes');
  t.strictSame((await client.option(3)).map(({ type, data }) => [type, data.toString('utf8', 4)]), [[2, 'disk'], [1, '']]);
  const facts = Buffer.from('0000' + '0000000000002710' + '0107', 'hex');
  t.strictSame(await client.option(6, exportRequest('disk')), [{ type: 3, data: facts }, { type: 1, data: Buffer.alloc(0) }], 'read-only, flush, many connections');
  const told = await client.option(6, exportRequest('', [3, 1, 2, 2, 77]));
  t.strictSame(told.map(({ type, data }) => [type, type === 3 ? data.readUInt16BE() : undefined]), [[3, 0], [3, 3], [3, 1], [3, 2], [1, undefined]]);
  t.equal(told[2]!.data.toString('utf8', 2), 'disk');
  t.equal(told[3]!.data.toString('utf8', 2), 'a model');
  t.equal((await client.option(9, contextRequest('disk', []))).at(-1)!.type, invalid, 'contexts need structured replies');
  t.strictSame((await client.option(8)).map(({ type }) => type), [1]);
  for (const queries of [[], ['base:'], ['x:y', 'base:allocation']]) t.strictSame((await client.option(9, contextRequest('disk', queries))).map(({ type, data }) => [type, data.toString('utf8', 4)]), [[4, 'base:allocation'], [1, '']]);
  t.strictSame((await client.option(9, contextRequest('disk', ['x:y']))).map(({ type }) => type), [1]);
  t.strictSame((await client.option(10, contextRequest('disk', ['x:y', 'base:allocation']))).map(({ type }) => type), [4, 1]);
  t.strictSame((await client.option(7, exportRequest('disk'))).map(({ type }) => type), [3, 1]);
  t.strictSame((await client.readStructured(4998, 9)).data, Buffer.from('\0\0hello\0\0'));
  t.strictSame(await client.blockStatus(0, 10_000), [{ length: 5000, state: 3 }, { length: 5, state: 0 }, { length: 4995, state: 3 }]);
  await client.disconnect();
  await until(() => server.connections === 0);
});

t.test('a selection that fails or selects nothing leaves no context', async (t) => {
  const { server } = await serve(t, new ModelDevice(100));
  for (const last of [contextRequest('disk', []), contextRequest('disk', ['base:']), contextRequest('other', ['base:allocation']), Buffer.from('junk')]) {
    await using client = await NbdClient.connect(server.place);
    await client.greet();
    await client.option(8);
    t.strictSame((await client.option(10, contextRequest('disk', ['base:allocation']))).map(({ type }) => type), [4, 1]);
    await client.option(10, last);
    await client.option(7, exportRequest('disk'));
    t.equal(await client.blockStatus(0, 100), 22);
  }
});

t.test('the older way to name an export works, with and without zeroes', async (t) => {
  const { server } = await serve(t, new ModelDevice(10_000));
  for (const [clientFlags, bytes] of [[3, 10], [1, 134], [0, 134], [2, 10]] as const) {
    await using client = await NbdClient.connect(server.place);
    await client.greet(clientFlags);
    client.send(Buffer.concat([optionHeader(1, 4), Buffer.from('disk')]));
    t.equal((await client.take(bytes)).readBigUInt64BE(), 10_000n);
    t.strictSame(await client.readSimple(100, 50), Buffer.alloc(50));
  }
});

t.test('what is wrong is refused with the reason, and haggling goes on', async (t) => {
  const { server, logger } = await serve(t, new ModelDevice(100));
  await using client = await NbdClient.connect(server.place);
  await client.greet();
  const rows: readonly [label: string, option: number, data: Buffer, type: number][] = [
    ['TLS', 5, Buffer.alloc(0), unsupported],
    ['extended headers', 11, Buffer.alloc(0), unsupported],
    ['an unknown option with data', 0xfffffff0, Buffer.alloc(1000), unsupported],
    ['a list with data', 3, Buffer.alloc(1), invalid],
    ['structured replies with data', 8, Buffer.alloc(1), invalid],
    ['a request without a name', 7, Buffer.alloc(0), invalid],
    ['a request that lies about its length', 7, Buffer.concat([u32(5000), Buffer.alloc(10)]), invalid],
    ['an export that is not there', 7, exportRequest('other'), unknownExport],
    ['information on an export that is not there', 6, exportRequest('dis'), unknownExport],
    ['more data than is looked at', 7, Buffer.alloc(65 * 1024), tooBig],
    ['a name of another encoding', 7, Buffer.concat([u32(2), Buffer.from([0xff, 0xfe]), Buffer.alloc(2)]), unknownExport],
  ];
  for (const [label, option, data, type] of rows) t.equal((await client.option(option, data)).at(-1)!.type, type, label);
  t.strictSame((await client.option(2)).map(({ type }) => type), [1], 'abort is acknowledged');
  await client.closed;
  t.strictSame(logger.complaints, []);
});

t.test('what cannot be refused closes the connection', async (t) => {
  const { server, logger } = await serve(t, new ModelDevice(100));
  const rows: readonly [label: string, clientFlags: number, bytes: Buffer][] = [
    ['unknown client flags', 4, Buffer.alloc(0)],
    ['another magic', 3, Buffer.alloc(16)],
    ['an unknown name in the older way', 3, Buffer.concat([optionHeader(1, 5), Buffer.from('other')])],
    ['a name too long in the older way', 3, optionHeader(1, 4097)],
    ['an option of more bytes than anybody would send', 3, optionHeader(7, 0xffffffff)],
    ['an option from a client of the older form', 2, optionHeader(3, 0)],
  ];
  for (const [label, clientFlags, bytes] of rows) {
    await using client = await NbdClient.connect(server.place);
    await client.greet(clientFlags);
    client.send(bytes);
    await t.rejects(client.take(1), /ended after 0/, label);
  }
  await until(() => server.connections === 0);
  t.strictSame(logger.complaints, []);
});

t.test('a client that says nothing, or not all, is cut off; one that goes on is not', async (t) => {
  const clock = new HandClock();
  const { server } = await serve(t, new ModelDevice(100), { clock, handshakeMs: 1000 });
  await using silent = await NbdClient.connect(server.place);
  await using halting = await NbdClient.connect(server.place);
  await using lively = await NbdClient.connect(server.place);
  await silent.take(18);
  await halting.greet();
  halting.send(optionHeader(7, 100));
  await lively.greet();
  await lively.option(3);
  await clock.pass(900);
  await lively.option(3);
  await clock.pass(200);
  await silent.closed;
  await halting.closed;
  await lively.option(7, exportRequest('disk'));
  await clock.pass(1_000_000);
  t.strictSame(await lively.readSimple(0, 10), Buffer.alloc(10), 'in transmission there is no such limit');
  t.equal(server.connections, 1);
});

t.test('more clients than are allowed are turned away', async (t) => {
  const { server, logger } = await serve(t, new ModelDevice(100), { connectionsMax: 2 });
  await using first = await NbdClient.ready(server.place);
  await using second = await NbdClient.ready(server.place);
  await using third = await NbdClient.connect(server.place);
  await t.rejects(third.take(1));
  t.match(logger.complaints.join(), /turned away/);
  await first.disconnect();
  await until(() => server.connections === 1);
  await using fourth = await NbdClient.ready(server.place);
  t.equal((await fourth.readStructured(0, 10)).error, 0);
  t.equal((await second.readStructured(0, 10)).error, 0);
});

t.test('a UNIX socket is private, replaced only when nobody listens, and gone at the end', async (t) => {
  // Where tests have their directories may be deeper than a socket's path can be long.
  const directory = mkdtempSync(join(tmpdir(), 'afterimage-nbd-'));
  t.teardown(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'disk.sock');
  const logger = new MemoryLogger();
  const open = () => NbdServer.listen({ exported: { name: 'disk', description: '', device: new ModelDevice(100) }, listen: { path }, clock: systemClock, logger });
  {
    await using server = await open();
    t.equal(statSync(path).mode & 0o777, 0o600);
    await using client = await NbdClient.ready(server.place);
    t.equal((await client.readStructured(0, 10)).error, 0);
    await t.rejects(open(), { name: 'UsageError', message: /another program listens/ });
  }
  t.strictSame(readdirSync(directory), []);
  // A socket that nobody listens on any more: its server is told not to remove it.
  const left = createServer();
  await new Promise<void>((resolve) => left.listen(path, resolve));
  await rename(path, `${path}.kept`);
  await new Promise((resolve) => left.close(resolve));
  await rename(`${path}.kept`, path);
  {
    await using server = await open();
    await using client = await NbdClient.ready(server.place);
    t.equal((await client.readStructured(0, 10)).error, 0);
  }
  await writeFile(path, 'precious');
  await t.rejects(open(), { name: 'UsageError', message: /is no socket/ });
  await t.rejects(NbdServer.listen({ exported: { name: 'disk', description: '', device: new ModelDevice(100) }, listen: { path: join(directory, 'x'.repeat(200)) }, clock: systemClock, logger }), { name: 'UsageError', message: /at most 103 bytes/ });
});

t.test('the address of an export can be handed to clients', async (t) => {
  t.equal(uriOf({ host: '127.0.0.1', port: 10809 }, 'disk'), 'nbd://127.0.0.1:10809/disk');
  t.equal(uriOf({ host: '::1', port: 1 }, 'a b/ü'), 'nbd://[::1]:1/a%20b%2F%C3%BC');
  t.equal(uriOf({ path: '/run/a b.sock' }, 'disk'), 'nbd+unix:///disk?socket=/run/a%20b.sock');
});
