/* SPDX-License-Identifier: Apache-2.0 */
/* See sift.h. */
#include "sinks/influxdb/sift.h"

#include <string.h>

typedef struct {
  bb_influxdb_record *records;
  uint32_t n;
  const bb_influxdb_complaint *complaint;
  bb_influxdb_encoder *encoder;
} job;

static uint32_t count_lines(const bb_influxdb_record *records, uint32_t n) {
  uint32_t lines = 0;
  for (uint32_t i = 0; i < n; i++) lines += records[i].lines;
  return lines;
}

/* Puts records[i] behind the first `front` ones. */
static void bring_forward(bb_influxdb_record *records, uint32_t front, uint32_t i) {
  bb_influxdb_record record = records[i];
  records[i] = records[front];
  records[front] = record;
}

/* True if the message quotes one of the record's lines; then with its reason. */
static bool is_named(const job *j, bb_influxdb_record *record) {
  uint32_t left_out = 0;
  bb_buf *lines = &j->encoder->scratch;
  bb_buf_clear(lines);
  if (bb_influxdb_plans_encode(&j->encoder->plans, lines, record->batch, &left_out) <= 0) {
    return false;
  }
  const char *at = (const char *)lines->bytes, *end = at + lines->len;
  while (at < end) {
    const char *stop = memchr(at, '\n', (size_t)(end - at)), *reason;
    size_t reason_len;
    if (bb_influxdb_answer_names(j->complaint, at, (size_t)(stop - at), &reason, &reason_len)) {
      record->reason_at = (uint32_t)(reason - j->complaint->message);
      record->reason_len = (uint32_t)reason_len;
      return true;
    }
    at = stop + 1;
  }
  return false;
}

static bool by_names(const job *j, bb_influxdb_sifted *out) {
  if (j->complaint->n_named == 0) return false;
  for (uint32_t i = 0; i < j->n; i++) {
    if (is_named(j, &j->records[i])) bring_forward(j->records, out->refused++, i);
  }
  if (out->refused == 0) return false;
  uint32_t rest = j->n - out->refused;
  /* More may be bad than are quoted where the message was cut: then its end is missing too. */
  const bb_influxdb_complaint *complaint = j->complaint;
  bool whole = complaint->has_dropped && complaint->n_named < BB_INFLUXDB_MAX_NAMED;
  if (complaint->partial && whole && complaint->dropped == 0) {
    out->written = rest;
  } else {
    out->first = rest;
  }
  return true;
}

static bool by_conflict(const job *j, bb_influxdb_sifted *out) {
  const bb_influxdb_complaint *complaint = j->complaint;
  uint32_t suspects = 0, lines = 0;
  if (complaint->field[0] == 0) return false;
  for (uint32_t i = 0; i < j->n; i++) {
    uint32_t count =
        bb_influxdb_plans_count(&j->encoder->plans, j->records[i].batch, complaint->measurement,
                                complaint->field, complaint->type);
    if (count == 0) continue;
    bring_forward(j->records, suspects++, i);
    lines += count;
  }
  if (suspects == 0 || suspects == j->n) return false;
  if (complaint->partial && complaint->has_dropped && complaint->dropped == lines) {
    *out = (bb_influxdb_sifted){.refused = suspects, .written = j->n - suspects};
  } else {
    *out = (bb_influxdb_sifted){.first = suspects, .second = j->n - suspects};
  }
  return true;
}

static bool by_number(const job *j, bb_influxdb_sifted *out) {
  uint32_t at = 0, line = j->complaint->line;
  if (line == 0) return false;
  for (uint32_t i = 0; i < j->n; i++) {
    at += j->records[i].lines;
    if (at < line) continue;
    /* To the front, the others keeping their order. */
    bb_influxdb_record record = j->records[i];
    memmove(j->records + 1, j->records, i * sizeof(record));
    j->records[0] = record;
    *out = (bb_influxdb_sifted){.refused = 1, .first = i, .second = j->n - i - 1};
    return true;
  }
  return false;
}

bb_influxdb_sifted bb_influxdb_sift(bb_influxdb_record *records, uint32_t n,
                                    const bb_influxdb_complaint *complaint,
                                    bb_influxdb_encoder *encoder) {
  job j = {records, n, complaint, encoder};
  bb_influxdb_sifted out = {0, 0, 0, 0};
  for (uint32_t i = 0; i < n; i++) records[i].reason_len = 0;
  if (by_names(&j, &out)) return out;
  bool all = complaint->has_dropped && complaint->dropped >= count_lines(records, n);
  if (n == 1 || (all && complaint->partial)) {
    out.refused = n;
  } else if (!by_conflict(&j, &out) && !by_number(&j, &out)) {
    out.first = n / 2;
    out.second = n - n / 2;
  }
  return out;
}
