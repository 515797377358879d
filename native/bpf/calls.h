/* What each system call means, at its start and at its end. */
#pragma once

#include "content.h"
#include "flight.h"
#include "names.h"

static __always_inline __u32 entry_of(__u64 number, bool compat) {
  if (number >= SYSTEM_CALLS_MAX) return ENTRY_NONE;
  return compat ? compat_entries[number] : native_entries[number];
}

/* The descriptor whose file a content call changes. */
static __always_inline __u32 target_descriptor(__u32 entry, const struct arguments *arguments) {
  return entry == ENTRY_SPLICE || entry == ENTRY_COPY_FILE_RANGE ? arguments->at[2] : arguments->at[0];
}

static __always_inline void start_call(struct task_struct *task, __u32 entry, const struct arguments *arguments) {
  struct task_struct *owner = bpf_get_current_task_btf();
  if (entry <= ENTRY_CONTENT_LAST) {
    struct file *file = file_of(task, target_descriptor(entry, arguments));
    if (!file) return;
    struct inode *inode = inode_of(file);
    struct inode_key key = {};
    if (!is_regular(inode) || !is_captured(inode, &key)) return;
    struct call_state *state = bpf_task_storage_get(&calls, owner, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
    if (state) take_off(state, file, inode, &key);
    return;
  }
  __u32 stage = entry >= ENTRY_FSYNC ? STAGE_SYNC : STAGE_BY_PATH;
  if ((entry == ENTRY_OPEN && !(arguments->at[1] & O_TRUNC)) || (entry == ENTRY_OPENAT && !(arguments->at[2] & O_TRUNC))) return;
  struct call_state *state = bpf_task_storage_get(&calls, owner, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
  if (!state) return;
  state->stage = stage;
  state->start_ns = bpf_ktime_get_ns();
}

/* Where a write went, and whether it is known to the byte. */
struct span {
  __u64 low;
  __u64 high;
  bool exact;
};

struct write_facts {
  __s64 start_position;
  __u64 start_size;
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
  plain.low = start;
  return plain;
}

static __always_inline __u32 call_of_content(__u32 entry) {
  /* The first eleven agree with enum record_call but for ftruncate and fallocate. */
  if (entry == ENTRY_FTRUNCATE) return CALL_FTRUNCATE;
  if (entry == ENTRY_FALLOCATE) return CALL_FALLOCATE;
  return entry;
}

static __always_inline bool is_write(__u32 entry) { return entry >= ENTRY_WRITE && entry <= ENTRY_PWRITEV2; }

static __noinline void end_write(struct workshop *work, struct file *file, struct inode *inode, __u64 bytes, struct write_facts *facts) {
  __u32 entry = work->entry;
  const struct arguments *arguments = &work->call;
  __u32 open_flags = BPF_CORE_READ(file, f_flags);
  __u64 call_flags = entry == ENTRY_PWRITEV2 ? arguments->at[5] : 0;
  __u64 offset = arguments->at[3];
  bool vectored = entry >= ENTRY_WRITEV;
  bool direct = open_flags & O_DIRECT;
  facts->append = ((open_flags & O_APPEND) && !(call_flags & RWF_NOAPPEND)) || (call_flags & RWF_APPEND);
  facts->positioned = entry == ENTRY_PWRITE || entry == ENTRY_PWRITEV || (entry == ENTRY_PWRITEV2 && offset != ~0ull);
  struct span span = span_of(file, inode, facts, offset, bytes);
  if (direct) work->head.flags |= FLAG_DIRECT;
  if (facts->append) work->head.flags |= FLAG_APPEND;
  if (!facts->positioned) work->head.flags |= FLAG_FILE_POSITION;
  work->offset = span.low;
  work->end = span.high;
  work->ring_full = 0;
  if (span.high == ~0ull) return settle_rest(work, CAUSE_CONCURRENT);
  if (facts->contended) {
    /* What lies behind the end was taken off again by whoever shortened the file; that call says so. */
    __u64 size = BPF_CORE_READ(inode, i_size);
    if (work->end > size) work->end = size;
    send_from_pages(work);
    return settle_rest(work, CAUSE_CONCURRENT);
  }
  work->user_left = 0;
  work->vector_left = 0;
  if (vectored) {
    work->vector = arguments->at[1];
    work->vector_left = arguments->at[2];
  } else {
    work->user = arguments->at[1];
    work->user_left = bytes;
  }
  send_from_user(work);
  if (work->offset < work->end) {
    send_from_pages(work);
    settle_rest(work, CAUSE_USER_FAULT);
  }
}

static __always_inline void end_content(struct workshop *work, struct task_struct *task, long result) {
  __u32 entry = work->entry;
  const struct arguments *arguments = &work->call;
  struct call_state *state = bpf_task_storage_get(&calls, bpf_get_current_task_btf(), NULL, 0);
  struct file *file = file_of(task, target_descriptor(entry, arguments));
  struct inode *inode;
  struct write_facts facts = {.contended = true};
  if (state && state->stage == STAGE_CONTENT) {
    facts.contended = land(state);
    facts.started = true;
    facts.start_position = state->position;
    facts.start_size = state->size;
    if ((__u64)file != state->file) {
      /* The descriptor was closed meanwhile, and perhaps opened anew: either file may have changed. */
      if (result <= 0) return;
      describe_caller(&work->head, KIND_DIRTY, call_of_content(entry));
      work->key = state->key;
      note_lost(&state->key, 0, ~0ull, CAUSE_CONCURRENT);
      if (!file) return;
      inode = inode_of(file);
      if (!is_regular(inode) || !is_captured(inode, &work->key)) return;
      note_lost(&work->key, 0, ~0ull, CAUSE_CONCURRENT);
      return;
    }
    inode = (struct inode *)state->inode;
    work->key = state->key;
  } else {
    if (!file) return;
    inode = inode_of(file);
    if (!is_regular(inode) || !is_captured(inode, &work->key)) return;
    /* Begun before the programs were there, or before its volume was watched. */
    disturb(&work->key, 0);
  }
  if (result <= 0) return;
  describe_caller(&work->head, KIND_WRITE, call_of_content(entry));
  describe_inode(&work->head, inode, &work->key);
  work->mapping = (__u64)BPF_CORE_READ(inode, i_mapping);
  if (is_write(entry)) end_write(work, file, inode, result, &facts);
}

static __always_inline void end_open(struct workshop *work, struct task_struct *task, __u64 flags, __u64 path, __u32 fd, __u64 start_ns) {
  struct file *file = file_of(task, fd);
  describe_caller(&work->head, KIND_NAMES, CALL_OPEN);
  if (!file) {
    /* Closed by another thread before this call returned. */
    if (flags & O_CREAT) send_names(work, path, 0, flags);
    return;
  }
  struct inode *inode = inode_of(file);
  if (!is_captured(inode, &work->key)) return;
  bool created = BPF_CORE_READ(file, f_mode) & FMODE_CREATED;
  bool temporary = BPF_CORE_READ(file, f_flags) & TMPFILE_BIT;
  if (!created && !temporary && !(flags & O_TRUNC)) return;
  describe_inode(&work->head, inode, &work->key);
  if (temporary) {
    work->head.kind = KIND_TEMPORARY;
    return send_about_inode(work, 0, 0, ~0ull);
  }
  if (created) return send_made_name(work, BPF_CORE_READ(file, f_path.dentry));
  if (!is_regular(inode)) return;
  bool contended = disturb(&work->key, start_ns);
  work->head.kind = KIND_TRUNCATE;
  send_about_inode(work, 0, 0, ~0ull);
  /* A write that came after the truncation may have returned before it. */
  if (contended) send_dirty(work, 0, ~0ull, CAUSE_CONCURRENT);
}

static __always_inline void send_for_path(struct workshop *work, __u32 call, __u64 first, __u64 second, __u64 flags) {
  describe_caller(&work->head, KIND_NAMES, call);
  send_names(work, first, second, flags);
}

static __always_inline void end_other(struct workshop *work, struct task_struct *task, long result) {
  __u32 entry = work->entry;
  __u64 start_ns = 0;
  if (entry <= ENTRY_FOLLOWED_LAST) {
    struct call_state *state = bpf_task_storage_get(&calls, bpf_get_current_task_btf(), NULL, 0);
    if (state) {
      if (state->stage == STAGE_BY_PATH) start_ns = state->start_ns;
      state->stage = STAGE_NONE;
    }
  }
  if (result < 0) return;
  const __u64 *at = work->call.at;
  switch (entry) {
    case ENTRY_CREAT: return end_open(work, task, O_CREAT | O_TRUNC, at[0], result, start_ns);
    case ENTRY_OPEN: return end_open(work, task, at[1], at[0], result, start_ns);
    case ENTRY_OPENAT: return end_open(work, task, at[2], at[1], result, start_ns);
    case ENTRY_OPENAT2: {
      __u64 flags = 0;
      /* Unreadable flags count as truncating: saying what size the file has now is never wrong. */
      if (bpf_probe_read_user(&flags, sizeof(flags), (void *)at[2])) flags = O_CREAT | O_TRUNC;
      return end_open(work, task, flags, at[1], result, start_ns);
    }
    case ENTRY_TRUNCATE: return send_for_path(work, CALL_TRUNCATE, at[0], 0, at[1]);
    case ENTRY_MKDIR: return send_for_path(work, CALL_MKDIR, at[0], 0, 0);
    case ENTRY_MKDIRAT: return send_for_path(work, CALL_MKDIR, at[1], 0, 0);
    case ENTRY_MKNOD: return send_for_path(work, CALL_MKNOD, at[0], 0, 0);
    case ENTRY_MKNODAT: return send_for_path(work, CALL_MKNOD, at[1], 0, 0);
    case ENTRY_SYMLINK: return send_for_path(work, CALL_SYMLINK, at[0], at[1], 0);
    case ENTRY_SYMLINKAT: return send_for_path(work, CALL_SYMLINK, at[0], at[2], 0);
    case ENTRY_LINK: return send_for_path(work, CALL_LINK, at[0], at[1], 0);
    case ENTRY_LINKAT: return send_for_path(work, CALL_LINK, at[1], at[3], at[4]);
    case ENTRY_UNLINK: return send_for_path(work, CALL_UNLINK, at[0], 0, 0);
    case ENTRY_UNLINKAT: return send_for_path(work, at[2] & 0x200 ? CALL_RMDIR : CALL_UNLINK, at[1], 0, at[2]);
    case ENTRY_RMDIR: return send_for_path(work, CALL_RMDIR, at[0], 0, 0);
    case ENTRY_RENAME: return send_for_path(work, CALL_RENAME, at[0], at[1], 0);
    case ENTRY_RENAMEAT: return send_for_path(work, CALL_RENAME, at[1], at[3], 0);
    case ENTRY_RENAMEAT2: return send_for_path(work, CALL_RENAME, at[1], at[3], at[4]);
    case ENTRY_CHMOD: return send_for_path(work, CALL_CHMOD, at[0], 0, 0);
    case ENTRY_FCHMODAT: return send_for_path(work, CALL_CHMOD, at[1], 0, 0);
    case ENTRY_FCHMODAT2: return send_for_path(work, CALL_CHMOD, at[1], 0, at[3]);
    case ENTRY_CHOWN: return send_for_path(work, CALL_CHOWN, at[0], 0, 0);
    case ENTRY_FCHOWNAT: return send_for_path(work, CALL_CHOWN, at[1], 0, at[4]);
    case ENTRY_UTIME: return send_for_path(work, CALL_UTIMES, at[0], 0, 0);
    case ENTRY_SETXATTR: return send_for_path(work, CALL_SETXATTR, at[0], 0, 0);
    case ENTRY_SETXATTRAT: return send_for_path(work, CALL_SETXATTR, at[1], 0, at[2]);
    case ENTRY_REMOVEXATTR: return send_for_path(work, CALL_REMOVEXATTR, at[0], 0, 0);
    case ENTRY_REMOVEXATTRAT: return send_for_path(work, CALL_REMOVEXATTR, at[1], 0, at[2]);
    case ENTRY_FILE_SETATTR: return send_for_path(work, CALL_INODE_FLAGS, at[1], 0, at[4]);
  }
}
