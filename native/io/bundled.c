/* SPDX-License-Identifier: Apache-2.0 */
/* See bundled.h. */
#include "io/bundled.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"

static bool is_folder(const char *path) {
  struct stat s;
  return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

static bool is_file(const char *path) {
  struct stat s;
  return stat(path, &s) == 0 && S_ISREG(s.st_mode);
}

/* 0 or BB_ERR_LIMIT. */
static int join(char *out, size_t cap, const char *folder, const char *rest, const char *suffix) {
  int len = snprintf(out, cap, "%s/%s%s", folder, rest, suffix);
  return len >= 0 && (size_t)len < cap ? 0 : BB_ERR_LIMIT;
}

/* The folder so many above the running executable. The kernel's path of it has neither links nor "..",
 * so that its end can be cut. */
static int own_folder(char *out, size_t cap, int above) {
  ssize_t len = readlink("/proc/self/exe", out, cap);
  if (len < 0) return BB_ERR_NOTFOUND;
  if ((size_t)len >= cap) return BB_ERR_LIMIT;
  out[len] = 0;
  for (int i = 0; i < above; i++) {
    char *slash = strrchr(out, '/');
    if (slash == NULL) return BB_ERR_NOTFOUND;
    *slash = 0;
  }
  return 0;
}

int bb_bundled_folder(char *out, size_t cap) {
  /* From native/build/busbar, and from bin/busbar. */
  static const struct {
    int above;
    const char *folder;
  } places[] = {{3, "profiles"}, {2, "share/busbar/profiles"}};
  const char *named = getenv("BUSBAR_PROFILES");
  if (named != NULL && *named != 0) {
    int len = snprintf(out, cap, "%s", named);
    if (len < 0 || (size_t)len >= cap) return BB_ERR_LIMIT;
    return is_folder(out) ? 0 : BB_ERR_NOTFOUND;
  }
  char own[BB_MAX_PATH];
  int err = 0;
  for (size_t i = 0; err == 0 && i < sizeof(places) / sizeof(places[0]); i++) {
    err = own_folder(own, sizeof(own), places[i].above);
    if (err == 0) err = join(out, cap, own, places[i].folder, "");
    if (err == 0 && is_folder(out)) return 0;
  }
  return err < 0 ? err : BB_ERR_NOTFOUND;
}

int bb_bundled_profile(const char *id, char *path_out, size_t cap) {
  static const char *const suffixes[] = {".yaml", ".yml", ".json"};
  char folder[BB_MAX_PATH];
  /* A name has no first '.', so that only "/.." could lead out. */
  if (!bb_text_is_name(id) || *id == '/' || strstr(id, "/.") != NULL) return BB_ERR_NOTFOUND;
  int err = bb_bundled_folder(folder, sizeof(folder));
  for (size_t i = 0; err == 0 && i < sizeof(suffixes) / sizeof(suffixes[0]); i++) {
    err = join(path_out, cap, folder, id, suffixes[i]);
    if (err == 0 && is_file(path_out)) return 0;
  }
  return err < 0 ? err : BB_ERR_NOTFOUND;
}
