/* SPDX-License-Identifier: Apache-2.0 */
/* The log beside the main file: when its pages are moved there, and what all of it writes to the disk.
 * A page that changes often is in the log often and is moved once; so a long log is moved seldom. */
#include <errno.h>
#include <stdlib.h>

#include "base/bytes.h"
#include "base/err.h"
#include "store/store_sql.h"

#define BLOCK 4096    /* bytes that a file system writes at least */
#define LOG_HEADER 32 /* of the log: https://www.sqlite.org/fileformat2.html#the_write_ahead_log */
#define FRAME_HEADER 24 /* of a page in it; begins with the page's number */
#define FRAME (FRAME_HEADER + BB_STORE_PAGE)
#define COUNTED 4096 /* pages that are told apart */

static uint64_t place_of(uint32_t page) {
  return page > 0 ? LOG_HEADER + (uint64_t)page * FRAME : 0;
}

/* A commit wrote the pages behind those that were there, or from the start again. Blocks that it
 * shares with the one before are written again. */
static int on_commit(void *user, sqlite3 *db, const char *name, int pages) {
  bb_store *store = user;
  (void)db;
  (void)name;
  if ((uint32_t)pages <= store->log_pages) store->log_pages = store->moved_pages = 0;
  uint64_t from = place_of(store->log_pages) / BLOCK;
  uint64_t to = (place_of((uint32_t)pages) + BLOCK - 1) / BLOCK;
  store->written_bytes += (to - from) * BLOCK;
  store->log_pages = (uint32_t)pages;
  return SQLITE_OK;
}

void bb_store_wal_watch(bb_store *store) {
  sqlite3_wal_hook(store->db, on_commit, store);
}

static int by_number(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

/* How many different pages lie in the log and are not yet moved. */
static uint32_t count_pages(bb_store *store) {
  uint32_t numbers[COUNTED], n = 0, different = 0;
  sqlite3_file *log = bb_store_file(store, SQLITE_FCNTL_JOURNAL_POINTER);
  if (log == NULL) return 0;
  for (uint32_t page = store->moved_pages; page < store->log_pages && n < COUNTED; page++) {
    uint8_t number[4];
    int64_t place = (int64_t)(LOG_HEADER + (uint64_t)page * FRAME);
    if (log->pMethods->xRead(log, number, sizeof(number), place) != SQLITE_OK) break;
    numbers[n++] = bb_get_be32(number);
  }
  qsort(numbers, n, sizeof(*numbers), by_number);
  for (uint32_t i = 0; i < n; i++) different += i == 0 || numbers[i] != numbers[i - 1];
  return different;
}

/* What is committed is safe without it; so a failure is not the commit's, and the next one tries
 * again. */
static int move(bb_store *store) {
  uint32_t pages = count_pages(store);
  int in_log = 0, moved = 0;
  errno = 0;
  int rc = sqlite3_wal_checkpoint_v2(store->db, NULL, SQLITE_CHECKPOINT_PASSIVE, &in_log, &moved);
  if (rc == SQLITE_OK && moved < in_log) rc = SQLITE_BUSY;
  if (rc != SQLITE_OK) return rc;
  store->moved_pages = store->log_pages;
  store->written_bytes += (uint64_t)pages * BB_STORE_PAGE;
  return rc;
}

void bb_store_wal_move(bb_store *store) {
  if (store->holds == NULL) move(store);
}

void bb_store_wal_commit(bb_store *store) {
  if (store->log_pages - store->moved_pages >= store->max_log_pages) bb_store_wal_move(store);
}

/* One at a time: a second would see what was committed before the first. */
int bb_store_hold_still(bb_store *store, bb_store_hold *hold) {
  if (store->writing || store->read_only || store->holds != NULL) {
    return bb_store_refuse(store, BB_ERR_STATE, "it cannot be held now; ask again later");
  }
  int rc = move(store);
  if (rc != SQLITE_OK) return bb_sql_fail(store, rc);
  *hold = (bb_store_hold){.next = store->holds};
  store->holds = hold;
  return 0;
}

int bb_store_release(bb_store *store, bb_store_hold *hold) {
  bb_store_hold **at = &store->holds;
  if (hold->lost) {
    return bb_store_refuse(store, BB_ERR_STATE, "it was closed while it was looked at; ask again");
  }
  while (*at != hold) at = &(*at)->next;
  *at = hold->next;
  bb_store_wal_commit(store);
  return 0;
}
