/* SPDX-License-Identifier: Apache-2.0 */
/* See http_lookup.h. */
#include "io/http_lookup.h"

#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"

struct bb_http_lookup {
  uv_getaddrinfo_t request;
  bb_http_lookup_cb on_done; /* NULL: dropped */
  void *user;
  uint16_t port;
  char host[BB_HTTP_MAX_HOST + 1];
};

bool bb_http_lookup_needed(const bb_http_url *peer) {
  static const char own[] = ".localhost";
  size_t len = strlen(peer->host), own_len = sizeof(own) - 1;
  if (peer->literal || strcasecmp(peer->host, own + 1) == 0) return false;
  return len < own_len || strcasecmp(peer->host + len - own_len, own) != 0;
}

/* Appends an address; false when it is none that libcurl could use. */
static bool put_address(char *entry, size_t *len, const struct addrinfo *info, bool first) {
  char text[INET6_ADDRSTRLEN];
  bool v6 = info->ai_family == AF_INET6;
  int err = v6 ? uv_ip6_name((const struct sockaddr_in6 *)info->ai_addr, text, sizeof(text))
               : uv_ip4_name((const struct sockaddr_in *)info->ai_addr, text, sizeof(text));
  if (err < 0 || (!v6 && info->ai_family != AF_INET)) return false;
  int n = snprintf(entry + *len, BB_HTTP_MAX_ENTRY - *len, "%s%s%s%s", first ? "" : ",",
                   v6 ? "[" : "", text, v6 ? "]" : "");
  *len += (size_t)n;
  return true;
}

static void on_answer(uv_getaddrinfo_t *request, int status, struct addrinfo *found) {
  bb_http_lookup *lookup = request->data;
  char entry[BB_HTTP_MAX_ENTRY];
  size_t len = (size_t)snprintf(entry, sizeof(entry), "%s:%u:", lookup->host, lookup->port);
  int n = 0;
  for (struct addrinfo *info = found; info != NULL && n < BB_HTTP_MAX_ADDRESSES;
       info = info->ai_next) {
    n += put_address(entry, &len, info, n == 0);
  }
  uv_freeaddrinfo(found);
  if (status == 0 && n == 0) status = UV_EAI_NODATA;
  bb_http_lookup_cb on_done = lookup->on_done;
  void *user = lookup->user;
  free(lookup);
  if (on_done != NULL) on_done(user, status, status == 0 ? entry : NULL);
}

int bb_http_lookup_start(bb_http_lookup **out, uv_loop_t *loop, const bb_http_url *peer,
                         bb_http_lookup_cb on_done, void *user) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
  bb_http_lookup *lookup = calloc(1, sizeof(*lookup));
  if (lookup == NULL) return BB_ERR_NOMEM;
  lookup->request.data = lookup;
  lookup->on_done = on_done;
  lookup->user = user;
  lookup->port = peer->port;
  memcpy(lookup->host, peer->host, sizeof(lookup->host));
  int err = uv_getaddrinfo(loop, &lookup->request, on_answer, lookup->host, NULL, &hints);
  if (err < 0) {
    free(lookup);
    return err;
  }
  *out = lookup;
  return 0;
}

void bb_http_lookup_drop(bb_http_lookup *lookup) {
  if (lookup == NULL) return;
  lookup->on_done = NULL;
  uv_cancel((uv_req_t *)&lookup->request);
}
