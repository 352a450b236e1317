/* SPDX-License-Identifier: Apache-2.0 */
/* Files of a disk as lists of changes, for disk.c and disk_vfs.c. */
#ifndef BB_TEST_DISK_FILE_H
#define BB_TEST_DISK_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A write of `len` bytes at `at`, or, without bytes, a new length of `at`. */
typedef struct disk_change {
  size_t at, len;
  uint8_t *bytes;
} disk_change;

typedef struct disk_bytes {
  uint8_t *bytes;
  size_t len, cap;
} disk_bytes;

typedef struct disk_file {
  char *name;
  bool there;           /* its name is in the folder */
  bool safe_there;      /* also after a cut */
  disk_bytes now;       /* as it is read */
  disk_bytes safe;      /* as it was synced */
  disk_change *changes; /* since then */
  size_t n_changes, cap_changes;
} disk_file;

/* NULL: there is none of that name and `make` is false. */
disk_file *disk_find(const char *name, bool make);

/* Whether the next change takes place: 0, or SQLite's code. `*half`: half of it does. */
int disk_try(bool *half);

void disk_write(disk_file *file, const void *bytes, size_t len, size_t at);
void disk_truncate(disk_file *file, size_t len);
void disk_sync(disk_file *file);

/* `safe`: the folder is synced, too. */
void disk_remove(disk_file *file, bool safe);

void disk_vfs_register(void);
void disk_vfs_unregister(void);

#endif
