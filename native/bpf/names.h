/* Calls that change names and metadata: by path, where only the path is at hand, and through a descriptor. */
#pragma once

#include "emit.h"

/* Copies the tail of a path in user memory to `to`; a path that cannot be read counts as empty. */
static __always_inline void path_tail(struct workshop *work, __u32 which, __u64 path, __u32 bytes_max, char *to) {
  char *whole = work->path[which & 1];
  long bytes = path ? bpf_probe_read_user_str(whole, bytes_max, (void *)path) : 0;
  if (bytes <= 0 || bytes > PATH_BYTES) {
    to[0] = 0;
    return;
  }
  __u32 from = bytes > PATH_TAIL_BYTES ? bytes - PATH_TAIL_BYTES : 0;
  barrier_var(from);
  if (from > PATH_BYTES - PATH_TAIL_BYTES) from = PATH_BYTES - PATH_TAIL_BYTES;
  /* What is behind the end of the path is cut off by the drain. */
  bpf_probe_read_kernel(to, PATH_TAIL_BYTES, whole + from);
}

/*
 * One or two paths, the second perhaps 0: data is one tail, or two at fixed places, and the drain
 * makes last components of them.
 */
static __always_inline void send_names_inline(struct workshop *work, __u64 first, __u64 second, __u64 flags, __u32 first_max) {
  if (first_max > PATH_BYTES) first_max = PATH_BYTES;
  struct record_header *head = &work->head;
  head->flags = FLAG_RAW_PATHS;
  head->a = flags;
  if (second) {
    struct {
      struct record_header head;
      char tails[2][PATH_TAIL_BYTES];
    } *record = bpf_ringbuf_reserve(&ring, sizeof(*record), 0);
    if (!record) return note_names_lost();
    head->data_length = sizeof(record->tails);
    head->bytes = record_bytes(head->data_length);
    head->monotonic_ns = bpf_ktime_get_ns();
    record->head = *head;
    path_tail(work, 0, first, PATH_BYTES, record->tails[0]);
    path_tail(work, 1, second, PATH_BYTES, record->tails[1]);
    bpf_ringbuf_submit(record, 0);
  } else {
    struct {
      struct record_header head;
      char tail[PATH_TAIL_BYTES];
    } *record = bpf_ringbuf_reserve(&ring, sizeof(*record), 0);
    if (!record) return note_names_lost();
    head->data_length = sizeof(record->tail);
    head->bytes = record_bytes(head->data_length);
    head->monotonic_ns = bpf_ktime_get_ns();
    record->head = *head;
    path_tail(work, 0, first, first_max, record->tail);
    bpf_ringbuf_submit(record, 0);
  }
  __sync_fetch_and_add(&counters.records, 1);
}
OUT_OF_LINE(send_names, (struct workshop *work, __u64 first, __u64 second, __u64 flags, __u32 first_max), (work, first, second, flags, first_max))

/* A name that the kernel has at hand, with the inode it was made for. */
static __always_inline void send_made_name_inline(struct workshop *work, struct dentry *dentry) {
  struct inode *parent = BPF_CORE_READ(dentry, d_parent, d_inode);
  struct record_header *head = &work->head;
  head->a = BPF_CORE_READ(parent, i_ino);
  head->b = BPF_CORE_READ(parent, i_generation);
  struct {
    struct record_header head;
    char name[256];
  } *record = bpf_ringbuf_reserve(&ring, sizeof(*record), 0);
  if (!record) {
    note_ring_full(&work->key, 0, ~0ull);
    return note_names_lost();
  }
  long bytes = bpf_probe_read_kernel_str(record->name, sizeof(record->name), BPF_CORE_READ(dentry, d_name.name));
  if (bytes <= 0) {
    record->name[0] = 0;
    bytes = 1;
  }
  head->data_length = bytes;
  head->bytes = record_bytes(bytes);
  head->monotonic_ns = bpf_ktime_get_ns();
  record->head = *head;
  bpf_ringbuf_submit(record, 0);
  __sync_fetch_and_add(&counters.records, 1);
}
OUT_OF_LINE(send_made_name, (struct workshop *work, struct dentry *dentry), (work, dentry))
