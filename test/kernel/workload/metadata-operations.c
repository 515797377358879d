// What changes entries but not their content: modes, owners, times, extended attributes, ACLs and inode flags.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "workload.h"

static int some_entry(struct worker* w, struct place* place) { return some_place(w, place, kInside, one_in(&w->chance, 4) ? kDirectory : one_in(&w->chance, 6) ? kFile | kSymlink | kSpecial : kFile); }

// Opens a file or a directory. It must be closed and left.
static int open_entry(struct worker* w, struct place* place) {
  if (one_in(&w->chance, 4)) return open_some(w, place, O_RDONLY);
  if (some_place(w, place, kInside, one_in(&w->chance, 3) ? kDirectory : kFile) < 0) return -1;
  const int fd = openat(place->directory, place->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
  if (fd < 0) leave(place);
  return fd;
}

static int end(struct place* place, int fd, int result) {
  close(fd);
  leave(place);
  return result;
}

static mode_t some_mode(struct worker* w) {
  static const mode_t modes[] = {0600, 0644, 0755, 0700, 0664, 02755, 01777, 04711};
  mode_t mode = one_in(&w->chance, 4) ? (mode_t)below(&w->chance, 010000) : modes[below(&w->chance, 8)];
  // Who is not root must be able to go on.
  if (!is_root) mode |= 0700;
  return mode;
}

static int chmod_path(struct worker* w) {
  struct place place;
  if (some_place(w, &place, kInside, one_in(&w->chance, 4) ? kDirectory : kFile | kSpecial) < 0) return FAILED(w, "openat");
  const char* name;
  const int from = at(w, &place, &name);
  const int result = fchmodat(from, name, some_mode(w), 0) < 0 ? FAILED(w, "fchmodat") : 0;
  leave(&place);
  return result;
}

static int chmod_open(struct worker* w) {
  struct place place;
  const int fd = open_entry(w, &place);
  if (fd < 0) return failed(w, "open", ENXIO, ENODEV, 0);
  return end(&place, fd, fchmod(fd, some_mode(w)) < 0 ? FAILED(w, "fchmod") : 0);
}

static uid_t some_owner(struct worker* w) {
  static const uid_t owners[] = {0, 1, 1000, 65534, 100000, 4000000000u, (uid_t)-1, (uid_t)-1};
  return is_root ? owners[below(&w->chance, 8)] : (uid_t)-1;
}

static int chown_path(struct worker* w) {
  struct place place;
  if (some_entry(w, &place) < 0) return FAILED(w, "openat");
  const char* name;
  const int from = at(w, &place, &name);
  const uid_t uid = some_owner(w), gid = some_owner(w);
  const int result = fchownat(from, name, uid, gid, AT_SYMLINK_NOFOLLOW) < 0 ? FAILED(w, "fchownat") : 0;
  leave(&place);
  return result;
}

static int chown_open(struct worker* w) {
  struct place place;
  const int fd = open_entry(w, &place);
  if (fd < 0) return failed(w, "open", ENXIO, ENODEV, 0);
  const uid_t uid = some_owner(w), gid = some_owner(w);
  return end(&place, fd, fchown(fd, uid, gid) < 0 ? FAILED(w, "fchown") : 0);
}

static void some_times(struct worker* w, struct timespec times[2]) {
  struct chance* c = &w->chance;
  for (int i = 0; i < 2; i++) {
    times[i].tv_sec = (time_t)below(c, 2000000000);
    times[i].tv_nsec = (long)below(c, 1000000000);
    if (one_in(c, 6)) times[i].tv_nsec = one_in(c, 2) ? UTIME_OMIT : UTIME_NOW;
    if (one_in(c, 8)) times[i].tv_sec = -(time_t)below(c, 1000000000);
  }
}

static int times_path(struct worker* w) {
  struct place place;
  if (some_entry(w, &place) < 0) return FAILED(w, "openat");
  const char* name;
  const int from = at(w, &place, &name);
  struct timespec times[2];
  some_times(w, times);
  const int result = utimensat(from, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? FAILED(w, "utimensat") : 0;
  leave(&place);
  return result;
}

static int times_open(struct worker* w) {
  struct place place;
  const int fd = open_entry(w, &place);
  if (fd < 0) return failed(w, "open", ENXIO, ENODEV, 0);
  struct timespec times[2];
  some_times(w, times);
  return end(&place, fd, futimens(fd, times) < 0 ? FAILED(w, "futimens") : 0);
}

static const char* some_key(struct worker* w) {
  static const char* const keys[] = {"user.one", "user.two", "user.three", "user.odd \xff\n", "user.a.long.name.of.an.attribute.that.goes.on.for.a.while"};
  return keys[below(&w->chance, 5)];
}

static size_t some_value(struct worker* w) {
  const size_t length = below(&w->chance, one_in(&w->chance, 6) ? 3000 : 64);
  fill(w, length);
  return length;
}

static int set_path(struct worker* w) {
  struct place place;
  char path[PATH_MAX];
  if (some_place(w, &place, kInside, one_in(&w->chance, 4) ? kDirectory : kFile) < 0) return FAILED(w, "openat");
  const char* key = some_key(w);
  const size_t length = some_value(w);
  static const int flags[] = {0, 0, 0, XATTR_CREATE, XATTR_REPLACE};
  const int result = lsetxattr(path_to(&place, path), key, w->buffer, length, flags[below(&w->chance, 5)]) < 0 ? failed(w, "lsetxattr", ENODATA, EPERM, 0) : 0;
  leave(&place);
  return result;
}

static int set_open(struct worker* w) {
  struct place place;
  const int fd = open_entry(w, &place);
  if (fd < 0) return failed(w, "open", ENXIO, ENODEV, 0);
  const char* key = some_key(w);
  const size_t length = some_value(w);
  return end(&place, fd, fsetxattr(fd, key, w->buffer, length, 0) < 0 ? FAILED(w, "fsetxattr") : 0);
}

#ifndef SYS_setxattrat
#define SYS_setxattrat 463
#endif

// Linux 6.13 and later.
static int set_at(struct worker* w) {
  struct place place;
  if (some_place(w, &place, kInside, kFile) < 0) return FAILED(w, "openat");
  const char* key = some_key(w);
  struct {
    uint64_t value __attribute__((aligned(8)));
    uint32_t size, flags;
  } value = {.size = (uint32_t)some_value(w)};
  value.value = (uint64_t)(uintptr_t)w->buffer;
  const int result = syscall(SYS_setxattrat, place.directory, place.name, AT_SYMLINK_NOFOLLOW, key, &value, sizeof value) < 0 ? failed(w, "setxattrat", EPERM, 0) : 0;
  leave(&place);
  return result;
}

// Removes an attribute that is there; sets one where there is none, so that a later draw finds it.
static int remove_attribute(struct worker* w, const char* path, int fd, const char* call) {
  char keys[4096];
  const ssize_t size = fd < 0 ? llistxattr(path, keys, sizeof keys) : flistxattr(fd, keys, sizeof keys);
  if (size < 0) return failed(w, call, ERANGE, 0);
  // In no order that repeats from run to run: the first by name is taken.
  const char* first = NULL;
  for (ssize_t from = 0; from < size; from += (ssize_t)strlen(keys + from) + 1) {
    const char* key = keys + from;
    if (strncmp(key, "user.", 5) == 0 && (first == NULL || strcmp(key, first) < 0)) first = key;
  }
  if (first == NULL) {
    const char* key = some_key(w);
    const int set = fd < 0 ? lsetxattr(path, key, "", 0, 0) : fsetxattr(fd, key, "", 0, 0);
    if (set < 0) return FAILED(w, "setxattr");
    first = key;
  }
  const int removed = fd < 0 ? lremovexattr(path, first) : fremovexattr(fd, first);
  return removed < 0 ? failed(w, call, ENODATA, 0) : 0;
}

static int remove_path(struct worker* w) {
  struct place place;
  char path[PATH_MAX];
  if (some_place(w, &place, kInside, one_in(&w->chance, 4) ? kDirectory : kFile) < 0) return FAILED(w, "openat");
  const int result = remove_attribute(w, path_to(&place, path), -1, "lremovexattr");
  leave(&place);
  return result;
}

static int remove_open(struct worker* w) {
  struct place place;
  const int fd = open_entry(w, &place);
  if (fd < 0) return failed(w, "open", ENXIO, ENODEV, 0);
  return end(&place, fd, remove_attribute(w, NULL, fd, "fremovexattr"));
}

// Attributes of the trusted namespace may also be on what takes none of the user's: links and special files.
static int set_trusted(struct worker* w) {
  struct place place;
  char path[PATH_MAX];
  if (some_entry(w, &place) < 0) return FAILED(w, "openat");
  const char* key = one_in(&w->chance, 2) ? "trusted.one" : "trusted.two";
  const bool removes = one_in(&w->chance, 5);
  const size_t length = some_value(w);
  const int done = removes ? lremovexattr(path_to(&place, path), key) : lsetxattr(path_to(&place, path), key, w->buffer, length, 0);
  const int result = done < 0 ? failed(w, "setxattr trusted", EPERM, ENODATA, 0) : 0;
  leave(&place);
  return result;
}

static int set_capability(struct worker* w) {
  struct place place;
  char path[PATH_MAX];
  if (some_place(w, &place, kInside, kFile) < 0) return FAILED(w, "openat");
  // struct vfs_cap_data of version 2, with CAP_NET_RAW or CAP_CHOWN permitted and effective.
  const uint32_t value[5] = {0x02000001u, one_in(&w->chance, 2) ? 1u << 13 : 1u, 0, 0, 0};
  const int result = lsetxattr(path_to(&place, path), "security.capability", value, sizeof value, 0) < 0 ? failed(w, "setxattr security.capability", EPERM, 0) : 0;
  leave(&place);
  return result;
}

static int set_acl(struct worker* w) {
  struct place place;
  char path[PATH_MAX];
  const bool directory = one_in(&w->chance, 4);
  if (some_place(w, &place, kInside, directory ? kDirectory : kFile) < 0) return FAILED(w, "openat");
  struct {
    uint32_t version;
    struct {
      uint16_t tag, permissions;
      uint32_t id;
    } entries[5];
  } acl = {2, {{0x01, 7, UINT32_MAX}, {0x02, (uint16_t)below(&w->chance, 8), 1 + (uint32_t)below(&w->chance, 2000)}, {0x04, 5, UINT32_MAX}, {0x10, 7, UINT32_MAX}, {0x20, (uint16_t)below(&w->chance, 8), UINT32_MAX}}};
  // What is made in a directory with a default one inherits it.
  const char* key = directory && one_in(&w->chance, 2) ? "system.posix_acl_default" : "system.posix_acl_access";
  const bool removes = one_in(&w->chance, 5);
  const char* to = path_to(&place, path);
  const int done = removes ? removexattr(to, key) : setxattr(to, key, &acl, sizeof acl, 0);
  // EACCES: a default one for what a race made a file.
  const int result = done < 0 ? failed(w, "setxattr posix_acl", ENODATA, EACCES, 0) : 0;
  leave(&place);
  return result;
}

// Sets inode flags, calls `meanwhile`, and clears them again, so that whoever cleans up can.
static int with_flags(struct worker* w, int flags, int access, void (*meanwhile)(struct worker* w, struct place* place, int fd)) {
  struct place place;
  const int fd = open_some(w, &place, access);
  if (fd < 0) return FAILED(w, "open");
  int before;
  if (ioctl(fd, FS_IOC_GETFLAGS, &before) < 0) return end(&place, fd, refused(w, "FS_IOC_GETFLAGS"));
  int set = before | flags;
  if (ioctl(fd, FS_IOC_SETFLAGS, &set) < 0) return end(&place, fd, failed(w, "FS_IOC_SETFLAGS", EINVAL, EPERM, 0));
  meanwhile(w, &place, fd);
  // Another thread may have set others on the same file; none of these is to stay.
  int after;
  int result = 0;
  if (ioctl(fd, FS_IOC_GETFLAGS, &after) < 0) after = before;
  after &= ~(FS_APPEND_FL | FS_IMMUTABLE_FL);
  if (ioctl(fd, FS_IOC_SETFLAGS, &after) < 0) result = FAILED(w, "FS_IOC_SETFLAGS");
  return end(&place, fd, result);
}

static void append_only(struct worker* w, struct place* place, int fd) {
  (void)place;
  const size_t length = some_length(w);
  if (write(fd, fill(w, length), length) < 0) return;
  // Refused: the file only grows.
  if (ftruncate(fd, 0) == 0) return;
}

static void immutable(struct worker* w, struct place* place, int fd) {
  (void)w;
  // All refused.
  if (unlinkat(place->directory, place->name, 0) == 0) return;
  if (fchmod(fd, 0600) == 0) return;
}

static void no_dump(struct worker* w, struct place* place, int fd) {
  (void)place;
  if (pwrite(fd, fill(w, 100), 100, 0) < 0) return;
}

static int flag_append(struct worker* w) { return with_flags(w, FS_APPEND_FL, O_RDWR | O_APPEND, append_only); }
static int flag_immutable(struct worker* w) { return with_flags(w, FS_IMMUTABLE_FL, O_RDONLY, immutable); }
static int flag_no_dump(struct worker* w) { return with_flags(w, FS_NODUMP_FL, O_RDWR, no_dump); }

// What is made in the directory from now on inherits them, on most file systems.
static int flag_directory(struct worker* w) {
  struct place place;
  if (some_place(w, &place, kInside, kDirectory) < 0) return FAILED(w, "openat");
  const int fd = openat(place.directory, place.name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
  if (fd < 0) {
    const int result = failed(w, "openat", ENOTDIR, ELOOP, 0);
    leave(&place);
    return result;
  }
  int flags;
  if (ioctl(fd, FS_IOC_GETFLAGS, &flags) < 0) return end(&place, fd, refused(w, "FS_IOC_GETFLAGS"));
  flags ^= one_in(&w->chance, 2) ? FS_NODUMP_FL : FS_NOATIME_FL;
  const int result = ioctl(fd, FS_IOC_SETFLAGS, &flags) < 0 ? failed(w, "FS_IOC_SETFLAGS", EINVAL, EPERM, 0) : 0;
  return end(&place, fd, result);
}

const struct operation metadata_operations[] = {
    {"chmod", chmod_path, 3, false},
    {"fchmod", chmod_open, 2, false},
    {"chown", chown_path, 3, false},
    {"fchown", chown_open, 2, false},
    {"utimens", times_path, 3, false},
    {"futimens", times_open, 2, false},
    {"setxattr", set_path, 3, false},
    {"fsetxattr", set_open, 2, false},
    {"setxattrat", set_at, 1, false},
    {"removexattr", remove_path, 2, false},
    {"fremovexattr", remove_open, 2, false},
    {"xattr-trusted", set_trusted, 2, false},
    {"xattr-capability", set_capability, 1, false},
    {"acl", set_acl, 3, false},
    {"flag-append", flag_append, 1, false},
    {"flag-immutable", flag_immutable, 1, false},
    {"flag-nodump", flag_no_dump, 1, false},
    {"flag-directory", flag_directory, 1, false},
    {0},
};
