// The layout is the kernel's: a page with the consumer's position, one with the producers', and the data, mapped twice in a row.
#include "ring.h"

#include <linux/bpf.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>

namespace afterimage::capture {
namespace {

uint64_t LoadPosition(const uint8_t* page) {
  return __atomic_load_n(reinterpret_cast<const unsigned long*>(page), __ATOMIC_ACQUIRE);
}

void StorePosition(uint8_t* page, uint64_t value) {
  __atomic_store_n(reinterpret_cast<unsigned long*>(page), value, __ATOMIC_RELEASE);
}

}  // namespace

Ring::~Ring() {
  if (consumer_ != nullptr) munmap(consumer_, page_bytes_);
  if (producer_ != nullptr) munmap(producer_, page_bytes_ + 2 * bytes_);
}

int Ring::Map(int fd, size_t bytes) {
  fd_ = fd;
  bytes_ = bytes;
  page_bytes_ = static_cast<size_t>(sysconf(_SC_PAGESIZE));
  void* consumer = mmap(nullptr, page_bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  if (consumer == MAP_FAILED) return errno;
  consumer_ = static_cast<uint8_t*>(consumer);
  void* producer = mmap(nullptr, page_bytes_ + 2 * bytes, PROT_READ, MAP_SHARED, fd, static_cast<off_t>(page_bytes_));
  if (producer == MAP_FAILED) return errno;
  producer_ = static_cast<uint8_t*>(producer);
  return 0;
}

uint64_t Ring::produced() const { return LoadPosition(producer_); }
uint64_t Ring::consumed() const { return LoadPosition(consumer_); }

const uint8_t* Ring::Peek(size_t* length) {
  uint64_t at = LoadPosition(consumer_);
  const uint64_t end = LoadPosition(producer_);
  while (at < end) {
    const uint8_t* header = producer_ + page_bytes_ + (at & (bytes_ - 1));
    const uint32_t word = __atomic_load_n(reinterpret_cast<const uint32_t*>(header), __ATOMIC_ACQUIRE);
    if (word & BPF_RINGBUF_BUSY_BIT) return nullptr;
    const uint32_t used = word & ~BPF_RINGBUF_DISCARD_BIT;
    const uint64_t next = at + ((used + BPF_RINGBUF_HDR_SZ + 7) & ~uint64_t{7});
    if (!(word & BPF_RINGBUF_DISCARD_BIT)) {
      next_ = next;
      *length = used;
      return header + BPF_RINGBUF_HDR_SZ;
    }
    at = next;
    StorePosition(consumer_, at);
  }
  return nullptr;
}

void Ring::Release() { StorePosition(consumer_, next_); }

}  // namespace afterimage::capture
