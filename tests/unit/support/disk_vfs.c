/* SPDX-License-Identifier: Apache-2.0 */
/* The disk of disk.h, as SQLite wants it: without shared memory, and without locks, because there is
 * one process. */
#include <stdio.h>
#include <string.h>

#include <sqlite3.h>

#include "support/disk.h"
#include "support/disk_file.h"

typedef struct {
  sqlite3_file base;
  disk_file *file;
  bool temporary; /* taken away when it is closed */
} open_file;

static disk_file *of(sqlite3_file *file) {
  return ((open_file *)file)->file;
}

static int close_file(sqlite3_file *file) {
  if (((open_file *)file)->temporary) disk_remove(of(file), false);
  return SQLITE_OK;
}

static int read_file(sqlite3_file *file, void *out, int n, sqlite3_int64 at) {
  const disk_bytes *bytes = &of(file)->now;
  size_t there = (size_t)at < bytes->len ? bytes->len - (size_t)at : 0;
  if (there > (size_t)n) there = (size_t)n;
  if (there > 0) memcpy(out, bytes->bytes + at, there);
  memset((char *)out + there, 0, (size_t)n - there);
  return there == (size_t)n ? SQLITE_OK : SQLITE_IOERR_SHORT_READ;
}

static int write_file(sqlite3_file *file, const void *bytes, int n, sqlite3_int64 at) {
  bool half;
  int rc = disk_try(&half);
  if (rc == SQLITE_OK || half) {
    disk_write(of(file), bytes, (size_t)(half ? n / 2 : n), (size_t)at);
  }
  return rc == SQLITE_IOERR_FSYNC ? SQLITE_IOERR_WRITE : rc;
}

static int truncate_file(sqlite3_file *file, sqlite3_int64 len) {
  bool half;
  int rc = disk_try(&half);
  if (rc == SQLITE_OK) disk_truncate(of(file), (size_t)len);
  return rc == SQLITE_OK ? rc : SQLITE_IOERR_TRUNCATE;
}

static int sync_file(sqlite3_file *file, int flags) {
  bool half;
  (void)flags;
  int rc = disk_try(&half);
  if (rc == SQLITE_OK) disk_sync(of(file));
  return rc == SQLITE_OK ? rc : SQLITE_IOERR_FSYNC;
}

static int file_size(sqlite3_file *file, sqlite3_int64 *out) {
  *out = (sqlite3_int64)of(file)->now.len;
  return SQLITE_OK;
}

static int lock(sqlite3_file *file, int level) {
  (void)file;
  (void)level;
  return SQLITE_OK;
}

static int is_reserved(sqlite3_file *file, int *out) {
  (void)file;
  *out = 0;
  return SQLITE_OK;
}

static int control(sqlite3_file *file, int op, void *arg) {
  (void)file;
  (void)op;
  (void)arg;
  return SQLITE_NOTFOUND;
}

static int sector_size(sqlite3_file *file) {
  (void)file;
  return 4096;
}

static int characteristics(sqlite3_file *file) {
  (void)file;
  return SQLITE_IOCAP_POWERSAFE_OVERWRITE;
}

static const sqlite3_io_methods methods = {
    .iVersion = 1,
    .xClose = close_file,
    .xRead = read_file,
    .xWrite = write_file,
    .xTruncate = truncate_file,
    .xSync = sync_file,
    .xFileSize = file_size,
    .xLock = lock,
    .xUnlock = lock,
    .xCheckReservedLock = is_reserved,
    .xFileControl = control,
    .xSectorSize = sector_size,
    .xDeviceCharacteristics = characteristics,
};

static int open_name(sqlite3_vfs *vfs, const char *name, sqlite3_file *out, int flags,
                     int *out_flags) {
  open_file *file = (open_file *)out;
  (void)vfs;
  *file = (open_file){.temporary = (flags & SQLITE_OPEN_DELETEONCLOSE) != 0};
  file->file = disk_find(name != NULL ? name : "temporary", (flags & SQLITE_OPEN_CREATE) != 0);
  if (file->file == NULL) return SQLITE_CANTOPEN;
  file->base.pMethods = &methods;
  if (out_flags != NULL) *out_flags = flags;
  return SQLITE_OK;
}

static int delete_name(sqlite3_vfs *vfs, const char *name, int sync) {
  bool half;
  (void)vfs;
  disk_file *file = disk_find(name, false);
  if (file == NULL) return SQLITE_IOERR_DELETE_NOENT;
  int rc = disk_try(&half);
  if (rc == SQLITE_OK) disk_remove(file, sync != 0);
  return rc == SQLITE_OK ? rc : SQLITE_IOERR_DELETE;
}

static int access_name(sqlite3_vfs *vfs, const char *name, int flags, int *out) {
  (void)vfs;
  (void)flags;
  const disk_file *file = disk_find(name, false);
  *out = file != NULL && (flags != SQLITE_ACCESS_EXISTS || file->now.len > 0);
  return SQLITE_OK;
}

static int full_name(sqlite3_vfs *vfs, const char *name, int cap, char *out) {
  (void)vfs;
  snprintf(out, (size_t)cap, "%s", name);
  return SQLITE_OK;
}

static int randomness(sqlite3_vfs *vfs, int n, char *out) {
  (void)vfs;
  memset(out, 7, (size_t)n);
  return n;
}

static int sleep_us(sqlite3_vfs *vfs, int us) {
  (void)vfs;
  return us;
}

static int current_time(sqlite3_vfs *vfs, double *out) {
  (void)vfs;
  *out = 2461247.0;
  return SQLITE_OK;
}

static int last_error(sqlite3_vfs *vfs, int n, char *out) {
  (void)vfs;
  (void)n;
  (void)out;
  return 0;
}

static sqlite3_vfs vfs = {
    .iVersion = 1,
    .szOsFile = sizeof(open_file),
    .mxPathname = 512,
    .zName = DISK_VFS,
    .xOpen = open_name,
    .xDelete = delete_name,
    .xAccess = access_name,
    .xFullPathname = full_name,
    .xRandomness = randomness,
    .xSleep = sleep_us,
    .xCurrentTime = current_time,
    .xGetLastError = last_error,
};

void disk_vfs_register(void) {
  sqlite3_vfs_register(&vfs, 0);
}

void disk_vfs_unregister(void) {
  sqlite3_vfs_unregister(&vfs);
}
