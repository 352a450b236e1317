/* SPDX-License-Identifier: Apache-2.0 */
/* Requests from their start to their end; what libcurl and the loop want of each other is in
 * http_poll.c. See http.h. */
#include "io/http.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/secret.h"
#include "io/http_transfer.h"

#define CONNECT_MS 5000
#define TOTAL_MS 30000
#define ENTRY_MS 60000 /* how long addresses are good without asking again */

static void free_headers(struct curl_slist *list) {
  /* One of them may be a token. */
  for (struct curl_slist *item = list; item != NULL; item = item->next) {
    bb_secret_wipe(item->data, strlen(item->data));
  }
  curl_slist_free_all(list);
}

static void free_transfer(bb_http_transfer *transfer) {
  if (transfer == NULL) return;
  if (transfer->easy != NULL) curl_easy_cleanup(transfer->easy);
  free_headers(transfer->headers);
  curl_slist_free_all(transfer->resolve);
  bb_buf_close(&transfer->body);
  free(transfer);
}

static void call_later(bb_http *http) {
  uv_timer_start(&http->later, bb_http_on_later, 0, 0);
}

/* The request is over: its memory is the caller's again before the callback. */
static void finish(bb_http_request *request, int err, CURLcode code) {
  bb_http_transfer *transfer = request->transfer;
  char text[BB_HTTP_MAX_TEXT], nothing[1] = "";
  bb_http_answer answer = {.err = err, .text = nothing, .body = nothing};
  if (err == 0) {
    bb_http_transfer_answer(request->http, transfer, code, &answer, text);
  } else {
    answer.text = bb_http_transfer_text(request->http, transfer, err, text);
  }
  bb_list_remove(&request->node);
  request->transfer = NULL;
  if (request->http->stale) call_later(request->http);
  request->on_done(request, &answer);
  free_transfer(transfer);
}

/* Ends a request outside a call of the loop: its callback comes later. */
static void end_later(bb_http_request *request, int err) {
  bb_http *http = request->http;
  request->transfer->err = err;
  bb_list_remove(&request->node);
  bb_list_append(&http->ended, &request->node);
  call_later(http);
}

void bb_http_transfer_end(bb_http_request *request, CURLcode code) {
  curl_multi_remove_handle(request->http->multi, request->transfer->easy);
  finish(request, 0, code);
}

static void begin(bb_http_request *request) {
  bb_http *http = request->http;
  bb_http_transfer *transfer = request->transfer;
  int err = bb_http_transfer_resolve(http, transfer);
  bb_list_remove(&request->node);
  bb_list_append(&http->running, &request->node);
  if (err == 0 && curl_multi_add_handle(http->multi, transfer->easy) != CURLM_OK) {
    err = BB_ERR_NOMEM;
  }
  transfer->running = err == 0;
  if (err < 0) end_later(request, err);
}

/* The name is known, or the wait for it over. With addresses from before, those stand. */
static void end_waiting(bb_http *http, int status) {
  uv_timer_stop(&http->patience);
  if (http->stale && http->entry[0] != 0) return; /* they begin on the new connections */
  for (bb_list *node; (node = bb_list_first(&http->waiting)) != NULL;) {
    bb_http_request *request = BB_LIST_ITEM(node, bb_http_request, node);
    if (http->entry[0] != 0) {
      begin(request);
    } else {
      request->transfer->no_name = true;
      end_later(request, status);
    }
  }
}

/* What is under way keeps the connections that it has. */
static void renew(bb_http *http) {
  if (!http->stale || bb_list_first(&http->running) != NULL) return;
  http->stale = false;
  bb_http_poll_renew(http); /* without memory the connections of before go on */
  if (http->entry[0] == 0 && bb_http_lookup_needed(&http->peer)) return;
  for (bb_list *node; (node = bb_list_first(&http->waiting)) != NULL;) {
    begin(BB_LIST_ITEM(node, bb_http_request, node));
  }
}

void bb_http_on_later(uv_timer_t *timer) {
  bb_http *http = timer->data;
  for (bb_list *node; (node = bb_list_first(&http->ended)) != NULL;) {
    bb_http_request *request = BB_LIST_ITEM(node, bb_http_request, node);
    finish(request, request->transfer->err, CURLE_OK);
  }
  if (http->closing) {
    bb_http_poll_close(http);
  } else {
    renew(http);
  }
}

void bb_http_renew(bb_http *http) {
  if (http->closing) return;
  http->stale = true;
  call_later(http);
}

static void on_looked_up(void *user, int status, const char *entry) {
  bb_http *http = user;
  http->lookup = NULL;
  if (entry != NULL) memcpy(http->entry, entry, strlen(entry) + 1);
  if (entry != NULL) http->entry_ms = uv_now(http->loop);
  end_waiting(http, status);
}

static void on_patience(uv_timer_t *timer) {
  end_waiting(timer->data, BB_ERR_TIMEOUT);
}

/* 1: the request can begin at once; 0: when the name is known; negative: neither. A lookup that hangs
 * is waited for once, then the addresses from before stand. */
static int find_address(bb_http *http) {
  if (!bb_http_lookup_needed(&http->peer)) return 1;
  bool known = http->entry[0] != 0;
  if (known && uv_now(http->loop) - http->entry_ms < ENTRY_MS) return 1;
  if (http->lookup != NULL) return known && !uv_is_active((uv_handle_t *)&http->patience);
  int err = bb_http_lookup_start(&http->lookup, http->loop, &http->peer, on_looked_up, http);
  return err < 0 && known ? 1 : err;
}

int bb_http_send(bb_http *http, bb_http_request *request) {
  assert(request->transfer == NULL);
  if (http->closing) return BB_ERR_STATE;
  request->http = http;
  int err = bb_http_transfer_new(http, request);
  int found = err < 0 ? err : find_address(http);
  if (found < 0) {
    free_transfer(request->transfer);
    request->transfer = NULL;
    return found;
  }
  bb_list_init(&request->node);
  if (found > 0 && !http->stale) {
    begin(request);
    return 0;
  }
  bb_list_append(&http->waiting, &request->node);
  if (found > 0) return 0;
  if (!uv_is_active((uv_handle_t *)&http->patience)) {
    uv_timer_start(&http->patience, on_patience, http->config.connect_ms, 0);
  }
  return 0;
}

void bb_http_cancel(bb_http_request *request) {
  if (request->transfer == NULL || request->transfer->err != 0) return;
  bool running = request->transfer->running;
  if (running) curl_multi_remove_handle(request->http->multi, request->transfer->easy);
  end_later(request, UV_ECANCELED);
}

static void cancel_all(bb_list *list) {
  for (bb_list *node; (node = bb_list_first(list)) != NULL;) {
    bb_http_cancel(BB_LIST_ITEM(node, bb_http_request, node));
  }
}

int bb_http_open(bb_http *http, uv_loop_t *loop, const bb_http_config *config) {
  const char *why;
  memset(http, 0, sizeof(*http));
  http->loop = loop;
  http->config = *config;
  if (http->config.connect_ms == 0) http->config.connect_ms = CONNECT_MS;
  if (http->config.total_ms == 0) http->config.total_ms = TOTAL_MS;
  if (http->config.max_connections == 0) http->config.max_connections = 1;
  int err = bb_http_url_parse(&http->url, config->url, &why);
  if (err < 0) return err;
  http->peer = http->url;
  http->proxy = bb_http_proxy(&http->url, config->proxy);
  if (http->proxy != NULL && (err = bb_http_proxy_parse(&http->peer, http->proxy)) < 0) return err;
  bb_list_init(&http->waiting);
  bb_list_init(&http->running);
  bb_list_init(&http->ended);
  return bb_http_poll_open(http);
}

void bb_http_close(bb_http *http, bb_http_closed_cb on_closed) {
  assert(!http->closing);
  http->closing = true;
  http->on_closed = on_closed;
  bb_http_lookup_drop(http->lookup);
  http->lookup = NULL;
  uv_timer_stop(&http->patience);
  cancel_all(&http->waiting);
  cancel_all(&http->running);
  call_later(http);
}
