/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Finds out why a connection could not be made. The MQTT library only says that it failed; one TCP
 * connection of our own, opened and closed at once after a failure, tells a refusal from a network
 * that cannot be reached from a broker that answered and hung up.
 */
#ifndef BB_IO_MQTT_PROBE_H
#define BB_IO_MQTT_PROBE_H

#include <stdbool.h>
#include <uv.h>

typedef struct bb_mqtt_probe bb_mqtt_probe;

/* `status`: 0: it was accepted; else the code of libuv, UV_ETIMEDOUT when nothing came in time. The
 * struct is free again. */
typedef void (*bb_mqtt_probe_cb)(bb_mqtt_probe *probe, int status);

struct bb_mqtt_probe {
  /* public */
  void *user;
  /* private */
  uv_tcp_t tcp;
  uv_timer_t timer;
  uv_connect_t request;
  bb_mqtt_probe_cb on_end;
  int status;
  unsigned handles; /* not yet closed */
  bool busy;
};

/* 0: on_end will be called exactly once; negative: it will not. */
int bb_mqtt_probe_start(bb_mqtt_probe *probe, uv_loop_t *loop, const struct sockaddr *address,
                        bb_mqtt_probe_cb on_end);

/* Ends it sooner, with UV_ECANCELED. Harmless when none is under way. */
void bb_mqtt_probe_cancel(bb_mqtt_probe *probe);

#endif
