// Inode flags (chattr), which stand beside extended attributes: which are carried, and how they are read and set.
#pragma once

#include <cstdint>

namespace afterimage {

// Their key. No attribute of Linux can have it: names there begin with a namespace. The value is four bytes,
// little-endian, of FS_*_FL bits of linux/fs.h (proto/wire/change.proto).
constexpr char kFlagsKey[] = "afterimage.flags";

// The carried flags of what `node` is open on, which may be as O_PATH; 0 where the kind of entry, the file system or the
// platform has none. Returns 0, or an errno.
int ReadFlags(int node, uint32_t* flags);

// Sets the carried ones among the flags to `flags`, and leaves the others as they are. Returns 0, or an errno: ENOTSUP
// where they cannot be as asked for, EINVAL for what is not carried.
int WriteFlags(int node, uint32_t flags);

}  // namespace afterimage
