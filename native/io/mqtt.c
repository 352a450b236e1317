/* SPDX-License-Identifier: Apache-2.0 */
/* See mqtt.h. The life of a client, and what the library tells it. */
#include "io/mqtt.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "io/mqtt_core.h"

#define STEADY_MS 10000 /* a connection that held so long is none that flaps */
#define SUSPICIOUS_BREAKS 3

static void run_end(bb_mqtt_job *job) {
  bb_mqtt_core *core = BB_LIST_ITEM(job, bb_mqtt_core, end_job);
  bb_mqtt_session_end(&core->session);
  bb_mqtt_inbox_event(&core->inbox, BB_MQTT_EVENT_GONE);
}

static bool has_session(const bb_mqtt_core *core) {
  return core->state == BB_MQTT_CONNECTING || core->state == BB_MQTT_UP;
}

/* What was added but not handed over ends like the rest. */
static void leave(bb_mqtt_core *core) {
  bb_mqtt_flush(core->mqtt);
  uv_timer_stop(&core->timer);
  core->mqtt->up = false;
  core->state = BB_MQTT_ENDING;
  bb_mqtt_feeder_push(&core->end_job);
}

/* Brokers end the older of two clients with one id, and most do not say so. Then each try succeeds, and
 * breaks when the other one's next try does. */
static void count_break(bb_mqtt_core *core) {
  bb_mqtt_fault *fault = &core->fault;
  uint64_t young_ms = 2ull * core->config.longest_retry_ms;
  bool broke = core->state == BB_MQTT_UP && fault->code == BB_ERR_CLOSED && fault->raw == 0 &&
               !core->eager && uv_now(core->loop) - core->up_since_ms < young_ms;
  core->n_breaks = broke ? core->n_breaks + 1 : 0;
  size_t len = strlen(fault->text);
  if (core->n_breaks < SUSPICIOUS_BREAKS) return;
  snprintf(fault->text + len, sizeof(fault->text) - len,
           " (is another client connected with the id \"%.40s\"?)", core->config.client_id);
}

/* A broker behind a line that flaps is not left alone for long, one that lets clients in and throws them
 * out is: it says why, or took nothing. */
static void judge_connection(bb_mqtt_core *core, const bb_mqtt_fault *fault) {
  if (uv_now(core->loop) - core->up_since_ms >= STEADY_MS) {
    bb_backoff_reset(&core->backoff);
  } else if (core->works && fault->raw == 0) {
    bb_backoff_ease(&core->backoff);
  }
}

void bb_mqtt_works(bb_mqtt *mqtt) {
  if (mqtt->up) mqtt->core->works = true;
}

void bb_mqtt_fail(bb_mqtt_core *core, const bb_mqtt_fault *fault) {
  core->fault = *fault;
  count_break(core);
  core->missed = core->state == BB_MQTT_CONNECTING && fault->raw == 0 && !fault->lasting;
  if (core->state == BB_MQTT_UP) judge_connection(core, fault);
  if (has_session(core)) {
    leave(core);
  } else {
    bb_mqtt_wait(core);
  }
}

void bb_mqtt_renew(bb_mqtt *mqtt, const char *why) {
  bb_mqtt_core *core = mqtt->core;
  if (core == NULL || core->closing || core->state != BB_MQTT_UP) return;
  bb_mqtt_fault fault = {.code = BB_ERR_CLOSED};
  snprintf(fault.text, sizeof(fault.text), "%s", why);
  core->eager = true;
  bb_mqtt_fail(core, &fault);
}

/* A broker that answers pings but never acknowledges would hold the window shut for good. */
static void on_patience(uv_timer_t *timer) {
  bb_mqtt_core *core = timer->data;
  if (core->mqtt->in_flight > 0 && core->n_ends == core->n_ends_before) {
    bb_mqtt_fault fault = {.code = BB_ERR_TIMEOUT};
    snprintf(fault.text, sizeof(fault.text), "%s acknowledges nothing any more",
             core->session.place);
    bb_mqtt_fail(core, &fault);
    return;
  }
  core->n_ends_before = core->mqtt->in_flight > 0 ? core->n_ends : UINT64_MAX;
}

static void come_up(bb_mqtt_core *core, const bb_mqtt_broker *broker) {
  bb_mqtt *mqtt = core->mqtt;
  uint64_t patience_ms = 1000ull * core->config.keepalive_s;
  core->n_ends_before = UINT64_MAX;
  uv_timer_start(&core->timer, on_patience, patience_ms, patience_ms);
  bb_mqtt_name_release(&core->name);
  bb_mqtt_keep_address(core);
  core->state = BB_MQTT_UP;
  core->eager = core->works = false;
  core->up_since_ms = uv_now(core->loop);
  core->window = core->config.max_in_flight;
  if (broker->receive_max > 0 && broker->receive_max < core->window) {
    core->window = broker->receive_max;
  }
  /* The library does not obey it, so this connection may break once; the next one is right. */
  if (broker->keepalive_s > 0 && broker->keepalive_s < core->session.keepalive_s) {
    core->session.keepalive_s = broker->keepalive_s;
  }
  mqtt->broker = *broker;
  mqtt->up = true;
  mqtt->on_up(mqtt);
}

static void forget_session(bb_mqtt_core *core) {
  bb_mqtt_news news;
  bb_mqtt_name_release(&core->name);
  bb_mqtt_inbox_fail(&core->inbox, BB_ERR_CLOSED);
  bb_mqtt_inbox_take(&core->inbox, &news);
  bb_mqtt_tell_ends(core, &news);
  bb_mqtt_wait(core);
}

static void look(bb_mqtt_core *core) {
  bb_mqtt_news news;
  bb_mqtt_inbox_take(&core->inbox, &news);
  bb_mqtt_tell_ends(core, &news);
  if ((news.events & BB_MQTT_EVENT_UP) != 0 && core->state == BB_MQTT_CONNECTING) {
    come_up(core, &news.broker);
  }
  if ((news.events & BB_MQTT_EVENT_FAULT) != 0 && has_session(core)) {
    core->vague = news.fault.vague;
    bb_mqtt_fail(core, &news.fault);
  }
  if ((news.events & BB_MQTT_EVENT_GONE) != 0) forget_session(core);
}

static void on_wake(uv_async_t *wake) {
  look(wake->data);
}

static void on_harvest(uv_timer_t *timer) {
  look(timer->data);
}

static void on_handle_closed(uv_handle_t *handle) {
  bb_mqtt_core *core = handle->data;
  if (--core->handles > 0) return;
  bb_mqtt *mqtt = core->mqtt;
  bb_mqtt_publish_close(core);
  bb_mqtt_inbox_close(&core->inbox);
  free(core);
  mqtt->core = NULL;
  mqtt->on_closed(mqtt);
}

void bb_mqtt_close_handles(bb_mqtt_core *core) {
  bb_mqtt_abandon_lookup(core);
  core->handles = 3;
  uv_close((uv_handle_t *)&core->wake, on_handle_closed);
  uv_close((uv_handle_t *)&core->timer, on_handle_closed);
  uv_close((uv_handle_t *)&core->harvest, on_handle_closed);
}

void bb_mqtt_close(bb_mqtt *mqtt) {
  bb_mqtt_core *core = mqtt->core;
  if (core->closing) return;
  core->closing = true;
  if (has_session(core)) {
    leave(core);
  } else if (core->state == BB_MQTT_PROBING) {
    bb_mqtt_probe_cancel(&core->probe);
  } else if (core->state != BB_MQTT_ENDING) {
    bb_mqtt_close_handles(core);
  }
}

static void fill_defaults(bb_mqtt_config *config) {
  if (config->port == 0) config->port = config->tls ? 8883 : 1883;
  if (config->keepalive_s == 0) config->keepalive_s = 60;
  if (config->keepalive_s > UINT16_MAX) config->keepalive_s = UINT16_MAX;
  if (config->connect_timeout_ms == 0) config->connect_timeout_ms = 10000;
  if (config->max_in_flight == 0) config->max_in_flight = 100;
  if (config->max_in_flight > BB_MQTT_MAX_IN_FLIGHT) config->max_in_flight = BB_MQTT_MAX_IN_FLIGHT;
  if (config->first_retry_ms == 0) config->first_retry_ms = 1000;
  if (config->longest_retry_ms == 0) config->longest_retry_ms = 60000;
}

static void on_first_try(uv_timer_t *timer) {
  bb_mqtt_try(timer->data);
}

static int start(bb_mqtt_core *core) {
  int err = bb_mqtt_feeder_start();
  if (err == 0) err = bb_mqtt_publish_init(core);
  if (err < 0) return err;
  err = bb_mqtt_inbox_init(&core->inbox, &core->wake, core->slots, core->config.max_in_flight);
  if (err == 0) {
    err = uv_async_init(core->loop, &core->wake, on_wake);
    if (err < 0) bb_mqtt_inbox_close(&core->inbox);
  }
  if (err < 0) {
    bb_mqtt_publish_close(core);
    return err;
  }
  uv_timer_init(core->loop, &core->timer);
  uv_timer_init(core->loop, &core->harvest);
  core->wake.data = core->timer.data = core->harvest.data = core;
  uv_timer_start(&core->timer, on_first_try, 0, 0);
  /* Only what a later uv_timer_again needs to know. */
  uv_timer_start(&core->harvest, on_harvest, BB_MQTT_HARVEST_MS, BB_MQTT_HARVEST_MS);
  uv_timer_stop(&core->harvest);
  return 0;
}

int bb_mqtt_open(bb_mqtt *mqtt, struct uv_loop_s *loop, const bb_mqtt_config *config) {
  bb_mqtt_core *core = calloc(1, sizeof(*core));
  if (core == NULL) return BB_ERR_NOMEM;
  core->mqtt = mqtt;
  core->loop = loop;
  core->config = *config;
  fill_defaults(&core->config);
  bb_backoff_init(&core->backoff, core->config.first_retry_ms, core->config.longest_retry_ms,
                  core->config.seed);
  bb_backoff_init(&core->slow, core->config.longest_retry_ms, core->config.longest_retry_ms,
                  core->config.seed);
  core->end_job.run = run_end;
  core->session.config = &core->config;
  core->session.inbox = &core->inbox;
  core->session.keepalive_s = (uint16_t)core->config.keepalive_s;
  mqtt->up = false;
  mqtt->in_flight = 0;
  mqtt->bursts = 0;
  int err = start(core);
  if (err < 0) {
    free(core);
    return err;
  }
  mqtt->core = core;
  return 0;
}
