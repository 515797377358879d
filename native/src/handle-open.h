// Opens inodes by identity, and finds where in the file system they lie. Linux only.
#pragma once

#include "descriptor.h"
#include "handle-format.h"
#include "system-error.h"

namespace afterimage {

// In all of these `mount` is a descriptor, not of O_PATH, of anything on the file system, and `format`
// is how that writes its handles.

// As open. Some file systems take a generation of 0 for "any".
int OpenHandle(int mount, int format, const NodeIdentity& identity, int flags);

// Opens exactly this inode. `failure` is 0 or an errno.
Descriptor OpenExactly(int mount, int format, const NodeIdentity& identity, int flags, int* failure);

// Whether an errno says that there is no such inode any more.
bool IsGone(int failure);

// The root directory of the whole file system, which the mount may show only a part of, perhaps as
// O_PATH. Known for the file systems whose root has a fixed number; otherwise the root of that mount.
Descriptor OpenFileSystemRoot(int mount, int format);

// Whether the way up from `directory` meets `root`, itself included. The error's number is 0, or says
// that the directory is gone, or why there is no answer.
SystemError IsBelow(int mount, int format, const NodeIdentity& directory, const NodeIdentity& root, bool* is_below);

}  // namespace afterimage
