/* SPDX-License-Identifier: Apache-2.0 */
/* See disk.h. */
#include "support/disk.h"

#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

#include "support/disk_file.h"
#include "support/expect.h"
#include "support/random.h"

#define MAX_FILES 8
#define SECTOR 512

static struct {
  disk_file files[MAX_FILES];
  size_t n_files;
  unsigned changes, failing;
  int rc;
  bool lasting, stops, failed;
} disk;

/* Not realloc: the disk has memory also where failmalloc.h leaves none to what is tested. */
static void *grown(void *old, size_t len) {
  void *bytes = reallocarray(old, len, 1);
  assert_non_null(bytes);
  return bytes;
}

/* New bytes are 0. */
static void set_length(disk_bytes *bytes, size_t len) {
  if (len > bytes->cap) {
    bytes->cap = len * 2;
    bytes->bytes = grown(bytes->bytes, bytes->cap);
  }
  if (len > bytes->len) memset(bytes->bytes + bytes->len, 0, len - bytes->len);
  bytes->len = len;
}

static void put(disk_bytes *bytes, size_t at, const void *from, size_t len) {
  if (at + len > bytes->len) set_length(bytes, at + len);
  if (len > 0) memcpy(bytes->bytes + at, from, len);
}

static void copy(disk_bytes *to, const disk_bytes *from) {
  set_length(to, 0);
  put(to, 0, from->bytes, from->len);
}

static void forget(disk_file *file) {
  for (size_t i = 0; i < file->n_changes; i++) free(file->changes[i].bytes);
  file->n_changes = 0;
}

static void remember(disk_file *file, size_t at, const void *bytes, size_t len) {
  if (file->n_changes == file->cap_changes) {
    file->cap_changes = file->cap_changes * 2 + 16;
    file->changes = grown(file->changes, file->cap_changes * sizeof(*file->changes));
  }
  disk_change *change = &file->changes[file->n_changes++];
  *change = (disk_change){.at = at, .len = len};
  if (bytes == NULL) return;
  change->bytes = grown(NULL, len + 1);
  memcpy(change->bytes, bytes, len);
}

void disk_open(void) {
  disk.n_files = 0;
  disk_fail(0, 0, false);
  disk_vfs_register();
}

void disk_close(void) {
  for (size_t i = 0; i < disk.n_files; i++) {
    disk_file *file = &disk.files[i];
    forget(file);
    free(file->changes);
    free(file->now.bytes);
    free(file->safe.bytes);
    free(file->name);
    *file = (disk_file){0};
  }
  disk.n_files = 0;
  disk_vfs_unregister();
}

disk_file *disk_find(const char *name, bool make) {
  for (size_t i = 0; i < disk.n_files; i++) {
    disk_file *file = &disk.files[i];
    if (strcmp(file->name, name) != 0) continue;
    if (!file->there && make) {
      set_length(&file->now, 0);
      forget(file);
      remember(file, 0, NULL, 0);
      file->there = true;
    }
    return file->there ? file : NULL;
  }
  if (!make) return NULL;
  assert_true(disk.n_files < MAX_FILES);
  disk_file *file = &disk.files[disk.n_files++];
  *file = (disk_file){.name = grown(NULL, strlen(name) + 1), .there = true};
  memcpy(file->name, name, strlen(name) + 1);
  return file;
}

void disk_put(const char *name, const uint8_t *bytes, size_t len) {
  disk_file *file = disk_find(name, true);
  forget(file);
  set_length(&file->now, 0);
  put(&file->now, 0, bytes, len);
  disk_sync(file);
}

static void arm(unsigned nth, int rc, bool lasting, bool stops) {
  disk.changes = 0;
  disk.failing = nth;
  disk.rc = rc;
  disk.lasting = lasting;
  disk.stops = stops;
  disk.failed = false;
}

void disk_fail(unsigned nth, int rc, bool lasting) {
  arm(nth, rc, lasting, false);
}

void disk_stop(unsigned nth) {
  arm(nth, SQLITE_IOERR, true, true);
}

unsigned disk_changes(void) {
  return disk.changes;
}

bool disk_has_failed(void) {
  return disk.failed;
}

int disk_try(bool *half) {
  disk.changes++;
  bool fails = disk.failing > 0 &&
               (disk.changes == disk.failing || (disk.lasting && disk.changes > disk.failing));
  *half = fails && !disk.stops;
  disk.failed |= fails;
  return fails ? disk.rc : SQLITE_OK;
}

void disk_write(disk_file *file, const void *bytes, size_t len, size_t at) {
  put(&file->now, at, bytes, len);
  remember(file, at, bytes, len);
}

void disk_truncate(disk_file *file, size_t len) {
  set_length(&file->now, len);
  remember(file, len, NULL, 0);
}

/* Names that were made or taken away before are safe with it: all files are in one folder. */
void disk_sync(disk_file *file) {
  copy(&file->safe, &file->now);
  forget(file);
  for (size_t i = 0; i < disk.n_files; i++) disk.files[i].safe_there = disk.files[i].there;
}

void disk_remove(disk_file *file, bool safe) {
  file->there = false;
  if (safe) file->safe_there = false;
}

static void apply(disk_bytes *to, const disk_change *change, disk_loss loss, uint64_t *seed) {
  if (change->bytes == NULL) {
    if (loss == DISK_LOSES_NONE || random_below(seed, 2)) set_length(to, change->at);
    return;
  }
  for (size_t done = 0, n; done < change->len; done += n) {
    size_t at = change->at + done;
    n = SECTOR - at % SECTOR;
    if (n > change->len - done) n = change->len - done;
    if (loss == DISK_LOSES_SOME && random_below(seed, 2)) continue;
    put(to, at, change->bytes + done, n);
  }
}

void disk_cut(disk_loss loss, uint64_t seed) {
  for (size_t i = 0; i < disk.n_files; i++) {
    disk_file *file = &disk.files[i];
    bool differs = file->there != file->safe_there;
    if (loss == DISK_LOSES_ALL || (loss == DISK_LOSES_SOME && differs && random_below(&seed, 2))) {
      file->there = file->safe_there;
    }
    for (size_t k = 0; k < file->n_changes && loss != DISK_LOSES_ALL; k++) {
      apply(&file->safe, &file->changes[k], loss, &seed);
    }
    forget(file);
    copy(&file->now, &file->safe);
    file->safe_there = file->there;
  }
  disk_fail(0, 0, false);
}
