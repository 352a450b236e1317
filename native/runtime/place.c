/* SPDX-License-Identifier: Apache-2.0 */
/* See place.h. What is kept in the directory: place_files.c; the socket elsewhere: place_beside.c. */
#include "runtime/place.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <uv.h>

#include "base/err.h"
#include "io/error.h"
#include "runtime/place_beside.h"
#include "runtime/place_files.h"
#include "runtime/place_lock.h"

#define SOCKET_NAME "busbar.sock"
#define LOCK_TRIES 4

/* The directory and those above it that are missing. 0 or negated errno of the first that cannot be
 * made. */
static int make_dirs(const char *dir) {
  char *path = strdup(dir);
  if (path == NULL) return BB_ERR_NOMEM;
  int first = 0, err = 0;
  for (char *at = path + 1;; at++) {
    if (*at != '/' && *at != 0) continue;
    char was = *at;
    *at = 0;
    /* Whatever else is wrong with a directory that is there shows when it is opened. */
    if (mkdir(path, 0700) < 0 && errno != EEXIST) {
      if (first == 0) first = -errno;
      if (was == 0) err = first;
    }
    *at = was;
    if (was == 0) break;
  }
  free(path);
  return err;
}

/* The path as it will be known, also of a directory that is not there. NULL without memory. */
static char *absolute(const char *dir) {
  char *path = realpath(dir, NULL);
  if (path != NULL || errno == ENOMEM) return path;
  char *here = dir[0] != '/' ? getcwd(NULL, 0) : NULL;
  size_t cap = strlen(dir) + (here != NULL ? strlen(here) : 0) + 2;
  path = malloc(cap);
  if (path != NULL) {
    snprintf(path, cap, "%s%s%s", here != NULL ? here : "", here != NULL ? "/" : "", dir);
  }
  free(here);
  return path;
}

/* What names another directory. */
static const char *source_of(const bb_place *place) {
  return place->source != NULL ? place->source : "--data or BUSBAR_DATA";
}

/* 0, BB_ERR_BUSY with the sentence; `error` says why nothing can be written. */
static int lock(bb_place *place, const char *dir, int *locks, int *error, char *why, size_t cap) {
  char holder[BB_PLACE_TEXT / 2];
  bb_place_lock taken;
  int err = bb_place_lock_take(&taken, dir);
  locks[0] = taken.dir;
  locks[1] = taken.file;
  if (error != NULL) *error = taken.error;
  if (err == BB_ERR_BUSY) {
    bb_place_name_holder(place, dir, holder, sizeof(holder));
    snprintf(why, cap,
             "the data directory %.360s is in use by %s; stop that one, or give this one a data "
             "directory of its own with %.32s",
             place->dir, holder, source_of(place));
  }
  return err;
}

static bool is_locked(const bb_place *place) {
  for (size_t i = 0; i < 4; i++) {
    if (place->locks[i] >= 0) return true;
  }
  return false;
}

/* An earlier runtime that was killed left it: nobody else can be behind it while we have the lock. */
static void remove_stale(const bb_place *place) {
  struct stat info;
  if (!is_locked(place) || lstat(place->socket, &info) < 0 || !S_ISSOCK(info.st_mode)) return;
  unlink(place->socket);
}

static int lock_beside(bb_place *place, char *why, size_t cap) {
  int err = bb_place_make_beside(place);
  for (int tries = 0; err == 0 && tries < LOCK_TRIES; tries++) {
    err = lock(place, place->beside, &place->locks[2], NULL, why, cap);
    if (err < 0 || bb_place_is_beside(place)) return err;
    /* The runtime before us took it away between our opening and locking it. */
    bb_place_unlock(&place->locks[2]);
    err = bb_place_make_beside(place);
  }
  return err;
}

/* What else stands there is left alone, and shows when the socket is bound. */
static bool takes_socket(const char *path) {
  if (mknod(path, S_IFSOCK | 0600, 0) < 0) return errno == EEXIST;
  unlink(path);
  return true;
}

static void tell_unreachable(bb_place *place, int err) {
  if (place->unreachable) return;
  place->unreachable = true;
  bb_log_warn(place->log, NULL,
              "nobody can connect to this runtime: there is no place for its socket in the "
              "temporary directory (%s); set TMPDIR to a directory of your own with a short path",
              bb_error_text(err));
}

static int find_socket(bb_place *place, char *why, size_t cap) {
  size_t len = strlen(place->dir) + sizeof("/" SOCKET_NAME) - 1;
  if (len <= BB_PLACE_SOCKET_MAX) {
    snprintf(place->socket, sizeof(place->socket), "%.88s/" SOCKET_NAME, place->dir);
    remove_stale(place);
    if (takes_socket(place->socket)) return 0;
    place->socket[0] = 0;
  }
  int err = lock_beside(place, why, cap);
  if (err == BB_ERR_NOMEM || err == BB_ERR_BUSY) return err;
  if (err < 0) {
    tell_unreachable(place, err);
    return 0;
  }
  snprintf(place->socket, sizeof(place->socket), "%.88s/" SOCKET_NAME, place->beside);
  remove_stale(place);
  return 0;
}

static void tell_unwritable(const bb_place *place, int error, bool missing) {
  char how[128] = "is a file", advice[64] = "", from[64] = "";
  struct stat info;
  if (place->source != NULL) snprintf(from, sizeof(from), " (from %.48s)", place->source);
  if (stat(place->dir, &info) < 0 || S_ISDIR(info.st_mode)) {
    snprintf(how, sizeof(how), "cannot be %s (%.100s)", missing ? "made" : "written",
             bb_error_text(error));
    bool full = error == UV_ENOSPC || error == -EDQUOT;
    snprintf(advice, sizeof(advice), "make it%s writable for user %lu, or ", missing ? "," : "",
             (unsigned long)geteuid());
    if (full) snprintf(advice, sizeof(advice), "free space there, or ");
  }
  bb_log_warn(
      place->log, NULL,
      "the data directory %s%s %s: nothing is kept across a restart; %sname another one with "
      "%s",
      place->dir, from, how, advice, source_of(place));
}

static void tell_restrictions(bb_place *place, int error, bool missing) {
  place->warned = !place->writable;
  if (!place->writable) {
    tell_unwritable(place, error, missing);
  } else if (place->locks[0] < 0 && place->locks[1] < 0) {
    bb_log_warn(place->log, NULL,
                "the data directory %s cannot be locked on this file system: see to it that no "
                "other runtime uses it",
                place->dir);
  }
}

static int start(bb_place *place, const char *dir, char *why, size_t cap) {
  int error = 0, made = make_dirs(dir);
  if (made == BB_ERR_NOMEM || (place->dir = absolute(dir)) == NULL) return BB_ERR_NOMEM;
  int err = lock(place, place->dir, place->locks, &error, why, cap);
  if (err < 0) return err;
  if (error == 0) error = bb_place_count_start(place);
  if (error < 0) bb_place_guess_start(place);
  if (made < 0 && error < 0) error = made;
  place->writable = error == 0;
  place->generation = bb_place_read_generation(place);
  err = find_socket(place, why, cap);
  if (err == 0) tell_restrictions(place, error, made < 0);
  return err;
}

/* Taken where the directory was missing, and completed where its file was. */
static bool relock(bb_place *place) {
  char why[BB_PLACE_TEXT];
  bb_place_lock held = {.dir = place->locks[0], .file = place->locks[1]};
  if (held.dir < 0 && held.file < 0) {
    if (lock(place, place->dir, place->locks, NULL, why, sizeof(why)) == 0) return true;
    if (!place->taken) bb_log_error(place->log, NULL, "%s", why);
    place->taken = true;
    return false;
  }
  if (held.file < 0) bb_place_lock_file(&held);
  place->locks[1] = held.file;
  return true;
}

/* A name too long or a temporary directory without room leave it where it is. */
static bool find_missing_socket(bb_place *place) {
  char why[BB_PLACE_TEXT];
  if (place->socket[0] != 0) return false;
  return find_socket(place, why, sizeof(why)) == 0 && place->socket[0] != 0;
}

bool bb_place_mend(bb_place *place, const char *metrics) {
  bool amiss = !place->writable || place->unsaved.len > 0;
  bool found = find_missing_socket(place);
  if (!amiss && !found) return false;
  if (make_dirs(place->dir) < 0 || !relock(place)) return found;
  if (bb_place_record(place, metrics) < 0 || place->record_dir != place->dir) return found;
  if (!bb_place_save_unsaved(place)) return found;
  if (!amiss) return found;
  place->writable = true;
  place->warned = place->taken = false;
  bb_log_info(place->log, NULL,
              "the data directory %s can be written again: what is applied is kept", place->dir);
  return found;
}

bool bb_place_socket(const char *dir, unsigned nth, char out[BB_PLACE_SOCKET_MAX + 1]) {
  bb_place place = {.dir = absolute(dir)};
  int len = -1;
  out[0] = 0;
  if (place.dir != NULL && nth == 0 && strlen(place.dir) <= BB_PLACE_SOCKET_MAX) {
    len = snprintf(out, BB_PLACE_SOCKET_MAX + 1, "%s/" SOCKET_NAME, place.dir);
  } else if (place.dir != NULL && nth == 1) {
    char beside[BB_PLACE_SOCKET_MAX + 1];
    int err = bb_place_find_beside(&place, beside, sizeof(beside));
    if (err == 0) len = snprintf(out, BB_PLACE_SOCKET_MAX + 1, "%s/" SOCKET_NAME, beside);
  }
  free(place.dir);
  if (len < 0 || len > BB_PLACE_SOCKET_MAX) out[0] = 0;
  return nth < 2;
}

static void release(bb_place *place) {
  bb_place_remove_beside(place);
  bb_place_unlock(&place->locks[0]);
  bb_place_unlock(&place->locks[2]);
  free(place->beside);
  free(place->dir);
  bb_buf_close(&place->unsaved);
  place->dir = place->beside = NULL;
}

int bb_place_open(bb_place *place, const char *dir, bb_log *log, char *why, size_t cap) {
  *place = (bb_place){.source = place->source, .log = log, .locks = {-1, -1, -1, -1}};
  bb_buf_init(&place->unsaved, BB_PLACE_DOCUMENT_MAX);
  int err = start(place, dir[0] != 0 ? dir : ".", why, cap);
  if (err == BB_ERR_NOMEM) snprintf(why, cap, "out of memory");
  if (err < 0) release(place);
  return err;
}

void bb_place_close(bb_place *place) {
  bb_place_forget(place);
  release(place);
}
