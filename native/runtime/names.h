/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The devices and shapes that saved records name, by their hashes, while the store has them. Each is
 * saved once, with the first records that name it. Loop thread only.
 */
#ifndef BB_RUNTIME_NAMES_H
#define BB_RUNTIME_NAMES_H

#include "base/buf.h"
#include "model/batch.h"
#include "runtime/ledger.h"
#include "store/store.h"

typedef struct bb_names {
  /* private */
  bb_ledger devices, shapes; /* by hash */
} bb_names;

/* One that is to be saved; `frame` is a copy, to be freed by whoever took it. */
typedef struct bb_name {
  bb_store_kind kind;
  uint64_t hash;
  uint8_t *frame;
  size_t len;
} bb_name;

void bb_names_close(bb_names *names);

/* Remembers a device and a shape (NULL: none). Returns how many of them are new to the store, with
 * their frames in `out`, which has room for two; negative without memory. */
int bb_names_note(bb_names *names, const bb_device *device, const bb_shape *shape, bb_name out[2]);

/* What was noted since the last call is in the store now, or is not. */
void bb_names_settle(bb_names *names, bool saved);

/* Takes one from the store. 0, BB_ERR_FORMAT or BB_ERR_NOMEM. */
int bb_names_restore(bb_names *names, bb_store_kind kind, uint64_t hash, const uint8_t *frame,
                     size_t len);

/* NULL: unknown. */
const bb_device *bb_names_device(const bb_names *names, uint64_t hash);
const bb_shape *bb_names_shape(const bb_names *names, uint64_t hash);

/* The store has none of them any more. */
void bb_names_clear(bb_names *names);

#endif
