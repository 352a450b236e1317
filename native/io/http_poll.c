/* SPDX-License-Identifier: Apache-2.0 */
/*
 * libcurl's multi interface on a libuv loop: it says which sockets to watch and when it wants to be
 * woken; it is told what happened. See http_transfer.h.
 */
#include "io/http_transfer.h"

#include <stdlib.h>

#include "base/err.h"

typedef struct {
  uv_poll_t poll;
  bb_http *http;
  curl_socket_t fd;
  bb_list node;
} watched;

static void on_handle_closed(bb_http *http) {
  if (--http->handles == 0 && http->closing) http->on_closed(http);
}

static void on_socket_closed(uv_handle_t *handle) {
  watched *own = BB_LIST_ITEM(handle, watched, poll);
  bb_http *http = own->http;
  free(own);
  on_handle_closed(http);
}

static void on_timer_closed(uv_handle_t *handle) {
  on_handle_closed(handle->data);
}

/* Calls back for all that ended. */
static void collect(bb_http *http) {
  int left;
  for (CURLMsg *message; (message = curl_multi_info_read(http->multi, &left)) != NULL;) {
    if (message->msg != CURLMSG_DONE) continue;
    char *request = NULL;
    CURLcode code = message->data.result;
    curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &request);
    bb_http_transfer_end((bb_http_request *)(void *)request, code);
  }
}

static void on_ready(uv_poll_t *poll, int status, int events) {
  watched *own = BB_LIST_ITEM(poll, watched, poll);
  bb_http *http = own->http;
  int running, what = status < 0 ? CURL_CSELECT_ERR : 0;
  if (events & UV_READABLE) what |= CURL_CSELECT_IN;
  if (events & UV_WRITABLE) what |= CURL_CSELECT_OUT;
  curl_multi_socket_action(http->multi, own->fd, what, &running); /* may end `own` */
  collect(http);
}

static void on_due(uv_timer_t *timer) {
  bb_http *http = timer->data;
  int running;
  curl_multi_socket_action(http->multi, CURL_SOCKET_TIMEOUT, 0, &running);
  collect(http);
}

static int on_timeout_wanted(CURLM *multi, long timeout_ms, void *user) {
  bb_http *http = user;
  (void)multi;
  if (timeout_ms < 0) {
    uv_timer_stop(&http->timer);
  } else {
    uv_timer_start(&http->timer, on_due, (uint64_t)timeout_ms, 0);
  }
  return 0;
}

static watched *watch(bb_http *http, curl_socket_t fd) {
  watched *own = calloc(1, sizeof(*own));
  if (own == NULL) return NULL;
  own->http = http;
  own->fd = fd;
  if (uv_poll_init_socket(http->loop, &own->poll, fd) < 0) {
    free(own);
    return NULL;
  }
  http->handles++;
  bb_list_append(&http->sockets, &own->node);
  return own;
}

static void unwatch(watched *own) {
  bb_list_remove(&own->node);
  uv_poll_stop(&own->poll);
  uv_close((uv_handle_t *)&own->poll, on_socket_closed);
}

/* -1 would make the whole multi handle unusable, so a socket that cannot be watched is left to its
 * request's timeout. */
static int on_socket_wanted(CURL *easy, curl_socket_t fd, int what, void *user, void *attached) {
  bb_http *http = user;
  watched *own = attached;
  (void)easy;
  if (what == CURL_POLL_REMOVE) {
    if (own != NULL) unwatch(own);
    curl_multi_assign(http->multi, fd, NULL);
    return 0;
  }
  if (own == NULL) {
    own = watch(http, fd);
    if (own == NULL) return 0;
    curl_multi_assign(http->multi, fd, own);
  }
  int events = (what & CURL_POLL_IN ? UV_READABLE : 0) | (what & CURL_POLL_OUT ? UV_WRITABLE : 0);
  uv_poll_start(&own->poll, events, on_ready);
  return 0;
}

static void open_timer(bb_http *http, uv_timer_t *timer) {
  uv_timer_init(http->loop, timer);
  timer->data = http;
  http->handles++;
}

static CURLM *make_multi(bb_http *http) {
  CURLM *multi = curl_multi_init();
  if (multi == NULL) return NULL;
  long most = (long)http->config.max_connections;
  curl_multi_setopt(multi, CURLMOPT_SOCKETFUNCTION, on_socket_wanted);
  curl_multi_setopt(multi, CURLMOPT_SOCKETDATA, http);
  curl_multi_setopt(multi, CURLMOPT_TIMERFUNCTION, on_timeout_wanted);
  curl_multi_setopt(multi, CURLMOPT_TIMERDATA, http);
  curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, most);
  curl_multi_setopt(multi, CURLMOPT_MAX_TOTAL_CONNECTIONS, most);
  return multi;
}

/* It closes its connections. */
static void drop_multi(bb_http *http) {
  curl_multi_cleanup(http->multi);
  for (bb_list *node; (node = bb_list_first(&http->sockets)) != NULL;) {
    unwatch(BB_LIST_ITEM(node, watched, node));
  }
}

int bb_http_poll_renew(bb_http *http) {
  CURLM *next = make_multi(http);
  if (next == NULL) return BB_ERR_NOMEM;
  drop_multi(http);
  uv_timer_stop(&http->timer);
  http->multi = next;
  return 0;
}

int bb_http_poll_open(bb_http *http) {
  /* Counted by libcurl: the last client lets go of everything. */
  if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) return BB_ERR_NOMEM;
  http->multi = make_multi(http);
  if (http->multi == NULL) {
    curl_global_cleanup();
    return BB_ERR_NOMEM;
  }
  bb_list_init(&http->sockets);
  open_timer(http, &http->timer);
  open_timer(http, &http->patience);
  open_timer(http, &http->later);
  return 0;
}

void bb_http_poll_close(bb_http *http) {
  drop_multi(http);
  curl_global_cleanup();
  uv_close((uv_handle_t *)&http->timer, on_timer_closed);
  uv_close((uv_handle_t *)&http->patience, on_timer_closed);
  uv_close((uv_handle_t *)&http->later, on_timer_closed);
}
