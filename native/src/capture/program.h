// The loaded and attached programs with their maps; detached when this goes.
#pragma once

#include <bpf/libbpf.h>

#include <cstdint>
#include <string>
#include <vector>

#include "../../bpf/record.h"

namespace afterimage::capture {

struct LostEntry {
  inode_key key;
  lost_range range;
};

class Program {
 public:
  Program() = default;
  Program(const Program&) = delete;
  Program& operator=(const Program&) = delete;
  ~Program();

  // Loads the object at `path` and attaches it; process 0 stands for this one. False with `error` set when that fails.
  bool Open(const std::string& path, uint32_t ring_bytes, uint32_t excluded_pid, bool prefer_pages, std::string* error);

  int ring_fd() const;
  volatile capture_counters* counters() const { return counters_; }
  // Each returns 0 or an errno.
  int Watch(uint32_t device);
  int Unwatch(uint32_t device);
  int MarkOutside(const inode_key& key);
  int ForgetOutside();
  // Takes what was noted as lost so far; programs under way are waited for.
  int TakeLost(std::vector<LostEntry>* out);
  // Whether the inode has a shared writable mapping now.
  bool IsMapped(inode_key key);
  // Takes note of the descriptor's file if it can be written through a mapping. False when it cannot.
  bool NoteMapped(int fd);
  // Events that the kernel kept from a program because it was running already.
  uint64_t Missed() const;

 private:
  bool Prepare(uint32_t ring_bytes, std::string* error);
  bool Attach(std::string* error);
  // Runs a program on a request, which it answers in place. False when it cannot be run.
  template <typename Request>
  bool Ask(const char* program, Request* request);
  int MapFd(const char* name) const;
  int ProgramFd(const char* name) const;
  // Finds out how to read pages, and tries it on pages whose content is known.
  bool CheckPageCache();
  bool CheckPage(int fd, uint64_t offset, const uint8_t* expected);

  bpf_object* object_ = nullptr;
  std::vector<bpf_link*> links_;
  volatile capture_counters* counters_ = nullptr;
  int dirty_in_use_ = 0;
};

}  // namespace afterimage::capture
