// The loaded and attached programs with their maps; detached when this goes, unless they were pinned.
#pragma once

#include <bpf/libbpf.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "../../bpf/record.h"
#include "../descriptor.h"

namespace afterimage::capture {

// What is used where the kernel has it.
struct Means {
  // The page cache, even where the caller's buffer could be read.
  bool pages;
  // What the kernel tells of changed inodes.
  bool changes;
};

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
  bool Open(const std::string& path, uint32_t ring_bytes, uint32_t excluded_pid, const Means& means, std::string* error);

  // Takes over what a process before this one pinned in the directory, and unpins it. False with `error` set when
  // that is not all there or of another size; nothing is left pinned in any case.
  bool TakeOver(const std::string& path, const std::string& directory, uint32_t ring_bytes, std::string* error);
  // Lets everything go on without this process, which counts as any other from now on: it is found in the
  // directory, which is made, below a BPF file system. 0 or an errno; nothing is left pinned then.
  int Pin(const std::string& directory);
  // Removes what was pinned there, if anything; what nobody else has open ends. 0 or an errno.
  static int Unpin(const std::string& directory);

  int ring_fd() const;
  volatile capture_counters* counters() const { return counters_; }
  // Each returns 0 or an errno.
  int Watch(uint32_t device);
  int Unwatch(uint32_t device);
  int MarkOutside(const inode_key& key);
  int ForgetOutside();
  // Watches a range of a disk's bytes under a device number of its own; ENOSPC when a disk has too many of them.
  int WatchPart(uint32_t disk, const watched_part& part);
  int UnwatchPart(uint32_t device);
  // From here on what is queued for a disk belongs to the epoch returned, and all that was queued before is on the books. 0 when that fails.
  uint64_t BeginBlockEpoch();
  // Whether something that was queued before an epoch is not done yet.
  bool HasBlockFlightBefore(uint64_t epoch) const;
  // Takes what was noted as lost so far; programs under way are waited for.
  int TakeLost(std::vector<LostEntry>* out);
  // Whether the inode has a shared writable mapping now.
  bool IsMapped(inode_key key);
  // Takes note of the descriptor's file if it can be written through a mapping. False when it cannot.
  bool NoteMapped(int fd);
  // Events that the kernel kept from a program because it was running already.
  uint64_t Missed() const;
  // Which of the two maps of what was lost is in use; a successor has to know.
  int dirty_in_use() const { return dirty_in_use_; }
  void set_dirty_in_use(int which) { dirty_in_use_ = which == 0 ? 0 : 1; }

 private:
  bool Parse(const std::string& path, std::string* error);
  bool Prepare(uint32_t ring_bytes, std::string* error);
  bool TakeDescriptors(const std::string& directory, uint32_t ring_bytes, std::string* error);
  bool MapCounters(std::string* error);
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
  bool changes_told_ = true;
  // By name, of what was taken over: the object is only parsed then, not loaded.
  std::map<std::string, Descriptor> taken_;
};

}  // namespace afterimage::capture
