// The two other things the workload does: writes whose order can be told afterwards, and as many as there can be.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "workload.h"

static int fail(const char* what, const char* path) {
  fprintf(stderr, "%s %s: %s\n", what, path, strerror(errno));
  return 1;
}

static int open_record_file(const char* path) { return open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644); }

// A record is twelve digits and a newline, so that a whole one can be told from a part.
static int append_record(int fd, uint64_t number) {
  char record[32];
  const int length = snprintf(record, sizeof record, "%012" PRIu64 "\n", number);
  for (;;) {
    const ssize_t put = write(fd, record, (size_t)length);
    if (put == length) return 0;
    if (put < 0 && errno == EINTR) continue;
    if (put >= 0) errno = ENOSPC;
    return -1;
  }
}

// Appends what it is told through a pipe to the second file, and answers each.
static int follow(const char* path, int told, int answer) {
  const int fd = open_record_file(path);
  if (fd < 0) return fail("open", path);
  uint64_t number;
  while (read(told, &number, sizeof number) == (ssize_t)sizeof number) {
    if (append_record(fd, number) < 0) return fail("append to", path);
    if (write(answer, &number, sizeof number) < 0) return fail("answer for", path);
  }
  return 0;
}

int run_causal(const char* first, const char* second, uint64_t count, bool through_pipe) {
  int tell[2] = {-1, -1}, answer[2] = {-1, -1};
  pid_t child = -1;
  if (through_pipe) {
    if (pipe(tell) < 0 || pipe(answer) < 0) return fail("pipe for", second);
    child = fork_worker();
    if (child < 0) return fail("fork for", second);
    if (child == 0) {
      close(tell[1]);
      close(answer[0]);
      _exit(follow(second, tell[0], answer[1]));
    }
    close(tell[0]);
    close(answer[1]);
  }
  const int one = open_record_file(first);
  if (one < 0) return fail("open", first);
  const int two = through_pipe ? -1 : open_record_file(second);
  if (!through_pipe && two < 0) return fail("open", second);
  uint64_t done = 0;
  int result = 0;
  for (; done < count && !*stopping && result == 0; done++) {
    if (append_record(one, done) < 0) result = fail("append to", first);
    else if (!through_pipe) {
      if (append_record(two, done) < 0) result = fail("append to", second);
    } else {
      uint64_t answered;
      if (write(tell[1], &done, sizeof done) < 0 || read(answer[0], &answered, sizeof answered) != (ssize_t)sizeof answered) result = fail("tell about", second);
    }
  }
  if (through_pipe) {
    close(tell[1]);
    int status;
    if (waitpid(child, &status, 0) < 0 || status != 0) result = 1;
  }
  printf("{\"records\":%" PRIu64 "}\n", done);
  return result;
}

static double now_seconds(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

struct written {
  uint64_t bytes;
  uint64_t writes;
};

enum { kOverloadRegionBytes = 32 << 20, kOverloadWriteBytes = 1 << 20 };

static int overload(const char* directory, unsigned process, double until, uint64_t seed, struct written* written) {
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/overload-%u", directory, process);
  const int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
  if (fd < 0) return fail("open", path);
  struct chance chance = {seed * 0x9e3779b97f4a7c15u + process};
  uint64_t* bytes = malloc(kOverloadWriteBytes);
  for (size_t i = 0; i < kOverloadWriteBytes / sizeof *bytes; i++) bytes[i] = next(&chance);
  while (!*stopping && now_seconds() < until) {
    // Different in every write, at next to no cost.
    bytes[below(&chance, kOverloadWriteBytes / sizeof *bytes)] = next(&chance);
    bytes[0] = written->writes;
    const off_t offset = (off_t)below(&chance, kOverloadRegionBytes - kOverloadWriteBytes);
    const ssize_t put = pwrite(fd, bytes, kOverloadWriteBytes, offset);
    if (put < 0 && errno != EINTR) return fail("pwrite", path);
    if (put > 0) written->bytes += (uint64_t)put;
    written->writes++;
  }
  return 0;
}

int run_overload(const char* directory, unsigned processes, unsigned seconds, uint64_t seed) {
  struct written* written = mmap(NULL, processes * sizeof *written, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (written == MAP_FAILED) return fail("mmap for", directory);
  const double until = now_seconds() + seconds;
  for (unsigned process = 0; process < processes; process++) {
    const pid_t child = fork_worker();
    if (child < 0) return fail("fork for", directory);
    if (child == 0) _exit(overload(directory, process, until, seed, &written[process]));
  }
  int result = 0, status;
  for (;;) {
    const pid_t child = wait(&status);
    if (child < 0 && errno == EINTR) continue;
    if (child < 0) break;
    if (status != 0) result = 1;
  }
  struct written sum = {0, 0};
  for (unsigned process = 0; process < processes; process++) {
    sum.bytes += written[process].bytes;
    sum.writes += written[process].writes;
  }
  printf("{\"bytesWritten\":%" PRIu64 ",\"writes\":%" PRIu64 "}\n", sum.bytes, sum.writes);
  return result;
}
