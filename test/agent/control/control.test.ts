/** The local socket: requests reach their handler, errors come back as they were, a second agent is refused. */
import { statSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { AgentNotRunning, ask } from '../../../agent/control/client.js';
import { controlSocketPath } from '../../../agent/control/protocol.js';
import { ControlServer, type ControlHandlers } from '../../../agent/control/server.js';
import { UsageError } from '../../../proto/errors.js';

const handlers: ControlHandlers = {
  status: () => Promise.reject(new Error('not asked for here')),
  protect: () => Promise.reject(new UsageError('that path is no directory')),
  unprotect: ({ name }) => Promise.resolve({ name }),
  mark: ({ name }) => Promise.resolve({ name, sequence: '18446744073709551615', time: 'now' }),
  flush: (_, signal) => new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error))),
};

t.test('a request is answered, a usage error stays one, and the socket is private', async (t) => {
  const state = t.testdir({});
  await t.rejects(ask(state, 'mark', { name: 'x' }), AgentNotRunning);
  await using server = await ControlServer.open({ stateDirectory: state, handlers });
  t.ok(server);
  t.same(await ask(state, 'mark', { name: 'x' }), { name: 'x', sequence: '18446744073709551615', time: 'now' });
  await t.rejects(ask(state, 'protect', { path: '/', engine: 'auto', exclude: [] }), { name: 'UsageError', message: 'that path is no directory' });
  await t.rejects(ask(state, 'status', {}), { message: 'not asked for here' });
  await t.rejects(ask(state, 'nonsense' as 'status', {}), { name: 'UsageError', message: /knows no command/ });
  t.equal(statSync(controlSocketPath(state)).mode & 0o077, 0);
  await t.rejects(ControlServer.open({ stateDirectory: state, handlers }), { name: 'UsageError', message: /already runs/ });
});

t.test('noise and a client that goes away do not stop the service', async (t) => {
  const state = t.testdir({});
  await using server = await ControlServer.open({ stateDirectory: state, handlers });
  t.ok(server);
  for (const noise of ['\n', '{}\n', 'null\n', '{"command":"__proto__"}\n', '[]\n', '\u0000\u0001\n']) {
    const socket = connect(controlSocketPath(state));
    const reply = await new Promise<string>((resolve) => {
      let received = '';
      socket.setEncoding('utf8').on('data', (text: string) => (received += text)).on('close', () => resolve(received));
      socket.write(noise);
    });
    t.match(reply, /"kind":"error"/);
  }
  const gone = connect(controlSocketPath(state));
  await new Promise<void>((resolve) => gone.write('{"command":"flush"}\n', () => resolve()));
  gone.destroy();
  t.same(await ask(state, 'unprotect', { name: 'a' }), { name: 'a' });
});

t.test('closing answers those who wait, and frees the socket even after a crash', async (t) => {
  const state = t.testdir({});
  const server = await ControlServer.open({ stateDirectory: state, handlers });
  const waiting = ask(state, 'flush', { applied: true });
  await new Promise((resolve) => setTimeout(resolve, 50));
  const refused = t.rejects(waiting);
  await server[Symbol.asyncDispose]();
  await refused;
  await using again = await ControlServer.open({ stateDirectory: state, handlers });
  t.ok(again);
});

t.test('a state directory with a long path still gets a socket', async (t) => {
  const state = join(t.testdir({}), 'x'.repeat(120));
  await using server = await ControlServer.open({ stateDirectory: state, handlers });
  t.ok(server);
  t.same(await ask(state, 'unprotect', { name: 'a' }), { name: 'a' });
});
