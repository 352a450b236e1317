/* SPDX-License-Identifier: Apache-2.0 */
/* Keys of packs, and what other parts of the store ask about them. */
#ifndef BB_STORE_STORE_PACK_H
#define BB_STORE_STORE_PACK_H

#include "store/store.h"

/* `record` below 2^BB_STORE_RECORD_BITS. */
static inline int64_t bb_store_key(uint32_t stream, uint64_t record) {
  return (int64_t)((uint64_t)stream << BB_STORE_RECORD_BITS | record);
}

static inline int64_t bb_store_key_last(uint32_t stream) {
  return bb_store_key(stream, (1ull << BB_STORE_RECORD_BITS) - 1);
}

/* The oldest pack of a stream, without its body: 1, or 0 when it has none. */
int bb_store_pack_first(bb_store *store, uint32_t stream, bb_store_pack *out);

/* Takes the packs of those keys away, both included. */
int bb_store_pack_drop(bb_store *store, int64_t from, int64_t to);

#endif
