/* SPDX-License-Identifier: Apache-2.0 */
/* A client's life, and what it sends: whole messages out of its bytes; see client.h. */
#include "runtime/client.h"

#include <stdlib.h>

#include "base/bytes.h"
#include "base/err.h"
#include "io/error.h"

#define READ_BYTES (64u << 10)

static void on_closed(uv_handle_t *handle) {
  bb_client *client = handle->data;
  bb_socket *socket = client->socket;
  bb_buf_close(&client->in);
  bb_buf_close(&client->answers);
  bb_buf_close(&client->batches);
  bb_buf_close(&client->writing);
  free(client);
  bb_socket_let_go(socket);
}

static void let_calls_go(bb_client *client) {
  while (!bb_list_empty(&client->calls)) {
    bb_call *call = BB_LIST_ITEM(bb_list_first(&client->calls), bb_call, link);
    bb_list_remove(&call->link);
    call->client = NULL;
    call->on_gone(call);
  }
}

void bb_client_close(bb_client *client, const char *why) {
  bb_socket *socket = client->socket;
  if (client->closing) return;
  client->closing = true;
  const char *name = client->name[0] != 0 ? client->name : "without a name";
  if (why != NULL) {
    bb_log_warn(socket->runtime->log, "socket", "client %s was closed: %s", name, why);
  }
  if (socket->big == client) socket->big = NULL;
  bb_list_remove(&client->link);
  bb_socket_client_left(client);
  bb_list_remove(&client->dirty);
  socket->n_clients--;
  let_calls_go(client);
  bb_client_drop_puts(client);
  bb_client_unsubscribe(client);
  bb_client_leave_devices(client);
  uv_close((uv_handle_t *)&client->pipe, on_closed);
}

static void serve(bb_client *client, const bb_socket_frame *frame) {
  if (frame->type == BB_SOCKET_REQUEST) {
    bb_client_take_request(client, frame->body, frame->len);
  } else if (frame->type == BB_SOCKET_FRAMES && client->greeted) {
    bb_client_take_frames(client, frame->body, frame->len);
  } else if (frame->type == BB_SOCKET_PUT && client->greeted) {
    bb_client_take_put(client, frame->body, frame->len);
  } else {
    bb_client_close(client, "it sent a message that only the runtime sends, or no hello");
  }
}

/* Documents may be large; one client at a time may send one, so that memory stays bounded. */
static bool may_grow(bb_client *client) {
  bb_socket *socket = client->socket;
  if (client->in.len < BB_SOCKET_HEADER || bb_get_le32(client->in.bytes) <= BB_CLIENT_INPUT_BYTES) {
    return true;
  }
  if (socket->big != NULL && socket->big != client) return false;
  socket->big = client;
  return true;
}

/* Serves all whole messages that are there, unless answers pile up. */
static void take(bb_client *client) {
  size_t at = 0;
  client->busy_reading = true;
  while (!client->closing) {
    bb_socket_frame frame;
    client->held = client->answers.len > BB_CLIENT_HOLD_BYTES;
    if (client->held) break;
    int used = bb_socket_frame_peek(client->in.bytes + at, client->in.len - at, &frame);
    if (used < 0) bb_client_close(client, bb_err_text(used));
    if (used <= 0) break;
    serve(client, &frame);
    at += (size_t)used;
    if (client->socket->big == client) client->socket->big = NULL;
  }
  client->busy_reading = false;
  bb_buf_drop(&client->in, at);
  if (client->closing) return;
  if (!may_grow(client)) bb_client_close(client, "another client is sending a document; try again");
  if (client->in.len == 0 && client->in.cap > BB_CLIENT_KEEP_BYTES) bb_buf_close(&client->in);
}

static void alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
  bb_client *client = handle->data;
  (void)suggested;
  bool room = bb_buf_reserve(&client->in, READ_BYTES) == 0;
  /* libuv gives UV_ENOBUFS to the reader for an empty one. */
  *buf = room ? uv_buf_init((char *)client->in.bytes + client->in.len, READ_BYTES)
              : uv_buf_init(NULL, 0);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
  bb_client *client = stream->data;
  (void)buf;
  if (n == UV_EOF) {
    bb_client_close(client, NULL);
  } else if (n < 0) {
    bb_client_close(client, bb_error_text((int)n));
  } else if (n > 0) {
    bb_buf_extend(&client->in, (size_t)n);
    take(client);
    if (client->held && !client->closing) uv_read_stop(stream);
  }
}

void bb_client_resume(bb_client *client) {
  if (!client->held || client->closing || client->busy_reading) return;
  take(client);
  if (client->held || client->closing) return;
  uv_read_start((uv_stream_t *)&client->pipe, alloc, on_read);
}

static void init(bb_client *client, bb_socket *socket) {
  client->socket = socket;
  bb_buf_init(&client->in, BB_SOCKET_HEADER + BB_SOCKET_MAX_JSON + READ_BYTES);
  bb_buf_init(&client->answers, BB_CLIENT_ANSWER_BYTES + BB_SOCKET_HEADER);
  bb_buf_init(&client->writing, BB_CLIENT_ANSWER_BYTES + BB_SOCKET_HEADER);
  bb_buf_init(&client->batches, 2 * (size_t)BB_CLIENT_BATCH_BYTES);
  bb_list_init(&client->dirty);
  bb_list_init(&client->calls);
  bb_list_init(&client->puts);
  client->shapes.max = BB_CLIENT_MAX_SHAPES;
  client->sources.max = BB_MAX_DEVICES;
  client->source_shapes.max = BB_CLIENT_MAX_SOURCE_SHAPES;
  uv_pipe_init(socket->runtime->loop, &client->pipe, 0);
  client->pipe.data = client;
  client->write.data = client;
  socket->handles++;
  socket->n_clients++;
  socket->clients_total++;
  bb_list_append(&socket->clients, &client->link);
}

bb_client *bb_client_new(bb_socket *socket) {
  bb_client *client = calloc(1, sizeof(*client));
  if (client == NULL) return NULL;
  init(client, socket);
  int err = uv_accept((uv_stream_t *)&socket->listener, (uv_stream_t *)&client->pipe);
  if (err == 0) err = uv_read_start((uv_stream_t *)&client->pipe, alloc, on_read);
  if (err < 0) bb_client_close(client, bb_error_text(err));
  return client;
}
