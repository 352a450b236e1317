/* SPDX-License-Identifier: Apache-2.0 */
/* See resolver.h. */
#include "io/resolver.h"

#include <string.h>

bool bb_resolve_literal(const char *host, uint16_t port, struct sockaddr_storage *out) {
  memset(out, 0, sizeof(*out));
  return uv_ip4_addr(host, port, (struct sockaddr_in *)out) == 0 ||
         uv_ip6_addr(host, port, (struct sockaddr_in6 *)out) == 0;
}

/* False: of no family that can be connected to. */
static bool take_address(bb_resolve_address *out, const struct addrinfo *info, uint16_t port) {
  if (info->ai_family == AF_INET6) {
    memcpy(&out->v6, info->ai_addr, sizeof(out->v6));
    out->v6.sin6_port = htons(port);
  } else if (info->ai_family == AF_INET) {
    memcpy(&out->v4, info->ai_addr, sizeof(out->v4));
    out->v4.sin_port = htons(port);
  }
  return info->ai_family == AF_INET6 || info->ai_family == AF_INET;
}

static bool is_same(const bb_resolve_address *a, const bb_resolve_address *b) {
  if (a->any.sa_family != b->any.sa_family) return false;
  if (a->any.sa_family == AF_INET) return a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
  return a->v6.sin6_scope_id == b->v6.sin6_scope_id &&
         memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof(a->v6.sin6_addr)) == 0;
}

/* Its place, or n_found. */
static uint8_t place_of(const bb_resolve *resolve, const bb_resolve_address *address) {
  uint8_t i = 0;
  while (i < resolve->n_found && !is_same(&resolve->found[i], address)) i++;
  return i;
}

static int take_all(bb_resolve *resolve, const struct addrinfo *found) {
  bb_resolve_address address, former = resolve->found[resolve->turn];
  bool had_any = resolve->n_found > 0;
  resolve->n_found = resolve->n_left = resolve->turn = 0;
  for (; found != NULL && resolve->n_found < BB_RESOLVE_MOST; found = found->ai_next) {
    if (!take_address(&address, found, resolve->port)) continue;
    if (place_of(resolve, &address) < resolve->n_found) continue;
    resolve->found[resolve->n_found++] = address;
  }
  if (resolve->n_found == 0) return UV_EAI_NODATA;
  if (had_any) resolve->turn = (uint8_t)(place_of(resolve, &former) % resolve->n_found);
  resolve->n_left = resolve->n_found;
  return 0;
}

static void on_answer(uv_getaddrinfo_t *request, int status, struct addrinfo *found) {
  bb_resolve *resolve = request->data;
  resolve->busy = false;
  if (status == 0) status = take_all(resolve, found);
  uv_freeaddrinfo(found);
  resolve->on_resolved(resolve, status, status == 0 ? bb_resolve_turn(resolve) : NULL);
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

const struct sockaddr *bb_resolve_turn(const bb_resolve *resolve) {
  return resolve->n_left > 0 ? &resolve->found[resolve->turn].any : NULL;
}

bool bb_resolve_pass(bb_resolve *resolve) {
  if (resolve->n_left == 0) return false;
  resolve->turn = (uint8_t)((resolve->turn + 1) % resolve->n_found);
  return --resolve->n_left > 0;
}

void bb_resolve_keep(bb_resolve *resolve) {
  resolve->n_left = resolve->n_found;
}

void bb_resolve_cancel(bb_resolve *resolve) {
  if (resolve->busy) uv_cancel((uv_req_t *)&resolve->request);
}
