// Takes back descriptors that another process holds for this one. Only Linux has that; elsewhere it fails with ENOSYS.
#ifdef __linux__
#include <sys/syscall.h>
#endif
#include <unistd.h>

#include <cerrno>

#include "arguments.h"
#include "calls.h"
#include "descriptor.h"
#include "system-error.h"

namespace afterimage {
namespace {

#ifdef __linux__

// Older headers lack them; the numbers are the same on every architecture.
constexpr long kPidfdOpen = 434;
constexpr long kPidfdGetfd = 438;

// takeDescriptor(pid, fd): number. A descriptor of what `fd` is in that process: pidfd_getfd(2).
Napi::Value TakeDescriptor(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const uint32_t pid = arguments.Unsigned(0);
  const int fd = arguments.Descriptor(1);
  const Descriptor process(static_cast<int>(syscall(kPidfdOpen, pid, 0)));
  if (!process.valid()) Fail(info.Env(), errno, "pidfd_open");
  const int taken = static_cast<int>(syscall(kPidfdGetfd, process.get(), fd, 0));
  if (taken == -1) Fail(info.Env(), errno, "pidfd_getfd");
  return Napi::Number::New(info.Env(), taken);
}

#else

Napi::Value Unavailable(const Napi::CallbackInfo& info) {
  Fail(info.Env(), ENOSYS, "descriptors of other processes");
}

#endif

}  // namespace

void AddKeepCalls(Napi::Env env, Napi::Object exports) {
#ifdef __linux__
  exports.Set("takeDescriptor", Napi::Function::New<TakeDescriptor>(env, "takeDescriptor"));
#else
  exports.Set("takeDescriptor", Napi::Function::New<Unavailable>(env, "takeDescriptor"));
#endif
}

}  // namespace afterimage
