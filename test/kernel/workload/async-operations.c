// Writes through Linux AIO: submitted in batches, buffered and direct.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/aio_abi.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "workload.h"

enum { kBatch = 8, kDepth = 16 };

static int submit(struct worker* w, bool direct) {
  if (!w->aio_ready) {
    w->aio = 0;
    if (syscall(SYS_io_setup, kDepth, &w->aio) < 0) return failed(w, "io_setup", EAGAIN, 0);
    w->aio_ready = true;
  }
  struct place place;
  const int fd = open_some(w, &place, direct ? O_RDWR | O_DIRECT : O_RDWR);
  if (fd < 0) return refused(w, "open");
  struct iocb blocks[kBatch];
  struct iocb* pointers[kBatch];
  struct iovec parts[kBatch];
  memset(blocks, 0, sizeof blocks);
  const int count = 1 + (int)below(&w->chance, kBatch);
  // One after the other in the file, in whatever order they are done: the outcome is the same.
  off_t offset = some_offset(w, size_of(fd));
  if (direct) offset &= ~(off_t)(kBlockBytes - 1);
  fill(w, kBatch * (64 << 10));
  for (int i = 0; i < count; i++) {
    const size_t length = direct ? kBlockBytes * (1 + below(&w->chance, 16)) : 1 + below(&w->chance, 64 << 10);
    char* bytes = w->buffer + i * (64 << 10);
    const bool vector = one_in(&w->chance, 2);
    parts[i] = (struct iovec){bytes, length};
    blocks[i].aio_fildes = (uint32_t)fd;
    blocks[i].aio_lio_opcode = vector ? IOCB_CMD_PWRITEV : IOCB_CMD_PWRITE;
    blocks[i].aio_buf = (uint64_t)(uintptr_t)(vector ? (void*)&parts[i] : bytes);
    blocks[i].aio_nbytes = vector ? 1 : length;
    blocks[i].aio_offset = offset;
    offset += (off_t)length;
    pointers[i] = &blocks[i];
  }
  int result = 0;
  const long submitted = syscall(SYS_io_submit, w->aio, (long)count, pointers);
  if (submitted < 0) result = failed(w, "io_submit", EAGAIN, EINVAL, 0);
  for (long got = 0; got < submitted;) {
    struct io_event events[kBatch];
    const long more = syscall(SYS_io_getevents, w->aio, submitted - got, submitted - got, events, NULL);
    if (more < 0) {
      if (errno == EINTR) continue;
      result = FAILED(w, "io_getevents");
      break;
    }
    for (long i = 0; result == 0 && i < more; i++) {
      if ((int64_t)events[i].res >= 0) continue;
      errno = (int)-(int64_t)events[i].res;
      result = refused(w, "AIO write");
    }
    got += more;
  }
  close(fd);
  leave(&place);
  return result;
}

static int aio_buffered(struct worker* w) { return submit(w, false); }
static int aio_direct(struct worker* w) { return submit(w, true); }

const struct operation async_operations[] = {
    {"aio", aio_buffered, 3, false},
    {"aio-direct", aio_direct, 3, false},
    {0},
};
