/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of the HTTP client that speak to libcurl: for http*.c only. */
#ifndef BB_IO_HTTP_TRANSFER_H
#define BB_IO_HTTP_TRANSFER_H

#include <curl/curl.h>

#include "base/buf.h"
#include "io/http.h"

/* What a request needs while it is under way. */
typedef struct bb_http_transfer {
  CURL *easy;
  struct curl_slist *headers;
  struct curl_slist *resolve;
  bb_buf body; /* of the answer */
  bool cut;
  bool running; /* libcurl has it */
  bool no_name; /* ended because the peer's name has no address */
  int err;      /* of one in the list `ended`; else 0 */
  char error[CURL_ERROR_SIZE];
} bb_http_transfer;

/* http_transfer.c: makes request->transfer. After an error it may be there in part. */
int bb_http_transfer_new(bb_http *http, bb_http_request *request);

/* Gives it the peer's addresses. 0 or BB_ERR_NOMEM. */
int bb_http_transfer_resolve(bb_http *http, bb_http_transfer *transfer);

/* What came of a transfer that libcurl ended. `text` has BB_HTTP_MAX_TEXT bytes. */
void bb_http_transfer_answer(bb_http *http, bb_http_transfer *transfer, CURLcode code,
                             bb_http_answer *answer, char *text);

/* The sentence for one that libcurl did not end. Returns `text`. */
const char *bb_http_transfer_text(bb_http *http, const bb_http_transfer *transfer, int err,
                                  char *text);

/* http_poll.c */
int bb_http_poll_open(bb_http *http);
int bb_http_poll_renew(bb_http *http); /* while nothing runs; BB_ERR_NOMEM: all is as before */
void bb_http_poll_close(bb_http *http);

/* http.c: libcurl is done with it; calls back. */
void bb_http_transfer_end(bb_http_request *request, CURLcode code);
void bb_http_on_later(uv_timer_t *timer);

#endif
