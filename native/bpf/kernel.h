/*
 * The few kernel structures that the programs read, by the names of their fields: the loader finds
 * where they are on the running kernel. What differs between kernels is told apart here and only here.
 */
#pragma once

typedef unsigned char __u8;
typedef short __s16;
typedef unsigned short __u16;
typedef int __s32;
typedef unsigned int __u32;
typedef long long __s64;
typedef unsigned long long __u64;
typedef __u16 __be16;
typedef __u32 __be32;
typedef __u32 __wsum;
typedef _Bool bool;
enum { false = 0, true = 1 };
#define NULL ((void *)0)

/* Of bpf_map_def and flags, only what is used: the loader's headers bring no kernel definitions. */
enum bpf_map_type {
  BPF_MAP_TYPE_HASH = 1,
  BPF_MAP_TYPE_ARRAY = 2,
  BPF_MAP_TYPE_PROG_ARRAY = 3,
  BPF_MAP_TYPE_PERCPU_ARRAY = 6,
  BPF_MAP_TYPE_LRU_HASH = 9,
  BPF_MAP_TYPE_ARRAY_OF_MAPS = 12,
  BPF_MAP_TYPE_RINGBUF = 27,
  BPF_MAP_TYPE_TASK_STORAGE = 29,
};
enum { BPF_ANY = 0, BPF_NOEXIST = 1, BPF_F_NO_PREALLOC = 1 };
enum { BPF_LOCAL_STORAGE_GET_F_CREATE = 1 };

#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_tracing.h>

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

#if defined(__TARGET_ARCH_x86)
struct pt_regs {
  unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip;
};
struct thread_info {
  __u32 status;
};
#elif defined(__TARGET_ARCH_arm64)
struct user_pt_regs {
  __u64 regs[31];
};
struct pt_regs {
  __u64 regs[31];
  __u64 orig_x0;
  __s32 syscallno;
};
struct thread_info {
  unsigned long flags;
};
#endif

struct kuid {
  __u32 val;
};
struct cred {
  struct kuid euid;
};
struct dentry;
struct path {
  struct dentry *dentry;
};
struct list_head {
  struct list_head *next, *prev;
};
struct super_block {
  __u32 s_dev;
  unsigned long s_magic;
};
struct timespec64 {
  __s64 tv_sec;
  long tv_nsec;
};
struct xarray {
  void *xa_head;
};
struct xa_node {
  unsigned char shift;
  void *slots[64];
};
struct inode;
struct address_space {
  struct inode *host;
  struct xarray i_pages;
  struct {
    int counter;
  } i_mmap_writable;
};
struct inode {
  __u16 i_mode;
  struct kuid i_uid;
  struct kuid i_gid;
  struct super_block *i_sb;
  struct address_space *i_mapping;
  unsigned long i_ino;
  unsigned int i_nlink;
  __s64 i_size;
  __u32 i_generation;
  /* The low half where it is an unsigned long. */
  __u32 i_state;
};
/* 6.11 */
struct inode___seconds {
  __s64 i_mtime_sec;
  __u32 i_mtime_nsec;
};
/* 6.7 */
struct inode___hidden {
  struct timespec64 __i_mtime;
};
struct inode___plain {
  struct timespec64 i_mtime;
};
enum inode_state_flags_t { I_SYNC = 2 };
/* 6.18 */
struct inode___flagged {
  enum inode_state_flags_t i_state;
};
struct qstr {
  __u32 len;
  const unsigned char *name;
};
struct dentry {
  struct dentry *d_parent;
  struct qstr d_name;
  struct inode *d_inode;
};
struct file {
  __u32 f_mode;
  __u32 f_flags;
  struct path f_path;
  struct inode *f_inode;
  void *private_data;
  __s64 f_pos;
};
struct fdtable {
  unsigned int max_fds;
  struct file **fd;
};
struct files_struct {
  struct fdtable *fdt;
};
struct mm_struct;
struct task_struct {
  struct thread_info thread_info;
  unsigned int flags;
  int pid;
  int tgid;
  __u64 start_boottime;
  struct task_struct *group_leader;
  const struct cred *cred;
  struct mm_struct *mm;
  struct files_struct *files;
  char comm[16];
};
/* Its flags come first everywhere; only their type differs. */
struct page {};
/* 6.18 */
struct folio___counted {
  unsigned int _nr_pages;
};
/* 6.6 */
struct folio___prefixed {
  unsigned int _folio_nr_pages;
};
struct folio {
  struct address_space *mapping;
  unsigned long index;
};
struct btrfs_key {
  __u64 objectid;
} __attribute__((packed));
struct btrfs_root {
  struct btrfs_key root_key;
};
struct btrfs_inode {
  struct btrfs_root *root;
  struct inode vfs_inode;
};
/* 6.13 */
struct ovl_file {
  struct file *realfile;
  struct file *upperfile;
};
struct kiocb {
  __s64 ki_pos;
  int ki_flags;
};
struct io_rw {
  struct kiocb kiocb;
  __u64 addr;
  __u32 len;
};
struct io_cqe {
  __s32 res;
};
struct io_kiocb {
  struct file *file;
  __u8 opcode;
  __u64 flags;
  struct io_cqe cqe;
};
/* 6.13 */
struct io_uring_task {
  struct task_struct *task;
};
struct io_kiocb___owned {
  struct io_uring_task *tctx;
};
struct io_kiocb___plain {
  struct task_struct *task;
};
struct open_how {
  __u64 flags;
};
struct io_open {
  __u32 file_slot;
  struct open_how how;
};
struct io_sync {
  __s64 len;
  __s64 off;
  int mode;
};
struct vm_area_struct {
  struct file *vm_file;
};
struct gendisk;
struct block_device {
  __u32 bd_dev;
  struct gendisk *bd_disk;
};
struct gendisk {
  struct block_device *part0;
};
struct bvec_iter {
  __u64 bi_sector;
  __u32 bi_size;
  __u32 bi_idx;
  __u32 bi_bvec_done;
};
struct bio_vec {
  struct page *bv_page;
  __u32 bv_len;
  __u32 bv_offset;
};
struct bio {
  struct bio *bi_next;
  void *bi_private;
  struct block_device *bi_bdev;
  __u32 bi_opf;
  __u8 bi_status;
  struct bvec_iter bi_iter;
  struct bio_vec *bi_io_vec;
};
struct request {
  struct bio *bio;
};
/* Where the kernel can encrypt on the way to the device. */
struct bio___encrypted {
  void *bi_crypt_context;
};
enum req_flag_bits { __REQ_FUA = 17, __REQ_PREFLUSH = 18 };
enum inode_state_bits { __I_SYNC = 1 };
enum pageflags { PG_head = 6 };
#pragma clang attribute pop

enum { PAGE_SHIFT = 12, PAGE_BYTES = 4096 };

/* From the kernel's own headers; none of these has changed since bpf_loop exists (5.17). */
enum {
  S_IFMT = 0170000,
  S_IFREG = 0100000,
  AF_UNIX = 1,
  AT_EMPTY_PATH = 0x1000,
  AT_REMOVEDIR = 0x200,
  MAP_TYPE = 0xf,
  MAP_SHARED = 1,
  MAP_SHARED_VALIDATE = 3,
  PROT_WRITE = 2,
  O_CREAT = 0100,
  O_TRUNC = 01000,
  O_APPEND = 02000,
#if defined(__TARGET_ARCH_arm64)
  O_DIRECT = 0200000,
#else
  O_DIRECT = 040000,
#endif
  TMPFILE_BIT = 020000000,
  FMODE_WRITE = 0x2,
  FMODE_CREATED = 0x100000,
  PF_WQ_WORKER = 0x20,
  PF_USER_WORKER = 0x4000, /* threads of io_uring */
  PF_LOCAL_THROTTLE = 0x100000,
  PF_KTHREAD = 0x200000,
  BTRFS_MAGIC = 0x9123683e,
  OVERLAY_MAGIC = 0x794c7630,
  TMPFS_MAGIC = 0x01021994,
  SECTOR_SHIFT = 9,
  RWF_APPEND = 0x10,
  RWF_NOAPPEND = 0x20,
  EINTR = 4,
  EIO = 5,
  EAGAIN = 11,
  ENOMEM = 12,
  ENOSPC = 28,
  EDQUOT = 122,
};

/*
 * Tasks and registers come typed from the kernel, so that their fields can be read directly; everything
 * else is read by BPF_CORE_READ, a call each.
 */

/* A 32-bit task on a 64-bit kernel: its numbers and arguments are its own architecture's. */
static __always_inline bool is_compat(struct task_struct *task) {
#if defined(__TARGET_ARCH_x86)
  return task->thread_info.status & 2; /* TS_COMPAT */
#else
  return task->thread_info.flags & (1 << 22); /* TIF_32BIT */
#endif
}

static __always_inline __u64 system_call_number(struct pt_regs *regs) {
#if defined(__TARGET_ARCH_x86)
  return regs->orig_ax;
#else
  return (__u32)regs->syscallno;
#endif
}

struct arguments {
  __u64 at[6];
};

/* The registers still hold the arguments when a call returns (arm64's first one aside, which has a copy). */
static __always_inline void read_arguments(struct pt_regs *regs, bool compat, struct arguments *out) {
#if defined(__TARGET_ARCH_x86)
  if (compat) {
    out->at[0] = (__u32)regs->bx;
    out->at[1] = (__u32)regs->cx;
    out->at[2] = (__u32)regs->dx;
    out->at[3] = (__u32)regs->si;
    out->at[4] = (__u32)regs->di;
    out->at[5] = (__u32)regs->bp;
    return;
  }
  out->at[0] = regs->di;
  out->at[1] = regs->si;
  out->at[2] = regs->dx;
  out->at[3] = regs->r10;
  out->at[4] = regs->r8;
  out->at[5] = regs->r9;
#else
  out->at[0] = regs->orig_x0;
  for (int i = 1; i < 6; i++) out->at[i] = regs->regs[i];
  if (compat)
    for (int i = 0; i < 6; i++) out->at[i] = (__u32)out->at[i];
#endif
}

/* From an inode that was copied to `bytes`. */
static __always_inline void read_modify_time(const char *bytes, __s64 *seconds, __u32 *nanoseconds) {
  struct inode___seconds *newest = NULL;
  struct inode___hidden *newer = NULL;
  if (bpf_core_field_exists(newest->i_mtime_sec)) {
    *seconds = *(__s64 *)(bytes + bpf_core_field_offset(struct inode___seconds, i_mtime_sec));
    *nanoseconds = *(__u32 *)(bytes + bpf_core_field_offset(struct inode___seconds, i_mtime_nsec));
    return;
  }
  const struct timespec64 *time = bpf_core_field_exists(newer->__i_mtime) ? (void *)(bytes + bpf_core_field_offset(struct inode___hidden, __i_mtime))
                                                                           : (void *)(bytes + bpf_core_field_offset(struct inode___plain, i_mtime));
  *seconds = time->tv_sec;
  *nanoseconds = time->tv_nsec;
}

/* The task whose memory a request's buffer lies in. */
static __always_inline struct task_struct *owner_of(struct io_kiocb *request) {
  struct io_kiocb___owned *owned = (void *)request;
  struct io_kiocb___plain *plain = (void *)request;
  if (bpf_core_field_exists(owned->tctx)) return BPF_CORE_READ(owned, tctx, task);
  if (bpf_core_field_exists(plain->task)) return BPF_CORE_READ(plain, task);
  return NULL;
}

/* Writeback is under way on the inode. */
static __always_inline bool is_being_written_back(struct inode *inode) {
  struct inode___flagged *flagged = (void *)inode;
  if (bpf_core_field_exists(flagged->i_state)) return BPF_CORE_READ(flagged, i_state) & bpf_core_enum_value(enum inode_state_flags_t, I_SYNC);
  if (bpf_core_enum_value_exists(enum inode_state_bits, __I_SYNC)) return BPF_CORE_READ(inode, i_state) & 1u << bpf_core_enum_value(enum inode_state_bits, __I_SYNC);
  return BPF_CORE_READ(inode, i_state) & 1 << 7;
}
