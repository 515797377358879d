/*
 * Which file a call by path changed. From 6.13 on the kernel tells of each change of an inode's ctime,
 * which comes with every change of its size: what it tells of while such a call is under way, the call
 * has changed. Before that the path's last component is all there is.
 */
#pragma once

#include "flight.h"

static __always_inline bool is_same_inode(const struct inode_key *one, const struct inode_key *other) {
  return one->ino == other->ino && one->generation == other->generation && one->device == other->device && one->tree == other->tree;
}

static __always_inline void inode_changed(struct inode *inode) {
  if (!counters.changes_told) return;
  struct call_state *state = bpf_task_storage_get(&calls, bpf_get_current_task_btf(), NULL, 0);
  if (!state || state->stage != STAGE_BY_PATH) return;
  struct inode_key key = {};
  if (!is_regular(inode) || !is_captured(inode, &key)) return;
  /* An overlay copies a file before it changes it: of the earlier one nothing else would tell. */
  if (state->reached && !is_same_inode(&state->key, &key)) {
    struct inode_key earlier = state->key;
    note_lost(&earlier, 0, ~0ull, CAUSE_NOT_BY_BYTE);
  }
  state->key = key;
  state->inode = (__u64)inode;
  state->reached = 1;
}

/* What is known at the end of a call by path. */
static __always_inline void take_reached(struct workshop *work, const struct call_state *state) {
  work->told = state && state->stage == STAGE_BY_PATH && counters.changes_told;
  work->reached = work->told && state->reached;
  if (!work->reached) return;
  work->key = state->key;
  work->inode = state->inode;
}

/* The file that work's key names was cut, or made longer; its inode may be gone by now. */
static __always_inline void send_reached_inline(struct workshop *work, __u32 call) {
  struct inode *inode = (struct inode *)work->inode;
  struct inode_key now = {};
  if (!watched_key(inode, &now) || !is_same_inode(&now, &work->key)) {
    note_lost(&work->key, 0, ~0ull, CAUSE_NOT_BY_BYTE);
    return;
  }
  describe_caller(&work->head, KIND_TRUNCATE, call);
  describe_inode(work, inode);
  send_cut(work);
}
OUT_OF_LINE(send_reached, (struct workshop *work, __u32 call), (work, call))
