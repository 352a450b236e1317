/* SPDX-License-Identifier: Apache-2.0 */
/* See health.h. */
#include "runtime/health.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "io/error.h"
#include "io/resolver.h"
#include "runtime/health_client.h"

#define SUBJECT "metrics"
#define TURNED_AWAY 8 /* clients too many that are told so; more are dropped without a word */

typedef struct bb_health_listener {
  uv_tcp_t tcp;
  bb_health *health;
} bb_health_listener;

bool bb_health_address_parse(const char *text, char *host, uint16_t *port) {
  const char *colon = strrchr(text, ':');
  if (colon == NULL || colon[1] < '0' || colon[1] > '9') return false;
  char *end;
  unsigned long number = strtoul(colon + 1, &end, 10);
  size_t len = (size_t)(colon - text);
  if (*end != 0 || number > UINT16_MAX || len == 0 || len >= 64) return false;
  bool v6 = text[0] == '[' && len > 2 && text[len - 1] == ']';
  memcpy(host, v6 ? text + 1 : text, v6 ? len - 2 : len);
  host[v6 ? len - 2 : len] = 0;
  if (strcmp(host, "localhost") == 0) memcpy(host, "127.0.0.1", sizeof("127.0.0.1"));
  struct sockaddr_storage address;
  *port = (uint16_t)number;
  return bb_resolve_literal(host, *port, &address) && v6 == (address.ss_family == AF_INET6);
}

void bb_health_init(bb_health *health, bb_runtime *runtime) {
  memset(health, 0, sizeof(*health));
  health->runtime = runtime;
  bb_list_init(&health->clients);
}

static void check_closed(bb_health *health) {
  if (health->on_closed == NULL || health->handles > 0 || health->n_clients > 0) return;
  void (*on_closed)(bb_health *) = health->on_closed;
  health->on_closed = NULL;
  on_closed(health);
}

void bb_health_client_closed(bb_health *health) {
  health->n_clients--;
  check_closed(health);
}

static void on_listener_closed(uv_handle_t *handle) {
  bb_health_listener *listener = handle->data;
  bb_health *health = listener->health;
  free(listener);
  health->handles--;
  check_closed(health);
}

static void close_listener(bb_health *health) {
  health->address[0] = 0;
  health->wanted[0] = 0;
  if (health->listener == NULL) return;
  uv_close((uv_handle_t *)&health->listener->tcp, on_listener_closed);
  health->listener = NULL;
}

static void on_connection(uv_stream_t *stream, int status) {
  bb_health *health = ((bb_health_listener *)stream->data)->health;
  if (status < 0 || health->on_closed != NULL) return;
  bool turn_away = health->n_clients >= BB_HEALTH_CLIENTS;
  if (bb_health_client_open(health, stream, turn_away) < 0) return;
  health->n_clients++;
  if (health->n_clients <= BB_HEALTH_CLIENTS + TURNED_AWAY) return;
  bb_health_client_close(BB_LIST_ITEM(health->clients.prev, bb_health_client, link));
}

static void read_address(bb_health *health) {
  struct sockaddr_storage at;
  int len = sizeof(at);
  char host[64] = "";
  if (uv_tcp_getsockname(&health->listener->tcp, (struct sockaddr *)&at, &len) < 0) return;
  const struct sockaddr_in *v4 = (const void *)&at;
  const struct sockaddr_in6 *v6 = (const void *)&at;
  if (at.ss_family == AF_INET6) {
    uv_ip6_name(v6, host, sizeof(host));
    snprintf(health->address, sizeof(health->address), "[%s]:%u", host, ntohs(v6->sin6_port));
  } else {
    uv_ip4_name(v4, host, sizeof(host));
    snprintf(health->address, sizeof(health->address), "%s:%u", host, ntohs(v4->sin_port));
  }
}

static bool is_loopback(const struct sockaddr_storage *address) {
  const struct sockaddr_in *v4 = (const void *)address;
  const struct sockaddr_in6 *v6 = (const void *)address;
  return address->ss_family == AF_INET6 ? IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr)
                                        : ntohl(v4->sin_addr.s_addr) >> 24 == 127;
}

static int open_listener(bb_health *health, const struct sockaddr_storage *address) {
  bb_health_listener *listener = calloc(1, sizeof(*listener));
  if (listener == NULL) return BB_ERR_NOMEM;
  listener->health = health;
  int err = uv_tcp_init(health->runtime->loop, &listener->tcp);
  if (err < 0) {
    free(listener);
    return err;
  }
  listener->tcp.data = listener;
  health->listener = listener;
  health->handles++;
  err = uv_tcp_bind(&listener->tcp, (const struct sockaddr *)address, 0);
  if (err == 0) err = uv_listen((uv_stream_t *)&listener->tcp, 64, on_connection);
  if (err < 0) close_listener(health);
  return err;
}

int bb_health_listen(bb_health *health, const char *address) {
  bb_log *log = health->runtime->log;
  struct sockaddr_storage at;
  char host[64];
  uint16_t port;
  bool off = address == NULL || strcmp(address, "off") == 0;
  if (!off && strcmp(address, health->wanted) == 0 && health->listener != NULL) return 0;
  close_listener(health);
  if (off) return 0;
  if (strlen(address) >= sizeof(health->wanted) || !bb_health_address_parse(address, host, &port)) {
    bb_log_warn(log, SUBJECT, "%s is no address; allowed: one like 127.0.0.1:9464, or off",
                address);
    return BB_ERR_INVALID;
  }
  bb_resolve_literal(host, port, &at);
  int err = open_listener(health, &at);
  if (err < 0) {
    bb_log_warn(log, SUBJECT,
                "cannot listen on %s: %s; there are no metrics and no health pages; set "
                "runtime.metrics to another address, or to off",
                address, bb_error_text(err));
    return err;
  }
  snprintf(health->wanted, sizeof(health->wanted), "%s", address);
  read_address(health);
  if (!is_loopback(&at)) {
    bb_log_warn(log, SUBJECT,
                "%s can be read by other machines, without a password; 127.0.0.1 keeps it here",
                health->address);
  }
  bb_log_info(log, SUBJECT, "http://%s/metrics", health->address);
  return 0;
}

void bb_health_close(bb_health *health, void (*on_closed)(bb_health *health)) {
  health->on_closed = on_closed;
  close_listener(health);
  for (bb_list *node = health->clients.next; node != &health->clients; node = node->next) {
    bb_health_client_close(BB_LIST_ITEM(node, bb_health_client, link));
  }
  check_closed(health);
}
