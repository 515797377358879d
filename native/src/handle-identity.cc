// Identities of inodes: see handle-identity.h.
#include "handle-identity.h"

#include <fcntl.h>

#include <cerrno>
#include <cstring>

#include "descriptor.h"
#include "system-error.h"

namespace afterimage {

#ifdef __linux__

namespace {

// Names an inode without a promise that it can be opened so (Linux 6.5); younger than many headers.
constexpr int kHandleFid = 0x200;

}  // namespace

int ReadIdentity(int fd, NodeIdentity* identity, int* format) {
  alignas(file_handle) char space[sizeof(file_handle) + kHandleBytesMax];
  auto* handle = reinterpret_cast<file_handle*>(space);
  int mount;
  handle->handle_bytes = kHandleBytesMax;
  if (name_to_handle_at(fd, "", handle, &mount, AT_EMPTY_PATH) != 0) {
    if (errno != EOPNOTSUPP) return errno;
    handle->handle_bytes = kHandleBytesMax;
    if (name_to_handle_at(fd, "", handle, &mount, AT_EMPTY_PATH | kHandleFid) != 0) {
      // Older kernels do not know the flag.
      return errno == EINVAL || errno == EOVERFLOW ? EOPNOTSUPP : errno;
    }
  }
  const int found = HandleFormatOf(handle->handle_type, handle->handle_bytes);
  if (found == -1) return EOPNOTSUPP;
  *identity = DecodeHandle(found, reinterpret_cast<const uint8_t*>(space + sizeof(file_handle)));
  if (format != nullptr) *format = found;
  return 0;
}

int ReadNode(int fd, const char* name, NodeRecord* record) {
  // Opened first: a name could be given to another inode between two calls that take it, and a freed
  // inode number is often used again at once. O_PATH opens anything and disturbs nothing.
  const Descriptor entry(name == nullptr ? -1 : Retry([&] { return openat(fd, name, O_PATH | O_NOFOLLOW | O_CLOEXEC); }));
  if (name != nullptr && !entry.valid()) return errno;
  const int node = name == nullptr ? fd : entry.get();
  if (const int failure = ReadStat(node, nullptr, &record->stat)) return failure;
  NodeIdentity identity;
  const int failure = ReadIdentity(node, &identity);
  if (failure != 0 && failure != EOPNOTSUPP) return failure;
  // Some file systems use these types for handles of another layout: their inode numbers come out wrong.
  const bool known = failure == 0 && identity.ino == record->stat.ino;
  record->tree = known ? identity.tree : 0;
  record->generation = known ? identity.generation : 0;
  record->known = known ? 1 : 0;
  return 0;
}

#else

int ReadIdentity(int, NodeIdentity*, int*) { return EOPNOTSUPP; }

int ReadNode(int fd, const char* name, NodeRecord* record) {
  record->tree = 0;
  record->generation = 0;
  record->known = 0;
  return ReadStat(fd, name, &record->stat);
}

#endif

}  // namespace afterimage
