// Inode flags by FS_IOC_GETFLAGS and FS_IOC_SETFLAGS, which take nothing but an open file or directory.
#include "file-flags.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/fs.h>
#include <sys/ioctl.h>
#endif

#include <cerrno>
#include <string>

#include "descriptor.h"
#include "system-error.h"

namespace afterimage {

#ifdef __linux__

namespace {

// Those that a person sets. The others say how a file system keeps a file (extents, an index, inline data), or cannot
// be set on a file that has content and mean nothing elsewhere (encryption, verity, case folding, DAX).
constexpr uint32_t kCarriedFlags = FS_SECRM_FL | FS_UNRM_FL | FS_COMPR_FL | FS_SYNC_FL | FS_IMMUTABLE_FL | FS_APPEND_FL |
                                   FS_NODUMP_FL | FS_NOATIME_FL | FS_NOCOMP_FL | FS_JOURNAL_DATA_FL | FS_NOTAIL_FL |
                                   FS_DIRSYNC_FL | FS_TOPDIR_FL | FS_NOCOW_FL;

bool HasNone(int failure) { return failure == ENOTTY || failure == EOPNOTSUPP || failure == ENOSYS || failure == EINVAL; }

// Opens a file or a directory for the calls; invalid with *failure 0 for every other kind. Looked at before it is
// opened, because opening a device already does something.
Descriptor OpenForFlags(int node, int* failure) {
  *failure = 0;
  struct stat found;
  if (fstat(node, &found) != 0) {
    *failure = errno;
    return Descriptor();
  }
  if (!S_ISREG(found.st_mode) && !S_ISDIR(found.st_mode)) return Descriptor();
  const std::string path = "/proc/self/fd/" + std::to_string(node);
  const int flags = O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
  int opened = Retry([&] { return open(path.c_str(), flags | O_NOATIME); });
  // Only the owner may leave the time of access alone.
  if (opened == -1 && errno == EPERM) opened = Retry([&] { return open(path.c_str(), flags); });
  if (opened == -1) *failure = errno;
  return Descriptor(opened);
}

// The flags that a stat tells of too, for what may not be opened: by a user who may not read it, or while another
// process has a lease on it.
int ReadStatFlags(int node, uint32_t* flags) {
  struct statx found;
  if (Retry([&] { return statx(node, "", AT_EMPTY_PATH, STATX_TYPE, &found); }) != 0) return errno == ENOSYS ? 0 : errno;
  if ((found.stx_attributes & STATX_ATTR_IMMUTABLE) != 0) *flags |= FS_IMMUTABLE_FL;
  if ((found.stx_attributes & STATX_ATTR_APPEND) != 0) *flags |= FS_APPEND_FL;
  if ((found.stx_attributes & STATX_ATTR_NODUMP) != 0) *flags |= FS_NODUMP_FL;
  if ((found.stx_attributes & STATX_ATTR_COMPRESSED) != 0) *flags |= FS_COMPR_FL;
  return 0;
}

}  // namespace

int ReadFlags(int node, uint32_t* flags) {
  *flags = 0;
  int failure = 0;
  const Descriptor opened = OpenForFlags(node, &failure);
  if (failure != 0) return ReadStatFlags(node, flags);
  if (!opened.valid()) return 0;
  int found = 0;
  if (Retry([&] { return ioctl(opened.get(), FS_IOC_GETFLAGS, &found); }) != 0) return HasNone(errno) ? 0 : errno;
  *flags = static_cast<uint32_t>(found) & kCarriedFlags;
  return 0;
}

int WriteFlags(int node, uint32_t flags) {
  if ((flags & ~kCarriedFlags) != 0) return EINVAL;
  int failure = 0;
  const Descriptor opened = OpenForFlags(node, &failure);
  if (!opened.valid()) return failure == 0 ? ENOTSUP : failure;
  int found = 0;
  if (Retry([&] { return ioctl(opened.get(), FS_IOC_GETFLAGS, &found); }) != 0) return HasNone(errno) ? ENOTSUP : errno;
  int wanted = static_cast<int>((static_cast<uint32_t>(found) & ~kCarriedFlags) | flags);
  if (wanted == found) return 0;
  if (Retry([&] { return ioctl(opened.get(), FS_IOC_SETFLAGS, &wanted); }) != 0) return errno == ENOTTY ? ENOTSUP : errno;
  // Some file systems pass over what they do not know.
  if (Retry([&] { return ioctl(opened.get(), FS_IOC_GETFLAGS, &found); }) != 0) return errno;
  return (static_cast<uint32_t>(found) & kCarriedFlags) == flags ? 0 : ENOTSUP;
}

#else

int ReadFlags(int, uint32_t* flags) {
  *flags = 0;
  return 0;
}

int WriteFlags(int, uint32_t) { return ENOTSUP; }

#endif

}  // namespace afterimage
