/* What each system call means, at its start and at its end. */
#pragma once

#include "asynchronous.h"
#include "changes.h"
#include "mappings.h"

static __always_inline __u32 entry_of(__u64 number, bool compat) {
  if (number >= SYSTEM_CALLS_MAX) return ENTRY_NONE;
  return compat ? compat_entries[number] : native_entries[number];
}

/* 32-bit tasks pass a 64-bit offset in two arguments. */
static __always_inline void join_halves(__u32 entry, struct arguments *arguments) {
  __u64 *at = arguments->at;
  if (entry == ENTRY_PWRITE || entry == ENTRY_PWRITEV || entry == ENTRY_PWRITEV2) at[3] |= at[4] << 32;
  if (entry == ENTRY_FALLOCATE) {
    at[2] |= at[3] << 32;
    at[3] = at[4] | at[5] << 32;
  }
}

/* The descriptor whose file a content call changes. */
static __always_inline __u32 target_descriptor(__u32 entry, const struct arguments *arguments) {
  return entry == ENTRY_SPLICE || entry == ENTRY_COPY_FILE_RANGE ? arguments->at[2] : arguments->at[0];
}

/* Opens that truncate, as far as that is known before they return. */
static __always_inline bool may_truncate(__u32 entry, const struct arguments *arguments) {
  if (entry == ENTRY_OPEN) return arguments->at[1] & O_TRUNC;
  if (entry == ENTRY_OPENAT) return arguments->at[2] & O_TRUNC;
  return true;
}

static __always_inline __u32 stage_of(__u32 entry) {
  if (entry == ENTRY_IO_SUBMIT || entry == ENTRY_IO_URING_ENTER) return STAGE_REQUESTS;
  return entry >= ENTRY_FSYNC ? STAGE_SYNC : STAGE_BY_PATH;
}

static __always_inline void start_call(struct task_struct *task, __u32 entry, const struct arguments *arguments) {
  struct task_struct *owner = bpf_get_current_task_btf();
  if (entry <= ENTRY_CONTENT_LAST) {
    if (entry == ENTRY_IOCTL && !is_clone_ioctl(arguments->at[1]) && !is_opaque_ioctl(arguments->at[1])) return;
    struct file *file = file_of(task, target_descriptor(entry, arguments));
    if (!file) return;
    struct workshop *work = workshop_of(WORKSHOP_ENTER);
    struct inode_key key = {};
    struct inode *inode = work ? captured_regular(work, file, &key) : NULL;
    if (!inode) return;
    struct call_state *state = bpf_task_storage_get(&calls, owner, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
    if (state) take_off(state, file, inode, &key);
    return;
  }
  if (!may_truncate(entry, arguments)) return;
  struct call_state *state = bpf_task_storage_get(&calls, owner, NULL, BPF_LOCAL_STORAGE_GET_F_CREATE);
  if (!state) return;
  state->reached = 0;
  state->stage = stage_of(entry);
  state->start_ns = bpf_ktime_get_ns();
}

static __always_inline __u32 call_of_content(__u32 entry) {
  if (entry == ENTRY_FTRUNCATE) return CALL_FTRUNCATE;
  if (entry == ENTRY_FALLOCATE) return CALL_FALLOCATE;
  if (entry == ENTRY_IOCTL) return CALL_OTHER;
  /* The others have the same numbers in both. */
  return entry;
}

/* A call that failed and may have changed something before. */
static __always_inline bool may_have_changed(__u32 entry, long result, bool direct) {
  if (result == -EIO) return true;
  bool at_once = entry <= ENTRY_COPY_FILE_RANGE && !direct;
  return !at_once && (result == -ENOSPC || result == -EDQUOT || result == -EINTR || result == -ENOMEM);
}

/* The descriptor was closed meanwhile, and perhaps opened anew: either file may have changed. */
static __always_inline void note_both(struct workshop *work, const struct call_state *state, struct file *file) {
  struct inode_key key = state->key;
  note_lost(&key, 0, ~0ull, CAUSE_CONCURRENT);
  if (!file) return;
  struct inode *inode = inode_of(file);
  if (is_regular(inode) && is_captured(inode, &work->key)) note_lost(&work->key, 0, ~0ull, CAUSE_CONCURRENT);
}

/* The records of a content call that changed something, or failed and may have. */
static __always_inline void send_content(struct workshop *work, struct file *file, struct inode *inode, long result, struct write_facts *facts, bool writes) {
  __u32 entry = work->entry;
  if (result < 0) return send_dirty(work, 0, ~0ull, CAUSE_NOT_BY_BYTE);
  if (writes) return end_write(work, file, inode, result, facts);
  if (entry <= ENTRY_COPY_FILE_RANGE) return end_copy(work, file, inode, result, facts);
  if (entry == ENTRY_FTRUNCATE) return end_truncate(work);
  if (entry == ENTRY_FALLOCATE) return send_allocation(work, work->call.at[1], work->call.at[2], work->call.at[3]);
  if (is_clone_ioctl(work->call.at[1])) return end_clone(work, facts);
  send_dirty(work, 0, ~0ull, CAUSE_NOT_BY_BYTE);
}

/* Another call was there as well, so that the records' order may not be the order of the changes: tells what is true now. */
static __always_inline void send_truth(struct workshop *work, __u64 low, __u64 high) {
  work->offset = low;
  work->end = high;
  work->head.a = work->head.b = 0;
  if (work->entry <= ENTRY_COPY_FILE_RANGE && high != ~0ull) send_from_pages(work);
  settle_rest(work, CAUSE_CONCURRENT);
}

static __always_inline void end_content(struct workshop *work, struct task_struct *task, long result, bool writes) {
  __u32 entry = work->entry;
  struct call_state *state = bpf_task_storage_get(&calls, bpf_get_current_task_btf(), NULL, 0);
  struct file *file = file_of(task, target_descriptor(entry, &work->call));
  struct inode *inode;
  struct write_facts facts = {.contended = true};
  if (state && state->stage != STAGE_CONTENT) state = NULL;
  work->start_ns = state ? state->start_ns : 0;
  if (state) {
    facts.contended = is_contended(state);
    facts.started = true;
    facts.start_position = state->position;
    facts.start_size = state->size;
    if ((__u64)file != state->file) {
      note_both(work, state, file);
      return land(state);
    }
    inode = (struct inode *)state->inode;
    work->key = state->key;
  } else {
    if (!file) return;
    inode = inode_of(file);
    if (!is_regular(inode) || !is_captured(inode, &work->key)) return;
    /* Begun before the programs were there, or before its volume was watched. */
    disturb(&work->key);
  }
  bool changed = result >= 0 || may_have_changed(entry, result, BPF_CORE_READ(file, f_flags) & O_DIRECT);
  /* Of the calls that return a count, those that did nothing. */
  if (result == 0 && entry <= ENTRY_COPY_FILE_RANGE) changed = false;
  if (changed) {
    describe_caller(&work->head, KIND_WRITE, call_of_content(entry));
    describe_inode(work, inode);
    work->inode = (__u64)inode;
    work->mapping = (__u64)BPF_CORE_READ(inode, i_mapping);
    work->low = 0;
    work->high = ~0ull;
    send_content(work, file, inode, result, &facts, writes);
    bool by_pages = facts.contended && entry <= ENTRY_COPY_FILE_RANGE;
    if (!by_pages && (!state || is_contended(state))) send_truth(work, work->low, work->high);
  }
  if (state) land(state);
}

/* Metadata of the descriptor's inode, of whatever type, or that it is durable now. */
static __always_inline void send_about_descriptor_inline(struct workshop *work, __u32 fd, __u32 kind, __u32 call) {
  struct file *file = file_of(bpf_get_current_task_btf(), fd);
  if (!file) return;
  struct inode *inode = inode_of(file);
  if (!is_captured(inode, &work->key)) return;
  describe_caller(&work->head, kind, call);
  describe_inode(work, inode);
  if (!send_head(&work->head, 0)) note_names_lost();
}
OUT_OF_LINE(send_about_descriptor, (struct workshop *work, __u32 fd, __u32 kind, __u32 call), (work, fd, kind, call))

/* FIDEDUPERANGE is none of them: it shares what is the same already. */
static __always_inline void end_ioctl(struct workshop *work, struct task_struct *task, long result) {
  switch ((__u32)work->call.at[1]) {
    case FS_IOC_SETFLAGS:
    case FS_IOC32_SETFLAGS:
    case FS_IOC_FSSETXATTR:
      if (result >= 0) send_about_descriptor(work, work->call.at[0], KIND_ATTRIBUTES, CALL_INODE_FLAGS);
      return;
  }
  if (is_clone_ioctl(work->call.at[1]) || is_opaque_ioctl(work->call.at[1])) end_content(work, task, result, false);
}

static __always_inline void end_open_inline(struct workshop *work, __u64 flags, __u64 path, __u32 fd) {
  struct file *file = file_of(bpf_get_current_task_btf(), fd);
  describe_caller(&work->head, KIND_NAMES, CALL_OPEN);
  if (!file) {
    /* Closed by another thread before this call returned. */
    if (work->reached && (flags & O_TRUNC)) send_reached(work, CALL_OPEN);
    if (work->told) flags &= ~(__u64)O_TRUNC;
    if (!(flags & (O_CREAT | O_TRUNC))) return;
    describe_caller(&work->head, KIND_NAMES, CALL_OPEN);
    send_names(work, path, 0, flags, PATH_BYTES);
    return;
  }
  bool created = BPF_CORE_READ(file, f_mode) & FMODE_CREATED;
  bool temporary = (BPF_CORE_READ(file, f_flags) & TMPFILE_BIT) != 0;
  if (!created && !temporary && !(flags & O_TRUNC)) return;
  struct inode *inode = inode_of(file);
  if (!is_captured(inode, &work->key)) return;
  describe_inode(work, inode);
  if (temporary) {
    work->head.kind = KIND_TEMPORARY;
    return send_about_inode(work, 0, 0, ~0ull);
  }
  if (created) return send_made_name(work, BPF_CORE_READ(file, f_path.dentry));
  if (is_regular(inode)) send_cut(work);
}
OUT_OF_LINE(end_open, (struct workshop *work, __u64 flags, __u64 path, __u32 fd), (work, flags, path, fd))

/* An operation of io_uring that opened. Of one into a table of registered files there is no descriptor. */
static __always_inline void end_uring_open(struct workshop *work, struct io_kiocb *request, __u32 fd) {
  struct io_open *call = (struct io_open *)request;
  __u64 flags = BPF_CORE_READ(call, how.flags);
  if (!(flags & (O_CREAT | O_TRUNC))) return;
  bool registered = bpf_core_field_exists(call->file_slot) && BPF_CORE_READ(call, file_slot);
  if (registered || !counters.changes_told) return send_unnamed(work, CALL_OPEN, flags);
  work->start_ns = 0;
  work->told = work->reached = 0;
  end_open(work, flags, 0, fd);
}

static __always_inline void send_for_paths(struct workshop *work, __u32 call, __u64 first, __u64 second, __u64 flags) {
  describe_caller(&work->head, KIND_NAMES, call);
  send_names(work, first, second, flags, PATH_BYTES);
}

/* A call that takes a path, or with an empty one means the descriptor itself. */
static __always_inline void send_for_path_at_inline(struct workshop *work, __u32 by_path, __u32 by_descriptor, __u64 flags) {
  char first = 0;
  bool empty = !work->call.at[1] || ((flags & AT_EMPTY_PATH) && !bpf_probe_read_user(&first, 1, (void *)work->call.at[1]) && !first);
  if (empty) return send_about_descriptor(work, work->call.at[0], KIND_ATTRIBUTES, by_descriptor);
  send_for_paths(work, by_path, work->call.at[1], 0, flags);
}
OUT_OF_LINE(send_for_path_at, (struct workshop *work, __u32 by_path, __u32 by_descriptor, __u64 flags), (work, by_path, by_descriptor, flags))

static __always_inline void end_bind(struct workshop *work) {
  __u16 family = 0;
  char first = 0;
  __u64 address = work->call.at[1], bytes = work->call.at[2];
  if (bytes <= 2 || bytes > 110 || bpf_probe_read_user(&family, sizeof(family), (void *)address) || family != AF_UNIX) return;
  /* An abstract name starts with a NUL and is in no directory. */
  if (bpf_probe_read_user(&first, 1, (void *)address + 2) || !first) return;
  describe_caller(&work->head, KIND_NAMES, CALL_BIND);
  /* The path may end without a NUL; one byte more makes room for it. */
  send_names(work, address + 2, 0, 0, bytes - 2 + 1);
}

static long find_file(struct task_struct *task, struct vm_area_struct *area, __u64 *file) {
  *file = (__u64)BPF_CORE_READ(area, vm_file);
  return 0;
}

static __always_inline void end_msync(struct workshop *work) {
  __u64 file = 0;
  describe_caller(&work->head, KIND_DURABLE, CALL_MSYNC);
  /* Fails when the address space is just being changed: then the record has no inode. */
  if (bpf_find_vma(bpf_get_current_task_btf(), work->call.at[0], find_file, &file, 0) == 0) {
    if (!file) return;
    struct inode *inode = inode_of((struct file *)file);
    if (!is_captured(inode, &work->key)) return;
    describe_inode(work, inode);
  }
  if (!send_head(&work->head, 0)) note_names_lost();
}

static __always_inline void end_followed(struct workshop *work, long result) {
  const __u64 *at = work->call.at;
  struct call_state *state = bpf_task_storage_get(&calls, bpf_get_current_task_btf(), NULL, 0);
  work->start_ns = 0;
  take_reached(work, state);
  if (state) {
    if (state->stage == STAGE_BY_PATH || state->stage == STAGE_REQUESTS) work->start_ns = state->start_ns;
    state->stage = STAGE_NONE;
  }
  if (result < 0) {
    /* Given up half way. */
    if (work->entry == ENTRY_TRUNCATE && work->reached) send_reached(work, CALL_TRUNCATE);
    return;
  }
  switch (work->entry) {
    case ENTRY_CREAT: return end_open(work, O_CREAT | O_TRUNC, at[0], result);
    case ENTRY_OPEN: return end_open(work, at[1], at[0], result);
    case ENTRY_OPENAT: return end_open(work, at[2], at[1], result);
    case ENTRY_OPENAT2: {
      __u64 flags = 0;
      /* Unreadable flags count as truncating: saying what size the file has now is never wrong. */
      if (bpf_probe_read_user(&flags, sizeof(flags), (void *)at[2])) flags = O_CREAT | O_TRUNC;
      return end_open(work, flags, at[1], result);
    }
    case ENTRY_TRUNCATE:
      /* Told of no change: it had that size. */
      if (work->reached) send_reached(work, CALL_TRUNCATE);
      if (!work->told) send_for_paths(work, CALL_TRUNCATE, at[0], 0, at[1]);
      return;
    case ENTRY_FSYNC: return send_about_descriptor(work, at[0], KIND_DURABLE, CALL_FSYNC);
    case ENTRY_FDATASYNC: return send_about_descriptor(work, at[0], KIND_DURABLE, CALL_FDATASYNC);
    case ENTRY_SYNCFS: return send_about_descriptor(work, at[0], KIND_DURABLE, CALL_SYNCFS);
    case ENTRY_MSYNC: return end_msync(work);
    case ENTRY_SYNC:
      describe_caller(&work->head, KIND_DURABLE, CALL_SYNC);
      if (!send_head(&work->head, 0)) note_names_lost();
      return;
    case ENTRY_IO_SUBMIT: return end_submission(work, result);
  }
}

static __always_inline void end_other(struct workshop *work, struct task_struct *task, long result) {
  const __u64 *at = work->call.at;
  if (work->entry == ENTRY_MMAP) {
    /* An address: negative only when it is an error. */
    if (result < 0 && result > -4096) return;
    return end_mmap(work, task);
  }
  if (result < 0) return;
  switch (work->entry) {
    case ENTRY_BIND: return end_bind(work);
    case ENTRY_FCHMOD: return send_about_descriptor(work, at[0], KIND_ATTRIBUTES, CALL_FCHMOD);
    case ENTRY_FCHOWN: return send_about_descriptor(work, at[0], KIND_ATTRIBUTES, CALL_FCHOWN);
    case ENTRY_FSETXATTR: return send_about_descriptor(work, at[0], KIND_ATTRIBUTES, CALL_FSETXATTR);
    case ENTRY_FREMOVEXATTR: return send_about_descriptor(work, at[0], KIND_ATTRIBUTES, CALL_FREMOVEXATTR);
    case ENTRY_UTIMENSAT: return send_for_path_at(work, CALL_UTIMES, CALL_FUTIMENS, at[3]);
    case ENTRY_FUTIMESAT: return send_for_path_at(work, CALL_UTIMES, CALL_FUTIMENS, 0);
    case ENTRY_FCHMODAT: return send_for_path_at(work, CALL_CHMOD, CALL_FCHMOD, 0);
    case ENTRY_FCHMODAT2: return send_for_path_at(work, CALL_CHMOD, CALL_FCHMOD, at[3]);
    case ENTRY_FCHOWNAT: return send_for_path_at(work, CALL_CHOWN, CALL_FCHOWN, at[4]);
    case ENTRY_SETXATTRAT: return send_for_path_at(work, CALL_SETXATTR, CALL_FSETXATTR, at[2]);
    case ENTRY_REMOVEXATTRAT: return send_for_path_at(work, CALL_REMOVEXATTR, CALL_FREMOVEXATTR, at[2]);
    case ENTRY_FILE_SETATTR: return send_for_path_at(work, CALL_INODE_FLAGS, CALL_INODE_FLAGS, at[4]);
    case ENTRY_MKDIR: return send_for_paths(work, CALL_MKDIR, at[0], 0, 0);
    case ENTRY_MKDIRAT: return send_for_paths(work, CALL_MKDIR, at[1], 0, 0);
    case ENTRY_MKNOD: return send_for_paths(work, CALL_MKNOD, at[0], 0, 0);
    case ENTRY_MKNODAT: return send_for_paths(work, CALL_MKNOD, at[1], 0, 0);
    case ENTRY_SYMLINK: return send_for_paths(work, CALL_SYMLINK, at[0], at[1], 0);
    case ENTRY_SYMLINKAT: return send_for_paths(work, CALL_SYMLINK, at[0], at[2], 0);
    case ENTRY_LINK: return send_for_paths(work, CALL_LINK, at[0], at[1], 0);
    case ENTRY_LINKAT: return send_for_paths(work, CALL_LINK, at[1], at[3], at[4]);
    case ENTRY_UNLINK: return send_for_paths(work, CALL_UNLINK, at[0], 0, 0);
    case ENTRY_UNLINKAT: return send_for_paths(work, at[2] & AT_REMOVEDIR ? CALL_RMDIR : CALL_UNLINK, at[1], 0, at[2]);
    case ENTRY_RMDIR: return send_for_paths(work, CALL_RMDIR, at[0], 0, 0);
    case ENTRY_RENAME: return send_for_paths(work, CALL_RENAME, at[0], at[1], 0);
    case ENTRY_RENAMEAT: return send_for_paths(work, CALL_RENAME, at[1], at[3], 0);
    case ENTRY_RENAMEAT2: return send_for_paths(work, CALL_RENAME, at[1], at[3], at[4]);
    case ENTRY_CHMOD: return send_for_paths(work, CALL_CHMOD, at[0], 0, 0);
    case ENTRY_CHOWN: return send_for_paths(work, CALL_CHOWN, at[0], 0, 0);
    case ENTRY_UTIME: return send_for_paths(work, CALL_UTIMES, at[0], 0, 0);
    case ENTRY_SETXATTR: return send_for_paths(work, CALL_SETXATTR, at[0], 0, 0);
    case ENTRY_REMOVEXATTR: return send_for_paths(work, CALL_REMOVEXATTR, at[0], 0, 0);
  }
}
