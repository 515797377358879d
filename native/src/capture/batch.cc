// Copies records out of the ring; those with paths get the paths' last components instead.
#include "batch.h"

#include <time.h>

#include <algorithm>
#include <cstring>

#include "../../bpf/record.h"

namespace afterimage::capture {
namespace {

// As many bytes of each path as the programs hand over; also in state.h.
constexpr size_t kPathTailBytes = 512;

int64_t NowNs(clockid_t clock) {
  timespec now{};
  clock_gettime(clock, &now);
  return int64_t{now.tv_sec} * 1'000'000'000 + now.tv_nsec;
}

size_t Padded(size_t bytes) { return (bytes + 7) & ~size_t{7}; }

// Appends the last component of the path at `tail`, and a NUL. Returns the bytes appended.
size_t AppendLastComponent(const uint8_t* tail, uint8_t* to) {
  size_t end = strnlen(reinterpret_cast<const char*>(tail), kPathTailBytes);
  while (end > 0 && tail[end - 1] == '/') end--;
  size_t begin = end;
  while (begin > 0 && tail[begin - 1] != '/') begin--;
  memcpy(to, tail + begin, end - begin);
  to[end - begin] = 0;
  return end - begin + 1;
}

}  // namespace

bool BatchBuilder::Fill(Ring* ring, uint8_t* bytes) {
  size_t length = 0;
  while (length_ < kBatchBytes) {
    const uint8_t* record = ring->Peek(&length);
    if (record == nullptr) return false;
    Append(record, length, bytes);
    ring->Release();
  }
  return true;
}

void BatchBuilder::Append(const uint8_t* record, size_t length, uint8_t* bytes) {
  record_header header;
  if (length < sizeof(header)) return;
  memcpy(&header, record, sizeof(header));
  uint8_t* to = bytes + length_;
  const uint8_t* data = record + sizeof(header);
  const size_t data_bytes = std::min<size_t>(header.data_length, length - sizeof(header));
  size_t used = 0;
  if (header.flags & FLAG_RAW_PATHS) {
    header.flags &= static_cast<uint16_t>(~FLAG_RAW_PATHS);
    for (size_t at = 0; at + kPathTailBytes <= data_bytes; at += kPathTailBytes) {
      used += AppendLastComponent(data + at, to + sizeof(header) + used);
    }
  } else {
    memcpy(to + sizeof(header), data, data_bytes);
    used = data_bytes;
  }
  header.data_length = static_cast<uint32_t>(used);
  header.bytes = static_cast<uint32_t>(sizeof(header) + Padded(used));
  memset(to + sizeof(header) + used, 0, Padded(used) - used);
  memcpy(to, &header, sizeof(header));
  length_ += header.bytes;
}

Batch BatchBuilder::Take(const Ring& ring, uint32_t buffer) {
  Batch batch;
  batch.buffer = buffer;
  batch.length = length_;
  batch.through = through_ = ring.consumed();
  batch.wall_offset_ns = NowNs(CLOCK_REALTIME) - NowNs(CLOCK_MONOTONIC);
  length_ = 0;
  return batch;
}

}  // namespace afterimage::capture
