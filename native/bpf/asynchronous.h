/* Linux AIO at submission, and io_uring at completion. */
#pragma once

#include "copies.h"
#include "names.h"

/* struct iocb of the kernel's user-space interface. */
struct aio_request {
  __u64 data;
  __u32 key;
  __u32 call_flags;
  __u16 opcode;
  __s16 priority;
  __u32 fd;
  __u64 buffer;
  __u64 bytes;
  __s64 offset;
  __u64 reserved;
  __u32 flags;
  __u32 event_fd;
};
enum { IOCB_PWRITE = 1, IOCB_PWRITEV = 8, REQUESTS_MAX = 1 << 16 };

/* One accepted request: a buffered one is done by now, a direct one will put just these bytes there. */
static __always_inline void end_request_inline(struct workshop *work, const struct aio_request *request) {
  struct file *file = file_of(bpf_get_current_task_btf(), request->fd);
  if (!file) return;
  struct inode *inode = inode_of(file);
  if (!is_regular(inode) || !is_captured(inode, &work->key)) return;
  disturb(&work->key);
  describe_caller(&work->head, KIND_WRITE, CALL_IO_SUBMIT);
  describe_inode(work, inode);
  __u32 flags = BPF_CORE_READ(file, f_flags);
  bool append = ((flags & O_APPEND) && !(request->call_flags & RWF_NOAPPEND)) || (request->call_flags & RWF_APPEND);
  work->inode = (__u64)inode;
  work->mapping = (__u64)BPF_CORE_READ(inode, i_mapping);
  work->ring_full = 0;
  work->offset = request->offset;
  work->end = request->offset + request->bytes;
  work->user = request->buffer;
  work->user_left = request->bytes;
  work->vector_left = 0;
  if (request->opcode == IOCB_PWRITEV) {
    work->vector = request->buffer;
    work->vector_left = request->bytes;
    work->user_left = 0;
    /* How long it is only its pieces say. */
    work->end = ~0ull;
  }
  if (flags & O_DIRECT) work->head.flags |= FLAG_DIRECT;
  if (append) {
    work->offset = 0;
    work->end = ~0ull;
    return settle_rest(work, CAUSE_ASYNCHRONOUS);
  }
  __u64 low = work->offset;
  if (!(flags & O_DIRECT) && request->opcode == IOCB_PWRITE) {
    send_from_pages(work);
    work->user += work->offset - low;
    work->user_left -= work->offset - low;
  }
  send_from_user(work);
  if (request->opcode == IOCB_PWRITEV && !work->user_left && !work->vector_left) work->end = work->offset;
  settle_rest(work, CAUSE_ASYNCHRONOUS);
  if (was_disturbed(&work->key, work->start_ns)) send_dirty(work, low, work->end, CAUSE_ASYNCHRONOUS);
}
OUT_OF_LINE(end_request, (struct workshop *work, const struct aio_request *request), (work, request))

static long request_step(__u32 step, struct workshop **context) {
  struct workshop *work = *context;
  struct aio_request request = {};
  __u64 address = 0;
  if (!work->requests_left) return 1;
  work->requests_left--;
  __u32 width = work->compat ? 4 : 8;
  if (bpf_probe_read_user(&address, width & 15, (void *)work->requests)) return 1;
  work->requests += width;
  if (bpf_probe_read_user(&request, sizeof(request), (void *)address)) {
    count_loss(&counters.everything_lost, &counters.everything_lost_first_ns);
    return 0;
  }
  if (request.opcode == IOCB_PWRITE || request.opcode == IOCB_PWRITEV) end_request(work, &request);
  return 0;
}

static __always_inline void end_submission(struct workshop *work, __u32 accepted) {
  work->requests = work->call.at[2];
  work->requests_left = accepted;
  bpf_loop(REQUESTS_MAX, request_step, &work, 0);
}

/* enum io_uring_op */
enum {
  URING_WRITEV = 2,
  URING_FSYNC = 3,
  URING_WRITE_FIXED = 5,
  URING_FALLOCATE = 17,
  URING_OPENAT = 18,
  URING_WRITE = 23,
  URING_OPENAT2 = 28,
  URING_SPLICE = 30,
  URING_RENAMEAT = 35,
  URING_UNLINKAT = 36,
  URING_MKDIRAT = 37,
  URING_SYMLINKAT = 38,
  URING_LINKAT = 39,
  URING_FSETXATTR = 41,
  URING_SETXATTR = 42,
  URING_FTRUNCATE = 55,
  URING_BIND = 56,
  URING_WRITEV_FIXED = 61,
  URING_NO_COMPLETION = 1 << 6, /* REQ_F_CQE_SKIP, as IOSQE_CQE_SKIP_SUCCESS */
};

static __always_inline bool is_uring_write(__u8 opcode) {
  return opcode == URING_WRITE || opcode == URING_WRITEV || opcode == URING_WRITE_FIXED || opcode == URING_WRITEV_FIXED;
}

static __always_inline bool changes_content(__u8 opcode) {
  return is_uring_write(opcode) || opcode == URING_FALLOCATE || opcode == URING_FTRUNCATE || opcode == URING_SPLICE;
}

/* The call that does by path what the operation does, or 0. */
static __always_inline __u32 call_of_operation(__u8 opcode) {
  switch (opcode) {
    case URING_RENAMEAT: return CALL_RENAME;
    case URING_UNLINKAT: return CALL_UNLINK;
    case URING_MKDIRAT: return CALL_MKDIR;
    case URING_SYMLINKAT: return CALL_SYMLINK;
    case URING_LINKAT: return CALL_LINK;
    case URING_FSETXATTR: return CALL_FSETXATTR;
    case URING_SETXATTR: return CALL_SETXATTR;
    case URING_BIND: return CALL_BIND;
  }
  return 0;
}

/* What went past the page cache lies in its owner's buffer still, which may not be changed before the completion is told of. */
static __always_inline void send_from_buffer(struct workshop *work, struct io_kiocb *request, __u8 opcode) {
  struct task_struct *task = bpf_get_current_task_btf();
  struct task_struct *owner = owner_of(request);
  struct io_rw *call = (struct io_rw *)request;
  /* Whoever reaps completions need not be who made the request. */
  if (!owner || !task->mm || BPF_CORE_READ(owner, mm) != task->mm || !bpf_core_field_exists(call->addr)) return;
  work->user = work->vector = BPF_CORE_READ(call, addr);
  work->compat = is_compat(task);
  bool several = opcode == URING_WRITEV || opcode == URING_WRITEV_FIXED;
  work->user_left = several ? 0 : work->end - work->offset;
  work->vector_left = several ? BPF_CORE_READ(call, len) : 0;
  send_from_user(work);
}

static __always_inline void end_uring_write(struct workshop *work, struct io_kiocb *request, struct file *file, __u8 opcode, __u64 bytes) {
  __u64 end = BPF_CORE_READ((struct io_rw *)request, kiocb.ki_pos);
  bool direct = BPF_CORE_READ(file, f_flags) & O_DIRECT;
  work->ring_full = 0;
  work->offset = end - bytes;
  work->end = end;
  if (direct) work->head.flags |= FLAG_DIRECT;
  if (end < bytes) {
    work->offset = 0;
    work->end = ~0ull;
    return settle_rest(work, CAUSE_ASYNCHRONOUS);
  }
  if (direct) {
    send_from_buffer(work, request, opcode);
  } else {
    send_from_pages(work);
  }
  settle_rest(work, CAUSE_ASYNCHRONOUS);
}

static __always_inline void end_uring_content_inline(struct workshop *work, struct io_kiocb *request, __u8 opcode, __s32 result) {
  struct file *file = BPF_CORE_READ(request, file);
  if (!file || (result <= 0 && is_uring_write(opcode)) || result < 0) return;
  struct inode *inode = inode_of(file);
  if (!is_regular(inode) || !is_captured(inode, &work->key)) return;
  disturb(&work->key);
  describe_caller(&work->head, KIND_WRITE, CALL_IO_URING);
  describe_inode(work, inode);
  work->inode = (__u64)inode;
  work->mapping = (__u64)BPF_CORE_READ(inode, i_mapping);
  if (is_uring_write(opcode)) return end_uring_write(work, request, file, opcode, result);
  if (opcode == URING_FALLOCATE) {
    struct io_sync *call = (void *)request;
    send_allocation(work, BPF_CORE_READ(call, mode), BPF_CORE_READ(call, off), BPF_CORE_READ(call, len));
    /* Since when it was under way is not known: had anyone been there before, its start would not say. */
    return send_dirty(work, work->offset, work->end, CAUSE_CONCURRENT);
  }
  if (opcode == URING_FTRUNCATE) {
    work->head.kind = KIND_TRUNCATE;
    send_about_inode(work, 0, 0, ~0ull);
    return send_dirty(work, 0, ~0ull, CAUSE_CONCURRENT);
  }
  send_dirty(work, 0, ~0ull, CAUSE_ASYNCHRONOUS);
}
OUT_OF_LINE(end_uring_content, (struct workshop *work, struct io_kiocb *request, __u8 opcode, __s32 result), (work, request, opcode, result))

/* A name changed somewhere: which one is known from elsewhere, that it was now is known from here. */
static __always_inline void send_unnamed(struct workshop *work, __u32 call, __u64 flags) {
  describe_caller(&work->head, KIND_NAMES, call);
  work->head.a = flags;
  if (!send_head(&work->head, 0)) note_names_lost();
}
