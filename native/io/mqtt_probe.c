/* SPDX-License-Identifier: Apache-2.0 */
/* See mqtt_probe.h. */
#include "io/mqtt_probe.h"

#define TIMEOUT_MS 2000

static void on_close(uv_handle_t *handle) {
  bb_mqtt_probe *probe = handle->data;
  if (--probe->handles > 0) return;
  probe->busy = false;
  probe->on_end(probe, probe->status);
}

static void end(bb_mqtt_probe *probe, int status) {
  if (uv_is_closing((uv_handle_t *)&probe->tcp)) return;
  probe->status = status;
  uv_close((uv_handle_t *)&probe->tcp, on_close);
  uv_close((uv_handle_t *)&probe->timer, on_close);
}

static void on_connect(uv_connect_t *request, int status) {
  end(request->data, status);
}

static void on_timeout(uv_timer_t *timer) {
  end(timer->data, UV_ETIMEDOUT);
}

int bb_mqtt_probe_start(bb_mqtt_probe *probe, uv_loop_t *loop, const struct sockaddr *address,
                        bb_mqtt_probe_cb on_end) {
  int err = uv_tcp_init(loop, &probe->tcp);
  if (err < 0) return err;
  uv_timer_init(loop, &probe->timer);
  probe->tcp.data = probe->timer.data = probe->request.data = probe;
  probe->on_end = on_end;
  probe->handles = 2;
  probe->busy = true;
  uv_timer_start(&probe->timer, on_timeout, TIMEOUT_MS, 0);
  err = uv_tcp_connect(&probe->request, &probe->tcp, address, on_connect);
  if (err < 0) end(probe, err);
  return 0;
}

void bb_mqtt_probe_cancel(bb_mqtt_probe *probe) {
  if (probe->busy) end(probe, UV_ECANCELED);
}
