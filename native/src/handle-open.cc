// Opening by handle and going up from there: see handle-open.h.
#ifdef __linux__

#include "handle-open.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

#include "handle-identity.h"

namespace afterimage {
namespace {

constexpr int kCreatingTries = 200;
constexpr int kCreatingWaitUs = 50;


// From Linux 5.2 and 5.6, and the C library learnt them later.
#ifndef SYS_open_tree
#define SYS_open_tree 428
#endif
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
constexpr int kOpenTreeClone = 1;
constexpr uint64_t kMountRootAttribute = 0x2000;  // from 5.8

constexpr long kExt4Magic = 0xef53;
constexpr uint64_t kExt4RootInode = 2;
constexpr long kBtrfsMagic = 0x9123683e;
constexpr uint64_t kBtrfsTopInode = 256;
constexpr uint64_t kBtrfsTopTree = 5;

constexpr int kLevelsMax = 100'000;

// The directory above, never onto another mount: EXDEV at the mount's root and where something is
// mounted over the directory above; ENOENT in what lies outside the part that is mounted.
Descriptor OpenAbove(int directory) {
  open_how how{};
  how.flags = O_PATH | O_DIRECTORY | O_CLOEXEC;
  how.resolve = RESOLVE_NO_XDEV;
  return Descriptor(static_cast<int>(Retry([&] { return syscall(SYS_openat2, directory, "..", &how, sizeof(how)); })));
}

enum class Way { kFound, kNotAbove, kBlocked };

struct Walk {
  Way way = Way::kBlocked;
  // An errno for what no answer follows from.
  int failure = 0;
  // Where and by what the mount did not let it go on: EXDEV or ENOENT.
  int blocked_by = 0;
  bool at_mount_root = false;
};

// Whether this directory is the root of its mount.
bool IsMountRoot(int fd) {
  struct statx found;
  if (Retry([&] { return statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &found); }) != 0) return false;
  return (found.stx_attributes_mask & found.stx_attributes & kMountRootAttribute) != 0;
}

bool IsSame(int first, int second) {
  NodeIdentity one;
  NodeIdentity other;
  return ReadIdentity(first, &one) == 0 && ReadIdentity(second, &other) == 0 && one == other;
}

// Goes up from `directory` until `root` or the top.
Walk GoUp(Descriptor directory, const NodeIdentity& root) {
  Walk walk;
  int at = directory.Release();
  for (int level = 0; level < kLevelsMax; level++) {
    const Descriptor here(at);
    NodeIdentity identity;
    walk.failure = ReadIdentity(here.get(), &identity);
    if (walk.failure != 0) return walk;
    if (identity == root) {
      walk.way = Way::kFound;
      return walk;
    }
    Descriptor above = OpenAbove(here.get());
    if (!above.valid()) {
      if (errno == EXDEV || errno == ENOENT) {
        walk.blocked_by = errno;
        walk.at_mount_root = errno == EXDEV && IsMountRoot(here.get());
      } else {
        walk.failure = errno;
      }
      return walk;
    }
    NodeIdentity next;
    walk.failure = ReadIdentity(above.get(), &next);
    if (walk.failure != 0) return walk;
    // Only the top is its own parent.
    if (next == identity) {
      walk.way = Way::kNotAbove;
      return walk;
    }
    at = above.Release();
  }
  close(at);
  walk.failure = ELOOP;
  return walk;
}

// Whether the mount behind `fd` shows the directory `root`. 0 or an errno.
int IsInMount(int fd, int format, const NodeIdentity& root, bool* is_in) {
  int failure = 0;
  const Descriptor opened = OpenExactly(fd, format, root, O_PATH | O_DIRECTORY, &failure);
  if (failure != 0) return failure;
  *is_in = OpenAbove(opened.get()).valid() || errno != ENOENT;
  return 0;
}

}  // namespace

int OpenHandle(int mount, int format, const NodeIdentity& identity, int flags) {
  HandleBytes encoded;
  if (!EncodeHandle(format, identity, &encoded)) {
    // No inode of this file system can have that identity.
    errno = ESTALE;
    return -1;
  }
  alignas(file_handle) char space[sizeof(file_handle) + kHandleBytesMax];
  auto* handle = reinterpret_cast<file_handle*>(space);
  handle->handle_bytes = static_cast<unsigned>(encoded.length);
  handle->handle_type = encoded.type;
  memcpy(space + sizeof(file_handle), encoded.bytes, encoded.length);
  // ENOMEM is also what comes while the number is just being given to a new inode (iget_locked meets
  // I_CREATING): soon it is known that the one asked for is gone.
  for (int tries = 0;; tries++) {
    const int fd = Retry([&] { return open_by_handle_at(mount, handle, flags | O_CLOEXEC); });
    if (fd >= 0 || errno != ENOMEM || tries == kCreatingTries) return fd;
    usleep(kCreatingWaitUs);
  }
}

// Looked at again once it is open, because of the generation 0.
Descriptor OpenExactly(int mount, int format, const NodeIdentity& identity, int flags, int* failure) {
  Descriptor node(OpenHandle(mount, format, identity, flags));
  *failure = node.valid() ? 0 : errno;
  if (*failure != 0) return node;
  NodeIdentity found;
  *failure = ReadIdentity(node.get(), &found);
  if (*failure == 0 && found != identity) *failure = ESTALE;
  return node;
}

bool IsGone(int failure) { return failure == ESTALE || failure == ENOENT; }

Descriptor OpenFileSystemRoot(int fd, int format) {
  struct statfs found;
  if (Retry([&] { return fstatfs(fd, &found); }) == 0) {
    NodeIdentity root;
    if (found.f_type == kBtrfsMagic) {
      root.ino = kBtrfsTopInode;
      root.tree = kBtrfsTopTree;
    } else if (found.f_type == kExt4Magic) {
      root.ino = kExt4RootInode;
    }
    if (root.ino != 0) {
      // Both take the generation 0 for any.
      Descriptor opened(OpenHandle(fd, format, root, O_RDONLY | O_DIRECTORY));
      if (opened.valid()) return opened;
    }
  }
  int at = Descriptor::Duplicate(fd).Release();
  for (int level = 0; level < kLevelsMax; level++) {
    Descriptor above = OpenAbove(at);
    if (!above.valid() || IsSame(above.get(), at)) break;
    close(at);
    at = above.Release();
  }
  return Descriptor(at);
}

namespace {

// A mount of the whole file system that no path leads to and nothing is mounted over. It is held only
// while it is used: it would keep the file system busy after its last visible mount is gone.
Descriptor MountUnseen(int fd, int format, int* failure) {
  const Descriptor base = OpenFileSystemRoot(fd, format);
  const Descriptor tree(static_cast<int>(
      syscall(SYS_open_tree, base.get(), "", static_cast<unsigned>(kOpenTreeClone | O_CLOEXEC | AT_EMPTY_PATH))));
  if (!tree.valid()) {
    *failure = errno;
    return Descriptor();
  }
  // open_by_handle_at wants more than the O_PATH descriptor that this is.
  Descriptor root(Retry([&] { return openat(tree.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); }));
  *failure = root.valid() ? 0 : errno;
  return root;
}

// One attempt from the mount behind `fd`.
Walk WalkIn(int fd, int format, const NodeIdentity& directory, const NodeIdentity& root) {
  Walk walk;
  Descriptor start = OpenExactly(fd, format, directory, O_PATH | O_DIRECTORY, &walk.failure);
  return walk.failure == 0 ? GoUp(std::move(start), root) : walk;
}

}  // namespace

SystemError IsBelow(int mount, int format, const NodeIdentity& directory, const NodeIdentity& root, bool* is_below) {
  Walk walk = WalkIn(mount, format, directory, root);
  if (walk.failure == 0 && walk.way == Way::kBlocked) {
    bool root_is_in = true;
    const bool at_end = walk.blocked_by == ENOENT || walk.at_mount_root;
    const int failure = at_end ? IsInMount(mount, format, root, &root_is_in) : 0;
    if (IsGone(failure)) {
      // Nothing is below what is gone.
      *is_below = false;
      return SystemError{};
    }
    if (failure != 0) return SystemError{failure, "open_by_handle_at", std::nullopt};
    if (at_end && root_is_in) {
      // What the mount shows ends here, and the root is another part of it.
      walk.way = Way::kNotAbove;
    } else {
      // Something is mounted over a part of the way, or this mount does not show the root.
      int refused = 0;
      const Descriptor unseen = MountUnseen(mount, format, &refused);
      if (refused != 0) return SystemError{refused, "open_tree", std::nullopt};
      walk = WalkIn(unseen.get(), format, directory, root);
    }
  }
  *is_below = walk.way == Way::kFound;
  return SystemError{walk.failure, "openat2", std::nullopt};
}

}  // namespace afterimage

#endif
