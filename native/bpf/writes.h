/* The end of a write call: where its bytes went, and from where they are to be copied. */
#pragma once

#include "content.h"
#include "flight.h"

/* Where bytes went, and whether that is known to the byte. */
struct span {
  __u64 low;
  __u64 high;
  bool exact;
};

struct write_facts {
  __s64 start_position;
  __u64 start_size;
  /* The call was followed from its start. */
  bool started;
  bool contended;
  bool append;
  /* The call named its offset. */
  bool positioned;
};

static __always_inline struct span span_of(struct file *file, struct inode *inode, const struct write_facts *facts, __u64 offset, __u64 bytes) {
  struct span unknown = {.low = 0, .high = ~0ull, .exact = false};
  __u64 size = BPF_CORE_READ(inode, i_size);
  if (facts->positioned && !facts->append) return (struct span){.low = offset, .high = offset + bytes, .exact = true};
  __u64 position = BPF_CORE_READ(file, f_pos);
  __u64 end = facts->positioned ? size : position;
  if (end < bytes) return unknown;
  struct span plain = {.low = end - bytes, .high = end, .exact = !facts->contended};
  if (facts->append) {
    /* A position that is not the end was moved by someone who shares the descriptor. */
    if (!facts->contended) return end == size ? plain : unknown;
    if (!facts->started) return unknown;
    if (facts->start_size < plain.low) plain.low = facts->start_size;
    if (size > plain.high) plain.high = size;
    return plain;
  }
  if (!facts->started) return plain;
  __u64 start = facts->start_position;
  if (start == plain.low) {
    plain.exact = true;
    return plain;
  }
  if (!facts->contended || start > plain.low) return unknown;
  /* Others wrote through the same position: what is ours lies somewhere in between. */
  plain.low = start;
  return plain;
}

static __always_inline void end_write_inline(struct workshop *work, struct file *file, struct inode *inode, __u64 bytes, struct write_facts *facts) {
  __u32 entry = work->entry;
  const struct arguments *arguments = &work->call;
  __u32 open_flags = BPF_CORE_READ(file, f_flags);
  __u64 call_flags = entry == ENTRY_PWRITEV2 ? arguments->at[5] : 0;
  __u64 offset = arguments->at[3];
  bool direct = open_flags & O_DIRECT;
  facts->append = ((open_flags & O_APPEND) && !(call_flags & RWF_NOAPPEND)) || (call_flags & RWF_APPEND);
  facts->positioned = entry == ENTRY_PWRITE || entry == ENTRY_PWRITEV || (entry == ENTRY_PWRITEV2 && offset != ~0ull);
  struct span span = span_of(file, inode, facts, offset, bytes);
  if (direct) work->head.flags |= FLAG_DIRECT;
  if (facts->append) work->head.flags |= FLAG_APPEND;
  if (!facts->positioned) work->head.flags |= FLAG_FILE_POSITION;
  work->offset = work->low = span.low;
  work->end = work->high = span.high;
  work->ring_full = 0;
  if (span.high == ~0ull) return settle_rest(work, CAUSE_CONCURRENT);
  if (facts->contended || (counters.prefer_pages && !direct)) {
    send_from_pages(work);
    if (facts->contended || work->offset >= work->end) return settle_rest(work, CAUSE_CONCURRENT);
  }
  /* Nobody else was there: what the caller wrote is what the file holds. */
  work->user_left = 0;
  work->vector_left = 0;
  if (entry >= ENTRY_WRITEV) {
    work->offset = span.low;
    work->vector = arguments->at[1];
    work->vector_left = arguments->at[2];
  } else {
    work->user = arguments->at[1] + (work->offset - span.low);
    work->user_left = work->end - work->offset;
  }
  send_from_user(work);
  if (work->offset < work->end) {
    send_from_pages(work);
    settle_rest(work, CAUSE_USER_FAULT);
  }
}
OUT_OF_LINE(end_write, (struct workshop *work, struct file *file, struct inode *inode, __u64 bytes, struct write_facts *facts), (work, file, inode, bytes, facts))
