// Module entry of the capture addon. Streams keep all state, so any number of threads may load it.
#include <napi.h>

#include <cstdlib>

#include "stream.h"

namespace afterimage::capture {
namespace {

// Raised whenever a call or record changes; native/capture/stream.ts expects the same number.
constexpr int kInterfaceVersion = 5;

// Direct I/O asks for memory at multiples of a sector; a page is enough for any device.
constexpr size_t kAlignment = 4096;
constexpr double kAlignedBytesMax = 1 << 30;

Napi::Value AlignedBuffer(const Napi::CallbackInfo& info) {
  const Napi::Env env = info.Env();
  const double bytes = info[0].IsNumber() ? info[0].As<Napi::Number>().DoubleValue() : 0;
  if (!(bytes >= 1 && bytes <= kAlignedBytesMax)) throw Napi::RangeError::New(env, "a buffer has from 1 to 2^30 bytes");
  const size_t length = (static_cast<size_t>(bytes) + kAlignment - 1) / kAlignment * kAlignment;
  auto* memory = static_cast<uint8_t*>(std::aligned_alloc(kAlignment, length));
  if (memory == nullptr) throw Napi::Error::New(env, "no memory for a buffer");
  return Napi::Buffer<uint8_t>::New(env, memory, length, [](Napi::Env, uint8_t* each) { std::free(each); });
}

Napi::Object Initialize(Napi::Env env, Napi::Object exports) {
  exports.Set("interfaceVersion", Napi::Number::New(env, kInterfaceVersion));
  exports.Set("batchBufferBytes", Napi::Number::New(env, kBatchBufferBytes));
  exports.Set("alignedBuffer", Napi::Function::New(env, AlignedBuffer, "alignedBuffer"));
  exports.Set("Stream", Stream::Define(env));
  return exports;
}

}  // namespace

NODE_API_MODULE(afterimage_capture, Initialize)

}  // namespace afterimage::capture
