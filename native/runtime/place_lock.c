/* SPDX-License-Identifier: Apache-2.0 */
/* See place_lock.h. */
#include "runtime/place_lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#include "base/err.h"
#include "runtime/file.h"

#define FILE_NAME "lock"
#define COMMAND_BYTES 200

const char *bb_place_now(char out[32]) {
  time_t now = time(NULL);
  struct tm tm;
  gmtime_r(&now, &tm);
  strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm);
  return out;
}

/* When that process started, in ticks since the boot; 0: there is none to be seen. */
static unsigned long long start_of(long pid) {
  char folder[32], text[512];
  unsigned long long start = 0;
  snprintf(folder, sizeof(folder), "/proc/%ld", pid);
  int len = bb_file_peek(folder, "stat", text, sizeof(text) - 1);
  text[len > 0 ? len : 0] = 0;
  /* Field 2 is the name in brackets, which may hold anything; after it fields are parted by blanks. */
  const char *at = strrchr(text, ')');
  for (int field = 2; at != NULL && field < 22; field++) at = strchr(at + 1, ' ');
  if (at != NULL && sscanf(at, " %llu", &start) != 1) return 0;
  return start;
}

/* Its command line, with blanks between the words; "" when it is not to be seen. */
static void command_of(long pid, char out[COMMAND_BYTES]) {
  char folder[32];
  snprintf(folder, sizeof(folder), "/proc/%ld", pid);
  int len = bb_file_peek(folder, "cmdline", out, COMMAND_BYTES - 1);
  while (len > 0 && out[len - 1] == 0) len--;
  for (int i = 0; i < len; i++) {
    if ((unsigned char)out[i] < 0x20) out[i] = ' ';
  }
  out[len > 0 ? len : 0] = 0;
}

static void name_holder(int fd) {
  char text[128], now[32];
  int len = snprintf(text, sizeof(text), "%ld %llu %s\n", (long)getpid(), start_of(getpid()),
                     bb_place_now(now));
  /* A full disk: then the holder goes unnamed. */
  if (ftruncate(fd, 0) < 0 || pwrite(fd, text, (size_t)len, 0) != len) return;
}

/* True if someone else has it. The descriptor becomes -1 when the lock is not held by us. */
static bool is_taken(int *fd, int how) {
  if (*fd < 0 || flock(*fd, how | LOCK_NB) == 0) return false;
  bool taken = errno == EWOULDBLOCK;
  close(*fd);
  *fd = -1;
  return taken;
}

static void open_file(bb_place_lock *lock) {
  lock->file = openat(lock->dir, FILE_NAME, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600);
  lock->error = lock->file < 0 ? -errno : 0;
}

void bb_place_lock_file(bb_place_lock *lock) {
  open_file(lock);
  if (!is_taken(&lock->file, LOCK_EX) && lock->file >= 0) name_holder(lock->file);
}

/* 0 or BB_ERR_BUSY; what is open is held. */
static int take_both(bb_place_lock *lock, int how) {
  bool taken = is_taken(&lock->dir, how);
  if (!taken && !is_taken(&lock->file, how)) return 0;
  bb_place_lock_give_back(lock);
  lock->error = 0;
  return BB_ERR_BUSY;
}

static bool open_dir(bb_place_lock *lock, const char *dir) {
  *lock = (bb_place_lock){.dir = -1, .file = -1};
  lock->dir = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (lock->dir < 0) lock->error = -errno;
  return lock->dir >= 0;
}

int bb_place_lock_take(bb_place_lock *lock, const char *dir) {
  if (!open_dir(lock, dir)) return 0;
  open_file(lock);
  int err = take_both(lock, LOCK_EX);
  if (err == 0 && lock->file >= 0) name_holder(lock->file);
  return err;
}

int bb_place_lock_read(bb_place_lock *lock, const char *dir) {
  if (!open_dir(lock, dir)) return 0;
  lock->file = openat(lock->dir, FILE_NAME, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
  return take_both(lock, LOCK_SH);
}

void bb_place_lock_give_back(bb_place_lock *lock) {
  if (lock->dir >= 0) close(lock->dir);
  if (lock->file >= 0) close(lock->file);
  lock->dir = lock->file = -1;
}

/* Whoever only reads shares it. */
static bool is_only_read(const char *dir) {
  bb_place_lock lock;
  bool shared = bb_place_lock_read(&lock, dir) == 0 && (lock.dir >= 0 || lock.file >= 0);
  bb_place_lock_give_back(&lock);
  return shared;
}

int bb_place_lock_holder(const char *dir, char *out, size_t cap) {
  char text[128], since[32], command[COMMAND_BYTES] = "";
  long pid = 0;
  unsigned long long start = 0;
  if (is_only_read(dir)) {
    snprintf(out, cap, "a busbar store that reads it");
    return 0;
  }
  int len = bb_file_peek(dir, FILE_NAME, text, sizeof(text) - 1);
  text[len > 0 ? len : 0] = 0;
  if (sscanf(text, "%ld %llu %31s", &pid, &start, since) != 3 || pid <= 0) {
    return BB_ERR_NOTFOUND;
  }
  bool seen = start != 0 && start_of(pid) == start;
  if (seen) command_of(pid, command);
  if (!seen) {
    snprintf(out, cap, "process %ld, since %s, which cannot be seen from here (another container?)",
             pid, since);
  } else {
    snprintf(out, cap, "process %ld (%s), since %s", pid,
             command[0] != 0 ? command : "without a command line", since);
  }
  return 0;
}

void bb_place_lock_remove(int dir) {
  unlinkat(dir, FILE_NAME, 0);
}
