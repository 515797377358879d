/** The doctor names what is missing on this machine, and says what to do about it. */
import { createServer } from 'node:net';
import { join } from 'node:path';
import t from 'tap';
import { examine, type Finding } from '../../agent/doctor.js';
import { generateKey } from '../../agent/identity/keys.js';
import { storeIdentity } from '../../agent/identity/state.js';
import { systemClock } from '../../native/host/clock.js';
import { systemFiles } from '../../native/host/files.js';
import { CertificateAuthority } from '../../receiver/identity/authority.js';

const find = (findings: readonly Finding[], check: RegExp): Finding => findings.find((finding) => check.test(finding.check))!;
const verdicts = (path: string) => Promise.resolve([{ engine: 'portable' as const, available: path !== '/nowhere', reason: `looked at ${path}` }]);

t.test('a host that is not enrolled and runs no agent is told both, and the way out', async (t) => {
  const stateDirectory = join(t.testdir({}), 'not', 'there');
  const findings = await examine({ files: systemFiles, clock: systemClock, stateDirectory, verdicts, paths: ['/srv', '/nowhere'] });
  t.match(find(findings, /^enrolment$/), { verdict: 'failed', remedy: /afterimage-agent enroll/ });
  t.match(find(findings, /^agent$/), { verdict: 'warning', detail: 'not running', remedy: /afterimage-agent run/ });
  t.match(find(findings, /^state directory/), { detail: /writable/ });
  t.match(find(findings, /for \/srv$/), { verdict: 'ok', detail: 'looked at /srv' });
  t.equal(find(findings, /for \/nowhere$/).verdict, 'failed');
  t.equal(find(findings, /^receiver/), undefined, 'there is none to reach yet');
});

t.test('an enrolled host is told whether its receiver can be reached', async (t) => {
  const directory = t.testdir({ state: {} });
  const stateDirectory = join(directory, 'state');
  const authority = await CertificateAuthority.create({ files: systemFiles, directory: join(directory, 'authority'), clock: systemClock, names: [] });
  const { keyPem, csrDer } = await generateKey();
  const { certificatePem } = await authority.sign(csrDer, { name: 'web-1', role: 'host' });
  const server = createServer((socket) => socket.destroy());
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as { port: number };
  await storeIdentity(systemFiles, stateDirectory, { keyPem, certificatePem, caPem: authority.caPem, receiver: `127.0.0.1:${port}`, name: 'web-1', journalId: '0'.repeat(32) });
  const options = { files: systemFiles, clock: systemClock, stateDirectory, verdicts, paths: [] };
  const reached = await examine(options);
  t.match(find(reached, /^enrolment$/), { verdict: 'ok', detail: /web-1/ });
  t.match(find(reached, /^receiver/), { verdict: 'ok', detail: 'reachable' });
  await new Promise<void>((resolve) => server.close(() => resolve()));
  t.match(find(await examine(options), /^receiver/), { verdict: 'warning', detail: /ECONNREFUSED/, remedy: /afterimage-receiver serve/ });
});
