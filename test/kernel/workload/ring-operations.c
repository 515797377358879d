// Everything that goes through io_uring, where the work may be done by a kernel thread: plain rings and polled ones.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/io_uring.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <unistd.h>

#include "workload.h"

enum { kEntries = 16, kPart = 64 << 10, kPlain = 0, kPolled = 1 };
// Newer than the headers that some compile this with.
enum { kOpFtruncate = 55 };

struct ring {
  int fd;
  bool polled;
  bool buffers_registered;
  unsigned *sq_head, *sq_tail, *sq_flags, *sq_array, *cq_head, *cq_tail;
  unsigned sq_mask, cq_mask;
  struct io_uring_sqe* entries;
  struct io_uring_cqe* completions;
  void* maps[3];
  size_t map_bytes[3];
  unsigned queued;
};

static void close_ring(struct ring* ring) {
  for (int i = 0; i < 3; i++) {
    if (ring->maps[i] != NULL) munmap(ring->maps[i], ring->map_bytes[i]);
  }
  close(ring->fd);
  free(ring);
}

void close_rings(struct worker* w) {
  for (int i = 0; i < 2; i++) {
    if (w->rings[i] != NULL) close_ring(w->rings[i]);
    w->rings[i] = NULL;
  }
}

static struct ring* open_ring(struct worker* w, int kind) {
  if (w->rings[kind] != NULL) return w->rings[kind];
  struct io_uring_params params;
  memset(&params, 0, sizeof params);
  if (kind == kPolled) {
    params.flags = IORING_SETUP_SQPOLL;
    params.sq_thread_idle = 20;
  }
  const int fd = (int)syscall(SYS_io_uring_setup, kEntries, &params);
  if (fd < 0) return NULL;
  fcntl(fd, F_SETFD, FD_CLOEXEC);
  struct ring* ring = calloc(1, sizeof *ring);
  ring->fd = fd;
  ring->polled = kind == kPolled;
  ring->map_bytes[0] = params.sq_off.array + params.sq_entries * sizeof(unsigned);
  ring->map_bytes[1] = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
  ring->map_bytes[2] = params.sq_entries * sizeof(struct io_uring_sqe);
  static const off_t offsets[] = {IORING_OFF_SQ_RING, IORING_OFF_CQ_RING, IORING_OFF_SQES};
  for (int i = 0; i < 3; i++) {
    void* mapped = mmap(NULL, ring->map_bytes[i], PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, fd, offsets[i]);
    if (mapped == MAP_FAILED) {
      const int error = errno;
      close_ring(ring);
      errno = error;
      return NULL;
    }
    ring->maps[i] = mapped;
    // A child that writes through a mapping must not share the ring.
    madvise(mapped, ring->map_bytes[i], MADV_DONTFORK);
  }
  char* sq = ring->maps[0];
  char* cq = ring->maps[1];
  ring->sq_head = (unsigned*)(sq + params.sq_off.head);
  ring->sq_tail = (unsigned*)(sq + params.sq_off.tail);
  ring->sq_flags = (unsigned*)(sq + params.sq_off.flags);
  ring->sq_array = (unsigned*)(sq + params.sq_off.array);
  ring->sq_mask = *(unsigned*)(sq + params.sq_off.ring_mask);
  ring->cq_head = (unsigned*)(cq + params.cq_off.head);
  ring->cq_tail = (unsigned*)(cq + params.cq_off.tail);
  ring->cq_mask = *(unsigned*)(cq + params.cq_off.ring_mask);
  ring->completions = (struct io_uring_cqe*)(cq + params.cq_off.cqes);
  ring->entries = ring->maps[2];
  w->rings[kind] = ring;
  return ring;
}

static struct io_uring_sqe* add(struct ring* ring, unsigned char opcode, int fd) {
  const unsigned tail = *ring->sq_tail;
  const unsigned index = tail & ring->sq_mask;
  struct io_uring_sqe* entry = &ring->entries[index];
  memset(entry, 0, sizeof *entry);
  entry->opcode = opcode;
  entry->fd = fd;
  ring->sq_array[index] = index;
  ring->queued++;
  return entry;
}

// Makes the entry that was added last visible to the kernel, whose polling thread may take it at once.
static void publish(struct ring* ring) { __atomic_store_n(ring->sq_tail, *ring->sq_tail + 1, __ATOMIC_RELEASE); }

// Waits for all that was published, and returns the worst result: 0, or a negative errno. `first` gets
// the result of the first completion.
static int finish(struct ring* ring, int* first) {
  unsigned wanted = ring->queued;
  int worst = 0;
  bool submitted = false;
  for (unsigned got = 0; got < wanted;) {
    unsigned flags = IORING_ENTER_GETEVENTS;
    if (ring->polled) {
      __atomic_thread_fence(__ATOMIC_SEQ_CST);
      if ((__atomic_load_n(ring->sq_flags, __ATOMIC_ACQUIRE) & IORING_SQ_NEED_WAKEUP) != 0) flags |= IORING_ENTER_SQ_WAKEUP;
    }
    const unsigned submit = submitted || ring->polled ? 0 : wanted;
    if (syscall(SYS_io_uring_enter, ring->fd, submit, 1u, flags, NULL, (size_t)0) < 0) {
      if (errno == EINTR) continue;
      ring->queued = 0;
      return -errno;
    }
    submitted = true;
    unsigned head = *ring->cq_head;
    while (head != __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE)) {
      const struct io_uring_cqe* completion = &ring->completions[head & ring->cq_mask];
      if (first != NULL && got == 0) *first = completion->res;
      // What was cancelled is not the reason, but what came before it in the chain.
      if (completion->res < 0 && (worst == 0 || worst == -ECANCELED)) worst = completion->res;
      got++;
      head++;
    }
    __atomic_store_n(ring->cq_head, head, __ATOMIC_RELEASE);
  }
  ring->queued = 0;
  return worst;
}

static int finish_operation(struct worker* w, struct ring* ring, const char* call) {
  const int result = finish(ring, NULL);
  if (result == 0) return 0;
  errno = -result;
  return failed(w, call, EINVAL, EAGAIN, ECANCELED, 0);
}

// Not allowed by the system's administrator or a container's filter, or memory that may be locked is used up.
static int no_ring(struct worker* w) { return failed(w, "io_uring_setup", EPERM, ENOMEM, EACCES, 0); }

enum style { kBytes, kVector, kFixedBuffer };

static void add_write(struct worker* w, struct ring* ring, int fd, enum style style, char* bytes, size_t length, off_t offset, struct iovec* part, unsigned flags) {
  static const unsigned char opcodes[] = {IORING_OP_WRITE, IORING_OP_WRITEV, IORING_OP_WRITE_FIXED};
  struct io_uring_sqe* entry = add(ring, opcodes[style], fd);
  *part = (struct iovec){bytes, length};
  entry->addr = (uint64_t)(uintptr_t)(style == kVector ? (void*)part : bytes);
  entry->len = style == kVector ? 1 : (unsigned)length;
  entry->off = (uint64_t)offset;
  entry->flags = (unsigned char)flags;
  // By a worker thread of the kernel at once, instead of tried by this one first.
  if (one_in(&w->chance, 3)) entry->flags |= IOSQE_ASYNC;
  publish(ring);
}

struct writing {
  int ring;
  enum style style;
  bool direct;
  bool fixed_file;
  bool chained;
};

static int write_ring(struct worker* w, struct writing how) {
  struct ring* ring = open_ring(w, how.ring);
  if (ring == NULL) return no_ring(w);
  if (how.style == kFixedBuffer && !ring->buffers_registered) {
    struct iovec whole = {w->buffer, kEntries * kPart};
    if (syscall(SYS_io_uring_register, ring->fd, IORING_REGISTER_BUFFERS, &whole, 1u) < 0) return failed(w, "io_uring_register buffers", ENOMEM, EPERM, 0);
    ring->buffers_registered = true;
  }
  struct place place;
  const int fd = open_some(w, &place, how.direct ? O_RDWR | O_DIRECT : O_RDWR);
  if (fd < 0) return refused(w, "open");
  int target = fd;
  unsigned flags = 0;
  int result = 0;
  if (how.fixed_file) {
    if (syscall(SYS_io_uring_register, ring->fd, IORING_REGISTER_FILES, &fd, 1u) < 0) result = failed(w, "io_uring_register files", EPERM, ENOMEM, 0);
    target = 0;
    flags = IOSQE_FIXED_FILE;
  }
  if (result == 0) {
    struct iovec parts[kEntries];
    const int count = 1 + (int)below(&w->chance, 6);
    off_t offset = some_offset(w, size_of(fd));
    if (how.direct) offset &= ~(off_t)(kBlockBytes - 1);
    fill(w, 8 * kPart);
    for (int i = 0; i < count; i++) {
      const size_t length = how.direct ? kBlockBytes * (1 + below(&w->chance, 16)) : 1 + below(&w->chance, kPart);
      const bool last = i == count - 1;
      add_write(w, ring, target, how.style, w->buffer + i * kPart, length, offset, &parts[i], flags | (how.chained && !last ? IOSQE_IO_LINK : 0));
      // Overlapping where order is given, else side by side: the outcome is the same in any order.
      if (how.chained && !how.direct) offset += (off_t)(length / 2);
      else offset += (off_t)length;
      if (!how.chained || last || !one_in(&w->chance, 3)) continue;
      struct io_uring_sqe* sync = add(ring, IORING_OP_FSYNC, target);
      sync->fsync_flags = IORING_FSYNC_DATASYNC;
      sync->flags = (unsigned char)(flags | IOSQE_IO_LINK);
      publish(ring);
    }
    result = finish_operation(w, ring, "io_uring write");
    if (how.fixed_file) syscall(SYS_io_uring_register, ring->fd, IORING_UNREGISTER_FILES, NULL, 0u);
  }
  close(fd);
  leave(&place);
  return result;
}

static int ring_write(struct worker* w) { return write_ring(w, (struct writing){.style = kBytes}); }
static int ring_writev(struct worker* w) { return write_ring(w, (struct writing){.style = kVector}); }
static int ring_fixed_buffer(struct worker* w) { return write_ring(w, (struct writing){.style = kFixedBuffer}); }
static int ring_fixed_file(struct worker* w) { return write_ring(w, (struct writing){.fixed_file = true}); }
static int ring_chain(struct worker* w) { return write_ring(w, (struct writing){.chained = true}); }
static int ring_direct(struct worker* w) { return write_ring(w, (struct writing){.direct = true, .style = one_in(&w->chance, 2) ? kFixedBuffer : kBytes}); }
static int ring_polled(struct worker* w) {
  const bool direct = one_in(&w->chance, 3);
  return write_ring(w, (struct writing){.ring = kPolled, .direct = direct, .style = (enum style)below(&w->chance, 3), .fixed_file = one_in(&w->chance, 2), .chained = one_in(&w->chance, 4)});
}

static int some_ring(struct worker* w) { return one_in(&w->chance, 4) ? kPolled : kPlain; }

static int ring_allocate(struct worker* w) {
  struct ring* ring = open_ring(w, some_ring(w));
  if (ring == NULL) return no_ring(w);
  struct place place;
  const int fd = open_some(w, &place, O_RDWR);
  if (fd < 0) return FAILED(w, "open");
  // Plain, keeping the size, and punching a hole.
  static const unsigned modes[] = {0, 1, 3};
  struct io_uring_sqe* entry = add(ring, IORING_OP_FALLOCATE, fd);
  entry->off = (uint64_t)some_offset(w, size_of(fd));
  entry->addr = 1 + below(&w->chance, 100000);
  entry->len = modes[below(&w->chance, 3)];
  publish(ring);
  const int result = finish_operation(w, ring, "io_uring fallocate");
  close(fd);
  leave(&place);
  return result;
}

static int ring_truncate(struct worker* w) {
  struct ring* ring = open_ring(w, some_ring(w));
  if (ring == NULL) return no_ring(w);
  struct place place;
  const int fd = open_some(w, &place, O_RDWR);
  if (fd < 0) return FAILED(w, "open");
  struct io_uring_sqe* entry = add(ring, kOpFtruncate, fd);
  entry->off = below(&w->chance, (uint64_t)size_of(fd) * 2 + 1);
  publish(ring);
  const int result = finish_operation(w, ring, "io_uring ftruncate");
  close(fd);
  leave(&place);
  return result;
}

// Opens with the ring, writes, and closes with the ring.
static int ring_open(struct worker* w) {
  struct ring* ring = open_ring(w, some_ring(w));
  if (ring == NULL) return no_ring(w);
  struct place place;
  if (new_place(w, &place, kInside, false) < 0) return FAILED(w, "openat");
  struct io_uring_sqe* entry = add(ring, IORING_OP_OPENAT, place.directory);
  entry->addr = (uint64_t)(uintptr_t)place.name;
  entry->open_flags = O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC | (one_in(&w->chance, 3) ? O_TRUNC : 0);
  entry->len = 0644;
  publish(ring);
  int fd = -1;
  int result = finish(ring, &fd);
  leave(&place);
  if (result < 0) {
    errno = -result;
    return failed(w, "io_uring openat", EINVAL, EAGAIN, 0);
  }
  struct stat stat;
  const bool regular = fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode);
  const size_t length = some_length(w);
  result = 0;
  if (regular) {
    fcntl(fd, F_SETFL, 0);
    lock(fd, false);
    struct iovec part;
    add_write(w, ring, fd, kBytes, fill(w, length), length, some_offset(w, stat.st_size), &part, 0);
    result = finish_operation(w, ring, "io_uring write");
  }
  add(ring, IORING_OP_CLOSE, fd);
  publish(ring);
  const int closed = finish(ring, NULL);
  if (closed < 0) close(fd);
  return result;
}

static int named(struct worker* w, unsigned char opcode, bool existing, bool directory, unsigned length, const char* target) {
  struct ring* ring = open_ring(w, some_ring(w));
  if (ring == NULL) return no_ring(w);
  struct place place;
  const int found = existing ? some_place(w, &place, kInside, directory ? kDirectory : kFile) : new_place(w, &place, kInside, directory);
  if (found < 0) return FAILED(w, "openat");
  struct io_uring_sqe* entry = add(ring, opcode, place.directory);
  entry->addr = (uint64_t)(uintptr_t)(target != NULL ? target : place.name);
  entry->addr2 = target != NULL ? (uint64_t)(uintptr_t)place.name : 0;
  entry->len = length;
  publish(ring);
  const int result = finish_operation(w, ring, "io_uring call by name");
  leave(&place);
  return result;
}

static int ring_unlink(struct worker* w) { return named(w, IORING_OP_UNLINKAT, true, false, 0, NULL); }
static int ring_mkdir(struct worker* w) { return named(w, IORING_OP_MKDIRAT, false, true, 0755, NULL); }
static int ring_symlink(struct worker* w) { return named(w, IORING_OP_SYMLINKAT, false, false, 0, "made-by-a-ring"); }

static int two_names(struct worker* w, unsigned char opcode) {
  struct ring* ring = open_ring(w, some_ring(w));
  if (ring == NULL) return no_ring(w);
  struct place from, to;
  if (some_place(w, &from, kInside, kFile) < 0) return FAILED(w, "openat");
  if (new_place(w, &to, kInside, false) < 0) {
    leave(&from);
    return FAILED(w, "openat");
  }
  struct io_uring_sqe* entry = add(ring, opcode, from.directory);
  entry->addr = (uint64_t)(uintptr_t)from.name;
  entry->addr2 = (uint64_t)(uintptr_t)to.name;
  entry->len = (unsigned)to.directory;
  publish(ring);
  const int result = finish_operation(w, ring, "io_uring call by two names");
  leave(&to);
  leave(&from);
  return result;
}

static int ring_rename(struct worker* w) { return two_names(w, IORING_OP_RENAMEAT); }
static int ring_link(struct worker* w) { return two_names(w, IORING_OP_LINKAT); }

static int ring_xattr(struct worker* w) {
  struct ring* ring = open_ring(w, some_ring(w));
  if (ring == NULL) return no_ring(w);
  struct place place;
  const int fd = open_some(w, &place, O_RDWR);
  if (fd < 0) return FAILED(w, "open");
  const size_t length = 1 + below(&w->chance, 100);
  struct io_uring_sqe* entry = add(ring, IORING_OP_FSETXATTR, fd);
  entry->addr = (uint64_t)(uintptr_t)(one_in(&w->chance, 2) ? "user.ring" : "user.ring-other");
  entry->addr2 = (uint64_t)(uintptr_t)fill(w, length);
  entry->len = (unsigned)length;
  publish(ring);
  const int result = finish_operation(w, ring, "io_uring fsetxattr");
  close(fd);
  leave(&place);
  return result;
}

const struct operation ring_operations[] = {
    {"uring-write", ring_write, 3, false},
    {"uring-writev", ring_writev, 2, false},
    {"uring-fixed-buffer", ring_fixed_buffer, 2, false},
    {"uring-fixed-file", ring_fixed_file, 2, false},
    {"uring-chain", ring_chain, 2, false},
    {"uring-direct", ring_direct, 3, false},
    {"uring-polled", ring_polled, 3, false},
    {"uring-allocate", ring_allocate, 1, false},
    {"uring-truncate", ring_truncate, 1, false},
    {"uring-open", ring_open, 2, false},
    {"uring-unlink", ring_unlink, 1, false},
    {"uring-mkdir", ring_mkdir, 1, false},
    {"uring-symlink", ring_symlink, 1, false},
    {"uring-rename", ring_rename, 1, false},
    {"uring-link", ring_link, 1, false},
    {"uring-xattr", ring_xattr, 1, false},
    {0},
};
