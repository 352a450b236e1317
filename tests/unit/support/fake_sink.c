/* SPDX-License-Identifier: Apache-2.0 */
/* See fake_sink.h. */
#include "support/fake_sink.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "support/expect.h"
#include "support/journal.h"

typedef struct {
  uint32_t window, run, room, linger_ms, keep_ms;
  uint64_t bytes;
  double refuse;
  bool manual, fails;
} options;

/* clang-format off */
static const bb_field fields[] = {
    {"window", BB_FIELD_U32, offsetof(options, window), false, 1, 100000, NULL, NULL, "batches"},
    {"run", BB_FIELD_U32, offsetof(options, run), false, 1, 100000, NULL, NULL, "batches"},
    {"bytes", BB_FIELD_BYTES, offsetof(options, bytes), false, 1, 1e9, NULL, NULL, "window"},
    {"linger", BB_FIELD_DURATION, offsetof(options, linger_ms), false, 0, 1e6, NULL, "0s", "time"},
    {"keep", BB_FIELD_DURATION, offsetof(options, keep_ms), false, 0, 1e6, NULL, "0s", "rewind"},
    {"room", BB_FIELD_U32, offsetof(options, room), false, 0, 100000, NULL, NULL, "batches"},
    {"refuse", BB_FIELD_NUMBER, offsetof(options, refuse), false, 0, 0, NULL, NULL, "value"},
    {"manual", BB_FIELD_BOOL, offsetof(options, manual), false, 0, 0, NULL, "false", "by the test"},
    {"fails", BB_FIELD_BOOL, offsetof(options, fails), false, 0, 0, NULL, "false", "open fails"},
};
/* clang-format on */
static const bb_schema schema = BB_SCHEMA("session", fields);

static options read_options(const bb_doc *doc) {
  options o = {0};
  bb_report report;
  bb_report_init(&report);
  bb_schema_read(&schema, doc, &o, &report);
  bb_report_close(&report);
  return o;
}

static fake_sink *sink_of(bb_sink *sink) {
  return (fake_sink *)sink;
}

static void needs(const bb_doc *doc, bb_sink_needs *out) {
  options o = read_options(doc);
  *out = (bb_sink_needs){.window_records = o.window,
                         .window_bytes = (uint32_t)o.bytes,
                         .run_records = o.run,
                         .linger_ms = o.linger_ms,
                         .hold_ms = o.keep_ms};
}

double fake_sink_value(const bb_batch *batch) {
  return batch->shape != NULL ? bb_value_double(bb_batch_value(batch, 0)) : NAN;
}

static const char *quality_of(const bb_batch *batch) {
  uint8_t quality = batch->quality[0];
  return quality == BB_QUALITY_GOOD ? "" : bb_quality_name(quality);
}

static void note(const fake_sink *sink, const char *what, const bb_batch *batch) {
  if (batch->shape == NULL) {
    journal_add("%s %s %s %s %.*s", sink->base.id, what, batch->device->id,
                batch->kind == BB_BATCH_OUTCOME ? "outcome" : "event", (int)batch->text_len,
                batch->text);
    return;
  }
  const char *quality = quality_of(batch);
  journal_add("%s %s %s %s %g%s%s", sink->base.id, what, batch->device->id, batch->shape->scan,
              fake_sink_value(batch), quality[0] != 0 ? " " : "", quality);
}

static void on_kept(bb_sink *sink, bool durable) {
  journal_add("%s %s", sink->id, durable ? "durable" : "kept in memory");
}

static void give_births(fake_sink *sink) {
  for (uint32_t i = 0; i < FAKE_SINK_ANNOUNCED; i++) {
    const fake_announced *known = &sink->announced[i];
    bb_batch batch;
    if (known->shape == NULL) continue;
    if (!sink->base.host->latest(&sink->base, known->device, known->shape, &batch)) continue;
    expect_uint("a birth in the shape that was announced", batch.shape->hash, known->shape->hash);
    note(sink, "birth", &batch);
  }
}

void fake_sink_connect(fake_sink *sink) {
  const bb_sink_host *host = sink->base.host;
  uint64_t last = 0;
  int n = host->kept(&sink->base, "session", &last, sizeof(last));
  expect_true("none or whole", n == (int)sizeof(last) || n == BB_ERR_NOTFOUND);
  sink->session = last + 1;
  int err = host->keep(&sink->base, "session", &sink->session, sizeof(last), on_kept);
  if (err < 0) journal_add("%s cannot keep its number", sink->base.id);
  journal_add("%s session %d", sink->base.id, (int)sink->session);
  give_births(sink);
  if (sink->unclean) host->rewind(&sink->base, sink->keep_ms);
  sink->unclean = false;
  sink->ready = true;
  host->on_ready(&sink->base);
}

static void stop_session(fake_sink *sink, const char *why, uint32_t retry_ms) {
  bb_reason reason;
  bb_reason_set(&reason, BB_ERR_CLOSED, 0, "%s", why);
  sink->ready = false;
  sink->n_pending = 0;
  sink->base.host->on_wait(&sink->base, &reason, retry_ms);
}

void fake_sink_lose(fake_sink *sink, const char *why) {
  sink->unclean = sink->keep_ms > 0;
  stop_session(sink, why, 0);
}

void fake_sink_wait(fake_sink *sink, uint32_t retry_ms) {
  stop_session(sink, "the peer asks to wait", retry_ms);
}

static void finish(fake_sink *sink);

void fake_sink_judge(fake_sink *sink, uint32_t at, uint32_t n, bb_verdict verdict) {
  bb_reason reason;
  uint64_t ticket = sink->pending[at].ticket;
  expect_true("so many have no verdict", at + n <= sink->n_pending);
  expect_uint("they follow each other", sink->pending[at + n - 1].ticket, ticket + n - 1);
  sink->n_pending -= n;
  memmove(&sink->pending[at], &sink->pending[at + n],
          (sink->n_pending - at) * sizeof(sink->pending[0]));
  bb_reason_set(&reason, BB_ERR_REFUSED, 400, "the peer does not like it");
  sink->base.host->on_verdict(&sink->base, ticket, n, verdict,
                              verdict == BB_VERDICT_REFUSED ? &reason : NULL);
  if (sink->closing && sink->n_pending == 0) finish(sink);
}

static void judge_one(fake_sink *sink, uint32_t at) {
  bool refused = sink->has_refuse && fake_sink_value(sink->pending[at].batch) == sink->refuse;
  fake_sink_judge(sink, at, 1, refused ? BB_VERDICT_REFUSED : BB_VERDICT_ACKED);
}

/* The newer half first and one by one, then the older in one piece where nothing is refused. What
 * comes meanwhile stands behind them. */
static void judge_all(fake_sink *sink) {
  uint32_t n = sink->n_pending, half = n / 2;
  for (uint32_t i = half; i < n; i++) judge_one(sink, half);
  if (half > 0 && !sink->has_refuse &&
      sink->pending[half - 1].ticket - sink->pending[0].ticket == half - 1u) {
    fake_sink_judge(sink, 0, half, BB_VERDICT_ACKED);
    return;
  }
  for (uint32_t i = 0; i < half; i++) judge_one(sink, 0);
}

static void on_later(uv_timer_t *timer) {
  fake_sink *sink = timer->data;
  if (!sink->ready && !sink->closing) {
    fake_sink_connect(sink);
  } else if (!sink->manual) {
    judge_all(sink);
  } else if (sink->closing && (sink->n_pending == 0 || !sink->ready)) {
    finish(sink);
  }
}

static int open_sink(bb_sink *base, const bb_doc *doc) {
  fake_sink *sink = sink_of(base);
  options o = read_options(doc);
  if (o.fails) return UV_EACCES;
  sink->manual = o.manual;
  sink->room = o.room;
  sink->keep_ms = o.keep_ms;
  sink->refuse = o.refuse;
  sink->has_refuse = bb_doc_get(doc, "refuse") != NULL;
  journal_add("%s open", base->id);
  uv_timer_init(base->loop, &sink->later);
  uv_timer_init(base->loop, &sink->drain);
  sink->later.data = sink->drain.data = sink;
  sink->handles = 2;
  if (!sink->manual) uv_timer_start(&sink->later, on_later, 0, 0);
  return 0;
}

static void forget(fake_announced *known) {
  bb_device_unref(known->device);
  bb_shape_unref(known->shape);
  *known = (fake_announced){0};
}

static fake_announced *find(fake_sink *sink, const char *device, uint64_t shape) {
  for (uint32_t i = 0; i < FAKE_SINK_ANNOUNCED; i++) {
    fake_announced *known = &sink->announced[i];
    if (known->shape == NULL || known->shape->hash != shape) continue;
    if (strcmp(known->device->id, device) == 0) return known;
  }
  return NULL;
}

static int shape_of(bb_sink *base, const bb_device *device, const bb_shape *shape) {
  fake_sink *sink = sink_of(base);
  fake_announced *known = sink->announced;
  expect_true("told once", find(sink, device->id, shape->hash) == NULL);
  journal_add("%s shape %s %s %u points", base->id, device->id, shape->scan, shape->n_points);
  for (; known->shape != NULL; known++) {
    expect_true("room for it", known < &sink->announced[FAKE_SINK_ANNOUNCED - 1]);
  }
  *known = (fake_announced){bb_device_ref(device), bb_shape_ref(shape)};
  return 0;
}

static void shape_gone(bb_sink *base, const bb_device *device, const bb_shape *shape) {
  fake_announced *known = find(sink_of(base), device->id, shape->hash);
  expect_true("gone is what was announced", known != NULL);
  journal_add("%s gone %s %s", base->id, device->id, shape->scan);
  forget(known);
}

static void device_of(bb_sink *base, const bb_device *device, bool up) {
  journal_add("%s %s %s", base->id, up ? "up" : "down", device->id);
}

static int deliver(bb_sink *base, const bb_run *run) {
  fake_sink *sink = sink_of(base);
  expect_true("only while ready", sink->ready);
  if (sink->room > 0 && sink->n_pending + run->n > sink->room) {
    journal_add("%s full", base->id);
    return BB_ERR_AGAIN;
  }
  sink->runs++;
  if (run->n > sink->largest_run) sink->largest_run = run->n;
  for (uint32_t i = 0; i < run->n; i++) {
    const bb_batch *batch = &run->batches[i];
    if (batch->shape != NULL) {
      sink->strangers += find(sink, batch->device->id, batch->shape->hash) == NULL;
    }
    expect_true("the test's room", sink->n_pending < FAKE_SINK_PENDING);
    sink->pending[sink->n_pending++] = (fake_pending){run->ticket + i, batch};
    note(sink, run->history ? "history" : "live", batch);
  }
  if (!sink->manual) uv_timer_start(&sink->later, on_later, 0, 0);
  return 0;
}

static void retry(bb_sink *base) {
  journal_add("%s retry", base->id);
  if (!sink_of(base)->manual) uv_timer_start(&sink_of(base)->later, on_later, 0, 0);
}

static void on_handle_closed(uv_handle_t *handle) {
  fake_sink *sink = handle->data;
  if (--sink->handles > 0) return;
  journal_add("%s closed", sink->base.id);
  sink->base.host->on_closed(&sink->base);
}

static void finish(fake_sink *sink) {
  if (uv_is_closing((uv_handle_t *)&sink->later)) return;
  for (uint32_t i = 0; i < FAKE_SINK_ANNOUNCED; i++) {
    if (sink->announced[i].shape != NULL) forget(&sink->announced[i]);
  }
  uv_close((uv_handle_t *)&sink->later, on_handle_closed);
  uv_close((uv_handle_t *)&sink->drain, on_handle_closed);
}

static void on_drained(uv_timer_t *timer) {
  finish(timer->data);
}

static void close_sink(bb_sink *base, uint32_t drain_ms) {
  fake_sink *sink = sink_of(base);
  journal_add("%s close", base->id);
  sink->closing = true;
  bool idle = !sink->ready || sink->n_pending == 0;
  uv_timer_start(&sink->drain, on_drained, idle ? 0 : drain_ms, 0);
}

/* Whatever there is. */
static int check_message(const bb_message *message, bb_reason *reason) {
  (void)message, (void)reason;
  return 0;
}

const bb_sink_kind bb_sink_fake = {
    .kind = "session",
    .events = true,
    .bytes = sizeof(fake_sink),
    .options = &schema,
    .needs = needs,
    .open = open_sink,
    .shape = shape_of,
    .shape_gone = shape_gone,
    .device = device_of,
    .check_message = check_message,
    .deliver = deliver,
    .retry = retry,
    .close = close_sink,
};
