/* The records of the capture ring, and the settings and counters: what both sides of the ring share. */
#pragma once

#ifdef __cplusplus
#include <linux/types.h>
#endif

/* Little-endian; a record starts at a multiple of 8 and `bytes` is one. */
struct record_header {
  __u32 bytes;
  __u16 kind;
  __u16 flags;
  __u64 monotonic_ns;
  __u64 ino;
  __u32 generation;
  __u32 device;
  __u64 offset;
  __u64 length;
  __u64 size;
  __s64 modify_seconds;
  __u32 modify_nanoseconds;
  __u32 mode;
  __u32 uid;
  __u32 gid;
  __u32 links;
  __u32 call;
  __u32 pid;
  __u32 tid;
  __u64 start_ns;
  __u32 actor_uid;
  __u32 data_length;
  char command[16];
  __u64 a;
  __u64 b;
  __u64 tree;
};

enum record_kind {
  KIND_WRITE = 1,
  KIND_TRUNCATE = 2,
  KIND_ALLOCATE = 3,
  KIND_CLONE = 4,
  KIND_DIRTY = 5,
  KIND_NAMES = 6,
  KIND_ATTRIBUTES = 7,
  KIND_DURABLE = 8,
  KIND_TEMPORARY = 9,
  /* Of a watched block device: `device`, with offsets from its start, and no inode. */
  KIND_BLOCK_WRITE = 10,
  KIND_BLOCK_DISCARD = 11,
  KIND_BLOCK_ZERO = 12,
  KIND_BLOCK_FLUSH = 13,
};

enum record_flag {
  FLAG_PAGE_CACHE = 1,
  FLAG_DIRECT = 2,
  FLAG_APPEND = 4,
  FLAG_FILE_POSITION = 8,
  /* A block device has made it durable when it is done. */
  FLAG_DURABLE = 16,
  /* Between the program and the drain only: data is the tails of paths, which the drain cuts down to last components. */
  FLAG_RAW_PATHS = 1 << 15,
};

enum dirty_cause {
  CAUSE_RING_FULL = 0,
  CAUSE_USER_FAULT = 1,
  CAUSE_CONCURRENT = 2,
  CAUSE_ASYNCHRONOUS = 3,
  CAUSE_UNKNOWN_CALL = 4,
  CAUSE_SHARED_MAPPING = 5,
  CAUSE_NOT_BY_BYTE = 6,
  CAUSE_DEVICE_ERROR = 7,
};

enum record_call {
  CALL_WRITE = 1,
  CALL_PWRITE = 2,
  CALL_WRITEV = 3,
  CALL_PWRITEV = 4,
  CALL_PWRITEV2 = 5,
  CALL_SENDFILE = 6,
  CALL_SPLICE = 7,
  CALL_COPY_FILE_RANGE = 8,
  CALL_FTRUNCATE = 9,
  CALL_TRUNCATE = 10,
  CALL_OPEN = 11,
  CALL_FALLOCATE = 12,
  CALL_CLONE = 13,
  CALL_CLONE_RANGE = 14,
  CALL_MKDIR = 16,
  CALL_MKNOD = 17,
  CALL_SYMLINK = 18,
  CALL_LINK = 19,
  CALL_UNLINK = 20,
  CALL_RMDIR = 21,
  CALL_RENAME = 22,
  CALL_CHMOD = 23,
  CALL_FCHMOD = 24,
  CALL_CHOWN = 25,
  CALL_FCHOWN = 26,
  CALL_UTIMES = 27,
  CALL_FUTIMENS = 28,
  CALL_SETXATTR = 29,
  CALL_FSETXATTR = 30,
  CALL_REMOVEXATTR = 31,
  CALL_FREMOVEXATTR = 32,
  CALL_INODE_FLAGS = 33,
  CALL_FSYNC = 34,
  CALL_FDATASYNC = 35,
  CALL_MSYNC = 36,
  CALL_MUNMAP = 37,
  CALL_EXIT = 38,
  CALL_IO_SUBMIT = 39,
  CALL_IO_URING = 40,
  CALL_BIND = 41,
  CALL_SYNC = 42,
  CALL_SYNCFS = 43,
  CALL_OTHER = 44,
  CALL_PAGE_DIRTIED = 45,
};

/* An inode for as long as its number is not given away again. `tree` tells btrfs subvolumes apart. */
struct inode_key {
  __u64 ino;
  __u64 tree;
  __u32 generation;
  __u32 device;
};

/* The `tree` of a key that means a watched block device as a whole, and no inode. */
#define BLOCK_TREE (~0ull)

/* What is watched of a disk: itself, or partitions of it, as ranges of its bytes; those with an end of 0 are none. */
enum { DISK_PARTS = 16 };
struct watched_part {
  __u64 start;
  __u64 end;
  __u32 device;
  __u32 reserved;
};
struct watched_disk {
  struct watched_part parts[DISK_PARTS];
};

/* A change of a watched disk that was queued and is not done: [offset, end) of its bytes. */
struct block_flight {
  __u64 offset;
  __u64 end;
  __u64 epoch;
  /* Bytes of it that are not done. */
  __u64 left;
  __u32 disk;
  __u32 failed;
};

/* What is known to have changed in an inode without its content having been handed over. */
struct lost_range {
  __u64 low;
  __u64 high;
  __u64 first_ns;
  __u64 last_ns;
  /* One bit a dirty_cause. */
  __u64 causes;
  __u64 count;
};

/* Written by the programs, read by the drain's owner at any time. */
struct capture_counters {
  __u64 records;
  __u64 lost_records;
  /* Entries put into the dirty map; tells whether taking it is worth the wait. */
  __u64 dirty_updates;
  __u64 names_lost;
  __u64 names_lost_first_ns;
  __u64 everything_lost;
  __u64 everything_lost_first_ns;
  /* Asynchronous writes to captured files ever begun: their completions may go unseen. */
  __u64 uring_writes;
  /* A mapped inode that could not be remembered: every inode may be mapped from here on. */
  __u64 mapped_lost;
  /* Set by user space: the process whose calls are left out, and that the page-cache walk was seen to work. */
  __u64 excluded_pid;
  __u64 page_cache_on;
  /* Copy from the page cache what could be copied from user memory too, which may have changed since it was written. */
  __u64 prefer_pages;
  /* The content of the page whose struct page is the first at page_array_base is at direct_map_base. */
  __u64 direct_map_base;
  __u64 page_array_base;
  /* Set by user space: the kernel tells of each change of an inode (changes.h). */
  __u64 changes_told;
  /* Set by user space: which flights are under way now; those of an earlier epoch are told apart by it. */
  __u64 block_epoch;
  /* Set by user space with the first disk that is watched: until then requests are nobody's. */
  __u64 disks_watched;
};

/* One system call in the shape of its arguments; the numbers per architecture are in capture-calls.cc. */
enum entry {
  ENTRY_NONE = 0,
  ENTRY_WRITE,
  ENTRY_PWRITE,
  ENTRY_WRITEV,
  ENTRY_PWRITEV,
  ENTRY_PWRITEV2,
  ENTRY_SENDFILE,
  ENTRY_SPLICE,
  ENTRY_COPY_FILE_RANGE,
  ENTRY_FTRUNCATE,
  ENTRY_FALLOCATE,
  ENTRY_IOCTL,
  /* The calls above change the content of a descriptor's file and are followed from their start. */
  ENTRY_CONTENT_LAST = ENTRY_IOCTL,
  ENTRY_CREAT,
  ENTRY_OPEN,
  ENTRY_OPENAT,
  ENTRY_OPENAT2,
  ENTRY_TRUNCATE,
  ENTRY_FSYNC,
  ENTRY_FDATASYNC,
  ENTRY_MSYNC,
  ENTRY_SYNC,
  ENTRY_SYNCFS,
  ENTRY_SYNC_FILE_RANGE,
  ENTRY_IO_SUBMIT,
  ENTRY_IO_URING_ENTER,
  /* Down to here the start of a call matters too. */
  ENTRY_FOLLOWED_LAST = ENTRY_IO_URING_ENTER,
  ENTRY_MMAP,
  ENTRY_BIND,
  ENTRY_FCHMOD,
  ENTRY_FCHOWN,
  ENTRY_FSETXATTR,
  ENTRY_FREMOVEXATTR,
  ENTRY_UTIMENSAT,
  ENTRY_FUTIMESAT,
  ENTRY_MKDIR,
  ENTRY_MKDIRAT,
  ENTRY_MKNOD,
  ENTRY_MKNODAT,
  ENTRY_SYMLINK,
  ENTRY_SYMLINKAT,
  ENTRY_LINK,
  ENTRY_LINKAT,
  ENTRY_UNLINK,
  ENTRY_UNLINKAT,
  ENTRY_RMDIR,
  ENTRY_RENAME,
  ENTRY_RENAMEAT,
  ENTRY_RENAMEAT2,
  ENTRY_CHMOD,
  ENTRY_FCHMODAT,
  ENTRY_FCHMODAT2,
  ENTRY_CHOWN,
  ENTRY_FCHOWNAT,
  ENTRY_UTIME,
  ENTRY_SETXATTR,
  ENTRY_SETXATTRAT,
  ENTRY_REMOVEXATTR,
  ENTRY_REMOVEXATTRAT,
  ENTRY_FILE_SETATTR,
};

enum { SYSTEM_CALLS_MAX = 512 };

/* What the programs run on request are asked, and answer. */
struct mapped_request {
  struct inode_key key;
  __u64 mapped;
};
struct note_request {
  __u32 fd;
  __u32 noted;
};
struct calibrate_request {
  __u32 fd;
  __u32 found;
  __u64 pattern[4];
};
struct walk_request {
  __u32 fd;
  __u32 copied;
  __u64 offset;
};
struct identify_request {
  __u64 pid;
};
struct page_specimen {
  char bytes[4096];
};
