/* Puts the content of [offset, end) into the ring, from user memory or from the page cache. */
#pragma once

#include "page-cache.h"

enum { CHUNK_BYTES = 65536, CHUNKS_MAX = 1 << 17 };

enum chunk_verdict { CHUNK_SENT, CHUNK_UNREADABLE, CHUNK_RING_FULL };

static __always_inline long read_memory(void *to, __u32 bytes, __u64 from, bool user) {
  return user ? bpf_probe_read_user(to, bytes, (void *)from) : bpf_probe_read_kernel(to, bytes, (void *)from);
}

static __always_inline bool is_still_there(struct workshop *work, __u64 page, __u32 bytes) {
  struct inode *inode = (struct inode *)work->inode;
  return page_at(work->mapping, work->offset >> PAGE_SHIFT) == page && BPF_CORE_READ(inode, i_size) >= work->offset + bytes;
}

/*
 * One record of a size class, of which `bytes` are used. `page`, if not 0, must still be the page at
 * the offset once its content is read, and lie before the file's end: otherwise the content may be
 * another file's, or belong before a truncation that already has its place in the ring.
 */
#define SEND_CLASS(CLASS)                                                                        \
  {                                                                                              \
    struct {                                                                                     \
      struct record_header head;                                                                 \
      char data[CLASS];                                                                          \
    } *record = bpf_ringbuf_reserve(&ring, sizeof(*record), 0);                                  \
    if (!record) return CHUNK_RING_FULL;                                                         \
    work->head.monotonic_ns = bpf_ktime_get_ns();                                                \
    record->head = work->head;                                                                   \
    long failed;                                                                                 \
    if (bytes >= CLASS) {                                                                        \
      failed = read_memory(record->data, CLASS, from, user);                                     \
    } else {                                                                                     \
      __u32 part = bytes & (CLASS - 1);                                                          \
      barrier_var(part);                                                                         \
      failed = read_memory(record->data, part & (CLASS - 1), from, user);                        \
    }                                                                                            \
    if (failed || (page && !is_still_there(work, page, bytes))) {                                \
      bpf_ringbuf_discard(record, 0);                                                            \
      return CHUNK_UNREADABLE;                                                                   \
    }                                                                                            \
    bpf_ringbuf_submit(record, 0);                                                               \
    return CHUNK_SENT;                                                                           \
  }

static __always_inline enum chunk_verdict send_chunk(struct workshop *work, __u64 from, __u32 bytes, bool user, __u64 page) {
  work->head.offset = work->offset;
  work->head.length = bytes;
  work->head.data_length = bytes;
  work->head.bytes = record_bytes(bytes);
  if (bytes <= 512) SEND_CLASS(512)
  if (bytes <= 4096) SEND_CLASS(4096)
  if (!user) return CHUNK_UNREADABLE; /* a page at a time */
  if (bytes <= 8192) SEND_CLASS(8192)
  if (bytes <= 16384) SEND_CLASS(16384)
  SEND_CLASS(65536)
}

/* True when the loop is to go on. */
static __always_inline bool account_chunk(struct workshop *work, __u32 bytes, enum chunk_verdict verdict) {
  if (verdict == CHUNK_SENT) {
    work->offset += bytes;
    __sync_fetch_and_add(&counters.records, 1);
    return true;
  }
  if (verdict == CHUNK_RING_FULL) work->ring_full = 1;
  return false;
}

/* Of the kernel's memory, where nothing else can be put meanwhile. */
static __always_inline enum chunk_verdict send_kernel_chunk(struct workshop *work, __u64 from, __u32 bytes) {
  const bool user = false;
  const __u64 page = 0;
  work->head.length = bytes;
  work->head.data_length = bytes;
  work->head.bytes = record_bytes(bytes);
  if (bytes <= 512) SEND_CLASS(512)
  if (bytes <= 4096) SEND_CLASS(4096)
  if (bytes <= 16384) SEND_CLASS(16384)
  SEND_CLASS(65536)
}

/* The next piece of an array of struct iovec, of 64 or 32 bits. */
static __always_inline bool next_piece(struct workshop *work) {
  __u64 piece[2] = {};
  if (!work->vector_left) return false;
  work->vector_left--;
  if (work->compat) {
    __u32 small[2] = {};
    if (bpf_probe_read_user(small, sizeof(small), (void *)work->vector)) return false;
    piece[0] = small[0];
    piece[1] = small[1];
    work->vector += sizeof(small);
  } else {
    if (bpf_probe_read_user(piece, sizeof(piece), (void *)work->vector)) return false;
    work->vector += sizeof(piece);
  }
  work->user = piece[0];
  work->user_left = piece[1];
  return true;
}

static long user_step(__u32 step, struct workshop **context) {
  struct workshop *work = *context;
  if (work->offset >= work->end) return 1;
  if (!work->user_left) return next_piece(work) ? 0 : 1;
  __u64 left = work->end - work->offset;
  if (left > work->user_left) left = work->user_left;
  __u32 bytes = left > CHUNK_BYTES ? CHUNK_BYTES : left;
  if (!account_chunk(work, bytes, send_chunk(work, work->user, bytes, true, 0))) return 1;
  work->user += bytes;
  work->user_left -= bytes;
  return 0;
}

static long page_step(__u32 step, struct workshop **context) {
  struct workshop *work = *context;
  struct inode *inode = (struct inode *)work->inode;
  __u32 within = work->offset & (PAGE_BYTES - 1);
  for (int attempt = 0; attempt < 3; attempt++) {
    /* What lies behind the end was taken off again by whoever shortened the file; that call says so. */
    __u64 size = BPF_CORE_READ(inode, i_size);
    if (work->end > size) work->end = size;
    if (work->offset >= work->end) return 1;
    __u64 left = work->end - work->offset;
    __u32 bytes = PAGE_BYTES - within;
    if (bytes > left) bytes = left;
    __u64 page = page_at(work->mapping, work->offset >> PAGE_SHIFT);
    if (!page) return 1;
    enum chunk_verdict verdict = send_chunk(work, page_content(page) + within, bytes, false, page);
    if (verdict == CHUNK_UNREADABLE) continue;
    return account_chunk(work, bytes, verdict) ? 0 : 1;
  }
  return 1;
}

/* Sends [offset, end) as far as user memory can be read. */
static __always_inline void send_from_user(struct workshop *work) {
  work->head.kind = KIND_WRITE;
  bpf_loop(CHUNKS_MAX, user_step, &work, 0);
}

/* Sends [offset, end) as far as its pages are there; `end` is cut down to the file's. */
static __always_inline void send_from_pages(struct workshop *work) {
  if (!counters.page_cache_on || work->ring_full) return;
  work->head.kind = KIND_WRITE;
  work->head.flags |= FLAG_PAGE_CACHE;
  bpf_loop(CHUNKS_MAX, page_step, &work, 0);
  work->head.flags &= ~FLAG_PAGE_CACHE;
}

/* Whatever of [offset, end) was not sent, for the cause given unless the ring was full. */
static __always_inline void settle_rest(struct workshop *work, __u32 cause) {
  if (work->offset >= work->end) return;
  if (work->ring_full) {
    note_ring_full(&work->key, work->offset, work->end);
  } else {
    send_dirty(work, work->offset, work->end, cause);
  }
}
