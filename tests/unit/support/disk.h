/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A disk in memory below SQLite (a VFS), that fails when it is told to and whose power can be cut.
 * What is written lies in the file at once, and is safe when it was synced. A cut loses, of all that
 * was not, everything, or each 512 bytes by chance.
 *
 * There is one disk a process; files are known by the names that the store gives.
 */
#ifndef BB_TEST_DISK_H
#define BB_TEST_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define DISK_VFS "bb-disk"

typedef enum disk_loss {
  DISK_LOSES_ALL,  /* that was not synced */
  DISK_LOSES_SOME, /* by chance */
  DISK_LOSES_NONE, /* as when only the process dies */
} disk_loss;

/* An empty disk that works. */
void disk_open(void);
void disk_close(void);

/* Puts a file there, safe, in place of one of that name. */
void disk_put(const char *name, const uint8_t *bytes, size_t len);

/* The nth change from here on (write, sync, truncate, delete; 1: the next) fails with SQLite's code
 * `rc`; half of a write takes place. `lasting`: so do all that follow, until this is called again.
 * 0: none fails. */
void disk_fail(unsigned nth, int rc, bool lasting);

/* The nth change from here on does not take place, and nothing else either, until disk_cut. */
void disk_stop(unsigned nth);

/* Changes since disk_fail or disk_stop. */
unsigned disk_changes(void);

/* Whether the disk has failed or stopped since then. */
bool disk_has_failed(void);

/* What is there when the power is back. The same seed loses the same. */
void disk_cut(disk_loss loss, uint64_t seed);

#endif
