/* SPDX-License-Identifier: Apache-2.0 */
/* See known_sinks.h. */
#include "runtime/known_sinks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"

bool bb_known_sinks_has(const bb_known_sinks *known, const char *sink) {
  for (uint32_t i = 0; i < known->n; i++) {
    if (strcmp(known->ids[i], sink) == 0) return true;
  }
  return false;
}

int bb_known_sinks_add(bb_known_sinks *known, const char *sink) {
  if (bb_known_sinks_has(known, sink)) return 0;
  char **ids = realloc(known->ids, (known->n + 1) * sizeof(*ids));
  if (ids == NULL) return BB_ERR_NOMEM;
  known->ids = ids;
  ids[known->n] = strdup(sink);
  if (ids[known->n] == NULL) return BB_ERR_NOMEM;
  known->n++;
  return 0;
}

static int take_cursor(void *user, const bb_store_cursor *cursor) {
  return bb_known_sinks_add(user, cursor->sink);
}

static int take_letter(void *user, const bb_store_dead *dead) {
  return bb_known_sinks_add(user, dead->sink);
}

int bb_known_sinks_read(bb_known_sinks *known, bb_store *store) {
  int err = bb_store_cursors(store, take_cursor, known);
  if (err >= 0) err = bb_store_dead_each(store, NULL, 0, take_letter, known);
  return err < 0 ? err : 0;
}

void bb_known_sinks_close(bb_known_sinks *known) {
  for (uint32_t i = 0; i < known->n; i++) free(known->ids[i]);
  free(known->ids);
  *known = (bb_known_sinks){0};
}

const char *bb_known_sinks_near(const bb_known_sinks *known, const char *sink) {
  return bb_text_nearest(sink, (const char *const *)known->ids, known->n);
}
