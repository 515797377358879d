// Extended attributes and inode flags of an entry, or of what a descriptor is open on; a symbolic link's own, never its
// target's.
#pragma once

#include <napi.h>

#include <optional>
#include <string>

#include "descriptor.h"

namespace afterimage {

class Attributes {
 public:
  // Of `name` in the directory `fd`, or of what `fd` is open on, which on Linux may be as O_PATH.
  Attributes(int fd, const std::optional<std::string>& name);

  // Puts keys and values in turn behind what `result` holds, as Buffers; inode flags under kFlagsKey. Throws.
  void AppendAll(Napi::Env env, Napi::Array result) const;
  // These throw as well.
  void Set(Napi::Env env, const std::string& key, const std::string& value) const;
  void Remove(Napi::Env env, const std::string& key) const;

 private:
  void CheckOpen(Napi::Env env, const char* syscall) const;

  const std::optional<std::string> name_;
  const Descriptor entry_;
  const int failure_;
  const int node_;
};

}  // namespace afterimage
