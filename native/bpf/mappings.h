/* Changes that no call makes: stores through shared mappings, and pages dirtied by whatever is not followed. */
#pragma once

#include "flight.h"
#include "page-cache.h"

/* Notes that work's [offset, end) changed, and sends one record for all of its kind until the books are taken. */
static __always_inline void note_unseen_inline(struct workshop *work, struct inode *inode, __u32 call, __u32 cause) {
  __u64 low = work->offset, high = work->end;
  if (cause == CAUSE_SHARED_MAPPING) {
    __u64 address = (__u64)inode;
    if (bpf_map_update_elem(&mapped, &work->key, &address, BPF_ANY)) __sync_fetch_and_add(&counters.mapped_lost, 1);
  }
  if (!note_lost(&work->key, low, high, cause)) return;
  describe_caller(&work->head, KIND_DIRTY, call);
  describe_inode(work, inode);
  work->head.offset = low;
  work->head.length = high == ~0ull ? 0 : high - low;
  work->head.a = cause;
  /* Noted it is in any case. */
  if (!send_head(&work->head, 0)) __sync_fetch_and_add(&counters.lost_records, 1);
}
OUT_OF_LINE(note_unseen, (struct workshop *work, struct inode *inode, __u32 call, __u32 cause), (work, inode, call, cause))

/* A file that was mapped before anyone watched: user space has it open. */
static __always_inline bool note_mapped_inline(struct file *file) {
  struct workshop *work = workshop_of(WORKSHOP_REQUEST);
  if (!work) return false;
  struct inode *inode = inode_of(file);
  if (!is_regular(inode) || BPF_CORE_READ(inode, i_mapping, i_mmap_writable.counter) <= 0 || !is_captured(inode, &work->key)) return false;
  work->offset = 0;
  work->end = ~0ull;
  note_unseen(work, inode, CALL_OTHER, CAUSE_SHARED_MAPPING);
  return true;
}

/* A mapping was made through which the file can be changed. */
static __always_inline void end_mmap(struct workshop *work, struct task_struct *task) {
  __u32 type = work->call.at[3] & MAP_TYPE;
  if (type != MAP_SHARED && type != MAP_SHARED_VALIDATE) return;
  struct file *file = file_of(task, work->call.at[4]);
  if (!file || !(BPF_CORE_READ(file, f_mode) & FMODE_WRITE)) return;
  struct inode *inode = inode_of(file);
  if (!is_regular(inode)) return;
  /* One that becomes writable later shows when it dirties a page; but not on tmpfs, which has no writeback. */
  if (!(work->call.at[2] & PROT_WRITE) && BPF_CORE_READ(inode, i_sb, s_magic) != TMPFS_MAGIC) return;
  if (!is_captured(inode, &work->key)) return;
  work->offset = 0;
  work->end = ~0ull;
  note_unseen(work, inode, CALL_OTHER, CAUSE_SHARED_MAPPING);
}

/* The thread of an ext4 journal, which writes data before it commits: it changes none itself. */
static __always_inline bool is_journal_thread(struct task_struct *task, __u32 flags) {
  const char *name = task->comm;
  if (!(flags & PF_KTHREAD)) return false;
  return name[0] == 'j' && name[1] == 'b' && name[2] == 'd' && name[3] == '2' && name[4] == '/';
}

/* True when whoever runs now accounts for this page's content by other means. */
static __always_inline bool is_accounted_for(struct task_struct *task, struct inode *inode, bool is_mapped) {
  struct call_state *state = bpf_task_storage_get(&calls, bpf_get_current_task_btf(), NULL, 0);
  if (state) {
    if (state->stage == STAGE_CONTENT && state->inode == (__u64)inode) return true;
    if (state->stage == STAGE_BY_PATH || state->stage == STAGE_SYNC) return true;
    /* Reading into a mapping dirties pages too. */
    if (state->stage == STAGE_REQUESTS && !is_mapped) return true;
  }
  __u32 flags = task->flags;
  if ((flags & PF_USER_WORKER) && !is_mapped) return true;
  /* Writeback marks pages dirty again that it could not write; a loop device's worker really writes. */
  if (is_journal_thread(task, flags)) return true;
  return (flags & PF_WQ_WORKER) && !(flags & PF_LOCAL_THROTTLE) && is_being_written_back(inode);
}

static __always_inline void page_dirtied(struct folio *folio, struct address_space *space) {
  struct task_struct *task = bpf_get_current_task_btf();
  if (!space) return;
  struct inode *inode = BPF_CORE_READ(space, host);
  if (!inode || !is_regular(inode)) return;
  bool is_mapped = BPF_CORE_READ(space, i_mmap_writable.counter) > 0;
  if (is_accounted_for(task, inode, is_mapped) || is_excluded(task)) return;
  struct workshop *work = workshop_of(WORKSHOP_DIRTY);
  if (!work || !is_captured(inode, &work->key)) return;
  disturb(&work->key);
  work->offset = BPF_CORE_READ(folio, index) << PAGE_SHIFT;
  work->end = work->offset + (folio_pages(folio) << PAGE_SHIFT);
  note_unseen(work, inode, CALL_PAGE_DIRTIED, is_mapped ? CAUSE_SHARED_MAPPING : CAUSE_UNKNOWN_CALL);
}
