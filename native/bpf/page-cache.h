/* Walks an inode's page cache: from an offset to the address at which the kernel sees that page. */
#pragma once

#include "emit.h"

/* Of the xarray's entries: the low two bits 10 are its own, and below 4096 not nodes. */
static __always_inline bool is_internal(__u64 entry) { return (entry & 3) == 2; }
static __always_inline bool is_node(__u64 entry) { return is_internal(entry) && entry > 4096; }
static __always_inline bool is_sibling(__u64 entry) { return is_internal(entry) && entry < (63 << 2 | 2); }

/* The folio that holds page `index`, or 0 when there is none or it lies elsewhere (swapped out, DAX). */
static __always_inline __u64 folio_at(__u64 mapping, __u64 index) {
  struct address_space *space = (void *)mapping;
  __u64 entry = (__u64)BPF_CORE_READ(space, i_pages.xa_head);
  /* Without a node there is only page 0; large folios at its place have a node all the same. */
  if (!is_node(entry)) {
    if (index != 0) return 0;
  } else {
    struct xa_node *top = (void *)(entry - 2);
    __u8 shift = BPF_CORE_READ(top, shift);
    if (shift > 60 || (index >> shift) >= 64) return 0;
    /* 64 bits of index, 6 a level. */
    for (int level = 0; level < 11 && is_node(entry); level++) {
      struct xa_node *node = (void *)(entry - 2);
      shift = BPF_CORE_READ(node, shift);
      if (shift > 60) return 0;
      __u32 slot = (index >> shift) & 63;
      void **slots = (void *)node + bpf_core_field_offset(struct xa_node, slots);
      if (bpf_probe_read_kernel(&entry, sizeof(entry), slots + slot)) return 0;
      if (is_sibling(entry)) {
        slot = (entry >> 2) & 63;
        if (bpf_probe_read_kernel(&entry, sizeof(entry), slots + slot)) return 0;
      }
    }
  }
  /* Odd ones are values: shadows of evicted pages, swap and DAX entries. */
  if (!entry || (entry & 3)) return 0;
  struct folio *folio = (void *)entry;
  if ((__u64)BPF_CORE_READ(folio, mapping) != mapping || BPF_CORE_READ(folio, index) > index) return 0;
  return entry;
}

/* Not inlined, so that the verifier looks at it once. */
__noinline __u64 page_at(__u64 mapping, __u64 index) {
  __u64 folio = folio_at(mapping, index);
  if (!folio) return 0;
  return folio + (index - BPF_CORE_READ((struct folio *)folio, index)) * bpf_core_type_size(struct page);
}

/* How many pages the folio has; the whole of it lies together in memory. 1 where the kernel does not say. */
static __always_inline __u64 folio_pages(struct folio *folio) {
  struct folio___counted *counted = (void *)folio;
  struct folio___prefixed *prefixed = (void *)folio;
  __u64 flags = 0;
  bpf_probe_read_kernel(&flags, sizeof(flags), folio);
  if (!(flags & (1ull << bpf_core_enum_value(enum pageflags, PG_head)))) return 1;
  if (bpf_core_field_exists(counted->_nr_pages)) return BPF_CORE_READ(counted, _nr_pages);
  if (bpf_core_field_exists(prefixed->_folio_nr_pages)) return BPF_CORE_READ(prefixed, _folio_nr_pages);
  return 1;
}

static __always_inline __u64 page_content(__u64 page) {
  return counters.direct_map_base + ((page - counters.page_array_base) / bpf_core_type_size(struct page) << PAGE_SHIFT);
}
