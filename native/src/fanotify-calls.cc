// fanotify: marks on whole file systems, and their events in a packed form with decoded handles. Only
// Linux has it; elsewhere these calls fail with ENOSYS.
#ifdef __linux__
#include <linux/fanotify.h>
#include <sys/fanotify.h>
#include <sys/vfs.h>
#endif
#include <fcntl.h>
#include <unistd.h>

#include <cstring>

#include "arguments.h"
#include "calls.h"
#include "handle-format.h"
#include "system-error.h"

namespace afterimage {
namespace {

#ifdef __linux__

// Most of FAN_EVENT_INFO_TYPE_*: some are younger than many headers.
constexpr uint8_t kInfoFid = 1;
constexpr uint8_t kInfoDirectoryName = 2;
constexpr uint8_t kInfoDirectory = 3;
constexpr uint8_t kInfoOldName = 10;
constexpr uint8_t kInfoNewName = 12;

// Host byte order; decoded in capture/names.ts. Changing this changes kInterfaceVersion in addon.cc.
// The header is followed by a PackedKey for each kHas bit in ascending order, then the name and the
// name after a rename, then padding to 8 bytes.
struct PackedEvent {
  uint32_t length;
  uint32_t mask;
  int32_t tid;
  uint16_t present;
  uint16_t name_length;
  uint64_t file_system;
  uint16_t to_name_length;
  uint16_t reserved[3];
};
static_assert(sizeof(PackedEvent) == 32, "capture/names.ts decodes 32 bytes");

struct PackedKey {
  uint64_t ino;
  uint64_t tree;
  uint32_t generation;
  uint32_t reserved;
};
static_assert(sizeof(PackedKey) == 24, "capture/names.ts decodes 24 bytes");

constexpr uint16_t kHasDirectory = 1;
constexpr uint16_t kHasToDirectory = 2;
constexpr uint16_t kHasTarget = 4;
constexpr uint16_t kHasName = 8;
constexpr uint16_t kHasToName = 16;

// One reading. On the stack: the addon keeps no state, and copies out what it makes of this.
constexpr size_t kReadBytes = 64 * 1024;
// An event never grows: each key took at least 28 bytes and each name one more than its length. Only
// the header and the padding may be longer than what they replace.
constexpr size_t kPackedBytes = kReadBytes * 2;

template <typename Struct>
Struct ReadStruct(const uint8_t* at) {
  Struct read;
  memcpy(&read, at, sizeof(read));
  return read;
}

PackedKey PackKey(const NodeIdentity& identity) {
  return PackedKey{identity.ino, identity.tree, identity.generation, 0};
}

// What the information records of one event say. Names point into the event.
struct Parsed {
  PackedEvent event{};
  PackedKey directory{};
  PackedKey to_directory{};
  PackedKey target{};
  const uint8_t* name = nullptr;
  const uint8_t* to_name = nullptr;
};

// False when the record does not keep to its bounds. `at` has `length` bytes, at least a header's.
bool ParseInfo(uint8_t type, const uint8_t* at, size_t length, Parsed* parsed) {
  // Records that this program did not ask for may come with a newer kernel.
  if (type != kInfoFid && type != kInfoDirectoryName && type != kInfoDirectory && type != kInfoOldName &&
      type != kInfoNewName) {
    return true;
  }
  // Header, file system id, then struct file_handle: length, type, bytes.
  constexpr size_t kFileSystemAt = sizeof(fanotify_event_info_header);
  constexpr size_t kHandleAt = kFileSystemAt + 8;
  constexpr size_t kBytesAt = kHandleAt + 8;
  if (length < kBytesAt) return false;
  const uint32_t handle_length = ReadStruct<uint32_t>(at + kHandleAt);
  const int32_t handle_type = ReadStruct<int32_t>(at + kHandleAt + 4);
  if (handle_length > kHandleBytesMax || handle_length > length - kBytesAt) return false;
  parsed->event.file_system = ReadStruct<uint64_t>(at + kFileSystemAt);

  uint16_t has = 0;
  PackedKey key{};
  // A handle of an unknown format leaves its field out. So does one without bytes, which the kernel
  // gives where there is no inode to name.
  const int format = HandleFormatOf(handle_type, handle_length);
  if (format != -1) key = PackKey(DecodeHandle(format, at + kBytesAt));

  const uint8_t* name = at + kBytesAt + handle_length;
  const size_t room = length - kBytesAt - handle_length;
  switch (type) {
    case kInfoFid:
      parsed->target = key;
      has = kHasTarget;
      break;
    case kInfoNewName:
      parsed->to_directory = key;
      has = kHasToDirectory;
      break;
    default:
      parsed->directory = key;
      has = kHasDirectory;
  }
  if (format != -1) parsed->event.present |= has;
  if (type == kInfoFid || type == kInfoDirectory) return true;
  const void* end = memchr(name, '\0', room);
  if (end == nullptr) return false;
  const size_t name_length = static_cast<size_t>(static_cast<const uint8_t*>(end) - name);
  if (name_length > UINT16_MAX) return false;
  if (type == kInfoNewName) {
    parsed->to_name = name;
    parsed->event.to_name_length = static_cast<uint16_t>(name_length);
    parsed->event.present |= kHasToName;
  } else {
    parsed->name = name;
    parsed->event.name_length = static_cast<uint16_t>(name_length);
    parsed->event.present |= kHasName;
  }
  return true;
}

// `at` has `length` bytes, at least as many as its metadata. False when it does not keep to its bounds.
bool ParseEvent(const uint8_t* at, size_t length, Parsed* parsed) {
  const auto metadata = ReadStruct<fanotify_event_metadata>(at);
  if (metadata.vers != FANOTIFY_METADATA_VERSION || metadata.metadata_len < sizeof(metadata)) return false;
  if (metadata.metadata_len > length) return false;
  parsed->event.mask = static_cast<uint32_t>(metadata.mask);
  parsed->event.tid = metadata.pid;
  for (size_t offset = metadata.metadata_len; offset < length;) {
    if (length - offset < sizeof(fanotify_event_info_header)) return false;
    const auto header = ReadStruct<fanotify_event_info_header>(at + offset);
    if (header.len < sizeof(header) || header.len > length - offset) return false;
    if (!ParseInfo(header.info_type, at + offset, header.len, parsed)) return false;
    offset += header.len;
  }
  return true;
}

uint8_t* Append(uint8_t* to, const void* from, size_t length) {
  // No name has no address either.
  if (length > 0) memcpy(to, from, length);
  return to + length;
}

size_t PackedLength(const PackedEvent& event) {
  size_t keys = 0;
  for (const uint16_t has : {kHasDirectory, kHasToDirectory, kHasTarget}) keys += (event.present & has) != 0 ? 1 : 0;
  const size_t names = size_t{event.name_length} + event.to_name_length;
  return sizeof(PackedEvent) + keys * sizeof(PackedKey) + ((names + 7) & ~size_t{7});
}

uint8_t* Pack(const Parsed& parsed, size_t length, uint8_t* to) {
  uint8_t* const end = to + length;
  PackedEvent event = parsed.event;
  event.length = static_cast<uint32_t>(length);
  to = Append(to, &event, sizeof(event));
  if ((event.present & kHasDirectory) != 0) to = Append(to, &parsed.directory, sizeof(PackedKey));
  if ((event.present & kHasToDirectory) != 0) to = Append(to, &parsed.to_directory, sizeof(PackedKey));
  if ((event.present & kHasTarget) != 0) to = Append(to, &parsed.target, sizeof(PackedKey));
  to = Append(to, parsed.name, event.name_length);
  to = Append(to, parsed.to_name, event.to_name_length);
  memset(to, 0, static_cast<size_t>(end - to));
  return end;
}

// fanotifyInit(flags, eventFlags): number
Napi::Value FanotifyInit(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const uint32_t flags = arguments.Unsigned(0);
  const uint32_t event_flags = arguments.Unsigned(1);
  const int fd = Retry([&] { return fanotify_init(flags, event_flags); });
  if (fd == -1) Fail(info.Env(), errno, "fanotify_init");
  return Napi::Number::New(info.Env(), fd);
}

// fanotifyMark(fd, flags, mask, directory): marks what the directory descriptor is open on.
void FanotifyMark(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const int fd = arguments.Descriptor(0);
  const uint32_t flags = arguments.Unsigned(1);
  const uint32_t mask = arguments.Unsigned(2);
  const int directory = arguments.Descriptor(3);
  if (Retry([&] { return fanotify_mark(fd, flags, mask, directory, "."); }) != 0) {
    Fail(info.Env(), errno, "fanotify_mark");
  }
}

// fanotifyRead(fd, target): number. Bytes of packed events; 0 when nothing is queued. After EPROTO the
// events of that reading are lost.
Napi::Value FanotifyRead(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const int fd = arguments.Descriptor(0);
  uint8_t* const target = arguments.Target(1, kPackedBytes);
  alignas(8) uint8_t raw[kReadBytes];
  const ssize_t got = Retry([&] { return read(fd, raw, sizeof(raw)); });
  if (got == -1 && errno != EAGAIN) Fail(info.Env(), errno, "read");
  const size_t end = got == -1 ? 0 : static_cast<size_t>(got);
  uint8_t* to = target;
  for (size_t at = 0; at < end;) {
    if (end - at < sizeof(fanotify_event_metadata)) Fail(info.Env(), EPROTO, "read");
    const uint32_t length = ReadStruct<uint32_t>(raw + at);
    if (length < sizeof(fanotify_event_metadata) || length > end - at) Fail(info.Env(), EPROTO, "read");
    Parsed parsed;
    if (!ParseEvent(raw + at, length, &parsed)) Fail(info.Env(), EPROTO, "read");
    const size_t packed = PackedLength(parsed.event);
    if (packed > kPackedBytes - static_cast<size_t>(to - target)) Fail(info.Env(), EPROTO, "read");
    to = Pack(parsed, packed, to);
    at += length;
  }
  return Napi::Number::New(info.Env(), static_cast<double>(to - target));
}

// fileSystemId(fd, target): the eight bytes by which events tell the file system.
void FileSystemId(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const int fd = arguments.Descriptor(0);
  uint8_t* const target = arguments.Target(1, sizeof(uint64_t));
  struct statfs found;
  if (Retry([&] { return fstatfs(fd, &found); }) != 0) Fail(info.Env(), errno, "fstatfs");
  static_assert(sizeof(found.f_fsid) == sizeof(uint64_t), "the kernel's __kernel_fsid_t");
  memcpy(target, &found.f_fsid, sizeof(uint64_t));
}

#else

Napi::Value Unavailable(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  arguments.Descriptor(0);
  // No call takes fewer than two; the first is always a number.
  if (info.Length() < 2) throw Napi::TypeError::New(info.Env(), "too few arguments");
  Fail(info.Env(), ENOSYS, "fanotify_init");
}

#endif

}  // namespace

void AddFanotifyCalls(Napi::Env env, Napi::Object exports) {
#ifdef __linux__
  exports.Set("fanotifyInit", Napi::Function::New<FanotifyInit>(env, "fanotifyInit"));
  exports.Set("fanotifyMark", Napi::Function::New<FanotifyMark>(env, "fanotifyMark"));
  exports.Set("fanotifyRead", Napi::Function::New<FanotifyRead>(env, "fanotifyRead"));
  exports.Set("fileSystemId", Napi::Function::New<FileSystemId>(env, "fileSystemId"));
#else
  for (const char* name : {"fanotifyInit", "fanotifyMark", "fanotifyRead", "fileSystemId"}) {
    exports.Set(name, Napi::Function::New<Unavailable>(env, name));
  }
#endif
}

}  // namespace afterimage
