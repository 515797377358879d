// Does to names, in one thread, what its arguments say one after the other: "mkdir:a" "rename:a:b" …
// Compiled by names-operations.ts. Prints its thread id first; stops at the first failure.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <linux/io_uring.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#ifndef RENAME_WHITEOUT
#define RENAME_WHITEOUT 4
#endif

static int closed(int fd) { return fd < 0 ? -1 : close(fd); }

static int tmpfile_link(const char *directory, const char *name) {
  char path[64];
  int fd = open(directory, O_TMPFILE | O_WRONLY, 0600);
  if (fd < 0) return -1;
  snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
  int status = linkat(AT_FDCWD, path, AT_FDCWD, name, AT_SYMLINK_FOLLOW);
  close(fd);
  return status;
}

static int bind_socket(const char *name) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  strncpy(address.sun_path, name, sizeof address.sun_path - 1);
  int fd = socket(AF_UNIX, SOCK_STREAM, 0);
  if (fd < 0) return -1;
  int status = bind(fd, (struct sockaddr *)&address, sizeof address);
  close(fd);
  return status;
}

static int write_file(const char *name) {
  int fd = open(name, O_WRONLY);
  if (fd < 0) return -1;
  int status = write(fd, "x", 1) == 1 ? 0 : -1;
  close(fd);
  return status;
}

static int through_descriptor(const char *name, int (*deed)(int)) {
  int fd = open(name, O_RDONLY);
  if (fd < 0) return -1;
  int status = deed(fd);
  close(fd);
  return status;
}
static int fchmod_it(int fd) { return fchmod(fd, 0640); }

static int set_nodump(int fd) {
  int flags;
  if (ioctl(fd, FS_IOC_GETFLAGS, &flags) != 0) return -1;
  flags |= FS_NODUMP_FL;
  return ioctl(fd, FS_IOC_SETFLAGS, &flags);
}

// Read and write for its owner, read for user 1, nothing else, as the kernel takes a list.
static int set_acl(const char *name) {
  static const struct { unsigned version; struct { unsigned short tag, mode; unsigned id; } entry[5]; } list = {
      2, {{1, 6, -1}, {2, 4, 1}, {4, 0, -1}, {16, 4, -1}, {32, 0, -1}}};
  return setxattr(name, "system.posix_acl_access", &list, sizeof list, 0);
}

static int unlink_then_fchmod(const char *name) {
  int fd = open(name, O_RDONLY);
  if (fd < 0 || unlink(name) != 0) return -1;
  int status = fchmod(fd, 0640);
  close(fd);
  return status;
}

// One request through a ring of its own; errno is what the request failed with.
static int uring_mkdir(const char *name) {
  struct io_uring_params params = {0};
  int ring = syscall(SYS_io_uring_setup, 1, &params);
  if (ring < 0) return -1;
  size_t size = params.sq_off.array + params.sq_entries * sizeof(unsigned);
  size_t completions = params.cq_off.cqes + params.cq_entries * sizeof(struct io_uring_cqe);
  if (completions > size) size = completions;
  char *rings = mmap(0, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQ_RING);
  struct io_uring_sqe *entry = mmap(0, params.sq_entries * sizeof *entry, PROT_READ | PROT_WRITE,
                                    MAP_SHARED | MAP_POPULATE, ring, IORING_OFF_SQES);
  if (rings == MAP_FAILED || (void *)entry == MAP_FAILED) return -1;
  memset(entry, 0, sizeof *entry);
  entry->opcode = IORING_OP_MKDIRAT;
  entry->fd = AT_FDCWD;
  entry->addr = (unsigned long)name;
  entry->len = 0700;
  ((unsigned *)(rings + params.sq_off.array))[0] = 0;
  __atomic_store_n((unsigned *)(rings + params.sq_off.tail), 1, __ATOMIC_RELEASE);
  if (syscall(SYS_io_uring_enter, ring, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0) < 0) return -1;
  int result = ((struct io_uring_cqe *)(rings + params.cq_off.cqes))->res;
  close(ring);
  if (result < 0) errno = -result;
  return result < 0 ? -1 : 0;
}

static int run(char **word) {
  const char *op = word[0], *a = word[1], *b = word[2];
#define IS(name) (strcmp(op, name) == 0)
  if (IS("mkdir")) return mkdir(a, 0700);
  if (IS("rmdir")) return rmdir(a);
  if (IS("fifo")) return mknod(a, S_IFIFO | 0600, 0);
  if (IS("symlink")) return symlink(a, b);
  if (IS("link")) return link(a, b);
  if (IS("unlink")) return unlink(a);
  if (IS("creat")) return closed(creat(a, 0600));
  if (IS("open")) return open(a, O_RDONLY) < 0 ? -1 : 0;  // left open until the end
  if (IS("tmpfile")) return tmpfile_link(a, b);
  if (IS("rename")) return rename(a, b);
  if (IS("exchange")) return renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_EXCHANGE);
  if (IS("whiteout")) return renameat2(AT_FDCWD, a, AT_FDCWD, b, RENAME_WHITEOUT);
  if (IS("chmod")) return chmod(a, strtol(b, 0, 8));
  if (IS("fchmod")) return through_descriptor(a, fchmod_it);
  if (IS("nodump")) return through_descriptor(a, set_nodump);
  if (IS("setacl")) return set_acl(a);
  if (IS("unlink-fchmod")) return unlink_then_fchmod(a);
  if (IS("overwrite")) return closed(open(a, O_WRONLY | O_CREAT | O_TRUNC, 0600));
  if (IS("chown")) return lchown(a, 1, 1);
  if (IS("utimens")) return utimensat(AT_FDCWD, a, NULL, AT_SYMLINK_NOFOLLOW);
  if (IS("setxattr")) return lsetxattr(a, "trusted.x", "1", 1, 0);
  if (IS("removexattr")) return lremovexattr(a, "trusted.x");
  if (IS("truncate")) return truncate(a, strtol(b, 0, 10));
  if (IS("write")) return write_file(a);
  if (IS("bind")) return bind_socket(a);
  if (IS("uring-mkdir")) return uring_mkdir(a);
  errno = EINVAL;
  return -1;
}

int main(int count, char **arguments) {
  printf("%ld\n", (long)syscall(SYS_gettid));
  fflush(stdout);
  for (int index = 1; index < count; index++) {
    char *word[3] = {0};
    char *rest = arguments[index];
    for (int part = 0; part < 3 && rest != NULL; part++) word[part] = strsep(&rest, ":");
    if (run(word) == 0) continue;
    fprintf(stderr, "%s: %s\n", word[0], strerror(errno));
    return 1;
  }
  return 0;
}
