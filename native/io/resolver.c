/* SPDX-License-Identifier: Apache-2.0 */
/* See resolver.h. */
#include "io/resolver.h"

#include <string.h>

bool bb_resolve_literal(const char *host, uint16_t port, struct sockaddr_storage *out) {
  memset(out, 0, sizeof(*out));
  return uv_ip4_addr(host, port, (struct sockaddr_in *)out) == 0 ||
         uv_ip6_addr(host, port, (struct sockaddr_in6 *)out) == 0;
}

static void set_port(struct sockaddr_storage *address, uint16_t port) {
  if (address->ss_family == AF_INET6) {
    ((struct sockaddr_in6 *)address)->sin6_port = htons(port);
  } else {
    ((struct sockaddr_in *)address)->sin_port = htons(port);
  }
}

static void on_answer(uv_getaddrinfo_t *request, int status, struct addrinfo *found) {
  bb_resolve *resolve = request->data;
  resolve->busy = false;
  if (status == 0) {
    memcpy(&resolve->address, found->ai_addr, found->ai_addrlen);
    set_port(&resolve->address, resolve->port);
  }
  uv_freeaddrinfo(found);
  resolve->on_resolved(resolve, status,
                       status == 0 ? (const struct sockaddr *)&resolve->address : NULL);
}

int bb_resolve_start(bb_resolve *resolve, uv_loop_t *loop, const char *host, uint16_t port,
                     bb_resolve_cb on_resolved) {
  struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_ADDRCONFIG};
  resolve->request.data = resolve;
  resolve->on_resolved = on_resolved;
  resolve->port = port;
  int err = uv_getaddrinfo(loop, &resolve->request, on_answer, host, NULL, &hints);
  resolve->busy = err == 0;
  return err;
}

void bb_resolve_cancel(bb_resolve *resolve) {
  if (resolve->busy) uv_cancel((uv_req_t *)&resolve->request);
}
