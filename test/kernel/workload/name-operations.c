// What changes directories: entries of every kind made, linked, moved, swapped and removed.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <unistd.h>

#include "workload.h"

static int make_file(struct worker* w) {
  struct place place;
  if (new_place(w, &place, kInside, false) < 0) return FAILED(w, "openat");
  const char* name;
  const int from = at(w, &place, &name);
  int result = 0;
  if (one_in(&w->chance, 2)) {
    if (mknodat(from, name, S_IFREG | 0604, 0) < 0) result = FAILED(w, "mknodat");
  } else {
    const int fd = openat(from, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0664);
    if (fd < 0) result = FAILED(w, "openat O_EXCL");
    else close(fd);
  }
  leave(&place);
  return result;
}

static int make_directory(struct worker* w) {
  struct place place;
  if (new_place(w, &place, kInside, true) < 0) return FAILED(w, "mkdirat");
  const char* name;
  const int from = at(w, &place, &name);
  const int result = mkdirat(from, name, one_in(&w->chance, 4) ? 0700 : 0755) < 0 ? FAILED(w, "mkdirat") : 0;
  leave(&place);
  return result;
}

static int remove_directory(struct worker* w) {
  struct place place;
  if (some_place(w, &place, kInside, kDirectory) < 0) return FAILED(w, "mkdirat");
  const char* name;
  const int from = at(w, &place, &name);
  const int result = unlinkat(from, name, AT_REMOVEDIR) < 0 ? FAILED(w, "rmdir") : 0;
  leave(&place);
  return result;
}

static int remove_all(struct worker* w) {
  struct place place;
  for (int attempt = 0;; attempt++) {
    if (some_place(w, &place, kInside, kDirectory) < 0) return FAILED(w, "mkdirat");
    // Seldom a large one, or no tree would ever get large.
    if (attempt == 4 || count_entries(place.directory, place.name) <= 24 || one_in(&w->chance, 12)) break;
    leave(&place);
  }
  const int result = remove_tree(place.directory, place.name) < 0 ? FAILED(w, "recursive delete") : 0;
  leave(&place);
  return result;
}

static int unlink_some(struct worker* w) {
  struct place place;
  if (some_place(w, &place, kInside, kFile | kSymlink | kSpecial) < 0) return FAILED(w, "openat");
  const char* name;
  const int from = at(w, &place, &name);
  const int result = unlinkat(from, name, 0) < 0 ? FAILED(w, "unlinkat") : 0;
  leave(&place);
  return result;
}

static int link_some(struct worker* w, enum where source, enum where target) {
  struct place from, to;
  if (some_place(w, &from, source, one_in(&w->chance, 8) ? kFile | kSymlink | kSpecial : kFile) < 0) return FAILED(w, "openat");
  int result;
  if (new_place(w, &to, target, false) < 0) result = FAILED(w, "linkat");
  else {
    const char *from_name, *to_name;
    const int from_at = at(w, &from, &from_name), to_at = at(w, &to, &to_name);
    result = linkat(from_at, from_name, to_at, to_name, 0) < 0 ? FAILED(w, "linkat") : 0;
    leave(&to);
  }
  leave(&from);
  return result;
}

static int link_inside(struct worker* w) { return link_some(w, kInside, kInside); }
static int link_out(struct worker* w) { return link_some(w, kInside, kOutside); }
static int link_in(struct worker* w) { return link_some(w, kOutside, kInside); }

struct move {
  enum where source, target;
  unsigned kinds;
  unsigned flags;
  // The target is there already.
  bool existing;
  bool same_directory;
};

static int move(struct worker* w, struct move how) {
  struct place from, to;
  if (some_place(w, &from, how.source, how.kinds) < 0) return FAILED(w, "openat");
  int found;
  if (how.existing) {
    // Only like takes the place of like; an exchange takes anything.
    found = some_place(w, &to, how.target, (how.flags & RENAME_EXCHANGE) != 0 ? kFile | kDirectory | kSymlink : how.kinds);
  } else found = new_place(w, &to, how.target, (how.kinds & kDirectory) != 0);
  if (found < 0) {
    leave(&from);
    return FAILED(w, "openat");
  }
  int result;
  if (how.same_directory) {
    result = renameat2(from.directory, from.name, from.directory, to.name, how.flags);
  } else {
    const char *from_name, *to_name;
    const int from_at = at(w, &from, &from_name), to_at = at(w, &to, &to_name);
    // The old call where the new one is not needed.
    result = how.flags == 0 ? renameat(from_at, from_name, to_at, to_name) : renameat2(from_at, from_name, to_at, to_name, how.flags);
  }
  // EINVAL: a directory into itself. EPERM: a whiteout, without privilege.
  if (result < 0) result = failed(w, "renameat2", EINVAL, EPERM, 0);
  leave(&to);
  leave(&from);
  return result;
}

static int rename_plain(struct worker* w) { return move(w, (struct move){.kinds = kFile | kSymlink | kSpecial, .same_directory = true}); }
static int rename_across(struct worker* w) { return move(w, (struct move){.kinds = kFile | kSymlink | kSpecial}); }
static int rename_no_replace(struct worker* w) { return move(w, (struct move){.kinds = kFile, .flags = RENAME_NOREPLACE}); }
static int rename_replace(struct worker* w) { return move(w, (struct move){.kinds = one_in(&w->chance, 4) ? kDirectory : kFile | kSymlink | kSpecial, .existing = true}); }
static int rename_exchange(struct worker* w) { return move(w, (struct move){.kinds = kFile | kDirectory | kSymlink, .flags = RENAME_EXCHANGE, .existing = true}); }
static int rename_tree(struct worker* w) { return move(w, (struct move){.kinds = kDirectory}); }
static int rename_whiteout(struct worker* w) { return move(w, (struct move){.kinds = kFile, .flags = RENAME_WHITEOUT}); }
static int rename_out(struct worker* w) { return move(w, (struct move){.kinds = one_in(&w->chance, 8) ? kAny : kFile | kSymlink | kSpecial, .source = kInside, .target = kOutside}); }
static int rename_in(struct worker* w) { return move(w, (struct move){.kinds = one_in(&w->chance, 2) ? kDirectory : kFile, .source = kOutside, .target = kInside}); }
static int rename_exchange_out(struct worker* w) { return move(w, (struct move){.kinds = kFile | kDirectory, .flags = RENAME_EXCHANGE, .existing = true, .source = kInside, .target = kOutside}); }

static int make_symlink(struct worker* w) {
  struct place place;
  if (new_place(w, &place, kInside, false) < 0) return FAILED(w, "symlinkat");
  // Targets are beside the link or nowhere: writes that follow a link must not leave the tree.
  char target[NAME_MAX * 4];
  switch (below(&w->chance, 5)) {
    case 0: strcpy(target, "/nowhere/of/afterimage\n\xff"); break;
    case 1: memset(target, 't', sizeof target); target[sizeof target - 1] = 0; break;
    case 2: sprintf(target, "file-%u", (unsigned)below(&w->chance, 30)); break;
    default:
      if (!pick(w, place.directory, kFile, target)) strcpy(target, "nothing");
      break;
  }
  const char* name;
  const int from = at(w, &place, &name);
  const int result = symlinkat(target, from, name) < 0 ? FAILED(w, "symlinkat") : 0;
  leave(&place);
  return result;
}

static int make_fifo(struct worker* w) {
  struct place place;
  if (new_place(w, &place, kInside, false) < 0) return FAILED(w, "mknodat");
  const int result = mknodat(place.directory, place.name, S_IFIFO | 0640, 0) < 0 ? FAILED(w, "mknodat") : 0;
  leave(&place);
  return result;
}

static int make_device(struct worker* w) {
  struct place place;
  if (new_place(w, &place, kInside, false) < 0) return FAILED(w, "mknodat");
  // None that is there, apart from /dev/null: something may open them. XFS takes 9 bits of a major and 18 of a minor number.
  const unsigned minor = (unsigned)below(&w->chance, 1 << 18), major = 300 + (unsigned)below(&w->chance, 60);
  const dev_t device = one_in(&w->chance, 4) ? makedev(1, 3) : makedev(major, minor);
  const mode_t kind = one_in(&w->chance, 2) && device != makedev(1, 3) ? S_IFBLK : S_IFCHR;
  const int result = mknodat(place.directory, place.name, kind | 0600, device) < 0 ? failed(w, "mknodat", EPERM, 0) : 0;
  leave(&place);
  return result;
}

static int make_socket(struct worker* w) {
  struct place place;
  if (new_place(w, &place, kInside, false) < 0) return FAILED(w, "bind");
  // Longer names do not fit into the address of a socket.
  if (strlen(place.name) > 60) strcpy(place.name, "socket");
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  snprintf(address.sun_path, sizeof address.sun_path, "/proc/self/fd/%d/%.64s", place.directory, place.name);
  const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  int result = 0;
  if (fd < 0) result = FAILED(w, "socket");
  else {
    if (bind(fd, (struct sockaddr*)&address, sizeof address) < 0) result = failed(w, "bind", EADDRINUSE, 0);
    close(fd);
  }
  leave(&place);
  return result;
}

const struct operation name_operations[] = {
    {"create", make_file, 6, false},
    {"mkdir", make_directory, 6, false},
    {"rmdir", remove_directory, 2, false},
    {"remove-tree", remove_all, 1, false},
    {"unlink", unlink_some, 6, false},
    {"link", link_inside, 5, false},
    {"link-out", link_out, 2, true},
    {"link-in", link_in, 2, true},
    {"rename", rename_plain, 5, false},
    {"rename-across", rename_across, 5, false},
    {"rename-noreplace", rename_no_replace, 2, false},
    {"rename-replace", rename_replace, 4, false},
    {"rename-exchange", rename_exchange, 3, false},
    {"rename-tree", rename_tree, 4, false},
    {"rename-whiteout", rename_whiteout, 1, false},
    {"rename-out", rename_out, 2, true},
    {"rename-in", rename_in, 3, true},
    {"rename-exchange-out", rename_exchange_out, 1, true},
    {"symlink", make_symlink, 3, false},
    {"fifo", make_fifo, 1, false},
    {"device", make_device, 1, false},
    {"socket", make_socket, 1, false},
    {0},
};
