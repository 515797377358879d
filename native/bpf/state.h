/* The maps, and what is kept from the start of a call to its end. */
#pragma once

#include "kernel.h"
#include "record.h"

struct {
  __uint(type, BPF_MAP_TYPE_RINGBUF);
  __uint(max_entries, 1 << 20); /* replaced before loading */
} ring SEC(".maps");

/* Watched superblocks by device number, in the record's encoding. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1024);
  __type(key, __u32);
  __type(value, __u8);
} volumes SEC(".maps");

/* Watched block devices, by the device number of the whole disk. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 256);
  __type(key, __u32);
  __type(value, struct watched_disk);
} disks SEC(".maps");

/* By the address of the kernel's request. One that finds no room is as good as lost. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(max_entries, 1 << 16);
  __type(key, __u64);
  __type(value, struct block_flight);
} block_flights SEC(".maps");

/* Inodes known to be of no interest. Forgetting one costs a record, never content. */
struct {
  __uint(type, BPF_MAP_TYPE_LRU_HASH);
  __uint(max_entries, 1 << 18);
  __type(key, struct inode_key);
  __type(value, __u8);
} outside SEC(".maps");

/*
 * What was lost. There are two, used in turn: user space swaps the one in use, which waits for every
 * program under way, and empties the other undisturbed.
 */
struct dirty_map {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, 1 << 16);
  __type(key, struct inode_key);
  __type(value, struct lost_range);
};
struct dirty_map dirty_first SEC(".maps");
struct dirty_map dirty_second SEC(".maps");
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY_OF_MAPS);
  __uint(max_entries, 1);
  __type(key, __u32);
  __array(values, struct dirty_map);
} dirty SEC(".maps") = {.values = {&dirty_first}};

/* Inodes that had a shared writable mapping, with the inode's address, which may be stale: check before use. */
struct {
  __uint(type, BPF_MAP_TYPE_HASH);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __uint(max_entries, 1 << 16);
  __type(key, struct inode_key);
  __type(value, __u64);
} mapped SEC(".maps");

/*
 * Content calls in flight, by a hash of the inode: a fixed array needs no clean-up, and two inodes
 * in one slot only make a call look contended, which is safe.
 */
struct flight_slot {
  __u32 active;
  /* Raised whenever a call starts while another is active, and when something changes content outside any such call. */
  __u32 overlaps;
  __u64 last_end_ns;
};
enum { FLIGHT_SLOTS = 1 << 16 };
struct {
  __uint(type, BPF_MAP_TYPE_ARRAY);
  __uint(max_entries, FLIGHT_SLOTS);
  __type(key, __u32);
  __type(value, struct flight_slot);
} flights SEC(".maps");

enum call_stage {
  STAGE_NONE = 0,
  /* In a call that changes the content of the inode in `key`. */
  STAGE_CONTENT,
  /* In a call that may change the content of an inode not yet known: by path. */
  STAGE_BY_PATH,
  /* In a call that writes dirty pages back, and may mark some dirty again. */
  STAGE_SYNC,
  /* In a call that carries out requests of which each is captured by itself. */
  STAGE_REQUESTS,
};

/* From the start of a call to its end; freed with its task. */
struct call_state {
  __u32 stage;
  __u32 slot;
  __u32 overlaps;
  __u32 contended;
  __u64 start_ns;
  /* Addresses for comparing only: neither need exist any more. */
  __u64 file;
  __u64 inode;
  struct inode_key key;
  __s64 position;
  __u64 size;
  /* By path: whether `inode` and `key` are those of a captured regular file that the call has changed. */
  __u32 reached;
};
struct {
  __uint(type, BPF_MAP_TYPE_TASK_STORAGE);
  __uint(map_flags, BPF_F_NO_PREALLOC);
  __type(key, int);
  __type(value, struct call_state);
} calls SEC(".maps");

enum { PATH_BYTES = 4096, PATH_TAIL_BYTES = 512 };

/* As much of an inode, a file or a superblock as the fields that are read lie in. */
enum { SNAPSHOT_BYTES = 256 };

/* Where a program assembles a record: too large for its stack. */
struct workshop {
  struct record_header head;
  struct inode_key key;
  /* The call whose end this is. */
  struct arguments call;
  __s64 result;
  __u32 entry;
  __u32 compat;
  /* When it began; 0 when that is not known. */
  __u64 start_ns;
  /* By path: whether the kernel would have told which captured file the call changed. Then that is `key` and `inode`, or none. */
  __u32 told;
  __u32 reached;
  __u64 mapping;
  __u64 inode;
  /* What is left to be captured: [offset, end). */
  __u64 offset;
  __u64 end;
  /* What the call may have changed in all. */
  __u64 low;
  __u64 high;
  /* Where the next byte lies in user memory, and to where this piece of it goes. */
  __u64 user;
  __u64 user_left;
  /* Further pieces: an array of struct iovec. */
  __u64 vector;
  __u32 vector_left;
  __u32 ring_full;
  /* Asynchronous requests that were accepted: an array of pointers to struct iocb. */
  __u64 requests;
  __u32 requests_left;
  /* An inode, read at once: a call for each of its fields would cost more than all else. */
  char inode_now[SNAPSHOT_BYTES] __attribute__((aligned(8)));
  char path[2][PATH_BYTES];
};
/* Programs that may interrupt one another have a workshop each. */
enum workshop_of { WORKSHOP_EXIT = 0, WORKSHOP_DIRTY = 1, WORKSHOP_URING = 2, WORKSHOP_ENTER = 3, WORKSHOP_REQUEST = 4, WORKSHOP_BLOCK = 5, WORKSHOPS };
struct {
  __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
  __uint(max_entries, WORKSHOPS);
  __type(key, __u32);
  __type(value, struct workshop);
} workshops SEC(".maps");

volatile struct capture_counters counters SEC(".data.counters");
/* enum entry by system call number: this architecture's, and its 32-bit one's. */
const volatile __u8 native_entries[SYSTEM_CALLS_MAX] SEC(".rodata.native");
const volatile __u8 compat_entries[SYSTEM_CALLS_MAX] SEC(".rodata.compat");

static __always_inline struct workshop *workshop_of(__u32 which) { return bpf_map_lookup_elem(&workshops, &which); }

/* Keeps the compiler from assuming what it knows of a value, so that the check before its use is one the verifier sees. */
#ifndef barrier_var
#define barrier_var(value) asm volatile("" : "+r"(value))
#endif

/*
 * A function that is called, not inlined. The verifier looks at what it leaves in the register for
 * results, though it has none: that must not be an address of its own.
 */
#define OUT_OF_LINE(NAME, PARAMETERS, ARGUMENTS) \
  static __noinline void NAME PARAMETERS {       \
    NAME##_inline ARGUMENTS;                     \
    asm volatile("r0 = 0" ::: "r0");             \
  }

/* A field of a structure that was copied to `bytes`. */
#define FIELD(bytes, type, field) (*(typeof(((type *)0)->field) *)((bytes) + bpf_core_field_offset(type, field)))
