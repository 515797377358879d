// The thread that takes records out of the ring and hands batches on.
#pragma once

#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>

#include "batch.h"

namespace afterimage::capture {

// At this many batches not yet consumed nothing more is taken from the ring.
constexpr int kBatchesMax = 4;

class Drain {
 public:
  // False from `deliver` ends the thread. `ring` must outlive this.
  Drain(Ring* ring, std::function<bool(Batch)> deliver) : ring_(ring), deliver_(std::move(deliver)) {}
  ~Drain() { Stop(); }
  Drain(const Drain&) = delete;
  Drain& operator=(const Drain&) = delete;

  // 0, or an errno.
  int Start();
  // Ends the thread and waits for it; safe to call again, and Start may follow. All that left the ring was delivered.
  void Stop();
  // One batch was consumed.
  void Consumed();

 private:
  void Run();
  bool WaitForRoom();
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
  int outstanding_ = 0;
  bool stopping_ = false;
};

}  // namespace afterimage::capture
