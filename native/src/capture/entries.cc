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
    {426, ENTRY_IO_URING_ENTER},
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

#if defined(__x86_64__)
// Of i386: its names mean other numbers in this file's headers.
constexpr Pair kCompat[] = {
    {8, ENTRY_CREAT},  // creat
    {5, ENTRY_OPEN},  // open
    {295, ENTRY_OPENAT},  // openat
    {437, ENTRY_OPENAT2},  // openat2
    {4, ENTRY_WRITE},  // write
    {146, ENTRY_WRITEV},  // writev
    {181, ENTRY_PWRITE},  // pwrite64
    {334, ENTRY_PWRITEV},  // pwritev
    {379, ENTRY_PWRITEV2},  // pwritev2
    {187, ENTRY_SENDFILE},  // sendfile
    {239, ENTRY_SENDFILE},  // sendfile64
    {313, ENTRY_SPLICE},  // splice
    {377, ENTRY_COPY_FILE_RANGE},  // copy_file_range
    {93, ENTRY_FTRUNCATE},  // ftruncate
    {194, ENTRY_FTRUNCATE},  // ftruncate64
    {92, ENTRY_TRUNCATE},  // truncate
    {193, ENTRY_TRUNCATE},  // truncate64
    {324, ENTRY_FALLOCATE},  // fallocate
    {54, ENTRY_IOCTL},  // ioctl
    {118, ENTRY_FSYNC},  // fsync
    {148, ENTRY_FDATASYNC},  // fdatasync
    {144, ENTRY_MSYNC},  // msync
    {36, ENTRY_SYNC},  // sync
    {344, ENTRY_SYNCFS},  // syncfs
    {314, ENTRY_SYNC_FILE_RANGE},  // sync_file_range
    {248, ENTRY_IO_SUBMIT},  // io_submit
    {426, ENTRY_IO_URING_ENTER},  // io_uring_enter
    {192, ENTRY_MMAP},  // mmap2
    {361, ENTRY_BIND},  // bind
    {94, ENTRY_FCHMOD},  // fchmod
    {95, ENTRY_FCHOWN},  // fchown16
    {207, ENTRY_FCHOWN},  // fchown32
    {228, ENTRY_FSETXATTR},  // fsetxattr
    {237, ENTRY_FREMOVEXATTR},  // fremovexattr
    {320, ENTRY_UTIMENSAT},  // utimensat
    {412, ENTRY_UTIMENSAT},  // utimensat_time64
    {299, ENTRY_FUTIMESAT},  // futimesat
    {39, ENTRY_MKDIR},  // mkdir
    {296, ENTRY_MKDIRAT},  // mkdirat
    {14, ENTRY_MKNOD},  // mknod
    {297, ENTRY_MKNODAT},  // mknodat
    {83, ENTRY_SYMLINK},  // symlink
    {304, ENTRY_SYMLINKAT},  // symlinkat
    {9, ENTRY_LINK},  // link
    {303, ENTRY_LINKAT},  // linkat
    {10, ENTRY_UNLINK},  // unlink
    {301, ENTRY_UNLINKAT},  // unlinkat
    {40, ENTRY_RMDIR},  // rmdir
    {38, ENTRY_RENAME},  // rename
    {302, ENTRY_RENAMEAT},  // renameat
    {353, ENTRY_RENAMEAT2},  // renameat2
    {15, ENTRY_CHMOD},  // chmod
    {306, ENTRY_FCHMODAT},  // fchmodat
    {452, ENTRY_FCHMODAT2},  // fchmodat2
    {182, ENTRY_CHOWN},  // chown16
    {212, ENTRY_CHOWN},  // chown32
    {16, ENTRY_CHOWN},  // lchown16
    {198, ENTRY_CHOWN},  // lchown32
    {298, ENTRY_FCHOWNAT},  // fchownat
    {30, ENTRY_UTIME},  // utime
    {271, ENTRY_UTIME},  // utimes
    {226, ENTRY_SETXATTR},  // setxattr
    {227, ENTRY_SETXATTR},  // lsetxattr
    {463, ENTRY_SETXATTRAT},  // setxattrat
    {235, ENTRY_REMOVEXATTR},  // removexattr
    {236, ENTRY_REMOVEXATTR},  // lremovexattr
    {466, ENTRY_REMOVEXATTRAT},  // removexattrat
    {469, ENTRY_FILE_SETATTR},  // file_setattr
};
#endif

}  // namespace

void FillNativeEntries(uint8_t* entries) {
  for (const Pair& pair : kNative) entries[pair.number] = pair.call;
}

void FillCompatEntries([[maybe_unused]] uint8_t* entries) {
#if defined(__x86_64__)
  for (const Pair& pair : kCompat) entries[pair.number] = pair.call;
#endif
}

}  // namespace afterimage::capture
