/* SPDX-License-Identifier: Apache-2.0 */
/* The lists of a config document: room for their entries, their ids, and who refers to them. */
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "runtime/config_read.h"

#define MAX_NEAR 256 /* entries that are compared with a misspelt id */

static const struct {
  const char *one, *many;
} names[] = {
    [BB_CONFIG_CONNECTIONS] = {"connection", "connections"},
    [BB_CONFIG_DEVICES] = {"device", "devices"},
    [BB_CONFIG_SINKS] = {"sink", "sinks"},
};

void *bb_config_items(bb_config_reader *reader, const bb_doc *list, size_t size, uint32_t max,
                      bb_config_section section) {
  if (list == NULL || list->n == 0) return NULL;
  if (list->n > max) {
    bb_report_add(reader->report, list, "%u %s are too many; allowed: %u", list->n,
                  names[section].many, max);
    bb_config_note_broken(reader, section, NULL);
    return NULL;
  }
  void *items = bb_arena_take(&reader->config->arena, list->n * size);
  if (items == NULL) reader->no_memory = true;
  return items;
}

void bb_config_index(bb_config_reader *reader, bb_map *map, const char *id, void *item,
                     const bb_doc *doc) {
  int err = bb_map_add(map, id, item);
  if (err == BB_ERR_NOMEM) reader->no_memory = true;
  if (err == BB_ERR_EXISTS) {
    bb_report_add(reader->report, bb_doc_get(doc, "id"), "the id \"%s\" is taken; ids differ", id);
  }
}

void bb_config_note_broken(bb_config_reader *reader, bb_config_section section, const char *id) {
  bb_config_gaps *gaps = &reader->gaps[section];
  if (id == NULL) {
    gaps->unsure = true;
  } else if (bb_map_add(&gaps->broken, id, gaps) == BB_ERR_NOMEM) {
    reader->no_memory = true;
  }
}

static const char *nearest(const bb_config *config, bb_config_section section, const char *word) {
  const char *ids[MAX_NEAR];
  size_t n = 0;
  if (section == BB_CONFIG_CONNECTIONS) {
    while (n < config->n_connections && n < MAX_NEAR) {
      ids[n] = config->connections[n].id;
      n++;
    }
  } else {
    while (n < config->n_sinks && n < MAX_NEAR) {
      ids[n] = config->sinks[n].id;
      n++;
    }
  }
  return bb_text_nearest(word, ids, n);
}

void bb_config_tell_missing(bb_config_reader *reader, const bb_doc *doc,
                            bb_config_section section) {
  const bb_config_gaps *gaps = &reader->gaps[section];
  if (gaps->unsure || bb_map_get(&gaps->broken, doc->text) != NULL) return;
  const char *near = nearest(reader->config, section, doc->text);
  if (near != NULL) {
    bb_report_add(reader->report, doc, "there is no %s \"%s\"; did you mean \"%s\"?",
                  names[section].one, doc->text, near);
  } else {
    bb_report_add(reader->report, doc, "there is no %s \"%s\"; allowed: an id of `%s`",
                  names[section].one, doc->text, names[section].many);
  }
}
