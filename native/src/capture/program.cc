// Loading through libbpf, and the maps as calls.
#include "program.h"

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <dirent.h>
#include <linux/magic.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstdarg>
#include <cstdio>
#include <cstring>
#include <iterator>
#include <random>
#include <utility>

#include "../descriptor.h"
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

// The others are run on request, or by these.
bool IsAttached(const bpf_program* program) {
  return bpf_program__autoload(program) && strncmp(bpf_program__name(program), "on_", 3) == 0;
}

// Of kernels from 6.13 on; without all of them the programs go by paths.
bool IsOfChanges(const std::string& section) {
  return section.rfind("tp_btf/ctime_", 0) == 0 || section == "tp_btf/inode_set_ctime_to_ts";
}
// Without io_uring the kernel has no tracepoints of it, and needs none.
bool IsOptional(const std::string& section) { return section.rfind("tp_btf/io_uring_", 0) == 0 || IsOfChanges(section); }

// Whether `visit` says yes of a key, which ends it. Keys that come or go meanwhile are met or not.
template <typename Key, typename Visit>
bool AnyKey(int map, Visit visit) {
  Key key{};
  Key next{};
  for (const Key* before = nullptr; bpf_map_get_next_key(map, before, &next) == 0; before = &key) {
    key = next;
    if (visit(key)) return true;
  }
  return false;
}

// Names of pins: the BPF file system takes no dots.
std::string MapPin(std::string name) {
  for (char& each : name) each = each == '.' ? '_' : each;
  return "map-" + name;
}
std::string ProgramPin(const char* name) { return std::string("program-") + name; }
std::string LinkPin(const char* name) { return std::string("link-") + name; }

int EnsureBpfFileSystem() {
  constexpr const char* kRoot = "/sys/fs/bpf";
  struct statfs facts {};
  if (statfs(kRoot, &facts) != 0) return errno;
  if (static_cast<uint64_t>(facts.f_type) == BPF_FS_MAGIC) return 0;
  return mount("bpf", kRoot, "bpf", MS_NOSUID | MS_NODEV | MS_NOEXEC, "mode=700") == 0 ? 0 : errno;
}

}  // namespace

Program::~Program() {
  for (bpf_link* link : links_) bpf_link__destroy(link);
  if (counters_ != nullptr) munmap(const_cast<capture_counters*>(counters_), sizeof(capture_counters));
  if (object_ != nullptr) bpf_object__close(object_);
}

bool Program::Open(const std::string& path, uint32_t ring_bytes, uint32_t excluded_pid, const Means& means, std::string* error) {
  // Kernels before 5.11 charge maps to the locked memory of the process.
  const rlimit unlimited{RLIM_INFINITY, RLIM_INFINITY};
  setrlimit(RLIMIT_MEMLOCK, &unlimited);
  if (!Parse(path, error) || !Prepare(ring_bytes, error)) return false;
  // The verifier gives up (EAGAIN) when a signal comes: those of this thread wait until it is done.
  sigset_t all;
  sigset_t before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  const int status = bpf_object__load(object_);
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  if (status != 0) {
    *error = Failure("load the capture programs", -status);
    return false;
  }
  if (!MapCounters(error)) return false;
  identify_request self{};
  if (excluded_pid == 0 && !Ask("identify", &self)) {
    *error = Failure("run a capture program", errno);
    return false;
  }
  counters_->excluded_pid = excluded_pid == 0 ? self.pid : excluded_pid;
  counters_->page_cache_on = CheckPageCache();
  counters_->changes_told = means.changes && changes_told_;
  counters_->prefer_pages = means.pages && counters_->page_cache_on;
  return Attach(error);
}

bool Program::Parse(const std::string& path, std::string* error) {
  log_tail.clear();
  libbpf_set_print(KeepLog);
  object_ = bpf_object__open_file(path.c_str(), nullptr);
  if (object_ == nullptr) {
    *error = Failure("open the capture programs", errno);
    return false;
  }
  btf* types = btf__load_vmlinux_btf();
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, object_) {
    const std::string section = bpf_program__section_name(program);
    if (!IsOptional(section)) continue;
    const std::string type = "btf_trace_" + section.substr(strlen("tp_btf/"));
    const bool there = btf__find_by_name_kind(types, type.c_str(), BTF_KIND_TYPEDEF) > 0;
    bpf_program__set_autoload(program, there);
    if (!there && IsOfChanges(section)) changes_told_ = false;
  }
  btf__free(types);
  return true;
}

bool Program::MapCounters(std::string* error) {
  // The memory that libbpf has for it holds the initial values only: this is the map itself.
  void* counters = mmap(nullptr, sizeof(capture_counters), PROT_READ | PROT_WRITE, MAP_SHARED, MapFd(".data.counters"), 0);
  if (counters == MAP_FAILED) {
    *error = Failure("map the counters", errno);
    return false;
  }
  counters_ = static_cast<volatile capture_counters*>(counters);
  return true;
}

bool Program::Prepare(uint32_t ring_bytes, std::string* error) {
  bpf_map* ring = bpf_object__find_map_by_name(object_, "ring");
  size_t size = 0;
  const auto value = [&](const char* name) -> void* {
    bpf_map* map = bpf_object__find_map_by_name(object_, name);
    return map == nullptr ? nullptr : const_cast<void*>(bpf_map__initial_value(map, &size));
  };
  auto* native = static_cast<uint8_t*>(value(".rodata.native"));
  auto* compat = static_cast<uint8_t*>(value(".rodata.compat"));
  if (ring == nullptr || native == nullptr || compat == nullptr || value(".data.counters") == nullptr || size < sizeof(capture_counters)) {
    *error = "the capture programs are of another version (npm run build:native)";
    return false;
  }
  FillNativeEntries(native);
  FillCompatEntries(compat);
  const int status = bpf_map__set_max_entries(ring, ring_bytes);
  if (status != 0) *error = Failure("size the ring", -status);
  return status == 0;
}

bool Program::Attach(std::string* error) {
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, object_) {
    if (!IsAttached(program)) continue;
    bpf_link* link = bpf_program__attach(program);
    if (link == nullptr) {
      *error = Failure(bpf_program__section_name(program), errno);
      return false;
    }
    links_.push_back(link);
  }
  return true;
}

template <typename Request>
bool Program::Ask(const char* program, Request* request) {
  LIBBPF_OPTS(bpf_test_run_opts, options, .ctx_in = request, .ctx_out = nullptr, .ctx_size_in = sizeof(*request));
  return bpf_prog_test_run_opts(ProgramFd(program), &options) == 0;
}

int Program::ProgramFd(const char* name) const {
  const auto taken = taken_.find(ProgramPin(name));
  if (taken != taken_.end()) return taken->second.get();
  return bpf_program__fd(bpf_object__find_program_by_name(object_, name));
}

bool Program::CheckPageCache() {
  // A file in memory has all its pages in the page cache.
  const Descriptor file(memfd_create("afterimage", MFD_CLOEXEC));
  if (file.get() == -1) return false;
  std::mt19937_64 random(std::random_device{}());
  // Neighbours, and one so far off that the tree of pages has a further level or two.
  constexpr uint64_t kPages[] = {0, 1, 2, 63, 64, 4097, 300000};
  std::vector<std::array<uint64_t, 512>> contents(std::size(kPages));
  for (size_t index = 0; index < std::size(kPages); index++) {
    for (uint64_t& word : contents[index]) word = random();
    const off_t offset = static_cast<off_t>(kPages[index] * sizeof(contents[index]));
    if (pwrite(file.get(), contents[index].data(), sizeof(contents[index]), offset) != sizeof(contents[index])) return false;
  }
  calibrate_request request{};
  request.fd = static_cast<uint32_t>(file.get());
  memcpy(request.pattern, contents[0].data(), sizeof(request.pattern));
  if (!Ask("calibrate", &request) || request.found == 0) return false;
  for (size_t index = 0; index < std::size(kPages); index++) {
    if (!CheckPage(file.get(), kPages[index] * sizeof(page_specimen), reinterpret_cast<const uint8_t*>(contents[index].data()))) return false;
  }
  return true;
}

bool Program::CheckPage(int fd, uint64_t offset, const uint8_t* expected) {
  walk_request request{};
  request.fd = static_cast<uint32_t>(fd);
  request.offset = offset;
  if (!Ask("walk", &request) || request.copied == 0) return false;
  const uint32_t zero = 0;
  page_specimen copy{};
  return bpf_map_lookup_elem(MapFd("specimen"), &zero, &copy) == 0 && memcmp(copy.bytes, expected, sizeof(copy.bytes)) == 0;
}

int Program::MapFd(const char* name) const {
  const auto taken = taken_.find(MapPin(name));
  return taken != taken_.end() ? taken->second.get() : bpf_object__find_map_fd_by_name(object_, name);
}
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

int Program::WatchPart(uint32_t disk, const watched_part& part) {
  const int map = MapFd("disks");
  watched_disk watched{};
  if (bpf_map_lookup_elem(map, &disk, &watched) != 0 && errno != ENOENT) return errno;
  watched_part* free = nullptr;
  for (watched_part& each : watched.parts) {
    if (each.end != 0 && each.device == part.device) free = &each;
    if (free == nullptr && each.end == 0) free = &each;
  }
  if (free == nullptr) return ENOSPC;
  counters_->disks_watched = 1;
  *free = part;
  return bpf_map_update_elem(map, &disk, &watched, BPF_ANY) == 0 ? 0 : errno;
}

int Program::UnwatchPart(uint32_t device) {
  const int map = MapFd("disks");
  const bool failed = AnyKey<uint32_t>(map, [&](uint32_t disk) {
    watched_disk watched{};
    if (bpf_map_lookup_elem(map, &disk, &watched) != 0) return false;
    bool changed = false;
    for (watched_part& each : watched.parts) {
      if (each.end == 0 || each.device != device) continue;
      each = {};
      changed = true;
    }
    return changed && bpf_map_update_elem(map, &disk, &watched, BPF_ANY) != 0;
  });
  return failed ? errno : 0;
}

uint64_t Program::BeginBlockEpoch() {
  const uint64_t epoch = counters_->block_epoch + 1;
  counters_->block_epoch = epoch;
  // Changes nothing, but returns only when every program that may have seen the former epoch has ended.
  const int in_use = MapFd(dirty_in_use_ == 0 ? "dirty_first" : "dirty_second");
  const uint32_t zero = 0;
  return bpf_map_update_elem(MapFd("dirty"), &zero, &in_use, BPF_ANY) == 0 ? epoch : 0;
}

bool Program::HasBlockFlightBefore(uint64_t epoch) const {
  const int map = MapFd("block_flights");
  return AnyKey<uint64_t>(map, [&](uint64_t address) {
    block_flight flight{};
    return bpf_map_lookup_elem(map, &address, &flight) == 0 && flight.epoch < epoch;
  });
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

bool Program::IsMapped(inode_key key) {
  // One that could not be remembered may be any.
  if (counters_->mapped_lost != 0) return true;
  mapped_request request{};
  request.key = key;
  return !Ask("is_mapped", &request) || request.mapped != 0;
}

bool Program::NoteMapped(int fd) {
  note_request request{};
  request.fd = static_cast<uint32_t>(fd);
  // Whoever cannot be asked about may be mapped, but there is nothing to be noted then.
  return Ask("note_mapped", &request) && request.noted != 0;
}

uint64_t Program::Missed() const {
  uint64_t missed = 0;
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, object_) {
    bpf_prog_info info{};
    uint32_t length = sizeof(info);
    if (bpf_obj_get_info_by_fd(ProgramFd(bpf_program__name(program)), &info, &length) == 0) missed += info.recursion_misses;
  }
  return missed;
}

bool Program::TakeOver(const std::string& path, const std::string& directory, uint32_t ring_bytes, std::string* error) {
  const bool taken = Parse(path, error) && TakeDescriptors(directory, ring_bytes, error) && MapCounters(error);
  identify_request self{};
  const bool identified = taken && Ask("identify", &self);
  if (taken && !identified) *error = Failure("run a capture program", errno);
  if (identified) counters_->excluded_pid = self.pid;
  Unpin(directory);
  return identified;
}

bool Program::TakeDescriptors(const std::string& directory, uint32_t ring_bytes, std::string* error) {
  const auto take = [&](const std::string& name) {
    Descriptor descriptor(bpf_obj_get((directory + "/" + name).c_str()));
    if (descriptor.get() < 0) {
      *error = Failure(("take over " + name).c_str(), errno);
      return false;
    }
    taken_.emplace(name, std::move(descriptor));
    return true;
  };
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object_) {
    if (!take(MapPin(bpf_map__name(map)))) return false;
  }
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, object_) {
    const char* const name = bpf_program__name(program);
    if (bpf_program__autoload(program) && !take(ProgramPin(name))) return false;
    if (IsAttached(program) && !take(LinkPin(name))) return false;
  }
  bpf_map_info info{};
  uint32_t length = sizeof(info);
  if (bpf_obj_get_info_by_fd(MapFd("ring"), &info, &length) == 0 && info.max_entries == ring_bytes) return true;
  *error = "the ring that was left is of another size";
  return false;
}

int Program::Pin(const std::string& directory) {
  Unpin(directory);
  const int status = EnsureBpfFileSystem();
  if (status != 0) return status;
  if (mkdir(directory.c_str(), 0700) != 0) return errno;
  int failure = 0;
  const auto pin = [&](int fd, const std::string& name) {
    if (failure == 0 && bpf_obj_pin(fd, (directory + "/" + name).c_str()) != 0) failure = errno;
  };
  bpf_map* map = nullptr;
  bpf_object__for_each_map(map, object_) pin(MapFd(bpf_map__name(map)), MapPin(bpf_map__name(map)));
  size_t link = 0;
  bpf_program* program = nullptr;
  bpf_object__for_each_program(program, object_) {
    const char* const name = bpf_program__name(program);
    if (bpf_program__autoload(program)) pin(ProgramFd(name), ProgramPin(name));
    if (!IsAttached(program)) continue;
    const auto taken = taken_.find(LinkPin(name));
    pin(taken != taken_.end() ? taken->second.get() : bpf_link__fd(links_[link++]), LinkPin(name));
  }
  if (failure != 0) {
    Unpin(directory);
    return failure;
  }
  // No process has this number: that of this one may become another's.
  counters_->excluded_pid = UINT32_MAX;
  return 0;
}

int Program::Unpin(const std::string& directory) {
  DIR* const entries = opendir(directory.c_str());
  if (entries == nullptr) return errno == ENOENT ? 0 : errno;
  int failure = 0;
  while (const dirent* entry = readdir(entries)) {
    const std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    if (unlinkat(dirfd(entries), name.c_str(), 0) != 0) failure = errno;
  }
  closedir(entries);
  if (failure == 0 && rmdir(directory.c_str()) != 0) failure = errno;
  return failure;
}

}  // namespace afterimage::capture
