// Errors of system calls: see system-error.h.
#include "system-error.h"

#include <uv.h>

namespace afterimage {

Napi::Error ToJavaScript(Napi::Env env, const SystemError& error) {
  const int code = uv_translate_sys_error(error.number);
  char name[64];
  char text[256];
  uv_err_name_r(code, name, sizeof(name));
  uv_strerror_r(code, text, sizeof(text));
  std::string message = std::string(name) + ": " + text + ", " + error.syscall;
  napi_value message_value;
  if (error.entry) {
    // Latin-1 keeps every byte of a name visible, whatever its encoding was.
    message += " '" + *error.entry + "'";
  }
  NAPI_THROW_IF_FAILED(env, napi_create_string_latin1(env, message.data(), message.size(), &message_value),
                       Napi::Error());
  napi_value error_value;
  NAPI_THROW_IF_FAILED(env, napi_create_error(env, nullptr, message_value, &error_value), Napi::Error());
  Napi::Error result(env, error_value);
  result.Set("errno", Napi::Number::New(env, code));
  result.Set("code", Napi::String::New(env, name));
  result.Set("syscall", Napi::String::New(env, error.syscall));
  if (error.entry) result.Set("entry", Napi::Buffer<char>::Copy(env, error.entry->data(), error.entry->size()));
  return result;
}

void Fail(Napi::Env env, int number, const char* syscall, const std::optional<std::string>& entry) {
  throw ToJavaScript(env, SystemError{number, syscall, entry});
}

}  // namespace afterimage
