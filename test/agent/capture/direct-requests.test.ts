/** For how long a file counts as written by requests under way. */
import t from 'tap';
import { DirectRequests } from '../../../agent/capture/exact/direct-requests.js';

const withinMs = 45_000;

t.test('a request is under way for as long as was said, and not much longer', async (t) => {
  for (const startMs of [0, 1, 44_999, 45_000, 1_000_000]) {
    const requests = new DirectRequests(withinMs);
    requests.note(7, startMs);
    t.ok(requests.isUnderWay(7, startMs));
    t.ok(requests.isUnderWay(7, startMs + withinMs - 1), 'to the end');
    t.notOk(requests.isUnderWay(8, startMs + 1), 'another file is not');
    t.notOk(requests.isUnderWay(7, startMs + 2 * withinMs), `begun at ${startMs}`);
  }
});

t.test('requests go on: each counts from its own time', async (t) => {
  const requests = new DirectRequests(withinMs);
  for (let nowMs = 0; nowMs <= 400_000; nowMs += 7000) {
    requests.note(nowMs, nowMs);
    for (let noted = 0; noted <= nowMs; noted += 7000) {
      if (nowMs - noted < withinMs) t.ok(requests.isUnderWay(noted, nowMs));
      if (nowMs - noted >= 2 * withinMs) t.notOk(requests.isUnderWay(noted, nowMs));
    }
  }
});

t.test('too many files to tell apart: all count, for a while', async (t) => {
  const requests = new DirectRequests(withinMs);
  for (let node = 0; node < 5000; node += 1) requests.note(node, 10);
  t.ok(requests.isUnderWay(4999, 20));
  t.ok(requests.isUnderWay(123_456, 20));
  t.notOk(requests.isUnderWay(123_456, 10 + withinMs));
});
