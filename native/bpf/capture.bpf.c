/*
 * Captures what changes files: content, names and metadata of every call, in the order in which the
 * calls return. The programs hang on tracepoints alone, since some machines allow nothing else.
 */
#include "calls.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

SEC("tp_btf/sys_enter")
int BPF_PROG(on_enter, struct pt_regs *regs, long number) {
  struct task_struct *task = (void *)bpf_get_current_task();
  bool compat = is_compat(task);
  __u32 entry = entry_of(number, compat);
  if (entry == ENTRY_NONE || entry > ENTRY_FOLLOWED_LAST || is_excluded(task)) return 0;
  struct arguments arguments;
  read_arguments(regs, compat, &arguments);
  start_call(task, entry, &arguments);
  return 0;
}

SEC("tp_btf/sys_exit")
int BPF_PROG(on_exit, struct pt_regs *regs, long result) {
  struct task_struct *task = (void *)bpf_get_current_task();
  bool compat = is_compat(task);
  __u32 entry = entry_of(system_call_number(regs), compat);
  if (entry == ENTRY_NONE || is_excluded(task)) return 0;
  struct workshop *work = workshop_of(WORKSHOP_EXIT);
  if (!work) return 0;
  read_arguments(regs, compat, &work->call);
  work->entry = entry;
  work->compat = compat;
  if (compat) result = (__s32)result;
  if (entry <= ENTRY_CONTENT_LAST) {
    end_content(work, task, result);
  } else {
    end_other(work, task, result);
  }
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
