// What changes content without bytes from memory: sizes, allocation, clones, and copies inside the kernel.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/falloc.h>
#include <linux/fs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>
#include <unistd.h>

#include "workload.h"

static int end(struct place* place, int fd, int result) {
  close(fd);
  leave(place);
  return result;
}

static off_t some_size(struct worker* w, off_t size) {
  struct chance* c = &w->chance;
  switch (below(c, 8)) {
    case 0: return 0;
    case 1: return (off_t)below(c, kSparseBytes);
    case 2: return size + 1 + (off_t)below(c, 3 * kBlockBytes);
    case 3: return (off_t)(below(c, kDenseBytes) & ~(uint64_t)(kBlockBytes - 1));
    default: return (off_t)below(c, (uint64_t)size + 1);
  }
}

static int truncate_path(struct worker* w) {
  struct place place;
  char path[PATH_MAX];
  if (some_place(w, &place, kInside, kFile) < 0) return FAILED(w, "openat");
  const int locked = openat(place.directory, place.name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (locked >= 0) lock(locked, false);
  struct stat stat;
  // Follows symbolic links, as truncate() does: not outside of this directory, see make_symlink().
  const bool known = fstatat(place.directory, place.name, &stat, 0) == 0;
  const int result = truncate(path_to(&place, path), some_size(w, known ? stat.st_size : 0)) < 0 ? refused(w, "truncate") : 0;
  if (locked >= 0) close(locked);
  leave(&place);
  return result;
}

static int truncate_open(struct worker* w) {
  struct place place;
  const int fd = open_some(w, &place, O_RDWR);
  if (fd < 0) return FAILED(w, "open");
  // Shrunk and extended at once: what was cut off must read as zeroes.
  const uint64_t times = 1 + below(&w->chance, 2);
  for (uint64_t i = 0; i < times; i++) {
    if (ftruncate(fd, some_size(w, size_of(fd))) < 0) return end(&place, fd, FAILED(w, "ftruncate"));
  }
  return end(&place, fd, 0);
}

static int allocate(struct worker* w, int mode, bool aligned) {
  struct place place;
  const int fd = open_some(w, &place, O_RDWR);
  if (fd < 0) return FAILED(w, "open");
  struct chance* c = &w->chance;
  const off_t size = size_of(fd);
  off_t offset = some_offset(w, size);
  off_t length = 1 + (off_t)below(c, one_in(c, 8) ? 1 << 20 : 64 << 10);
  if (aligned || one_in(c, 3)) {
    offset &= ~(off_t)(kBlockBytes - 1);
    length = kBlockBytes * (1 + (off_t)below(c, 16));
  }
  if (aligned) {
    // Inside the file, as collapsing and inserting must be; a longer file is given where it is too short.
    if (size <= offset + length) {
      offset = kBlockBytes * (off_t)below(c, 4);
      const size_t needed = (size_t)(offset + length) + 1 + below(c, 10000);
      if (size < (off_t)needed && write_all(fd, fill(w, needed), needed, 0) < 0) return end(&place, fd, FAILED(w, "pwrite"));
    }
  }
  return end(&place, fd, fallocate(fd, mode, offset, length) < 0 ? refused(w, "fallocate") : 0);
}

static int allocate_plain(struct worker* w) { return allocate(w, 0, false); }
static int allocate_keeping(struct worker* w) { return allocate(w, FALLOC_FL_KEEP_SIZE, false); }
static int punch(struct worker* w) { return allocate(w, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, false); }
static int zero(struct worker* w) { return allocate(w, FALLOC_FL_ZERO_RANGE | (one_in(&w->chance, 2) ? FALLOC_FL_KEEP_SIZE : 0), false); }
static int collapse(struct worker* w) { return allocate(w, FALLOC_FL_COLLAPSE_RANGE, true); }
static int insert(struct worker* w) { return allocate(w, FALLOC_FL_INSERT_RANGE, true); }

static int end_pair(struct place* place, int source, int fd, int result) {
  close(source);
  return end(place, fd, result);
}

static int open_pair(struct worker* w, struct place* place, off_t* size, int* source) {
  *source = open_source(w, size);
  if (*source < 0) return -1;
  const int fd = open_some(w, place, O_RDWR);
  const int error = errno;
  if (fd < 0) close(*source);
  errno = error;
  return fd;
}

static int clone_file(struct worker* w) {
  struct place place;
  off_t size;
  int source;
  const int fd = open_pair(w, &place, &size, &source);
  if (fd < 0) return FAILED(w, "open");
  return end_pair(&place, source, fd, ioctl(fd, FICLONE, source) < 0 ? refused(w, "FICLONE") : 0);
}

static int clone_range(struct worker* w) {
  struct place place;
  off_t size;
  int source;
  const bool within = one_in(&w->chance, 4);
  const int fd = within ? open_some(w, &place, O_RDWR) : open_pair(w, &place, &size, &source);
  if (fd < 0) return FAILED(w, "open");
  if (within) {
    source = dup(fd);
    size = size_of(fd);
  }
  const off_t from = (off_t)below(&w->chance, (uint64_t)size + 1) & ~(off_t)(kBlockBytes - 1);
  const off_t length = kBlockBytes * (1 + (off_t)below(&w->chance, 32));
  const off_t to = some_offset(w, size_of(fd)) & ~(off_t)(kBlockBytes - 1);
  // Up to the end of the source where fewer bytes are left: the one length that may be unaligned.
  struct file_clone_range range = {source, (uint64_t)from, from + length > size ? 0 : (uint64_t)length, (uint64_t)to};
  return end_pair(&place, source, fd, ioctl(fd, FICLONERANGE, &range) < 0 ? refused(w, "FICLONERANGE") : 0);
}

static int dedupe(struct worker* w) {
  struct place place;
  off_t size;
  int source;
  const int fd = open_pair(w, &place, &size, &source);
  if (fd < 0) return FAILED(w, "open");
  const size_t length = kBlockBytes * (1 + below(&w->chance, 8));
  // Equal content, or there is nothing to share.
  const int other = openat(place.directory, place.name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  const ssize_t got = pread(source, w->buffer, length, 0);
  int result;
  if (got < 0 || other < 0) result = FAILED(w, "open");
  else if (got > 0 && write_all(fd, w->buffer, (size_t)got, 0) < 0) result = FAILED(w, "pwrite");
  else {
    struct {
      struct file_dedupe_range head;
      struct file_dedupe_range_info info;
    } range = {.head = {.src_length = (uint64_t)got & ~(uint64_t)(kBlockBytes - 1), .dest_count = 1}, .info = {.dest_fd = fd}};
    result = 0;
    if (ioctl(source, FIDEDUPERANGE, &range) < 0) result = refused(w, "FIDEDUPERANGE");
    else if (range.info.status < 0) {
      errno = -range.info.status;
      result = refused(w, "FIDEDUPERANGE");
    }
  }
  if (other >= 0) close(other);
  return end_pair(&place, source, fd, result);
}

static int copy_between(struct worker* w) {
  struct place place;
  off_t size;
  int source;
  const int fd = open_pair(w, &place, &size, &source);
  if (fd < 0) return FAILED(w, "open");
  off_t from = (off_t)below(&w->chance, (uint64_t)size + 1);
  off_t to = some_offset(w, size_of(fd));
  const size_t length = some_length(w);
  // EINVAL: the same file was drawn twice, and the ranges overlap.
  return end_pair(&place, source, fd, copy_file_range(source, &from, fd, &to, length, 0) < 0 ? refused(w, "copy_file_range") : 0);
}

static int copy_within(struct worker* w) {
  struct place place;
  const int fd = open_some(w, &place, O_RDWR);
  if (fd < 0) return FAILED(w, "open");
  const off_t size = size_of(fd);
  off_t from = (off_t)below(&w->chance, (uint64_t)size + 1);
  size_t length = some_length(w);
  off_t to = one_in(&w->chance, 2) ? from + (off_t)length : (off_t)below(&w->chance, (uint64_t)from + 1);
  if (to < from && (size_t)(from - to) < length) length = (size_t)(from - to);
  return end(&place, fd, copy_file_range(fd, &from, fd, &to, length, 0) < 0 ? refused(w, "copy_file_range") : 0);
}

static int send_file(struct worker* w) {
  struct place place;
  off_t size;
  int source;
  const int fd = open_pair(w, &place, &size, &source);
  if (fd < 0) return FAILED(w, "open");
  off_t from = (off_t)below(&w->chance, (uint64_t)size + 1);
  lseek(fd, some_offset(w, size_of(fd)), SEEK_SET);
  return end_pair(&place, source, fd, sendfile(fd, source, &from, some_length(w)) < 0 ? refused(w, "sendfile") : 0);
}

static int splice_pipe(struct worker* w) {
  struct place place;
  const int fd = open_some(w, &place, O_RDWR);
  if (fd < 0) return FAILED(w, "open");
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) < 0) return end(&place, fd, FAILED(w, "pipe"));
  off_t to = some_offset(w, size_of(fd));
  int result = 0;
  const uint64_t times = 1 + below(&w->chance, 4);
  for (uint64_t i = 0; result == 0 && i < times; i++) {
    const size_t length = 1 + below(&w->chance, 60000);
    fill(w, length);
    ssize_t put;
    if (one_in(&w->chance, 2)) {
      struct iovec part = {w->buffer, length};
      put = vmsplice(ends[1], &part, 1, 0);
    } else put = write(ends[1], w->buffer, length);
    if (put < 0) result = FAILED(w, "write to pipe");
    for (ssize_t left = put; result == 0 && left > 0;) {
      const ssize_t moved = splice(ends[0], NULL, fd, &to, (size_t)left, one_in(&w->chance, 2) ? SPLICE_F_MOVE : 0);
      if (moved <= 0) result = refused(w, "splice");
      left -= moved;
    }
  }
  close(ends[0]);
  close(ends[1]);
  return end(&place, fd, result);
}

const struct operation range_operations[] = {
    {"truncate", truncate_path, 3, false},
    {"ftruncate", truncate_open, 4, false},
    {"allocate", allocate_plain, 2, false},
    {"allocate-keep-size", allocate_keeping, 2, false},
    {"punch", punch, 3, false},
    {"zero", zero, 3, false},
    {"collapse", collapse, 2, false},
    {"insert", insert, 2, false},
    {"clone", clone_file, 2, false},
    {"clone-range", clone_range, 3, false},
    {"dedupe", dedupe, 2, false},
    {"copy-between", copy_between, 4, false},
    {"copy-within", copy_within, 3, false},
    {"sendfile", send_file, 3, false},
    {"splice", splice_pipe, 4, false},
    {0},
};
