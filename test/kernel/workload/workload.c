// Does random file operations from one seed: workload DIRECTORY --seed N --operations N --processes P --threads T
//   [--only op,op] [--without op,op] [--outside DIRECTORY] [--bytes-max N] [--collide] [--settle]
// or: workload --causal A B --count N [--pipe]
// or: workload DIRECTORY --overload --seconds S [--processes P] [--seed N]
//
// One process with one thread makes the same tree from the same seed in an empty directory of the same
// file system, times aside. With more, each makes the same attempts, and who comes first decides.
//
// Operations are named as in the tables at the ends of the other files; "uring" in --only or --without
// stands for all whose names begin with "uring-" too, "=rename" for the one that is named exactly so.
//
// Prints one line of JSON. Exits with 1 after a failure that is none of the ordinary ones.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "workload.h"

enum { kOperationsMax = 128, kTrimEvery = 128 };

bool concurrent;
bool is_root;
struct arguments arguments = {.seed = 1, .operations = 1000, .processes = 1, .threads = 1, .bytes_max = (uint64_t)192 << 20};
volatile sig_atomic_t* stopping;

static struct operation operations[kOperationsMax];
static int operation_count;
static unsigned weight_sum;

// Shared by all processes.
static struct shared {
  struct counts counts[kOperationsMax];
  uint64_t trimmed;
  uint64_t unexpected;
}* shared;

static bool ordinary(int error) {
  switch (error) {
    case ENOENT: case EEXIST: case ENOTEMPTY: case ENOTDIR: case EISDIR: case ELOOP: case EXDEV: case ENOSPC: case EDQUOT:
    case EOPNOTSUPP: case ENOTTY: case ENOSYS: case EMLINK: case ENAMETOOLONG: case ENXIO: case EFBIG: case EACCES: case ETXTBSY: case EBUSY:
      return true;
    case EIO:
      // Where direct writes meet dirty pages of mappings or of others, whoever next waits for the file's pages is told so.
      return true;
    case EPERM: case ESTALE: case EINTR:
      // A file that another thread has made immutable or append-only for a moment.
      return concurrent || !is_root;
    default: return false;
  }
}

int failed(struct worker* w, const char* call, ...) {
  const int error = errno;
  struct counts* counts = &shared->counts[w->operation];
  if (error >= 0 && error < kErrnoMax) __atomic_fetch_add(&counts->errnos[error], 1, __ATOMIC_RELAXED);
  bool expected = ordinary(error);
  va_list further;
  va_start(further, call);
  for (int each; (each = va_arg(further, int)) != 0;) expected = expected || each == error;
  va_end(further);
  if (!expected) {
    __atomic_fetch_add(&shared->unexpected, 1, __ATOMIC_RELAXED);
    fprintf(stderr, "unexpected failure of %s in operation %" PRIu64 " (%s) of process %u thread %u: %s (errno %d)\n", call, w->number, operations[w->operation].name, w->process, w->thread, strerror(error), error);
  }
  return -1;
}

static const struct operation* const tables[] = {write_operations, range_operations, mapped_operations, async_operations, ring_operations, name_operations, metadata_operations};

// Whether a list of names separated by commas has the name, or a word that it begins with.
static bool listed(const char* list, const char* name) {
  for (const char* from = list; *from != 0;) {
    const size_t length = strcspn(from, ",");
    const bool whole = *from == '=';
    const size_t skipped = whole ? 1 : 0, compared = length - skipped;
    if (compared > 0 && compared <= length && strncmp(from + skipped, name, compared) == 0 && (name[compared] == 0 || (!whole && name[compared] == '-'))) return true;
    from += length;
    if (*from == ',') from++;
  }
  return false;
}

static bool is_named_by(const char* word, size_t length) {
  char one[64];
  if (length == 0) return true;
  if (length >= sizeof one) return false;
  memcpy(one, word, length);
  one[length] = 0;
  for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++) {
    for (const struct operation* each = tables[t]; each->name != NULL; each++) {
      if (listed(one, each->name)) return true;
    }
  }
  return false;
}

static bool check_list(const char* list) {
  for (const char* from = list; list != NULL && *from != 0;) {
    const size_t length = strcspn(from, ",");
    if (!is_named_by(from, length)) {
      fprintf(stderr, "there is no operation %.*s\n", (int)length, from);
      return false;
    }
    from += length;
    if (*from == ',') from++;
  }
  return true;
}

static void choose_operations(const char* only, const char* without) {
  for (size_t t = 0; t < sizeof tables / sizeof tables[0]; t++) {
    for (const struct operation* each = tables[t]; each->name != NULL; each++) {
      if (each->outside && arguments.outside == NULL) continue;
      if (only != NULL && !listed(only, each->name)) continue;
      if (without != NULL && listed(without, each->name)) continue;
      operations[operation_count++] = *each;
      weight_sum += each->weight;
    }
  }
}

static int draw(struct worker* w) {
  uint64_t left = below(&w->chance, weight_sum);
  int i = 0;
  for (; left >= operations[i].weight; i++) left -= operations[i].weight;
  return i;
}

static void* work(void* argument) {
  struct worker* w = argument;
  w->buffer = mmap(NULL, kBufferBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (w->buffer == MAP_FAILED) abort();
  for (int i = 0; i < kHeldFiles; i++) w->held[i] = -1;
  const unsigned workers = arguments.processes * arguments.threads;
  const unsigned place = w->process * arguments.threads + w->thread;
  struct chance seeds = {arguments.seed ^ ((uint64_t)place << 32)};
  w->chance.state = next(&seeds);
  const uint64_t mine = arguments.operations / workers + (place < arguments.operations % workers ? 1 : 0);
  for (w->number = 0; w->number < mine && !*stopping; w->number++) {
    if (place == 0 && w->number % kTrimEvery == kTrimEvery - 1) __atomic_fetch_add(&shared->trimmed, trim(w), __ATOMIC_RELAXED);
    w->operation = draw(w);
    struct counts* counts = &shared->counts[w->operation];
    const int result = operations[w->operation].run(w);
    __atomic_fetch_add(result == 0 ? &counts->done : &counts->failed, 1, __ATOMIC_RELAXED);
  }
  if (!arguments.settle) return NULL;
  // Else the process ends with files open, mappings dirty and rings full.
  unmap_all(w);
  for (int i = 0; i < kHeldFiles; i++) {
    if (w->held[i] >= 0) close(w->held[i]);
  }
  close_rings(w);
  if (w->aio_ready) syscall(SYS_io_destroy, w->aio);
  return NULL;
}

static int run_process(unsigned process) {
  struct worker* workers = calloc(arguments.threads, sizeof *workers);
  pthread_t* threads = calloc(arguments.threads, sizeof *threads);
  for (unsigned thread = 0; thread < arguments.threads; thread++) {
    workers[thread].process = process;
    workers[thread].thread = thread;
    if (thread > 0 && pthread_create(&threads[thread], NULL, work, &workers[thread]) != 0) {
      perror("pthread_create");
      return 2;
    }
  }
  work(&workers[0]);
  for (unsigned thread = 1; thread < arguments.threads; thread++) pthread_join(threads[thread], NULL);
  return 0;
}

pid_t fork_worker(void) {
  const pid_t child = fork();
  if (child == 0) prctl(PR_SET_PDEATHSIG, SIGKILL);
  return child;
}

static void print_counts(void) {
  printf("{\"seed\":%" PRIu64 ",\"unexpected\":%" PRIu64 ",\"trimmed\":%" PRIu64 ",\"operations\":{", arguments.seed, shared->unexpected, shared->trimmed);
  for (int i = 0; i < operation_count; i++) {
    const struct counts* counts = &shared->counts[i];
    printf("%s\"%s\":{\"done\":%" PRIu64 ",\"failed\":%" PRIu64 ",\"errors\":{", i == 0 ? "" : ",", operations[i].name, counts->done, counts->failed);
    bool first = true;
    for (int error = 1; error < kErrnoMax; error++) {
      if (counts->errnos[error] == 0) continue;
      const char* name = strerrorname_np(error);
      printf("%s\"%s\":%u", first ? "" : ",", name != NULL ? name : "?", counts->errnos[error]);
      first = false;
    }
    printf("}}");
  }
  printf("}}\n");
}

static int run_operations(void) {
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (shared == MAP_FAILED) {
    perror("mmap");
    return 2;
  }
  for (unsigned process = 0; process < arguments.processes; process++) {
    const pid_t child = fork_worker();
    if (child < 0) {
      perror("fork");
      return 2;
    }
    if (child == 0) _exit(run_process(process));
  }
  int result = 0, status;
  for (;;) {
    const pid_t child = wait(&status);
    if (child < 0 && errno == EINTR) continue;
    if (child < 0) break;
    if (status == 0) continue;
    fprintf(stderr, "a process of the workload ended with %s %d\n", WIFSIGNALED(status) ? "signal" : "code", WIFSIGNALED(status) ? WTERMSIG(status) : WEXITSTATUS(status));
    result = 2;
  }
  if (arguments.settle) {
    const int fd = open(arguments.directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || syncfs(fd) < 0) {
      perror("syncfs");
      result = 2;
    }
  }
  print_counts();
  return result != 0 ? result : shared->unexpected > 0 ? 1 : 0;
}

static void stop(int signal) {
  (void)signal;
  *stopping = 1;
}

static int usage(const char* why) {
  fprintf(stderr, "workload: %s\nusage: workload DIRECTORY --seed N --operations N --processes P --threads T [--only op,op] [--without op,op] [--outside DIRECTORY] [--bytes-max N] [--collide] [--settle]\n       workload --causal A B --count N [--pipe]\n       workload DIRECTORY --overload --seconds S [--processes P] [--seed N]\n", why);
  return 2;
}

int main(int count, char** given) {
  const char *only = NULL, *without = NULL, *first = NULL, *second = NULL;
  bool is_overload = false, through_pipe = false;
  uint64_t records = 1000;
  unsigned seconds = 1;
  for (int i = 1; i < count; i++) {
    const char* word = given[i];
    const int left = count - i - 1;
    if (strncmp(word, "--", 2) != 0) arguments.directory = word;
    else if (strcmp(word, "--settle") == 0) arguments.settle = true;
    else if (strcmp(word, "--collide") == 0) arguments.collide = true;
    else if (strcmp(word, "--overload") == 0) is_overload = true;
    else if (strcmp(word, "--pipe") == 0) through_pipe = true;
    else if (strcmp(word, "--causal") == 0 && left >= 2) {
      first = given[++i];
      second = given[++i];
    } else if (left < 1) return usage(word);
    else if (strcmp(word, "--only") == 0) only = given[++i];
    else if (strcmp(word, "--without") == 0) without = given[++i];
    else if (strcmp(word, "--outside") == 0) arguments.outside = given[++i];
    else {
      char* end;
      const uint64_t number = strtoull(given[++i], &end, 10);
      if (*end != 0 || given[i][0] < '0' || given[i][0] > '9') return usage("a number is none");
      if (strcmp(word, "--seed") == 0) arguments.seed = number;
      else if (strcmp(word, "--operations") == 0) arguments.operations = number;
      else if (strcmp(word, "--processes") == 0) arguments.processes = (unsigned)number;
      else if (strcmp(word, "--threads") == 0) arguments.threads = (unsigned)number;
      else if (strcmp(word, "--bytes-max") == 0) arguments.bytes_max = number;
      else if (strcmp(word, "--count") == 0) records = number;
      else if (strcmp(word, "--seconds") == 0) seconds = (unsigned)number;
      else return usage(word);
    }
  }
  stopping = mmap(NULL, sizeof *stopping, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  if (stopping == MAP_FAILED) return usage("there is no memory");
  // A stopped run ends after the operation at hand, so that no flag stays set that only it would clear.
  struct sigaction action = {.sa_handler = stop};
  sigaction(SIGTERM, &action, NULL);
  sigaction(SIGINT, &action, NULL);
  signal(SIGPIPE, SIG_IGN);
  umask(022);
  is_root = geteuid() == 0;
  if (arguments.processes < 1 || arguments.threads < 1) return usage("there must be one process and one thread at least");
  if (first != NULL) return run_causal(first, second, records, through_pipe);
  if (arguments.directory == NULL) return usage("a directory is missing");
  if (is_overload) return run_overload(arguments.directory, arguments.processes, seconds, arguments.seed);
  concurrent = arguments.processes * arguments.threads > 1;
  if (!check_list(only) || !check_list(without)) return 2;
  choose_operations(only, without);
  if (operation_count == 0) return usage("no operation is left");
  return run_operations();
}
