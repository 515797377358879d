// Inodes by identity: what they are, what they hold and where they lie, without knowing their paths.
// Only Linux opens by handle; elsewhere these calls fail with ENOSYS.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/openat2.h>
#include <sys/syscall.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#endif

#include <cstring>
#include <vector>

#include "arguments.h"
#include "calls.h"
#include "descriptor.h"
#include "handle-format.h"
#include "handle-identity.h"
#include "system-error.h"

namespace afterimage {
namespace {

constexpr int kCreatingTries = 200;
constexpr int kCreatingWaitUs = 50;


// How identities cross from JavaScript (encoded in capture/handles.ts).
struct IdentityRecord {
  uint64_t ino;
  uint64_t tree;
  uint32_t generation;
  uint32_t reserved;
};
static_assert(sizeof(IdentityRecord) == 24, "capture/handles.ts encodes 24 bytes");

[[noreturn]] void Refuse(Napi::Env env, size_t index, const char* expected) {
  throw Napi::TypeError::New(env, "argument " + std::to_string(index + 1) + " must be " + expected);
}

int FormatArgument(const Arguments& arguments, size_t index) {
  const uint32_t format = arguments.Unsigned(index);
  if (!IsHandleFormat(format)) Refuse(arguments.env(), index, "what handleFormat gave");
  return static_cast<int>(format);
}

NodeIdentity IdentityArgument(const Arguments& arguments, size_t index) {
  const std::string bytes = arguments.Bytes(index);
  if (bytes.size() != sizeof(IdentityRecord)) Refuse(arguments.env(), index, "an identity of 24 bytes");
  IdentityRecord record;
  memcpy(&record, bytes.data(), sizeof(record));
  NodeIdentity identity;
  identity.ino = record.ino;
  identity.tree = record.tree;
  identity.generation = record.generation;
  return identity;
}

// statNode(fd, name | undefined, target): boolean. False when there is no such entry.
Napi::Value StatNode(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const int fd = arguments.Descriptor(0);
  const std::optional<std::string> name = arguments.OptionalName(1);
  uint8_t* target = arguments.Target(2, sizeof(NodeRecord));
  NodeRecord record{};
  const int failure = ReadNode(fd, name ? name->c_str() : nullptr, &record);
  if (failure == ENOENT && name) return Napi::Boolean::New(info.Env(), false);
  if (failure != 0) Fail(info.Env(), failure, "statx", name);
  memcpy(target, &record, sizeof(record));
  return Napi::Boolean::New(info.Env(), true);
}

#ifdef __linux__

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

// Opens exactly this inode. Some file systems take a generation of 0 for "any", so it is looked at again.
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

// handleFormat(fd, target): boolean. Puts the format of the handles of the file system that `fd` is on
// into four bytes; false where inodes cannot be opened by identity.
Napi::Value HandleFormatCall(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const int fd = arguments.Descriptor(0);
  uint8_t* target = arguments.Target(1, sizeof(uint32_t));
  NodeIdentity identity;
  int format = -1;
  int failure = ReadIdentity(fd, &identity, &format);
  if (failure == EOPNOTSUPP) return Napi::Boolean::New(info.Env(), false);
  if (failure != 0) Fail(info.Env(), failure, "name_to_handle_at");
  const Descriptor opened = OpenExactly(fd, format, identity, O_PATH, &failure);
  // ESTALE: its handles say who an inode is, but do not open it.
  if (failure == EOPNOTSUPP || failure == ESTALE) return Napi::Boolean::New(info.Env(), false);
  if (failure != 0) Fail(info.Env(), failure, "open_by_handle_at");
  const uint32_t number = static_cast<uint32_t>(format);
  memcpy(target, &number, sizeof(number));
  return Napi::Boolean::New(info.Env(), true);
}

// statByHandle(fd, format, identity, target): boolean. False when the inode is gone.
Napi::Value StatByHandle(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const int fd = arguments.Descriptor(0);
  const int format = FormatArgument(arguments, 1);
  const NodeIdentity identity = IdentityArgument(arguments, 2);
  uint8_t* target = arguments.Target(3, sizeof(NodeRecord));
  const Descriptor node(OpenHandle(fd, format, identity, O_PATH));
  if (!node.valid()) {
    if (IsGone(errno)) return Napi::Boolean::New(info.Env(), false);
    Fail(info.Env(), errno, "open_by_handle_at");
  }
  NodeRecord record{};
  if (const int failure = ReadNode(node.get(), nullptr, &record)) Fail(info.Env(), failure, "statx");
  if (record.stat.ino != identity.ino || record.generation != identity.generation || record.tree != identity.tree) {
    return Napi::Boolean::New(info.Env(), false);
  }
  memcpy(target, &record, sizeof(record));
  return Napi::Boolean::New(info.Env(), true);
}

// Reads something whose size may change between asking for the size and reading it. 0 or an errno.
template <typename Read>
int ReadSized(std::vector<char>* target, Read read) {
  for (int attempt = 0; attempt < 8; attempt++) {
    const ssize_t size = Retry([&] { return read(nullptr, size_t{0}); });
    if (size == -1) return errno;
    target->resize(static_cast<size_t>(size));
    if (size == 0) return 0;
    const ssize_t got = Retry([&] { return read(target->data(), target->size()); });
    if (got >= 0) {
      target->resize(static_cast<size_t>(got));
      return 0;
    }
    if (errno != ERANGE) return errno;
  }
  return EAGAIN;
}

// Appends keys and values in turn. `path` is the node's entry in /proc: the calls that take a
// descriptor refuse one that is open as O_PATH, and nothing else opens a symbolic link or a socket.
void AppendXattrs(Napi::Env env, const std::string& path, Napi::Array result) {
  std::vector<char> keys;
  const int failure = ReadSized(&keys, [&](char* data, size_t size) { return listxattr(path.c_str(), data, size); });
  if (failure == ENOTSUP) return;
  // The descriptor exists, so it is /proc that does not.
  if (failure != 0) Fail(env, failure == ENOENT ? ENOTSUP : failure, "listxattr");
  if (!keys.empty() && keys.back() != '\0') keys.push_back('\0');
  std::vector<char> value;
  for (size_t at = 0; at < keys.size(); at += strlen(keys.data() + at) + 1) {
    const char* key = keys.data() + at;
    const int refused =
        ReadSized(&value, [&](char* data, size_t size) { return getxattr(path.c_str(), key, data, size); });
    // Removed since it was listed, or listed for those who may not read it.
    if (refused == ENODATA || refused == EPERM || refused == EACCES || refused == ENOTSUP) continue;
    if (refused != 0) Fail(env, refused, "getxattr");
    result.Set(result.Length(), Napi::Buffer<char>::Copy(env, key, strlen(key)));
    result.Set(result.Length(), Napi::Buffer<char>::Copy(env, value.data(), value.size()));
  }
}

Napi::Value LinkTarget(Napi::Env env, int fd) {
  std::vector<char> target(4096);
  for (;;) {
    const ssize_t length = Retry([&] { return readlinkat(fd, "", target.data(), target.size()); });
    if (length == -1) Fail(env, errno, "readlinkat");
    // A full buffer may hold a cut-off target.
    if (static_cast<size_t>(length) < target.size()) {
      return Napi::Buffer<char>::Copy(env, target.data(), static_cast<size_t>(length));
    }
    if (target.size() >= (size_t{1} << 20)) Fail(env, ENAMETOOLONG, "readlinkat");
    target.resize(target.size() * 2);
  }
}

// lookByHandle(fd, format, identity, target): [link target | undefined, key, value, key, …], or
// undefined when the inode is gone.
Napi::Value LookByHandle(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const int fd = arguments.Descriptor(0);
  const int format = FormatArgument(arguments, 1);
  const NodeIdentity identity = IdentityArgument(arguments, 2);
  uint8_t* target = arguments.Target(3, sizeof(NodeRecord));
  int failure = 0;
  const Descriptor node = OpenExactly(fd, format, identity, O_PATH, &failure);
  if (IsGone(failure)) return info.Env().Undefined();
  if (failure != 0) Fail(info.Env(), failure, "open_by_handle_at");
  NodeRecord record{};
  failure = ReadNode(node.get(), nullptr, &record);
  if (failure != 0) Fail(info.Env(), failure, "statx");
  memcpy(target, &record, sizeof(record));
  const Napi::Array result = Napi::Array::New(info.Env());
  result.Set(uint32_t{0}, S_ISLNK(record.stat.mode) ? LinkTarget(info.Env(), node.get()) : info.Env().Undefined());
  AppendXattrs(info.Env(), "/proc/self/fd/" + std::to_string(node.get()), result);
  return result;
}

// openByHandle(fd, format, identity): number | undefined. Regular files only, for reading; undefined
// when the inode is gone.
Napi::Value OpenByHandle(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const int fd = arguments.Descriptor(0);
  const int format = FormatArgument(arguments, 1);
  const NodeIdentity identity = IdentityArgument(arguments, 2);
  int failure = 0;
  // Looked at before it is opened, because opening some devices already does something. An identity
  // never becomes another inode, so it need not be looked at again.
  const Descriptor node = OpenExactly(fd, format, identity, O_PATH, &failure);
  if (IsGone(failure)) return info.Env().Undefined();
  if (failure != 0) Fail(info.Env(), failure, "open_by_handle_at");
  struct stat found;
  if (Retry([&] { return fstat(node.get(), &found); }) != 0) Fail(info.Env(), errno, "fstat");
  if (!S_ISREG(found.st_mode)) Fail(info.Env(), S_ISLNK(found.st_mode) ? ELOOP : EINVAL, "open_by_handle_at");
  const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY;
  int opened = OpenHandle(fd, format, identity, flags | O_NOATIME);
  if (opened == -1 && errno == EPERM) opened = OpenHandle(fd, format, identity, flags);
  if (opened == -1 && IsGone(errno)) return info.Env().Undefined();
  if (opened == -1) Fail(info.Env(), errno, "open_by_handle_at");
  return Napi::Number::New(info.Env(), opened);
}

// From Linux 5.2 and 5.6; the C library learnt them later.
#ifndef SYS_open_tree
#define SYS_open_tree 428
#endif
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
constexpr int kOpenTreeClone = 1;

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
#ifdef STATX_ATTR_MOUNT_ROOT
  struct statx found;
  if (Retry([&] { return statx(fd, "", AT_EMPTY_PATH, STATX_TYPE, &found); }) != 0) return false;
  return (found.stx_attributes_mask & found.stx_attributes & STATX_ATTR_MOUNT_ROOT) != 0;
#else
  (void)fd;
  return false;
#endif
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

// The root directory of the whole file system, which the mount behind `fd` may show only a part of.
// Known for the file systems whose root has a fixed number; otherwise the root of that mount.
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

// openTop(fd): number. The root directory of the whole file system, as far as OpenFileSystemRoot finds it.
Napi::Value OpenTop(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const int fd = arguments.Descriptor(0);
  NodeIdentity identity;
  int format = -1;
  if (const int failure = ReadIdentity(fd, &identity, &format)) Fail(info.Env(), failure, "name_to_handle_at");
  const Descriptor found = OpenFileSystemRoot(fd, format);
  // What was found by going up is open as O_PATH only.
  const int top = Retry([&] { return openat(found.get(), ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC); });
  if (top == -1) Fail(info.Env(), errno, "openat");
  return Napi::Number::New(info.Env(), top);
}

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

// isBelow(fd, format, directory, root): boolean | undefined. Whether the way up from a directory meets
// another, itself included; undefined when the directory is gone.
Napi::Value IsBelow(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const int fd = arguments.Descriptor(0);
  const int format = FormatArgument(arguments, 1);
  const NodeIdentity directory = IdentityArgument(arguments, 2);
  const NodeIdentity root = IdentityArgument(arguments, 3);
  Walk walk = WalkIn(fd, format, directory, root);
  if (walk.failure == 0 && walk.way == Way::kBlocked) {
    bool root_is_in = true;
    const bool decided = walk.blocked_by == ENOENT || walk.at_mount_root;
    const int failure = decided ? IsInMount(fd, format, root, &root_is_in) : 0;
    // Nothing is below what is gone.
    if (IsGone(failure)) return Napi::Boolean::New(info.Env(), false);
    if (failure != 0) Fail(info.Env(), failure, "open_by_handle_at");
    if (decided && root_is_in) {
      // What the mount shows ends here, and the root is another part of it.
      walk.way = Way::kNotAbove;
    } else {
      // Something is mounted over a part of the way, or this mount does not show the root.
      int refused = 0;
      const Descriptor unseen = MountUnseen(fd, format, &refused);
      if (refused != 0) Fail(info.Env(), refused, "open_tree");
      walk = WalkIn(unseen.get(), format, directory, root);
    }
  }
  if (IsGone(walk.failure)) return info.Env().Undefined();
  if (walk.failure != 0) Fail(info.Env(), walk.failure, "openat2");
  return Napi::Boolean::New(info.Env(), walk.way == Way::kFound);
}

#else

Napi::Value Unavailable(const Napi::CallbackInfo& info) {
  Arguments(info).Descriptor(0);
  Fail(info.Env(), ENOSYS, "open_by_handle_at");
}

#endif

}  // namespace

void AddHandleCalls(Napi::Env env, Napi::Object exports) {
  exports.Set("statNode", Napi::Function::New<StatNode>(env, "statNode"));
#ifdef __linux__
  exports.Set("handleFormat", Napi::Function::New<HandleFormatCall>(env, "handleFormat"));
  exports.Set("statByHandle", Napi::Function::New<StatByHandle>(env, "statByHandle"));
  exports.Set("lookByHandle", Napi::Function::New<LookByHandle>(env, "lookByHandle"));
  exports.Set("openByHandle", Napi::Function::New<OpenByHandle>(env, "openByHandle"));
  exports.Set("isBelow", Napi::Function::New<IsBelow>(env, "isBelow"));
  exports.Set("openTop", Napi::Function::New<OpenTop>(env, "openTop"));
#else
  for (const char* name : {"handleFormat", "statByHandle", "lookByHandle", "openByHandle", "isBelow", "openTop"}) {
    exports.Set(name, Napi::Function::New<Unavailable>(env, name));
  }
#endif
}

}  // namespace afterimage
