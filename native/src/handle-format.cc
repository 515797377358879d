// The formats of file handles: see handle-format.h.
#include "handle-format.h"

#include <cstring>

namespace afterimage {
namespace {

constexpr int kAbsent = -1;

// Offsets are bytes; numbers are in host byte order. A handle with the parent's identity behind the
// inode's own differs in type and length only.
struct HandleFormat {
  int type;
  size_t length;
  int ino_low;
  int ino_high;  // kAbsent: inode numbers have 32 bits. Equal to ino_low: one number of 64 bits.
  int generation;
  int tree;
};

constexpr HandleFormat kFormats[] = {
    // FILEID_INO32_GEN, and with parent: ext4, xfs with small inode numbers, and whatever else uses
    // the kernel's generic encoding.
    {0x01, 8, 0, kAbsent, 4, kAbsent},
    {0x02, 16, 0, kAbsent, 4, kAbsent},
    // FILEID_INO64_GEN, and with parent: xfs; also what the kernel makes for file systems that can
    // name their inodes but not open them by name (AT_HANDLE_FID).
    {0x81, 12, 0, 0, 8, kAbsent},
    {0x82, 24, 0, 0, 8, kAbsent},
    // FILEID_BTRFS_WITHOUT_PARENT, _WITH_PARENT, _WITH_PARENT_ROOT.
    {0x4d, 20, 0, 0, 16, 8},
    {0x4e, 32, 0, 0, 16, 8},
    {0x4f, 40, 0, 0, 16, 8},
    // tmpfs: has the type of FILEID_INO32_GEN and a length of its own.
    {0x01, 12, 4, 8, 0, kAbsent},
};
constexpr int kFormatCount = sizeof(kFormats) / sizeof(kFormats[0]);

uint32_t Read32(const uint8_t* bytes, int offset) {
  uint32_t number;
  memcpy(&number, bytes + offset, sizeof(number));
  return number;
}

uint64_t Read64(const uint8_t* bytes, int offset) {
  uint64_t number;
  memcpy(&number, bytes + offset, sizeof(number));
  return number;
}

template <typename Number>
void Write(uint8_t* bytes, int offset, Number number) {
  memcpy(bytes + offset, &number, sizeof(number));
}

}  // namespace

int HandleFormatOf(int type, size_t length) {
  for (int index = 0; index < kFormatCount; index++) {
    if (kFormats[index].type == type && kFormats[index].length == length) return index;
  }
  return -1;
}

bool IsHandleFormat(uint32_t format) { return format < static_cast<uint32_t>(kFormatCount); }

NodeIdentity DecodeHandle(int format, const uint8_t* bytes) {
  const HandleFormat& row = kFormats[format];
  NodeIdentity identity;
  if (row.ino_high == row.ino_low) {
    identity.ino = Read64(bytes, row.ino_low);
  } else {
    identity.ino = Read32(bytes, row.ino_low);
    if (row.ino_high != kAbsent) identity.ino |= uint64_t{Read32(bytes, row.ino_high)} << 32;
  }
  identity.generation = Read32(bytes, row.generation);
  if (row.tree != kAbsent) identity.tree = Read64(bytes, row.tree);
  return identity;
}

bool EncodeHandle(int format, const NodeIdentity& identity, HandleBytes* handle) {
  const HandleFormat& row = kFormats[format];
  if (row.ino_high == kAbsent && identity.ino > UINT32_MAX) return false;
  if (row.tree == kAbsent && identity.tree != 0) return false;
  handle->type = row.type;
  handle->length = row.length;
  memset(handle->bytes, 0, row.length);
  if (row.ino_high == row.ino_low) {
    Write(handle->bytes, row.ino_low, identity.ino);
  } else {
    Write(handle->bytes, row.ino_low, static_cast<uint32_t>(identity.ino));
    if (row.ino_high != kAbsent) Write(handle->bytes, row.ino_high, static_cast<uint32_t>(identity.ino >> 32));
  }
  Write(handle->bytes, row.generation, identity.generation);
  if (row.tree != kAbsent) Write(handle->bytes, row.tree, identity.tree);
  return true;
}

}  // namespace afterimage
