/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The named secrets that clients handed over, to which `password_file: "secret:bus.password"` of the
 * document refers.
 *
 * Those that are kept lie in the file `secrets` of the data directory (0600, replaced as a whole): one
 * JSON object, {"bus.password":"..."}. The others live as long as the process. No value is ever told
 * again, logged or counted; memory that held one is wiped.
 */
#ifndef BB_RUNTIME_SECRETS_H
#define BB_RUNTIME_SECRETS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/doc.h"
#include "base/limits.h"
#include "base/log.h"
#include "base/report.h"
#include "base/secret.h"

#define BB_SECRETS_MAX 256

typedef struct bb_secrets_entry {
  char name[BB_MAX_ID + 1];
  bool memory; /* not in the file */
  uint32_t len;
  char *value; /* terminated */
} bb_secrets_entry;

typedef struct bb_secrets {
  /* public: set before init */
  const char *dir; /* NULL: nothing can be kept */
  bb_log *log;
  /* read-only */
  bb_secrets_entry entries[BB_SECRETS_MAX]; /* by name, ascending */
  uint32_t n;
  /* private */
  bb_secret_source source;
  bool unsaved; /* the file holds something else */
  bool warned;
} bb_secrets;

/* Reads the file, if there is one, and becomes what bb_secret_read asks. What cannot be read, and a
 * file that others could read, is told in the log; it then begins empty, or is made private. */
void bb_secrets_init(bb_secrets *secrets);

/* Wipes all. */
void bb_secrets_close(bb_secrets *secrets);

/* Reports what is wrong with a map of changes: names to texts, or to null for those to be removed.
 * No value stands in the report. */
void bb_secrets_check(const bb_secrets *secrets, const bb_doc *changes, bb_report *report);

/*
 * Makes checked changes, all or none. `memory`: those of them that stay are not kept in the file, and
 * removed from it. 1: what is to be kept is safe on disk; 0: it is in memory only, and the log said
 * why; BB_ERR_NOMEM.
 */
int bb_secrets_set(bb_secrets *secrets, const bb_doc *changes, bool memory);

/* Tries again to keep what could not be kept. Cheap when there is none of that. */
void bb_secrets_mend(bb_secrets *secrets);

/* Overwrites the text of all values below `doc`, whose tree nobody needs any more; NULL is fine. */
void bb_secrets_wipe_doc(const bb_doc *doc);

/* NULL: there is none of that name. */
const bb_secrets_entry *bb_secrets_find(const bb_secrets *secrets, const char *name);

#endif
