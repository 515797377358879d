// The consuming side of a BPF ring buffer, read in place from the memory that it shares with the kernel.
#pragma once

#include <cstddef>
#include <cstdint>

namespace afterimage::capture {

class Ring {
 public:
  Ring() = default;
  Ring(const Ring&) = delete;
  Ring& operator=(const Ring&) = delete;
  ~Ring();

  // 0, or an errno. `fd` stays its owner's and must outlive this.
  int Map(int fd, size_t bytes);

  int fd() const { return fd_; }
  size_t bytes() const { return bytes_; }
  // Bytes ever reserved by producers, whether submitted yet or not, and ever consumed.
  uint64_t produced() const;
  uint64_t consumed() const;

  // The next record, or null when there is none or it is still being written; what was discarded is
  // passed over. Only one thread may call this and Release.
  const uint8_t* Peek(size_t* length);
  // Gives the record that Peek returned back to the producers.
  void Release();

 private:
  int fd_ = -1;
  size_t bytes_ = 0;
  size_t page_bytes_ = 0;
  uint8_t* consumer_ = nullptr;
  uint8_t* producer_ = nullptr;
  uint64_t next_ = 0;
};

}  // namespace afterimage::capture
