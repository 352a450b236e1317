/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages that a client puts into a sink's queue. A message is taken once the runtime answers for it:
 * the store has it, or the sink has acknowledged it; at once, where the sink's batches wait in memory.
 * Of those that were taken the number of the last is told, once for all that came together; each that
 * was not is told with its reason.
 */
#include <stdio.h>
#include <stdlib.h>

#include "base/err.h"
#include "runtime/client.h"
#include "runtime/put.h"
#include "runtime/wait.h"

static bb_json_writer begin(bb_client *client, const char *event, const char *sink, uint32_t id) {
  bb_json_writer json = bb_client_begin(client->socket);
  bb_json_writer_text(&json, "event", event);
  bb_json_writer_text(&json, "sink", sink);
  bb_json_writer_uint(&json, "id", id);
  return json;
}

static void tell_taken(bb_client *client, const char *sink, uint32_t id) {
  bb_json_writer json = begin(client, "taken", sink, id);
  bb_client_end_soon(client, BB_SOCKET_EVENT, &json);
}

static void tell_untaken(bb_client *client, const char *sink, uint32_t id,
                         const bb_reason *reason) {
  bb_json_writer json = begin(client, "untaken", sink, id);
  bb_client_put_reason(&json, reason);
  bb_client_end(client, BB_SOCKET_EVENT, &json);
}

/* What came together and was taken, until it is safe. */
typedef struct group {
  bb_wait wait;
  bb_client *client;
  bb_list link;
  uint32_t first, last; /* numbers */
  char sink[BB_MAX_ID + 1];
} group;

static void free_group(group *one) {
  bb_list_remove(&one->link);
  one->client->n_puts--;
  free(one);
}

static void tell_lost(bb_client *client, const char *sink, uint32_t first, uint32_t last,
                      const bb_reason *reason) {
  for (uint32_t number = first; number <= last && number != 0; number++) {
    tell_untaken(client, sink, number, reason);
  }
}

static void on_end(bb_wait *wait, bool lost) {
  group *one = BB_LIST_ITEM(wait, group, wait);
  bb_reason reason = {0};
  if (!lost) {
    tell_taken(one->client, one->sink, one->last);
  } else {
    bb_reason_set(&reason, BB_ERR_LIMIT, 0,
                  "it was dropped before %s took it and before it was on the disk", one->sink);
    tell_lost(one->client, one->sink, one->first, one->last, &reason);
  }
  free_group(one);
}

/* `place` is that of the last of them; those before lie before it. */
static void wait_for(bb_client *client, group *one, const bb_put_place *place, uint64_t n) {
  bb_runtime *runtime = client->socket->runtime;
  uint64_t from = place->record + 1 - n, to = place->record + 1;
  if (bb_wait_is_over(runtime, place->stream, from, to)) {
    tell_taken(client, one->sink, one->last);
    free_group(one);
    return;
  }
  one->wait.on_end = on_end;
  bb_wait_start(runtime, &one->wait, place->stream, from, to);
}

/* NULL: no memory, or too much is not yet safe. */
static group *new_group(bb_client *client, const char *sink) {
  group *one = client->n_puts < BB_CLIENT_MAX_PUTS ? calloc(1, sizeof(*one)) : NULL;
  if (one == NULL) return NULL;
  one->client = client;
  bb_list_init(&one->wait.link);
  snprintf(one->sink, sizeof(one->sink), "%s", sink);
  bb_list_append(&client->puts, &one->link);
  client->n_puts++;
  return one;
}

/* Puts one message; counts it in its group. */
static bool put(bb_client *client, group *one, const char *sink, const bb_put_message *message,
                bb_put_place *place) {
  bb_reason reason = {0};
  int err = BB_ERR_AGAIN;
  if (one == NULL) {
    bb_reason_set(&reason, err, 0, "too many messages wait to be on the disk or to be taken by %s",
                  sink);
  } else {
    err = bb_runtime_put(client->socket->runtime, sink, message, place, &reason);
  }
  if (err < 0) {
    tell_untaken(client, sink, message->number, &reason);
    return false;
  }
  if (one->first == 0) one->first = message->number;
  one->last = message->number;
  return true;
}

void bb_client_drop_puts(bb_client *client) {
  for (bb_list *node; (node = bb_list_first(&client->puts)) != NULL;) {
    group *one = BB_LIST_ITEM(node, group, link);
    bb_wait_stop(&one->wait);
    free_group(one);
  }
}

void bb_client_take_put(bb_client *client, const uint8_t *bytes, size_t len) {
  char sink[BB_MAX_ID + 1];
  bb_put_message message;
  bb_put_place place = {0};
  uint64_t n = 0;
  int used = bb_put_open(bytes, len, sink);
  group *one = used > 0 ? new_group(client, sink) : NULL;
  while (used > 0) {
    bytes += used;
    len -= (size_t)used;
    used = bb_put_next(bytes, len, &message);
    if (used > 0) n += put(client, one, sink, &message, &place);
  }
  if (n > 0) {
    wait_for(client, one, &place, n);
  } else if (one != NULL) {
    free_group(one);
  }
  if (used < 0) bb_client_close(client, bb_err_text(used));
}
