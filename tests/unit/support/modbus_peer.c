/* SPDX-License-Identifier: Apache-2.0 */
/* See modbus_peer.h. */
#include "support/modbus_peer.h"

#include <stdlib.h>
#include <string.h>

#include "support/expect.h"

typedef struct {
  uv_timer_t timer;
  modbus_peer_client *client;
  size_t len, sent, piece;
  uint8_t bytes[1024];
} later;

static unsigned be16(const uint8_t *p) {
  return (unsigned)p[0] << 8 | p[1];
}

/* By the bit, unlike the table of the code under test. */
static unsigned crc16(const uint8_t *bytes, size_t len) {
  unsigned crc = 0xFFFF;
  for (size_t i = 0; i < len; i++) {
    crc ^= bytes[i];
    for (int bit = 0; bit < 8; bit++) crc = (crc & 1) != 0 ? crc >> 1 ^ 0xA001 : crc >> 1;
  }
  return crc;
}

static void on_freed(uv_handle_t *handle) {
  modbus_peer_client *client = handle->data;
  modbus_peer *peer = client->peer;
  for (int i = 0; i < MODBUS_PEER_CLIENTS; i++) {
    if (peer->clients[i] == client) peer->clients[i] = NULL;
  }
  peer->n_open--;
  free(client);
}

void modbus_peer_drop(modbus_peer_client *client, bool hard) {
  if (!client->open) return;
  client->open = false;
  if (!hard || uv_tcp_close_reset(&client->as.tcp, on_freed) != 0) {
    uv_close(&client->as.handle, on_freed);
  }
}

void modbus_peer_drop_all(modbus_peer *peer, bool hard) {
  for (int i = 0; i < MODBUS_PEER_CLIENTS; i++) {
    if (peer->clients[i] != NULL) modbus_peer_drop(peer->clients[i], hard);
  }
}

void modbus_peer_send(modbus_peer_client *client, const uint8_t *bytes, size_t len) {
  uv_buf_t buf = uv_buf_init((char *)bytes, (unsigned)len);
  if (client->open) uv_try_write(&client->as.stream, &buf, 1);
}

static void on_later_closed(uv_handle_t *handle) {
  free(handle->data);
}

static bool is_alive(const modbus_peer *peer, const modbus_peer_client *client) {
  for (int i = 0; i < MODBUS_PEER_CLIENTS; i++) {
    if (peer->clients[i] == client) return true;
  }
  return false;
}

static void on_later(uv_timer_t *timer) {
  later *l = timer->data;
  modbus_peer *peer = timer->loop->data;
  size_t n = l->len - l->sent;
  if (l->piece > 0 && n > l->piece) n = l->piece;
  if (is_alive(peer, l->client)) modbus_peer_send(l->client, l->bytes + l->sent, n);
  l->sent += n;
  if (l->sent == l->len) uv_close((uv_handle_t *)timer, on_later_closed);
}

void modbus_peer_send_later(modbus_peer_client *client, const uint8_t *bytes, size_t len,
                            uint32_t delay_ms, size_t piece) {
  later *l = calloc(1, sizeof(*l));
  expect_true("memory of the test", l != NULL && len <= sizeof(l->bytes));
  l->client = client;
  l->len = len;
  l->piece = piece;
  memcpy(l->bytes, bytes, len);
  l->timer.data = l;
  client->peer->loop->data = client->peer;
  uv_timer_init(client->peer->loop, &l->timer);
  uv_update_time(client->peer->loop);
  uv_timer_start(&l->timer, on_later, delay_ms, 2);
}

static size_t build_pdu(const modbus_peer *peer, const modbus_peer_request *request, uint8_t *pdu) {
  const uint8_t *asked = request->frame + (peer->rtu ? 1 : 7);
  pdu[0] = request->function;
  switch (request->function) {
  case 1:
  case 2:
    pdu[1] = (uint8_t)((request->count + 7) / 8);
    memset(pdu + 2, 0, pdu[1]);
    for (unsigned i = 0; i < request->count; i++) {
      if ((request->address + i) % 3 == 0) pdu[2 + i / 8] |= (uint8_t)(1 << i % 8);
    }
    return 2u + pdu[1];
  case 3:
  case 4:
    pdu[1] = (uint8_t)(request->count * 2);
    for (unsigned i = 0; i < request->count; i++) {
      unsigned value = 1000 + request->address + i;
      pdu[2 + 2 * i] = (uint8_t)(value >> 8);
      pdu[3 + 2 * i] = (uint8_t)value;
    }
    return 2u + pdu[1];
  case 22:
    memcpy(pdu, asked, 7);
    return 7;
  default:
    memcpy(pdu, asked, 5);
    return 5;
  }
}

static size_t wrap(const modbus_peer *peer, const modbus_peer_request *request, uint8_t *out,
                   size_t pdu_len) {
  if (peer->rtu) {
    out[0] = request->unit;
    unsigned crc = crc16(out, 1 + pdu_len);
    out[1 + pdu_len] = (uint8_t)crc;
    out[2 + pdu_len] = (uint8_t)(crc >> 8);
    return 3 + pdu_len;
  }
  uint8_t head[7] = {
      (uint8_t)(request->id >> 8), (uint8_t)request->id, 0, 0, (uint8_t)((pdu_len + 1) >> 8),
      (uint8_t)(pdu_len + 1),      request->unit};
  memcpy(out, head, sizeof(head));
  return 7 + pdu_len;
}

size_t modbus_peer_build(const modbus_peer *peer, const modbus_peer_request *request,
                         uint8_t *out) {
  return wrap(peer, request, out, build_pdu(peer, request, out + (peer->rtu ? 1 : 7)));
}

void modbus_peer_answer(modbus_peer *peer, const modbus_peer_request *request) {
  uint8_t out[300];
  modbus_peer_send(request->client, out, modbus_peer_build(peer, request, out));
}

void modbus_peer_refuse(modbus_peer *peer, const modbus_peer_request *request, uint8_t exception) {
  uint8_t out[16];
  uint8_t *pdu = out + (peer->rtu ? 1 : 7);
  pdu[0] = request->function | 0x80;
  pdu[1] = exception;
  modbus_peer_send(request->client, out, wrap(peer, request, out, 2));
}

/* Length of the frame that the bytes begin with; 0 if it is not complete. */
static size_t frame_len(const modbus_peer *peer, const uint8_t *bytes, size_t len) {
  if (peer->rtu) {
    if (len < 8) return 0;
    size_t whole = bytes[1] == 15 || bytes[1] == 16 ? 9u + bytes[6] : bytes[1] == 22 ? 10u : 8u;
    return len >= whole ? whole : 0;
  }
  return len >= 6 && len >= 6 + be16(bytes + 4) ? 6 + be16(bytes + 4) : 0;
}

static void take(modbus_peer_client *client, size_t len) {
  modbus_peer *peer = client->peer;
  modbus_peer_request *request = &peer->last;
  const uint8_t *pdu = client->bytes + (peer->rtu ? 1 : 7);
  *request = (modbus_peer_request){.client = client, .len = len};
  memcpy(request->frame, client->bytes, len);
  request->id = peer->rtu ? 0 : (uint16_t)be16(client->bytes);
  request->unit = pdu[-1];
  request->function = pdu[0];
  request->address = (uint16_t)be16(pdu + 1);
  request->count = (uint16_t)be16(pdu + 3);
  peer->n_requests++;
  if (peer->mute) return;
  if (peer->on_request != NULL) {
    modbus_peer_request copy = *request;
    peer->on_request(peer, &copy);
  } else {
    modbus_peer_answer(peer, request);
  }
}

static void alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
  modbus_peer_client *client = handle->data;
  (void)suggested;
  *buf = uv_buf_init((char *)client->bytes + client->len,
                     (unsigned)(sizeof(client->bytes) - client->len));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
  modbus_peer_client *client = stream->data;
  (void)buf;
  if (n < 0) {
    modbus_peer_drop(client, false);
    return;
  }
  client->len += (size_t)n;
  size_t len;
  while (client->open && (len = frame_len(client->peer, client->bytes, client->len)) > 0) {
    take(client, len);
    client->len -= len;
    memmove(client->bytes, client->bytes + len, client->len);
  }
}

static modbus_peer_client *add_client(modbus_peer *peer) {
  modbus_peer_client *client = calloc(1, sizeof(*client));
  int place = 0;
  expect_true("memory of the test", client != NULL);
  while (place < MODBUS_PEER_CLIENTS && peer->clients[place] != NULL) place++;
  expect_true("room for clients", place < MODBUS_PEER_CLIENTS);
  peer->clients[place] = client;
  client->peer = peer;
  client->open = true;
  peer->n_accepted++;
  peer->n_open++;
  return client;
}

static void on_connection(uv_stream_t *listener, int status) {
  modbus_peer *peer = listener->data;
  modbus_peer_client *client = add_client(peer);
  expect_int("connection", status, 0);
  uv_tcp_init(peer->loop, &client->as.tcp);
  client->as.handle.data = client;
  expect_int("accept", uv_accept(listener, &client->as.stream), 0);
  uv_tcp_nodelay(&client->as.tcp, 1);
  if (peer->close_at_once) {
    modbus_peer_drop(client, false);
  } else {
    uv_read_start(&client->as.stream, alloc, on_read);
  }
}

void modbus_peer_open_serial(modbus_peer *peer, uv_loop_t *loop, int fd) {
  peer->loop = loop;
  peer->rtu = true;
  modbus_peer_client *client = add_client(peer);
  uv_pipe_init(loop, &client->as.pipe, 0);
  client->as.handle.data = client;
  expect_int("pipe", uv_pipe_open(&client->as.pipe, fd), 0);
  expect_int("read", uv_read_start(&client->as.stream, alloc, on_read), 0);
}

void modbus_peer_open(modbus_peer *peer, uv_loop_t *loop) {
  union {
    struct sockaddr any;
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;
  } address = {.any.sa_family = AF_INET};
  int len = sizeof(address);
  const char *host = peer->host != NULL ? peer->host : "127.0.0.1";
  peer->loop = loop;
  peer->listener.data = peer;
  uv_tcp_init(loop, &peer->listener);
  if (uv_ip4_addr(host, peer->port, &address.v4) < 0) uv_ip6_addr(host, peer->port, &address.v6);
  expect_int("bind", uv_tcp_bind(&peer->listener, &address.any, 0), 0);
  expect_int("listen", uv_listen((uv_stream_t *)&peer->listener, 64, on_connection), 0);
  uv_tcp_getsockname(&peer->listener, &address.any, &len);
  peer->port = ntohs(address.v4.sin_port); /* which lies in the same place in both families */
}

void modbus_peer_close(modbus_peer *peer) {
  modbus_peer_drop_all(peer, false);
  bool listens = peer->listener.data != NULL;
  if (listens && !uv_is_closing((uv_handle_t *)&peer->listener)) {
    uv_close((uv_handle_t *)&peer->listener, NULL);
  }
}
