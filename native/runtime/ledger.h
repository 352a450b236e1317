/* SPDX-License-Identifier: Apache-2.0 */
/* A sorted table from 64-bit numbers (hashes, device numbers) to pointers, up to a maximum. Looked
 * into often, added to seldom. All zero but `max` is an empty ledger. */
#ifndef BB_RUNTIME_LEDGER_H
#define BB_RUNTIME_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct bb_ledger_entry {
  uint64_t key;
  void *value;
} bb_ledger_entry;

typedef struct bb_ledger {
  /* public */
  size_t max; /* entries */
  /* read-only */
  bb_ledger_entry *entries; /* for a walk: 0..n */
  size_t n;
  /* private */
  size_t cap;
} bb_ledger;

/* Frees the memory, and each value through `free_value` where that is not NULL. */
void bb_ledger_close(bb_ledger *ledger, void (*free_value)(void *value));

/* The entry, or NULL. */
bb_ledger_entry *bb_ledger_find(const bb_ledger *ledger, uint64_t key);

/* The value, or NULL. */
void *bb_ledger_get(const bb_ledger *ledger, uint64_t key);

/* 0, BB_ERR_EXISTS, BB_ERR_LIMIT or BB_ERR_NOMEM. */
int bb_ledger_add(bb_ledger *ledger, uint64_t key, void *value);

#endif
