/* Programs that user space runs itself, in its own context: to find pages, and to ask about an inode. */
#pragma once

#include "flight.h"
#include "mappings.h"
#include "page-cache.h"

/* A page as the walk read it, for user space to compare. */
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, 1);
  __type(key, __u32);
  __type(value, struct page_specimen);
} specimen SEC(".maps");

/* The kernel maps all memory in one piece whose start is random in steps of this. */
enum { BASE_STEP_SHIFT = 30, BASE_CANDIDATES = 8192 };

struct search {
  struct calibrate_request *request;
  __u64 pattern[4];
  __u64 page;
  __u64 middle;
  __u64 found;
};

static __always_inline bool holds_pattern(__u64 address, const __u64 *pattern) {
  __u64 words[4] = {};
  if (bpf_probe_read_kernel(words, sizeof(words), (void *)address)) return false;
  return words[0] == pattern[0] && words[1] == pattern[1] && words[2] == pattern[2] && words[3] == pattern[3];
}

/* From the middle outwards, below and above in turn. */
static long try_base(__u32 step, struct search *search) {
  __u64 distance = (__u64)(step >> 1) << BASE_STEP_SHIFT;
  __u64 base = step & 1 ? search->middle + distance : search->middle - distance;
  __u64 number = (search->page - counters.page_array_base) / bpf_core_type_size(struct page);
  if (!holds_pattern(base + (number << PAGE_SHIFT), search->pattern)) return 0;
  search->found = base;
  return 1;
}

/*
 * Finds where the kernel sees the content of a struct page, from a page of the descriptor's file that
 * starts with the pattern. Only the difference of the two bases counts, so that any multiple of a
 * step will do as the start of the page array.
 */
SEC("syscall")
int calibrate(struct calibrate_request *request) {
  struct task_struct *task = bpf_get_current_task_btf();
  struct file *file = file_of(task, request->fd);
  if (!file) return 0;
  struct search search = {};
  for (int i = 0; i < 4; i++) search.pattern[i] = request->pattern[i];
  search.page = page_at((__u64)BPF_CORE_READ(file, f_inode, i_mapping), 0);
  if (!search.page) return 0;
  counters.page_array_base = search.page & ~((1ull << BASE_STEP_SHIFT) - 1);
  /* Tasks lie in the mapping of all memory, so that its start is not far. */
  search.middle = bpf_get_current_task() & ~((1ull << BASE_STEP_SHIFT) - 1);
  bpf_loop(BASE_CANDIDATES, try_base, &search, 0);
  counters.direct_map_base = search.found;
  request->found = search.found != 0;
  return 0;
}

/* Copies one page of the descriptor's file to the specimen. */
SEC("syscall")
int walk(struct walk_request *request) {
  __u32 zero = 0;
  struct page_specimen *copy = bpf_map_lookup_elem(&specimen, &zero);
  struct file *file = file_of(bpf_get_current_task_btf(), request->fd);
  if (!copy || !file) return 0;
  __u64 page = page_at((__u64)BPF_CORE_READ(file, f_inode, i_mapping), request->offset >> PAGE_SHIFT);
  if (!page) return 0;
  request->copied = bpf_probe_read_kernel(copy->bytes, sizeof(copy->bytes), (void *)page_content(page)) == 0;
  return 0;
}

/* The process as the kernel numbers it, which in a container is not how it sees itself. */
SEC("syscall")
int identify(struct identify_request *request) {
  request->pid = bpf_get_current_pid_tgid() >> 32;
  return 0;
}

/* Takes note of the descriptor's file if it can be written through a mapping. */
SEC("syscall")
int note_mapped(struct note_request *request) {
  struct file *file = file_of(bpf_get_current_task_btf(), request->fd);
  request->noted = file && note_mapped_inline(file);
  return 0;
}

/* Whether an inode that was once seen mapped is so still; forgotten when it is not. */
SEC("syscall")
int is_mapped(struct mapped_request *request) {
  struct inode_key key = request->key, now = {};
  __u64 *address = bpf_map_lookup_elem(&mapped, &key);
  request->mapped = 0;
  if (!address) return 0;
  struct inode *inode = (struct inode *)*address;
  now.ino = BPF_CORE_READ(inode, i_ino);
  now.generation = BPF_CORE_READ(inode, i_generation);
  struct super_block *super = BPF_CORE_READ(inode, i_sb);
  now.device = encode_device(BPF_CORE_READ(super, s_dev));
  now.tree = tree_of(inode, super);
  /* The memory may have become another inode's, or no inode's at all. */
  bool same = now.ino == key.ino && now.generation == key.generation && now.device == key.device && now.tree == key.tree;
  if (same && BPF_CORE_READ(inode, i_mapping, i_mmap_writable.counter) > 0) {
    request->mapped = 1;
  } else {
    bpf_map_delete_elem(&mapped, &key);
  }
  return 0;
}
