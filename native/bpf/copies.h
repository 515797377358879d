/* The end of calls that change content without a user buffer: copies, clones, truncation, allocation. */
#pragma once

#include "writes.h"

enum {
  FICLONE = 0x40049409,
  FICLONERANGE = 0x4020940d,
  FS_IOC_SETFLAGS = 0x40086602,
  FS_IOC32_SETFLAGS = 0x40046602,
  FS_IOC_FSSETXATTR = 0x401c5820,
  /* Allocation as it was before fallocate, and what swaps or writes extents: told apart no further. */
  FS_IOC_RESVSP = 0x40305828,
  FS_IOC_UNRESVSP = 0x40305829,
  FS_IOC_RESVSP64 = 0x4030582a,
  FS_IOC_UNRESVSP64 = 0x4030582b,
  FS_IOC_ZERO_RANGE = 0x40305839,
  XFS_IOC_SWAPEXT = 0xc0c0586d,
  XFS_IOC_EXCHANGE_RANGE = 0x40285881,
  EXT4_IOC_SWAP_BOOT = 0x6611,
  BTRFS_IOC_ENCODED_WRITE = 0x40809440,
};
enum { FALLOC_COLLAPSE = 0x08, FALLOC_INSERT = 0x20 };

static __always_inline bool is_clone_ioctl(__u32 command) { return command == FICLONE || command == FICLONERANGE; }

static __always_inline bool is_opaque_ioctl(__u32 command) {
  switch (command) {
    case FS_IOC_RESVSP:
    case FS_IOC_UNRESVSP:
    case FS_IOC_RESVSP64:
    case FS_IOC_UNRESVSP64:
    case FS_IOC_ZERO_RANGE:
    case XFS_IOC_SWAPEXT:
    case XFS_IOC_EXCHANGE_RANGE:
    case EXT4_IOC_SWAP_BOOT:
    case BTRFS_IOC_ENCODED_WRITE:
      return true;
  }
  return false;
}

/*
 * Sends that [offset, end) took the source's content at source_offset. False when the source is on another
 * file system or in another tree, or when it was written meanwhile: then what it holds when the record is
 * met need not be what was taken.
 */
static __noinline bool send_clone(struct workshop *work, struct file *source, __u64 source_offset) {
  struct inode *inode = inode_of(source);
  struct inode_key key = {};
  if (!watched_key(inode, &key) || key.device != work->key.device || key.tree != work->key.tree) return false;
  if (was_disturbed(&key, work->start_ns)) return false;
  work->head.kind = KIND_CLONE;
  work->head.offset = work->offset;
  work->head.length = work->end - work->offset;
  work->head.data_length = 8;
  work->head.a = key.ino;
  work->head.b = key.generation;
  send_about_inode(work, source_offset, work->offset, work->end);
  work->head.data_length = 0;
  work->head.a = work->head.b = 0;
  return true;
}

/* The offset that a copy ended at: behind the pointer if there is one, else the file's position. */
static __always_inline bool end_offset(struct file *file, __u64 pointer, __u64 *out) {
  if (!pointer) {
    *out = BPF_CORE_READ(file, f_pos);
    return true;
  }
  return bpf_probe_read_user(out, sizeof(*out), (void *)pointer) == 0;
}

/* sendfile, splice and copy_file_range into a file. */
static __always_inline void end_copy_inline(struct workshop *work, struct file *file, struct inode *inode, __u64 bytes, struct write_facts *facts) {
  const struct arguments *arguments = &work->call;
  __u64 pointer = work->entry == ENTRY_SENDFILE ? 0 : arguments->at[3];
  __u64 end = 0;
  struct span span = {.low = 0, .high = ~0ull};
  facts->append = BPF_CORE_READ(file, f_flags) & O_APPEND;
  facts->positioned = pointer != 0;
  if (end_offset(file, pointer, &end) && end >= bytes) span = span_of(file, inode, facts, end - bytes, bytes);
  work->offset = work->low = span.low;
  work->end = work->high = span.high;
  work->ring_full = 0;
  if (span.high == ~0ull) return settle_rest(work, CAUSE_CONCURRENT);
  if (!facts->positioned) work->head.flags |= FLAG_FILE_POSITION;
  send_from_pages(work);
  if (work->offset >= work->end) return;
  if (facts->contended) return settle_rest(work, CAUSE_CONCURRENT);
  if (work->entry == ENTRY_COPY_FILE_RANGE && !work->ring_full) {
    struct file *source = file_of(bpf_get_current_task_btf(), arguments->at[0]);
    __u64 source_end = 0;
    if (source && end_offset(source, arguments->at[1], &source_end) && send_clone(work, source, source_end - (work->end - work->offset))) return;
  }
  settle_rest(work, CAUSE_NOT_BY_BYTE);
}
OUT_OF_LINE(end_copy, (struct workshop *work, struct file *file, struct inode *inode, __u64 bytes, struct write_facts *facts), (work, file, inode, bytes, facts))

static __always_inline void end_truncate(struct workshop *work) {
  work->head.kind = KIND_TRUNCATE;
  /* Whoever made the file longer again may have returned first: then from the cut on nothing is certain. */
  work->low = work->compat ? 0 : work->call.at[1];
  send_about_inode(work, 0, 0, ~0ull);
}

static __always_inline void send_allocation(struct workshop *work, __u32 mode, __u64 offset, __u64 length) {
  work->offset = work->low = offset;
  work->end = work->high = mode & (FALLOC_COLLAPSE | FALLOC_INSERT) ? ~0ull : offset + length;
  work->head.kind = KIND_ALLOCATE;
  work->head.a = mode;
  work->head.offset = offset;
  work->head.length = length;
  send_about_inode(work, 0, work->offset, work->end);
}

static __always_inline void end_clone_inline(struct workshop *work, struct write_facts *facts) {
  __u64 range[4] = {}; /* struct file_clone_range: source, its offset, length, our offset */
  bool whole = (__u32)work->call.at[1] == FICLONE;
  work->ring_full = 0;
  work->offset = 0;
  work->end = ~0ull;
  if (whole) range[0] = (__u32)work->call.at[2];
  bool known = whole || bpf_probe_read_user(range, sizeof(range), (void *)work->call.at[2]) == 0;
  struct file *source = known ? file_of(bpf_get_current_task_btf(), range[0]) : NULL;
  if (!source) return settle_rest(work, CAUSE_NOT_BY_BYTE);
  __u64 size = BPF_CORE_READ(inode_of(source), i_size);
  __u64 length = range[2] ? range[2] : size > range[1] ? size - range[1] : 0;
  work->offset = work->low = range[3];
  work->end = work->high = range[3] + length;
  work->head.call = whole ? CALL_CLONE : CALL_CLONE_RANGE;
  if (facts->contended || !send_clone(work, source, range[1])) settle_rest(work, facts->contended ? CAUSE_CONCURRENT : CAUSE_NOT_BY_BYTE);
}
OUT_OF_LINE(end_clone, (struct workshop *work, struct write_facts *facts), (work, facts))
