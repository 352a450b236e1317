/* SPDX-License-Identifier: Apache-2.0 */
/* See http_peer.h. */
#include "support/http_peer.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <cmocka.h>
#include <zlib.h>

#define WAIT_MS 10000
#define MAX_BODY (8u << 20)

typedef struct http_peer_connection {
  uv_tcp_t tcp;
  uv_timer_t timer;
  http_peer *peer;
  unsigned number;
  unsigned handles;
  bool closing;
  char *in;
  size_t in_len;
  char *out; /* what is still to be sent */
  size_t out_len, out_at;
  http_peer_answer answer;
  struct http_peer_connection *next;
} connection;

static void on_handle_closed(uv_handle_t *handle) {
  connection *c = handle->data;
  if (--c->handles > 0) return;
  for (connection **at = &c->peer->connections; *at != NULL; at = &(*at)->next) {
    if (*at != c) continue;
    *at = c->next;
    break;
  }
  c->peer->n_open--;
  free(c->in);
  free(c->out);
  free(c);
}

static void close_connection(connection *c) {
  if (c->closing) return;
  c->closing = true;
  uv_close((uv_handle_t *)&c->tcp, on_handle_closed);
  uv_close((uv_handle_t *)&c->timer, on_handle_closed);
}

static void handle_input(connection *c);

static void on_written(uv_write_t *write, int status) {
  (void)status;
  free(write->data); /* what was sent */
  free(write);
}

static void send_piece(uv_timer_t *timer) {
  connection *c = timer->data;
  size_t len = c->out_len - c->out_at;
  if (c->answer.piece > 0 && len > c->answer.piece) len = c->answer.piece;
  uv_write_t *write = malloc(sizeof(*write));
  char *bytes = malloc(len + 1);
  uv_buf_t buf = uv_buf_init(memcpy(bytes, c->out + c->out_at, len), (unsigned)len);
  write->data = bytes;
  c->out_at += len;
  if (uv_write(write, (uv_stream_t *)&c->tcp, &buf, 1, on_written) < 0) on_written(write, 0);
  if (c->out_at < c->out_len) {
    uv_timer_start(&c->timer, send_piece, 1, 0);
  } else if (c->answer.close) {
    close_connection(c);
  } else {
    handle_input(c);
  }
}

static void start_answer(connection *c) {
  const http_peer_answer *answer = &c->answer;
  size_t len = answer->text == NULL ? 0 : answer->len > 0 ? answer->len : strlen(answer->text);
  free(c->out);
  c->out = malloc(len + answer->fill + 1);
  c->out_len = len + answer->fill;
  c->out_at = 0;
  if (len > 0) memcpy(c->out, answer->text, len);
  memset(c->out + len, 'x', answer->fill);
  if (c->out_len > 0 || answer->close) {
    uv_timer_start(&c->timer, send_piece, answer->delay_ms, 0);
  }
}

static char *inflate_all(const char *bytes, size_t len, size_t *out_len) {
  static char room[MAX_BODY];
  z_stream stream = {0};
  assert_int_equal(inflateInit2(&stream, 15 + 16), Z_OK);
  stream.next_in = (Bytef *)(void *)(size_t)bytes;
  stream.avail_in = (uInt)len;
  stream.next_out = (Bytef *)room;
  stream.avail_out = sizeof(room);
  assert_int_equal(inflate(&stream, Z_FINISH), Z_STREAM_END);
  *out_len = stream.total_out;
  inflateEnd(&stream);
  return strndup(room, *out_len);
}

const char *http_peer_header(const http_peer_request *request, const char *name) {
  static char value[1024];
  size_t len = strlen(name);
  for (const char *line = request->head; line != NULL; line = strstr(line, "\r\n")) {
    if (line[0] == '\r') line += 2;
    if (strncasecmp(line, name, len) != 0 || line[len] != ':') continue;
    line += len + 1 + strspn(line + len + 1, " ");
    snprintf(value, sizeof(value), "%.*s", (int)strcspn(line, "\r"), line);
    return value;
  }
  return NULL;
}

static void take_request(connection *c, size_t head_len, size_t body_len) {
  http_peer *peer = c->peer;
  assert_true(peer->n_requests < HTTP_PEER_REQUESTS);
  http_peer_request *request = &peer->requests[peer->n_requests];
  *request = (http_peer_request){.connection = c->number, .head = strndup(c->in, head_len)};
  const char *encoding = http_peer_header(request, "Content-Encoding");
  request->gzipped = encoding != NULL && strcmp(encoding, "gzip") == 0;
  if (request->gzipped) {
    request->body = inflate_all(c->in + head_len, body_len, &request->body_len);
  } else {
    request->body = strndup(c->in + head_len, body_len);
    request->body_len = body_len;
  }
  size_t i = peer->n_requests++;
  c->answer = (http_peer_answer){0};
  if (peer->n_answers > 0) {
    c->answer = peer->answers[i < peer->n_answers ? i : peer->n_answers - 1];
  }
  if (peer->on_request != NULL) peer->on_request(peer, request, &c->answer);
  c->in_len -= head_len + body_len;
  memmove(c->in, c->in + head_len + body_len, c->in_len);
  start_answer(c);
}

static void handle_input(connection *c) {
  if (c->in_len == 0) return;
  c->in[c->in_len] = 0;
  const char *end = strstr(c->in, "\r\n\r\n");
  if (end == NULL) return;
  size_t head_len = (size_t)(end - c->in) + 4, body_len = 0;
  http_peer_request head = {.head = strndup(c->in, head_len)};
  const char *length = http_peer_header(&head, "Content-Length");
  if (length != NULL) body_len = strtoul(length, NULL, 10);
  free(head.head);
  if (c->in_len >= head_len + body_len) take_request(c, head_len, body_len);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
  (void)handle;
  *buf = uv_buf_init(malloc(suggested), (unsigned)suggested);
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
  connection *c = stream->data;
  if (n < 0) {
    close_connection(c);
  } else if (n > 0) {
    c->in = realloc(c->in, c->in_len + (size_t)n + 1);
    memcpy(c->in + c->in_len, buf->base, (size_t)n);
    c->in_len += (size_t)n;
    handle_input(c);
  }
  free(buf->base);
}

static void on_connection(uv_stream_t *server, int status) {
  http_peer *peer = server->data;
  assert_int_equal(status, 0);
  connection *c = calloc(1, sizeof(*c));
  c->peer = peer;
  c->number = ++peer->n_connections;
  c->handles = 2;
  c->next = peer->connections;
  peer->connections = c;
  peer->n_open++;
  uv_tcp_init(server->loop, &c->tcp);
  uv_timer_init(server->loop, &c->timer);
  c->tcp.data = c->timer.data = c;
  assert_int_equal(uv_accept(server, (uv_stream_t *)&c->tcp), 0);
  uv_read_start((uv_stream_t *)&c->tcp, on_alloc, on_read);
}

void http_peer_open(http_peer *peer, uv_loop_t *loop) {
  struct sockaddr_in address;
  int len = sizeof(address);
  uv_ip4_addr("127.0.0.1", 0, &address);
  uv_tcp_init(loop, &peer->server);
  peer->server.data = peer;
  assert_int_equal(uv_tcp_bind(&peer->server, (const struct sockaddr *)&address, 0), 0);
  assert_int_equal(uv_listen((uv_stream_t *)&peer->server, 16, on_connection), 0);
  uv_tcp_getsockname(&peer->server, (struct sockaddr *)&address, &len);
  peer->port = ntohs(address.sin_port);
  snprintf(peer->url, sizeof(peer->url), "http://127.0.0.1:%u", peer->port);
}

static void on_server_closed(uv_handle_t *handle) {
  handle->data = NULL;
}

void http_peer_close(http_peer *peer) {
  uv_loop_t *loop = peer->server.loop;
  for (connection *c = peer->connections; c != NULL; c = c->next) close_connection(c);
  uv_close((uv_handle_t *)&peer->server, on_server_closed);
  while (peer->server.data != NULL || peer->n_open > 0) uv_run(loop, UV_RUN_ONCE);
  for (unsigned i = 0; i < peer->n_requests; i++) {
    free(peer->requests[i].head);
    free(peer->requests[i].body);
  }
}

static void on_late(uv_timer_t *timer) {
  *(bool *)timer->data = true;
}

static void on_timer_closed(uv_handle_t *handle) {
  *(bool *)handle->data = true;
}

void http_peer_wait(uv_loop_t *loop, const unsigned *done) {
  bool late = false, closed = false;
  uv_timer_t timer;
  uv_timer_init(loop, &timer);
  timer.data = &late;
  uv_timer_start(&timer, on_late, WAIT_MS, 0);
  while (*done == 0 && !late) uv_run(loop, UV_RUN_ONCE);
  timer.data = &closed;
  uv_close((uv_handle_t *)&timer, on_timer_closed);
  while (!closed) uv_run(loop, UV_RUN_NOWAIT);
  if (late) fail_msg("nothing happened for %d ms", WAIT_MS);
}

const char *http_peer_text(int status, const char *headers, const char *body) {
  static char texts[4][8192];
  static unsigned turn;
  char *text = texts[turn++ % 4];
  snprintf(text, sizeof(texts[0]), "HTTP/1.1 %d Some Reason\r\n%sContent-Length: %zu\r\n\r\n%s",
           status, headers, strlen(body), body);
  return text;
}
