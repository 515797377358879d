// Work on the thread pool that settles a promise; holds its own descriptor until it is done.
#pragma once

#include <napi.h>

#include <utility>

#include "descriptor.h"
#include "system-error.h"

namespace afterimage {

class Task : public Napi::AsyncWorker {
 public:
  Task(Napi::Env env, Descriptor descriptor)
      : Napi::AsyncWorker(env),
        descriptor_(std::move(descriptor)),
        deferred_(Napi::Promise::Deferred::New(env)) {}

  // Queues the task, which deletes itself when done.
  Napi::Promise Start() {
    // Taken first: the task may be gone as soon as it is queued.
    const Napi::Promise promise = deferred_.Promise();
    Queue();
    return promise;
  }

 protected:
  // On the thread pool: no JavaScript here. A failure is left in `error_`.
  virtual void Run() = 0;
  virtual Napi::Value Result(Napi::Env env) = 0;

  int fd() const { return descriptor_.get(); }
  // From here on something else closes the descriptor.
  void Release() { descriptor_.Release(); }
  void FailWith(int number, const char* syscall, std::optional<std::string> entry = std::nullopt) {
    error_ = SystemError{number, syscall, std::move(entry)};
  }

 private:
  void Execute() override { Run(); }

  void OnOK() override {
    if (error_.number != 0) {
      deferred_.Reject(ToJavaScript(Env(), error_).Value());
    } else {
      deferred_.Resolve(Result(Env()));
    }
  }

  // Reached only when Run() threw, which means that memory ran out.
  void OnError(const Napi::Error& error) override { deferred_.Reject(error.Value()); }

  Descriptor descriptor_;
  SystemError error_;
  Napi::Promise::Deferred deferred_;
};

}  // namespace afterimage
