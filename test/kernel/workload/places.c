// The names there can be, and which of those that are there an operation takes.
//
// Nothing is remembered: a draw lists a directory, sorts it and picks, so that processes need not
// agree, directories may move meanwhile, and one worker alone draws the same in every run.
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "workload.h"

enum { kPlainNames = 30, kEntriesMax = 4096 };

static const char* const odd_names[] = {
    "new\nline", "\xff\xfe" "bytes", "\xc3\x28", " ", "-rf", "back\\slash\"quote'", ".hidden", "\x1b[31mred", "trailing.",
    "\xc3\x9cn\xc3\xaf" "c\xc3\xb6" "d\xc3\xa9", "U\xcc\x88ni\xcc\x88", "\xed\xa0\x80", "*", "\x7f", "\n",
};
enum { kOddNames = sizeof odd_names / sizeof odd_names[0] };

static void some_name(struct worker* w, char* name, bool for_directory) {
  struct chance* c = &w->chance;
  // Some names serve for files and directories alike: one takes the place of the other.
  if (one_in(c, 12)) {
    sprintf(name, "either-%u", (unsigned)below(c, 6));
    return;
  }
  if (for_directory) {
    const unsigned drawn = (unsigned)below(c, 10);
    if (drawn == 0) memset(name, 'd', NAME_MAX), name[NAME_MAX] = 0;
    else if (drawn == 1) strcpy(name, "directory\n\xff");
    else sprintf(name, "directory-%u", drawn);
    return;
  }
  const unsigned drawn = (unsigned)below(c, kPlainNames + kOddNames + 2);
  if (drawn < kPlainNames) sprintf(name, "file-%u", drawn);
  else if (drawn < kPlainNames + kOddNames) strcpy(name, odd_names[drawn - kPlainNames]);
  else {
    memset(name, drawn % 2 == 0 ? 'n' : '\xe9', NAME_MAX);
    name[NAME_MAX] = 0;
    name[NAME_MAX - 1] = '\n';
  }
}

struct listing {
  char* names[kEntriesMax];
  unsigned count;
};

static unsigned kind_of_mode(mode_t mode) {
  if (S_ISREG(mode)) return kFile;
  if (S_ISDIR(mode)) return kDirectory;
  return S_ISLNK(mode) ? kSymlink : kSpecial;
}

static unsigned kind_of_entry(int directory, const struct dirent* entry) {
  switch (entry->d_type) {
    case DT_REG: return kFile;
    case DT_DIR: return kDirectory;
    case DT_LNK: return kSymlink;
    case DT_UNKNOWN: {
      struct stat stat;
      return fstatat(directory, entry->d_name, &stat, AT_SYMLINK_NOFOLLOW) == 0 ? kind_of_mode(stat.st_mode) : 0;
    }
    default: return kSpecial;
  }
}

static int by_bytes(const void* a, const void* b) { return strcmp(*(char* const*)a, *(char* const*)b); }

static DIR* read_again(int directory) {
  // An open description of its own: the position of `directory` itself may be shared.
  const int fd = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  return fd < 0 ? NULL : fdopendir(fd);
}

static int list(int directory, unsigned kinds, struct listing* found) {
  found->count = 0;
  DIR* stream = read_again(directory);
  if (stream == NULL) return -1;
  for (struct dirent* entry; (entry = readdir(stream)) != NULL && found->count < kEntriesMax;) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    if ((kind_of_entry(directory, entry) & kinds) == 0) continue;
    // Shared by all processes and threads, and taken by its own operation only.
    if (kinds != kAny && strncmp(entry->d_name, "shared-", 7) == 0) continue;
    found->names[found->count++] = strdup(entry->d_name);
  }
  closedir(stream);
  qsort(found->names, found->count, sizeof found->names[0], by_bytes);
  return 0;
}

static void drop(struct listing* found) {
  for (unsigned i = 0; i < found->count; i++) free(found->names[i]);
}

bool pick(struct worker* w, int directory, unsigned kinds, char* name) {
  struct listing* found = malloc(sizeof *found);
  if (list(directory, kinds, found) < 0) found->count = 0;
  const bool any = found->count > 0;
  if (any) strcpy(name, found->names[below(&w->chance, found->count)]);
  drop(found);
  free(found);
  return any;
}

static void join_path(struct place* place, const char* name) {
  const size_t length = strlen(place->path);
  if (length == 0) return;
  if (length + 1 + strlen(name) + 1 > sizeof place->path) place->path[0] = 0;
  else sprintf(place->path + length, "/%s", name);
}

// Opens some directory, with its path in place->path.
static int some_directory(struct worker* w, struct place* place, enum where where) {
  const char* root = where == kOutside ? arguments.outside : arguments.directory;
  strcpy(place->path, root);
  place->directory = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (place->directory < 0) return -1;
  for (int depth = 0; depth < kDepthMax && below(&w->chance, 8) < 5; depth++) {
    char name[NAME_MAX + 1];
    if (!pick(w, place->directory, kDirectory, name)) break;
    const int child = openat(place->directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (child < 0) break;
    close(place->directory);
    place->directory = child;
    join_path(place, name);
  }
  return 0;
}

int new_place(struct worker* w, struct place* place, enum where where, bool for_directory) {
  if (some_directory(w, place, where) < 0) return -1;
  some_name(w, place->name, for_directory);
  join_path(place, place->name);
  return 0;
}

int existing_place(struct worker* w, struct place* place, enum where where, unsigned kinds) {
  for (int attempt = 0; attempt < 6; attempt++) {
    if (some_directory(w, place, where) < 0) return -1;
    // "Any" is for those who list everything; a draw never takes what is shared.
    const unsigned drawn = kinds == kAny ? (one_in(&w->chance, 4) ? kDirectory : kFile | kSymlink | kSpecial) : kinds;
    if (pick(w, place->directory, drawn, place->name)) {
      join_path(place, place->name);
      return 0;
    }
    leave(place);
  }
  errno = ENOENT;
  return -1;
}

int some_place(struct worker* w, struct place* place, enum where where, unsigned kinds) {
  if (existing_place(w, place, where, kinds) == 0) return 0;
  if (errno != ENOENT) return -1;
  const bool for_directory = (kinds & kFile) == 0;
  if (new_place(w, place, where, for_directory) < 0) return -1;
  int made;
  if (for_directory) made = mkdirat(place->directory, place->name, 0755);
  else {
    const int fd = made = openat(place->directory, place->name, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0644);
    if (fd >= 0) {
      lock(fd, false);
      const size_t length = some_length(w);
      made = write_all(fd, fill(w, length), length, 0);
      close(fd);
    }
  }
  if (made < 0) {
    const int error = errno;
    leave(place);
    errno = error;
    return -1;
  }
  return 0;
}

void leave(struct place* place) {
  const int error = errno;
  close(place->directory);
  errno = error;
}

int at(struct worker* w, const struct place* place, const char** name) {
  if (place->path[0] != 0 && one_in(&w->chance, 2)) {
    *name = place->path;
    return AT_FDCWD;
  }
  *name = place->name;
  return place->directory;
}

const char* path_to(const struct place* place, char* target) {
  if (place->path[0] != 0) return place->path;
  snprintf(target, PATH_MAX, "/proc/self/fd/%d/%s", place->directory, place->name);
  return target;
}

void lock(int fd, bool direct) {
  const int error = errno;
  if (concurrent && !arguments.collide) {
    while (flock(fd, direct ? LOCK_EX : LOCK_SH) < 0 && errno == EINTR) continue;
  }
  errno = error;
}

void unlock(int fd) {
  const int error = errno;
  flock(fd, LOCK_UN);
  errno = error;
}

int open_some(struct worker* w, struct place* place, int flags) {
  static const mode_t modes[] = {0644, 0600, 0666, 0755, 0640};
  struct chance* c = &w->chance;
  if (one_in(c, 4)) {
    if (new_place(w, place, kInside, false) < 0) return -1;
    flags |= O_CREAT;
  } else if (some_place(w, place, kInside, kFile) < 0) return -1;
  const char* name;
  const int from = at(w, place, &name);
  // Not waiting for the other end, should the entry have become a FIFO meanwhile.
  const int fd = openat(from, name, flags | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC, modes[below(c, 5)]);
  struct stat stat;
  int error = errno;
  if (fd >= 0) {
    if (fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode)) {
      fcntl(fd, F_SETFL, flags & (O_APPEND | O_DIRECT));
      lock(fd, (flags & O_DIRECT) != 0);
      return fd;
    }
    close(fd);
    error = ENXIO;
  }
  leave(place);
  errno = error;
  return -1;
}

int open_source(struct worker* w, off_t* size) {
  struct place place;
  const enum where where = arguments.outside != NULL && one_in(&w->chance, 8) ? kOutside : kInside;
  if (some_place(w, &place, where, kFile) < 0) return -1;
  const int fd = openat(place.directory, place.name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  leave(&place);
  if (fd < 0) return -1;
  struct stat stat;
  if (fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode)) {
    // Pages that a reader holds are in the way of a direct write too. Who holds a direct lock waits for no other.
    lock(fd, false);
    *size = stat.st_size;
    return fd;
  }
  close(fd);
  errno = ENXIO;
  return -1;
}

int remove_tree(int directory, const char* name) {
  if (unlinkat(directory, name, 0) == 0 || errno == ENOENT) return 0;
  if (errno != EISDIR) return -1;
  const int child = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (child < 0) return -1;
  struct listing* found = malloc(sizeof *found);
  int result = list(child, kAny, found);
  for (unsigned i = 0; result == 0 && i < found->count; i++) result = remove_tree(child, found->names[i]);
  int error = errno;
  drop(found);
  free(found);
  close(child);
  if (result == 0) {
    result = unlinkat(directory, name, AT_REMOVEDIR);
    error = errno;
  }
  errno = error;
  return result;
}

unsigned count_entries(int directory, const char* name) {
  const int child = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (child < 0) return 0;
  struct listing* found = malloc(sizeof *found);
  unsigned count = 0;
  if (list(child, kAny, found) == 0) {
    count = found->count;
    for (unsigned i = 0; i < found->count; i++) count += count_entries(child, found->names[i]);
    drop(found);
  }
  free(found);
  close(child);
  return count;
}

// Bytes of content below a directory, sparse files counted as small.
static uint64_t content_bytes(int directory) {
  uint64_t sum = 0;
  DIR* stream = read_again(directory);
  if (stream == NULL) return 0;
  for (struct dirent* entry; (entry = readdir(stream)) != NULL;) {
    if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0) continue;
    struct stat stat;
    if (fstatat(dirfd(stream), entry->d_name, &stat, AT_SYMLINK_NOFOLLOW) < 0) continue;
    // The same whenever the tree is: not what is allocated, which depends on when the file system gets to write back.
    if (S_ISREG(stat.st_mode)) sum += (uint64_t)(stat.st_size < 6 << 20 ? stat.st_size : 2 << 20);
    if (!S_ISDIR(stat.st_mode)) continue;
    const int child = openat(dirfd(stream), entry->d_name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (child < 0) continue;
    sum += content_bytes(child);
    close(child);
  }
  closedir(stream);
  return sum;
}

static uint64_t root_bytes(const char* root) {
  const int fd = root == NULL ? -1 : open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return 0;
  const uint64_t sum = content_bytes(fd);
  close(fd);
  return sum;
}

// Removes one file from somewhere below, however deep it is.
static bool remove_one(struct worker* w, int directory) {
  char name[NAME_MAX + 1];
  if (!pick(w, directory, kFile | kDirectory, name)) return false;
  const int child = openat(directory, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (child < 0) return errno == ENOTDIR && unlinkat(directory, name, 0) == 0;
  const bool removed = remove_one(w, child);
  close(child);
  return removed;
}

unsigned trim(struct worker* w) {
  const char* const roots[] = {arguments.directory, arguments.outside};
  unsigned removed = 0;
  if (root_bytes(roots[0]) + root_bytes(roots[1]) <= arguments.bytes_max) return 0;
  // Bounded: a tree of nothing but shared files would not get smaller.
  for (int round = 0; round < 60 && root_bytes(roots[0]) + root_bytes(roots[1]) > arguments.bytes_max / 4 * 3; round++) {
    const char* root = roots[roots[1] != NULL && one_in(&w->chance, 3) ? 1 : 0];
    const int fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (int i = 0; fd >= 0 && i < 16; i++) removed += remove_one(w, fd) ? 1 : 0;
    if (fd >= 0) close(fd);
  }
  return removed;
}
