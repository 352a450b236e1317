/* SPDX-License-Identifier: Apache-2.0 */
/* The file of a store: who may open it, its size, copies of it. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <sqlite3.h>

#include "base/err.h"
#include "support/expect.h"
#include "support/failure.h"
#include "support/store.h"

/* The result of opening, and why it failed; closes it at once. */
static int try(const char *path, bool read_only, char why[BB_STORE_WHY]) {
  bb_store *store;
  bb_store_options options = {.path = path, .read_only = read_only};
  *why = 0;
  int err = bb_store_open(&options, &store, why);
  expect_true("NULL on failure", (err < 0) == (store == NULL));
  bb_store_close(store);
  return err;
}

static void write_file(const char *path, const void *bytes, size_t len) {
  FILE *file = fopen(path, "wb");
  assert_non_null(file);
  expect_uint(path, fwrite(bytes, 1, len, file), len);
  fclose(file);
}

static uint8_t *read_file(const char *path, size_t *len) {
  FILE *file = fopen(path, "rb");
  if (file == NULL) return NULL;
  uint8_t *bytes = malloc(16u << 20);
  *len = fread(bytes, 1, 16u << 20, file);
  fclose(file);
  return bytes;
}

static void run_sql(const char *path, const char *sql) {
  sqlite3 *db;
  expect_int(path, sqlite3_open(path, &db), SQLITE_OK);
  expect_int(sql, sqlite3_exec(db, sql, NULL, NULL, NULL), SQLITE_OK);
  sqlite3_close(db);
}

static unsigned mode_of(const char *path) {
  struct stat info;
  expect_int(path, stat(path, &info), 0);
  return info.st_mode & 0777;
}

static void test_store_file_is_for_its_owner_only(void **state) {
  store_rig *rig = *state;
  store_put_sample(rig);
  expect_uint("file", mode_of(rig->path), 0600);
  expect_uint("log", mode_of(folder_path(&rig->folder, "store.db-wal")), 0600);
  const char *copy = folder_path(&rig->folder, "copy.db");
  expect_int("copy", bb_store_copy(rig->store, copy), 0);
  expect_uint("copy", mode_of(copy), 0600);
  expect_int("no index beside it", access(folder_path(&rig->folder, "store.db-shm"), F_OK), -1);
}

static void test_store_file_is_as_it_should_be(void **state) {
  store_rig *rig = *state;
  static const struct {
    const char *pragma;
    int expected;
  } rows[] = {{"PRAGMA page_size", 4096},
              {"PRAGMA auto_vacuum", 2},
              {"PRAGMA application_id", 0x62627573},
              {"PRAGMA user_version", BB_STORE_VERSION}};
  bb_store_close(rig->store);
  rig->store = NULL;
  sqlite3 *db;
  expect_int("open", sqlite3_open(rig->path, &db), SQLITE_OK);
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    sqlite3_stmt *s;
    sqlite3_prepare_v2(db, rows[i].pragma, -1, &s, NULL);
    expect_int(rows[i].pragma, sqlite3_step(s), SQLITE_ROW);
    expect_int(rows[i].pragma, sqlite3_column_int(s, 0), rows[i].expected);
    sqlite3_finalize(s);
  }
  sqlite3_close(db);
}

static void test_store_is_open_once(void **state) {
  store_rig *rig = *state;
  char why[BB_STORE_WHY];
  expect_int("same process", try(rig->path, false, why), BB_ERR_BUSY);
  expect_int("to look", try(rig->path, true, why), BB_ERR_BUSY);
  pid_t child = failure_fork();
  if (child == 0) {
    bb_store *other;
    bb_store_options options = {.path = rig->path};
    _exit(bb_store_open(&options, &other, why) == BB_ERR_BUSY &&
                  strstr(why, "store.db: another process has it open") != NULL
              ? 0
              : 1);
  }
  int status = 0;
  waitpid(child, &status, 0);
  expect_int("other process", status, 0);
  store_put_sample(rig);
}

static void test_store_refuses_what_is_none(void **state) {
  store_rig *rig = *state;
  char why[BB_STORE_WHY], garbage[8192];
  const char *other = folder_path(&rig->folder, "other.db");
  memset(garbage, 'x', sizeof(garbage));
  write_file(other, garbage, sizeof(garbage));
  expect_int("garbage", try(other, false, why), BB_ERR_FORMAT);
  expect_part("garbage", why, "other.db: the file is no store, or damaged");
  write_file(other, garbage, 5);
  expect_int("a little garbage", try(other, false, why), BB_ERR_FORMAT);
  unlink(other);
  run_sql(other, "CREATE TABLE t (a); PRAGMA user_version = 1");
  expect_int("of another program", try(other, false, why), BB_ERR_FORMAT);
  expect_part("of another program", why, "no store of Busbar");
  expect_int("of another program", try(other, true, why), BB_ERR_FORMAT);
  unlink(other);
  run_sql(other, "PRAGMA application_id = 1650619763; PRAGMA user_version = 1; CREATE TABLE t (a)");
  expect_int("without its tables", try(other, false, why), BB_ERR_FORMAT);
  expect_part("without its tables", why, "other tables than a store");
}

static void test_store_refuses_a_later_version(void **state) {
  store_rig *rig = *state;
  char why[BB_STORE_WHY];
  store_put_sample(rig);
  bb_store_close(rig->store);
  rig->store = NULL;
  run_sql(rig->path, "PRAGMA user_version = 2");
  for (int read_only = 0; read_only < 2; read_only++) {
    expect_int("later", try(rig->path, read_only, why), BB_ERR_VERSION);
    expect_part("later", why, "later version of Busbar (2, this one knows 1); install");
  }
  run_sql(rig->path, "PRAGMA user_version = 1");
  expect_int("as before", try(rig->path, false, why), 0);
}

static void test_store_says_why_it_cannot_be_opened(void **state) {
  store_rig *rig = *state;
  char why[BB_STORE_WHY];
  expect_int("no folder", try(folder_path(&rig->folder, "none/x.db"), false, why), BB_ERR_NOTFOUND);
  expect_part("no folder", why, "none/x.db: it cannot be made: No such file or directory");
  expect_int("no file", try(folder_path(&rig->folder, "none.db"), true, why), BB_ERR_NOTFOUND);
  expect_part("no file", why, "none.db: ");
  expect_int("a folder", try(rig->folder.path, false, why) < 0, 1);
  if (geteuid() == 0) return;
  const char *locked = folder_path(&rig->folder, "locked");
  expect_int("mkdir", mkdir(locked, 0500), 0);
  expect_int("may not", try(folder_path(&rig->folder, "locked/x.db"), false, why), BB_ERR_DENIED);
  bb_store_close(rig->store);
  rig->store = NULL;
  chmod(rig->path, 0400);
  expect_int("may not write", try(rig->path, false, why), BB_ERR_DENIED);
  expect_part("may not write", why, "may not be written");
  expect_int("may look", try(rig->path, true, why), 0);
}

/* Leaves the file and its log as a process that is killed does: copies of both. */
static void leave(store_rig *rig, const char *as, bool with_log) {
  size_t len;
  uint8_t *bytes = read_file(rig->path, &len);
  write_file(as, bytes, len);
  free(bytes);
  char name[600];
  snprintf(name, sizeof(name), "%s-wal", rig->path);
  bytes = read_file(name, &len);
  snprintf(name, sizeof(name), "%s-wal", as);
  if (with_log) write_file(name, bytes, len);
  free(bytes);
}

static void test_store_recovers_the_log(void **state) {
  store_rig *rig = *state;
  store_put_sample(rig);
  char *streams = strdup(store_show_streams(rig));
  char left[512];
  snprintf(left, sizeof(left), "%s", folder_path(&rig->folder, "left.db"));
  leave(rig, left, true);
  bb_store_close(rig->store);
  snprintf(rig->path, sizeof(rig->path), "%s", left);
  bb_store_options options = {.path = rig->path};
  char why[BB_STORE_WHY];
  expect_int("open", bb_store_open(&options, &rig->store, why), 0);
  expect_text("streams", store_show_streams(rig), streams);
  expect_text("mistakes", store_show_mistakes(rig), "");
  free(streams);
}

static void test_store_is_looked_at_without_a_change(void **state) {
  store_rig *rig = *state;
  for (int with_log = 0; with_log < 2; with_log++) {
    store_put_sample(rig);
    char *streams = strdup(store_show_streams(rig));
    char left[512], log[600], why[BB_STORE_WHY];
    snprintf(left, sizeof(left), "%s",
             folder_path(&rig->folder, with_log ? "a b%?#.db" : "/c%41 &?#=ä.db"));
    snprintf(log, sizeof(log), "%s-wal", left);
    if (!with_log) store_reopen(rig);
    leave(rig, left, with_log);
    size_t len, len_after, log_len = 0, log_len_after = 0;
    uint8_t *before = read_file(left, &len), *log_before = read_file(log, &log_len);
    bb_store *own = rig->store;
    bb_store_options options = {.path = left, .read_only = true};
    expect_int("open", bb_store_open(&options, &rig->store, why), 0);
    expect_text("streams", store_show_streams(rig), streams);
    expect_text("mistakes", store_show_mistakes(rig), "");
    expect_true("cannot be written", bb_store_begin(rig->store) < 0);
    bb_store_close(rig->store);
    rig->store = own;
    uint8_t *after = read_file(left, &len_after), *log_after = read_file(log, &log_len_after);
    expect_bytes("file", after, len_after, before, len);
    expect_bytes("log", log_after, log_len_after, log_before, log_len);
    free(before);
    free(after);
    free(log_before);
    free(log_after);
    free(streams);
  }
}

static void test_store_counts_what_it_has(void **state) {
  store_rig *rig = *state;
  bb_store_stats stats;
  bb_store_gone gone = {0};
  expect_int("stats", bb_store_read_stats(rig->store, &stats), 0);
  expect_uint("packs", stats.packs + stats.records + stats.bytes + stats.dead + stats.dead_bytes,
              0);
  store_begin(rig);
  store_make_stream(rig, "a", BB_STORE_TELEMETRY);
  store_make_stream(rig, "b", BB_STORE_EVENTS);
  for (uint64_t i = 0; i < 100; i++) store_append(rig, 1 + i % 2, i * 3, 3, i, 50000);
  store_commit(rig);
  expect_int("stats", bb_store_read_stats(rig->store, &stats), 0);
  expect_uint("packs", stats.packs, 100);
  expect_uint("records", stats.records, 300);
  expect_uint("bytes", stats.bytes, 5000000);
  expect_true("file", stats.file_bytes > 5000000 && stats.file_bytes < 12000000);
  expect_true("written", stats.written_bytes > 5000000 && stats.written_bytes < 12000000);
  expect_uint("free", stats.free_bytes, 0);
  store_begin(rig);
  expect_int("trim", bb_store_trim(rig->store, 1, 0, 1000, &gone), 0);
  store_commit(rig);
  expect_int("stats", bb_store_read_stats(rig->store, &stats), 0);
  expect_uint("packs", stats.packs, 50);
  expect_true("free", stats.free_bytes > 2400000 && stats.free_bytes < 2700000);
}

static void test_store_gives_room_back(void **state) {
  store_rig *rig = *state;
  bb_store_gone gone = {0};
  bb_store_stats before, after;
  store_begin(rig);
  store_make_stream(rig, "a", BB_STORE_TELEMETRY);
  for (uint64_t i = 0; i < 100; i++) store_append(rig, 1, i, 1, i, 50000);
  store_commit(rig);
  store_begin(rig);
  expect_int("trim", bb_store_trim(rig->store, 1, 10, 80, &gone), 0);
  expect_int("not inside", bb_store_shrink(rig->store, 1u << 20), BB_ERR_STATE);
  store_commit(rig);
  store_reopen(rig);
  bb_store_read_stats(rig->store, &before);
  int steps = 1;
  while (bb_store_shrink(rig->store, 1u << 20) == 1) steps++;
  expect_int("steps", steps, 4);
  store_reopen(rig);
  bb_store_read_stats(rig->store, &after);
  expect_true("less", before.file_bytes - after.file_bytes > 3400000);
  expect_uint("free", after.free_bytes, 0);
  expect_int("nothing to give", bb_store_shrink(rig->store, 1u << 20), 0);
  bb_buf_clear(&rig->shown);
  const char *packs = store_show_packs(rig, 1, 0, SIZE_MAX);
  expect_part("first", packs, "0+1 1+1 2+1");
  expect_part("rest", packs, "9+1 80+1 81+1");
}

static void test_store_is_copied(void **state) {
  store_rig *rig = *state;
  char copy[512], why[BB_STORE_WHY];
  store_put_sample(rig);
  char *streams = strdup(store_show_streams(rig));
  snprintf(copy, sizeof(copy), "%s", folder_path(&rig->folder, "copy.db"));
  expect_int("copy", bb_store_copy(rig->store, copy), 0);
  expect_int("not over a file", bb_store_copy(rig->store, copy), BB_ERR_EXISTS);
  expect_part("why", bb_store_why(rig->store), "copy.db: File exists; name a new file");
  expect_int("nowhere", bb_store_copy(rig->store, folder_path(&rig->folder, "no/copy.db")),
             BB_ERR_NOTFOUND);
  store_begin(rig);
  expect_int("not inside", bb_store_copy(rig->store, folder_path(&rig->folder, "c2.db")),
             BB_ERR_STATE);
  bb_store_rollback(rig->store);
  store_put_sample(rig);
  bb_store_close(rig->store);
  bb_store_options options = {.path = copy, .read_only = true};
  for (int i = 0; i < 2; i++) {
    options.read_only = i == 0;
    expect_int("open the copy", bb_store_open(&options, &rig->store, why), 0);
    expect_text("streams", store_show_streams(rig), streams);
    expect_text("mistakes", store_show_mistakes(rig), "");
    if (i == 0) bb_store_close(rig->store);
  }
  free(streams);
}

/* Far more than the log may hold, so that it would be moved. */
static void commit_much(store_rig *rig, uint64_t from) {
  for (uint64_t i = from; i < from + 10; i++) {
    store_begin(rig);
    for (uint64_t k = 0; k < 40; k++) store_append(rig, 1, i * 40 + k, 1, i, 50000);
    store_commit(rig);
  }
}

static void test_store_that_is_held_can_be_read_beside(void **state) {
  store_rig *rig = *state;
  char why[BB_STORE_WHY];
  bb_store_hold hold, second;
  bb_store_options options = {.path = rig->path, .still = true};
  store_begin(rig);
  store_make_stream(rig, "a", BB_STORE_TELEMETRY);
  store_append(rig, 1, 0, 1, 0, 50000);
  store_commit(rig);
  expect_int("hold", bb_store_hold_still(rig->store, &hold), 0);
  expect_int("once", bb_store_hold_still(rig->store, &second), BB_ERR_STATE);
  char *then = strdup(store_show_packs(rig, 1, 0, SIZE_MAX));
  bb_store *own = rig->store, *still;
  expect_int("open", bb_store_open(&options, &still, why), 0);
  commit_much(rig, 1);
  rig->store = still;
  expect_text("as it was", store_show_packs(rig, 1, 0, SIZE_MAX), then);
  expect_true("cannot be written", bb_store_begin(still) < 0);
  rig->store = own;
  bb_store_close(still);
  expect_int("release", bb_store_release(rig->store, &hold), 0);
  bb_store_stats before, after;
  expect_int("stats", bb_store_read_stats(rig->store, &before), 0);
  commit_much(rig, 11);
  expect_int("stats", bb_store_read_stats(rig->store, &after), 0);
  expect_true("the log is used again", after.file_bytes < before.file_bytes + 25000000);
  store_reopen(rig);
  expect_int("stats", bb_store_read_stats(rig->store, &after), 0);
  expect_uint("nothing is lost", after.packs, 801);
  free(then);
}

static void test_store_that_was_closed_is_held_no_more(void **state) {
  store_rig *rig = *state;
  bb_store_hold hold;
  expect_int("hold", bb_store_hold_still(rig->store, &hold), 0);
  store_reopen(rig);
  expect_int("release", bb_store_release(rig->store, &hold), BB_ERR_STATE);
  expect_int("again", bb_store_hold_still(rig->store, &hold), 0);
  expect_int("release", bb_store_release(rig->store, &hold), 0);
}

static void test_store_is_set_aside(void **state) {
  store_rig *rig = *state;
  char moved[600], again[600], log[700], shorter[40];
  store_put_sample(rig);
  char *streams = strdup(store_show_streams(rig));
  char left[512];
  snprintf(left, sizeof(left), "%s", folder_path(&rig->folder, "left.db"));
  leave(rig, left, true);
  int64_t now = 1784966400ll * 1000000000;
  expect_int("short", bb_store_set_aside(left, now, shorter, sizeof(shorter)), BB_ERR_LIMIT);
  expect_int("aside", bb_store_set_aside(left, now, moved, sizeof(moved)), 0);
  expect_part("name", moved, "/left.db.damaged-20260725T080000Z");
  snprintf(log, sizeof(log), "%s-wal", moved);
  expect_int("file", access(moved, R_OK), 0);
  expect_int("log", access(log, R_OK), 0);
  expect_int("file is gone", access(left, F_OK), -1);
  expect_int("nothing there", bb_store_set_aside(left, now, again, sizeof(again)), BB_ERR_NOTFOUND);
  leave(rig, left, false);
  expect_int("again", bb_store_set_aside(left, now, again, sizeof(again)), 0);
  expect_part("name", again, "Z-2");
  bb_store_close(rig->store);
  char why[BB_STORE_WHY];
  bb_store_options options = {.path = moved};
  expect_int("open", bb_store_open(&options, &rig->store, why), 0);
  expect_text("streams", store_show_streams(rig), streams);
  free(streams);
}

/* Commits packs until that fails; the same store goes on when there is room again. */
static void fill_up(store_rig *rig, void (*make_room)(void *user), void *user) {
  uint64_t next = 0;
  int err = 0;
  store_begin(rig);
  store_make_stream(rig, "a", BB_STORE_TELEMETRY);
  store_commit(rig);
  for (; err == 0 && next < 1000; next += err == 0) {
    uint8_t *body = store_body(1, next, 50000);
    bb_store_pack pack = {.stream = 1, .first = next, .n = 1, .body = body, .len = 50000};
    store_begin(rig);
    err = bb_store_append(rig->store, &pack);
    if (err == 0) err = bb_store_commit(rig->store);
    if (err < 0) bb_store_rollback(rig->store);
    free(body);
  }
  if (err != BB_ERR_LIMIT) fail_msg("full: %d, %s", err, bb_store_why(rig->store));
  expect_part("full", bb_store_why(rig->store), "free space there");
  expect_true("some were stored", next > 5);
  make_room(user);
  store_begin(rig);
  store_append(rig, 1, next, 1, 0, 50000);
  store_commit(rig);
  char expected[128];
  snprintf(expected, sizeof(expected), "1 a telemetry 0..%llu %llu records %llu bytes\n",
           (unsigned long long)next + 1, (unsigned long long)next + 1,
           ((unsigned long long)next + 1) * 50000);
  expect_text("streams", store_show_streams(rig), expected);
  store_reopen(rig);
  expect_text("streams", store_show_streams(rig), expected);
  store_show_packs(rig, 1, 0, SIZE_MAX);
}

static void lift_limit(void *user) {
  expect_int("limit", setrlimit(RLIMIT_FSIZE, user), 0);
}

/* The kernel's own answer to a write for which there is no room, without a disk to fill. */
static void test_store_goes_on_when_there_is_room_again(void **state) {
  struct rlimit before, small;
  expect_int("limit", getrlimit(RLIMIT_FSIZE, &before), 0);
  small = before;
  small.rlim_cur = 1u << 20;
  signal(SIGXFSZ, SIG_IGN);
  expect_int("limit", setrlimit(RLIMIT_FSIZE, &small), 0);
  fill_up(*state, lift_limit, &before);
}

static void take_ballast(void *user) {
  unlink(user);
}

/* A disk that is really full, where a test may make one. */
static void test_store_goes_on_when_a_disk_was_full(void **state) {
  store_rig *rig = *state;
  char place[256], ballast[300];
  static char bytes[400 << 10];
  snprintf(place, sizeof(place), "%s", folder_path(&rig->folder, "small"));
  expect_int("mkdir", mkdir(place, 0700), 0);
  if (mount("tmpfs", place, "tmpfs", 0, "size=2m") < 0) skip();
  bb_store_close(rig->store);
  snprintf(rig->path, sizeof(rig->path), "%s/store.db", place);
  snprintf(ballast, sizeof(ballast), "%s/ballast", place);
  write_file(ballast, bytes, sizeof(bytes));
  bb_store_options options = {.path = rig->path};
  char why[BB_STORE_WHY];
  int err = bb_store_open(&options, &rig->store, why);
  if (err == 0) fill_up(rig, take_ballast, ballast);
  bb_store_close(rig->store);
  rig->store = NULL;
  umount2(place, MNT_DETACH);
  expect_int("open", err, 0);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      store_test(test_store_file_is_for_its_owner_only),
      store_test(test_store_file_is_as_it_should_be),
      store_test(test_store_is_open_once),
      store_test(test_store_refuses_what_is_none),
      store_test(test_store_refuses_a_later_version),
      store_test(test_store_says_why_it_cannot_be_opened),
      store_test(test_store_recovers_the_log),
      store_test(test_store_is_looked_at_without_a_change),
      store_test(test_store_counts_what_it_has),
      store_test(test_store_gives_room_back),
      store_test(test_store_is_copied),
      store_test(test_store_that_is_held_can_be_read_beside),
      store_test(test_store_that_was_closed_is_held_no_more),
      store_test(test_store_is_set_aside),
      store_test(test_store_goes_on_when_there_is_room_again),
      store_test(test_store_goes_on_when_a_disk_was_full),
  };
  return cmocka_run_group_tests_name("store_file", tests, NULL, NULL);
}
