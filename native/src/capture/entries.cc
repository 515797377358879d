// System call numbers by architecture. Numbers that older headers lack are the same everywhere.
#include "entries.h"

#include <sys/syscall.h>

#include "../../bpf/record.h"

namespace afterimage::capture {
namespace {

struct Pair {
  int number;
  entry call;
};

constexpr Pair kNative[] = {
    {SYS_write, ENTRY_WRITE},
    {SYS_pwrite64, ENTRY_PWRITE},
    {SYS_writev, ENTRY_WRITEV},
    {SYS_pwritev, ENTRY_PWRITEV},
    {SYS_pwritev2, ENTRY_PWRITEV2},
    {SYS_sendfile, ENTRY_SENDFILE},
    {SYS_splice, ENTRY_SPLICE},
    {SYS_copy_file_range, ENTRY_COPY_FILE_RANGE},
    {SYS_ftruncate, ENTRY_FTRUNCATE},
    {SYS_fallocate, ENTRY_FALLOCATE},
    {SYS_ioctl, ENTRY_IOCTL},
    {SYS_openat, ENTRY_OPENAT},
    {437, ENTRY_OPENAT2},
    {SYS_truncate, ENTRY_TRUNCATE},
    {SYS_fsync, ENTRY_FSYNC},
    {SYS_fdatasync, ENTRY_FDATASYNC},
    {SYS_msync, ENTRY_MSYNC},
    {SYS_sync, ENTRY_SYNC},
    {SYS_syncfs, ENTRY_SYNCFS},
    {SYS_sync_file_range, ENTRY_SYNC_FILE_RANGE},
    {SYS_io_submit, ENTRY_IO_SUBMIT},
    {SYS_mmap, ENTRY_MMAP},
    {SYS_bind, ENTRY_BIND},
    {SYS_fchmod, ENTRY_FCHMOD},
    {SYS_fchown, ENTRY_FCHOWN},
    {SYS_fsetxattr, ENTRY_FSETXATTR},
    {SYS_fremovexattr, ENTRY_FREMOVEXATTR},
    {SYS_utimensat, ENTRY_UTIMENSAT},
    {SYS_mkdirat, ENTRY_MKDIRAT},
    {SYS_mknodat, ENTRY_MKNODAT},
    {SYS_symlinkat, ENTRY_SYMLINKAT},
    {SYS_linkat, ENTRY_LINKAT},
    {SYS_unlinkat, ENTRY_UNLINKAT},
#ifdef SYS_renameat
    {SYS_renameat, ENTRY_RENAMEAT},
#endif
    {SYS_renameat2, ENTRY_RENAMEAT2},
    {SYS_fchmodat, ENTRY_FCHMODAT},
    {452, ENTRY_FCHMODAT2},
    {SYS_fchownat, ENTRY_FCHOWNAT},
    {SYS_setxattr, ENTRY_SETXATTR},
    {SYS_lsetxattr, ENTRY_SETXATTR},
    {463, ENTRY_SETXATTRAT},
    {SYS_removexattr, ENTRY_REMOVEXATTR},
    {SYS_lremovexattr, ENTRY_REMOVEXATTR},
    {466, ENTRY_REMOVEXATTRAT},
    {469, ENTRY_FILE_SETATTR},
#ifdef SYS_open
    {SYS_creat, ENTRY_CREAT},
    {SYS_open, ENTRY_OPEN},
    {SYS_futimesat, ENTRY_FUTIMESAT},
    {SYS_mkdir, ENTRY_MKDIR},
    {SYS_mknod, ENTRY_MKNOD},
    {SYS_symlink, ENTRY_SYMLINK},
    {SYS_link, ENTRY_LINK},
    {SYS_unlink, ENTRY_UNLINK},
    {SYS_rmdir, ENTRY_RMDIR},
    {SYS_rename, ENTRY_RENAME},
    {SYS_chmod, ENTRY_CHMOD},
    {SYS_chown, ENTRY_CHOWN},
    {SYS_lchown, ENTRY_CHOWN},
    {SYS_utime, ENTRY_UTIME},
    {SYS_utimes, ENTRY_UTIME},
#endif
};

}  // namespace

void FillNativeEntries(uint8_t* entries) {
  for (const Pair& pair : kNative) entries[pair.number] = pair.call;
}

void FillCompatEntries(uint8_t*) {}

}  // namespace afterimage::capture
