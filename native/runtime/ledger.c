/* SPDX-License-Identifier: Apache-2.0 */
/* See ledger.h. */
#include "runtime/ledger.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"

void bb_ledger_close(bb_ledger *ledger, void (*free_value)(void *value)) {
  for (size_t i = 0; free_value != NULL && i < ledger->n; i++) {
    free_value(ledger->entries[i].value);
  }
  free(ledger->entries);
  *ledger = (bb_ledger){.max = ledger->max};
}

/* The first place whose key is not below `key`. */
static size_t place(const bb_ledger *ledger, uint64_t key) {
  size_t low = 0, high = ledger->n;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (ledger->entries[middle].key < key) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

bb_ledger_entry *bb_ledger_find(const bb_ledger *ledger, uint64_t key) {
  size_t at = place(ledger, key);
  return at < ledger->n && ledger->entries[at].key == key ? &ledger->entries[at] : NULL;
}

void *bb_ledger_get(const bb_ledger *ledger, uint64_t key) {
  bb_ledger_entry *entry = bb_ledger_find(ledger, key);
  return entry != NULL ? entry->value : NULL;
}

static int grow(bb_ledger *ledger) {
  size_t cap = ledger->cap > 0 ? ledger->cap * 2 : 16;
  bb_ledger_entry *entries = realloc(ledger->entries, cap * sizeof(*entries));
  if (entries == NULL) return BB_ERR_NOMEM;
  ledger->entries = entries;
  ledger->cap = cap;
  return 0;
}

int bb_ledger_add(bb_ledger *ledger, uint64_t key, void *value) {
  size_t at = place(ledger, key);
  if (at < ledger->n && ledger->entries[at].key == key) return BB_ERR_EXISTS;
  if (ledger->n >= ledger->max) return BB_ERR_LIMIT;
  if (ledger->n == ledger->cap && grow(ledger) < 0) return BB_ERR_NOMEM;
  memmove(&ledger->entries[at + 1], &ledger->entries[at],
          (ledger->n - at) * sizeof(*ledger->entries));
  ledger->entries[at] = (bb_ledger_entry){key, value};
  ledger->n++;
  return 0;
}
