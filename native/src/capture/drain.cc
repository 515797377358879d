// Waits on the ring, gathers for a few milliseconds or a batch's worth, and waits while the consumer is behind.
#include "drain.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>

namespace afterimage::capture {
namespace {

constexpr auto kGather = std::chrono::milliseconds(4);
// A missed wake-up may cost this much time and no more.
constexpr int kPollMs = 100;

}  // namespace

Drain::Drain(Ring* ring, std::vector<uint8_t*> buffers, std::function<bool(Batch)> deliver)
    : ring_(ring), deliver_(std::move(deliver)), buffers_(std::move(buffers)), is_free_(buffers_.size(), true) {}

int Drain::Start() {
  stopping_ = false;
  epoll_ = epoll_create1(EPOLL_CLOEXEC);
  wake_ = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (epoll_ == -1 || wake_ == -1) return errno;
  epoll_event event{};
  event.events = EPOLLIN;
  for (const int fd : {ring_->fd(), wake_}) {
    event.data.fd = fd;
    if (epoll_ctl(epoll_, EPOLL_CTL_ADD, fd, &event) != 0) return errno;
  }
  thread_ = std::thread([this] { Run(); });
  return 0;
}

void Drain::Stop() {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    stopping_ = true;
  }
  room_.notify_all();
  if (wake_ != -1) eventfd_write(wake_, 1);
  if (thread_.joinable()) thread_.join();
  if (epoll_ != -1) close(epoll_);
  if (wake_ != -1) close(wake_);
  epoll_ = wake_ = -1;
}

void Drain::Consumed(uint32_t buffer) {
  {
    const std::lock_guard<std::mutex> lock(mutex_);
    if (buffer < is_free_.size()) is_free_[buffer] = true;
  }
  room_.notify_all();
}

bool Drain::WaitForRoom(uint32_t* buffer) {
  std::unique_lock<std::mutex> lock(mutex_);
  auto free = is_free_.end();
  room_.wait(lock, [&] {
    free = std::find(is_free_.begin(), is_free_.end(), true);
    return stopping_ || free != is_free_.end();
  });
  *buffer = static_cast<uint32_t>(free - is_free_.begin());
  return !stopping_;
}

bool Drain::WaitForRecords() {
  epoll_event events[2];
  epoll_wait(epoll_, events, 2, kPollMs);
  const std::lock_guard<std::mutex> lock(mutex_);
  return !stopping_;
}

bool Drain::Pause() {
  std::unique_lock<std::mutex> lock(mutex_);
  room_.wait_for(lock, kGather, [this] { return stopping_; });
  return !stopping_;
}

void Drain::Run() {
  BatchBuilder builder;
  uint32_t buffer = 0;
  while (WaitForRoom(&buffer)) {
    if (!builder.Fill(ring_, buffers_[buffer])) {
      if (!builder.HasMoved(*ring_)) {
        if (!WaitForRecords()) return;
        // A ring that already holds a batch's worth is not waited for.
        if (ring_->produced() - ring_->consumed() < kBatchBytes && !Pause()) return;
        continue;
      }
    }
    // What is out of the ring is delivered, also when the thread is to end.
    {
      const std::lock_guard<std::mutex> lock(mutex_);
      is_free_[buffer] = false;
    }
    if (!deliver_(builder.Take(*ring_, buffer))) return;
  }
}

}  // namespace afterimage::capture
