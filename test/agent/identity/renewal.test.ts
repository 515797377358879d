/** A certificate is renewed when a third of its life is left, with a new key, and the new one is stored whole. */
import { X509Certificate } from 'node:crypto';
import t from 'tap';
import { renewIfDue } from '../../../agent/identity/renewal.js';
import { generateKey } from '../../../agent/identity/keys.js';
import { loadIdentity, storeIdentity, type AgentIdentity } from '../../../agent/identity/state.js';
import { systemClock } from '../../../native/host/clock.js';
import { systemFiles } from '../../../native/host/files.js';
import { CertificateAuthority } from '../../../receiver/identity/authority.js';

const yearNs = 365n * 86_400_000_000_000n;

t.test('renewal waits until it is due, then takes a certificate for a new key', async (t) => {
  const directory = t.testdir({ ca: {}, state: {} });
  const state = `${directory}/state`;
  const authority = await CertificateAuthority.create({ files: systemFiles, directory: `${directory}/authority`, clock: systemClock, names: [] });
  const { keyPem, csrDer } = await generateKey();
  const { certificatePem } = await authority.sign(csrDer, { name: 'web-1', role: 'host' });
  const identity: AgentIdentity = { keyPem, certificatePem, caPem: authority.caPem, receiver: 'localhost:1', name: 'web-1', journalId: '0'.repeat(32) };
  await storeIdentity(systemFiles, state, identity);
  let asked = 0;
  const renew = (request: Uint8Array) => {
    asked += 1;
    return authority.sign(Buffer.from(request), { name: 'web-1', role: 'host' });
  };
  const options = { files: systemFiles, stateDirectory: state, identity, renew };
  t.equal(await renewIfDue({ ...options, clock: systemClock }), identity);
  t.equal(asked, 0);
  const later = { ...systemClock, wallNs: () => systemClock.wallNs() + (yearNs * 3n) / 2n };
  const renewed = await renewIfDue({ ...options, clock: later });
  t.equal(asked, 1);
  t.not(renewed.keyPem, keyPem);
  t.ok(new X509Certificate(renewed.certificatePem).checkIssued(authority.certificate));
  t.same(await loadIdentity(systemFiles, state), renewed);
  await t.rejects(renewIfDue({ ...options, clock: later, renew: async () => ({ certificatePem }) }), { code: 'invalid' }, 'a certificate for the old key is refused');
  t.same(await loadIdentity(systemFiles, state), renewed);
});
