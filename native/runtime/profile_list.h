/* SPDX-License-Identifier: Apache-2.0 */
/* The ids of the bundled profiles, in the order of the alphabet, and which of them a word may mean. */
#ifndef BB_RUNTIME_PROFILE_LIST_H
#define BB_RUNTIME_PROFILE_LIST_H

#include <stdbool.h>
#include <stddef.h>

#define BB_PROFILE_LIST_MAX 4096 /* the rest is left out */

typedef struct bb_profile_list {
  /* read-only */
  char *ids[BB_PROFILE_LIST_MAX]; /* "rockwell/powermonitor-500" */
  size_t n;
} bb_profile_list;

/* 0; BB_ERR_NOTFOUND (there is no folder of profiles), BB_ERR_LIMIT or BB_ERR_NOMEM with nothing to
 * close. */
int bb_profile_list_open(bb_profile_list *list);
void bb_profile_list_close(bb_profile_list *list);

/* The id that `word` may mean, whatever its case and with or without the vendor: the nearest; NULL when
 * none is near. */
const char *bb_profile_list_nearest(const bb_profile_list *list, const char *word);

/* The same among the bundled ones, copied into `out`; false: none is near, or they cannot be listed. */
bool bb_profile_suggest(const char *word, char *out, size_t cap);

#endif
