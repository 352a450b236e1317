/* SPDX-License-Identifier: Apache-2.0 */
/* See place.h. What is kept in the directory: place_files.c. */
#include "runtime/place.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/hash.h"
#include "io/error.h"
#include "runtime/place_files.h"
#include "runtime/place_lock.h"

#define SOCKET_NAME "busbar.sock"

/* The directory and those above it that are missing. 0 or negated errno. */
static int make_dirs(const char *dir) {
  char *path = strdup(dir);
  if (path == NULL) return BB_ERR_NOMEM;
  int err = 0;
  for (char *at = path + 1; err == 0; at++) {
    if (*at != '/' && *at != 0) continue;
    char was = *at;
    *at = 0;
    /* Whatever else is wrong with a directory that is there shows when it is opened. */
    if (mkdir(path, 0700) < 0 && errno != EEXIST && was == 0) err = -errno;
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

/* A directory that nobody else can have put there. 0 or negated errno. */
static int make_private(const char *path) {
  struct stat info;
  if (mkdir(path, 0700) < 0 && errno != EEXIST) return -errno;
  if (lstat(path, &info) < 0) return -errno;
  if (!S_ISDIR(info.st_mode)) return -ENOTDIR;
  if (info.st_uid != geteuid()) return -EPERM;
  return (info.st_mode & 0777) == 0700 || chmod(path, 0700) == 0 ? 0 : -errno;
}

/* The socket's directory elsewhere. 0, or why there is none. */
static int find_beside(bb_place *place) {
  const char *folders[] = {getenv("TMPDIR"), "/tmp"};
  char path[BB_PLACE_SOCKET_MAX + 1];
  unsigned long long hash = bb_hash_add(BB_HASH_START, place->dir, strlen(place->dir));
  int err = -ENOENT;
  for (size_t i = 0; i < 2; i++) {
    if (folders[i] == NULL || folders[i][0] != '/') continue;
    int len = snprintf(path, sizeof(path), "%s/busbar-%lu-%016llx", folders[i],
                       (unsigned long)geteuid(), hash);
    if (len < 0 || (size_t)len + sizeof("/" SOCKET_NAME) > sizeof(path)) continue;
    err = make_private(path);
    if (err < 0) continue;
    place->beside = strdup(path);
    return place->beside != NULL ? 0 : BB_ERR_NOMEM;
  }
  return err;
}

/* Who cannot write in the data directory has put its name beside its socket. */
static void name_holder(bb_place *place, const char *dir, char *out, size_t cap) {
  if (bb_place_lock_holder(dir, out, cap) == 0) return;
  if (place->beside == NULL) find_beside(place);
  if (place->beside != NULL && bb_place_lock_holder(place->beside, out, cap) == 0) return;
  snprintf(out, cap, "another process");
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
    name_holder(place, dir, holder, sizeof(holder));
    snprintf(why, cap,
             "the data directory %.400s is in use by %s; stop that one, or give this one a data "
             "directory of its own (BUSBAR_DATA)",
             place->dir, holder);
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

static int find_socket(bb_place *place, char *why, size_t cap) {
  size_t len = strlen(place->dir) + sizeof("/" SOCKET_NAME) - 1;
  if (place->writable && len <= BB_PLACE_SOCKET_MAX) {
    snprintf(place->socket, sizeof(place->socket), "%.88s/" SOCKET_NAME, place->dir);
    remove_stale(place);
    return 0;
  }
  int err = find_beside(place);
  if (err == BB_ERR_NOMEM) return err;
  if (err < 0) {
    bb_log_warn(place->log, NULL,
                "nobody can connect to this runtime: there is no place for its socket in the "
                "temporary directory (%s); set TMPDIR to a directory of your own with a short path",
                bb_error_text(err));
    return 0;
  }
  err = lock(place, place->beside, &place->locks[2], NULL, why, cap);
  if (err < 0) return err;
  snprintf(place->socket, sizeof(place->socket), "%.88s/" SOCKET_NAME, place->beside);
  remove_stale(place);
  return 0;
}

static void tell_restrictions(bb_place *place, int error) {
  place->warned = !place->writable;
  if (!place->writable) {
    bb_log_warn(place->log, NULL,
                "the data directory %s cannot be written (%s): nothing is kept across a restart; "
                "make it writable for user %lu, or name another one (BUSBAR_DATA)",
                place->dir, bb_error_text(error), (unsigned long)geteuid());
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
  if (err == 0) tell_restrictions(place, error);
  return err;
}

static void release(bb_place *place) {
  for (size_t i = 0; i < 4; i++) {
    if (place->locks[i] >= 0) close(place->locks[i]);
    place->locks[i] = -1;
  }
  free(place->beside);
  free(place->dir);
  place->dir = place->beside = NULL;
}

int bb_place_open(bb_place *place, const char *dir, bb_log *log, char *why, size_t cap) {
  *place = (bb_place){.log = log, .locks = {-1, -1, -1, -1}};
  int err = start(place, dir[0] != 0 ? dir : ".", why, cap);
  if (err == BB_ERR_NOMEM) snprintf(why, cap, "out of memory");
  if (err < 0) release(place);
  return err;
}

void bb_place_close(bb_place *place) {
  bb_place_forget(place);
  release(place);
}
