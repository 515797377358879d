// Module entry: puts the system calls on the exports object. Keeps no state, so any number of
// threads may load it.
#include <napi.h>

#include "calls.h"

namespace afterimage {
namespace {

// Raised whenever a call or record changes; host/addon.ts expects the same number.
constexpr int kInterfaceVersion = 5;

Napi::Object Initialize(Napi::Env env, Napi::Object exports) {
  exports.Set("interfaceVersion", Napi::Number::New(env, kInterfaceVersion));
  AddDirectoryCalls(env, exports);
  AddMetadataCalls(env, exports);
  AddXattrCalls(env, exports);
  AddFileCalls(env, exports);
  AddHandleCalls(env, exports);
  AddFanotifyCalls(env, exports);
  AddKeepCalls(env, exports);
  return exports;
}

}  // namespace

NODE_API_MODULE(afterimage, Initialize)

}  // namespace afterimage
