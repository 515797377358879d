// One capture stream as a JavaScript object.
#pragma once

#include <napi.h>

#include <memory>
#include <vector>

#include "drain.h"
#include "program.h"
#include "ring.h"

namespace afterimage::capture {

class Stream : public Napi::ObjectWrap<Stream> {
 public:
  static Napi::Function Define(Napi::Env env);
  // new Stream(objectPath, ringBytes, excludedPid, (bytes, through, wallOffsetNs) => void, buffers, preferPages, followChanges, pins?, state?):
  // with the last two it goes on with what another left pinned there, and `state` is what suspend() returned to it.
  explicit Stream(const Napi::CallbackInfo& info);
  ~Stream() override;

 private:
  // Detaches the programs and ends the thread; batches not yet delivered are dropped.
  void Close();
  void RequireOpen(Napi::Env env) const;
  void RestoreTaken(const Napi::Value& state, Program* program);
  static void OnEnvironmentEnd(void* self);

  void CloseCall(const Napi::CallbackInfo& info);
  void Consumed(const Napi::CallbackInfo& info);
  void Hold(const Napi::CallbackInfo& info);
  void Watch(const Napi::CallbackInfo& info);
  void Unwatch(const Napi::CallbackInfo& info);
  void MarkOutside(const Napi::CallbackInfo& info);
  void ForgetOutside(const Napi::CallbackInfo& info);
  void WatchPart(const Napi::CallbackInfo& info);
  void UnwatchPart(const Napi::CallbackInfo& info);
  Napi::Value BeginBlockEpoch(const Napi::CallbackInfo& info);
  Napi::Value HasBlockFlightBefore(const Napi::CallbackInfo& info);
  Napi::Value Position(const Napi::CallbackInfo& info);
  Napi::Value TakeLost(const Napi::CallbackInfo& info);
  Napi::Value IsMapped(const Napi::CallbackInfo& info);
  Napi::Value NoteMapped(const Napi::CallbackInfo& info);
  Napi::Value Stats(const Napi::CallbackInfo& info);
  Napi::Value Quiesce(const Napi::CallbackInfo& info);
  void Resume(const Napi::CallbackInfo& info);
  Napi::Value Suspend(const Napi::CallbackInfo& info);
  static void Unpin(const Napi::CallbackInfo& info);

  static void Deliver(Napi::Env env, Napi::Function callback, void* context, Batch* batch);
  using Delivery = Napi::TypedThreadSafeFunction<void, Batch, Deliver>;

  std::vector<uint8_t*> TakeBuffers(const Napi::Value& value);

  napi_env env_;
  bool is_open_ = false;
  std::unique_ptr<Program> program_;
  std::unique_ptr<Ring> ring_;
  std::unique_ptr<Drain> drain_;
  Delivery delivery_;
  // What the batches lie in.
  std::vector<Napi::ObjectReference> buffers_;
  // What was already reported by TakeLost.
  uint64_t dirty_updates_taken_ = 0;
  uint64_t names_lost_taken_ = 0;
  uint64_t everything_lost_taken_ = 0;
  uint64_t missed_taken_ = 0;
  uint64_t last_take_ns_ = 0;
};

}  // namespace afterimage::capture
