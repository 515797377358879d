// Writes through descriptors: every call that takes bytes from memory, and files that have no name.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "workload.h"

#ifndef RWF_APPEND
#define RWF_APPEND 0x10
#endif
#ifndef RWF_DONTCACHE
#define RWF_DONTCACHE 0x80
#endif

// Ends an operation on a file that open_some() opened.
static int end(struct place* place, int fd, int result) {
  close(fd);
  leave(place);
  return result;
}

static int write_plain(struct worker* w) {
  struct place place;
  const int fd = open_some(w, &place, O_RDWR);
  if (fd < 0) return FAILED(w, "open");
  const size_t length = some_length(w);
  if (lseek(fd, some_offset(w, size_of(fd)), SEEK_SET) < 0) return end(&place, fd, FAILED(w, "lseek"));
  if (write(fd, fill(w, length), length) < 0) return end(&place, fd, FAILED(w, "write"));
  if (one_in(&w->chance, 16)) fsync(fd);
  return end(&place, fd, 0);
}

static int write_positioned(struct worker* w) {
  struct place place;
  const int fd = open_some(w, &place, O_WRONLY | (one_in(&w->chance, 16) ? O_DSYNC : 0));
  if (fd < 0) return FAILED(w, "open");
  const off_t size = size_of(fd);
  for (uint64_t times = 1 + below(&w->chance, 4); times > 0; times--) {
    const size_t length = some_length(w) / 2 + 1;
    if (pwrite(fd, fill(w, length), length, some_offset(w, size)) < 0) return end(&place, fd, FAILED(w, "pwrite"));
  }
  return end(&place, fd, 0);
}

// A few small files over and over: the same blocks, many times.
static int write_small(struct worker* w) {
  struct place place;
  const int fd = open_some(w, &place, O_RDWR);
  if (fd < 0) return FAILED(w, "open");
  const off_t size = size_of(fd);
  for (int i = 0; i < 16; i++) {
    const size_t length = 1 + below(&w->chance, 200);
    if (pwrite(fd, fill(w, length), length, (off_t)below(&w->chance, (uint64_t)(size < kDenseBytes ? size : kDenseBytes) + 64)) < 0)
      return end(&place, fd, FAILED(w, "pwrite"));
  }
  return end(&place, fd, 0);
}

static int split(struct worker* w, struct iovec* parts, int count_max, size_t length) {
  fill(w, length);
  size_t at = 0;
  int count = 0;
  for (; count < count_max - 1 && at < length; count++) {
    const size_t part = below(&w->chance, length - at + 1);
    parts[count] = (struct iovec){w->buffer + at, part};
    at += part;
  }
  parts[count++] = (struct iovec){w->buffer + at, length - at};
  return count;
}

static int write_vector(struct worker* w) {
  struct place place;
  const int fd = open_some(w, &place, O_WRONLY | (one_in(&w->chance, 4) ? O_APPEND : 0));
  if (fd < 0) return FAILED(w, "open");
  struct iovec parts[6];
  lseek(fd, some_offset(w, size_of(fd)), SEEK_SET);
  const int count = split(w, parts, 6, some_length(w));
  return end(&place, fd, writev(fd, parts, count) < 0 ? FAILED(w, "writev") : 0);
}

static int write_vector_positioned(struct worker* w) {
  struct place place;
  const int fd = open_some(w, &place, O_WRONLY);
  if (fd < 0) return FAILED(w, "open");
  struct iovec parts[6];
  const off_t offset = some_offset(w, size_of(fd));
  const int count = split(w, parts, 6, some_length(w));
  return end(&place, fd, pwritev(fd, parts, count, offset) < 0 ? FAILED(w, "pwritev") : 0);
}

static int write_vector_flags(struct worker* w) {
  struct place place;
  const int fd = open_some(w, &place, O_WRONLY);
  if (fd < 0) return FAILED(w, "open");
  struct iovec parts[6];
  static const int flags[] = {0, 0, RWF_DSYNC, RWF_SYNC, RWF_DONTCACHE, RWF_NOWAIT};
  // Whether RWF_NOWAIT succeeds depends on what is in memory.
  const int drawn = flags[below(&w->chance, concurrent ? 6 : 5)];
  const bool at_position = one_in(&w->chance, 4);
  const off_t offset = at_position ? -1 : some_offset(w, size_of(fd));
  const int count = split(w, parts, 6, some_length(w));
  return end(&place, fd, pwritev2(fd, parts, count, offset, drawn) < 0 ? failed(w, "pwritev2", EAGAIN, EINVAL, 0) : 0);
}

static int write_vector_append(struct worker* w) {
  struct place place;
  const int fd = open_some(w, &place, O_WRONLY);
  if (fd < 0) return FAILED(w, "open");
  struct iovec parts[4];
  const int count = split(w, parts, 4, some_length(w));
  return end(&place, fd, pwritev2(fd, parts, count, (off_t)below(&w->chance, 1000), RWF_APPEND) < 0 ? FAILED(w, "pwritev2") : 0);
}

static int write_append(struct worker* w) {
  struct place place;
  const int fd = open_some(w, &place, O_WRONLY | O_APPEND);
  if (fd < 0) return FAILED(w, "open");
  for (uint64_t times = 1 + below(&w->chance, 4); times > 0; times--) {
    const size_t length = some_length(w) / 2 + 1;
    // Linux appends whatever offset pwrite() is given.
    const ssize_t put = one_in(&w->chance, 4) ? pwrite(fd, fill(w, length), length, 5) : write(fd, fill(w, length), length);
    if (put < 0) return end(&place, fd, FAILED(w, "write"));
  }
  return end(&place, fd, 0);
}

// Opens one of the files at the root that all processes and threads share.
static int open_shared(struct worker* w, const char* kind, unsigned count, int flags) {
  char path[PATH_MAX];
  snprintf(path, sizeof path, "%s/shared-%s-%u", arguments.directory, kind, (unsigned)below(&w->chance, count));
  const int fd = open(path, flags | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0644);
  if (fd >= 0 && size_of(fd) > kBufferBytes && ftruncate(fd, 0) < 0) {
    close(fd);
    return -1;
  }
  return fd;
}

static int append_shared(struct worker* w) {
  const int fd = open_shared(w, "append", 3, O_WRONLY | O_APPEND);
  if (fd < 0) return FAILED(w, "open");
  int result = 0;
  for (uint64_t times = 1 + below(&w->chance, 8); result == 0 && times > 0; times--) {
    const size_t length = 1 + below(&w->chance, one_in(&w->chance, 8) ? 128 << 10 : 2000);
    if (write(fd, fill(w, length), length) < 0) result = FAILED(w, "write");
  }
  close(fd);
  return result;
}

struct turn {
  pthread_mutex_t mutex;
  pthread_cond_t passed;
  unsigned next;
};

struct sharer {
  int fd;
  unsigned place;
  struct turn* turn;
  char* bytes;
  size_t lengths[4];
  int error;
};

static void* share(void* argument) {
  struct sharer* s = argument;
  for (unsigned i = 0; i < 4; i++) {
    if (!concurrent) {
      // Alternately, so that a run replays.
      pthread_mutex_lock(&s->turn->mutex);
      while (s->turn->next != i * 2 + s->place) pthread_cond_wait(&s->turn->passed, &s->turn->mutex);
    }
    if (write(s->fd, s->bytes, s->lengths[i]) < 0) s->error = errno;
    s->bytes += s->lengths[i];
    if (!concurrent) {
      s->turn->next++;
      pthread_cond_broadcast(&s->turn->passed);
      pthread_mutex_unlock(&s->turn->mutex);
    }
  }
  return NULL;
}

// Two threads write() to one descriptor: the position that they share says what lands where.
static int write_shared_position(struct worker* w) {
  struct place place;
  const bool named = one_in(&w->chance, 2);
  const int fd = named ? open_shared(w, "position", 2, O_WRONLY) : open_some(w, &place, O_WRONLY);
  if (fd < 0) return FAILED(w, "open");
  lseek(fd, some_offset(w, size_of(fd)), SEEK_SET);
  struct turn turn = {.mutex = PTHREAD_MUTEX_INITIALIZER, .passed = PTHREAD_COND_INITIALIZER};
  struct sharer sharers[2];
  char* bytes = fill(w, 8 * 32768);
  for (unsigned i = 0; i < 2; i++) {
    sharers[i] = (struct sharer){.fd = fd, .place = i, .turn = &turn, .bytes = bytes + i * 4 * 32768};
    for (int k = 0; k < 4; k++) sharers[i].lengths[k] = 1 + below(&w->chance, 32768);
  }
  pthread_t other;
  const int not_started = pthread_create(&other, NULL, share, &sharers[1]);
  int result = 0;
  if (not_started != 0) {
    errno = not_started;
    result = FAILED(w, "pthread_create");
  } else {
    share(&sharers[0]);
    pthread_join(other, NULL);
    for (int i = 0; result == 0 && i < 2; i++) {
      if ((errno = sharers[i].error) != 0) result = FAILED(w, "write");
    }
  }
  close(fd);
  if (!named) leave(&place);
  return result;
}

static int write_direct(struct worker* w) {
  struct place place;
  const int fd = open_some(w, &place, O_RDWR | O_DIRECT | (one_in(&w->chance, 8) ? O_APPEND : 0));
  if (fd < 0) return refused(w, "open O_DIRECT");
  const size_t length = kBlockBytes * (1 + below(&w->chance, one_in(&w->chance, 16) ? 512 : 24));
  const off_t offset = some_offset(w, size_of(fd)) & ~(off_t)(kBlockBytes - 1);
  // Unaligned where something made the file's end so and O_APPEND writes there.
  const ssize_t put = pwrite(fd, fill(w, length), length, offset);
  return end(&place, fd, put < 0 ? refused(w, "pwrite O_DIRECT") : 0);
}

static int write_truncating(struct worker* w) {
  struct place place;
  const int fd = open_some(w, &place, O_WRONLY | O_TRUNC);
  if (fd < 0) return FAILED(w, "open O_TRUNC");
  const size_t length = one_in(&w->chance, 4) ? 0 : some_length(w);
  return end(&place, fd, write_all(fd, fill(w, length), length, 0) < 0 ? FAILED(w, "pwrite") : 0);
}

// As editors and databases save: a new file in full, synced, then renamed over the old one.
static int write_renaming(struct worker* w) {
  struct place place;
  if (some_place(w, &place, kInside, kFile) < 0) return FAILED(w, "openat");
  char draft[NAME_MAX + 1];
  snprintf(draft, sizeof draft, ".draft-%u-%u", w->process, w->thread);
  const int fd = openat(place.directory, draft, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
  if (fd < 0) {
    leave(&place);
    return FAILED(w, "openat");
  }
  const size_t length = some_length(w);
  int result = write_all(fd, fill(w, length), length, 0) < 0 ? FAILED(w, "pwrite") : 0;
  if (result == 0 && one_in(&w->chance, 8)) fsync(fd);
  if (result == 0 && renameat(place.directory, draft, place.directory, place.name) < 0) result = FAILED(w, "renameat");
  return end(&place, fd, result);
}

static int nameless(struct worker* w) {
  struct place place;
  if (new_place(w, &place, kInside, false) < 0) return FAILED(w, "openat");
  const int fd = openat(place.directory, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, 0640);
  if (fd < 0) {
    leave(&place);
    return refused(w, "openat O_TMPFILE");
  }
  lock(fd, false);
  const size_t length = some_length(w);
  char self[64];
  snprintf(self, sizeof self, "/proc/self/fd/%d", fd);
  int result = 0;
  if (write_all(fd, fill(w, length), length, (off_t)below(&w->chance, 3 * kBlockBytes)) < 0) result = FAILED(w, "pwrite");
  else if (is_root && one_in(&w->chance, 2)) {
    if (linkat(fd, "", place.directory, place.name, AT_EMPTY_PATH) < 0) result = FAILED(w, "linkat AT_EMPTY_PATH");
  } else if (linkat(AT_FDCWD, self, place.directory, place.name, AT_SYMLINK_FOLLOW) < 0) result = FAILED(w, "linkat O_TMPFILE");
  // Written on after it has its name, sometimes much later.
  if (result == 0 && pwrite(fd, w->buffer, length / 2, 1) < 0) result = FAILED(w, "pwrite");
  if (result == 0 && one_in(&w->chance, 4)) {
    hold(w, fd);
    leave(&place);
    return 0;
  }
  return end(&place, fd, result);
}

// Keeps a file open for write_held, whatever happens to its name meanwhile.
static int hold_some(struct worker* w) {
  struct place place;
  const int fd = open_some(w, &place, O_RDWR | (one_in(&w->chance, 4) ? O_APPEND : 0));
  if (fd < 0) return FAILED(w, "open");
  const bool unlinked = one_in(&w->chance, 3);
  int result = 0;
  if (unlinked && unlinkat(place.directory, place.name, 0) < 0) result = FAILED(w, "unlinkat");
  hold(w, fd);
  leave(&place);
  return result;
}

static int write_held(struct worker* w) {
  const int first = (int)below(&w->chance, kHeldFiles);
  for (int i = 0; i < kHeldFiles; i++) {
    const int fd = w->held[(first + i) % kHeldFiles];
    if (fd < 0) continue;
    lock(fd, false);
    const off_t size = size_of(fd);
    const size_t length = some_length(w);
    const int result = pwrite(fd, fill(w, length), length, some_offset(w, size < kBufferBytes ? size : kBufferBytes)) < 0 ? FAILED(w, "pwrite") : 0;
    unlock(fd);
    return result;
  }
  return hold_some(w);
}

static int write_unlinked(struct worker* w) {
  struct place place;
  const int fd = open_some(w, &place, O_RDWR);
  if (fd < 0) return FAILED(w, "open");
  int result = 0;
  for (int i = 0; result == 0 && i < 3; i++) {
    // Between the writes: it has content before it loses its name, and gets more after.
    if (i == 1 && unlinkat(place.directory, place.name, 0) < 0) result = FAILED(w, "unlinkat");
    const size_t length = some_length(w);
    if (result == 0 && pwrite(fd, fill(w, length), length, some_offset(w, size_of(fd))) < 0) result = FAILED(w, "pwrite");
  }
  return end(&place, fd, result);
}

// Writes to what was opened in another way than by open_some(), if it is a file, and closes it.
static int write_once(struct worker* w, int fd) {
  struct stat stat;
  int result = 0;
  const size_t length = some_length(w);
  lock(fd, false);
  if (fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) && pwrite(fd, fill(w, length), length, some_offset(w, stat.st_size)) < 0) result = FAILED(w, "pwrite");
  close(fd);
  return result;
}

// Through a file handle the kernel finds the file without any path.
static int write_by_handle(struct worker* w) {
  struct place place;
  if (some_place(w, &place, kInside, kFile) < 0) return FAILED(w, "openat");
  struct {
    struct file_handle head;
    char bytes[MAX_HANDLE_SZ];
  } handle = {.head = {.handle_bytes = MAX_HANDLE_SZ}};
  int mount, result = 0;
  if (name_to_handle_at(place.directory, place.name, &handle.head, &mount, 0) < 0) {
    result = FAILED(w, "name_to_handle_at");
    leave(&place);
    return result;
  }
  const int fd = open_by_handle_at(place.directory, &handle.head, O_RDWR | O_NONBLOCK | O_CLOEXEC);
  leave(&place);
  // ESTALE: removed meanwhile. ELOOP and others: it was replaced by what is no file.
  if (fd < 0) return failed(w, "open_by_handle_at", ESTALE, EPERM, EINVAL, ENXIO, 0);
  return write_once(w, fd);
}

static int write_outside(struct worker* w) {
  struct place place;
  if (some_place(w, &place, kOutside, kFile) < 0) return FAILED(w, "openat");
  const int fd = openat(place.directory, place.name, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  leave(&place);
  if (fd < 0) return FAILED(w, "openat");
  return write_once(w, fd);
}

static int write_through_symlink(struct worker* w) {
  struct place place;
  if (existing_place(w, &place, kInside, kSymlink) < 0) return FAILED(w, "openat");
  const int fd = openat(place.directory, place.name, O_RDWR | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  leave(&place);
  if (fd < 0) return FAILED(w, "openat");
  return write_once(w, fd);
}

const struct operation write_operations[] = {
    {"write", write_plain, 6, false},
    {"pwrite", write_positioned, 8, false},
    {"pwrite-small", write_small, 6, false},
    {"writev", write_vector, 4, false},
    {"pwritev", write_vector_positioned, 4, false},
    {"pwritev2", write_vector_flags, 4, false},
    {"pwritev2-append", write_vector_append, 3, false},
    {"append", write_append, 4, false},
    {"append-shared", append_shared, 4, false},
    {"shared-position", write_shared_position, 3, false},
    {"direct", write_direct, 4, false},
    {"truncate-on-open", write_truncating, 3, false},
    {"replace-by-rename", write_renaming, 3, false},
    {"nameless", nameless, 3, false},
    {"hold", hold_some, 3, false},
    {"held", write_held, 4, false},
    {"unlinked", write_unlinked, 2, false},
    {"handle", write_by_handle, 2, false},
    {"through-symlink", write_through_symlink, 2, false},
    {"outside", write_outside, 2, true},
    {0},
};
