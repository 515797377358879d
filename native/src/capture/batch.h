// Gathers records from the ring into a piece of memory that is used again and again, each cut down to what it holds.
#pragma once

#include <cstddef>
#include <cstdint>

#include "../../bpf/record.h"
#include "ring.h"

namespace afterimage::capture {

// From 1 MiB on no further record is begun.
constexpr size_t kBatchBytes = size_t{1} << 20;

// What a batch may take: the largest record, a header and 64 KiB, may be begun just before that.
constexpr size_t kBatchBufferBytes = kBatchBytes + sizeof(record_header) + 65536 + 8;

struct Batch {
  // Which of the buffers holds it.
  uint32_t buffer = 0;
  size_t length = 0;
  // Bytes of the ring consumed after the batch.
  uint64_t through = 0;
  int64_t wall_offset_ns = 0;
};

class BatchBuilder {
 public:
  // Takes what the ring has into `bytes`, which stay the same until Take, up to the size of a batch. True when it is full.
  bool Fill(Ring* ring, uint8_t* bytes);
  // Whether the ring moved on since the last batch, be it only past what was discarded.
  bool HasMoved(const Ring& ring) const { return ring.consumed() != through_; }
  Batch Take(const Ring& ring, uint32_t buffer);

 private:
  void Append(const uint8_t* record, size_t length, uint8_t* bytes);

  size_t length_ = 0;
  uint64_t through_ = 0;
};

}  // namespace afterimage::capture
