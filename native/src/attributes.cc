// Extended attributes by the calls of each system, and inode flags among them.
#include "attributes.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstring>
#include <vector>

#include "file-flags.h"
#include "system-error.h"

namespace afterimage {
namespace {

#ifdef __APPLE__

constexpr int kNoSuchAttribute = ENOATTR;
// O_SYMLINK opens a link itself.
constexpr int kOpenFlags = O_RDONLY | O_SYMLINK | O_NONBLOCK | O_CLOEXEC;

ssize_t List(int node, char* target, size_t size) { return flistxattr(node, target, size, 0); }
ssize_t Get(int node, const char* key, char* target, size_t size) { return fgetxattr(node, key, target, size, 0, 0); }
int Put(int node, const char* key, const std::string& value) { return fsetxattr(node, key, value.data(), value.size(), 0, 0); }
int Drop(int node, const char* key) { return fremovexattr(node, key, 0); }

#else

constexpr int kNoSuchAttribute = ENODATA;
// Opens anything and disturbs nothing.
constexpr int kOpenFlags = O_PATH | O_NOFOLLOW | O_CLOEXEC;

// The calls that take a descriptor refuse one that is open as O_PATH. Its entry in /proc leads to the node without
// walking a path, and to a symbolic link itself.
std::string PathOf(int node) { return "/proc/self/fd/" + std::to_string(node); }

// The node is open, so that it is /proc that is not there.
template <typename Result>
Result Reached(Result result) {
  if (result == -1 && errno == ENOENT) errno = ENOTSUP;
  return result;
}

ssize_t List(int node, char* target, size_t size) { return Reached(listxattr(PathOf(node).c_str(), target, size)); }
ssize_t Get(int node, const char* key, char* target, size_t size) {
  return Reached(getxattr(PathOf(node).c_str(), key, target, size));
}
int Put(int node, const char* key, const std::string& value) {
  return Reached(setxattr(PathOf(node).c_str(), key, value.data(), value.size(), 0));
}
int Drop(int node, const char* key) { return Reached(removexattr(PathOf(node).c_str(), key)); }

#endif

constexpr uint32_t kFlagsBytes = 4;

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

void Append(Napi::Env env, Napi::Array result, const char* key, const void* value, size_t size) {
  result.Set(result.Length(), Napi::Buffer<char>::Copy(env, key, strlen(key)));
  result.Set(result.Length(), Napi::Buffer<char>::Copy(env, static_cast<const char*>(value), size));
}

}  // namespace

Attributes::Attributes(int fd, const std::optional<std::string>& name)
    : name_(name),
      entry_(name ? Retry([&] { return openat(fd, name->c_str(), kOpenFlags); }) : -1),
      failure_(name && !entry_.valid() ? errno : 0),
      node_(name ? entry_.get() : fd) {}

void Attributes::CheckOpen(Napi::Env env, const char* syscall) const {
  if (failure_ != 0) Fail(env, failure_, syscall, name_);
}

void Attributes::AppendAll(Napi::Env env, Napi::Array result) const {
  CheckOpen(env, "listxattr");
  uint32_t flags = 0;
  if (const int failure = ReadFlags(node_, &flags)) Fail(env, failure, "FS_IOC_GETFLAGS", name_);
  if (flags != 0) {
    uint8_t value[kFlagsBytes];
    for (uint32_t byte = 0; byte < kFlagsBytes; byte++) value[byte] = static_cast<uint8_t>(flags >> (8 * byte));
    Append(env, result, kFlagsKey, value, sizeof(value));
  }
  std::vector<char> keys;
  const int failure = ReadSized(&keys, [&](char* data, size_t size) { return List(node_, data, size); });
  if (failure == ENOTSUP) return;
  if (failure != 0) Fail(env, failure, "listxattr", name_);
  if (!keys.empty() && keys.back() != '\0') keys.push_back('\0');
  std::vector<char> value;
  for (size_t at = 0; at < keys.size(); at += strlen(keys.data() + at) + 1) {
    const char* key = keys.data() + at;
    // A file system of its own rules might list it: the flags alone go by this key.
    if (strcmp(key, kFlagsKey) == 0) continue;
    const int refused = ReadSized(&value, [&](char* data, size_t size) { return Get(node_, key, data, size); });
    // Removed since it was listed, or listed for those who may never read it. A mode that does not let this user read it
    // is another thing: whoever took such an attribute for none would keep it where it is to go.
    if (refused == kNoSuchAttribute || refused == EPERM || refused == ENOTSUP) continue;
    if (refused != 0) Fail(env, refused, "getxattr", name_);
    Append(env, result, key, value.data(), value.size());
  }
}

void Attributes::Set(Napi::Env env, const std::string& key, const std::string& value) const {
  CheckOpen(env, "setxattr");
  if (key == kFlagsKey) {
    if (value.size() != kFlagsBytes) Fail(env, EINVAL, "FS_IOC_SETFLAGS", name_);
    uint32_t flags = 0;
    for (uint32_t byte = 0; byte < kFlagsBytes; byte++) flags |= uint32_t{static_cast<uint8_t>(value[byte])} << (8 * byte);
    if (const int failure = WriteFlags(node_, flags)) Fail(env, failure, "FS_IOC_SETFLAGS", name_);
    return;
  }
  if (Retry([&] { return Put(node_, key.c_str(), value); }) != 0) Fail(env, errno, "setxattr", name_);
}

void Attributes::Remove(Napi::Env env, const std::string& key) const {
  CheckOpen(env, "removexattr");
  if (key == kFlagsKey) {
    if (const int failure = WriteFlags(node_, 0)) Fail(env, failure, "FS_IOC_SETFLAGS", name_);
    return;
  }
  if (Retry([&] { return Drop(node_, key.c_str()); }) != 0) Fail(env, errno, "removexattr", name_);
}

}  // namespace afterimage
