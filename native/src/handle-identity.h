// Asks the kernel who an inode is: its identity by file handle, alone or together with its stat.
#pragma once

#include <cstdint>

#include "handle-format.h"
#include "stat-record.h"

namespace afterimage {

// Host byte order. Changing this changes kInterfaceVersion in addon.cc and host/stat-record.ts.
struct NodeRecord {
  StatRecord stat;
  uint64_t tree;
  uint32_t generation;
  uint32_t known;  // 1 where the identity could be read, 0 where this file system's handles are unknown.
};
static_assert(sizeof(NodeRecord) == 112, "host/stat-record.ts decodes 112 bytes");

// Identity of what `fd` is open on, and the format of its handle when `format` is not null. 0, or an
// errno: EOPNOTSUPP where the file system has no handles or has them in an unknown format.
int ReadIdentity(int fd, NodeIdentity* identity, int* format = nullptr);

// lstat and identity of `name` in `fd`, or of `fd` itself when `name` is null: both of the same inode,
// whatever happens to the name meanwhile. 0, or an errno.
int ReadNode(int fd, const char* name, NodeRecord* record);

}  // namespace afterimage
