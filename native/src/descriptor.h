// Owns one file descriptor and closes it, whichever way its scope is left.
#pragma once

#include <fcntl.h>
#include <unistd.h>

namespace afterimage {

class Descriptor {
 public:
  explicit Descriptor(int fd = -1) : fd_(fd) {}
  Descriptor(Descriptor&& other) noexcept : fd_(other.Release()) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  Descriptor& operator=(Descriptor&&) = delete;
  ~Descriptor() {
    if (fd_ >= 0) close(fd_);
  }

  // A second descriptor for the same open file, so that work on the thread pool keeps a file of its
  // own even when JavaScript closes its number, and the kernel reuses it, meanwhile.
  static Descriptor Duplicate(int fd) { return Descriptor(fcntl(fd, F_DUPFD_CLOEXEC, 0)); }

  bool valid() const { return fd_ >= 0; }
  int get() const { return fd_; }
  int Release() {
    const int fd = fd_;
    fd_ = -1;
    return fd;
  }

 private:
  int fd_;
};

}  // namespace afterimage
