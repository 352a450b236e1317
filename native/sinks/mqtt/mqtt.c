/* SPDX-License-Identifier: Apache-2.0 */
/* See mqtt.h. The connection, the state topic, and the life of the sink. */
#include "sinks/mqtt/mqtt.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/text.h"
#include "sinks/mqtt/sink.h"

#define DEATH_MS 500  /* how long the last state may take */
#define RENEW_MS 2000 /* and what is under way, before another connection is made */

static bb_mqtt_sink *own_of(bb_sink *sink) {
  return (bb_mqtt_sink *)(void *)sink;
}

static bool has_state(const bb_mqtt_sink *own) {
  return own->state_topic.bytes[0] != 0;
}

/* QoS 1, so that its end means that the broker has it. */
static int tell_state(bb_mqtt_sink *own, bool online) {
  char text[80];
  int64_t ms = bb_clock_utc_ns(own->sink.clock) / (int64_t)BB_NS_PER_MS;
  int len = snprintf(text, sizeof(text), "{\"online\":%s,\"timestamp\":%" PRId64 "}",
                     online ? "true" : "false", ms);
  bb_mqtt_message message = {.topic = (const char *)own->state_topic.bytes,
                             .payload = text,
                             .len = (uint32_t)len,
                             .qos = 1,
                             .retain = true,
                             .tag = online ? BB_MQTT_TAG_BIRTH : BB_MQTT_TAG_DEATH};
  return bb_mqtt_publish(&own->mqtt, &message, 1);
}

static void become_ready(bb_mqtt_sink *own) {
  if (own->ready || own->renewing || own->closing) return;
  own->ready = true;
  own->sink.host->on_ready(&own->sink);
}

static void end_connection(bb_mqtt_sink *own) {
  uv_timer_stop(&own->drain);
  if (own->closing) {
    bb_mqtt_close(&own->mqtt);
  } else {
    bb_mqtt_renew(&own->mqtt, "its password or a certificate has changed");
  }
}

static void on_death_timeout(uv_timer_t *timer) {
  end_connection(timer->data);
}

/* Nothing more is sent but the last state. */
static void die(bb_mqtt_sink *own) {
  own->dying = true;
  if (own->mqtt.up && has_state(own) && tell_state(own, false) == 0) {
    uv_timer_start(&own->drain, on_death_timeout, DEATH_MS, 0);
  } else {
    end_connection(own);
  }
}

static void on_drain_timeout(uv_timer_t *timer) {
  die(timer->data);
}

static void on_up(bb_mqtt *mqtt) {
  bb_mqtt_sink *own = mqtt->user;
  if (own->renewing) { /* they changed on the way */
    end_connection(own);
    return;
  }
  bb_log_info(own->sink.log, own->sink.id, "connected to %s (MQTT %s) as %s", own->options.url,
              own->options.version == BB_MQTT_5 ? "5" : "3.1.1", own->client_id);
  int err = has_state(own) ? tell_state(own, true) : 0;
  if (err < 0) bb_log_warn(own->sink.log, own->sink.id, "its state cannot be published");
  if (err < 0 || !has_state(own)) become_ready(own);
}

static void on_down(bb_mqtt *mqtt, const bb_mqtt_fault *fault) {
  bb_mqtt_sink *own = mqtt->user;
  bb_reason reason;
  char time[32];
  if (own->closing) {
    end_connection(own);
    return;
  }
  bb_text_show_ms(time, sizeof(time), fault->retry_ms);
  if (fault->code == BB_ERR_NOTFOUND && (bb_secret_is_unset(own->options.password_env) ||
                                         bb_secret_is_unset(own->options.key_password_env))) {
    bb_reason_set(&reason, fault->code, fault->raw, "%.120s; set it and start busbar again",
                  fault->text);
  } else if (fault->retry_ms == 0) {
    bb_reason_set(&reason, fault->code, fault->raw, "%.120s; trying again at once", fault->text);
  } else {
    bb_reason_set(&reason, fault->code, fault->raw, "%.120s; next try in %s", fault->text, time);
  }
  own->ready = own->dying = false;
  uv_timer_stop(&own->later);
  uv_timer_stop(&own->drain);
  bb_mqtt_forget_records(own);
  own->sink.host->on_wait(&own->sink, &reason, 0);
}

static void on_state_done(bb_mqtt_sink *own, const bb_mqtt_done *done) {
  if (done->status == BB_ERR_CLOSED) return;
  if (done->status < 0) {
    bb_log_warn(own->sink.log, own->sink.id, "the broker does not take its state: %s",
                done->reason != 0 ? bb_mqtt_reason_text(done->reason) : "it could not be sent");
  }
  if (done->tag == BB_MQTT_TAG_BIRTH) become_ready(own);
  if (done->tag == BB_MQTT_TAG_DEATH) end_connection(own);
}

static void end_if_empty(bb_mqtt_sink *own) {
  if (!own->closing && !(own->renewing && own->mqtt.up)) return;
  if (!own->dying && own->n_free == own->n_records) die(own);
}

void bb_mqtt_settle(bb_mqtt_sink *own) {
  bb_mqtt_tell_verdicts(own);
  end_if_empty(own);
}

static void on_done(bb_mqtt *mqtt, const bb_mqtt_done *done, uint32_t n) {
  bb_mqtt_sink *own = mqtt->user;
  for (uint32_t i = 0; i < n; i++) {
    if (done[i].tag < own->n_records) {
      bb_mqtt_message_done(own, &done[i]);
    } else {
      on_state_done(own, &done[i]);
    }
  }
  bb_mqtt_tell_verdicts(own);
  if (mqtt->up) bb_mqtt_pump(own);
  bb_mqtt_tell_verdicts(own);
  end_if_empty(own);
}

static void free_all(bb_mqtt_sink *own) {
  bb_mqtt_deliver_close(own);
  bb_topic_cache_close(&own->topics);
  bb_buf_close(&own->state_topic);
  bb_secret_file_close(&own->ca);
  bb_secret_file_close(&own->cert);
  bb_secret_file_close(&own->key);
}

static void on_handle_closed(uv_handle_t *handle) {
  bb_mqtt_sink *own = handle->data;
  if (--own->handles > 0) return;
  free_all(own);
  own->sink.host->on_closed(&own->sink);
}

static void on_closed(bb_mqtt *mqtt) {
  bb_mqtt_sink *own = mqtt->user;
  bb_mqtt_return_records(own);
  own->handles = 2;
  uv_close((uv_handle_t *)&own->later, on_handle_closed);
  uv_close((uv_handle_t *)&own->drain, on_handle_closed);
}

static uint64_t mark_of(const bb_mqtt_options *options) {
  uint64_t mark = bb_secret_mark(BB_HASH_START, options->password_env, options->password_file);
  if (!options->broker.tls) return mark;
  mark = bb_secret_mark(mark, options->key_password_env, options->key_password_file);
  mark = bb_secret_mark_file(mark, options->ca_file);
  mark = bb_secret_mark_file(mark, options->cert_file);
  return bb_secret_mark_file(mark, options->key_file);
}

/* The library has read those of the connection before. */
static int fill_files(const bb_mqtt_sink *own, char *why, size_t why_cap) {
  int err = bb_secret_file_fill(&own->ca, why, why_cap);
  if (err == 0) err = bb_secret_file_fill(&own->cert, why, why_cap);
  return err == 0 ? bb_secret_file_fill(&own->key, why, why_cap) : err;
}

static int on_login(bb_mqtt *mqtt, bb_mqtt_login *login, char *why, size_t why_cap) {
  bb_mqtt_sink *own = mqtt->user;
  const bb_mqtt_options *options = &own->options;
  own->mark = mark_of(options);
  own->renewing = false;
  int len = bb_secret_read(options->password_env, options->password_file, login->password,
                           sizeof(login->password), why, why_cap);
  if (len < 0) return len;
  login->password_len = (uint32_t)len;
  login->user = options->user;
  if (has_state(own)) {
    static const char death[] = "{\"online\":false}";
    login->will = (bb_mqtt_message){.topic = (const char *)own->state_topic.bytes,
                                    .payload = death,
                                    .len = sizeof(death) - 1,
                                    .qos = 1,
                                    .retain = true};
  }
  len = fill_files(own, why, why_cap);
  if (len < 0) return len;
  len = bb_secret_read(options->key_password_env, options->key_password_file, login->key_password,
                       sizeof(login->key_password), why, why_cap);
  return len < 0 ? len : 0;
}

static uint32_t window_of(const bb_mqtt_options *options) {
  uint32_t window = 2 * options->max_in_flight;
  return window < 64 ? 64 : window;
}

static int prepare(bb_mqtt_sink *own, const bb_doc *options) {
  bb_mqtt_options_read(&own->options, options);
  const char *place = own->sink.place != NULL ? own->sink.place : own->sink.site;
  bb_mqtt_options_client_id(&own->options, own->sink.id, place, own->client_id,
                            sizeof(own->client_id));
  bb_buf_init(&own->state_topic, 2 * BB_TOPIC_MAX_BYTES);
  bb_topic_cache_init(&own->topics, &own->topic);
  int err = bb_mqtt_options_state_topic(&own->options, own->client_id, &own->state_topic);
  if (err == 0) err = bb_topic_compile(&own->topic, own->options.topic);
  if (err == 0) err = bb_mqtt_deliver_init(own, window_of(&own->options));
  if (err == 0) err = bb_secret_file_open(&own->ca, own->options.ca_file);
  if (err == 0) err = bb_secret_file_open(&own->cert, own->options.cert_file);
  if (err == 0) err = bb_secret_file_open(&own->key, own->options.key_file);
  return err;
}

static int connect_to(bb_mqtt_sink *own) {
  const bb_mqtt_options *options = &own->options;
  bb_mqtt_config config = {
      .host = options->broker.host,
      .port = options->broker.port,
      .version = (bb_mqtt_version)options->version,
      .client_id = own->client_id,
      .keepalive_s = options->keepalive_ms / 1000,
      .connect_timeout_ms = options->connect_timeout_ms,
      .max_in_flight = options->max_in_flight,
      .seed = own->sink.seed,
      .tls = options->broker.tls,
      .no_verify = !options->verify,
      .ca_file = own->ca.path,
      .cert_file = own->cert.path,
      .key_file = own->key.path,
  };
  own->mqtt = (bb_mqtt){.on_login = on_login,
                        .on_up = on_up,
                        .on_down = on_down,
                        .on_done = on_done,
                        .on_closed = on_closed,
                        .user = own};
  return bb_mqtt_open(&own->mqtt, own->sink.loop, &config);
}

static int open_sink(bb_sink *sink, const bb_doc *options) {
  bb_mqtt_sink *own = own_of(sink);
  int err = prepare(own, options);
  if (err == 0) err = connect_to(own);
  if (err < 0) {
    free_all(own);
    return err;
  }
  uv_timer_init(sink->loop, &own->later);
  uv_timer_init(sink->loop, &own->drain);
  own->later.data = own->drain.data = own;
  return 0;
}

static int on_shape(bb_sink *sink, const bb_device *device, const bb_shape *shape) {
  return bb_topic_cache_put(&own_of(sink)->topics, device, shape->scan);
}

static void on_shape_gone(bb_sink *sink, const bb_device *device, const bb_shape *shape) {
  bb_topic_cache_drop(&own_of(sink)->topics, device, shape->scan);
}

static void retry(bb_sink *sink) {
  bb_mqtt_sink *own = own_of(sink);
  if (!own->ready && !own->closing) bb_mqtt_retry(&own->mqtt);
}

/* In order, as the end is: nothing is sent twice, and the state is the truth should the broker not take
 * the new ones. */
static void refresh(bb_sink *sink) {
  bb_mqtt_sink *own = own_of(sink);
  uint64_t mark = own->closing ? 0 : mark_of(&own->options);
  if (mark == 0 || mark == own->mark || (own->renewing && own->mqtt.up)) return;
  own->renewing = true;
  if (!own->mqtt.up) {
    bb_mqtt_retry(&own->mqtt);
  } else if (own->ready && own->n_free < own->n_records) {
    uv_timer_start(&own->drain, on_drain_timeout, RENEW_MS, 0);
  } else {
    die(own);
  }
}

static void close_sink(bb_sink *sink, uint32_t drain_ms) {
  bb_mqtt_sink *own = own_of(sink);
  own->closing = true;
  if (own->ready && drain_ms > 0 && own->n_free < own->n_records) {
    uv_timer_start(&own->drain, on_drain_timeout, drain_ms, 0);
  } else {
    die(own);
  }
}

static void fill_needs(const bb_doc *doc, bb_sink_needs *needs) {
  bb_mqtt_options options;
  bb_mqtt_options_read(&options, doc);
  *needs = (bb_sink_needs){.window_records = window_of(&options),
                           .run_records = options.max_in_flight,
                           .linger_ms = options.linger_ms};
}

const bb_sink_kind bb_sink_mqtt = {
    .kind = "mqtt",
    .bytes = sizeof(bb_mqtt_sink),
    .events = true,
    .options = &bb_mqtt_options_schema,
    .check = bb_mqtt_options_check,
    .needs = fill_needs,
    .open = open_sink,
    .shape = on_shape,
    .shape_gone = on_shape_gone,
    .check_message = bb_mqtt_check_message,
    .deliver = bb_mqtt_deliver,
    .retry = retry,
    .refresh = refresh,
    .close = close_sink,
};
