/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See sink.h. Runs are kept as what they are, views of the host's batches; a batch becomes bytes
 * only when there is room for its message, and then in the very buffer that is handed to the
 * connection.
 */
#include <stdlib.h>

#include "base/err.h"
#include "base/text.h"
#include "encode/json.h"
#include "io/mqtt_property.h"
#include "sinks/mqtt/sink.h"

int bb_mqtt_deliver_init(bb_mqtt_sink *own, uint32_t n_records) {
  bb_list_init(&own->free);
  bb_list_init(&own->queue);
  bb_list_init(&own->ended);
  own->records = calloc(n_records, sizeof(*own->records));
  if (own->records == NULL) return BB_ERR_NOMEM;
  own->n_records = own->n_free = n_records;
  for (uint32_t i = 0; i < n_records; i++) bb_list_append(&own->free, &own->records[i].node);
  bb_buf_init(&own->point_topic, 2 * BB_TOPIC_MAX_BYTES);
  bb_buf_init(&own->properties, BB_MQTT_PROPERTIES_MAX);
  return 0;
}

void bb_mqtt_deliver_close(bb_mqtt_sink *own) {
  bb_buf_close(&own->properties);
  bb_buf_close(&own->point_topic);
  free(own->records);
}

static void release(bb_mqtt_sink *own, bb_mqtt_record *record) {
  bb_list_remove(&record->node);
  bb_list_append(&own->free, &record->node);
  record->batch = NULL;
  own->n_free++;
}

static void spoil(bb_mqtt_record *record, bb_verdict verdict, int code, uint8_t reason) {
  if (record->verdict == BB_VERDICT_RETRY) return;
  record->verdict = verdict;
  record->code = code;
  record->reason = reason;
}

static void check_end(bb_mqtt_sink *own, bb_mqtt_record *record) {
  if (!record->sent || record->pending > 0) return;
  bb_list_remove(&record->node);
  bb_list_append(&own->ended, &record->node);
}

static bool by_point(const bb_mqtt_sink *own, const bb_batch *batch) {
  return own->options.payload == BB_MQTT_PAYLOAD_POINT && batch->kind == BB_BATCH_SAMPLES;
}

static const char *scan_of(const bb_batch *batch) {
  if (batch->shape != NULL) return batch->shape->scan;
  return batch->kind == BB_BATCH_OUTCOME ? "outcome" : "event";
}

/* The topic of the record's next message; 0 or an error of the topic. */
static int find_topic(bb_mqtt_sink *own, const bb_mqtt_record *record, const char **topic) {
  const bb_batch *batch = record->batch;
  int err = bb_topic_cache_get(&own->topics, batch->device, scan_of(batch), topic);
  if (err < 0 || !own->topic.has_point) return err;
  const char *point =
      by_point(own, batch) ? batch->shape->points[record->next_point].name : scan_of(batch);
  bb_buf_clear(&own->point_topic);
  err = bb_topic_point(*topic, point, &own->point_topic);
  *topic = (const char *)own->point_topic.bytes;
  return err;
}

static int encode(bb_mqtt_sink *own, const bb_mqtt_record *record, bb_buf *out) {
  const bb_batch *batch = record->batch;
  bb_json_options options = {.tags = own->options.tags, .historical = record->history};
  return by_point(own, batch) ? bb_json_point(out, batch, record->next_point, &options)
                              : bb_json_batch(out, batch, &options);
}

/* History is never retained: what is newer may be already. */
static bool is_retained(const bb_mqtt_sink *own, const bb_mqtt_record *record) {
  const bb_batch *batch = record->batch;
  if (record->history) return false;
  if (batch->kind == BB_BATCH_MESSAGE) return (batch->flags & BB_BATCH_RETAIN) != 0;
  return own->options.retain && batch->kind == BB_BATCH_SAMPLES;
}

static uint8_t qos_of(const bb_mqtt_sink *own, const bb_batch *batch) {
  unsigned given = (batch->flags & BB_BATCH_QOS) >> BB_BATCH_QOS_SHIFT;
  bool own_qos = batch->kind != BB_BATCH_MESSAGE || given == 0;
  return (uint8_t)(own_qos ? own->options.qos : given - 1);
}

/* One place is kept free, so that the last state can still be told. */
static bool has_room(const bb_mqtt_sink *own) {
  return bb_mqtt_room(&own->mqtt) > (own->mqtt.in_flight > 0 ? 1u : 0u);
}

/* How many fields were left out, or an error of the message. */
static int fill(bb_mqtt_sink *own, bb_mqtt_record *record, bb_buf *payload, bb_mqtt_message *out) {
  if (record->batch->kind == BB_BATCH_MESSAGE) {
    return bb_mqtt_fill_message(own, record, payload, out);
  }
  int left_out = encode(own, record, payload);
  int err = left_out < 0 ? left_out : find_topic(own, record, &out->topic);
  return err < 0 ? err : left_out;
}

/* One that will not become better by waiting. */
static bool is_final(int err) {
  return err == BB_ERR_LIMIT || err == BB_ERR_INVALID || err == BB_ERR_TIMEOUT;
}

/* One message of the record. False: no room. */
static bool send_message(bb_mqtt_sink *own, bb_mqtt_record *record) {
  bb_buf *payload = has_room(own) ? bb_mqtt_payload(&own->mqtt) : NULL;
  if (payload == NULL) return false;
  bb_mqtt_message message = {.qos = qos_of(own, record->batch),
                             .retain = is_retained(own, record),
                             .tag = (uint64_t)(record - own->records)};
  size_t before = payload->len;
  int left_out = fill(own, record, payload, &message);
  uint32_t bytes = (uint32_t)(payload->len - before);
  int err = left_out < 0 ? left_out : bb_mqtt_add(&own->mqtt, &message);
  if (err < 0) {
    record->bytes = bytes;
    spoil(record, is_final(err) ? BB_VERDICT_REFUSED : BB_VERDICT_RETRY, err, 0);
    return true;
  }
  own->sink.bytes_sent += bytes;
  own->sink.left_out += (uint64_t)left_out;
  record->pending++;
  return true;
}

/* All that is left of the record. False: no room for some of it. */
static bool send_record(bb_mqtt_sink *own, bb_mqtt_record *record) {
  const bb_batch *batch = record->batch;
  if (!by_point(own, batch)) return send_message(own, record);
  for (; record->next_point < batch->shape->n_points; record->next_point++) {
    if (batch->quality[record->next_point] == BB_QUALITY_ABSENT) continue;
    if (!send_message(own, record)) return false;
  }
  return true;
}

void bb_mqtt_pump(bb_mqtt_sink *own) {
  while (!bb_list_empty(&own->queue) && !own->dying) {
    bb_mqtt_record *record = BB_LIST_ITEM(bb_list_first(&own->queue), bb_mqtt_record, node);
    if (!send_record(own, record)) break;
    record->sent = true;
    bb_list_remove(&record->node);
    check_end(own, record);
  }
  if (own->mqtt.up) bb_mqtt_flush(&own->mqtt);
}

static void on_later(uv_timer_t *timer) {
  bb_mqtt_settle(timer->data);
}

int bb_mqtt_deliver(bb_sink *sink, const bb_run *run) {
  bb_mqtt_sink *own = (bb_mqtt_sink *)(void *)sink;
  if (!own->ready || own->renewing || own->dying || run->n > own->n_free) return BB_ERR_AGAIN;
  for (uint32_t i = 0; i < run->n; i++) {
    bb_mqtt_record *record = BB_LIST_ITEM(bb_list_first(&own->free), bb_mqtt_record, node);
    bb_list_remove(&record->node);
    *record = (bb_mqtt_record){.batch = &run->batches[i],
                               .ticket = run->ticket + i,
                               .history = run->history,
                               .verdict = BB_VERDICT_ACKED};
    bb_list_init(&record->node);
    bb_list_append(&own->queue, &record->node);
  }
  own->n_free -= run->n;
  bb_mqtt_pump(own);
  if (!bb_list_empty(&own->ended)) uv_timer_start(&own->later, on_later, 0, 0);
  return 0;
}

void bb_mqtt_message_done(bb_mqtt_sink *own, const bb_mqtt_done *done) {
  bb_mqtt_record *record = &own->records[done->tag];
  record->pending--;
  if (done->status == BB_ERR_REFUSED && bb_mqtt_reason_final(done->reason)) {
    spoil(record, BB_VERDICT_REFUSED, done->status, done->reason);
  } else if (done->status == BB_ERR_INVALID) {
    spoil(record, BB_VERDICT_REFUSED, done->status, 0);
  } else if (done->status < 0) {
    spoil(record, BB_VERDICT_RETRY, done->status, done->reason);
  }
  /* Broken connections are told at once for all. */
  if (done->status != BB_ERR_CLOSED) check_end(own, record);
}

static const bb_reason *explain(const bb_mqtt_record *record, bb_reason *out) {
  char time[32];
  if (record->verdict == BB_VERDICT_ACKED) return NULL;
  if (record->reason != 0) {
    return bb_reason_set(out, record->code, record->reason, "refused by the broker: %s",
                         bb_mqtt_reason_text(record->reason));
  }
  if (record->code == BB_ERR_LIMIT) {
    return bb_reason_set(out, record->code, 0,
                         "a message of %u bytes, or its topic, is longer than allowed",
                         record->bytes);
  }
  if (record->code == BB_ERR_TIMEOUT) {
    return bb_reason_set(out, record->code, 0,
                         "it could not be sent within its message expiry interval of %s",
                         bb_text_show_ms(time, sizeof(time), record->expiry_s * 1000ull));
  }
  return bb_reason_set(out, record->code, 0, "the message could not be sent");
}

static bool follows(const bb_mqtt_record *a, const bb_mqtt_record *b) {
  return b->ticket == a->ticket + 1 && b->verdict == BB_VERDICT_ACKED &&
         a->verdict == BB_VERDICT_ACKED;
}

void bb_mqtt_tell_verdicts(bb_mqtt_sink *own) {
  bb_reason reason;
  while (!bb_list_empty(&own->ended)) {
    bb_mqtt_record first = *BB_LIST_ITEM(bb_list_first(&own->ended), bb_mqtt_record, node);
    bb_mqtt_record last = first;
    uint32_t n = 0;
    do {
      bb_mqtt_record *record = BB_LIST_ITEM(bb_list_first(&own->ended), bb_mqtt_record, node);
      if (n > 0 && !follows(&last, record)) break;
      last = *record;
      release(own, record);
      n++;
    } while (!bb_list_empty(&own->ended));
    own->sink.host->on_verdict(&own->sink, first.ticket, n, first.verdict,
                               explain(&first, &reason));
  }
}

void bb_mqtt_forget_records(bb_mqtt_sink *own) {
  for (uint32_t i = 0; i < own->n_records; i++) {
    if (own->records[i].batch != NULL) release(own, &own->records[i]);
  }
}

void bb_mqtt_return_records(bb_mqtt_sink *own) {
  for (uint32_t i = 0; i < own->n_records; i++) {
    bb_mqtt_record *record = &own->records[i];
    if (record->batch == NULL) continue;
    if (!record->sent || record->pending > 0) record->verdict = BB_VERDICT_RETRY;
    bb_list_remove(&record->node);
    bb_list_append(&own->ended, &record->node);
  }
  bb_mqtt_tell_verdicts(own);
}
