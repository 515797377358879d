// How file systems write an inode's identity into a file handle: one table, read in both directions.
#pragma once

#include <cstddef>
#include <cstdint>

namespace afterimage {

// What the kernel's inode has as i_ino and i_generation. `tree` is the root objectid of the subvolume
// on btrfs, whose inode numbers count anew in each, and 0 elsewhere.
struct NodeIdentity {
  uint64_t ino = 0;
  uint64_t tree = 0;
  uint32_t generation = 0;

  bool operator==(const NodeIdentity& other) const {
    return ino == other.ino && tree == other.tree && generation == other.generation;
  }
  bool operator!=(const NodeIdentity& other) const { return !(*this == other); }
};

// The kernel's MAX_HANDLE_SZ.
constexpr size_t kHandleBytesMax = 128;

struct HandleBytes {
  int type = 0;
  size_t length = 0;
  alignas(8) uint8_t bytes[kHandleBytesMax];
};

// A row of the table, by which handles of this type and length are read and written; -1 when unknown.
int HandleFormatOf(int type, size_t length);
// Whether there is such a row.
bool IsHandleFormat(uint32_t format);
// Reads `length` bytes that HandleFormatOf found to be of a known format.
NodeIdentity DecodeHandle(int format, const uint8_t* bytes);
// False when the identity does not fit in this format.
bool EncodeHandle(int format, const NodeIdentity& identity, HandleBytes* handle);

}  // namespace afterimage
