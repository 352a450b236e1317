/* SPDX-License-Identifier: Apache-2.0 */
/* Answers out of a store that no runtime has open; see store.h. */
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "cli/store.h"
#include "cli/store_edit.h"
#include "runtime/holdings.h"
#include "runtime/known_sinks.h"
#include "runtime/letters.h"

#define MAX_SENTENCES 1000

static int put_status(bb_cli_store_place *place, bb_json_writer *json) {
  bb_store_stats stats;
  int err = bb_store_read_stats(place->store, &stats);
  if (err < 0) return err;
  bb_json_writer_map(json, "store");
  bb_json_writer_bool(json, "open", true);
  bb_json_writer_bool(json, "failing", false);
  bb_json_writer_text(json, "path", place->path);
  bb_json_writer_uint(json, "file_bytes", stats.file_bytes);
  bb_json_writer_uint(json, "log_bytes", stats.log_bytes);
  bb_json_writer_uint(json, "free_bytes", stats.free_bytes);
  bb_json_writer_uint(json, "records", stats.records);
  bb_json_writer_uint(json, "bytes", stats.bytes);
  bb_json_writer_uint(json, "dead", stats.dead);
  bb_json_writer_uint(json, "dead_bytes", stats.dead_bytes);
  bb_json_writer_end(json);
  return 0;
}

static int put_list(bb_cli_store_place *place, bb_json_writer *json) {
  bb_holdings list = {0};
  int err = bb_holdings_read(&list, place->store);
  if (err >= 0) bb_holdings_put(&list, json);
  bb_holdings_close(&list);
  return err;
}

static int put_letters(bb_cli_store_place *place, const bb_cli_store_wish *wish,
                       bb_json_writer *json) {
  bb_letters page = {.after = wish->after};
  int err = bb_letters_read(&page, place->store);
  bb_json_writer_list(json, "letters");
  for (uint32_t i = 0; i < page.n && err >= 0; i++) bb_letters_put(&page, i, &place->names, json);
  bb_json_writer_end(json);
  bb_json_writer_bool(json, "more", page.more);
  bb_letters_close(&page);
  return err;
}

typedef struct finding {
  bb_json_writer *json;
  int n;
} finding;

static void found(void *user, const char *sentence) {
  finding *all = user;
  if (all->n++ < MAX_SENTENCES) bb_json_writer_text(all->json, NULL, sentence);
}

static int put_mistakes(bb_cli_store_place *place, bb_json_writer *json) {
  finding all = {.json = json};
  bb_json_writer_list(json, "sentences");
  int n = bb_store_verify(place->store, found, &all);
  bb_json_writer_end(json);
  if (n >= 0) bb_json_writer_int(json, "n", n);
  return n < 0 ? n : 0;
}

static int put_count(int err, uint64_t n, const char *key, bb_json_writer *json) {
  if (err >= 0) bb_json_writer_uint(json, key, n);
  return err;
}

static int answer(bb_cli_store_place *place, const bb_cli_store_wish *wish, bb_json_writer *json) {
  bb_store *store = place->store;
  uint64_t n = 0;
  int err;
  switch (wish->order) {
  case BB_CLI_STORE_STATUS:
    return put_status(place, json);
  case BB_CLI_STORE_LIST:
    return put_list(place, json);
  case BB_CLI_STORE_EXPORT:
    err = bb_store_copy(store, wish->path);
    if (err >= 0) bb_json_writer_text(json, "path", wish->path);
    return err;
  case BB_CLI_STORE_DROP:
    err = bb_store_edit_drop(store, wish->sink, &n);
    return put_count(err, n, "batches", json);
  case BB_CLI_STORE_VERIFY:
    return put_mistakes(place, json);
  case BB_CLI_STORE_DEAD:
    return put_letters(place, wish, json);
  case BB_CLI_STORE_REQUEUE:
    err = bb_store_edit_requeue(store, wish->sink, &n);
    return put_count(err, n, "requeued", json);
  case BB_CLI_STORE_DROP_DEAD:
    err = bb_store_edit_drop_dead(store, wish->sink, &n);
    return put_count(err, n, "dropped", json);
  default:
    err = bb_store_edit_reassign(store, wish->sink, wish->to, &n);
    return put_count(err, n, "batches", json);
  }
}

/* Which sinks are configured is known by a runtime only: one may be that of the next run. */
static int check_drop(bb_cli_store_place *place, const bb_cli_store_wish *wish, char *why) {
  uint64_t n = 0;
  if (wish->order != BB_CLI_STORE_DROP || wish->live) return 0;
  int err = bb_store_edit_count(place->store, wish->sink, &n);
  if (err < 0) return err;
  snprintf(why, BB_CLI_STORE_WHY,
           "%llu %s for %s would be lost, and no runtime runs that could tell whether it is still "
           "a sink of the config, to which they would be sent; add --live to drop them all the "
           "same",
           (unsigned long long)n, n == 1 ? "batch that waits" : "batches that wait", wish->sink);
  return BB_ERR_STATE;
}

/* Dead letters of a sink: of none that the store has never heard of. */
static int check_letters(bb_cli_store_place *place, const bb_cli_store_wish *wish) {
  bb_known_sinks known = {0};
  bool about = wish->order == BB_CLI_STORE_DROP_DEAD || wish->order == BB_CLI_STORE_REQUEUE;
  if (!about || wish->sink == NULL) return 0;
  int err = bb_known_sinks_read(&known, place->store);
  if (err >= 0 && !bb_known_sinks_has(&known, wish->sink)) err = BB_ERR_NOTFOUND;
  bb_known_sinks_close(&known);
  return err;
}

static void say_unknown(bb_cli_store_place *place, const bb_cli_store_wish *wish, char *why) {
  char ask[BB_TEXT_ASK];
  const char *near = NULL;
  bb_known_sinks known = {0};
  bool waits = wish->order == BB_CLI_STORE_DROP || wish->order == BB_CLI_STORE_REASSIGN;
  if (bb_known_sinks_read(&known, place->store) >= 0) {
    near = bb_known_sinks_near(&known, wish->sink);
  }
  bb_text_ask(ask, near, ";");
  bb_known_sinks_close(&known);
  snprintf(why, BB_CLI_STORE_WHY, "%s a sink %s in %.600s%s " BB_CLI_STORE_NAME " %s",
           waits ? "nothing waits for" : "there is no dead letter of", wish->sink, place->path, ask,
           waits ? "list shows for which" : "dead shows of which");
}

int bb_cli_store_file_do(bb_cli_store_place *place, const bb_cli_store_wish *wish, bb_buf *out,
                         char why[BB_CLI_STORE_WHY]) {
  bb_json_writer json;
  bb_json_writer_init(&json, out);
  bb_json_writer_map(&json, NULL);
  why[0] = 0;
  int err = check_drop(place, wish, why);
  if (err >= 0) err = check_letters(place, wish);
  if (err >= 0) err = answer(place, wish, &json);
  if (err == BB_ERR_NOTFOUND && wish->sink != NULL) say_unknown(place, wish, why);
  if (err < 0 && why[0] != 0) return err;
  if (err < 0) {
    const char *said = err != BB_ERR_NOMEM ? bb_store_why(place->store) : "";
    snprintf(why, BB_CLI_STORE_WHY, "%s", said[0] != 0 ? said : bb_err_text(err));
    return err;
  }
  bb_json_writer_end(&json);
  err = bb_json_writer_finish(&json);
  if (err < 0) snprintf(why, BB_CLI_STORE_WHY, "%s", bb_err_text(err));
  return err;
}
