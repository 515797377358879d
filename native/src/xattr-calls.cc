// Extended attributes of an entry or of the open directory itself; a symbolic link's own, never its target's.
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cstring>
#include <vector>

#include "arguments.h"
#include "calls.h"
#include "descriptor.h"
#include "system-error.h"

namespace afterimage {
namespace {

#ifdef __APPLE__
constexpr int kNoSuchAttribute = ENOATTR;
#else
constexpr int kNoSuchAttribute = ENODATA;
#endif

// What attributes are read from and written to. A call returns -1 and sets errno as usual.
class Holder {
 public:
  Holder(int fd, const std::optional<std::string>& name) : fd_(fd) {
    if (!name) return;
#ifdef __APPLE__
    // O_SYMLINK opens a link itself.
    opened_ = true;
    entry_ = openat(fd, name->c_str(), O_RDONLY | O_SYMLINK | O_NONBLOCK | O_CLOEXEC);
#else
    // No xattr call takes a directory descriptor before Linux 6.13. The descriptor's entry in /proc
    // leads to the directory without walking a path, and the l*xattr calls do not follow the last
    // component.
    path_ = "/proc/self/fd/" + std::to_string(fd) + "/" + *name;
#endif
  }
  Holder(const Holder&) = delete;
  Holder& operator=(const Holder&) = delete;

#ifdef __APPLE__
  ~Holder() {
    if (entry_ >= 0) close(entry_);
  }
  ssize_t List(char* target, size_t size) const { return flistxattr(Target(), target, size, 0); }
  ssize_t Get(const char* key, char* target, size_t size) const {
    return fgetxattr(Target(), key, target, size, 0, 0);
  }
  int Set(const char* key, const std::string& value) const {
    return fsetxattr(Target(), key, value.data(), value.size(), 0, 0);
  }
  int Remove(const char* key) const { return fremovexattr(Target(), key, 0); }

 private:
  int Target() const { return opened_ ? entry_ : fd_; }
  bool opened_ = false;
  int entry_ = -1;
#else
  ssize_t List(char* target, size_t size) const {
    return path_.empty() ? flistxattr(fd_, target, size) : llistxattr(path_.c_str(), target, size);
  }
  ssize_t Get(const char* key, char* target, size_t size) const {
    return path_.empty() ? fgetxattr(fd_, key, target, size) : lgetxattr(path_.c_str(), key, target, size);
  }
  int Set(const char* key, const std::string& value) const {
    return path_.empty() ? fsetxattr(fd_, key, value.data(), value.size(), 0)
                         : lsetxattr(path_.c_str(), key, value.data(), value.size(), 0);
  }
  int Remove(const char* key) const {
    return path_.empty() ? fremovexattr(fd_, key) : lremovexattr(path_.c_str(), key);
  }

 private:
  std::string path_;
#endif
  int fd_;
};

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

// xattrs(fd, name | undefined): [key, value, key, value, …] as Buffers
Napi::Value Xattrs(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const int fd = arguments.Descriptor(0);
  const std::optional<std::string> name = arguments.OptionalName(1);
  const Holder holder(fd, name);
  const Napi::Array result = Napi::Array::New(info.Env());
  std::vector<char> keys;
  const int failure = ReadSized(&keys, [&](char* data, size_t size) { return holder.List(data, size); });
  if (failure == ENOTSUP) return result;
  if (failure != 0) Fail(info.Env(), failure, "listxattr", name);
  if (!keys.empty() && keys.back() != '\0') keys.push_back('\0');
  std::vector<char> value;
  uint32_t count = 0;
  for (size_t at = 0; at < keys.size(); at += strlen(keys.data() + at) + 1) {
    const char* key = keys.data() + at;
    const int refused = ReadSized(&value, [&](char* data, size_t size) { return holder.Get(key, data, size); });
    // Removed since it was listed, or listed for those who may not read it.
    if (refused == kNoSuchAttribute || refused == EPERM || refused == EACCES || refused == ENOTSUP) continue;
    if (refused != 0) Fail(info.Env(), refused, "getxattr", name);
    result.Set(count++, Napi::Buffer<char>::Copy(info.Env(), key, strlen(key)));
    result.Set(count++, Napi::Buffer<char>::Copy(info.Env(), value.data(), value.size()));
  }
  return result;
}

// setXattr(fd, name | undefined, key, value)
void SetXattr(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const int fd = arguments.Descriptor(0);
  const std::optional<std::string> name = arguments.OptionalName(1);
  const std::string key = arguments.Text(2);
  const std::string value = arguments.Bytes(3);
  const Holder holder(fd, name);
  if (Retry([&] { return holder.Set(key.c_str(), value); }) != 0) Fail(info.Env(), errno, "setxattr", name);
}

// removeXattr(fd, name | undefined, key)
void RemoveXattr(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const int fd = arguments.Descriptor(0);
  const std::optional<std::string> name = arguments.OptionalName(1);
  const std::string key = arguments.Text(2);
  const Holder holder(fd, name);
  if (Retry([&] { return holder.Remove(key.c_str()); }) != 0) Fail(info.Env(), errno, "removexattr", name);
}

}  // namespace

void AddXattrCalls(Napi::Env env, Napi::Object exports) {
  exports.Set("xattrs", Napi::Function::New<Xattrs>(env, "xattrs"));
  exports.Set("setXattr", Napi::Function::New<SetXattr>(env, "setXattr"));
  exports.Set("removeXattr", Napi::Function::New<RemoveXattr>(env, "removeXattr"));
}

}  // namespace afterimage
