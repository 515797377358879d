// Closing, holes of open files, and making a whole file system durable. Reading and writing is Node's.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "arguments.h"
#include "calls.h"
#include "descriptor.h"
#include "system-error.h"
#include "task.h"

namespace afterimage {
namespace {

// Interrupted or not, the descriptor is gone: Linux and macOS both release it first.
int CloseOnce(int fd) { return close(fd) == 0 || errno == EINTR ? 0 : errno; }

// closeNow(fd). In worker threads node:fs warns about closing what it did not open itself.
void CloseNow(const Napi::CallbackInfo& info) {
  const int fd = Arguments(info).Descriptor(0);
  if (const int failure = CloseOnce(fd)) Fail(info.Env(), failure, "close");
}

class CloseTask : public Task {
 public:
  CloseTask(Napi::Env env, int fd) : Task(env, Descriptor(fd)) {}

 private:
  void Run() override {
    const int closing = fd();
    Release();
    if (const int failure = CloseOnce(closing)) FailWith(failure, "close");
  }
  Napi::Value Result(Napi::Env env) override { return env.Undefined(); }
};

// close(fd): Promise<void>. On the thread pool, since closing a file may have to write it out.
Napi::Value Close(const Napi::CallbackInfo& info) {
  const int fd = Arguments(info).Descriptor(0);
  return (new CloseTask(info.Env(), fd))->Start();
}

class PunchTask : public Task {
 public:
  PunchTask(Napi::Env env, Descriptor descriptor, int64_t offset, int64_t length)
      : Task(env, std::move(descriptor)), offset_(offset), length_(length) {}

 private:
  void Run() override {
#ifdef __APPLE__
    fpunchhole_t hole{};
    hole.fp_offset = offset_;
    hole.fp_length = length_;
    const int status = Retry([&] { return fcntl(fd(), F_PUNCHHOLE, &hole); });
    // EINVAL: the range is not aligned to blocks.
    const bool unsupported = status != 0 && (errno == ENOTSUP || errno == EINVAL);
#else
    const int status = Retry([&] { return fallocate(fd(), FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset_, length_); });
    const bool unsupported = status != 0 && (errno == EOPNOTSUPP || errno == ENOSYS);
#endif
    punched_ = status == 0;
    if (status != 0 && !unsupported) FailWith(errno, "fallocate");
  }
  Napi::Value Result(Napi::Env env) override { return Napi::Boolean::New(env, punched_); }

  const int64_t offset_;
  const int64_t length_;
  bool punched_ = false;
};

// punch(fd, offset, length): Promise<boolean>; false when the file system has no holes (or none there).
Napi::Value Punch(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const int fd = arguments.Descriptor(0);
  const int64_t offset = arguments.Offset(1);
  const int64_t length = arguments.Offset(2);
  Descriptor own = Descriptor::Duplicate(fd);
  if (!own.valid()) Fail(info.Env(), errno, "fcntl");
  return (new PunchTask(info.Env(), std::move(own), offset, length))->Start();
}

// nextData(fd, offset): [start, end] of the next run of data, or undefined when only a hole follows.
Napi::Value NextData(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const int fd = arguments.Descriptor(0);
  const int64_t offset = arguments.Offset(1);
  struct stat found;
  if (fstat(fd, &found) != 0) Fail(info.Env(), errno, "fstat");
  if (offset >= found.st_size) return info.Env().Undefined();
  off_t start = Retry([&] { return lseek(fd, offset, SEEK_DATA); });
  off_t end = found.st_size;
  if (start == -1) {
    if (errno == ENXIO) return info.Env().Undefined();
    // No knowledge of holes: everything may be data.
    if (errno != EINVAL && errno != ENOTSUP) Fail(info.Env(), errno, "lseek");
    start = offset;
  } else {
    const off_t hole = Retry([&] { return lseek(fd, start, SEEK_HOLE); });
    // ENXIO: the file was cut short in between; report up to its old end, the reader sees the new one.
    if (hole == -1 && errno != ENXIO) Fail(info.Env(), errno, "lseek");
    if (hole > start) end = hole;
  }
  if (end <= start) return info.Env().Undefined();
  const Napi::Array span = Napi::Array::New(info.Env(), 2);
  span.Set(0u, Napi::Number::New(info.Env(), static_cast<double>(start)));
  span.Set(1u, Napi::Number::New(info.Env(), static_cast<double>(end)));
  return span;
}

class SyncTask : public Task {
 public:
  using Task::Task;

 private:
  void Run() override {
#ifdef __APPLE__
    // sync() only starts writing; the full sync of any one file then waits for the drive's cache.
    sync();
    if (fcntl(fd(), F_FULLFSYNC) != 0 && fsync(fd()) != 0) FailWith(errno, "fsync");
#else
    if (syncfs(fd()) != 0) FailWith(errno, "syncfs");
#endif
  }
  Napi::Value Result(Napi::Env env) override { return env.Undefined(); }
};

// syncFileSystem(fd): Promise<void>
Napi::Value SyncFileSystem(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  Descriptor own = Descriptor::Duplicate(arguments.Descriptor(0));
  if (!own.valid()) Fail(info.Env(), errno, "fcntl");
  return (new SyncTask(info.Env(), std::move(own)))->Start();
}

}  // namespace

void AddFileCalls(Napi::Env env, Napi::Object exports) {
  exports.Set("close", Napi::Function::New<Close>(env, "close"));
  exports.Set("closeNow", Napi::Function::New<CloseNow>(env, "closeNow"));
  exports.Set("punch", Napi::Function::New<Punch>(env, "punch"));
  exports.Set("nextData", Napi::Function::New<NextData>(env, "nextData"));
  exports.Set("syncFileSystem", Napi::Function::New<SyncFileSystem>(env, "syncFileSystem"));
}

}  // namespace afterimage
