/* SPDX-License-Identifier: Apache-2.0 */
/* What is sent to a client: answers and events first, then batches, whose oldest go when there is no
 * room; see client.h. */
#include <assert.h>

#include "base/bytes.h"
#include "base/err.h"
#include "io/error.h"
#include "model/frame.h"
#include "runtime/client.h"

static void mark_dirty(bb_client *client) {
  if (client->closing) return;
  bb_list_remove(&client->dirty);
  bb_list_append(&client->socket->dirty, &client->dirty);
}

static void on_beat(uv_timer_t *beat);

/* On the grid of the due times, so that both share a wake-up. */
static void start_beat(bb_socket *socket) {
  const uint64_t tick_ns = BB_SCHEDULE_TICK_MS * BB_NS_PER_MS;
  uint64_t left_ns = tick_ns - bb_clock_mono_ns(&socket->runtime->clock) % tick_ns;
  uv_update_time(socket->beat.loop);
  uv_timer_start(&socket->beat, on_beat, (left_ns + BB_NS_PER_MS - 1) / BB_NS_PER_MS, 0);
}

static void on_beat(uv_timer_t *beat) {
  bb_socket *socket = beat->data;
  if (bb_list_empty(&socket->gathering)) return;
  while (!bb_list_empty(&socket->gathering)) {
    mark_dirty(BB_LIST_ITEM(bb_list_first(&socket->gathering), bb_client, dirty));
  }
  start_beat(socket);
}

static size_t waiting(const bb_client *client) {
  return client->batches.len - client->batches_at;
}

/* What it has goes now, or with the next beat where some went just now; a full chunk waits for none. */
static void mark_gathering(bb_client *client) {
  bb_socket *socket = client->socket;
  bool beating = uv_is_active((uv_handle_t *)&socket->beat);
  if (!beating) start_beat(socket);
  if (!beating || waiting(client) >= BB_CLIENT_CHUNK_BYTES) {
    mark_dirty(client);
  } else if (bb_list_empty(&client->dirty)) {
    bb_list_append(&socket->gathering, &client->dirty);
  }
}

bb_json_writer bb_client_begin(bb_socket *socket) {
  bb_json_writer json;
  if (socket->scratch.cap > BB_CLIENT_KEEP_BYTES) bb_buf_close(&socket->scratch);
  bb_buf_clear(&socket->scratch);
  bb_json_writer_init(&json, &socket->scratch);
  bb_json_writer_map(&json, NULL);
  return json;
}

/* A client is closed at the end of the loop's round, because its end is news for others, and news may
 * just be being written. */
static void doom(bb_client *client, const char *why) {
  if (client->doomed == NULL) client->doomed = why;
  mark_dirty(client);
}

/* A client for whose answers and events there is no room does not take them. */
static void append(bb_client *client, bb_socket_type type, const bb_buf *body) {
  uint8_t header[BB_SOCKET_HEADER];
  if (client->closing || client->doomed != NULL) return;
  if (body->len + BB_SOCKET_HEADER > BB_CLIENT_ANSWER_BYTES - client->answers.len) {
    doom(client, "it does not take its answers and events");
    return;
  }
  bb_socket_frame_put(header, type, body->len);
  bb_buf_append(&client->answers, header, sizeof(header));
  bb_buf_append(&client->answers, body->bytes, body->len);
  if (client->answers.failed < 0) doom(client, "out of memory");
}

static void end_message(bb_client *client, bb_socket_type type, bb_json_writer *json) {
  bb_buf *scratch = json->out;
  while (json->depth > 0) bb_json_writer_end(json);
  if (bb_json_writer_finish(json) < 0) {
    doom(client, "an answer has no room; ask for fewer devices");
    return;
  }
  append(client, type, scratch);
}

void bb_client_end(bb_client *client, bb_socket_type type, bb_json_writer *json) {
  end_message(client, type, json);
  mark_dirty(client);
}

void bb_client_end_soon(bb_client *client, bb_socket_type type, bb_json_writer *json) {
  end_message(client, type, json);
  mark_gathering(client);
}

void bb_client_end_event(bb_socket *socket, bb_json_writer *json, const char *device) {
  bb_json_writer_end(json);
  if (bb_json_writer_finish(json) < 0) return;
  for (bb_list *node = socket->clients.next; node != &socket->clients;) {
    bb_client *client = BB_LIST_ITEM(node, bb_client, link);
    node = node->next;
    if (client->events && (device == NULL || bb_client_wants_events(client, device))) {
      append(client, BB_SOCKET_EVENT, &socket->scratch);
      mark_dirty(client);
    }
  }
}

void bb_client_put_time(bb_json_writer *json, const char *key, int64_t ns) {
  if (ns != 0) bb_json_writer_int(json, key, ns / (int64_t)BB_NS_PER_MS);
}

void bb_client_put_reason(bb_json_writer *json, const bb_reason *reason) {
  if (reason->text[0] != 0) bb_json_writer_text(json, "reason", reason->text);
  if (reason->code != 0) bb_json_writer_text(json, "code", bb_error_name(reason->code));
  if (reason->raw != 0) bb_json_writer_uint(json, "raw", reason->raw);
}

void bb_client_send_frame(bb_client *client, const bb_buf *frame) {
  append(client, BB_SOCKET_FRAMES, frame);
  mark_dirty(client);
}

/* Bytes of the first batch that waits, as a whole message. */
static size_t first_bytes(const bb_client *client) {
  return 4u + bb_get_le32(client->batches.bytes + client->batches_at);
}

static void let_room(bb_client *client, size_t len) {
  while (waiting(client) > 0 && waiting(client) + len > BB_CLIENT_BATCH_BYTES) {
    client->batches_at += first_bytes(client);
    client->dropped++;
    client->socket->dropped++;
  }
  if (waiting(client) == 0) {
    if (client->batches.cap > BB_CLIENT_KEEP_BYTES && len == 0) bb_buf_close(&client->batches);
    bb_buf_clear(&client->batches);
    client->batches_at = 0;
  } else if (client->batches_at >= BB_CLIENT_BATCH_BYTES) {
    bb_buf_drop(&client->batches, client->batches_at);
    client->batches_at = 0;
  }
}

void bb_client_send_batch(bb_client *client, uint32_t number, const bb_batch *batch) {
  size_t len = bb_frame_batch_bytes(batch);
  if (client->closing) return;
  let_room(client, BB_SOCKET_HEADER + len);
  uint8_t *place =
      len <= BB_SOCKET_MAX_FRAMES ? bb_buf_extend(&client->batches, BB_SOCKET_HEADER + len) : NULL;
  if (place == NULL) {
    client->batches.failed = 0;
    client->dropped++;
    client->socket->dropped++;
    return;
  }
  bb_socket_frame_put(place, BB_SOCKET_FRAMES, len);
  bb_frame_put_batch(place + BB_SOCKET_HEADER, number, batch);
  mark_gathering(client);
}

/* Before the next batch it is said how many are missing. */
static void tell_dropped(bb_client *client) {
  if (client->dropped == client->dropped_told) return;
  bb_json_writer json = bb_client_begin(client->socket);
  bb_json_writer_text(&json, "event", "dropped");
  bb_json_writer_uint(&json, "batches", client->dropped - client->dropped_told);
  bb_json_writer_uint(&json, "total", client->dropped);
  client->dropped_told = client->dropped;
  bb_client_end(client, BB_SOCKET_EVENT, &json);
}

static void pick_batches(bb_client *client) {
  while (client->batches_at < client->batches.len) {
    size_t one = first_bytes(client);
    if (client->writing.len > 0 && client->writing.len + one > BB_CLIENT_CHUNK_BYTES) break;
    const uint8_t *from = client->batches.bytes + client->batches_at;
    if (bb_buf_append(&client->writing, from, one) < 0) break;
    client->batches_at += one;
  }
  let_room(client, 0);
  if (client->writing.failed < 0) doom(client, "out of memory");
}

/* Fills `writing` with what goes next. */
static void pick(bb_client *client) {
  if (client->writing.cap > BB_CLIENT_KEEP_BYTES) bb_buf_close(&client->writing);
  bb_buf_clear(&client->writing);
  tell_dropped(client);
  if (client->answers.len > 0) {
    bb_buf swap = client->writing;
    client->writing = client->answers;
    client->answers = swap;
  }
  pick_batches(client);
}

static void on_written(uv_write_t *write, int status) {
  bb_client *client = write->data;
  client->writing_now = false;
  if (client->closing) return;
  if (status < 0) {
    bb_client_close(client, NULL);
    return;
  }
  bb_client_flush(client);
  bb_client_resume(client);
}

void bb_client_flush(bb_client *client) {
  if (client->closing) return;
  if (client->doomed != NULL) {
    bb_client_close(client, client->doomed);
    return;
  }
  if (client->writing_now) return;
  pick(client);
  if (client->writing.len == 0) return;
  uv_buf_t buf = uv_buf_init((char *)client->writing.bytes, (unsigned)client->writing.len);
  client->writing_now = true;
  int err = uv_write(&client->write, (uv_stream_t *)&client->pipe, &buf, 1, on_written);
  if (err < 0) {
    client->writing_now = false;
    bb_client_close(client, NULL);
  }
}
