// What all parts of the workload share: its arguments, a worker's state, its chance, and how operations report.
#ifndef AFTERIMAGE_WORKLOAD_H
#define AFTERIMAGE_WORKLOAD_H

#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <sys/types.h>

enum {
  kBufferBytes = 4 << 20,
  kBlockBytes = 4096,
  kHeldFiles = 8,
  kHeldMappings = 4,
  kErrnoMax = 256,
  kDepthMax = 10,
  // Files stay mostly below this; only sparse writes go beyond, to kSparseBytes.
  kDenseBytes = 2 << 20,
};
#define kSparseBytes ((off_t)1 << 30)

struct worker;

// An operation returns 0 when it did all that it is named for, else what failed() returns.
typedef int (*operation_function)(struct worker* w);

struct operation {
  const char* name;
  operation_function run;
  // How often it is drawn, relative to the others.
  unsigned weight;
  // Needs a directory outside the volume.
  bool outside;
};

struct counts {
  uint64_t done;
  uint64_t failed;
  uint32_t errnos[kErrnoMax];
};

struct arguments {
  const char* directory;
  const char* outside;
  uint64_t seed;
  uint64_t operations;
  unsigned processes;
  unsigned threads;
  uint64_t bytes_max;
  bool settle;
  bool collide;
};

// Whatever is undecided when a thread runs for itself: the run is exactly replayable while this is false.
extern bool concurrent;
extern bool is_root;
extern struct arguments arguments;
// Set in memory that all processes share.
extern volatile sig_atomic_t* stopping;

// fork(), with a child that does not outlive its parent.
pid_t fork_worker(void);

// splitmix64: small, and good enough to pick operations and fill files.
struct chance {
  uint64_t state;
};

static inline uint64_t next(struct chance* c) {
  uint64_t z = (c->state += 0x9e3779b97f4a7c15u);
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
  return z ^ (z >> 31);
}

// A whole number in [0, bound); 0 when bound is 0.
static inline uint64_t below(struct chance* c, uint64_t bound) {
  const uint64_t drawn = next(c);
  return bound == 0 ? 0 : drawn % bound;
}

static inline bool one_in(struct chance* c, unsigned n) { return below(c, n) == 0; }

struct mapping {
  char* at;
  size_t length;
  int file;
  off_t offset;
};

struct ring;

struct worker {
  unsigned process;
  unsigned thread;
  uint64_t number;  // of the operation, from 0
  int operation;    // index into the table
  struct chance chance;
  char* buffer;  // kBufferBytes, page-aligned
  int held[kHeldFiles];
  struct mapping mappings[kHeldMappings];
  struct ring* rings[2];
  unsigned long aio;
  bool aio_ready;
};

// Reports the failed call of the running operation from errno, and says when it is none that is to be
// expected. Further ordinary errors of this call follow, ended by 0.
int failed(struct worker* w, const char* call, ...);
// The same as failed(w, call, EINVAL, 0): the file system or the moment refuses it.
#define refused(w, call) failed(w, call, EINVAL, 0)
#define FAILED(w, call) failed(w, call, 0)

// ---- places.c: which files and directories there are, and which of them an operation takes

struct place {
  int directory;
  char name[NAME_MAX + 1];
  // Of the entry; empty when it is too long for one system call.
  char path[PATH_MAX];
};

enum kind { kFile = 1, kDirectory = 2, kSymlink = 4, kSpecial = 8, kAny = 15 };

enum where { kInside, kOutside };

// Each of these opens place->directory, which leave() closes; -1 and errno when there is none.
int new_place(struct worker* w, struct place* place, enum where where, bool for_directory);
int existing_place(struct worker* w, struct place* place, enum where where, unsigned kinds);
// As existing_place, but makes a file or directory where there is none.
int some_place(struct worker* w, struct place* place, enum where where, unsigned kinds);
void leave(struct place* place);
// Opens some file, most often one that is there, which is a regular one for sure. flags as of open(2).
int open_some(struct worker* w, struct place* place, int flags);
// Keeps direct writes to a file apart from all others, until the descriptor is closed or unlocked: where
// they meet, the kernel says itself that what it shows need not be what is on disk. With --collide they may.
void lock(int fd, bool direct);
void unlock(int fd);
// Opens some file with content, to read from.
int open_source(struct worker* w, off_t* size);
// Names a place for an *at() call: by its whole path, or by directory and name. Returns the descriptor.
int at(struct worker* w, const struct place* place, const char** name);
// A path to the entry for calls that take no descriptor; `target` has PATH_MAX bytes.
const char* path_to(const struct place* place, char* target);
int remove_tree(int directory, const char* name);
// Entries below a directory.
unsigned count_entries(int directory, const char* name);
// Picks the name of one of a directory's entries; false when there is none.
bool pick(struct worker* w, int directory, unsigned kinds, char* name);
// Removes until the tree is small again; returns how many entries went.
unsigned trim(struct worker* w);

// ---- content.c: how much is written where, and what

size_t some_length(struct worker* w);
off_t some_offset(struct worker* w, off_t size);
// Fills the first `length` bytes of the worker's buffer, and returns it.
char* fill(struct worker* w, size_t length);
void fill_at(struct worker* w, char* target, size_t length);
off_t size_of(int fd);
// Keeps a descriptor open for later operations, and closes the one whose place it takes.
void hold(struct worker* w, int fd);
int write_all(int fd, const char* bytes, size_t length, off_t offset);

// ---- the operations, by file; each table ends with an entry without a name

extern const struct operation write_operations[];
extern const struct operation range_operations[];
extern const struct operation mapped_operations[];
extern const struct operation async_operations[];
extern const struct operation ring_operations[];
extern const struct operation name_operations[];
extern const struct operation metadata_operations[];

void unmap_all(struct worker* w);
void close_rings(struct worker* w);

// ---- modes.c

int run_causal(const char* first, const char* second, uint64_t count, bool through_pipe);
int run_overload(const char* directory, unsigned processes, unsigned seconds, uint64_t seed);

#endif
