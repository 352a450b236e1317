/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Looks up a host's addresses, all of them, for libcurl (CURLOPT_RESOLVE), so that libcurl never does
 * it itself: where its own lookup hangs, the end of a request (a timeout, a cancel) waits for the
 * resolver's thread, and with it the loop. (CURLOPT_QUICK_EXIT changes that, from 7.87 on only.)
 */
#ifndef BB_IO_HTTP_LOOKUP_H
#define BB_IO_HTTP_LOOKUP_H

#include <uv.h>

#include "io/http_url.h"

#define BB_HTTP_MAX_ADDRESSES 8
#define BB_HTTP_MAX_ENTRY (BB_HTTP_MAX_HOST + 16 + BB_HTTP_MAX_ADDRESSES * 48)

typedef struct bb_http_lookup bb_http_lookup;

/* `entry`: "host:port:10.0.0.5,[fd00::5]"; NULL when status is not 0. The lookup is gone. */
typedef void (*bb_http_lookup_cb)(void *user, int status, const char *entry);

/* Whether `peer` has to be looked up: it is no address in numbers, and not localhost, which libcurl
 * knows. */
bool bb_http_lookup_needed(const bb_http_url *peer);

/* 0: on_done will be called once, unless it is dropped before. */
int bb_http_lookup_start(bb_http_lookup **out, uv_loop_t *loop, const bb_http_url *peer,
                         bb_http_lookup_cb on_done, void *user);

/* Harmless on NULL. A lookup that hangs frees itself when it ends. */
void bb_http_lookup_drop(bb_http_lookup *lookup);

#endif
