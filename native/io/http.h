/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An HTTP/1.1 client of one server, on a borrowed loop: libcurl's multi interface driven by uv_poll.
 * Connections stay open and are used again.
 *
 * Nothing waits on the loop. Names are looked up on libuv's pool (io/http_lookup.h says why libcurl
 * does not do it); addresses are asked for again after a minute, and while there is no answer the
 * last ones stand. libcurl and its TLS library are loaded into memory with the first client opened
 * and let go with the last one closed.
 *
 * TLS certificates are verified. Redirects are not followed: where data goes stands in the config
 * document. The process must ignore SIGPIPE.
 */
#ifndef BB_IO_HTTP_H
#define BB_IO_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "base/list.h"
#include "io/http_lookup.h"
#include "io/http_url.h"

#define BB_HTTP_MAX_ANSWER (64u << 10) /* bytes kept of an answer's body; the rest is dropped */
#define BB_HTTP_MAX_RETRY_MS 86400000u /* of a Retry-After */
#define BB_HTTP_MAX_TEXT 512           /* bytes of a sentence, terminator included */

typedef struct bb_http bb_http;
typedef struct bb_http_request bb_http_request;

/* All strings must live until the client is closed. Zero: as stated. */
typedef struct bb_http_config {
  const char *url;          /* "https://influx.plant:8086/prefix"; required */
  const char *proxy;        /* see bb_http_proxy; NULL: from the environment */
  const char *ca_file;      /* PEM; NULL: the system's certificates */
  const char *cert_file;    /* our own certificate, PEM; NULL: none */
  const char *key_file;     /* its key; NULL: in cert_file */
  bool insecure;            /* the server's certificate is not checked */
  uint32_t connect_ms;      /* name, connection and TLS together; 5 s */
  uint32_t total_ms;        /* from sending to the last byte of the answer; 30 s */
  uint32_t max_connections; /* 1 */
} bb_http_config;

typedef struct bb_http_answer {
  int err;                 /* 0: the server answered. Else why not: BB_ERR_TIMEOUT, BB_ERR_CLOSED,
                      BB_ERR_DENIED (certificates), BB_ERR_FORMAT (not HTTP), UV_ECONNREFUSED and
                      others of libuv, UV_ECANCELED */
  const char *text;        /* the same as a sentence with the peer's name; "" without an error */
  uint32_t status;         /* 204 */
  uint32_t retry_after_ms; /* 0: none was given */
  char *body;              /* terminated; valid during the callback, which may change it */
  size_t body_len;
  bool cut; /* the body was longer than BB_HTTP_MAX_ANSWER */
} bb_http_answer;

/* The request may be used again, and the client closed, from here on. */
typedef void (*bb_http_done_cb)(bb_http_request *request, const bb_http_answer *answer);
typedef void (*bb_http_closed_cb)(bb_http *http);

struct bb_http_request {
  /* public; all but the body are copied by bb_http_send */
  const char *method;         /* "GET", "POST" */
  const char *path;           /* goes behind the URL's own, with its query: "/write?db=plant" */
  const char *const *headers; /* "Content-Encoding: gzip" */
  size_t n_headers;
  const char *user; /* basic authentication; NULL: none */
  const char *password;
  const void *body; /* the caller's until the callback */
  size_t body_len;
  bb_http_done_cb on_done;
  void *data; /* the caller's own */
  /* private */
  bb_http *http;
  struct bb_http_transfer *transfer;
  bb_list node;
};

struct bb_http {
  /* public */
  void *data; /* the caller's own */
  /* read-only */
  bb_http_url url;
  /* private */
  uv_loop_t *loop;
  bb_http_config config;
  const char *proxy;
  bb_http_url peer; /* whom we connect to: the server or its proxy */
  void *multi;
  uv_timer_t timer;    /* libcurl's */
  uv_timer_t patience; /* with a name that is not answered */
  uv_timer_t later;    /* calls back for what ended outside the loop's own calls */
  bb_list waiting;     /* for the name, or for other connections */
  bb_list running;
  bb_list ended;
  bb_list sockets;
  bb_http_lookup *lookup;
  char entry[BB_HTTP_MAX_ENTRY]; /* "" before the first */
  uint64_t entry_ms;
  unsigned handles; /* of libuv that are open */
  bool stale;       /* libcurl's connections are not to be used again */
  bool closing;
  bb_http_closed_cb on_closed;
};

/* Empties the struct, `data` too; connects to nothing yet. 0, BB_ERR_FORMAT (the URL), BB_ERR_NOMEM, or a code of libuv, with nothing
 * left behind. */
int bb_http_open(bb_http *http, uv_loop_t *loop, const bb_http_config *config);

/* Cancels all requests; each calls back, then on_closed, from when on the memory is free. */
void bb_http_close(bb_http *http, bb_http_closed_cb on_closed);

/* 0: on_done will be called exactly once, later. Else it will not: BB_ERR_NOMEM, BB_ERR_STATE
 * (closing), BB_ERR_INVALID. */
int bb_http_send(bb_http *http, bb_http_request *request);

/* The next requests use connections of their own, made with the certificates as they are then; those
 * that come while others are under way wait for their end. */
void bb_http_renew(bb_http *http);

/* Harmless when it is not under way. on_done follows with UV_ECANCELED. */
void bb_http_cancel(bb_http_request *request);

static inline bool bb_http_busy(const bb_http_request *request) {
  return request->transfer != NULL;
}

#endif
