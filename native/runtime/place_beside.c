/* SPDX-License-Identifier: Apache-2.0 */
/* See place_beside.h. */
#include "runtime/place_beside.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/hash.h"
#include "runtime/place_lock.h"

#define SOCKET_NAME "busbar.sock"

/* A directory that nobody else can have put there. 0 or negated errno. */
static int check_private(const char *path) {
  struct stat info;
  if (lstat(path, &info) < 0) return -errno;
  if (!S_ISDIR(info.st_mode)) return -ENOTDIR;
  if (info.st_uid != geteuid()) return -EPERM;
  return (info.st_mode & 0777) == 0700 || chmod(path, 0700) == 0 ? 0 : -errno;
}

static int make_private(const char *path) {
  if (mkdir(path, 0700) < 0 && errno != EEXIST) return -errno;
  return check_private(path);
}

/* The first of the temporary directories in which `use` finds its way. 0, or why none. */
static int find(const bb_place *place, int (*use)(const char *path), char *out, size_t cap) {
  const char *folders[] = {getenv("TMPDIR"), "/tmp"};
  unsigned long long hash = bb_hash_add(BB_HASH_START, place->dir, strlen(place->dir));
  int err = -ENOENT;
  for (size_t i = 0; i < 2; i++) {
    if (folders[i] == NULL || folders[i][0] != '/') continue;
    int len =
        snprintf(out, cap, "%s/busbar-%lu-%016llx", folders[i], (unsigned long)geteuid(), hash);
    if (len < 0 || (size_t)len + sizeof("/" SOCKET_NAME) > cap) continue;
    err = use(out);
    if (err == 0) return 0;
  }
  return err;
}

int bb_place_make_beside(bb_place *place) {
  char path[BB_PLACE_SOCKET_MAX + 1];
  int err = find(place, make_private, path, sizeof(path));
  if (err < 0) return err;
  free(place->beside);
  place->beside = strdup(path);
  return place->beside != NULL ? 0 : BB_ERR_NOMEM;
}

bool bb_place_is_beside(const bb_place *place) {
  struct stat there, locked;
  if (stat(place->beside, &there) < 0) return false;
  if (place->locks[2] < 0) return true; /* this file system locks no directory */
  return fstat(place->locks[2], &locked) == 0 && there.st_ino == locked.st_ino &&
         there.st_dev == locked.st_dev;
}

void bb_place_remove_beside(bb_place *place) {
  if (place->beside == NULL || place->locks[2] < 0) return;
  if (bb_place_is_beside(place)) bb_place_lock_remove(place->locks[2]);
  rmdir(place->beside);
}

int bb_place_find_beside(const bb_place *place, char *out, size_t cap) {
  return find(place, check_private, out, cap);
}

void bb_place_name_holder(bb_place *place, const char *dir, char *out, size_t cap) {
  char path[BB_PLACE_SOCKET_MAX + 1];
  if (bb_place_lock_holder(dir, out, cap) == 0) return;
  if (place->beside != NULL && bb_place_lock_holder(place->beside, out, cap) == 0) return;
  if (bb_place_find_beside(place, path, sizeof(path)) == 0 &&
      bb_place_lock_holder(path, out, cap) == 0) {
    return;
  }
  snprintf(out, cap, "another process");
}

void bb_place_unlock(int locks[2]) {
  for (size_t i = 0; i < 2; i++) {
    if (locks[i] >= 0) close(locks[i]);
    locks[i] = -1;
  }
}
