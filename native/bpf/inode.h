/* From a descriptor to an inode, who an inode is, and whether it is watched. */
#pragma once

#include "state.h"

static __always_inline bool is_excluded(struct task_struct *task) { return (__u32)task->tgid == counters.excluded_pid; }

static __always_inline struct file *file_of(struct task_struct *task, __u32 fd) {
  struct files_struct *open = task->files;
  struct file *file = NULL;
  if (!open) return NULL;
  struct fdtable *table = open->fdt;
  if (!table || fd >= table->max_fds) return NULL;
  struct file **files = table->fd;
  if (bpf_probe_read_kernel(&file, sizeof(file), files + fd)) return NULL;
  return file;
}

/* The inode that the bytes go to: under overlayfs that of the layer's own file. */
static __always_inline struct inode *inode_of(struct file *file) {
  struct inode *inode = BPF_CORE_READ(file, f_inode);
  if (BPF_CORE_READ(inode, i_sb, s_magic) != OVERLAY_MAGIC) return inode;
  if ((BPF_CORE_READ(inode, i_mode) & S_IFMT) != S_IFREG) return inode;
  struct ovl_file *layers = BPF_CORE_READ(file, private_data);
  struct file *real;
  if (bpf_core_type_exists(struct ovl_file)) {
    real = BPF_CORE_READ(layers, upperfile);
    if (!real) real = BPF_CORE_READ(layers, realfile);
  } else {
    real = (struct file *)layers;
  }
  return real ? BPF_CORE_READ(real, f_inode) : inode;
}

static __always_inline bool is_regular(struct inode *inode) { return (BPF_CORE_READ(inode, i_mode) & S_IFMT) == S_IFREG; }

/* As new_encode_dev has it, which is what stat(2) shows. */
static __always_inline __u32 encode_device(__u32 device) {
  __u32 major = device >> 20, minor = device & 0xfffff;
  return (minor & 0xff) | major << 8 | (minor & ~0xffu) << 12;
}

static __always_inline __u64 tree_of(struct inode *inode, struct super_block *super) {
  if (BPF_CORE_READ(super, s_magic) != BTRFS_MAGIC || !bpf_core_type_exists(struct btrfs_inode)) return 0;
  struct btrfs_inode *whole = (void *)inode - bpf_core_field_offset(struct btrfs_inode, vfs_inode);
  return BPF_CORE_READ(whole, root, root_key.objectid);
}

/* Btrfs keeps its metadata and what it moves in inodes of its own: only subvolumes hold files. */
static __always_inline bool holds_files(__u64 tree) { return tree == 0 || tree == 5 || (tree >= 256 && tree <= -256ull); }

/* False, and no usable key, when the inode is on no watched superblock. */
static __always_inline bool watched_key(struct inode *inode, struct inode_key *key) {
  struct super_block *super = BPF_CORE_READ(inode, i_sb);
  __u32 device = encode_device(BPF_CORE_READ(super, s_dev));
  if (!bpf_map_lookup_elem(&volumes, &device)) return false;
  key->ino = BPF_CORE_READ(inode, i_ino);
  key->generation = BPF_CORE_READ(inode, i_generation);
  key->device = device;
  key->tree = tree_of(inode, super);
  return holds_files(key->tree);
}

static __always_inline bool is_captured(struct inode *inode, struct inode_key *key) {
  return watched_key(inode, key) && !bpf_map_lookup_elem(&outside, key);
}

/* The inode of a file if it is a captured regular one, else NULL: the same as above with fewer calls, for every write. */
static __always_inline struct inode *captured_regular(struct workshop *work, struct file *file, struct inode_key *key) {
  struct inode *inode = BPF_CORE_READ(file, f_inode);
  if (bpf_probe_read_kernel(work->inode_now, SNAPSHOT_BYTES, inode)) return NULL;
  if ((FIELD(work->inode_now, struct inode, i_mode) & S_IFMT) != S_IFREG) return NULL;
  struct super_block *super = FIELD(work->inode_now, struct inode, i_sb);
  __u32 device = encode_device(BPF_CORE_READ(super, s_dev));
  __u64 magic = BPF_CORE_READ(super, s_magic);
  if (magic == OVERLAY_MAGIC) {
    inode = inode_of(file);
    return is_captured(inode, key) ? inode : NULL;
  }
  if (!bpf_map_lookup_elem(&volumes, &device)) return NULL;
  key->ino = FIELD(work->inode_now, struct inode, i_ino);
  key->generation = FIELD(work->inode_now, struct inode, i_generation);
  key->device = device;
  key->tree = magic == BTRFS_MAGIC ? tree_of(inode, super) : 0;
  return holds_files(key->tree) && !bpf_map_lookup_elem(&outside, key) ? inode : NULL;
}

static __always_inline __u32 slot_of(const struct inode_key *key) {
  __u64 hash = (key->ino * 0x9e3779b97f4a7c15ull) ^ (key->tree * 0xc2b2ae3d27d4eb4full) ^ ((__u64)key->device << 32 | key->generation);
  hash *= 0xff51afd7ed558ccdull;
  return hash >> 48; /* FLIGHT_SLOTS are 2^16 */
}
