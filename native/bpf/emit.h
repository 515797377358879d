/* Into the ring, or else into the books of what was lost: there is no third way. */
#pragma once

#include "inode.h"

static __always_inline void count_loss(volatile __u64 *count, volatile __u64 *first_ns) {
  if (__sync_fetch_and_add(count, 1) == 0) *first_ns = bpf_ktime_get_ns();
}

static __always_inline void lower_to(__u64 *field, __u64 value) {
  for (int attempt = 0; attempt < 8; attempt++) {
    __u64 old = *(volatile __u64 *)field;
    if (old <= value || __sync_val_compare_and_swap(field, old, value) == old) return;
  }
  *(volatile __u64 *)field = 0;
}
static __always_inline void raise_to(__u64 *field, __u64 value) {
  for (int attempt = 0; attempt < 8; attempt++) {
    __u64 old = *(volatile __u64 *)field;
    if (old >= value || __sync_val_compare_and_swap(field, old, value) == old) return;
  }
  *(volatile __u64 *)field = ~0ull;
}

/*
 * Notes that [low, high) changed unseen. True when this cause was not yet noted for this inode.
 * `high` of all ones stands for the end of the file.
 */
static __noinline bool note_lost(const struct inode_key *key, __u64 low, __u64 high, __u32 cause) {
  __u32 zero = 0;
  __u64 now = bpf_ktime_get_ns(), bit = 1ull << (cause & 63);
  /*
   * Counted before and after. Who takes the map having seen the first count waits for this program, but the
   * map that it finds may be the one that comes into use with that: then the second count tells.
   */
  __sync_fetch_and_add(&counters.dirty_updates, 1);
  void *map = bpf_map_lookup_elem(&dirty, &zero);
  if (!map) goto full;
  struct lost_range *range = bpf_map_lookup_elem(map, key);
  if (!range) {
    struct lost_range fresh = {.low = low, .high = high, .first_ns = now, .last_ns = now, .causes = bit, .count = 1};
    if (bpf_map_update_elem(map, key, &fresh, BPF_NOEXIST) == 0) {
      __sync_fetch_and_add(&counters.dirty_updates, 1);
      return true;
    }
    /* Another processor was first, or the map is full. */
    range = bpf_map_lookup_elem(map, key);
    if (!range) goto full;
  }
  lower_to(&range->low, low);
  raise_to(&range->high, high);
  range->last_ns = now;
  __sync_fetch_and_add(&range->count, 1);
  bool is_new = !(__sync_fetch_and_or(&range->causes, bit) & bit);
  __sync_fetch_and_add(&counters.dirty_updates, 1);
  return is_new;
full:
  count_loss(&counters.everything_lost, &counters.everything_lost_first_ns);
  return false;
}

/* The same for a range that the ring had no room for. */
static __always_inline void note_ring_full(const struct inode_key *key, __u64 low, __u64 high) {
  __sync_fetch_and_add(&counters.lost_records, 1);
  note_lost(key, low, high, CAUSE_RING_FULL);
}
static __always_inline void note_names_lost(void) {
  __sync_fetch_and_add(&counters.lost_records, 1);
  count_loss(&counters.names_lost, &counters.names_lost_first_ns);
}

/* The fields that every record of this call shares. */
static __always_inline void describe_caller_inline(struct record_header *head, __u32 kind, __u32 call) {
  struct task_struct *task = bpf_get_current_task_btf();
  __u64 id = bpf_get_current_pid_tgid();
  __builtin_memset(head, 0, sizeof(*head));
  head->kind = kind;
  head->call = call;
  head->pid = id >> 32;
  head->tid = id;
  head->start_ns = task->group_leader->start_boottime;
  head->actor_uid = task->cred->euid.val;
  bpf_get_current_comm(head->command, sizeof(head->command));
}
OUT_OF_LINE(describe_caller, (struct record_header *head, __u32 kind, __u32 call), (head, kind, call))

/* The inode as it is now; work's key says which it is. */
static __always_inline void describe_inode_inline(struct workshop *work, struct inode *inode) {
  struct record_header *head = &work->head;
  char *now = work->inode_now;
  head->ino = work->key.ino;
  head->generation = work->key.generation;
  head->device = work->key.device;
  head->tree = work->key.tree;
  if (bpf_probe_read_kernel(now, SNAPSHOT_BYTES, inode)) return;
  head->size = FIELD(now, struct inode, i_size);
  head->mode = FIELD(now, struct inode, i_mode);
  head->uid = *(__u32 *)&FIELD(now, struct inode, i_uid);
  head->gid = *(__u32 *)&FIELD(now, struct inode, i_gid);
  head->links = FIELD(now, struct inode, i_nlink);
  read_modify_time(now, &head->modify_seconds, &head->modify_nanoseconds);
}
OUT_OF_LINE(describe_inode, (struct workshop *work, struct inode *inode), (work, inode))

static __always_inline __u32 record_bytes(__u32 data_length) { return (sizeof(struct record_header) + data_length + 7) & ~7u; }

/* Sends the head as it is, with `eight` behind it when data_length says 8. False when the ring is full. */
static __always_inline bool send_head(struct record_header *head, __u64 eight) {
  struct {
    struct record_header head;
    __u64 eight;
  } *record = bpf_ringbuf_reserve(&ring, sizeof(*record), 0);
  if (!record) return false;
  head->bytes = record_bytes(head->data_length);
  head->monotonic_ns = bpf_ktime_get_ns();
  record->head = *head;
  record->eight = eight;
  bpf_ringbuf_submit(record, 0);
  __sync_fetch_and_add(&counters.records, 1);
  return true;
}

/* A record about the inode that `work` describes; if the ring is full, [offset, end) of it is lost. */
static __always_inline void send_about_inode(struct workshop *work, __u64 eight, __u64 low, __u64 high) {
  if (!send_head(&work->head, eight)) note_ring_full(&work->key, low, high);
}

/* Says that [offset, end) changed without its content being at hand. */
static __always_inline void send_dirty_inline(struct workshop *work, __u64 offset, __u64 end, __u32 cause) {
  __u16 kind = work->head.kind;
  work->head.kind = KIND_DIRTY;
  work->head.offset = offset;
  work->head.length = end == ~0ull ? 0 : end - offset;
  work->head.data_length = 0;
  work->head.a = cause;
  if (!send_head(&work->head, 0)) {
    __sync_fetch_and_add(&counters.lost_records, 1);
    note_lost(&work->key, offset, end, cause);
  }
  work->head.kind = kind;
  work->head.a = 0;
}
OUT_OF_LINE(send_dirty, (struct workshop *work, __u64 offset, __u64 end, __u32 cause), (work, offset, end, cause))
