/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/place.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/doc.h"
#include "base/err.h"
#include "base/report.h"
#include "runtime/file.h"
#include "runtime/place_lock.h"
#include "support/expect.h"
#include "support/failmalloc.h"
#include "support/place.h"

#define NOBODY 65534

static void expect_mode(const char *path, unsigned mode) {
  struct stat info;
  expect_int(path, lstat(path, &info), 0);
  expect_uint(path, info.st_mode & 0777, mode);
}

static void test_place_makes_a_private_directory(void **state) {
  (void)state;
  folder f, t;
  bb_place place = {0};
  place_open_folders(&f, &t);
  place_open(&place, folder_path(&f, "a/b/"), &f);
  expect_text("dir", place.dir, folder_path(&f, "a/b"));
  expect_true("writable", place.writable);
  expect_text("socket", place.socket, folder_path(&f, "a/b/busbar.sock"));
  expect_uint("boot", place.boot, 1);
  expect_uint("generation", place.generation, 0);
  expect_mode(place.dir, 0700);
  bb_place_close(&place);
  expect_text("nothing to say", folder_log(&f), "");
  place_close_folders(&f, &t);
}

static void test_place_counts_the_starts(void **state) {
  static const struct {
    const char *text;
    uint32_t boot; /* 0: any */
  } rows[] = {{"6\n", 7},
              {"4294967294\n", 4294967295u},
              {"4294967295\n", 1},
              {"x\n", 0},
              {"", 0},
              {"99999999999\n", 0},
              {"12", 0}};
  (void)state;
  folder f, t;
  bb_place place = {0};
  place_open_folders(&f, &t);
  for (uint32_t boot = 1; boot < 4; boot++) {
    place_open(&place, f.path, &f);
    expect_uint("boot", place.boot, boot);
    bb_place_close(&place);
  }
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    bb_file_replace(f.path, "boot", rows[i].text, strlen(rows[i].text));
    place_open(&place, f.path, &f);
    if (rows[i].boot != 0) expect_uint(rows[i].text, place.boot, rows[i].boot);
    expect_true(rows[i].text, place.boot != 0);
    uint32_t first = place.boot;
    bb_place_close(&place);
    place_open(&place, f.path, &f);
    expect_uint("and on", place.boot, first < UINT32_MAX ? first + 1 : 1);
    bb_place_close(&place);
  }
  place_close_folders(&f, &t);
}

static void test_place_names_who_holds_it(void **state) {
  (void)state;
  folder f, t;
  bb_place place = {0}, second = {0};
  char why[BB_PLACE_TEXT] = "", pid[64];
  place_open_folders(&f, &t);
  place_open(&place, f.path, &f);
  expect_int("second", bb_place_open(&second, f.path, &f.log, why, sizeof(why)), BB_ERR_BUSY);
  snprintf(pid, sizeof(pid), "is in use by process %ld (", (long)getpid());
  expect_part("pid", why, pid);
  expect_part("command", why, "test_place");
  expect_part("directory", why, f.path);
  expect_part("what to do", why, "stop that one");
  bb_place_close(&place);
  place_open(&second, f.path, &f);
  bb_place_close(&second);
  place_close_folders(&f, &t);
}

/* The same file, with another text in it. */
static void overwrite(const char *path, const char *text) {
  FILE *file = fopen(path, "w");
  expect_true(path, file != NULL && fputs(text, file) >= 0 && fclose(file) == 0);
}

/* The lock decides, not what is written in the file: a pid that is alive there holds nothing, and a
 * holder that the file does not name still holds. */
static void test_place_believes_the_lock_and_no_pid(void **state) {
  static const char *const texts[] = {"", "-1 5 x\n", "1 1 2026-01-31T08:15:00Z\n", "\xff garbage"};
  static const char *const named[] = {"by another process", "by another process",
                                      "by process 1, since 2026-01-31T08:15:00Z, which cannot be",
                                      "by another process"};
  (void)state;
  folder f, t;
  place_open_folders(&f, &t);
  for (size_t i = 0; i < 4; i++) {
    bb_place place = {0}, second = {0};
    char why[BB_PLACE_TEXT];
    overwrite(folder_path(&f, "lock"), texts[i]);
    place_open(&place, f.path, &f);
    overwrite(folder_path(&f, "lock"), texts[i]);
    expect_int("held", bb_place_open(&second, f.path, &f.log, why, sizeof(why)), BB_ERR_BUSY);
    expect_part(texts[i], why, named[i]);
    bb_place_close(&place);
  }
  place_close_folders(&f, &t);
}

/* Several may read at a time and leave no trace; a runtime waits for none of them, but says so. */
static void test_place_is_read_without_a_trace(void **state) {
  (void)state;
  folder f, t;
  place_open_folders(&f, &t);
  bb_place place = {0};
  bb_place_lock first, second, other;
  char why[BB_PLACE_TEXT];
  expect_int("first", bb_place_lock_read(&first, f.path), 0);
  expect_int("second", bb_place_lock_read(&second, f.path), 0);
  expect_true("held", first.dir >= 0 && second.dir >= 0);
  expect_int("no file is made", access(folder_path(&f, "lock"), F_OK), -1);
  expect_int("who writes", bb_place_lock_take(&other, f.path), BB_ERR_BUSY);
  expect_int("a runtime", bb_place_open(&place, f.path, &f.log, why, sizeof(why)), BB_ERR_BUSY);
  expect_part("who", why, "is in use by a busbar store that reads it; ");
  bb_place_lock_give_back(&first);
  bb_place_lock_give_back(&second);
  place_open(&place, f.path, &f);
  expect_int("who reads, beside a runtime", bb_place_lock_read(&other, f.path), BB_ERR_BUSY);
  bb_place_close(&place);
  place_close_folders(&f, &t);
}

static int bind_socket(const char *path) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
  expect_int(path, bind(fd, (struct sockaddr *)&address, sizeof(address)), 0);
  return fd;
}

/* A runtime that was killed leaves its lock file, its socket and its record. */
static void test_place_follows_a_killed_runtime(void **state) {
  (void)state;
  folder f, t;
  bb_place place = {0};
  char byte;
  int ready[2], status;
  place_open_folders(&f, &t);
  expect_int("pipe", pipe(ready), 0);
  pid_t child = fork();
  if (child == 0) {
    char why[BB_PLACE_TEXT];
    if (bb_place_open(&place, f.path, &f.log, why, sizeof(why)) < 0) _exit(1);
    bind_socket(place.socket);
    if (bb_place_record(&place, NULL) < 0 || write(ready[1], "x", 1) != 1) _exit(1);
    for (;;) pause();
  }
  close(ready[1]);
  expect_int("child is ready", read(ready[0], &byte, 1), 1);
  char why[BB_PLACE_TEXT] = "", pid[32];
  expect_int("held", bb_place_open(&place, f.path, &f.log, why, sizeof(why)), BB_ERR_BUSY);
  snprintf(pid, sizeof(pid), "process %ld (", (long)child);
  expect_part("by the child", why, pid);
  expect_int("its socket stays", access(folder_path(&f, "busbar.sock"), F_OK), 0);
  kill(child, SIGKILL);
  waitpid(child, &status, 0);
  place_open(&place, f.path, &f);
  expect_int("the socket went", access(place.socket, F_OK), -1);
  close(bind_socket(place.socket));
  bb_place_close(&place);
  close(ready[0]);
  place_close_folders(&f, &t);
}

static void test_place_removes_nothing_but_a_socket(void **state) {
  (void)state;
  folder f, t;
  bb_place place = {0};
  place_open_folders(&f, &t);
  bb_file_replace(f.path, "busbar.sock", "precious", 8);
  place_open(&place, f.path, &f);
  expect_int("stays", access(place.socket, F_OK), 0);
  bb_place_close(&place);
  place_close_folders(&f, &t);
}

static void test_place_puts_the_socket_elsewhere_when_its_path_is_long(void **state) {
  (void)state;
  folder f, t;
  bb_place place = {0};
  char name[128], first[BB_PLACE_SOCKET_MAX + 1];
  place_open_folders(&f, &t);
  size_t fits = BB_PLACE_SOCKET_MAX - strlen(f.path) - strlen("//busbar.sock");
  snprintf(name, sizeof(name), "%0*d", (int)fits, 0);
  place_open(&place, folder_path(&f, name), &f);
  expect_uint("just fits", strlen(place.socket), BB_PLACE_SOCKET_MAX);
  expect_part("and lies in it", place.socket, name);
  close(bind_socket(place.socket));
  bb_place_close(&place);

  snprintf(name, sizeof(name), "%0*d", (int)fits + 1, 0);
  place_open(&place, folder_path(&f, name), &f);
  expect_true("still kept there", place.writable);
  expect_part("elsewhere", place.socket, t.path);
  expect_part("ours", place.socket, "/busbar-");
  memcpy(first, place.socket, sizeof(first));
  expect_int("recorded", bb_place_record(&place, NULL), 0);
  expect_int("in the data directory", access(folder_path(&f, name), F_OK) | access(place.dir, F_OK),
             0);
  close(bind_socket(place.socket));
  first[strlen(first) - strlen("/busbar.sock")] = 0;
  expect_mode(first, 0700);
  memcpy(first, place.socket, sizeof(first));
  bb_place_close(&place);
  place_open(&place, folder_path(&f, name), &f);
  expect_text("the same at each start", place.socket, first);
  expect_int("the old one is gone", access(first, F_OK), -1);
  bb_place_close(&place);
  expect_text("nothing to say", folder_log(&f), "");
  place_close_folders(&f, &t);
}

/* Someone else was there before: a link, a file, a folder of another owner. */
static void test_place_trusts_no_foreign_directory(void **state) {
  (void)state;
  folder f, t;
  place_open_folders(&f, &t);
  expect_int("file in place", bb_file_replace(f.path, "data", "x", 1), 0);
  bb_place place = {0};
  char private[BB_PLACE_SOCKET_MAX + 1];
  place_open(&place, folder_path(&f, "data"), &f);
  snprintf(private, sizeof(private), "%.*s", (int)strlen(place.socket) - 12, place.socket);
  bb_place_close(&place);
  for (int i = 0; i < 3; i++) {
    if (i == 2 && geteuid() != 0) break;
    unlink(folder_path(&f, "elsewhere/lock"));
    char lock[256];
    snprintf(lock, sizeof(lock), "%s/lock", private);
    unlink(lock);
    if (rmdir(private) < 0) unlink(private);
    mkdir(folder_path(&f, "elsewhere"), 0700);
    if (i == 0) expect_int("link", symlink(folder_path(&f, "elsewhere"), private), 0);
    if (i == 1) expect_int("file", bb_file_replace(t.path, strrchr(private, '/') + 1, "", 0), 0);
    if (i == 2) expect_int("owner", mkdir(private, 0777) | chown(private, NOBODY, NOBODY), 0);
    place_open(&place, folder_path(&f, "data"), &f);
    expect_true("not that one", strstr(place.socket, t.path) == NULL);
    expect_true("but one below /tmp", strncmp(place.socket, "/tmp/busbar-", 12) == 0);
    char used[BB_PLACE_SOCKET_MAX + 1];
    snprintf(used, sizeof(used), "%.*s", (int)strlen(place.socket) - 12, place.socket);
    bb_place_close(&place);
    snprintf(lock, sizeof(lock), "%s/lock", used);
    unlink(lock);
    rmdir(used);
  }
  place_close_folders(&f, &t);
}

static void expect_works_without(const char *dir, folder *f, const char *reason) {
  bb_place place = {0}, second = {0};
  char why[BB_PLACE_TEXT] = "", pid[32];
  bb_buf text;
  bb_buf_init(&text, 4096);
  place_open(&place, dir, f);
  expect_true("not writable", !place.writable);
  expect_true("boot", place.boot != 0);
  expect_part("socket", place.socket, "/busbar-");
  expect_int("save", bb_place_save_document(&place, "a: 1\n", 5), 0);
  expect_int("save", bb_place_save_document(&place, "a: 1\n", 5), 0);
  expect_int("load", bb_place_load_document(&place, &text), BB_ERR_NOTFOUND);
  expect_int("recorded beside the socket", bb_place_record(&place, NULL), 0);
  expect_int("held all the same", bb_place_open(&second, dir, &f->log, why, sizeof(why)),
             BB_ERR_BUSY);
  snprintf(pid, sizeof(pid), "by process %ld (", (long)getpid());
  expect_part("and named", why, pid);
  bb_place_close(&place);
  expect_uint("one warning", f->log.lines[BB_LOG_WARN], 1);
  expect_part("place", folder_log(f), dir);
  expect_part("reason", folder_log(f), reason);
  expect_part("what to do", folder_log(f), "name another one with --data or BUSBAR_DATA");
}

static void test_place_works_where_there_is_no_directory(void **state) {
  (void)state;
  folder f, t;
  place_open_folders(&f, &t);
  bb_file_replace(f.path, "file", "x", 1);
  expect_works_without(folder_path(&f, "file"), &f, "is a file: nothing is kept");
  place_close_folders(&f, &t);
  place_open_folders(&f, &t);
  bb_file_replace(f.path, "file", "x", 1);
  expect_works_without(folder_path(&f, "file/data"), &f, "cannot be made (not a directory)");
  place_close_folders(&f, &t);
}

/* As another user, because root may write everywhere. */
static void test_place_works_in_a_directory_that_is_only_read(void **state) {
  (void)state;
  folder f, t;
  if (geteuid() != 0) skip();
  place_open_folders(&f, &t);
  chmod(t.path, 0777);
  chmod(f.path, 0755);
  expect_int("user", seteuid(NOBODY), 0);
  expect_works_without(f.path, &f, "cannot be written (permission denied)");
  expect_int("root", seteuid(0), 0);

  /* Both ways round: a runtime that only reads is seen by one that writes, and the reverse. */
  bb_place reader = {0}, writer = {0};
  char why[BB_PLACE_TEXT];
  seteuid(NOBODY);
  place_open(&reader, f.path, &f);
  seteuid(0);
  expect_int("reader first", bb_place_open(&writer, f.path, &f.log, why, sizeof(why)), BB_ERR_BUSY);
  bb_place_close(&reader);
  place_open(&writer, f.path, &f);
  seteuid(NOBODY);
  expect_int("writer first", bb_place_open(&reader, f.path, &f.log, why, sizeof(why)), BB_ERR_BUSY);
  seteuid(0);
  bb_place_close(&writer);
  prctl(PR_SET_DUMPABLE, 1); /* which the change of user took away, and the leak check needs */
  place_close_folders(&f, &t);
}

static void test_place_keeps_the_document(void **state) {
  (void)state;
  folder f, t;
  bb_place place = {0};
  bb_buf text;
  place_open_folders(&f, &t);
  bb_buf_init(&text, 4096);
  place_open(&place, f.path, &f);
  expect_int("none yet", bb_place_load_document(&place, &text), BB_ERR_NOTFOUND);
  expect_int("save", bb_place_save_document(&place, "a: 1\n", 5), 1);
  expect_uint("generation", place.generation, 1);
  expect_int("save", bb_place_save_document(&place, "{\"b\": 2}", 8), 1);
  expect_mode(folder_path(&f, "document"), 0600);
  bb_place_close(&place);
  place_open(&place, f.path, &f);
  expect_uint("generation", place.generation, 2);
  bb_buf_text(&text, "before ");
  expect_int("load", bb_place_load_document(&place, &text), 0);
  expect_text("text", bb_buf_string(&text), "before {\"b\": 2}");
  expect_int("empty", bb_place_save_document(&place, "", 0), 1);
  bb_buf_clear(&text);
  expect_int("load", bb_place_load_document(&place, &text), 0);
  expect_uint("nothing", text.len, 0);
  expect_uint("generation", place.generation, 3);
  bb_place_close(&place);
  bb_buf_close(&text);
  place_close_folders(&f, &t);
}

static void test_place_tells_the_head_of_a_kept_document(void **state) {
  static const struct {
    const char *text;
    size_t head;
  } rows[] = {
      {"busbar-document 7\n{}", 17}, {"busbar-document 12\n", 18}, {"busbar-document 7", 0},
      {"busbar-document 7 \n{}", 0}, {"busbar: 1\n", 0},           {"", 0},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    expect_uint(rows[i].text, bb_place_document_head(rows[i].text, strlen(rows[i].text)),
                rows[i].head);
  }
}

static void test_place_refuses_a_document_that_is_not_its_own(void **state) {
  static const char *const texts[] = {"",
                                      "busbar: 1\n",
                                      "busbar-document \na",
                                      "busbar-document -1\na",
                                      "busbar-document 7",
                                      "busbar-document 7 \na",
                                      "busbar-document 77777777777777777777777777777777777777\na"};
  (void)state;
  folder f, t;
  bb_buf text;
  place_open_folders(&f, &t);
  bb_buf_init(&text, 4096);
  for (size_t i = 0; i < sizeof(texts) / sizeof(texts[0]); i++) {
    bb_place place = {0};
    bb_file_replace(f.path, "document", texts[i], strlen(texts[i]));
    place_open(&place, f.path, &f);
    expect_uint(texts[i], place.generation, 0);
    expect_int(texts[i], bb_place_load_document(&place, &text), BB_ERR_FORMAT);
    expect_uint(texts[i], text.len, 0);
    expect_int("a new one", bb_place_save_document(&place, "a", 1), 1);
    expect_uint("generation", place.generation, 1);
    bb_place_close(&place);
  }
  bb_buf_close(&text);
  place_close_folders(&f, &t);
}

static void test_place_records_where_it_is(void **state) {
  (void)state;
  folder f, t;
  bb_place place = {0};
  bb_doc_tree tree;
  bb_report report = {0};
  char pid[32];
  place_open_folders(&f, &t);
  place_open(&place, f.path, &f);
  expect_int("record", bb_place_record(&place, "127.0.0.1:9464"), 0);
  const char *path = folder_path(&f, "runtime.json");
  expect_mode(path, 0600);
  expect_int("json", bb_doc_load(&tree, path, &report), 0);
  snprintf(pid, sizeof(pid), "%ld", (long)getpid());
  expect_text("pid", bb_doc_get_text(tree.root, "pid"), pid);
  expect_text("socket", bb_doc_get_text(tree.root, "socket"), place.socket);
  expect_text("metrics", bb_doc_get_text(tree.root, "metrics"), "127.0.0.1:9464");
  expect_text("version", bb_doc_get_text(tree.root, "version"), BB_VERSION);
  expect_text("boot", bb_doc_get_text(tree.root, "boot"), "1");
  expect_int("started", bb_doc_get_text(tree.root, "started")[10], 'T');
  bb_doc_close(&tree);
  bb_place_close(&place);
  expect_int("gone with it", access(folder_path(&f, "runtime.json"), F_OK), -1);
  bb_report_close(&report);
  place_close_folders(&f, &t);
}

static int live(void *user) {
  folder *f = user;
  bb_place place = {0};
  bb_buf text;
  char why[BB_PLACE_TEXT];
  int err = bb_place_open(&place, folder_path(f, "missing/data"), &f->log, why, sizeof(why));
  if (err < 0) return err;
  bb_buf_init(&text, 1u << 20);
  err = bb_place_record(&place, NULL);
  if (err == 0) err = bb_place_save_document(&place, "a: 1\n", 5);
  if (err >= 0) err = bb_place_load_document(&place, &text);
  bb_buf_close(&text);
  bb_place_close(&place);
  return err;
}

static void test_place_without_memory(void **state) {
  (void)state;
  folder f, t;
  place_open_folders(&f, &t);
  failmalloc_each(live, &f);
  place_close_folders(&f, &t);
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_place_makes_a_private_directory),
      cmocka_unit_test(test_place_counts_the_starts),
      cmocka_unit_test(test_place_names_who_holds_it),
      cmocka_unit_test(test_place_believes_the_lock_and_no_pid),
      cmocka_unit_test(test_place_is_read_without_a_trace),
      cmocka_unit_test(test_place_follows_a_killed_runtime),
      cmocka_unit_test(test_place_removes_nothing_but_a_socket),
      cmocka_unit_test(test_place_puts_the_socket_elsewhere_when_its_path_is_long),
      cmocka_unit_test(test_place_trusts_no_foreign_directory),
      cmocka_unit_test(test_place_works_where_there_is_no_directory),
      cmocka_unit_test(test_place_works_in_a_directory_that_is_only_read),
      cmocka_unit_test(test_place_keeps_the_document),
      cmocka_unit_test(test_place_tells_the_head_of_a_kept_document),
      cmocka_unit_test(test_place_refuses_a_document_that_is_not_its_own),
      cmocka_unit_test(test_place_records_where_it_is),
      cmocka_unit_test(test_place_without_memory),
  };
  return cmocka_run_group_tests_name("place", tests, NULL, NULL);
}
