/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP server that does as a test tells it, on the test's own loop: so whatever waits for it
 * without the loop never gets an answer, and the test fails.
 */
#ifndef BB_TEST_HTTP_PEER_H
#define BB_TEST_HTTP_PEER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#define HTTP_PEER_REQUESTS 512

/* What was asked. All texts are terminated. */
typedef struct http_peer_request {
  unsigned connection; /* from 1 */
  char *head;          /* request line and headers */
  char *body;          /* without the gzip around it */
  size_t body_len;
  bool gzipped;
} http_peer_request;

/* What is answered. */
typedef struct http_peer_answer {
  const char *text;  /* all bytes, from "HTTP/1.1 " on; NULL: none */
  size_t len;        /* of text; 0: it is terminated */
  uint32_t fill;     /* so many bytes 'x' behind it */
  uint32_t delay_ms; /* before it */
  uint32_t piece;    /* bytes sent at a time; 0: all at once */
  bool close;        /* the connection, behind it */
} http_peer_answer;

typedef struct http_peer http_peer;

struct http_peer {
  /* public: set before open */
  const http_peer_answer *answers; /* one a request; the last one again and again */
  size_t n_answers;
  void (*on_request)(http_peer *peer, const http_peer_request *request, http_peer_answer *answer);
  void *data;
  /* read-only */
  uint16_t port;
  char url[64]; /* "http://127.0.0.1:port" */
  http_peer_request requests[HTTP_PEER_REQUESTS];
  unsigned n_requests;
  unsigned n_connections; /* that were made */
  unsigned n_open;
  /* private */
  uv_tcp_t server;
  struct http_peer_connection *connections;
};

void http_peer_open(http_peer *peer, uv_loop_t *loop);

/* Closes all connections and waits, on the loop, until that is done. */
void http_peer_close(http_peer *peer);

/* A header's value up to its line end, in a static buffer; NULL when it is not there. */
const char *http_peer_header(const http_peer_request *request, const char *name);

/* Runs the loop until *done is not 0. Fails the test after 10 s. */
void http_peer_wait(uv_loop_t *loop, const unsigned *done);

/* An answer: status line, Content-Length and body. In a static buffer, one of four in turn. */
const char *http_peer_text(int status, const char *headers, const char *body);

#endif
