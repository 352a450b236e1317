/* SPDX-License-Identifier: Apache-2.0 */
/* The profile of a device: by name, by path or written out. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "io/bundled.h"
#include "runtime/config_read.h"
#include "runtime/profile_list.h"

/* Beside the config document first, then among the bundled ones. */
static bool find_profile(const bb_config_reader *reader, const char *name, char *path, size_t cap) {
  const char *document = reader->config->tree.name, *slash = strrchr(document, '/');
  size_t folder = slash != NULL && name[0] != '/' ? (size_t)(slash - document) + 1 : 0;
  static const char *const endings[] = {"", ".yaml", ".yml", ".json"};
  for (size_t i = 0; i < sizeof(endings) / sizeof(endings[0]); i++) {
    snprintf(path, cap, "%.*s%s%s", (int)folder, document, name, endings[i]);
    FILE *file = fopen(path, "rb");
    bool readable = file != NULL && fgetc(file) != EOF; /* a folder cannot be read */
    if (file != NULL) fclose(file);
    if (readable) return true;
  }
  return bb_bundled_profile(name, path, cap) == 0;
}

static bb_profile *keep_profile(bb_config_reader *reader, const char *name, bb_profile *profile) {
  if (bb_map_add(&reader->config->profiles_by_id, name, profile) == 0) return profile;
  reader->no_memory = true;
  bb_profile_unref(profile);
  return NULL;
}

/* NULL keeps in mind that it was told what is wrong with it. */
static bb_profile *keep_also(bb_config_reader *reader, const char *name, bb_profile *profile) {
  if (profile != NULL) return keep_profile(reader, name, bb_profile_ref(profile));
  if (bb_map_add(&reader->bad_profiles, name, reader) == BB_ERR_NOMEM) reader->no_memory = true;
  return NULL;
}

/* What was read under that name, or nothing after mistakes that were told. */
static bool is_known(const bb_config_reader *reader, const char *name, bb_profile **out) {
  *out = bb_map_get(&reader->config->profiles_by_id, name);
  return *out != NULL || bb_map_get(&reader->bad_profiles, name) != NULL;
}

static void tell_missing(bb_config_reader *reader, const bb_doc *doc) {
  char near[BB_MAX_PATH];
  if (bb_bundled_folder(near, sizeof(near)) < 0) {
    bb_report_add(reader->report, doc,
                  "there is no profile \"%.120s\" in this document's folder, and the folder of the "
                  "bundled ones is not there; BUSBAR_PROFILES can name it",
                  doc->text);
    return;
  }
  if (bb_profile_suggest(doc->text, near, sizeof(near))) {
    bb_report_add(reader->report, doc, "there is no profile \"%.120s\"; did you mean \"%s\"?",
                  doc->text, near);
  } else {
    bb_report_add(
        reader->report, doc,
        "there is no profile \"%.120s\"; `busbar profiles` lists the bundled ones, a path "
        "is taken from this document's folder",
        doc->text);
  }
}

static bb_profile *read_file(bb_config_reader *reader, const char *path, const char *file) {
  bb_profile *profile;
  int err = bb_profile_load(&profile, path, reader->report);
  if (err == 0) return keep_profile(reader, file, profile);
  if (err == BB_ERR_NOMEM) reader->no_memory = true;
  return err == BB_ERR_NOMEM ? NULL : keep_also(reader, file, NULL);
}

/* One file may have several names; it is read once, so that its mistakes are told once. */
static bb_profile *load_profile(bb_config_reader *reader, const bb_doc *doc) {
  bb_profile *profile;
  char path[BB_MAX_PATH];
  if (is_known(reader, doc->text, &profile)) return profile;
  if (!find_profile(reader, doc->text, path, sizeof(path))) {
    tell_missing(reader, doc);
    return NULL;
  }
  char *real = realpath(path, NULL);
  const char *file = bb_arena_string(&reader->config->arena, real != NULL ? real : path);
  free(real);
  if (file == NULL) {
    reader->no_memory = true;
    return NULL;
  }
  if (!is_known(reader, file, &profile)) profile = read_file(reader, path, file);
  if (reader->no_memory || strcmp(file, doc->text) == 0) return profile;
  return keep_also(reader, doc->text, profile);
}

bb_profile *bb_config_profile(bb_config_reader *reader, const bb_doc *doc) {
  if (doc->kind == BB_DOC_SCALAR) return load_profile(reader, doc);
  char key[32]; /* of its own, also where two devices have one id by mistake */
  snprintf(key, sizeof(key), "inline %p", (const void *)doc);
  char *name = bb_arena_string(&reader->config->arena, key);
  bb_profile *profile = NULL;
  int err = name != NULL ? bb_profile_read(&profile, doc, "inline", reader->report) : BB_ERR_NOMEM;
  if (err == BB_ERR_NOMEM) reader->no_memory = true;
  return err == 0 ? keep_profile(reader, name, profile) : NULL;
}
