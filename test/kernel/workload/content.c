// How much an operation writes, where, and what; sizes and offsets of any alignment, and aligned ones often.
#define _GNU_SOURCE
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "workload.h"

size_t some_length(struct worker* w) {
  struct chance* c = &w->chance;
  switch (below(c, 32)) {
    case 0: return 1 + below(c, 3 << 20);
    case 1: case 2: case 3: return kBlockBytes * (1 + below(c, 32));
    case 4: case 5: case 6: case 7: return 1 + below(c, 128 << 10);
    case 8: case 9: case 10: case 11: return kBlockBytes * (1 + below(c, 4));
    case 12: case 13: case 14: return 1 + below(c, 16);
    case 15: case 16: return kBlockBytes + (size_t)below(c, 3) - 1;
    default: return 1 + below(c, 8 << 10);
  }
}

off_t some_offset(struct worker* w, off_t size) {
  struct chance* c = &w->chance;
  switch (below(c, 16)) {
    case 0: return (off_t)below(c, kSparseBytes);
    case 1: case 2: return (off_t)below(c, kDenseBytes);
    case 3: case 4: return (off_t)(below(c, kDenseBytes) & ~(uint64_t)(kBlockBytes - 1));
    case 5: case 6: case 7: return size;
    case 8: case 9: return (off_t)(below(c, (uint64_t)size + 1) & ~(uint64_t)(kBlockBytes - 1));
    case 10: return 0;
    default: return (off_t)below(c, (uint64_t)size + 1);
  }
}

void fill_at(struct worker* w, char* target, size_t length) {
  struct chance* c = &w->chance;
  // Zeroes that are written are content like any other, and what copies like to lose.
  switch (below(c, 24)) {
    case 0: memset(target, 0, length); return;
    case 1: memset(target, (int)below(c, 256), length); return;
    default: break;
  }
  size_t at = 0;
  for (; at + 8 <= length; at += 8) {
    const uint64_t word = next(c);
    memcpy(target + at, &word, 8);
  }
  const uint64_t word = next(c);
  memcpy(target + at, &word, length - at);
}

char* fill(struct worker* w, size_t length) {
  fill_at(w, w->buffer, length);
  return w->buffer;
}

off_t size_of(int fd) {
  struct stat stat;
  return fstat(fd, &stat) == 0 ? stat.st_size : 0;
}

void hold(struct worker* w, int fd) {
  int* slot = &w->held[below(&w->chance, kHeldFiles)];
  if (*slot >= 0) close(*slot);
  unlock(fd);
  *slot = fd;
}

int write_all(int fd, const char* bytes, size_t length, off_t offset) {
  while (length > 0) {
    const ssize_t put = pwrite(fd, bytes, length, offset);
    if (put < 0) {
      if (errno == EINTR) continue;
      return -1;
    }
    bytes += put;
    length -= (size_t)put;
    offset += put;
  }
  return 0;
}
