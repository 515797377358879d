/** What runs at once: writers of one inode, descriptors shared, buffers changed while written, and files cut short meanwhile. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { captureSkipReason, fileSystemMissing, fileSystems, Recorder, recordWhile, runProgram, Volume } from './capture-harness.js';
import { Model } from './capture-model.js';

const compiler = 'gcc';
function compilerMissing(): string | false {
  try {
    execFileSync(compiler, ['--version'], { stdio: 'ignore' });
    return false;
  } catch {
    return `no ${compiler}`;
  }
}
const skip = captureSkipReason() || compilerMissing();

/** race MODE PATH ROUNDS: two threads, or processes, do the same at once. */
const source = String.raw`
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
static const char* mode; static const char* path; static int rounds; static int shared;
static int is(const char* name) { return strcmp(mode, name) == 0; }
static volatile int done;
static void check(int ok, const char* what) { if (!ok) { perror(what); exit(1); } }
static unsigned char buffer[1 << 16];
static void* scribble(void* unused) {
  for (unsigned n = 0; !done; n++) buffer[n * 2654435761u >> 16] = n;
  return unused;
}
static void work(int who) {
  unsigned char bytes[20000];
  unsigned seed = who + 1;
  int fd = is("shared") ? shared : open(path, O_RDWR | O_CREAT | (is("append") ? O_APPEND : 0), 0644);
  check(fd >= 0, "open");
  for (int round = 0; round < rounds; round++) {
    size_t length = 1 + rand_r(&seed) % (is("pwrite") ? sizeof(bytes) : 5000);
    memset(bytes, rand_r(&seed), length);
    if (is("shared") || is("append")) check(write(fd, bytes, length) == (ssize_t)length, "write");
    if (is("pwrite")) check(pwrite(fd, bytes, length, rand_r(&seed) % 3000) == (ssize_t)length, "pwrite");
    if (is("cut")) {
      if (who) check(ftruncate(fd, rand_r(&seed) % 20000) == 0, "ftruncate");
      else check(pwrite(fd, bytes, length, rand_r(&seed) % 20000) == (ssize_t)length, "pwrite");
    }
    if (is("reopen")) {
      if (who) { int cut = open(path, O_WRONLY | O_TRUNC); check(cut >= 0, "truncate"); close(cut); }
      else check(pwrite(fd, bytes, length, rand_r(&seed) % 20000) == (ssize_t)length, "pwrite");
    }
    if (is("punch")) {
      if (who) fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, rand_r(&seed) % 20000, 1 + rand_r(&seed) % 9000);
      else check(pwrite(fd, bytes, length, rand_r(&seed) % 20000) == (ssize_t)length, "pwrite");
    }
  }
  if (!is("shared")) close(fd);
}
static void* thread(void* who) { work((int)(intptr_t)who); return 0; }
int main(int count, char** options) {
  mode = options[1]; path = options[2]; rounds = atoi(options[3]);
  if (is("scribble")) {
    pthread_t other; pthread_create(&other, 0, scribble, 0);
    int fd = open(path, O_RDWR | O_CREAT, 0644);
    for (int round = 0; round < rounds; round++) check(pwrite(fd, buffer, sizeof(buffer), (round % 8) * sizeof(buffer)) == sizeof(buffer), "pwrite");
    done = 1; pthread_join(other, 0);
    return 0;
  }
  if (is("shared")) shared = open(path, O_RDWR | O_CREAT, 0644);
  if (is("append")) {
    for (int who = 0; who < 2; who++) if (fork() == 0) { work(who); exit(0); }
    int status; while (wait(&status) > 0) check(status == 0, "child");
    return 0;
  }
  pthread_t threads[2];
  for (int who = 0; who < 2; who++) pthread_create(&threads[who], 0, thread, (void*)(intptr_t)who);
  for (int who = 0; who < 2; who++) pthread_join(threads[who], 0);
  return 0;
}
`;

const folder = mkdtempSync(join(tmpdir(), 'afterimage-races-'));
t.teardown(() => rmSync(folder, { recursive: true, force: true }));
if (skip === false) {
  writeFileSync(join(folder, 'race.c'), source);
  execFileSync(compiler, ['-O2', '-pthread', '-o', join(folder, 'race'), join(folder, 'race.c')]);
}

const races = [
  { mode: 'append', label: 'two processes append', rounds: 20_000 },
  { mode: 'shared', label: 'two threads write through one descriptor', rounds: 20_000 },
  { mode: 'pwrite', label: 'two threads write the same range', rounds: 8_000 },
  { mode: 'cut', label: 'one writes while another cuts the file short', rounds: 10_000 },
  { mode: 'reopen', label: 'one writes while another opens and truncates', rounds: 5_000 },
  { mode: 'punch', label: 'one writes while another punches holes', rounds: 5_000 },
  { mode: 'scribble', label: 'the buffer changes while it is written', rounds: 3_000 },
] as const;

for (const kind of fileSystems) {
  t.test(kind, { skip: skip || (fileSystemMissing(kind) ?? false) }, async (t) => {
    using volume = new Volume(kind);
    await using recorder = new Recorder(volume, 2 ** 28);
    const model = new Model();
    for (const { mode, label, rounds } of races) {
      const records = await recordWhile(recorder, runProgram(join(folder, 'race'), [mode, join(volume.path, mode), String(rounds)]));
      for (const record of records) model.apply(record);
      model.applyLost(recorder.takeLost());
      t.strictSame(model.differences(volume), [], `${label}: the model equals the file`);
      t.comment(`${label}: ${records.length} records, ${model.dirty} dirty, ${records.filter(({ flags }) => flags & 1).length} from the page cache, ${recorder.stream.stats().lostRecords} lost`);
    }
  });
}
