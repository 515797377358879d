// Gathers records from the ring into one piece of memory, each cut down to what it holds.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "ring.h"

namespace afterimage::capture {

// From 1 MiB on no further record is begun.
constexpr size_t kBatchBytes = size_t{1} << 20;

struct Batch {
  std::unique_ptr<uint8_t[]> bytes;
  size_t length = 0;
  // Bytes of the ring consumed after the batch.
  uint64_t through = 0;
  int64_t wall_offset_ns = 0;
};

class BatchBuilder {
 public:
  // Takes what the ring has, up to the size of a batch. True when the batch is full.
  bool Fill(Ring* ring);
  // Whether the ring moved on since the last batch, be it only past what was discarded.
  bool HasMoved(const Ring& ring) const { return ring.consumed() != through_; }
  Batch Take(const Ring& ring);

 private:
  void Append(const uint8_t* record, size_t length);

  std::unique_ptr<uint8_t[]> bytes_;
  size_t length_ = 0;
  uint64_t through_ = 0;
};

}  // namespace afterimage::capture
