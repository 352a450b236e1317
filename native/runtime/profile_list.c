/* SPDX-License-Identifier: Apache-2.0 */
/* See profile_list.h. */
#include "runtime/profile_list.h"

#include <ctype.h>
#include <dirent.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "io/bundled.h"

#define MIN_ABBREVIATION 3 /* characters */

static int add(bb_profile_list *list, const char *vendor, const char *file) {
  static const char *const suffixes[] = {".yaml", ".yml", ".json"};
  const char *dot = strrchr(file, '.');
  bool known = false;
  for (size_t i = 0; dot != NULL && i < 3; i++) known |= strcmp(dot, suffixes[i]) == 0;
  if (!known || list->n == BB_PROFILE_LIST_MAX) return 0;
  size_t cap = strlen(vendor) + (size_t)(dot - file) + 2;
  char *id = malloc(cap);
  if (id == NULL) return BB_ERR_NOMEM;
  snprintf(id, cap, "%s/%.*s", vendor, (int)(dot - file), file);
  list->ids[list->n++] = id;
  return 0;
}

static int add_vendor(bb_profile_list *list, const char *folder, const char *vendor) {
  char path[BB_MAX_PATH];
  if (vendor[0] == '.') return 0;
  if ((size_t)snprintf(path, sizeof(path), "%s/%s", folder, vendor) >= sizeof(path)) return 0;
  DIR *files = opendir(path);
  if (files == NULL) return 0; /* a file beside the folders */
  const struct dirent *file;
  int err = 0;
  while (err == 0 && (file = readdir(files)) != NULL) err = add(list, vendor, file->d_name);
  closedir(files);
  return err;
}

static int compare(const void *a, const void *b) {
  return strcmp(*(char *const *)a, *(char *const *)b);
}

int bb_profile_list_open(bb_profile_list *list) {
  char folder[BB_MAX_PATH];
  list->n = 0;
  int err = bb_bundled_folder(folder, sizeof(folder));
  DIR *vendors = err == 0 ? opendir(folder) : NULL;
  if (vendors == NULL) return err < 0 ? err : BB_ERR_NOTFOUND;
  const struct dirent *vendor;
  while (err == 0 && (vendor = readdir(vendors)) != NULL) {
    err = add_vendor(list, folder, vendor->d_name);
  }
  closedir(vendors);
  if (err < 0) bb_profile_list_close(list);
  qsort(list->ids, list->n, sizeof(list->ids[0]), compare);
  return err;
}

void bb_profile_list_close(bb_profile_list *list) {
  for (size_t i = 0; i < list->n; i++) free(list->ids[i]);
  list->n = 0;
}

static void lower(const char *text, char *out, size_t cap) {
  size_t len = 0;
  for (; text[len] != 0 && len + 1 < cap; len++) out[len] = (char)tolower((unsigned char)text[len]);
  out[len] = 0;
}

static const char *without_vendor(const char *id) {
  const char *slash = strrchr(id, '/');
  return slash != NULL ? slash + 1 : id;
}

/* An abbreviation: its characters stand in the id in the same order, as those of pm500. */
static const char *find_abbreviated(const bb_profile_list *list, const char *word) {
  char wanted[BB_MAX_NAME + 2], whole[BB_MAX_NAME + 2];
  lower(word, wanted, sizeof(wanted));
  if (strlen(wanted) < MIN_ABBREVIATION) return NULL;
  for (size_t i = 0; i < list->n; i++) {
    lower(list->ids[i], whole, sizeof(whole));
    const char *left = wanted;
    for (const char *at = whole; *at != 0 && *left != 0; at++) left += *at == *left;
    if (*left == 0) return list->ids[i];
  }
  return NULL;
}

const char *bb_profile_list_nearest(const bb_profile_list *list, const char *word) {
  char wanted[BB_MAX_NAME + 2], whole[BB_MAX_NAME + 2];
  const char *nearest = NULL;
  lower(word, wanted, sizeof(wanted));
  size_t short_len = strlen(without_vendor(wanted));
  unsigned least = UINT32_MAX;
  for (size_t i = 0; i < list->n; i++) {
    lower(list->ids[i], whole, sizeof(whole));
    unsigned most = (unsigned)short_len / 3 + 1;
    unsigned whole_off = bb_text_distance(wanted, whole, most);
    unsigned model_off = bb_text_distance(without_vendor(wanted), without_vendor(whole), most);
    unsigned off = whole_off < model_off ? whole_off : model_off;
    if (off > most || off >= least) continue;
    least = off;
    nearest = list->ids[i];
  }
  return nearest != NULL ? nearest : find_abbreviated(list, word);
}

bool bb_profile_suggest(const char *word, char *out, size_t cap) {
  bb_profile_list *list = calloc(1, sizeof(*list));
  const char *nearest = NULL;
  if (list != NULL && bb_profile_list_open(list) == 0) {
    nearest = bb_profile_list_nearest(list, word);
    if (nearest != NULL) snprintf(out, cap, "%s", nearest);
    bb_profile_list_close(list);
  }
  free(list);
  return nearest != NULL;
}
