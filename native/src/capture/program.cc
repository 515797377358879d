// Loading through libbpf, and the maps as calls.
#include "program.h"

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <sys/resource.h>

#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>

#include "entries.h"

namespace afterimage::capture {
namespace {

// The last lines that libbpf printed on this thread, which name the cause when loading fails.
thread_local std::string log_tail;

int KeepLog(libbpf_print_level level, const char* format, va_list arguments) {
  if (level == LIBBPF_DEBUG) return 0;
  char line[1024];
  vsnprintf(line, sizeof(line), format, arguments);
  log_tail += line;
  if (log_tail.size() > 4096) log_tail.erase(0, log_tail.size() - 4096);
  return 0;
}

std::string Failure(const char* deed, int number) {
  std::string text = std::string(deed) + ": " + strerror(number);
  if (!log_tail.empty()) text += "\n" + log_tail;
  return text;
}

}  // namespace

Program::~Program() {
  for (bpf_link* link : links_) bpf_link__destroy(link);
  if (object_ != nullptr) bpf_object__close(object_);
}

bool Program::Open(const std::string& path, uint32_t ring_bytes, uint32_t excluded_pid, std::string* error) {
  log_tail.clear();
  libbpf_set_print(KeepLog);
  // Kernels before 5.11 charge maps to the locked memory of the process.
  const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
  setrlimit(RLIMIT_MEMLOCK, &unlimited);
  object_ = bpf_object__open_file(path.c_str(), nullptr);
  if (object_ == nullptr) {
    *error = Failure("open the capture programs", errno);
    return false;
  }
  if (!Prepare(ring_bytes, excluded_pid, error)) return false;
  const int status = bpf_object__load(object_);
  if (status != 0) {
    *error = Failure("load the capture programs", -status);
    return false;
  }
  bpf_map* counters = bpf_object__find_map_by_name(object_, ".data.counters");
  size_t size = 0;
  counters_ = static_cast<volatile capture_counters*>(const_cast<void*>(bpf_map__initial_value(counters, &size)));
  CheckPageCache();
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, object_) {
    if (!bpf_program__autoload(program) || strncmp(bpf_program__section_name(program), "tp_btf/", 7) != 0) continue;
    bpf_link* link = bpf_program__attach(program);
    if (link == nullptr) {
      *error = Failure(bpf_program__section_name(program), errno);
      return false;
    }
    links_.push_back(link);
  }
  return true;
}

bool Program::Prepare(uint32_t ring_bytes, uint32_t excluded_pid, std::string* error) {
  bpf_map* ring = bpf_object__find_map_by_name(object_, "ring");
  size_t size = 0;
  const auto value = [&](const char* name) -> void* {
    bpf_map* map = bpf_object__find_map_by_name(object_, name);
    return map == nullptr ? nullptr : const_cast<void*>(bpf_map__initial_value(map, &size));
  };
  auto* settings = static_cast<capture_settings*>(value(".rodata.settings"));
  auto* native = static_cast<uint8_t*>(value(".rodata.native"));
  auto* compat = static_cast<uint8_t*>(value(".rodata.compat"));
  if (ring == nullptr || settings == nullptr || native == nullptr || compat == nullptr) {
    *error = "the capture programs are of another version";
    return false;
  }
  settings->excluded_pid = excluded_pid;
  FillNativeEntries(native);
  FillCompatEntries(compat);
  const int status = bpf_map__set_max_entries(ring, ring_bytes);
  if (status != 0) *error = Failure("size the ring", -status);
  return status == 0;
}

int Program::MapFd(const char* name) const { return bpf_object__find_map_fd_by_name(object_, name); }
int Program::ring_fd() const { return MapFd("ring"); }

int Program::Watch(uint32_t device) {
  const uint8_t one = 1;
  return bpf_map_update_elem(MapFd("volumes"), &device, &one, BPF_ANY) == 0 ? 0 : errno;
}

int Program::Unwatch(uint32_t device) {
  return bpf_map_delete_elem(MapFd("volumes"), &device) == 0 || errno == ENOENT ? 0 : errno;
}

// Entries that are added meanwhile may stay or go: whoever asks must not add any at the same time.
int Program::ForgetOutside() {
  const int map = MapFd("outside");
  inode_key key;
  while (bpf_map_get_next_key(map, nullptr, &key) == 0) {
    if (bpf_map_delete_elem(map, &key) != 0 && errno != ENOENT) return errno;
  }
  return errno == ENOENT ? 0 : errno;
}

int Program::MarkOutside(const inode_key& key) {
  const uint8_t one = 1;
  return bpf_map_update_elem(MapFd("outside"), &key, &one, BPF_ANY) == 0 ? 0 : errno;
}

int Program::TakeLost(std::vector<LostEntry>* out) {
  const int maps[] = {MapFd("dirty_first"), MapFd("dirty_second")};
  const int taken = maps[dirty_in_use_];
  const int next = maps[1 - dirty_in_use_];
  const uint32_t zero = 0;
  // Returns only when every program that still had the old map has ended.
  if (bpf_map_update_elem(MapFd("dirty"), &zero, &next, BPF_ANY) != 0) return errno;
  dirty_in_use_ = 1 - dirty_in_use_;
  LostEntry entry{};
  while (bpf_map_get_next_key(taken, nullptr, &entry.key) == 0) {
    if (bpf_map_lookup_elem(taken, &entry.key, &entry.range) == 0) out->push_back(entry);
    if (bpf_map_delete_elem(taken, &entry.key) != 0) return errno;
  }
  return 0;
}

bool Program::IsMapped(const inode_key&) { return false; }
uint64_t Program::Missed() const { return 0; }
void Program::CheckPageCache() {}

}  // namespace afterimage::capture
