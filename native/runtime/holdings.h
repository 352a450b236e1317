/* SPDX-License-Identifier: Apache-2.0 */
/* What a store holds for whom: per stream and sink, what the sink has not delivered. */
#ifndef BB_RUNTIME_HOLDINGS_H
#define BB_RUNTIME_HOLDINGS_H

#include "base/limits.h"
#include "encode/json_writer.h"
#include "store/store.h"

typedef struct bb_holding {
  /* read-only */
  char *stream; /* its name: the ids of its sinks */
  char sink[BB_MAX_ID + 1];
  bb_store_class class;    /* of the stream: a sink may have one of each by the same name */
  uint64_t records, bytes; /* bytes: about, a record of that stream counting like another */
  int64_t oldest_ns;       /* UTC, when the oldest of them was taken; 0: not known */
  /* private */
  uint32_t id; /* of the stream */
  bb_span spans[BB_STORE_RANGES];
  uint32_t n;
} bb_holding;

typedef struct bb_holdings {
  /* read-only */
  bb_holding *items;
  uint32_t n;
} bb_holdings;

/* Into an all-zero list; sinks that have delivered everything are left out. Reads one pack of each.
 * 0 or what the store said; close in any case. */
int bb_holdings_read(bb_holdings *list, bb_store *store);
void bb_holdings_close(bb_holdings *list);

/* The list "waiting" of {"stream","sink","kind","records","bytes","oldest"}. */
void bb_holdings_put(const bb_holdings *list, bb_json_writer *json);

#endif
