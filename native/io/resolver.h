/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the address of a host name without holding up the loop. An address written as numbers is
 * answered without a thread; else the name is looked up on libuv's thread pool, where one lookup
 * that hangs holds one thread and nothing else.
 */
#ifndef BB_IO_RESOLVER_H
#define BB_IO_RESOLVER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

typedef struct bb_resolve bb_resolve;

/* `status`: 0 with the address and its port, else why there is none (UV_ECANCELED after a cancel). */
typedef void (*bb_resolve_cb)(bb_resolve *resolve, int status, const struct sockaddr *address);

struct bb_resolve {
  /* public */
  void *user;
  /* private */
  uv_getaddrinfo_t request;
  struct sockaddr_storage address;
  bb_resolve_cb on_resolved;
  uint16_t port;
  bool busy;
};

/* True, and the address, if `host` is an IPv4 or IPv6 address in numbers. */
bool bb_resolve_literal(const char *host, uint16_t port, struct sockaddr_storage *out);

/*
 * Starts to look up a name that is no literal. 0: on_resolved will be called exactly once, also after
 * a cancel; the struct must live until then. One lookup at a time.
 */
int bb_resolve_start(bb_resolve *resolve, uv_loop_t *loop, const char *host, uint16_t port,
                     bb_resolve_cb on_resolved);

/* Harmless when nothing is under way. A lookup that already runs on its thread ends by itself. */
void bb_resolve_cancel(bb_resolve *resolve);

#endif
