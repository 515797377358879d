// Module entry of the capture addon. Streams keep all state, so any number of threads may load it.
#include <napi.h>

#include "stream.h"

namespace afterimage::capture {
namespace {

// Raised whenever a call or record changes; native/capture/stream.ts expects the same number.
constexpr int kInterfaceVersion = 5;

Napi::Object Initialize(Napi::Env env, Napi::Object exports) {
  exports.Set("interfaceVersion", Napi::Number::New(env, kInterfaceVersion));
  exports.Set("batchBufferBytes", Napi::Number::New(env, kBatchBufferBytes));
  exports.Set("Stream", Stream::Define(env));
  return exports;
}

}  // namespace

NODE_API_MODULE(afterimage_capture, Initialize)

}  // namespace afterimage::capture
