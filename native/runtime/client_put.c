/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages that a client puts into a sink's queue. Of those that were taken the number of the last
 * is told, once for all that came together; each that was not is told with its reason.
 */
#include "base/err.h"
#include "runtime/client.h"
#include "runtime/put.h"

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

void bb_client_take_put(bb_client *client, const uint8_t *bytes, size_t len) {
  char sink[BB_MAX_ID + 1];
  bb_put_message message;
  bool any = false;
  uint32_t last = 0;
  int used = bb_put_open(bytes, len, sink);
  while (used > 0) {
    bb_reason reason = {0};
    bytes += used;
    len -= (size_t)used;
    used = bb_put_next(bytes, len, &message);
    if (used <= 0) break;
    if (bb_runtime_put(client->socket->runtime, sink, &message, &reason) < 0) {
      tell_untaken(client, sink, message.number, &reason);
    } else {
      any = true;
      last = message.number;
    }
  }
  if (any) tell_taken(client, sink, last);
  if (used < 0) bb_client_close(client, bb_err_text(used));
}
