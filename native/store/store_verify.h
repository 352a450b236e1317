/* SPDX-License-Identifier: Apache-2.0 */
/* One look at everything in a store, for store_verify.c and store_verify_pack.c. */
#ifndef BB_STORE_STORE_VERIFY_H
#define BB_STORE_STORE_VERIFY_H

#include "model/device.h"
#include "model/shape.h"
#include "store/store_sql.h"

/* A device or a shape of the table `name`. */
typedef struct bb_verify_name {
  bb_store_kind kind;
  uint64_t hash;
  bb_device *device; /* one of both; NULL: its frame is damaged, which was said */
  bb_shape *shape;
} bb_verify_name;

typedef struct bb_verify {
  bb_store *store;
  void (*found)(void *user, const char *sentence);
  void *user;
  int mistakes;
  bb_verify_name *names; /* ascending by kind and hash */
  size_t n_names, cap_names;
  bb_store_row *sums; /* beside the rows of the store: what is counted */
} bb_verify;

/* Says one mistake. */
void bb_verify_say(bb_verify *verify, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Reads the names. 0, BB_ERR_NOMEM or BB_ERR_IO; what is wrong in them is said. */
int bb_verify_read_names(bb_verify *verify);
void bb_verify_close_names(bb_verify *verify);

/* Looks at the bytes of a pack, which `what` names in sentences and which should have `n` records. */
void bb_verify_pack(bb_verify *verify, const char *what, uint64_t n, const uint8_t *body,
                    size_t len);

#endif
