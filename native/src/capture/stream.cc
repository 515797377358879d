// Calls from JavaScript, and batches to it.
#include "stream.h"

#include <time.h>

#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace afterimage::capture {
namespace {

[[noreturn]] void Refuse(Napi::Env env, const char* expected) { throw Napi::TypeError::New(env, expected); }

uint32_t Unsigned(const Napi::CallbackInfo& info, size_t index, const char* what) {
  if (!info[index].IsNumber()) Refuse(info.Env(), what);
  return info[index].As<Napi::Number>().Uint32Value();
}

uint64_t Big(const Napi::CallbackInfo& info, size_t index, const char* what) {
  if (!info[index].IsBigInt()) Refuse(info.Env(), what);
  bool lossless = true;
  const uint64_t value = info[index].As<Napi::BigInt>().Uint64Value(&lossless);
  if (!lossless) Refuse(info.Env(), what);
  return value;
}

// (ino: bigint, tree: bigint, generation: number, device: number)
inode_key Key(const Napi::CallbackInfo& info) {
  return inode_key{Big(info, 0, "ino must be an unsigned bigint"), Big(info, 1, "tree must be an unsigned bigint"),
                   Unsigned(info, 2, "generation must be a number"), Unsigned(info, 3, "device must be a number")};
}

void Check(Napi::Env env, int number, const char* deed) {
  if (number != 0) throw Napi::Error::New(env, std::string(deed) + ": " + strerror(number));
}

uint64_t MonotonicNs() {
  timespec now{};
  clock_gettime(CLOCK_MONOTONIC, &now);
  return static_cast<uint64_t>(now.tv_sec) * 1'000'000'000 + static_cast<uint64_t>(now.tv_nsec);
}

}  // namespace

Napi::Function Stream::Define(Napi::Env env) {
  return DefineClass(env, "Stream",
                     {
                         InstanceMethod<&Stream::CloseCall>("close"),
                         InstanceMethod<&Stream::Consumed>("consumed"),
                         InstanceMethod<&Stream::Hold>("hold"),
                         InstanceMethod<&Stream::Watch>("watch"),
                         InstanceMethod<&Stream::Unwatch>("unwatch"),
                         InstanceMethod<&Stream::MarkOutside>("markOutside"),
                         InstanceMethod<&Stream::ForgetOutside>("forgetOutside"),
                         InstanceMethod<&Stream::Position>("position"),
                         InstanceMethod<&Stream::TakeLost>("takeLost"),
                         InstanceMethod<&Stream::IsMapped>("isMapped"),
                         InstanceMethod<&Stream::NoteMapped>("noteMapped"),
                         InstanceMethod<&Stream::WatchPart>("watchPart"),
                         InstanceMethod<&Stream::UnwatchPart>("unwatchPart"),
                         InstanceMethod<&Stream::BeginBlockEpoch>("beginBlockEpoch"),
                         InstanceMethod<&Stream::HasBlockFlightBefore>("hasBlockFlightBefore"),
                         InstanceMethod<&Stream::Stats>("stats"),
                         InstanceMethod<&Stream::Quiesce>("quiesce"),
                         InstanceMethod<&Stream::Resume>("resume"),
                         InstanceMethod<&Stream::Suspend>("suspend"),
                         StaticMethod<&Stream::Unpin>("unpin"),
                     });
}

Stream::Stream(const Napi::CallbackInfo& info) : Napi::ObjectWrap<Stream>(info), env_(info.Env()) {
  if (!info[0].IsString() || !info[3].IsFunction()) Refuse(info.Env(), "expected a path, two numbers and a function");
  const std::string path = info[0].As<Napi::String>();
  const uint32_t ring_bytes = Unsigned(info, 1, "the ring's size must be a number");
  const uint32_t excluded_pid = Unsigned(info, 2, "the process to leave out must be a number");
  auto program = std::make_unique<Program>();
  std::string error;
  std::vector<uint8_t*> buffers = TakeBuffers(info[4]);
  const Means means{.pages = info[5].ToBoolean(), .changes = info[6].ToBoolean()};
  const bool takes_over = info[7].IsString();
  const bool is_open = takes_over ? program->TakeOver(path, info[7].As<Napi::String>(), ring_bytes, &error)
                                  : program->Open(path, ring_bytes, excluded_pid, means, &error);
  if (!is_open) throw Napi::Error::New(env_, error);
  if (takes_over) RestoreTaken(info[8], program.get());
  program_ = std::move(program);
  ring_ = std::make_unique<Ring>();
  Check(env_, ring_->Map(program_->ring_fd(), ring_bytes), "map the ring");
  delivery_ = Delivery::New(env_, info[3].As<Napi::Function>(), "afterimage capture", 0, 1);
  // An idle stream does not keep the process alive; Hold does while someone waits for a batch.
  delivery_.Unref(env_);
  drain_ = std::make_unique<Drain>(ring_.get(), std::move(buffers), [this](Batch batch) {
    auto* heap = new Batch(std::move(batch));
    if (delivery_.NonBlockingCall(heap) == napi_ok) return true;
    delete heap;
    return false;
  });
  if (!takes_over) last_take_ns_ = MonotonicNs();
  const int status = drain_->Start();
  is_open_ = true;
  if (status != 0) {
    Close();
    Check(env_, status, "start the drain");
  }
  // Worker threads end without collecting: the thread must be gone before their environment is.
  napi_add_env_cleanup_hook(env_, OnEnvironmentEnd, this);
}

// Buffers for the batches, of which a buffer each is kept alive; they are written by the drain's thread.
std::vector<uint8_t*> Stream::TakeBuffers(const Napi::Value& value) {
  const char* expected = "expected buffers for the batches";
  if (!value.IsArray() || value.As<Napi::Array>().Length() == 0) Refuse(env_, expected);
  const Napi::Array given = value.As<Napi::Array>();
  std::vector<uint8_t*> buffers;
  for (uint32_t at = 0; at < given.Length(); at++) {
    const Napi::Value each = given[at];
    if (!each.IsBuffer() || each.As<Napi::Buffer<uint8_t>>().Length() < kBatchBufferBytes) Refuse(env_, expected);
    buffers.push_back(each.As<Napi::Buffer<uint8_t>>().Data());
    buffers_.push_back(Napi::Persistent(each.As<Napi::Object>()));
  }
  return buffers;
}

Stream::~Stream() { Close(); }

void Stream::OnEnvironmentEnd(void* self) { static_cast<Stream*>(self)->Close(); }

void Stream::Close() {
  if (!is_open_) return;
  is_open_ = false;
  napi_remove_env_cleanup_hook(env_, OnEnvironmentEnd, this);
  drain_->Stop();
  delivery_.Abort();
  drain_.reset();
  buffers_.clear();
  ring_.reset();
  program_.reset();
}

void Stream::RequireOpen(Napi::Env env) const {
  if (!is_open_) throw Napi::Error::New(env, "the capture stream is closed");
}

void Stream::Deliver(Napi::Env env, Napi::Function callback, void*, Batch* batch) {
  // Without an environment the function is being taken down: only the memory is left to be freed.
  if (env == nullptr || callback == nullptr) {
    delete batch;
    return;
  }
  const Napi::HandleScope scope(env);
  const Batch told = *batch;
  delete batch;
  callback.Call({Napi::Number::New(env, told.buffer), Napi::Number::New(env, static_cast<double>(told.length)),
                 Napi::BigInt::New(env, told.through), Napi::BigInt::New(env, told.wall_offset_ns)});
}

void Stream::CloseCall(const Napi::CallbackInfo&) { Close(); }

// consumed(buffer): the batch in it will not be read again.
void Stream::Consumed(const Napi::CallbackInfo& info) {
  if (is_open_) drain_->Consumed(Unsigned(info, 0, "a buffer must be a number"));
}

// hold(boolean): whether the process is to stay for the next batch.
void Stream::Hold(const Napi::CallbackInfo& info) {
  if (!is_open_) return;
  if (info[0].ToBoolean()) {
    delivery_.Ref(info.Env());
  } else {
    delivery_.Unref(info.Env());
  }
}

void Stream::Watch(const Napi::CallbackInfo& info) {
  RequireOpen(info.Env());
  Check(info.Env(), program_->Watch(Unsigned(info, 0, "device must be a number")), "watch a device");
}

void Stream::Unwatch(const Napi::CallbackInfo& info) {
  RequireOpen(info.Env());
  Check(info.Env(), program_->Unwatch(Unsigned(info, 0, "device must be a number")), "unwatch a device");
}

// watchPart(disk, device, start, end)
void Stream::WatchPart(const Napi::CallbackInfo& info) {
  RequireOpen(info.Env());
  const watched_part part{.start = Big(info, 2, "start must be a bigint"), .end = Big(info, 3, "end must be a bigint"), .device = Unsigned(info, 1, "device must be a number"), .reserved = 0};
  Check(info.Env(), program_->WatchPart(Unsigned(info, 0, "disk must be a number"), part), "watch a block device");
}

void Stream::UnwatchPart(const Napi::CallbackInfo& info) {
  RequireOpen(info.Env());
  Check(info.Env(), program_->UnwatchPart(Unsigned(info, 0, "device must be a number")), "unwatch a block device");
}

Napi::Value Stream::BeginBlockEpoch(const Napi::CallbackInfo& info) {
  RequireOpen(info.Env());
  const uint64_t epoch = program_->BeginBlockEpoch();
  if (epoch == 0) Check(info.Env(), errno, "begin an epoch of block requests");
  return Napi::BigInt::New(info.Env(), epoch);
}

Napi::Value Stream::HasBlockFlightBefore(const Napi::CallbackInfo& info) {
  RequireOpen(info.Env());
  return Napi::Boolean::New(info.Env(), program_->HasBlockFlightBefore(Big(info, 0, "epoch must be a bigint")));
}

void Stream::ForgetOutside(const Napi::CallbackInfo& info) {
  RequireOpen(info.Env());
  Check(info.Env(), program_->ForgetOutside(), "forget the inodes outside");
}

void Stream::MarkOutside(const Napi::CallbackInfo& info) {
  RequireOpen(info.Env());
  Check(info.Env(), program_->MarkOutside(Key(info)), "mark an inode as outside");
}

Napi::Value Stream::Position(const Napi::CallbackInfo& info) {
  RequireOpen(info.Env());
  return Napi::BigInt::New(info.Env(), ring_->produced());
}

// [ranges, namesSinceNs | undefined, everythingSinceNs | undefined]; a range is
// [ino, generation, device, tree, low, high, firstNs, lastNs, causes, count].
Napi::Value Stream::TakeLost(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  RequireOpen(env);
  volatile capture_counters* counters = program_->counters();
  std::vector<LostEntry> entries;
  const uint64_t updates = counters->dirty_updates;
  if (updates != dirty_updates_taken_) {
    // Read before the swap: an update during it makes the next call look again.
    dirty_updates_taken_ = updates;
    Check(env, program_->TakeLost(&entries), "take what was lost");
  }
  Napi::Array ranges = Napi::Array::New(env, entries.size());
  for (size_t index = 0; index < entries.size(); index++) {
    const LostEntry& entry = entries[index];
    Napi::Array range = Napi::Array::New(env, 10);
    range[0u] = Napi::BigInt::New(env, uint64_t{entry.key.ino});
    range[1u] = Napi::Number::New(env, entry.key.generation);
    range[2u] = Napi::Number::New(env, entry.key.device);
    range[3u] = Napi::BigInt::New(env, uint64_t{entry.key.tree});
    range[4u] = Napi::BigInt::New(env, uint64_t{entry.range.low});
    range[5u] = Napi::BigInt::New(env, uint64_t{entry.range.high});
    range[6u] = Napi::BigInt::New(env, uint64_t{entry.range.first_ns});
    range[7u] = Napi::BigInt::New(env, uint64_t{entry.range.last_ns});
    range[8u] = Napi::Number::New(env, static_cast<double>(entry.range.causes));
    range[9u] = Napi::Number::New(env, static_cast<double>(entry.range.count));
    ranges[static_cast<uint32_t>(index)] = range;
  }
  const auto since = [&](uint64_t count, uint64_t first_ns, uint64_t* taken) -> Napi::Value {
    if (count == *taken) return env.Undefined();
    // The first time ever for the first loss; after that, no earlier than the last call.
    const uint64_t since_ns = *taken == 0 && first_ns != 0 ? first_ns : last_take_ns_;
    *taken = count;
    return Napi::BigInt::New(env, since_ns);
  };
  Napi::Array result = Napi::Array::New(env, 3);
  const Napi::Value names = since(counters->names_lost, counters->names_lost_first_ns, &names_lost_taken_);
  Napi::Value everything = since(counters->everything_lost, counters->everything_lost_first_ns, &everything_lost_taken_);
  const Napi::Value missed = since(program_->Missed(), 0, &missed_taken_);
  if (everything.IsUndefined()) everything = missed;
  last_take_ns_ = MonotonicNs();
  result[0u] = ranges;
  result[1u] = names;
  result[2u] = everything;
  return result;
}

Napi::Value Stream::IsMapped(const Napi::CallbackInfo& info) {
  RequireOpen(info.Env());
  return Napi::Boolean::New(info.Env(), program_->IsMapped(Key(info)));
}

Napi::Value Stream::NoteMapped(const Napi::CallbackInfo& info) {
  RequireOpen(info.Env());
  return Napi::Boolean::New(info.Env(), program_->NoteMapped(static_cast<int>(Unsigned(info, 0, "a descriptor must be a number"))));
}

// [ringBytes, ringUsedBytes, records, lostRecords, pageCache]
Napi::Value Stream::Stats(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  RequireOpen(env);
  const volatile capture_counters* counters = program_->counters();
  // In this order: read the other way round, the difference could be negative.
  const uint64_t consumed = ring_->consumed();
  const uint64_t produced = ring_->produced();
  Napi::Array result = Napi::Array::New(env, 5);
  result[0u] = Napi::Number::New(env, static_cast<double>(ring_->bytes()));
  result[1u] = Napi::Number::New(env, static_cast<double>(produced - consumed));
  result[2u] = Napi::BigInt::New(env, uint64_t{counters->records});
  result[3u] = Napi::BigInt::New(env, uint64_t{counters->lost_records});
  result[4u] = Napi::Boolean::New(env, counters->page_cache_on != 0);
  return result;
}

// The order of what suspend() returns is that of this.
void Stream::RestoreTaken(const Napi::Value& value, Program* program) {
  uint64_t* const fields[] = {&dirty_updates_taken_, &names_lost_taken_, &everything_lost_taken_, &missed_taken_, &last_take_ns_};
  if (!value.IsArray()) Refuse(env_, "the state must be what suspend() returned");
  const Napi::Array state = value.As<Napi::Array>();
  uint32_t at = 0;
  bool lossless = true;
  for (uint64_t* field : fields) {
    const Napi::Value each = state[at++];
    if (!each.IsBigInt()) Refuse(env_, "the state must be what suspend() returned");
    *field = each.As<Napi::BigInt>().Uint64Value(&lossless);
  }
  const Napi::Value in_use = state[at];
  program->set_dirty_in_use(in_use.IsBigInt() && in_use.As<Napi::BigInt>().Uint64Value(&lossless) != 0 ? 1 : 0);
}

// quiesce(): bigint. Takes nothing more out of the ring; what was taken out goes up to this position.
Napi::Value Stream::Quiesce(const Napi::CallbackInfo& info) {
  RequireOpen(info.Env());
  drain_->Stop();
  return Napi::BigInt::New(info.Env(), ring_->consumed());
}

// After quiesce: goes on.
void Stream::Resume(const Napi::CallbackInfo& info) {
  RequireOpen(info.Env());
  Check(info.Env(), drain_->Start(), "start the drain");
}

// After quiesce: suspend(directory) pins everything there, and closes. Returns what a successor has to know.
Napi::Value Stream::Suspend(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  RequireOpen(env);
  if (!info[0].IsString()) Refuse(env, "the directory must be a string");
  Check(env, program_->Pin(info[0].As<Napi::String>()), "pin the capture programs");
  const uint64_t fields[] = {dirty_updates_taken_, names_lost_taken_, everything_lost_taken_, missed_taken_, last_take_ns_, static_cast<uint64_t>(program_->dirty_in_use())};
  Napi::Array state = Napi::Array::New(env);
  uint32_t at = 0;
  for (const uint64_t field : fields) state[at++] = Napi::BigInt::New(env, field);
  Close();
  return state;
}

// unpin(directory): ends what was left pinned there, if anything.
void Stream::Unpin(const Napi::CallbackInfo& info) {
  if (!info[0].IsString()) Refuse(info.Env(), "the directory must be a string");
  Check(info.Env(), Program::Unpin(info[0].As<Napi::String>()), "remove the pinned capture programs");
}

}  // namespace afterimage::capture
