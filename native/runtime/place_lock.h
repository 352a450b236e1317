/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kernel's lock on a directory: on the directory itself and on its file `lock`. Either may be
 * missing (a network file system locks no directory, a read-only one has no file), so both are
 * taken. For place*.c, and for who opens the store of a runtime that does not run: to change it, or
 * to read, which several may at a time and which leaves no trace.
 *
 * The file holds "<pid> <start> <time>\n" of the last that took it to change
 * something, only to name it: start is field 22 of
 * /proc/<pid>/stat, which tells a process from a later one of the same pid.
 */
#ifndef BB_RUNTIME_PLACE_LOCK_H
#define BB_RUNTIME_PLACE_LOCK_H

#include <stddef.h>

typedef struct bb_place_lock {
  int dir, file; /* descriptors that hold the lock; -1: not held */
  int error;     /* why the file cannot be written, negated errno; 0: it can */
} bb_place_lock;

/* 0 (see `error`, and whether one of the two is held), or BB_ERR_BUSY with nothing held. */
int bb_place_lock_take(bb_place_lock *lock, const char *dir);

/* The same to read only: shared with others that read; makes and writes nothing. */
int bb_place_lock_read(bb_place_lock *lock, const char *dir);

void bb_place_lock_give_back(bb_place_lock *lock);

/* Takes the lock's file as well, where it could not be made before and the directory is held. */
void bb_place_lock_file(bb_place_lock *lock);

/* Takes the file of a lock that is held away. `dir`: the descriptor that holds it. */
void bb_place_lock_remove(int dir);

/* Of a lock that somebody has: "process 4711 (busbar run site.yaml), since 2026-01-31T08:15:00Z", or
 * that it is only read. 0, or BB_ERR_NOTFOUND when the file names nobody. */
int bb_place_lock_holder(const char *dir, char *out, size_t cap);

/* Now, as "2026-01-31T08:15:00Z". Returns `out`. */
const char *bb_place_now(char out[32]);

#endif
