/* SPDX-License-Identifier: Apache-2.0 */
/* The sink's life: asking for the server, ready, waiting, closing. See influxdb.h and sink.h. */
#include "sinks/influxdb/influxdb.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/secret.h"
#include "base/text.h"
#include "io/error.h"
#include "sinks/influxdb/sink.h"

#define CONNECT_MS 5000
#define FIRST_RETRY_MS 1000
#define LONGEST_RETRY_MS 60000
#define MAX_SCRATCH (8u << 20) /* the lines of one batch */
#define MAX_WINDOW 20000
#define NEXT_TRY_BYTES 34 /* "; set it and start busbar again" */

static void read_options(bb_influxdb_options *options, const bb_doc *doc) {
  bb_report none; /* it has been checked */
  bb_report_init(&none);
  bb_influxdb_options_read(options, doc, &none);
  bb_report_close(&none);
}

/* So many that every request can be full while the next one is filled. */
static uint32_t window_of(const bb_influxdb_options *options) {
  uint32_t window = options->batch.lines * (options->concurrency + 1);
  return window < 1000 ? 1000 : window > MAX_WINDOW ? MAX_WINDOW : window;
}

static void get_needs(const bb_doc *doc, bb_sink_needs *out) {
  bb_influxdb_options options;
  read_options(&options, doc);
  uint64_t bytes = options.batch.bytes * (options.concurrency + 1);
  *out = (bb_sink_needs){.window_records = window_of(&options),
                         .window_bytes = bytes > 4 << 20 ? (uint32_t)bytes : 4 << 20,
                         .run_records = 200};
}

void bb_influxdb_wait(bb_influxdb *sink, bb_reason *reason, uint32_t delay_ms) {
  if (sink->state == BB_INFLUXDB_CLOSING) {
    bb_influxdb_finish(sink);
    return;
  }
  char time[32];
  if (delay_ms == 0) delay_ms = bb_backoff_next_ms(&sink->backoff);
  bb_text_show_ms(time, sizeof(time), delay_ms);
  size_t len = strnlen(reason->text, sizeof(reason->text) - NEXT_TRY_BYTES);
  const bb_influxdb_options *options = &sink->options;
  if (reason->code == BB_ERR_NOTFOUND &&
      (bb_secret_is_unset(options->token_env) || bb_secret_is_unset(options->password_env))) {
    snprintf(reason->text + len, sizeof(reason->text) - len, "; set it and start busbar again");
  } else {
    snprintf(reason->text + len, sizeof(reason->text) - len, "; next try in %s", time);
  }
  sink->state = BB_INFLUXDB_WAITING;
  sink->eager = true;
  uv_timer_stop(&sink->age);
  bb_influxdb_writer_forget(sink, false);
  sink->base.host->on_wait(&sink->base, reason, delay_ms);
}

void bb_influxdb_fail(bb_influxdb *sink, int err) {
  bb_reason reason;
  bb_reason_set(&reason, err, 0, "%.100s: %s", sink->http.url.name, bb_error_text(err));
  bb_influxdb_wait(sink, &reason, 0);
}

void bb_influxdb_miss(bb_influxdb *sink, const bb_http_answer *answer) {
  bb_reason reason;
  bool certificate = answer->err == BB_ERR_DENIED;
  bb_reason_set(&reason, answer->err, 0, "%.*s%s", certificate ? 110 : BB_MAX_REASON, answer->text,
                certificate ? "; check ca_file" : "");
  bb_influxdb_wait(sink, &reason, 0);
}

static void on_pinged(bb_http_request *request, const bb_http_answer *answer) {
  bb_influxdb *sink = request->data;
  bb_reason reason;
  if (sink->state != BB_INFLUXDB_ASKING) return;
  if (answer->err != 0) {
    bb_influxdb_miss(sink, answer);
  } else if (answer->status >= 500) {
    bb_influxdb_answer_read(&sink->complaint, answer->body, answer->body_len);
    bb_influxdb_answer_explain(&reason, &sink->options, sink->http.url.name, answer->status,
                               &sink->complaint);
    bb_influxdb_wait(sink, &reason, answer->retry_after_ms);
  } else {
    sink->state = BB_INFLUXDB_READY;
    sink->base.host->on_ready(&sink->base);
  }
}

static int fill_files(const bb_influxdb *sink, char *why, size_t why_cap) {
  int err = bb_secret_file_fill(&sink->ca, why, why_cap);
  if (err == 0) err = bb_secret_file_fill(&sink->cert, why, why_cap);
  return err == 0 ? bb_secret_file_fill(&sink->key, why, why_cap) : err;
}

static int open_files(bb_influxdb *sink) {
  int err = bb_secret_file_open(&sink->ca, sink->options.ca_file);
  if (err == 0) err = bb_secret_file_open(&sink->cert, sink->options.cert_file);
  return err == 0 ? bb_secret_file_open(&sink->key, sink->options.key_file) : err;
}

static void close_files(bb_influxdb *sink) {
  bb_secret_file_close(&sink->ca);
  bb_secret_file_close(&sink->cert);
  bb_secret_file_close(&sink->key);
}

/* Whether there is a secret, as far as one is named, and a server. */
static void ask(bb_influxdb *sink) {
  char secret[BB_SECRET_MAX];
  bb_reason reason;
  int err = bb_influxdb_options_secret(&sink->options, secret, reason.text, sizeof(reason.text));
  bb_secret_wipe(secret, sizeof(secret));
  if (err >= 0) err = fill_files(sink, reason.text, sizeof(reason.text));
  if (err < 0) {
    reason.code = err;
    reason.raw = 0;
    bb_influxdb_wait(sink, &reason, LONGEST_RETRY_MS);
    return;
  }
  sink->ping =
      (bb_http_request){.method = "GET", .path = "/ping", .on_done = on_pinged, .data = sink};
  err = bb_http_send(&sink->http, &sink->ping);
  if (err < 0) bb_influxdb_fail(sink, err);
}

static void on_soon(uv_timer_t *timer) {
  bb_influxdb *sink = timer->data;
  if (sink->state == BB_INFLUXDB_ASKING) {
    ask(sink);
  } else {
    bb_influxdb_writer_work(sink);
  }
  if (sink->state == BB_INFLUXDB_CLOSING && bb_influxdb_writer_idle(sink)) bb_influxdb_finish(sink);
}

void bb_influxdb_work_soon(bb_influxdb *sink) {
  uv_timer_start(&sink->soon, on_soon, 0, 0);
}

static void open_timer(bb_influxdb *sink, uv_timer_t *timer) {
  uv_timer_init(sink->base.loop, timer);
  timer->data = sink;
  sink->handles++;
}

static int open_encoder(bb_influxdb *sink) {
  bb_influxdb_encoder *encoder = &sink->encoder;
  encoder->plans.options = bb_influxdb_options_line(&sink->options);
  encoder->gzip = sink->options.gzip;
  encoder->left_out = &sink->base.left_out;
  bb_buf_init(&encoder->scratch, MAX_SCRATCH);
  return encoder->gzip ? bb_gzip_open(&encoder->stream) : 0;
}

static void close_encoder(bb_influxdb *sink) {
  bb_influxdb_plans_close(&sink->encoder.plans);
  bb_gzip_close(&sink->encoder.stream);
  bb_buf_close(&sink->encoder.scratch);
}

static int open_http(bb_influxdb *sink) {
  const bb_influxdb_options *options = &sink->options;
  uint32_t total_ms = options->timeout_ms;
  bb_http_config config = {.url = options->url,
                           .proxy = options->proxy,
                           .ca_file = sink->ca.path,
                           .cert_file = sink->cert.path,
                           .key_file = sink->key.path,
                           .insecure = !options->verify,
                           .connect_ms = total_ms < CONNECT_MS ? total_ms : CONNECT_MS,
                           .total_ms = total_ms,
                           .max_connections = options->concurrency};
  return bb_http_open(&sink->http, sink->base.loop, &config);
}

static int open_sink(bb_sink *base, const bb_doc *doc) {
  bb_influxdb *sink = (bb_influxdb *)base;
  read_options(&sink->options, doc);
  sink->state = BB_INFLUXDB_ASKING;
  sink->eager = true;
  sink->max_bytes = (size_t)sink->options.batch.bytes;
  sink->mark = bb_influxdb_options_mark(&sink->options);
  bb_backoff_init(&sink->backoff, FIRST_RETRY_MS, LONGEST_RETRY_MS, base->seed);
  int err = bb_influxdb_options_path(&sink->options, sink->path, sizeof(sink->path));
  if (err == 0) err = open_encoder(sink);
  if (err == 0) err = bb_influxdb_writer_open(sink, window_of(&sink->options));
  if (err == 0) err = open_files(sink);
  if (err == 0) err = open_http(sink);
  if (err < 0) {
    close_files(sink);
    bb_influxdb_writer_close(sink);
    close_encoder(sink);
    return err;
  }
  sink->http.data = sink;
  open_timer(sink, &sink->soon);
  open_timer(sink, &sink->age);
  open_timer(sink, &sink->drain);
  bb_influxdb_work_soon(sink);
  return 0;
}

static int deliver(bb_sink *base, const bb_run *run) {
  return bb_influxdb_writer_queue((bb_influxdb *)base, run);
}

static void retry(bb_sink *base) {
  bb_influxdb *sink = (bb_influxdb *)base;
  if (sink->state != BB_INFLUXDB_WAITING) return;
  sink->state = BB_INFLUXDB_ASKING;
  bb_influxdb_work_soon(sink);
}

/* The secret is read for each request anyway. */
static void refresh(bb_sink *base) {
  bb_influxdb *sink = (bb_influxdb *)base;
  uint64_t mark = bb_influxdb_options_mark(&sink->options);
  char why[160];
  if (mark == 0 || mark == sink->mark || fill_files(sink, why, sizeof(why)) < 0) return;
  sink->mark = mark;
  bb_http_renew(&sink->http);
  retry(base);
}

static void on_timer_closed(uv_handle_t *handle) {
  bb_influxdb *sink = handle->data;
  if (--sink->handles > 0) return;
  bb_influxdb_writer_close(sink);
  close_encoder(sink);
  close_files(sink);
  sink->base.host->on_closed(&sink->base);
}

static void on_http_closed(bb_http *http) {
  bb_influxdb *sink = http->data;
  uv_close((uv_handle_t *)&sink->soon, on_timer_closed);
  uv_close((uv_handle_t *)&sink->age, on_timer_closed);
  uv_close((uv_handle_t *)&sink->drain, on_timer_closed);
}

void bb_influxdb_finish(bb_influxdb *sink) {
  if (sink->state == BB_INFLUXDB_CLOSED) return;
  sink->state = BB_INFLUXDB_CLOSED;
  uv_timer_stop(&sink->soon);
  uv_timer_stop(&sink->age);
  uv_timer_stop(&sink->drain);
  bb_influxdb_writer_forget(sink, true);
  bb_http_close(&sink->http, on_http_closed);
}

static void on_drained(uv_timer_t *timer) {
  bb_influxdb_finish(timer->data);
}

static void close_sink(bb_sink *base, uint32_t drain_ms) {
  bb_influxdb *sink = (bb_influxdb *)base;
  sink->state = BB_INFLUXDB_CLOSING;
  sink->eager = true;
  uv_timer_start(&sink->drain, on_drained, drain_ms, 0);
  bb_influxdb_work_soon(sink);
}

static int check_message(const bb_message *message, bb_reason *reason) {
  if (message->topic_len == 0 && message->properties_len == 0) return 0;
  bb_reason_set(reason, BB_ERR_INVALID, 0, "this sink has no %s",
                message->topic_len > 0 ? "topics" : "properties");
  return reason->code;
}

const bb_sink_kind bb_sink_influxdb = {
    .kind = "influxdb",
    .bytes = sizeof(bb_influxdb),
    .events = true,
    .options = &bb_influxdb_schema,
    .check = bb_influxdb_options_check,
    .needs = get_needs,
    .open = open_sink,
    .check_message = check_message,
    .deliver = deliver,
    .retry = retry,
    .refresh = refresh,
    .close = close_sink,
};
