// Checks and converts what JavaScript passed; anything unexpected becomes a TypeError.
#pragma once

#include <napi.h>

#include <cstdint>
#include <optional>
#include <string>

namespace afterimage {

class Arguments {
 public:
  explicit Arguments(const Napi::CallbackInfo& info) : info_(info) {}

  Napi::Env env() const { return info_.Env(); }

  // A file descriptor number. Whether it is open is for the kernel to say.
  int Descriptor(size_t index) const;
  // One path component: not empty, no '/' and no NUL. A copy, so that shared memory cannot change
  // between the check and the use.
  std::string Name(size_t index) const;
  // The same, or nothing for undefined.
  std::optional<std::string> OptionalName(size_t index) const;
  // Bytes without NUL that become a C string: a root path, a link target, an attribute key.
  std::string Text(size_t index) const;
  // Any bytes.
  std::string Bytes(size_t index) const;
  bool Flag(size_t index) const;
  uint32_t Unsigned(size_t index) const;
  // A whole number from 0 to 2^53 - 1.
  int64_t Offset(size_t index) const;
  // A bigint that fits in 64 signed bits, or nothing for undefined.
  std::optional<int64_t> OptionalInteger(size_t index) const;
  // Memory of at least `length` bytes to write a result into; valid during this call.
  uint8_t* Target(size_t index, size_t length) const;

 private:
  [[noreturn]] void Refuse(size_t index, const char* expected) const;
  double Whole(size_t index, double max, const char* expected) const;

  const Napi::CallbackInfo& info_;
};

}  // namespace afterimage
