// Argument checks: see arguments.h.
#include "arguments.h"

#include <climits>
#include <cmath>

namespace afterimage {

void Arguments::Refuse(size_t index, const char* expected) const {
  throw Napi::TypeError::New(env(), "argument " + std::to_string(index + 1) + " must be " + expected);
}

double Arguments::Whole(size_t index, double max, const char* expected) const {
  const Napi::Value value = info_[index];
  if (!value.IsNumber()) Refuse(index, expected);
  const double number = value.As<Napi::Number>().DoubleValue();
  // Written so that NaN is refused too.
  if (!(number >= 0 && number <= max) || std::floor(number) != number) Refuse(index, expected);
  return number;
}

int Arguments::Descriptor(size_t index) const {
  return static_cast<int>(Whole(index, INT_MAX, "a file descriptor"));
}

uint32_t Arguments::Unsigned(size_t index) const {
  return static_cast<uint32_t>(Whole(index, UINT32_MAX, "an unsigned 32-bit number"));
}

int64_t Arguments::Offset(size_t index) const {
  return static_cast<int64_t>(Whole(index, 9007199254740991.0, "a whole number up to 2^53 - 1"));
}

std::string Arguments::Bytes(size_t index) const {
  const Napi::Value value = info_[index];
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array) {
    Refuse(index, "a Uint8Array");
  }
  const Napi::Uint8Array array = value.As<Napi::Uint8Array>();
  const size_t length = array.ElementLength();
  if (length == 0) return std::string();
  return std::string(reinterpret_cast<const char*>(array.Data()), length);
}

std::string Arguments::Text(size_t index) const {
  std::string text = Bytes(index);
  if (text.find('\0') != std::string::npos) Refuse(index, "bytes without NUL");
  return text;
}

std::string Arguments::Name(size_t index) const {
  std::string name = Text(index);
  if (name.empty() || name.find('/') != std::string::npos) Refuse(index, "a single path component");
  return name;
}

std::optional<std::string> Arguments::OptionalName(size_t index) const {
  if (info_[index].IsUndefined()) return std::nullopt;
  return Name(index);
}

bool Arguments::Flag(size_t index) const {
  if (!info_[index].IsBoolean()) Refuse(index, "a boolean");
  return info_[index].As<Napi::Boolean>().Value();
}

std::optional<int64_t> Arguments::OptionalInteger(size_t index) const {
  const Napi::Value value = info_[index];
  if (value.IsUndefined()) return std::nullopt;
  if (!value.IsBigInt()) Refuse(index, "a bigint or undefined");
  bool lossless = false;
  const int64_t integer = value.As<Napi::BigInt>().Int64Value(&lossless);
  if (!lossless) Refuse(index, "a bigint of 64 signed bits");
  return integer;
}

uint8_t* Arguments::Target(size_t index, size_t length) const {
  const Napi::Value value = info_[index];
  if (!value.IsTypedArray() || value.As<Napi::TypedArray>().TypedArrayType() != napi_uint8_array ||
      value.As<Napi::Uint8Array>().ElementLength() < length) {
    Refuse(index, "a large enough Uint8Array");
  }
  return value.As<Napi::Uint8Array>().Data();
}

}  // namespace afterimage
