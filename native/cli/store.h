/* SPDX-License-Identifier: Apache-2.0 */
/*
 * `busbar store`, for its files:
 *
 *   store         the command line, and what is done with the answer's exit code
 *   store_place   where the store is: behind a runtime that runs, or in a file that nobody has open
 *   store_file    the answers out of such a file, like those of docs/socket.md
 *   store_edit    changes in it
 *   store_show    answers for a person
 */
#ifndef BB_CLI_STORE_H
#define BB_CLI_STORE_H

#include <stdbool.h>

#include "base/doc.h"
#include "base/limits.h"
#include "cli/client.h"
#include "runtime/names.h"
#include "runtime/place_lock.h"
#include "store/store.h"

#define BB_CLI_STORE_NAME "busbar store"
#define BB_CLI_STORE_WHY 1200

typedef enum bb_cli_store_order {
  BB_CLI_STORE_STATUS,
  BB_CLI_STORE_LIST,
  BB_CLI_STORE_EXPORT,
  BB_CLI_STORE_DROP,
  BB_CLI_STORE_VERIFY,
  BB_CLI_STORE_DEAD,
  BB_CLI_STORE_REQUEUE,
  BB_CLI_STORE_DROP_DEAD,
  BB_CLI_STORE_REASSIGN,
} bb_cli_store_order;

typedef struct bb_cli_store_wish {
  bb_cli_store_order order;
  const char *sink, *to; /* NULL: none is given */
  const char *file;      /* --file; NULL: that of the data directory */
  char data[BB_MAX_PATH];
  char path[BB_MAX_PATH]; /* of an export, absolute */
  bool live, json;
  int64_t after; /* of dead letters: where the next page begins */
} bb_cli_store_wish;

/* Where the store is. */
typedef struct bb_cli_store_place {
  bool running;
  bb_cli_client client; /* of a runtime */
  bb_store *store;      /* of a file */
  char path[BB_MAX_PATH + 16];
  bb_place_lock lock;
  bb_names names;
} bb_cli_store_place;

/* Opens it for what is wished. 0; or a code, with a sentence in `why`, and nothing to close. */
int bb_cli_store_open(bb_cli_store_place *place, const bb_cli_store_wish *wish,
                      char why[BB_CLI_STORE_WHY]);
void bb_cli_store_close(bb_cli_store_place *place);

/* Does it. 0 with the answer, to be closed; or a code, with a sentence in `why`. */
int bb_cli_store_do(bb_cli_store_place *place, const bb_cli_store_wish *wish, bb_doc_tree *answer,
                    char why[BB_CLI_STORE_WHY]);

/* store_file.c: the same for a file, as JSON into `out`. */
int bb_cli_store_file_do(bb_cli_store_place *place, const bb_cli_store_wish *wish, bb_buf *out,
                         char why[BB_CLI_STORE_WHY]);

/* store_show.c */

/* One answer at the time; `more` pages of it follow. */
typedef struct bb_cli_store_show bb_cli_store_show;
bb_cli_store_show *bb_cli_store_show_new(const bb_cli_store_wish *wish, bool running);
void bb_cli_store_show_add(bb_cli_store_show *show, const bb_doc *answer);

/* Prints what was added, and frees it. An exit code. */
int bb_cli_store_show_end(bb_cli_store_show *show);

#endif
