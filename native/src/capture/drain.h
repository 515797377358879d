// The thread that takes records out of the ring and hands batches on.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <vector>

#include "batch.h"

namespace afterimage::capture {

class Drain {
 public:
  // False from `deliver` ends the thread. `ring` and the buffers, of kBatchBufferBytes each, must outlive this; when
  // batches that are not consumed fill all of them, nothing more is taken from the ring.
  Drain(Ring* ring, std::vector<uint8_t*> buffers, std::function<bool(Batch)> deliver);
  ~Drain() { Stop(); }
  Drain(const Drain&) = delete;
  Drain& operator=(const Drain&) = delete;

  // 0, or an errno.
  int Start();
  // Ends the thread and waits for it; safe to call again, and Start may follow. All that left the ring was delivered.
  void Stop();
  // The batch in a buffer was consumed.
  void Consumed(uint32_t buffer);

 private:
  void Run();
  // Sets `buffer` to a free one; false when the thread is to end.
  bool WaitForRoom(uint32_t* buffer);
  bool WaitForRecords();
  // Lets records gather, so that a trickle of them does not become a flood of batches.
  bool Pause();

  Ring* const ring_;
  const std::function<bool(Batch)> deliver_;
  std::thread thread_;
  int epoll_ = -1;
  int wake_ = -1;
  std::mutex mutex_;
  std::condition_variable room_;
  const std::vector<uint8_t*> buffers_;
  std::vector<bool> is_free_;
  bool stopping_ = false;
};

}  // namespace afterimage::capture
