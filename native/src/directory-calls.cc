// Opening, listing and changing the entries of a directory, each relative to an open directory.
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/sysmacros.h>
#endif
#ifdef __APPLE__
#include <sys/stdio.h>
#endif

#include <cstdio>
#include <cstring>
#include <memory>
#include <vector>

#include "arguments.h"
#include "calls.h"
#include "descriptor.h"
#include "handle-identity.h"
#include "stat-record.h"
#include "system-error.h"
#include "task.h"

namespace afterimage {
namespace {

constexpr int kOpenDirectory = O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOCTTY;

// Reading for a backup should not show in access times; only a file's owner may ask for that.
int OpenQuietly(int fd, const char* name, int flags) {
#ifdef O_NOATIME
  const int quiet = Retry([&] { return openat(fd, name, flags | O_NOATIME); });
  if (quiet != -1 || errno != EPERM) return quiet;
#endif
  return Retry([&] { return openat(fd, name, flags); });
}

// openRoot(path): number. Follows symbolic links: this is the way into a tree.
Napi::Value OpenRoot(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const std::string path = arguments.Text(0);
  const int fd = OpenQuietly(AT_FDCWD, path.c_str(), kOpenDirectory);
  if (fd == -1) Fail(info.Env(), errno, "open", path);
  return Napi::Number::New(info.Env(), fd);
}

// openDirectory(fd, name): number
Napi::Value OpenDirectory(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const int parent = arguments.Descriptor(0);
  const std::string name = arguments.Name(1);
  const int fd = OpenQuietly(parent, name.c_str(), kOpenDirectory | O_NOFOLLOW);
  if (fd == -1) Fail(info.Env(), errno, "openat", name);
  return Napi::Number::New(info.Env(), fd);
}

int RegularOnly(mode_t mode) {
  if (S_ISREG(mode)) return 0;
  return S_ISLNK(mode) ? ELOOP : EINVAL;
}

// openFile(fd, name, forWriting): number. Regular files only.
Napi::Value OpenFile(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const int parent = arguments.Descriptor(0);
  const std::string name = arguments.Name(1);
  const bool for_writing = arguments.Flag(2);

  struct stat found;
  // Looked at before it is opened, because opening some devices already does something.
  if (Retry([&] { return fstatat(parent, name.c_str(), &found, AT_SYMLINK_NOFOLLOW); }) != 0) {
    Fail(info.Env(), errno, "openat", name);
  }
  if (const int refusal = RegularOnly(found.st_mode)) Fail(info.Env(), refusal, "openat", name);

  const int flags = O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  Descriptor file(for_writing ? Retry([&] { return openat(parent, name.c_str(), O_RDWR | flags); })
                              : OpenQuietly(parent, name.c_str(), O_RDONLY | flags));
  if (!file.valid()) Fail(info.Env(), errno, "openat", name);
  // And looked at again: the entry may have been replaced in between.
  if (Retry([&] { return fstat(file.get(), &found); }) != 0) Fail(info.Env(), errno, "fstat", name);
  if (const int refusal = RegularOnly(found.st_mode)) Fail(info.Env(), refusal, "openat", name);
  const Napi::Value result = Napi::Number::New(info.Env(), file.get());
  file.Release();
  return result;
}

// createFile(fd, name): number
Napi::Value CreateFile(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const int parent = arguments.Descriptor(0);
  const std::string name = arguments.Name(1);
  const int flags = O_CREAT | O_EXCL | O_RDWR | O_NOFOLLOW | O_CLOEXEC | O_NOCTTY;
  const int fd = Retry([&] { return openat(parent, name.c_str(), flags, 0600); });
  if (fd == -1) Fail(info.Env(), errno, "openat", name);
  return Napi::Number::New(info.Env(), fd);
}

// What goes before each name: StatRecord for list, NodeRecord for listNodes.
int ReadListed(int fd, const char* name, StatRecord* record) { return ReadStat(fd, name, record); }
int ReadListed(int fd, const char* name, NodeRecord* record) { return ReadNode(fd, name, record); }

template <typename Record>
class ListTask : public Task {
 public:
  using Task::Task;

 private:
  void Run() override {
    DIR* stream = fdopendir(fd());
    if (stream == nullptr) return FailWith(errno, "fdopendir");
    // The stream owns the descriptor from here on.
    Release();
    const std::unique_ptr<DIR, int (*)(DIR*)> closer(stream, closedir);
    const int directory = dirfd(stream);
    for (;;) {
      errno = 0;
      const dirent* entry = readdir(stream);
      if (entry == nullptr) {
        if (errno != 0) FailWith(errno, "getdents");
        return;
      }
      const char* name = entry->d_name;
      if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) continue;
      ListedHeader<Record> header{};
      const int failure = ReadListed(directory, name, &header.record);
      if (failure == ENOENT) continue;  // removed since it was read
      if (failure != 0) return FailWith(failure, "statx", std::string(name));
      const size_t length = strlen(name);
      header.name_length = static_cast<uint32_t>(length);
      const size_t start = packed_.size();
      packed_.resize(start + sizeof(header) + ((length + 7) & ~size_t{7}));
      memcpy(packed_.data() + start, &header, sizeof(header));
      memcpy(packed_.data() + start + sizeof(header), name, length);
    }
  }

  Napi::Value Result(Napi::Env env) override {
    // A buffer over no memory would count as detached.
    if (packed_.empty()) return Napi::Buffer<uint8_t>::New(env, 0);
    auto* keep = new std::vector<uint8_t>(std::move(packed_));
    return Napi::Buffer<uint8_t>::NewOrCopy(
        env, keep->data(), keep->size(), [](Napi::Env, uint8_t*, std::vector<uint8_t>* held) { delete held; }, keep);
  }

  std::vector<uint8_t> packed_;
};

// list(fd), listNodes(fd): Promise<Buffer> of ListedHeader and name, one after the other.
template <typename Record>
Napi::Value List(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const int fd = arguments.Descriptor(0);
  // Opened anew, not duplicated: duplicates share the position in the directory.
  Descriptor own(OpenQuietly(fd, ".", kOpenDirectory));
  if (!own.valid()) Fail(info.Env(), errno, "openat");
  return (new ListTask<Record>(info.Env(), std::move(own)))->Start();
}

// makeDirectory(fd, name)
void MakeDirectory(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const int fd = arguments.Descriptor(0);
  const std::string name = arguments.Name(1);
  if (Retry([&] { return mkdirat(fd, name.c_str(), 0700); }) != 0) Fail(info.Env(), errno, "mkdirat", name);
}

// makeSymlink(fd, name, target)
void MakeSymlink(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const int fd = arguments.Descriptor(0);
  const std::string name = arguments.Name(1);
  const std::string target = arguments.Text(2);
  if (Retry([&] { return symlinkat(target.c_str(), fd, name.c_str()); }) != 0) {
    Fail(info.Env(), errno, "symlinkat", name);
  }
}

// readSymlink(fd, name): Buffer
Napi::Value ReadSymlink(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const int fd = arguments.Descriptor(0);
  const std::string name = arguments.Name(1);
  std::vector<char> target(4096);
  for (;;) {
    const ssize_t length = Retry([&] { return readlinkat(fd, name.c_str(), target.data(), target.size()); });
    if (length == -1) Fail(info.Env(), errno, "readlinkat", name);
    // A full buffer may hold a cut-off target.
    if (static_cast<size_t>(length) < target.size()) {
      return Napi::Buffer<char>::Copy(info.Env(), target.data(), static_cast<size_t>(length));
    }
    if (target.size() >= (size_t{1} << 20)) Fail(info.Env(), ENAMETOOLONG, "readlinkat", name);
    target.resize(target.size() * 2);
  }
}

// makeNode(fd, name, type, major, minor); type holds the S_IFMT bits.
void MakeNode(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const int fd = arguments.Descriptor(0);
  const std::string name = arguments.Name(1);
  const mode_t type = static_cast<mode_t>(arguments.Unsigned(2));
  const uint32_t device_major = arguments.Unsigned(3);
  const uint32_t device_minor = arguments.Unsigned(4);
  if (!S_ISFIFO(type) && !S_ISSOCK(type) && !S_ISBLK(type) && !S_ISCHR(type)) Fail(info.Env(), EINVAL, "mknodat", name);
  // Others get no access until the caller has set owner and mode.
  const mode_t mode = (type & S_IFMT) | 0600;
  int status = -1;
#ifdef __APPLE__
  if (S_ISSOCK(type)) Fail(info.Env(), ENOTSUP, "mknodat", name);
  errno = ENOTSUP;
  if (__builtin_available(macOS 13.0, *)) {
    status = S_ISFIFO(type) ? mkfifoat(fd, name.c_str(), mode & 07777)
                            : mknodat(fd, name.c_str(), mode, makedev(device_major, device_minor));
  }
#else
  const dev_t device = S_ISBLK(type) || S_ISCHR(type) ? makedev(device_major, device_minor) : 0;
  status = Retry([&] { return mknodat(fd, name.c_str(), mode, device); });
#endif
  if (status != 0) Fail(info.Env(), errno, "mknodat", name);
}

// link(fd, name, targetFd, targetName)
void Link(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const int fd = arguments.Descriptor(0);
  const std::string name = arguments.Name(1);
  const int target_fd = arguments.Descriptor(2);
  const std::string target_name = arguments.Name(3);
  // Without AT_SYMLINK_FOLLOW a symbolic link gets the further name itself.
  if (Retry([&] { return linkat(fd, name.c_str(), target_fd, target_name.c_str(), 0); }) != 0) {
    Fail(info.Env(), errno, "linkat", name);
  }
}

// rename(fd, name, targetFd, targetName, exchange)
void Rename(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const int fd = arguments.Descriptor(0);
  const std::string name = arguments.Name(1);
  const int target_fd = arguments.Descriptor(2);
  const std::string target_name = arguments.Name(3);
  const bool exchange = arguments.Flag(4);
  if (!exchange) {
    if (Retry([&] { return renameat(fd, name.c_str(), target_fd, target_name.c_str()); }) != 0) {
      Fail(info.Env(), errno, "renameat", name);
    }
    return;
  }
#ifdef __APPLE__
  const int status = Retry([&] { return renameatx_np(fd, name.c_str(), target_fd, target_name.c_str(), RENAME_SWAP); });
#else
  const int status =
      Retry([&] { return renameat2(fd, name.c_str(), target_fd, target_name.c_str(), RENAME_EXCHANGE); });
#endif
  if (status == 0) return;
  Fail(info.Env(), errno == ENOSYS ? ENOTSUP : errno, "renameat2", name);
}

// unlink(fd, name, isDirectory)
void Unlink(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const int fd = arguments.Descriptor(0);
  const std::string name = arguments.Name(1);
  const int flags = arguments.Flag(2) ? AT_REMOVEDIR : 0;
  if (Retry([&] { return unlinkat(fd, name.c_str(), flags); }) != 0) Fail(info.Env(), errno, "unlinkat", name);
}

}  // namespace

void AddDirectoryCalls(Napi::Env env, Napi::Object exports) {
  exports.Set("openRoot", Napi::Function::New<OpenRoot>(env, "openRoot"));
  exports.Set("openDirectory", Napi::Function::New<OpenDirectory>(env, "openDirectory"));
  exports.Set("openFile", Napi::Function::New<OpenFile>(env, "openFile"));
  exports.Set("createFile", Napi::Function::New<CreateFile>(env, "createFile"));
  exports.Set("list", Napi::Function::New<List<StatRecord>>(env, "list"));
  exports.Set("listNodes", Napi::Function::New<List<NodeRecord>>(env, "listNodes"));
  exports.Set("makeDirectory", Napi::Function::New<MakeDirectory>(env, "makeDirectory"));
  exports.Set("makeSymlink", Napi::Function::New<MakeSymlink>(env, "makeSymlink"));
  exports.Set("readSymlink", Napi::Function::New<ReadSymlink>(env, "readSymlink"));
  exports.Set("makeNode", Napi::Function::New<MakeNode>(env, "makeNode"));
  exports.Set("link", Napi::Function::New<Link>(env, "link"));
  exports.Set("rename", Napi::Function::New<Rename>(env, "rename"));
  exports.Set("unlink", Napi::Function::New<Unlink>(env, "unlink"));
}

}  // namespace afterimage
