/* SPDX-License-Identifier: Apache-2.0 */
/* See secrets.h. The file is read and written in secrets_file.c. */
#include "runtime/secrets.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "runtime/secrets_file.h"

/* The place of that name, or the one where it belongs. */
static uint32_t place_of(const bb_secrets *secrets, const char *name) {
  uint32_t low = 0, high = secrets->n;
  while (low < high) {
    uint32_t middle = (low + high) / 2;
    if (strcmp(secrets->entries[middle].name, name) < 0) {
      low = middle + 1;
    } else {
      high = middle;
    }
  }
  return low;
}

const bb_secrets_entry *bb_secrets_find(const bb_secrets *secrets, const char *name) {
  uint32_t at = place_of(secrets, name);
  return at < secrets->n && strcmp(secrets->entries[at].name, name) == 0 ? &secrets->entries[at]
                                                                         : NULL;
}

static bb_secrets_entry *find(bb_secrets *secrets, const char *name) {
  const bb_secrets_entry *found = bb_secrets_find(secrets, name);
  return found != NULL ? &secrets->entries[found - secrets->entries] : NULL;
}

static void forget_value(char *value, uint32_t len) {
  if (value == NULL) return;
  bb_secret_wipe(value, len);
  free(value);
}

static void drop(bb_secrets *secrets, bb_secrets_entry *entry) {
  uint32_t at = (uint32_t)(entry - secrets->entries);
  forget_value(entry->value, entry->len);
  secrets->n--;
  memmove(entry, entry + 1, (secrets->n - at) * sizeof(*entry));
  secrets->entries[secrets->n] = (bb_secrets_entry){.value = NULL};
}

/* There is room: it was checked. */
static bb_secrets_entry *insert(bb_secrets *secrets, const char *name) {
  uint32_t at = place_of(secrets, name);
  bb_secrets_entry *entry = &secrets->entries[at];
  memmove(entry + 1, entry, (secrets->n - at) * sizeof(*entry));
  secrets->n++;
  *entry = (bb_secrets_entry){.memory = true};
  memcpy(entry->name, name, strlen(name) + 1);
  return entry;
}

/* Takes over `value`. */
static void put(bb_secrets *secrets, const char *name, char *value, bool memory) {
  bb_secrets_entry *entry = find(secrets, name);
  if (entry == NULL) entry = insert(secrets, name);
  bool news = entry->value == NULL || strcmp(entry->value, value) != 0;
  if (memory ? !entry->memory : entry->memory || news) secrets->unsaved = true;
  forget_value(entry->value, entry->len);
  entry->value = value;
  entry->len = (uint32_t)strlen(value);
  entry->memory = memory;
}

static void take_away(bb_secrets *secrets, const char *name) {
  bb_secrets_entry *entry = find(secrets, name);
  if (entry == NULL) return;
  if (!entry->memory) secrets->unsaved = true;
  drop(secrets, entry);
}

static void check_one(const bb_doc *change, bb_report *report) {
  if (!bb_text_is_id(change->key)) {
    bb_report_add(report, change,
                  "this is no name of a secret; allowed: 1 to 64 of letters, digits, - _ . and not "
                  "starting with . or -");
  } else if (change->kind != BB_DOC_SCALAR || (!change->quoted && !bb_doc_is_null(change))) {
    bb_report_add(report, change, "a secret is a text; allowed: a text, or null to remove it");
  } else if (!bb_doc_is_null(change) && change->text[0] == 0) {
    bb_report_add(report, change, "a secret may not be empty; null removes it");
  } else if (strlen(change->text) >= BB_SECRET_LONGEST) {
    bb_report_add(report, change, "the secret is too long; allowed: %d bytes",
                  BB_SECRET_LONGEST - 1);
  }
}

void bb_secrets_check(const bb_secrets *secrets, const bb_doc *changes, bb_report *report) {
  uint32_t n = secrets->n;
  for (const bb_doc *change = changes->first; change != NULL; change = change->next) {
    bool known = bb_secrets_find(secrets, change->key) != NULL;
    check_one(change, report);
    if (known && bb_doc_is_null(change)) n--;
    if (!known && !bb_doc_is_null(change)) n++;
  }
  if (n > BB_SECRETS_MAX) {
    bb_report_add(report, changes, "there would be %u secrets; allowed: %d", n, BB_SECRETS_MAX);
  }
}

static char *copy(const char *text) {
  size_t bytes = strlen(text) + 1;
  char *out = malloc(bytes);
  if (out != NULL) memcpy(out, text, bytes);
  return out;
}

/* The values that stay, in the order of the changes; NULL without memory. */
static char **copy_values(const bb_doc *changes) {
  char **values = calloc(changes->n + 1, sizeof(*values));
  if (values == NULL) return NULL;
  uint32_t n = 0;
  for (const bb_doc *change = changes->first; change != NULL; change = change->next) {
    if (bb_doc_is_null(change)) continue;
    values[n] = copy(change->text);
    if (values[n++] != NULL) continue;
    for (uint32_t i = 0; i + 1 < n; i++) forget_value(values[i], (uint32_t)strlen(values[i]));
    free(values);
    return NULL;
  }
  return values;
}

int bb_secrets_set(bb_secrets *secrets, const bb_doc *changes, bool memory) {
  char **values = copy_values(changes);
  if (values == NULL) return BB_ERR_NOMEM;
  uint32_t n = 0;
  /* First what goes, so that there is room for what comes. */
  for (const bb_doc *change = changes->first; change != NULL; change = change->next) {
    if (bb_doc_is_null(change)) take_away(secrets, change->key);
  }
  for (const bb_doc *change = changes->first; change != NULL; change = change->next) {
    if (!bb_doc_is_null(change)) put(secrets, change->key, values[n++], memory);
  }
  free(values);
  if (secrets->unsaved) bb_secrets_save(secrets);
  return secrets->unsaved ? 0 : 1;
}

static int read_named(void *user, const char *name, char *out, size_t cap) {
  const bb_secrets_entry *entry = bb_secrets_find(user, name);
  if (entry == NULL) return BB_ERR_NOTFOUND;
  if (entry->len >= cap) return BB_ERR_LIMIT;
  memcpy(out, entry->value, entry->len + 1);
  return (int)entry->len;
}

void bb_secrets_init(bb_secrets *secrets) {
  secrets->n = 0;
  secrets->unsaved = secrets->warned = false;
  secrets->source = (bb_secret_source){secrets, read_named};
  bb_secrets_load(secrets);
  bb_secret_use(&secrets->source);
}

void bb_secrets_close(bb_secrets *secrets) {
  bb_secret_use(NULL);
  while (secrets->n > 0) drop(secrets, &secrets->entries[secrets->n - 1]);
}
