/* SPDX-License-Identifier: Apache-2.0 */
/* An HTTP client (io/http.h) and a server that a test controls (http_peer.h), on one loop. */
#ifndef BB_TEST_HTTP_RIG_H
#define BB_TEST_HTTP_RIG_H

#include "io/http.h"
#include "support/http_peer.h"

#define HTTP_RIG_OK "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"

typedef struct {
  uv_loop_t loop;
  http_peer peer;
  bb_http http;
  bb_http_config config;
  unsigned closed;
} http_rig;

/* An answer, kept. */
typedef struct {
  unsigned done; /* how often it came */
  int err;
  char text[BB_HTTP_MAX_TEXT];
  uint32_t status, retry_after_ms;
  char *body;
  size_t body_len;
  bool cut;
  bb_http_request request;
} http_rig_exchange;

/* Starts the server; config has its URL and short times. */
void http_rig_serve(http_rig *f, const http_peer_answer *answers, size_t n);

/* Opens the client by config. */
void http_rig_open(http_rig *f);

/* Closes both; nothing may be left on the loop. */
void http_rig_close(http_rig *f);
void http_rig_on_closed(bb_http *http);

/* Sends a request; what comes of it is kept in `x`, which is emptied before. */
void http_rig_send(http_rig *f, http_rig_exchange *x, const char *method, const char *path);
void http_rig_on_done(bb_http_request *request, const bb_http_answer *answer);

/* The same, and waits for the answer. */
void http_rig_get(http_rig *f, http_rig_exchange *x, const char *path);

#endif
