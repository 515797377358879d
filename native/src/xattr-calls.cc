// Extended attributes and inode flags of an entry or of the open directory itself.
#include "arguments.h"
#include "attributes.h"
#include "calls.h"

namespace afterimage {
namespace {

// xattrs(fd, name | undefined): [key, value, key, value, …] as Buffers
Napi::Value Xattrs(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const int fd = arguments.Descriptor(0);
  const std::optional<std::string> name = arguments.OptionalName(1);
  const Napi::Array result = Napi::Array::New(info.Env());
  Attributes(fd, name).AppendAll(info.Env(), result);
  return result;
}

// setXattr(fd, name | undefined, key, value)
void SetXattr(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const int fd = arguments.Descriptor(0);
  const std::optional<std::string> name = arguments.OptionalName(1);
  const std::string key = arguments.Text(2);
  const std::string value = arguments.Bytes(3);
  Attributes(fd, name).Set(info.Env(), key, value);
}

// removeXattr(fd, name | undefined, key)
void RemoveXattr(const Napi::CallbackInfo& info) {
  const Arguments arguments(info);
  const int fd = arguments.Descriptor(0);
  const std::optional<std::string> name = arguments.OptionalName(1);
  const std::string key = arguments.Text(2);
  Attributes(fd, name).Remove(info.Env(), key);
}

}  // namespace

void AddXattrCalls(Napi::Env env, Napi::Object exports) {
  exports.Set("xattrs", Napi::Function::New<Xattrs>(env, "xattrs"));
  exports.Set("setXattr", Napi::Function::New<SetXattr>(env, "setXattr"));
  exports.Set("removeXattr", Napi::Function::New<RemoveXattr>(env, "removeXattr"));
}

}  // namespace afterimage
