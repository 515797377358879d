/* Follows content calls from start to end, so that a call knows whether another touched its inode meanwhile. */
#pragma once

#include "emit.h"

/* The start of a content call on a captured regular file. */
static __always_inline void take_off(struct call_state *state, struct file *file, struct inode *inode, const struct inode_key *key) {
  __u32 index = slot_of(key);
  struct flight_slot *slot = bpf_map_lookup_elem(&flights, &index);
  state->stage = STAGE_CONTENT;
  state->slot = index;
  state->start_ns = bpf_ktime_get_ns();
  state->file = (__u64)file;
  state->inode = (__u64)inode;
  state->key = *key;
  state->contended = 1;
  state->position = BPF_CORE_READ(file, f_pos);
  state->size = BPF_CORE_READ(inode, i_size);
  if (!slot) return;
  state->contended = __sync_fetch_and_add(&slot->active, 1) != 0;
  state->overlaps = state->contended ? __sync_fetch_and_add(&slot->overlaps, 1) + 1 : *(volatile __u32 *)&slot->overlaps;
}

/* True when any other call was in flight on the inode, or something else changed it, since this one began. */
static __always_inline bool is_contended(const struct call_state *state) {
  __u32 index = state->slot;
  struct flight_slot *slot = bpf_map_lookup_elem(&flights, &index);
  return !slot || state->contended || *(volatile __u32 *)&slot->overlaps != state->overlaps;
}

/*
 * The end. Only once the call's records have their place in the ring: a call that starts later is
 * then later in the ring too.
 */
static __always_inline void land(struct call_state *state) {
  __u32 index = state->slot;
  struct flight_slot *slot = bpf_map_lookup_elem(&flights, &index);
  state->stage = STAGE_NONE;
  if (!slot) return;
  slot->last_end_ns = bpf_ktime_get_ns();
  __sync_fetch_and_sub(&slot->active, 1);
}

/* A change whose start was not followed: whoever is in flight is contended from now on. Before its record. */
static __always_inline void disturb(const struct inode_key *key) {
  __u32 index = slot_of(key);
  struct flight_slot *slot = bpf_map_lookup_elem(&flights, &index);
  if (slot) __sync_fetch_and_add(&slot->overlaps, 1);
}

/* True when a call is in flight, or one ended since `since_ns`. After the record. */
static __always_inline bool was_disturbed(const struct inode_key *key, __u64 since_ns) {
  __u32 index = slot_of(key);
  struct flight_slot *slot = bpf_map_lookup_elem(&flights, &index);
  if (!slot) return true;
  bool disturbed = *(volatile __u32 *)&slot->active != 0 || *(volatile __u64 *)&slot->last_end_ns >= since_ns;
  slot->last_end_ns = bpf_ktime_get_ns();
  return disturbed;
}

/* The size that work's inode has after a call that was not followed from its start. */
static __always_inline void send_cut(struct workshop *work) {
  disturb(&work->key);
  work->head.kind = KIND_TRUNCATE;
  send_about_inode(work, 0, 0, ~0ull);
  /* A write that came after the truncation may have returned before it. */
  if (was_disturbed(&work->key, work->start_ns)) send_dirty(work, 0, ~0ull, CAUSE_CONCURRENT);
}
