/*
 * Block devices: what is queued for a watched one, with its bytes, as they are when it is queued. Requests
 * to partitions come with the sectors of the whole disk; one that was split or is passed on to
 * another device comes once for each device.
 */
#pragma once

#include "content.h"

/* enum req_op */
enum {
  BLOCK_WRITE = 1,
  BLOCK_FLUSH = 2,
  BLOCK_DISCARD = 3,
  BLOCK_SECURE_ERASE = 5,
  BLOCK_ZONE_APPEND = 7,
  BLOCK_WRITE_ZEROES = 9,
  BLOCK_OPERATION = 0xff,
};

static __always_inline __u32 disk_of(struct bio *bio) { return encode_device(BPF_CORE_READ(bio, bi_bdev, bd_disk, part0, bd_dev)); }

static __always_inline void name_part(struct workshop *work, const struct watched_part *part) {
  work->key.ino = 0;
  work->key.tree = BLOCK_TREE;
  work->key.generation = 0;
  work->key.device = part->device;
  work->head.device = part->device;
  work->head.tree = BLOCK_TREE;
  work->low = part->start;
  work->high = part->end;
}

/* One piece of what is left of [offset, end): `low` and `high` are where the watched part begins and ends. */
static long block_step(__u32 step, struct workshop **context) {
  struct workshop *work = *context;
  if (work->offset >= work->end || work->offset >= work->high) return 1;
  if (!work->user_left) {
    struct bio_vec *piece = (struct bio_vec *)work->vector;
    __u32 skipped = work->vector_left;
    work->user = page_content((__u64)BPF_CORE_READ(piece, bv_page)) + BPF_CORE_READ(piece, bv_offset) + skipped;
    work->user_left = BPF_CORE_READ(piece, bv_len) - skipped;
    work->vector += bpf_core_type_size(struct bio_vec);
    work->vector_left = 0;
    /* None is empty: whoever made one is not to keep this going. */
    return work->user_left ? 0 : 1;
  }
  __u64 left = work->end - work->offset;
  if (left > work->user_left) left = work->user_left;
  if (work->offset < work->low) {
    if (left > work->low - work->offset) left = work->low - work->offset;
    work->offset += left;
  } else {
    if (left > work->high - work->offset) left = work->high - work->offset;
    if (left > CHUNK_BYTES) left = CHUNK_BYTES;
    work->head.offset = work->offset - work->low;
    __u32 bytes = left;
    if (!account_chunk(work, bytes, send_kernel_chunk(work, work->user, bytes))) return 1;
  }
  work->user += left;
  work->user_left -= left;
  return 0;
}

/* The bytes of a request that lie in the part that `work` is about. */
static __always_inline void send_block_write_inline(struct workshop *work, struct bio *bio) {
  __u64 end = work->end < work->high ? work->end : work->high;
  work->vector = (__u64)(BPF_CORE_READ(bio, bi_io_vec)) + (__u64)BPF_CORE_READ(bio, bi_iter.bi_idx) * bpf_core_type_size(struct bio_vec);
  work->vector_left = BPF_CORE_READ(bio, bi_iter.bi_bvec_done);
  work->user_left = 0;
  work->ring_full = 0;
  struct bio___encrypted *encrypted = (void *)bio;
  bool opaque = bpf_core_field_exists(encrypted->bi_crypt_context) && BPF_CORE_READ(encrypted, bi_crypt_context);
  if (!opaque) bpf_loop(CHUNKS_MAX, block_step, &work, 0);
  __u64 at = work->offset > work->low ? work->offset : work->low;
  if (at >= end) return;
  if (work->ring_full) {
    note_ring_full(&work->key, at - work->low, end - work->low);
  } else {
    note_lost(&work->key, at - work->low, end - work->low, CAUSE_NOT_BY_BYTE);
  }
}
OUT_OF_LINE(send_block_write, (struct workshop *work, struct bio *bio), (work, bio))

static __always_inline void send_block_range(struct workshop *work) {
  __u64 low = work->offset > work->low ? work->offset - work->low : 0;
  __u64 high = (work->end < work->high ? work->end : work->high) - work->low;
  work->head.offset = low;
  work->head.length = high - low;
  work->head.data_length = 0;
  send_about_inode(work, 0, low, high);
}

static __always_inline __u16 kind_of_operation(__u32 operation) {
  if (operation == BLOCK_WRITE) return KIND_BLOCK_WRITE;
  return operation == BLOCK_WRITE_ZEROES ? KIND_BLOCK_ZERO : KIND_BLOCK_DISCARD;
}

static __always_inline void block_queued(struct bio *bio) {
  if (!counters.disks_watched) return;
  __u32 flags = BPF_CORE_READ(bio, bi_opf), operation = flags & BLOCK_OPERATION;
  bool changes = operation == BLOCK_WRITE || operation == BLOCK_DISCARD || operation == BLOCK_SECURE_ERASE || operation == BLOCK_ZONE_APPEND || operation == BLOCK_WRITE_ZEROES;
  if (!changes && operation != BLOCK_FLUSH) return;
  __u32 disk = disk_of(bio);
  struct watched_disk *watched = bpf_map_lookup_elem(&disks, &disk);
  struct workshop *work = watched ? workshop_of(WORKSHOP_BLOCK) : NULL;
  if (!work) return;
  __u64 offset = BPF_CORE_READ(bio, bi_iter.bi_sector) << SECTOR_SHIFT;
  __u64 bytes = operation == BLOCK_FLUSH ? 0 : BPF_CORE_READ(bio, bi_iter.bi_size);
  bool flushes = operation == BLOCK_FLUSH || flags & 1u << bpf_core_enum_value(enum req_flag_bits, __REQ_PREFLUSH);
  describe_caller(&work->head, KIND_BLOCK_FLUSH, CALL_OTHER);
  if (bytes) {
    struct block_flight flight = {.offset = offset, .end = offset + bytes, .epoch = counters.block_epoch, .left = bytes, .disk = disk};
    __u64 address = (__u64)bio;
    if (bpf_map_update_elem(&block_flights, &address, &flight, BPF_ANY)) count_loss(&counters.everything_lost, &counters.everything_lost_first_ns);
  }
  for (int i = 0; i < DISK_PARTS; i++) {
    struct watched_part *part = &watched->parts[i];
    if (!part->end) continue;
    name_part(work, part);
    if (flushes) {
      work->head.kind = KIND_BLOCK_FLUSH;
      work->head.flags = 0;
      work->head.offset = work->head.length = work->head.data_length = 0;
      if (!send_head(&work->head, 0)) __sync_fetch_and_add(&counters.lost_records, 1);
    }
    if (!bytes || offset >= part->end || offset + bytes <= part->start) continue;
    work->offset = offset;
    work->end = offset + bytes;
    work->head.kind = kind_of_operation(operation);
    work->head.flags = flags & 1u << bpf_core_enum_value(enum req_flag_bits, __REQ_FUA) ? FLAG_DURABLE : 0;
    if (operation == BLOCK_WRITE) {
      send_block_write(work, bio);
    } else if (operation == BLOCK_ZONE_APPEND) {
      /* Where it goes only the device knows. */
      note_lost(&work->key, 0, ~0ull, CAUSE_NOT_BY_BYTE);
    } else {
      send_block_range(work);
    }
  }
}

/* All of it is done: what failed may have been done in part. */
static __always_inline void end_flight(__u64 address, const struct block_flight *known) {
  struct block_flight flight = *known;
  bpf_map_delete_elem(&block_flights, &address);
  struct watched_disk *watched = flight.failed ? bpf_map_lookup_elem(&disks, &flight.disk) : NULL;
  for (int i = 0; watched && i < DISK_PARTS; i++) {
    struct watched_part *part = &watched->parts[i];
    if (flight.offset >= part->end || flight.end <= part->start) continue;
    struct inode_key key = {.tree = BLOCK_TREE, .device = part->device};
    note_lost(&key, flight.offset > part->start ? flight.offset - part->start : 0, flight.end - part->start, CAUSE_DEVICE_ERROR);
  }
}

/* Drivers that take requests as they are say of each when it is done, with all that it was split into. */
static __always_inline void block_completed(struct bio *bio) {
  if (!counters.disks_watched) return;
  __u64 address = (__u64)bio;
  struct block_flight *flight = bpf_map_lookup_elem(&block_flights, &address);
  if (!flight) return;
  if (BPF_CORE_READ(bio, bi_status)) flight->failed = 1;
  end_flight(address, flight);
}

struct completion {
  struct bio *bio;
  __u64 left;
  __u64 failed;
};

/* One of the requests that a driver has done together; what was split off another one points to that. */
static long completion_step(__u32 step, struct completion *completion) {
  struct bio *bio = completion->bio;
  if (!bio || !completion->left) return 1;
  __u64 bytes = BPF_CORE_READ(bio, bi_iter.bi_size), address = (__u64)bio;
  if (bytes > completion->left) bytes = completion->left;
  completion->left -= bytes;
  completion->bio = BPF_CORE_READ(bio, bi_next);
  struct block_flight *flight = bpf_map_lookup_elem(&block_flights, &address);
  if (!flight) {
    address = (__u64)BPF_CORE_READ(bio, bi_private);
    flight = bpf_map_lookup_elem(&block_flights, &address);
    if (!flight) return 0;
  }
  if (completion->failed) flight->failed = 1;
  if (__sync_fetch_and_sub(&flight->left, bytes) <= bytes) end_flight(address, flight);
  return 0;
}

/* Drivers that gather requests say how much of a gathered one is done. */
static __always_inline void request_completed(struct request *request, bool failed, __u32 bytes) {
  if (!counters.disks_watched) return;
  struct completion completion = {.bio = BPF_CORE_READ(request, bio), .left = bytes, .failed = failed};
  bpf_loop(CHUNKS_MAX, completion_step, &completion, 0);
}
