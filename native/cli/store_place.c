/* SPDX-License-Identifier: Apache-2.0 */
/* Where the store is; see store.h. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/report.h"
#include "cli/store.h"
#include "runtime/place_lock.h"

#define LONG_MS 600000u /* what reads or copies everything */
#define MAX_ANSWER (32u << 20)

static bool writes(const bb_cli_store_wish *wish) {
  return wish->order == BB_CLI_STORE_DROP || wish->order == BB_CLI_STORE_REQUEUE ||
         wish->order == BB_CLI_STORE_DROP_DEAD || wish->order == BB_CLI_STORE_REASSIGN;
}

/* Nobody starts a runtime on it meanwhile. */
static int lock(bb_cli_store_place *place, const bb_cli_store_wish *wish, char *why) {
  char holder[300];
  int err = writes(wish) ? bb_place_lock_take(&place->lock, wish->data)
                         : bb_place_lock_read(&place->lock, wish->data);
  if (err == 0) return 0;
  if (bb_place_lock_holder(wish->data, holder, sizeof(holder)) < 0) {
    snprintf(holder, sizeof(holder), "another process");
  }
  snprintf(
      why, BB_CLI_STORE_WHY,
      "the data directory %.400s is in use by %s, and nobody answers at its socket; ask again, "
      "or stop it",
      wish->data, holder);
  return err;
}

static int take_name(void *user, bb_store_kind kind, uint64_t hash, const uint8_t *frame,
                     size_t len) {
  int err = bb_names_restore(user, kind, hash, frame, len);
  return err == BB_ERR_FORMAT ? 0 : err; /* letters that name it are shown as damaged */
}

static int open_store(bb_cli_store_place *place, const bb_cli_store_wish *wish, char *why) {
  bb_store_options options = {.path = place->path, .read_only = !writes(wish)};
  char said[BB_STORE_WHY];
  if (access(place->path, F_OK) < 0) {
    snprintf(why, BB_CLI_STORE_WHY, "there is no store %.600s%s", place->path,
             wish->file == NULL ? "; --data names the data directory of the runtime" : "");
    return BB_ERR_NOTFOUND;
  }
  int err = bb_store_open(&options, &place->store, said);
  if (err < 0) {
    bool ours = err == BB_ERR_FORMAT && wish->file == NULL;
    snprintf(why, BB_CLI_STORE_WHY, "%s%s", said,
             ours ? "; busbar run sets it aside by itself and begins a fresh one; to go on with a "
                    "copy, put it in its place first"
                  : "");
  }
  if (err < 0 || wish->order != BB_CLI_STORE_DEAD) return err;
  err = bb_store_names(place->store, take_name, &place->names);
  if (err < 0) snprintf(why, BB_CLI_STORE_WHY, "%s", bb_store_why(place->store));
  return err < 0 ? err : 0;
}

int bb_cli_store_open(bb_cli_store_place *place, const bb_cli_store_wish *wish,
                      char why[BB_CLI_STORE_WHY]) {
  memset(place, 0, sizeof(*place));
  place->lock = (bb_place_lock){.dir = -1, .file = -1};
  int err = BB_ERR_NOTFOUND;
  if (wish->file == NULL) err = bb_cli_client_open(&place->client, wish->data, why);
  place->running = err == 0;
  if (err != BB_ERR_NOTFOUND) return err;
  if (wish->file != NULL) {
    snprintf(place->path, sizeof(place->path), "%s", wish->file);
  } else {
    snprintf(place->path, sizeof(place->path), "%s/" BB_STORE_FILE, wish->data);
    err = lock(place, wish, why);
    if (err < 0) return err;
  }
  err = open_store(place, wish, why);
  if (err < 0) bb_cli_store_close(place);
  return err;
}

void bb_cli_store_close(bb_cli_store_place *place) {
  if (place->running) bb_cli_client_close(&place->client);
  bb_store_close(place->store);
  bb_names_close(&place->names);
  bb_place_lock_give_back(&place->lock);
}

/* --- asking a runtime --- */

static int ask_status(bb_cli_store_place *place, bb_doc_tree *answer, char *why) {
  bb_json_writer json = bb_cli_client_begin(&place->client, "status");
  bb_json_writer_list(&json, "devices");
  bb_json_writer_end(&json);
  return bb_cli_client_ask(&place->client, &json, answer, why);
}

static int ask(bb_cli_store_place *place, const bb_cli_store_wish *wish, bb_doc_tree *answer,
               char *why) {
  static const char *const orders[] = {
      [BB_CLI_STORE_LIST] = "list",           [BB_CLI_STORE_EXPORT] = "export",
      [BB_CLI_STORE_DROP] = "drop",           [BB_CLI_STORE_VERIFY] = "verify",
      [BB_CLI_STORE_DEAD] = "dead",           [BB_CLI_STORE_REQUEUE] = "requeue",
      [BB_CLI_STORE_DROP_DEAD] = "drop_dead", [BB_CLI_STORE_REASSIGN] = "reassign",
  };
  if (wish->order == BB_CLI_STORE_STATUS) return ask_status(place, answer, why);
  place->client.timeout_ms = LONG_MS;
  bb_json_writer json = bb_cli_client_begin(&place->client, "store");
  bb_json_writer_text(&json, "do", orders[wish->order]);
  if (wish->sink != NULL) bb_json_writer_text(&json, "sink", wish->sink);
  if (wish->to != NULL) bb_json_writer_text(&json, "to", wish->to);
  if (wish->live) bb_json_writer_bool(&json, "live", true);
  if (wish->path[0] != 0) bb_json_writer_text(&json, "path", wish->path);
  if (wish->after > 0) bb_json_writer_int(&json, "after", wish->after);
  return bb_cli_client_ask(&place->client, &json, answer, why);
}

int bb_cli_store_do(bb_cli_store_place *place, const bb_cli_store_wish *wish, bb_doc_tree *answer,
                    char why[BB_CLI_STORE_WHY]) {
  if (place->running) return ask(place, wish, answer, why);
  bb_buf text;
  bb_report report;
  bb_buf_init(&text, MAX_ANSWER);
  bb_report_init(&report);
  int err = bb_cli_store_file_do(place, wish, &text, why);
  if (err >= 0) {
    err = bb_doc_parse(answer, "answer", (const char *)text.bytes, text.len, &report);
    if (err < 0) snprintf(why, BB_CLI_STORE_WHY, "%s", bb_err_text(err));
  }
  bb_report_close(&report);
  bb_buf_close(&text);
  return err;
}
