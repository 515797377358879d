/** How long to wait, how much to send, and what a failure means. */
import t from 'tap';
import { backoffMs, slowBackoffMs } from '../../../agent/transport/backoff.js';
import { connectionFaults, peerErrorOf } from '../../../agent/transport/connection-fault.js';
import { failureOf } from '../../../agent/transport/failure.js';
import { SendWindow } from '../../../agent/transport/send-window.js';
import { asSequence } from '../../../proto/change.js';
import { FormatError, PeerError } from '../../../proto/errors.js';

t.test('the backoff doubles from 100 ms to 30 s, with full jitter', async (t) => {
  for (const [attempt, fraction, ms] of [
    [0, 0, 0], [0, 0.5, 50], [0, 0.999, 99], [1, 0.5, 100], [2, 0.5, 200], [5, 0.5, 1600], [8, 0.5, 12_800], [9, 0.5, 15_000], [20, 0.5, 15_000], [20, 0.999999, 29_999], [10_000, 0.5, 15_000],
  ] as const) t.equal(backoffMs(attempt, fraction), ms, `attempt ${attempt}, fraction ${fraction}`);
  t.equal(slowBackoffMs(0), 30_000);
  t.equal(slowBackoffMs(0.999999), 59_999);
});

t.test('the window counts bytes, lets one waiter in when they fit, and forgets what is durable', async (t) => {
  let nowMs = 5;
  const window = new SendWindow({ windowBytes: 100, after: asSequence(10n), nowMs: () => nowMs });
  const never = new AbortController();
  await window.whenRoom(500, never.signal);
  window.add(asSequence(12n), 60);
  nowMs = 7;
  await window.whenRoom(40, never.signal);
  window.add(asSequence(15n), 40);
  t.equal(window.bytes, 100);
  t.equal(window.waitingSinceMs, 5);
  let room = false;
  void window.whenRoom(41, never.signal).then(() => (room = true));
  window.acknowledge(asSequence(11n));
  window.acknowledge(asSequence(9n));
  await Promise.resolve();
  t.notOk(room);
  t.equal(window.bytes, 100);
  window.acknowledge(asSequence(12n));
  await Promise.resolve();
  t.ok(room);
  t.equal(window.waitingSinceMs, 7, 'counted anew');
  window.acknowledge(asSequence(15n));
  t.equal(window.waitingSinceMs, undefined);
  t.equal(window.sentThrough, 15n);
  window.add(asSequence(20n), 100);
  const waiting = window.whenRoom(1, never.signal);
  never.abort(new Error('enough'));
  await t.rejects(waiting, /enough/);
  await t.rejects(window.whenRoom(1, never.signal), /enough/);
});

t.test('what failed decides what is shown and when it is tried again', async (t) => {
  for (const [error, state, retry] of [
    [undefined, 'waiting', 'soon'],
    [new PeerError('unavailable', 'x'), 'waiting', 'soon'],
    [new PeerError('out-of-order', 'x'), 'waiting', 'soon'],
    [new PeerError('unauthenticated', 'x'), 'refused', 'slowly'],
    [new PeerError('forbidden', 'x'), 'refused', 'slowly'],
    [new PeerError('invalid', 'x'), 'refused', 'slowly'],
    [new PeerError('not-found', 'x'), 'refused', 'slowly'],
    [new FormatError('read segment'), 'spool-damaged', 'slowly'],
    [new Error('something'), 'waiting', 'soon'],
    ['something', 'waiting', 'soon'],
  ] as const) t.match(failureOf(error), { state, retry }, String(error));
});

t.test('what TLS, the network and gRPC say becomes words', async (t) => {
  const cases: readonly [string, string, RegExp, string][] = [
    ['name mismatch', `No connection established. Last error: Hostname/IP does not match certificate's altnames: Host: a. is not in the cert's altnames: DNS:b. Resolution note: `, /does not name that address \(Host: a\. is not in the cert's altnames: DNS:b\)/, 'unauthenticated'],
    ['another authority', 'Last error: self-signed certificate in certificate chain', /did not issue/, 'unauthenticated'],
    ['another authority', 'unable to verify the first certificate', /did not issue/, 'unauthenticated'],
    ["no receiver's certificate", 'Last error: unsuitable certificate purpose. Resolution note: ', /not a receiver's/, 'unauthenticated'],
    ['dates', 'certificate has expired', /no longer valid/, 'unauthenticated'],
    ['dates', 'certificate is not yet valid', /not valid yet/, 'unauthenticated'],
    ['our certificate is not wanted', 'ssl3_read_bytes:sslv3 alert bad certificate', /does not accept this host's certificate/, 'unauthenticated'],
    ['our certificate is not wanted', 'tlsv13 alert certificate required', /does not accept this host's certificate/, 'unauthenticated'],
    ['no TLS there', 'SSL routines:ssl3_get_record:wrong version number', /does not speak TLS/, 'unavailable'],
    ['refused', 'connect ECONNREFUSED 127.0.0.1:1', /nothing listens at h:1/, 'unavailable'],
    ['no such name', 'Name resolution failed for target dns:nowhere', /cannot be resolved/, 'unavailable'],
    ['unreachable', 'connect EHOSTUNREACH 10.0.0.1:1', /cannot be reached/, 'unavailable'],
  ];
  t.same([...new Set(cases.map(([label]) => label))], connectionFaults.map(({ label }) => label), 'every row has a case');
  for (const [label, details, message, code] of cases) t.match(peerErrorOf({ code: 14, details }, 'h:1'), { code, message }, label);
  for (const [status, code] of [[16, 'unauthenticated'], [7, 'forbidden'], [3, 'invalid'], [9, 'out-of-order'], [5, 'not-found'], [14, 'unavailable'], [13, 'unavailable'], [8, 'unavailable'], [1, 'unavailable']] as const) {
    t.match(peerErrorOf({ code: status, details: 'what the receiver said' }, 'h:1'), { code, message: /what the receiver said/ });
  }
  t.match(peerErrorOf({ code: 13, details: 'Response message parsing error: bad' }, 'h:1'), { code: 'invalid' });
  const known = new PeerError('forbidden', 'x');
  t.equal(peerErrorOf(known, 'h:1'), known);
});
