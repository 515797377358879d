// Reading and setting owner, mode and times of an entry, or of the open directory itself.
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstring>

#include "arguments.h"
#include "calls.h"
#include "descriptor.h"
#include "stat-record.h"
#include "system-error.h"

namespace afterimage {
namespace {

// stat(fd, name | undefined, target): boolean. False when there is no such entry.
Napi::Value Stat(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const int fd = arguments.Descriptor(0);
  const std::optional<std::string> name = arguments.OptionalName(1);
  uint8_t* target = arguments.Target(2, sizeof(StatRecord));
  StatRecord record{};
  const int failure = ReadStat(fd, name ? name->c_str() : nullptr, &record);
  if (failure == ENOENT && name) return Napi::Boolean::New(info.Env(), false);
  if (failure != 0) Fail(info.Env(), failure, "statx", name);
  memcpy(target, &record, sizeof(record));
  return Napi::Boolean::New(info.Env(), true);
}

// setOwner(fd, name | undefined, uid, gid); 2^32 - 1 leaves one as it is.
void SetOwner(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const int fd = arguments.Descriptor(0);
  const std::optional<std::string> name = arguments.OptionalName(1);
  const uid_t uid = static_cast<uid_t>(arguments.Unsigned(2));
  const gid_t gid = static_cast<gid_t>(arguments.Unsigned(3));
  const int status = Retry([&] {
    return name ? fchownat(fd, name->c_str(), uid, gid, AT_SYMLINK_NOFOLLOW) : fchown(fd, uid, gid);
  });
  if (status != 0) Fail(info.Env(), errno, "fchownat", name);
}

#ifdef __linux__

// chmod that never follows. Linux lacks the flag before 6.6, but a descriptor that only names the
// entry (O_PATH) can be addressed through /proc. The mode of a symbolic link means nothing there.
int ChangeMode(int fd, const char* name, mode_t mode) {
  const Descriptor entry(Retry([&] { return openat(fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC); }));
  if (!entry.valid()) return errno;
  struct stat found;
  if (fstat(entry.get(), &found) != 0) return errno;
  if (S_ISLNK(found.st_mode)) return 0;
  const std::string path = "/proc/self/fd/" + std::to_string(entry.get());
  if (Retry([&] { return chmod(path.c_str(), mode); }) == 0) return 0;
  // The descriptor exists, so it is /proc that does not.
  return errno == ENOENT ? ENOTSUP : errno;
}

#else

int ChangeMode(int fd, const char* name, mode_t mode) {
  return Retry([&] { return fchmodat(fd, name, mode, AT_SYMLINK_NOFOLLOW); }) == 0 ? 0 : errno;
}

#endif

// setMode(fd, name | undefined, mode)
void SetMode(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const int fd = arguments.Descriptor(0);
  const std::optional<std::string> name = arguments.OptionalName(1);
  const mode_t mode = static_cast<mode_t>(arguments.Unsigned(2));
  if ((mode & ~mode_t{07777}) != 0) Fail(info.Env(), EINVAL, "fchmodat", name);
  const int failure =
      name ? ChangeMode(fd, name->c_str(), mode) : (Retry([&] { return fchmod(fd, mode); }) == 0 ? 0 : errno);
  if (failure != 0) Fail(info.Env(), failure, "fchmodat", name);
}

timespec ToTimespec(const std::optional<int64_t>& nanoseconds) {
  timespec result{};
  if (!nanoseconds) {
    result.tv_nsec = UTIME_OMIT;
    return result;
  }
  int64_t seconds = *nanoseconds / 1000000000;
  int64_t rest = *nanoseconds % 1000000000;
  if (rest < 0) {  // before 1970: the nanoseconds still count upwards
    rest += 1000000000;
    seconds -= 1;
  }
  result.tv_sec = static_cast<time_t>(seconds);
  result.tv_nsec = static_cast<long>(rest);
  return result;
}

// setTimes(fd, name | undefined, accessNs | undefined, modifyNs | undefined)
void SetTimes(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const int fd = arguments.Descriptor(0);
  const std::optional<std::string> name = arguments.OptionalName(1);
  const timespec times[2] = {ToTimespec(arguments.OptionalInteger(2)), ToTimespec(arguments.OptionalInteger(3))};
  const int status = Retry([&] {
    return name ? utimensat(fd, name->c_str(), times, AT_SYMLINK_NOFOLLOW) : futimens(fd, times);
  });
  if (status != 0) Fail(info.Env(), errno, "utimensat", name);
}

}  // namespace

void AddMetadataCalls(Napi::Env env, Napi::Object exports) {
  exports.Set("stat", Napi::Function::New<Stat>(env, "stat"));
  exports.Set("setOwner", Napi::Function::New<SetOwner>(env, "setOwner"));
  exports.Set("setMode", Napi::Function::New<SetMode>(env, "setMode"));
  exports.Set("setTimes", Napi::Function::New<SetTimes>(env, "setTimes"));
}

}  // namespace afterimage
