// Inodes by identity: what they are, what they hold and where they lie, without knowing their paths.
// Only Linux opens by handle; elsewhere these calls fail with ENOSYS.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

#include <cstring>
#include <vector>

#include "arguments.h"
#include "attributes.h"
#include "calls.h"
#include "descriptor.h"
#include "handle-format.h"
#include "handle-identity.h"
#include "handle-open.h"
#include "system-error.h"

namespace afterimage {
namespace {

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
  if (record.known == 0 || record.stat.ino != identity.ino || record.generation != identity.generation || record.tree != identity.tree) {
    return Napi::Boolean::New(info.Env(), false);
  }
  memcpy(target, &record, sizeof(record));
  return Napi::Boolean::New(info.Env(), true);
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
  Attributes(node.get(), std::nullopt).AppendAll(info.Env(), result);
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

// isBelow(fd, format, directory, root): boolean | undefined. Whether the way up from a directory meets
// another, itself included; undefined when the directory is gone.
Napi::Value IsBelowCall(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const int fd = arguments.Descriptor(0);
  const int format = FormatArgument(arguments, 1);
  const NodeIdentity directory = IdentityArgument(arguments, 2);
  const NodeIdentity root = IdentityArgument(arguments, 3);
  bool is_below = false;
  const SystemError error = IsBelow(fd, format, directory, root, &is_below);
  if (IsGone(error.number)) return info.Env().Undefined();
  if (error.number != 0) Fail(info.Env(), error.number, error.syscall);
  return Napi::Boolean::New(info.Env(), is_below);
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
  exports.Set("isBelow", Napi::Function::New<IsBelowCall>(env, "isBelow"));
  exports.Set("openTop", Napi::Function::New<OpenTop>(env, "openTop"));
#else
  for (const char* name : {"handleFormat", "statByHandle", "lookByHandle", "openByHandle", "isBelow", "openTop"}) {
    exports.Set(name, Napi::Function::New<Unavailable>(env, name));
  }
#endif
}

}  // namespace afterimage
