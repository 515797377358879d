// The groups of calls that the module offers, one source file each.
#pragma once

#include <napi.h>

namespace afterimage {

void AddDirectoryCalls(Napi::Env env, Napi::Object exports);
void AddMetadataCalls(Napi::Env env, Napi::Object exports);
void AddXattrCalls(Napi::Env env, Napi::Object exports);
void AddFanotifyCalls(Napi::Env env, Napi::Object exports);
void AddFileCalls(Napi::Env env, Napi::Object exports);
void AddHandleCalls(Napi::Env env, Napi::Object exports);
void AddKeepCalls(Napi::Env env, Napi::Object exports);

}  // namespace afterimage
