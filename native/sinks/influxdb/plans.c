/* SPDX-License-Identifier: Apache-2.0 */
/* See plans.h. */
#include "sinks/influxdb/plans.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"
#include "model/message.h"

#define FIRST_CAPACITY 64
#define MAX_PLANS 4096

typedef struct bb_influxdb_entry {
  uint64_t hash;
  void *value; /* NULL: free place */
} entry;

/* The place of the hash, or the free one where it belongs. */
static entry *find(const bb_influxdb_table *table, uint64_t hash) {
  size_t at = (size_t)(hash * 0x9E3779B97F4A7C15ull >> 20) & (table->cap - 1);
  while (table->entries[at].value != NULL && table->entries[at].hash != hash) {
    at = (at + 1) & (table->cap - 1);
  }
  return &table->entries[at];
}

static void *get(const bb_influxdb_table *table, uint64_t hash) {
  return table->cap > 0 ? find(table, hash)->value : NULL;
}

/* Keeps a third of the places free. */
static int grow(bb_influxdb_table *table) {
  if (3 * (table->n + 1) <= 2 * table->cap) return 0;
  bb_influxdb_table larger = {.n = table->n,
                              .cap = table->cap > 0 ? 2 * table->cap : FIRST_CAPACITY};
  larger.entries = calloc(larger.cap, sizeof(*larger.entries));
  if (larger.entries == NULL) return BB_ERR_NOMEM;
  for (size_t i = 0; i < table->cap; i++) {
    if (table->entries[i].value != NULL) *find(&larger, table->entries[i].hash) = table->entries[i];
  }
  free(table->entries);
  *table = larger;
  return 0;
}

static int add(bb_influxdb_table *table, uint64_t hash, void *value) {
  int err = grow(table);
  if (err < 0) return err;
  *find(table, hash) = (entry){hash, value};
  table->n++;
  return 0;
}

static void clear(bb_influxdb_table *table, void (*release)(void *value)) {
  for (size_t i = 0; i < table->cap; i++) release(table->entries[i].value);
  free(table->entries);
  *table = (bb_influxdb_table){0};
}

static void release_series(void *series) {
  bb_line_series_free(series);
}

static void release_plan(void *plan) {
  bb_line_plan_free(plan);
}

void bb_influxdb_plans_close(bb_influxdb_plans *plans) {
  clear(&plans->series, release_series);
  clear(&plans->plans, release_plan);
}

static bb_line_series *series_of(bb_influxdb_plans *plans, const bb_device *device) {
  bb_line_series *series = get(&plans->series, device->hash);
  if (series != NULL) return series;
  if (plans->series.n >= BB_MAX_DEVICES) clear(&plans->series, release_series);
  series = bb_line_series_new(device, &plans->options);
  if (series != NULL && add(&plans->series, device->hash, series) == 0) return series;
  bb_line_series_free(series);
  return NULL;
}

static bb_line_plan *plan_of(bb_influxdb_plans *plans, const bb_shape *shape) {
  bb_line_plan *plan = get(&plans->plans, shape->hash);
  if (plan != NULL) return plan;
  if (plans->plans.n >= MAX_PLANS) clear(&plans->plans, release_plan);
  plan = bb_line_plan_new(shape, &plans->options);
  if (plan != NULL && add(&plans->plans, shape->hash, plan) == 0) return plan;
  bb_line_plan_free(plan);
  return NULL;
}

/* Lines that someone else encoded; the last may lack its end. */
static int put_lines(bb_buf *out, const bb_batch *batch) {
  bb_message message;
  int lines = 0;
  if (bb_message_unpack(batch, &message) < 0) return 0;
  const char *text = message.payload;
  uint32_t len = message.payload_len;
  while (len > 0 && text[len - 1] == '\n') len--;
  if (len == 0) return 0;
  for (uint32_t i = 0; i < len; i++) lines += text[i] == '\n';
  bb_buf_append(out, text, len);
  bb_buf_byte(out, '\n');
  return out->failed < 0 ? out->failed : lines + 1;
}

int bb_influxdb_plans_encode(bb_influxdb_plans *plans, bb_buf *out, const bb_batch *batch,
                             uint32_t *left_out) {
  if (batch->kind == BB_BATCH_MESSAGE) return put_lines(out, batch);
  if (batch->kind != BB_BATCH_SAMPLES) return bb_line_event(out, batch, &plans->options);
  bb_line_series *series = series_of(plans, batch->device);
  bb_line_plan *plan = plan_of(plans, batch->shape);
  if (series == NULL || plan == NULL) return BB_ERR_NOMEM;
  return bb_line_batch(out, series, plan, batch, left_out);
}

uint32_t bb_influxdb_plans_count(bb_influxdb_plans *plans, const bb_batch *batch,
                                 const char *measurement, const char *field, const char *type) {
  if (batch->kind == BB_BATCH_MESSAGE) return 0;
  if (batch->kind != BB_BATCH_SAMPLES) {
    return strcmp(measurement, "events") == 0 && strcmp(field, "text") == 0;
  }
  bb_line_series *series = series_of(plans, batch->device);
  bb_line_plan *plan = plan_of(plans, batch->shape);
  if (series == NULL || plan == NULL) return 0;
  return bb_line_count(series, plan, measurement, field, type);
}
