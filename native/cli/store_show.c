/* SPDX-License-Identifier: Apache-2.0 */
/* The answers of `busbar store` for a person, or as JSON; see store.h. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/text.h"
#include "cli/cli.h"
#include "cli/store.h"
#include "cli/table.h"

struct bb_cli_store_show {
  const bb_cli_store_wish *wish;
  bool running;
  int code;
  bb_table table; /* of list and dead */
  uint64_t rows;
  bool has_table;
  bb_buf text; /* JSON */
  bb_json_writer json;
};

static const char *const list_heads[] = {"SINK", "STREAM", "KIND", ">BATCHES", ">SIZE", "OLDEST"};
static const char *const dead_heads[] = {">ID", "SINK", "REFUSED", "DEVICE", "WHAT", "REASON"};

bb_cli_store_show *bb_cli_store_show_new(const bb_cli_store_wish *wish, bool running) {
  bb_cli_store_show *show = calloc(1, sizeof(*show));
  if (show == NULL) return NULL;
  show->wish = wish;
  show->running = running;
  bb_buf_init(&show->text, BB_TABLE_MAX_BYTES * 2u);
  show->has_table =
      !wish->json && (wish->order == BB_CLI_STORE_LIST || wish->order == BB_CLI_STORE_DEAD);
  if (!show->has_table) return show;
  bool list = wish->order == BB_CLI_STORE_LIST;
  bb_table_init(&show->table, list ? list_heads : dead_heads, 6);
  return show;
}

/* --- values --- */

static const char *text_of(const bb_doc *map, const char *key) {
  const char *text = bb_doc_get_text(map, key);
  return text != NULL ? text : "";
}

static uint64_t number_of(const bb_doc *map, const char *key) {
  return strtoull(text_of(map, key), NULL, 10);
}

static bool is_true(const bb_doc *map, const char *key) {
  return strcmp(text_of(map, key), "true") == 0;
}

static const char *size_of(char out[24], uint64_t bytes) {
  return bb_text_show_bytes(out, 24, bytes);
}

/* "2026-01-31T08:15:00Z"; "" when it is not known. */
static const char *time_of(char out[32], const bb_doc *map, const char *key) {
  struct tm when;
  time_t seconds = (time_t)(strtoll(text_of(map, key), NULL, 10) / 1000);
  out[0] = 0;
  if (seconds == 0 || gmtime_r(&seconds, &when) == NULL) return out;
  strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &when);
  return out;
}

static const bb_doc *first_of(const bb_doc *map, const char *key) {
  const bb_doc *list = bb_doc_get(map, key);
  return list != NULL ? list->first : NULL;
}

/* --- answers --- */

static void print_line(const char *what, const char *value) {
  printf("%-13s %s\n", what, value);
}

static const char *batches_of(char out[BB_TEXT_COUNT], uint64_t n) {
  return bb_text_count(out, n, "batch", "batches");
}

static void print_amount(const char *what, uint64_t n, uint64_t bytes) {
  char size[24], count[BB_TEXT_COUNT];
  printf("%-13s %s, %s\n", what, batches_of(count, n), size_of(size, bytes));
}

static void print_file(const bb_doc *store) {
  char size[24], unused[24];
  uint64_t log = number_of(store, "log_bytes");
  printf("%-13s %s", "file", size_of(size, number_of(store, "file_bytes") - log));
  printf(", %s of it unused\n", size_of(unused, number_of(store, "free_bytes")));
  if (log > 0) {
    printf("%-13s %s in " BB_STORE_FILE "-wal, which is written over again\n", "log",
           size_of(size, log));
  }
  if (bb_doc_get(store, "written_bytes") == NULL) return;
  uint64_t written = number_of(store, "written_bytes"), samples = number_of(store, "saved_samples");
  printf("%-13s %s since the start of the runtime", "written", size_of(size, written));
  if (samples > 0) printf(", %.1f bytes a sample", (double)written / (double)samples);
  printf("\n");
}

static void show_status(const bb_cli_store_show *show, const bb_doc *answer) {
  const bb_doc *store = bb_doc_get(answer, "store");
  if (!is_true(store, "open")) {
    print_line("store", "none: the runtime cannot write in its data directory");
    return;
  }
  print_line("store", text_of(store, "path"));
  print_line("runtime", show->running ? "runs" : "does not run");
  if (is_true(store, "failing")) printf("%-13s %s\n", "failing", text_of(store, "reason"));
  print_amount("waiting", number_of(store, "records"), number_of(store, "bytes"));
  print_amount("dead letters", number_of(store, "dead"), number_of(store, "dead_bytes"));
  print_file(store);
  for (const bb_doc *orphan = first_of(store, "orphans"); orphan != NULL; orphan = orphan->next) {
    char size[24], count[BB_TEXT_COUNT];
    printf("%-13s %s%s: %s, %s", "orphan", text_of(orphan, "sink"),
           is_true(orphan, "disabled") ? " (disabled)" : "",
           batches_of(count, number_of(orphan, "batches")),
           size_of(size, number_of(orphan, "bytes")));
    if (number_of(orphan, "dropped") > 0) printf("; %s dropped", text_of(orphan, "dropped"));
    putchar('\n');
  }
}

static void add_rows(bb_cli_store_show *show, const bb_doc *answer) {
  char size[24], time[32];
  for (const bb_doc *row = first_of(answer, "waiting"); row != NULL;
       row = row->next, show->rows++) {
    bb_table_cell(&show->table, text_of(row, "sink"));
    bb_table_cell(&show->table, text_of(row, "stream"));
    bb_table_cell(&show->table, text_of(row, "kind"));
    bb_table_cell(&show->table, text_of(row, "records"));
    bb_table_cell(&show->table, size_of(size, number_of(row, "bytes")));
    bb_table_cell(&show->table, time_of(time, row, "oldest"));
  }
}

static const char *what_of(const bb_doc *letter) {
  static const char *const keys[] = {"scan", "topic", "text"};
  for (size_t i = 0; i < 3; i++) {
    const char *text = bb_doc_get_text(letter, keys[i]);
    if (text != NULL) return text;
  }
  return is_true(letter, "damaged") ? "damaged" : "lines";
}

static void add_letters(bb_cli_store_show *show, const bb_doc *answer) {
  char time[32];
  for (const bb_doc *row = first_of(answer, "letters"); row != NULL;
       row = row->next, show->rows++) {
    bb_table_cell(&show->table, text_of(row, "id"));
    bb_table_cell(&show->table, text_of(row, "sink"));
    bb_table_cell(&show->table, time_of(time, row, "time"));
    bb_table_cell(&show->table, text_of(row, "device"));
    bb_table_cell(&show->table, what_of(row));
    bb_table_cell(&show->table, text_of(row, "reason"));
  }
}

static void show_mistakes(bb_cli_store_show *show, const bb_doc *answer) {
  uint64_t n = number_of(answer, "n"), shown = 0;
  for (const bb_doc *one = first_of(answer, "sentences"); one != NULL; one = one->next, shown++) {
    puts(one->text != NULL ? one->text : "");
  }
  if (n == 0) puts("ok: nothing in it is damaged");
  if (n > shown) printf("and %llu more\n", (unsigned long long)(n - shown));
  if (n == 0) return;
  show->code = BB_EXIT_FAILED;
  if (show->wish->file == NULL) {
    puts("busbar run leaves out a damaged batch; a file that it cannot read it sets aside by "
         "itself, "
         "and begins a fresh one");
  }
}

static void show_requeued(bb_cli_store_show *show, const bb_doc *answer) {
  uint64_t left = number_of(answer, "left");
  char count[BB_TEXT_COUNT];
  bb_text_count(count, number_of(answer, "requeued"), "dead letter", "dead letters");
  printf("%s will be sent again\n", count);
  if (left > 0) {
    printf("%llu stay, for there is no such sink in the config that runs, or they are damaged\n",
           (unsigned long long)left);
  }
  if (bb_doc_get_text(answer, "reason") == NULL) return;
  puts(text_of(answer, "reason"));
  show->code = BB_EXIT_FAILED;
}

static void show_dropped(uint64_t letters) {
  char count[BB_TEXT_COUNT];
  printf("%s dropped\n", bb_text_count(count, letters, "dead letter", "dead letters"));
}

static void show_text(bb_cli_store_show *show, const bb_doc *answer) {
  const bb_cli_store_wish *wish = show->wish;
  char count[BB_TEXT_COUNT];
  switch (wish->order) {
  case BB_CLI_STORE_STATUS:
    show_status(show, answer);
    break;
  case BB_CLI_STORE_LIST:
    add_rows(show, answer);
    break;
  case BB_CLI_STORE_EXPORT:
    printf("copied to %s\n", text_of(answer, "path"));
    break;
  case BB_CLI_STORE_DROP:
    batches_of(count, number_of(answer, "batches"));
    printf("%s of %s dropped\n", count, wish->sink);
    break;
  case BB_CLI_STORE_VERIFY:
    show_mistakes(show, answer);
    break;
  case BB_CLI_STORE_DEAD:
    add_letters(show, answer);
    break;
  case BB_CLI_STORE_REQUEUE:
    show_requeued(show, answer);
    break;
  case BB_CLI_STORE_DROP_DEAD:
    show_dropped(number_of(answer, "dropped"));
    break;
  case BB_CLI_STORE_REASSIGN:
    batches_of(count, number_of(answer, "batches"));
    printf("%s of %s given to %s\n", count, wish->sink, wish->to);
    break;
  }
}

/* --- JSON --- */

static void put_plain(bb_json_writer *json, const char *key, const bb_doc *doc) {
  char *end;
  if (doc->quoted) {
    bb_json_writer_text(json, key, doc->text);
  } else if (strcmp(doc->text, "true") == 0 || strcmp(doc->text, "false") == 0) {
    bb_json_writer_bool(json, key, doc->text[0] == 't');
  } else if (bb_doc_is_null(doc)) {
    bb_json_writer_text(json, key, NULL);
  } else if (strpbrk(doc->text, ".eE") != NULL) {
    bb_json_writer_number(json, key, strtod(doc->text, &end));
  } else {
    bb_json_writer_int(json, key, strtoll(doc->text, &end, 10));
  }
}

static void put_doc(bb_json_writer *json, const char *key, const bb_doc *doc) {
  if (doc->kind == BB_DOC_SCALAR) {
    put_plain(json, key, doc);
    return;
  }
  if (doc->kind == BB_DOC_MAP) bb_json_writer_map(json, key);
  if (doc->kind == BB_DOC_LIST) bb_json_writer_list(json, key);
  for (const bb_doc *item = doc->first; item != NULL; item = item->next) {
    put_doc(json, item->key, item);
  }
  bb_json_writer_end(json);
}

/* One object: the pages of dead letters are one list. What concerns the connection is left out, and of
 * a status all but the store. */
static void add_json(bb_cli_store_show *show, const bb_doc *answer) {
  bool letters = show->wish->order == BB_CLI_STORE_DEAD;
  if (show->rows++ == 0) {
    bb_json_writer_init(&show->json, &show->text);
    bb_json_writer_map(&show->json, NULL);
    if (letters) bb_json_writer_list(&show->json, "letters");
  }
  for (const bb_doc *item = first_of(answer, "letters"); letters && item != NULL;
       item = item->next) {
    put_doc(&show->json, NULL, item);
  }
  for (const bb_doc *item = answer->first; !letters && item != NULL; item = item->next) {
    bool own = strcmp(item->key, "id") != 0 && strcmp(item->key, "ok") != 0;
    bool store = show->wish->order != BB_CLI_STORE_STATUS || strcmp(item->key, "store") == 0;
    if (own && store) put_doc(&show->json, item->key, item);
  }
  fwrite(show->text.bytes, 1, show->text.len, stdout);
  bb_buf_clear(&show->text);
  if (show->wish->order == BB_CLI_STORE_VERIFY && number_of(answer, "n") > 0) {
    show->code = BB_EXIT_FAILED;
  }
}

void bb_cli_store_show_add(bb_cli_store_show *show, const bb_doc *answer) {
  if (show->wish->json) {
    add_json(show, answer);
  } else {
    show_text(show, answer);
  }
}

static void end_json(bb_cli_store_show *show) {
  if (show->rows == 0) return; /* it failed before */
  while (show->json.depth > 0) bb_json_writer_end(&show->json);
  if (bb_json_writer_finish(&show->json) < 0) show->code = BB_EXIT_FAILED;
  fwrite(show->text.bytes, 1, show->text.len, stdout);
  putchar('\n');
}

int bb_cli_store_show_end(bb_cli_store_show *show) {
  if (show->wish->json) end_json(show);
  if (show->has_table) {
    if (show->rows == 0) {
      puts(show->wish->order == BB_CLI_STORE_LIST ? "nothing waits" : "there are no dead letters");
    } else if (bb_table_print(&show->table, stdout) < 0) {
      show->code = BB_EXIT_FAILED;
    }
    bb_table_close(&show->table);
  }
  int code = show->code;
  bb_buf_close(&show->text);
  free(show);
  return code;
}
