/* SPDX-License-Identifier: Apache-2.0 */
/* See socket_access.h. */
#include "runtime/socket_access.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/limits.h"

const char *const bb_socket_modes[] = {"0600", "0660", "0666", NULL};

static const mode_t modes[] = {0600, 0660, 0666};

static int find_group(const char *name, gid_t *out, char *why, size_t cap) {
  const struct group *found = name != NULL ? getgrnam(name) : NULL;
  *out = name == NULL ? getegid() : found != NULL ? found->gr_gid : 0;
  if (name == NULL || found != NULL) return 0;
  snprintf(why, cap, "there is no group %.64s on this machine", name);
  return BB_ERR_NOTFOUND;
}

static int check_folder(const char *path, mode_t mode, gid_t group, char *why, size_t cap) {
  char folder[BB_MAX_PATH];
  struct stat info;
  const char *slash = strrchr(path, '/');
  if (slash == NULL || slash == path) return 0;
  snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
  if (mode == 0600 || stat(folder, &info) < 0 || (info.st_mode & S_IXOTH) != 0) return 0;
  if (mode == 0660 && info.st_gid == group && (info.st_mode & S_IXGRP) != 0) return 0;
  snprintf(why, cap, "others may use the socket, but not enter %s (mode %03o); chmod lets them",
           folder, (unsigned)info.st_mode & 0777);
  return 1;
}

int bb_socket_access_set(const char *path, int mode, const char *group, char *why, size_t cap) {
  gid_t gid;
  int err = chmod(path, 0600) < 0 ? -errno : 0;
  if (err == 0) {
    err = find_group(group, &gid, why, cap);
    if (err < 0) return err;
    if (chown(path, (uid_t)-1, gid) < 0) {
      err = -errno;
      snprintf(why, cap, "the socket cannot be given to the group %.64s: %s",
               group != NULL ? group : "of the runtime", strerror(-err));
      return err;
    }
    err = chmod(path, modes[mode]) < 0 ? -errno : 0;
  }
  if (err == 0) return check_folder(path, modes[mode], gid, why, cap);
  snprintf(why, cap, "the mode of %s cannot be changed: %s", path, strerror(-err));
  return err;
}
