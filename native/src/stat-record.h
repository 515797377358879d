// The fixed-size form in which lstat results cross into JavaScript (decoded in host/stat-record.ts).
#pragma once

#include <cstdint>

namespace afterimage {

// Host byte order. Changing this changes kInterfaceVersion in addon.cc and host/stat-record.ts.
struct StatRecord {
  uint64_t dev;
  uint64_t ino;
  int64_t birth_ns;
  int64_t access_ns;
  int64_t modify_ns;
  int64_t change_ns;
  uint64_t size;
  uint64_t allocated_bytes;
  uint32_t mode;
  uint32_t uid;
  uint32_t gid;
  uint32_t link_count;
  uint32_t device_major;
  uint32_t device_minor;
  // 1 where the file system lets nobody change the entry, or only append to it, whatever its mode; else 0.
  uint32_t locked;
  uint32_t reserved;
};
static_assert(sizeof(StatRecord) == 96, "host/stat-record.ts decodes 96 bytes");

// What a listing puts before each name; the name follows, padded to 8 bytes.
template <typename Record>
struct ListedHeader {
  Record record;
  uint32_t name_length;
  uint32_t reserved;
};
static_assert(sizeof(ListedHeader<StatRecord>) == 104, "host/stat-record.ts decodes 104 bytes");

// lstat of `name` in `fd`, or of `fd` itself when `name` is null. 0, or an errno.
int ReadStat(int fd, const char* name, StatRecord* record);

}  // namespace afterimage
