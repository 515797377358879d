/** Progress of long work, on a terminal and elsewhere. */
import { PassThrough } from 'node:stream';
import t from 'tap';
import { describeProgress, showProgress } from '../../../native/terminal/progress.js';

const mebibyte = 1024 ** 2;

t.test('percentage, bytes, rate and remaining time are said, as far as they are known', async (t) => {
  const words: readonly [Parameters<typeof describeProgress>[0], number, string][] = [
    [{ doneBytes: 25 * mebibyte, totalBytes: 100 * mebibyte }, 5000, '25.0 %, 25 MiB of 100 MiB, 5 MiB/s, 15s left'],
    [{ doneBytes: 0, totalBytes: 100 * mebibyte }, 5000, '0.0 %, 0 B of 100 MiB, time left unknown'],
    [{ doneBytes: 3, totalBytes: 3, doneEntries: 5, totalEntries: 5 }, 1000, '100.0 %, 3 B of 3 B, 5 of 5 entries, 3 B/s'],
    [{ doneBytes: mebibyte, totalBytes: 0, doneEntries: 1, totalEntries: 4, unit: 'changes' }, 1000, '25.0 %, 1 MiB, 1 of 4 changes, 1 MiB/s, 3s left'],
    [{ doneBytes: mebibyte, totalBytes: 0 }, 1000, '1 MiB, 1 MiB/s, time left unknown'],
  ];
  for (const [state, elapsedMs, expected] of words) t.equal(describeProgress(state, elapsedMs), expected);
});

function shown(isTTY: boolean) {
  const stream = new PassThrough() as unknown as NodeJS.WriteStream & PassThrough;
  let text = '';
  stream.on('data', (chunk: Buffer) => (text += chunk.toString()));
  Object.assign(stream, { isTTY, columns: 200, cursorTo: () => true, moveCursor: () => true, clearLine: () => true });
  let nowMs = 0;
  const display = showProgress('restore', { stream, monotonicMs: () => nowMs });
  return { display, pass: (ms: number) => (nowMs += ms), text: () => text };
}

t.test('elsewhere than on a terminal, a line comes every few seconds and one at the end', async (t) => {
  const { display, pass, text } = shown(false);
  for (let done = 1; done <= 10; done += 1) {
    pass(1000);
    display.update({ doneBytes: done * mebibyte, totalBytes: 10 * mebibyte });
  }
  display.end();
  t.same(text().split('\n'), ['restore: 50.0 %, 5 MiB of 10 MiB, 1 MiB/s, 5s left', 'restore: 100.0 %, 10 MiB of 10 MiB, 1 MiB/s', 'restore: 100.0 %, 10 MiB of 10 MiB, 1 MiB/s', '']);
});

t.test('a terminal gets a bar with the same words', async (t) => {
  const { display, pass, text } = shown(true);
  pass(1000);
  display.update({ doneBytes: mebibyte, totalBytes: 4 * mebibyte });
  display.update({ doneBytes: 4 * mebibyte, totalBytes: 4 * mebibyte });
  display.end();
  t.match(text(), /restore \[.+\] 100\.0 %, 4 MiB of 4 MiB, 4 MiB\/s/);
});

t.test('work that failed before it began shows nothing', async (t) => {
  for (const isTTY of [false, true]) {
    const { display, text } = shown(isTTY);
    display.end();
    t.equal(text(), '');
  }
});
