/* SPDX-License-Identifier: Apache-2.0 */
/* See http_rig.h. */
#include "support/http_rig.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/expect.h"

void http_rig_on_done(bb_http_request *request, const bb_http_answer *answer) {
  http_rig_exchange *x = request->data;
  x->done++;
  x->err = answer->err;
  snprintf(x->text, sizeof(x->text), "%s", answer->text);
  x->status = answer->status;
  x->retry_after_ms = answer->retry_after_ms;
  free(x->body);
  x->body = strdup(answer->body);
  x->body_len = answer->body_len;
  x->cut = answer->cut;
}

void http_rig_serve(http_rig *f, const http_peer_answer *answers, size_t n) {
  memset(f, 0, sizeof(*f));
  uv_loop_init(&f->loop);
  f->peer.answers = answers;
  f->peer.n_answers = n;
  http_peer_open(&f->peer, &f->loop);
  f->config = (bb_http_config){.url = f->peer.url, .connect_ms = 300, .total_ms = 600};
}

void http_rig_open(http_rig *f) {
  assert_int_equal(bb_http_open(&f->http, &f->loop, &f->config), 0);
  f->http.data = f;
}

void http_rig_on_closed(bb_http *http) {
  ((http_rig *)http->data)->closed++;
}

void http_rig_close(http_rig *f) {
  bb_http_close(&f->http, http_rig_on_closed);
  http_peer_wait(&f->loop, &f->closed);
  http_peer_close(&f->peer);
  uv_run(&f->loop, UV_RUN_DEFAULT);
  expect_int("handles left", uv_loop_close(&f->loop), 0);
}

void http_rig_send(http_rig *f, http_rig_exchange *x, const char *method, const char *path) {
  free(x->body);
  *x =
      (http_rig_exchange){.request = {.method = method, .path = path, .on_done = http_rig_on_done}};
  x->request.data = x;
  assert_int_equal(bb_http_send(&f->http, &x->request), 0);
}

void http_rig_get(http_rig *f, http_rig_exchange *x, const char *path) {
  http_rig_send(f, x, "GET", path);
  http_peer_wait(&f->loop, &x->done);
}
