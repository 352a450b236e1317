/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Dead letters, a page at a time: read where the store is, shown and sent again where the names are
 * that their packs use (runtime/names.h).
 */
#ifndef BB_RUNTIME_LETTERS_H
#define BB_RUNTIME_LETTERS_H

#include <stdbool.h>

#include "base/buf.h"
#include "base/limits.h"
#include "encode/json_writer.h"
#include "model/batch.h"
#include "runtime/names.h"
#include "store/store.h"

#define BB_LETTERS_PAGE 100           /* letters of a page, if nothing is said */
#define BB_LETTERS_MAX 1000           /* at most */
#define BB_LETTERS_BYTES (256u << 10) /* of packs, past which a page ends */

typedef struct bb_letter {
  int64_t id;
  char sink[BB_MAX_ID + 1];
  char reason[BB_MAX_REASON];
  int64_t time_ns; /* UTC, when it was refused */
  uint64_t age_ns;
  size_t at, len; /* of its pack, in bb_letters.bodies */
} bb_letter;

typedef struct bb_letters {
  /* public: which; set before read, else zero */
  char sink[BB_MAX_ID + 1]; /* "": of all */
  int64_t after;            /* those with a higher id */
  int64_t only;             /* that one; 0: all */
  uint32_t limit;           /* 0: BB_LETTERS_PAGE */
  /* read-only */
  bb_letter *items;
  uint32_t n;
  bb_buf bodies;
  bool more; /* there are, behind the last */
} bb_letters;

/* A page. 0 or what the store said; close in any case. */
int bb_letters_read(bb_letters *letters, bb_store *store);
void bb_letters_close(bb_letters *letters);

/* Takes away all that were chosen, a page a transaction; `*dropped` grows by how many. As above. */
int bb_letters_drop(bb_letters *letters, bb_store *store, uint64_t *dropped);

/* The batch of a letter, a view into the page. 0; BB_ERR_FORMAT or BB_ERR_VERSION: it cannot be read. */
int bb_letters_batch(const bb_letters *letters, uint32_t i, const bb_names *names, bb_batch *out);

/* The class of the stream that the letter belongs to; one that cannot be read passes for telemetry. */
bb_store_class bb_letters_class(const bb_letters *letters, uint32_t i);

/* A map of "id", "sink", "reason", "time"; with the batch "timestamp", "device", and "scan" and
 * "values" of samples, "topic" and "payload" of a message, or "text". What cannot be read has
 * "damaged": true. */
void bb_letters_put(const bb_letters *letters, uint32_t i, const bb_names *names,
                    bb_json_writer *json);

#endif
