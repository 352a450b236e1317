/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One HTTP/1.x request (RFC 9112) as the health server understands it: a method, a path, whether the
 * connection stays. Pure.
 *
 *   GET /metrics?x=1 HTTP/1.1\r\nHost: localhost\r\n\r\n
 */
#ifndef BB_RUNTIME_HEALTH_REQUEST_H
#define BB_RUNTIME_HEALTH_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BB_HEALTH_REQUEST_BYTES 8192 /* a request may have, its blank line included */

typedef enum bb_health_method {
  BB_HEALTH_GET,
  BB_HEALTH_HEAD,
  BB_HEALTH_OTHER,
} bb_health_method;

typedef struct bb_health_request {
  bb_health_method method;
  bool keep_alive; /* the client wants to go on with this connection */
  bool chunks;     /* HTTP/1.1: it understands chunks */
  char path[32];   /* without the query; "" if it is longer, and so none of ours */
} bb_health_request;

/*
 * Reads the request that `bytes` begins with. The bytes it took, or 0: it is not whole yet.
 * BB_ERR_FORMAT (answer 400), BB_ERR_LIMIT (431: no end within BB_HEALTH_REQUEST_BYTES),
 * BB_ERR_VERSION (505), BB_ERR_UNSUPPORTED (413: it has a body). After an error the connection cannot
 * go on.
 */
int bb_health_request_parse(bb_health_request *request, const uint8_t *bytes, size_t len);

#endif
