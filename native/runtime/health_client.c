/* SPDX-License-Identifier: Apache-2.0 */
/* See health_client.h. */
#include "runtime/health_client.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "runtime/health_page.h"

#define TEXT "text/plain; charset=utf-8"
#define EXPOSITION "text/plain; version=0.0.4; charset=utf-8"
#define CHUNK_HEAD 10 /* "0000abcd\r\n" */

static void take_request(bb_health_client *client);
static void send_slice(bb_health_client *client);
static void on_written(uv_write_t *write, int status);

static void on_handle_closed(uv_handle_t *handle) {
  bb_health_client *client = handle->data;
  if (--client->handles > 0) return;
  bb_health *health = client->health;
  bb_metrics_end(&client->metrics);
  bb_buf_close(&client->out);
  bb_list_remove(&client->link);
  free(client);
  bb_health_client_closed(health);
}

void bb_health_client_close(bb_health_client *client) {
  if (client->closing) return;
  client->closing = true;
  uv_close((uv_handle_t *)&client->tcp, on_handle_closed);
  uv_close((uv_handle_t *)&client->idle, on_handle_closed);
  uv_close((uv_handle_t *)&client->next, on_handle_closed);
}

static void on_idle(uv_timer_t *timer) {
  bb_health_client_close(timer->data);
}

static void on_room(uv_handle_t *handle, size_t hint, uv_buf_t *buf) {
  bb_health_client *client = handle->data;
  (void)hint;
  if (client->parting) client->in_len = 0;
  *buf = uv_buf_init((char *)client->in + client->in_len,
                     (unsigned)(sizeof(client->in) - client->in_len));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
  bb_health_client *client = stream->data;
  (void)buf;
  if (n < 0) {
    bb_health_client_close(client);
  } else if (!client->parting) {
    client->in_len += (size_t)n;
    take_request(client);
  }
}

static void on_shutdown(uv_shutdown_t *shutdown, int status) {
  bb_health_client *client = shutdown->data;
  if (client->closing) return;
  if (status < 0 || uv_read_start((uv_stream_t *)&client->tcp, on_room, on_read) < 0) {
    bb_health_client_close(client);
    return;
  }
  uv_timer_start(&client->idle, on_idle, BB_HEALTH_PARTING_MS, 0);
}

/* Closing at once with bytes unread would reset the connection, and the answer could be lost. */
static void part(bb_health_client *client) {
  client->parting = true;
  client->shutdown.data = client;
  if (uv_shutdown(&client->shutdown, (uv_stream_t *)&client->tcp, on_shutdown) < 0) {
    bb_health_client_close(client);
  }
}

static void flush(bb_health_client *client) {
  uv_buf_t buf = uv_buf_init((char *)client->out.bytes, (unsigned)client->out.len);
  client->write.data = client;
  int err = client->out.failed;
  if (err == 0) {
    err = uv_write(&client->write, (uv_stream_t *)&client->tcp, &buf, 1, on_written);
  }
  if (err < 0) bb_health_client_close(client);
}

static void on_next(uv_timer_t *timer) {
  send_slice(timer->data);
}

/* The loop may tell of several writes in one turn, so the next slice waits for the next turn. */
static void on_written(uv_write_t *write, int status) {
  bb_health_client *client = write->data;
  if (client->closing) return;
  if (status < 0) {
    bb_health_client_close(client);
    return;
  }
  uv_timer_start(&client->idle, on_idle, BB_HEALTH_IDLE_MS, 0);
  bb_buf_clear(&client->out);
  if (client->streaming) {
    uv_timer_start(&client->next, on_next, 0, 0);
  } else if (client->keep_alive) {
    take_request(client);
  } else {
    part(client);
  }
}

/* Status line and headers; `len` < 0: chunks, or what comes until the end. */
static void put_head(bb_health_client *client, const char *status, const char *type, long len) {
  bb_buf *out = &client->out;
  bb_buf_printf(out, "HTTP/1.1 %s\r\nContent-Type: %s\r\nCache-Control: no-store\r\n", status,
                type);
  if (strncmp(status, "405", 3) == 0) bb_buf_text(out, "Allow: GET, HEAD\r\n");
  if (len >= 0) bb_buf_printf(out, "Content-Length: %ld\r\n", len);
  if (len < 0 && client->chunks) bb_buf_text(out, "Transfer-Encoding: chunked\r\n");
  bb_buf_printf(out, "Connection: %s\r\n\r\n", client->keep_alive ? "keep-alive" : "close");
}

static void answer(bb_health_client *client, bb_health_method method, const char *status,
                   const char *body) {
  put_head(client, status, TEXT, (long)strlen(body));
  if (method != BB_HEALTH_HEAD) bb_buf_text(&client->out, body);
  flush(client);
}

/* A write of nothing is a turn of the loop, too: the count of descriptors goes on after it. */
static void send_slice(bb_health_client *client) {
  bb_buf *out = &client->out;
  size_t start = out->len;
  if (client->chunks) bb_buf_extend(out, CHUNK_HEAD);
  size_t body = out->len;
  int more = bb_metrics_slice(&client->metrics, out);
  size_t len = out->len - body;
  if (more < 0 || out->failed < 0) {
    bb_health_client_close(client);
    return;
  }
  if (client->chunks && len == 0) {
    out->len = start;
  } else if (client->chunks) {
    char head[CHUNK_HEAD + 1];
    snprintf(head, sizeof(head), "%08x\r\n", (unsigned)len);
    memcpy(out->bytes + start, head, CHUNK_HEAD);
    bb_buf_text(out, "\r\n");
  }
  if (more == 0) {
    client->streaming = false;
    bb_metrics_end(&client->metrics);
    if (client->chunks) bb_buf_text(out, "0\r\n\r\n");
  }
  flush(client);
}

static void answer_metrics(bb_health_client *client, bb_health_method method) {
  if (!client->chunks) client->keep_alive = false;
  put_head(client, "200 OK", EXPOSITION, -1);
  if (method == BB_HEALTH_HEAD) {
    flush(client);
    return;
  }
  client->streaming = true;
  bb_metrics_start(&client->metrics, client->health->runtime);
  send_slice(client);
}

static void answer_alive(bb_health_client *client, bb_health_method method) {
  bb_buf page;
  bb_buf_init(&page, BB_METRICS_MAX_BYTES);
  bb_health_page_alive(client->health->runtime, &page);
  answer(client, method, "200 OK", bb_buf_string(&page));
  bb_buf_close(&page);
}

static void answer_ready(bb_health_client *client, bb_health_method method) {
  bb_buf page;
  bb_buf_init(&page, BB_METRICS_MAX_BYTES);
  bool ready = bb_health_page_ready(client->health->runtime, &page);
  answer(client, method, ready ? "200 OK" : "503 Service Unavailable", bb_buf_string(&page));
  bb_buf_close(&page);
}

static void answer_request(bb_health_client *client, const bb_health_request *request) {
  client->keep_alive = request->keep_alive;
  client->chunks = request->chunks;
  if (request->method == BB_HEALTH_OTHER) {
    answer(client, request->method, "405 Method Not Allowed", "allowed: GET, HEAD\n");
  } else if (strcmp(request->path, "/metrics") == 0) {
    answer_metrics(client, request->method);
  } else if (strcmp(request->path, "/healthz") == 0) {
    answer_alive(client, request->method);
  } else if (strcmp(request->path, "/readyz") == 0) {
    answer_ready(client, request->method);
  } else {
    answer(client, request->method, "404 Not Found", "there are /metrics, /healthz and /readyz\n");
  }
}

static void refuse(bb_health_client *client, int err) {
  client->keep_alive = false;
  if (err == BB_ERR_LIMIT) {
    answer(client, BB_HEALTH_GET, "431 Request Header Fields Too Large",
           "a request may have 8192 bytes\n");
  } else if (err == BB_ERR_VERSION) {
    answer(client, BB_HEALTH_GET, "505 HTTP Version Not Supported", "allowed: HTTP/1.1\n");
  } else if (err == BB_ERR_UNSUPPORTED) {
    answer(client, BB_HEALTH_GET, "413 Content Too Large", "allowed: requests without a body\n");
  } else {
    answer(client, BB_HEALTH_GET, "400 Bad Request", "this is no HTTP request\n");
  }
}

/* Answers the next request if it is there, else reads on. */
static void take_request(bb_health_client *client) {
  bb_health_request request;
  int used = bb_health_request_parse(&request, client->in, client->in_len);
  if (used == 0) {
    int err = uv_read_start((uv_stream_t *)&client->tcp, on_room, on_read);
    if (err < 0 && err != UV_EALREADY) bb_health_client_close(client);
    return;
  }
  uv_read_stop((uv_stream_t *)&client->tcp);
  if (used < 0) {
    refuse(client, used);
    return;
  }
  client->in_len -= (size_t)used;
  memmove(client->in, client->in + used, client->in_len);
  answer_request(client, &request);
}

int bb_health_client_open(bb_health *health, uv_stream_t *listener, bool turn_away) {
  bb_health_client *client = calloc(1, sizeof(*client));
  if (client == NULL) return BB_ERR_NOMEM;
  client->health = health;
  bb_buf_init(&client->out, 2 * BB_METRICS_MAX_BYTES);
  uv_tcp_init(health->runtime->loop, &client->tcp);
  uv_timer_init(health->runtime->loop, &client->idle);
  uv_timer_init(health->runtime->loop, &client->next);
  client->tcp.data = client->idle.data = client->next.data = client;
  client->handles = 3;
  bb_list_append(&health->clients, &client->link);
  int err = uv_accept(listener, (uv_stream_t *)&client->tcp);
  if (err < 0) {
    bb_health_client_close(client);
    return 0;
  }
  uv_timer_start(&client->idle, on_idle, BB_HEALTH_IDLE_MS, 0);
  if (turn_away) {
    answer(client, BB_HEALTH_GET, "503 Service Unavailable", "there are 16 clients already\n");
  } else {
    take_request(client);
  }
  return 0;
}
