// Fills stat records: statx where there is one (for the birth time), fstatat elsewhere.
#include "stat-record.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#ifdef __linux__
#include <sys/sysmacros.h>
#endif

#include <atomic>
#include <cerrno>
#include <cstring>

#include "system-error.h"

namespace afterimage {
namespace {

// Instants that 64 bits of nanoseconds cannot hold (before 1678, after 2261) become the nearest one.
int64_t Nanoseconds(int64_t seconds, int64_t nanoseconds) {
  int64_t result;
  if (__builtin_mul_overflow(seconds, int64_t{1000000000}, &result) ||
      __builtin_add_overflow(result, nanoseconds, &result)) {
    return seconds < 0 ? INT64_MIN : INT64_MAX;
  }
  return result;
}

int ReadPlainStat(int fd, const char* name, StatRecord* record) {
  struct stat found;
  const int status = Retry([&] {
    return name == nullptr ? fstat(fd, &found) : fstatat(fd, name, &found, AT_SYMLINK_NOFOLLOW);
  });
  if (status != 0) return errno;
  record->dev = found.st_dev;
  record->ino = found.st_ino;
#ifdef __APPLE__
  record->birth_ns = Nanoseconds(found.st_birthtimespec.tv_sec, found.st_birthtimespec.tv_nsec);
  record->access_ns = Nanoseconds(found.st_atimespec.tv_sec, found.st_atimespec.tv_nsec);
  record->modify_ns = Nanoseconds(found.st_mtimespec.tv_sec, found.st_mtimespec.tv_nsec);
  record->change_ns = Nanoseconds(found.st_ctimespec.tv_sec, found.st_ctimespec.tv_nsec);
#else
  record->birth_ns = 0;
  record->access_ns = Nanoseconds(found.st_atim.tv_sec, found.st_atim.tv_nsec);
  record->modify_ns = Nanoseconds(found.st_mtim.tv_sec, found.st_mtim.tv_nsec);
  record->change_ns = Nanoseconds(found.st_ctim.tv_sec, found.st_ctim.tv_nsec);
#endif
  record->size = static_cast<uint64_t>(found.st_size);
  record->allocated_bytes = static_cast<uint64_t>(found.st_blocks) * 512;
  record->mode = found.st_mode;
  record->uid = found.st_uid;
  record->gid = found.st_gid;
  record->link_count = static_cast<uint32_t>(found.st_nlink);
  const bool device = S_ISBLK(found.st_mode) || S_ISCHR(found.st_mode);
  record->device_major = device ? static_cast<uint32_t>(major(found.st_rdev)) : 0;
  record->device_minor = device ? static_cast<uint32_t>(minor(found.st_rdev)) : 0;
  record->locked = 0;
  record->reserved = 0;
  return 0;
}

}  // namespace

#ifdef __linux__

int ReadStat(int fd, const char* name, StatRecord* record) {
  // Several threads may find out at once; they all find the same.
  static std::atomic<bool> have_statx{true};
  if (!have_statx.load(std::memory_order_relaxed)) return ReadPlainStat(fd, name, record);

  struct statx found;
  // Looking at an automount point must not mount it.
  const int flags = AT_SYMLINK_NOFOLLOW | AT_NO_AUTOMOUNT | (name == nullptr ? AT_EMPTY_PATH : 0);
  const int status = Retry([&] {
    return statx(fd, name == nullptr ? "" : name, flags, STATX_BASIC_STATS | STATX_BTIME, &found);
  });
  if (status != 0) {
    // Kernels before 4.11 say ENOSYS, system call filters that do not know statx say EPERM.
    if (errno != ENOSYS && errno != EPERM) return errno;
    have_statx.store(false, std::memory_order_relaxed);
    return ReadPlainStat(fd, name, record);
  }
  record->dev = makedev(found.stx_dev_major, found.stx_dev_minor);
  record->ino = found.stx_ino;
  record->birth_ns =
      (found.stx_mask & STATX_BTIME) != 0 ? Nanoseconds(found.stx_btime.tv_sec, found.stx_btime.tv_nsec) : 0;
  record->access_ns = Nanoseconds(found.stx_atime.tv_sec, found.stx_atime.tv_nsec);
  record->modify_ns = Nanoseconds(found.stx_mtime.tv_sec, found.stx_mtime.tv_nsec);
  record->change_ns = Nanoseconds(found.stx_ctime.tv_sec, found.stx_ctime.tv_nsec);
  record->size = found.stx_size;
  record->allocated_bytes = found.stx_blocks * 512;
  record->mode = found.stx_mode;
  record->uid = found.stx_uid;
  record->gid = found.stx_gid;
  record->link_count = found.stx_nlink;
  const bool device = S_ISBLK(found.stx_mode) || S_ISCHR(found.stx_mode);
  record->device_major = device ? found.stx_rdev_major : 0;
  record->device_minor = device ? found.stx_rdev_minor : 0;
  record->locked = (found.stx_attributes & (STATX_ATTR_IMMUTABLE | STATX_ATTR_APPEND)) != 0 ? 1 : 0;
  record->reserved = 0;
  return 0;
}

#else

int ReadStat(int fd, const char* name, StatRecord* record) { return ReadPlainStat(fd, name, record); }

#endif

}  // namespace afterimage
