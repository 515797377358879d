/*
 * Captures what changes files: content, names and metadata of every call, in the order in which the
 * calls return. The programs hang on tracepoints alone, since some machines allow nothing else.
 */
#include "block.h"
#include "calls.h"
#include "requests.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("tp_btf/sys_enter")
int BPF_PROG(on_enter, struct pt_regs *regs, long number) {
  struct task_struct *task = bpf_get_current_task_btf();
  bool compat = is_compat(task);
  __u32 entry = entry_of(number, compat);
  if (entry == ENTRY_NONE || entry > ENTRY_FOLLOWED_LAST || is_excluded(task)) return 0;
  struct arguments arguments;
  read_arguments(regs, compat, &arguments);
  if (compat) join_halves(entry, &arguments);
  start_call(task, entry, &arguments);
  return 0;
}

/*
 * The end of a call is several programs, of which the first passes control to another: the verifier
 * then looks at each by itself. Only programs named on_... are attached.
 */
enum exit_program { EXIT_WRITE, EXIT_CONTENT, EXIT_FOLLOWED, EXIT_OTHER, EXIT_PROGRAMS };

int exit_write(void *context);
int exit_content(void *context);
int exit_followed(void *context);
int exit_other(void *context);
struct {
  __uint(type, BPF_MAP_TYPE_PROG_ARRAY);
  __uint(max_entries, EXIT_PROGRAMS);
  __uint(key_size, sizeof(__u32));
  __array(values, int(void *));
} exit_programs SEC(".maps") = {
    .values = {[EXIT_WRITE] = (void *)&exit_write, [EXIT_CONTENT] = (void *)&exit_content, [EXIT_FOLLOWED] = (void *)&exit_followed, [EXIT_OTHER] = (void *)&exit_other},
};

static __always_inline __u32 exit_program_of(__u32 entry) {
  if (entry <= ENTRY_PWRITEV2) return EXIT_WRITE;
  if (entry <= ENTRY_CONTENT_LAST) return EXIT_CONTENT;
  return entry <= ENTRY_FOLLOWED_LAST ? EXIT_FOLLOWED : EXIT_OTHER;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_exit, struct pt_regs *regs, long result) {
  struct task_struct *task = bpf_get_current_task_btf();
  bool compat = is_compat(task);
  __u32 entry = entry_of(system_call_number(regs), compat);
  if (entry == ENTRY_NONE || is_excluded(task)) return 0;
  struct workshop *work = workshop_of(WORKSHOP_EXIT);
  if (!work) return 0;
  read_arguments(regs, compat, &work->call);
  work->entry = entry;
  work->compat = compat;
  work->result = result;
  if (compat) {
    join_halves(entry, &work->call);
    /* Addresses need all 32 bits; the other results are signed, and no conditional expression of both types would be. */
    if (entry == ENTRY_MMAP) {
      work->result = (__u32)result;
    } else {
      work->result = (__s32)result;
    }
  }
  bpf_tail_call(ctx, &exit_programs, exit_program_of(entry));
  count_loss(&counters.everything_lost, &counters.everything_lost_first_ns);
  return 0;
}

SEC("tp_btf/sys_exit")
int exit_write(void *context) {
  struct workshop *work = workshop_of(WORKSHOP_EXIT);
  if (work) end_content(work, bpf_get_current_task_btf(), work->result, true);
  return 0;
}

SEC("tp_btf/sys_exit")
int exit_content(void *context) {
  struct workshop *work = workshop_of(WORKSHOP_EXIT);
  if (!work) return 0;
  if (work->entry == ENTRY_IOCTL) {
    end_ioctl(work, bpf_get_current_task_btf(), work->result);
  } else {
    end_content(work, bpf_get_current_task_btf(), work->result, false);
  }
  return 0;
}

SEC("tp_btf/sys_exit")
int exit_followed(void *context) {
  struct workshop *work = workshop_of(WORKSHOP_EXIT);
  if (work) end_followed(work, work->result);
  return 0;
}

SEC("tp_btf/sys_exit")
int exit_other(void *context) {
  struct workshop *work = workshop_of(WORKSHOP_EXIT);
  if (work) end_other(work, bpf_get_current_task_btf(), work->result);
  return 0;
}

/* A task that ends inside a call takes its flight with it. */
SEC("tp_btf/sched_process_exit")
int BPF_PROG(on_task_exit, struct task_struct *task) {
  struct call_state *state = bpf_task_storage_get(&calls, bpf_get_current_task_btf(), NULL, 0);
  if (state && state->stage == STAGE_CONTENT) {
    struct inode_key key = state->key;
    land(state);
    note_lost(&key, 0, ~0ull, CAUSE_NOT_BY_BYTE);
  }
  return 0;
}

/* The three ways in which an inode's ctime is set. */
SEC("tp_btf/ctime_ns_xchg")
int BPF_PROG(on_ctime_swap, struct inode *inode) {
  inode_changed(inode);
  return 0;
}

SEC("tp_btf/ctime_xchg_skip")
int BPF_PROG(on_ctime_same, struct inode *inode) {
  inode_changed(inode);
  return 0;
}

SEC("tp_btf/inode_set_ctime_to_ts")
int BPF_PROG(on_ctime_set, struct inode *inode) {
  inode_changed(inode);
  return 0;
}

SEC("tp_btf/block_bio_queue")
int BPF_PROG(on_block_queue, struct bio *bio) {
  block_queued(bio);
  return 0;
}

SEC("tp_btf/block_bio_complete")
int BPF_PROG(on_block_complete, void *queue, struct bio *bio) {
  block_completed(bio);
  return 0;
}

SEC("tp_btf/block_rq_complete")
int BPF_PROG(on_block_request_complete, struct request *request, __u8 error, __u32 bytes) {
  request_completed(request, error, bytes);
  return 0;
}

SEC("tp_btf/writeback_dirty_folio")
int BPF_PROG(on_dirty, struct folio *folio, struct address_space *space) {
  page_dirtied(folio, space);
  return 0;
}

SEC("tp_btf/io_uring_submit_req")
int BPF_PROG(on_uring_submit, struct io_kiocb *request) {
  __u8 opcode = BPF_CORE_READ(request, opcode);
  if (!changes_content(opcode) || is_excluded(bpf_get_current_task_btf())) return 0;
  struct workshop *work = workshop_of(WORKSHOP_URING);
  struct file *file = BPF_CORE_READ(request, file);
  /* Not looked up yet for all operations: then its completion must do. */
  __sync_fetch_and_add(&counters.uring_writes, 1);
  if (!work || !file || !(BPF_CORE_READ(request, flags) & URING_NO_COMPLETION)) return 0;
  struct inode *inode = inode_of(file);
  if (!is_regular(inode) || !is_captured(inode, &work->key)) return 0;
  describe_caller(&work->head, KIND_DIRTY, CALL_IO_URING);
  describe_inode(work, inode);
  send_dirty(work, 0, ~0ull, CAUSE_ASYNCHRONOUS);
  return 0;
}

SEC("tp_btf/io_uring_complete")
int BPF_PROG(on_uring_complete, void *ring_context, struct io_kiocb *request) {
  if (!request || is_excluded(bpf_get_current_task_btf())) return 0;
  __u8 opcode = BPF_CORE_READ(request, opcode);
  __s32 result = BPF_CORE_READ(request, cqe.res);
  struct workshop *work = workshop_of(WORKSHOP_URING);
  if (!work) return 0;
  if (changes_content(opcode)) {
    end_uring_content(work, request, opcode, result);
    return 0;
  }
  if (result < 0) return 0;
  __u32 call = call_of_operation(opcode);
  if (call) {
    send_unnamed(work, call, 0);
  } else if (opcode == URING_OPENAT || opcode == URING_OPENAT2) {
    end_uring_open(work, request, result);
  } else if (opcode == URING_FSYNC) {
    struct file *file = BPF_CORE_READ(request, file);
    struct inode *inode = file ? inode_of(file) : NULL;
    if (!inode || !is_captured(inode, &work->key)) return 0;
    describe_caller(&work->head, KIND_DURABLE, CALL_FSYNC);
    describe_inode(work, inode);
    if (!send_head(&work->head, 0)) note_names_lost();
  }
  return 0;
}

/* A completion that found no room is not announced as others are, and does not say whose it was. */
SEC("tp_btf/io_uring_cqe_overflow")
int BPF_PROG(on_uring_overflow) {
  if (counters.uring_writes) count_loss(&counters.everything_lost, &counters.everything_lost_first_ns);
  return 0;
}
