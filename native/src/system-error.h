// A failed system call, and its JavaScript error in the shape that Node's own errors have.
#pragma once

#include <napi.h>

#include <cerrno>
#include <optional>
#include <string>

namespace afterimage {

struct SystemError {
  int number = 0;
  const char* syscall = "";
  std::optional<std::string> entry;
};

// Error with code, errno (negative), syscall, message and, where there is a name, entry (a Buffer).
Napi::Error ToJavaScript(Napi::Env env, const SystemError& error);

// Throws for the errno that `number` holds; take errno before anything else can change it.
[[noreturn]] void Fail(Napi::Env env, int number, const char* syscall,
                       const std::optional<std::string>& entry = std::nullopt);

// Repeats a call that a signal interrupted. Not for close, which must never be repeated.
template <typename Call>
auto Retry(Call call) -> decltype(call()) {
  for (;;) {
    const auto result = call();
    if (result != -1 || errno != EINTR) return result;
  }
}

}  // namespace afterimage
