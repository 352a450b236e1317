/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds the addresses of a host name without holding up the loop. An address written as numbers is
 * answered without a thread; else the name is looked up on libuv's thread pool, where one lookup
 * that hangs holds one thread and nothing else.
 *
 * A name may have several addresses of which not all work. Who connects tries them in turn: the one
 * that worked last comes first, then those behind it in the system's order (RFC 6724), IPv6 and IPv4
 * alike. Once each has failed, the name is to be looked up again.
 */
#ifndef BB_IO_RESOLVER_H
#define BB_IO_RESOLVER_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#define BB_RESOLVE_MOST 8 /* addresses that are kept of one name */

typedef struct bb_resolve bb_resolve;

typedef union bb_resolve_address {
  struct sockaddr any;
  struct sockaddr_in v4;
  struct sockaddr_in6 v6;
} bb_resolve_address;

/* `status`: 0 with the address in turn and its port, else why there is none (UV_ECANCELED after a
 * cancel). */
typedef void (*bb_resolve_cb)(bb_resolve *resolve, int status, const struct sockaddr *address);

struct bb_resolve {
  /* public */
  void *user;
  /* read-only */
  bool busy;
  uint8_t n_found; /* addresses that the last lookup to succeed has found */
  /* private */
  uint8_t n_left; /* of them, those to be tried before the next lookup */
  uint8_t turn;
  uint16_t port;
  bb_resolve_cb on_resolved;
  uv_getaddrinfo_t request;
  bb_resolve_address found[BB_RESOLVE_MOST];
};

/* True, and the address, if `host` is an IPv4 or IPv6 address in numbers. */
bool bb_resolve_literal(const char *host, uint16_t port, struct sockaddr_storage *out);

/*
 * Starts to look up a name that is no literal. 0: on_resolved will be called exactly once, also after
 * a cancel; the struct must live until then. One lookup at a time.
 */
int bb_resolve_start(bb_resolve *resolve, uv_loop_t *loop, const char *host, uint16_t port,
                     bb_resolve_cb on_resolved);

/* The address in turn; NULL: the name has to be looked up (again). Valid until the next lookup. */
const struct sockaddr *bb_resolve_turn(const bb_resolve *resolve);

/* It did not work: the next one is in turn. False if none is left. Harmless without addresses. */
bool bb_resolve_pass(bb_resolve *resolve);

/* It worked, and stays the first to be tried. Harmless without addresses. */
void bb_resolve_keep(bb_resolve *resolve);

/* Harmless when nothing is under way. A lookup that already runs on its thread ends by itself. */
void bb_resolve_cancel(bb_resolve *resolve);

#endif
