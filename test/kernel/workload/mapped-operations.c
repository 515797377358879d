// Writes through shared mappings, which no system call announces: with msync, with munmap alone, and with neither.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workload.h"

// Where the thread goes on when a page of a mapping is no longer there: the file was cut, or its disk is full.
static __thread sigjmp_buf* volatile rescue;

static void on_bus_error(int signal) {
  (void)signal;
  if (rescue != NULL) siglongjmp(*rescue, 1);
  _exit(135);
}

static void catch_bus_errors(void) {
  struct sigaction action = {.sa_handler = on_bus_error, .sa_flags = SA_NODEFER};
  sigaction(SIGBUS, &action, NULL);
}

// Copies into a mapping; -1 when it lost the pages meanwhile.
static int put(char* target, const char* source, size_t length) {
  sigjmp_buf here;
  if (sigsetjmp(here, 0) != 0) {
    rescue = NULL;
    errno = ENODATA;
    return -1;
  }
  rescue = &here;
  memcpy(target, source, length);
  rescue = NULL;
  return 0;
}

static int map_some(struct worker* w, struct place* place, struct mapping* mapping) {
  catch_bus_errors();
  const int fd = open_some(w, place, O_RDWR);
  if (fd < 0) return FAILED(w, "open");
  off_t size = size_of(fd);
  if (size == 0 || one_in(&w->chance, 4)) {
    size = (size < kDenseBytes ? size : kDenseBytes) + 1 + (off_t)below(&w->chance, 256 << 10);
    if (size > size_of(fd) && ftruncate(fd, size) < 0) {
      const int result = FAILED(w, "ftruncate");
      close(fd);
      leave(place);
      return result;
    }
  }
  mapping->file = fd;
  mapping->offset = (off_t)below(&w->chance, (uint64_t)size) & ~(off_t)(kBlockBytes - 1);
  const off_t rest = size - mapping->offset;
  mapping->length = (size_t)(rest < 256 << 10 ? rest : 256 << 10);
  mapping->at = mmap(NULL, mapping->length, PROT_READ | PROT_WRITE, MAP_SHARED, fd, mapping->offset);
  if (mapping->at != MAP_FAILED) return 0;
  const int result = FAILED(w, "mmap");
  close(fd);
  leave(place);
  return result;
}

// Draws where in the mapping is written; false when the file has become too short for any of it.
static bool some_part(struct worker* w, const struct mapping* mapping, size_t* offset, size_t* length) {
  const off_t size = size_of(mapping->file);
  size_t usable = size <= mapping->offset ? 0 : (size_t)(size - mapping->offset);
  if (usable > mapping->length) usable = mapping->length;
  *offset = below(&w->chance, usable);
  *length = 1 + below(&w->chance, one_in(&w->chance, 4) ? 128 << 10 : 6000);
  if (*offset + *length > usable) *length = usable - *offset;
  return usable > 0;
}

static int scribble(struct worker* w, const struct mapping* mapping) {
  const uint64_t times = 1 + below(&w->chance, 4);
  for (uint64_t i = 0; i < times; i++) {
    size_t offset, length;
    const bool usable = some_part(w, mapping, &offset, &length);
    fill(w, length);
    if (usable && put(mapping->at + offset, w->buffer, length) < 0) return failed(w, "write to a mapping", ENODATA, 0);
  }
  return 0;
}

static int unmap(struct place* place, struct mapping* mapping, int result) {
  munmap(mapping->at, mapping->length);
  close(mapping->file);
  leave(place);
  return result;
}

static int map_synced(struct worker* w) {
  struct place place;
  struct mapping mapping;
  int result = map_some(w, &place, &mapping);
  if (result != 0) return result;
  result = scribble(w, &mapping);
  if (result == 0 && msync(mapping.at, mapping.length, one_in(&w->chance, 2) ? MS_SYNC : MS_ASYNC) < 0) result = FAILED(w, "msync");
  return unmap(&place, &mapping, result);
}

static int map_unmapped(struct worker* w) {
  struct place place;
  struct mapping mapping;
  const int result = map_some(w, &place, &mapping);
  return result != 0 ? result : unmap(&place, &mapping, scribble(w, &mapping));
}

static int map_exited(struct worker* w) {
  struct place place;
  struct mapping mapping;
  int result = map_some(w, &place, &mapping);
  if (result != 0) return result;
  size_t offset, length;
  const bool usable = some_part(w, &mapping, &offset, &length);
  fill(w, length);
  const pid_t child = fork();
  if (child == 0) {
    close(mapping.file);
    _exit(usable && put(mapping.at + offset, w->buffer, length) < 0 ? 1 : 0);
  }
  int status = 0;
  if (child < 0) result = FAILED(w, "fork");
  else if (waitpid(child, &status, 0) < 0) result = FAILED(w, "waitpid");
  else if (status != 0) {
    errno = ENODATA;
    result = failed(w, "write to a mapping in a child", ENODATA, 0);
  }
  return unmap(&place, &mapping, result);
}

static void unmap_slot(struct mapping* slot) {
  if (slot->at == NULL) return;
  munmap(slot->at, slot->length);
  close(slot->file);
  slot->at = NULL;
}

void unmap_all(struct worker* w) {
  for (int i = 0; i < kHeldMappings; i++) unmap_slot(&w->mappings[i]);
}

// Maps a file for long, and writes now and then through what is mapped.
static int map_held(struct worker* w) {
  struct mapping* slot = &w->mappings[below(&w->chance, kHeldMappings)];
  if (slot->at != NULL && !one_in(&w->chance, 4)) {
    lock(slot->file, false);
    const int scribbled = scribble(w, slot);
    unlock(slot->file);
    return scribbled;
  }
  unmap_slot(slot);
  struct place place;
  struct mapping mapping;
  int result = map_some(w, &place, &mapping);
  if (result != 0) return result;
  *slot = mapping;
  leave(&place);
  result = scribble(w, slot);
  unlock(slot->file);
  return result;
}

// The kernel itself writes to the mapping: what it reads from another file, past the page cache at times.
static int map_read_into(struct worker* w) {
  off_t size;
  const int source = open_source(w, &size);
  if (source < 0) return FAILED(w, "open");
  struct place place;
  struct mapping mapping;
  int result = map_some(w, &place, &mapping);
  if (result != 0) {
    close(source);
    return result;
  }
  const bool direct = one_in(&w->chance, 2) && fcntl(source, F_SETFL, O_DIRECT) == 0;
  const off_t from = (off_t)below(&w->chance, (uint64_t)size + 1) & ~(off_t)(kBlockBytes - 1);
  // Pages past the end of the mapped file cannot be written: EFAULT, when it was cut meanwhile.
  size_t length = mapping.length & ~(size_t)(kBlockBytes - 1);
  if (!direct) length = mapping.length;
  // A read from and into the same pages of one file waits for itself on some file systems.
  struct stat stat[2];
  const bool same = fstat(source, &stat[0]) == 0 && fstat(mapping.file, &stat[1]) == 0 && stat[0].st_ino == stat[1].st_ino;
  if (!same && length > 0 && pread(source, mapping.at, length, from) < 0) result = failed(w, "pread into a mapping", EFAULT, EINVAL, 0);
  close(source);
  return unmap(&place, &mapping, result);
}

const struct operation mapped_operations[] = {
    {"mmap-msync", map_synced, 3, false},
    {"mmap-munmap", map_unmapped, 3, false},
    {"mmap-exit", map_exited, 2, false},
    {"mmap-held", map_held, 4, false},
    {"mmap-read", map_read_into, 2, false},
    {0},
};
