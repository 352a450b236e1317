/* SPDX-License-Identifier: Apache-2.0 */
/* See exposition.h. */
#include "runtime/exposition.h"

#include <string.h>

#include "base/text.h"
#include "encode/number.h"

void bb_exposition_head(bb_buf *out, const char *name, const char *type, const char *help) {
  bb_buf_printf(out, "# HELP %s %s\n# TYPE %s %s\n", name, help, name, type);
}

static void put_value(bb_buf *out, const char *text) {
  size_t len = strlen(text);
  while (len > 0) {
    unsigned n = bb_text_utf8(text, len);
    if (n == 0) {
      n = 1;
      bb_buf_byte(out, '?');
    } else if (*text == '\n') {
      bb_buf_text(out, "\\n");
    } else {
      if (*text == '\\' || *text == '"') bb_buf_byte(out, '\\');
      bb_buf_append(out, text, n);
    }
    text += n;
    len -= n;
  }
}

static void put_label(bb_buf *out, const bb_exposition_label *label, char before) {
  bb_buf_byte(out, (uint8_t)before);
  bb_buf_text(out, label->key);
  bb_buf_text(out, "=\"");
  put_value(out, label->value);
  bb_buf_byte(out, '"');
}

/* All of a line up to its value. */
static void put_series(bb_buf *out, const bb_exposition_series *series, const char *suffix) {
  char before = '{';
  bb_buf_text(out, series->name);
  bb_buf_text(out, suffix);
  for (size_t i = 0; i < 3; i++) {
    if (series->labels[i].key == NULL) continue;
    put_label(out, &series->labels[i], before);
    before = ',';
  }
  bb_buf_text(out, before == '{' ? " " : "} ");
}

static void put_whole(bb_buf *out, uint64_t value) {
  char text[BB_NUMBER_U64_MAX];
  bb_buf_append(out, text, bb_number_u64(text, value));
  bb_buf_byte(out, '\n');
}

static void put_seconds(bb_buf *out, uint64_t ns) {
  char text[BB_NUMBER_F64_MAX];
  bb_buf_append(out, text, bb_number_f64(text, (double)ns / 1e9));
  bb_buf_byte(out, '\n');
}

void bb_exposition_whole(bb_buf *out, const bb_exposition_series *series, uint64_t value) {
  put_series(out, series, "");
  put_whole(out, value);
}

void bb_exposition_seconds(bb_buf *out, const bb_exposition_series *series, uint64_t ns) {
  put_series(out, series, "");
  put_seconds(out, ns);
}

void bb_exposition_histogram(bb_buf *out, const bb_exposition_series *series,
                             const bb_histogram *histogram) {
  uint64_t sum = 0;
  for (unsigned i = 0; i <= BB_HISTOGRAM_BUCKETS; i++) {
    char bound[BB_NUMBER_F64_MAX + 1] = "+Inf";
    if (i < BB_HISTOGRAM_BUCKETS) {
      bound[bb_number_f64(bound, (double)bb_histogram_bound_ns(i) / 1e9)] = 0;
    }
    bb_exposition_series bucket = *series;
    bucket.labels[2] = (bb_exposition_label){"le", bound};
    sum += histogram->buckets[i];
    put_series(out, &bucket, "_bucket");
    put_whole(out, sum);
  }
  put_series(out, series, "_sum");
  put_seconds(out, histogram->sum_ns);
  put_series(out, series, "_count");
  put_whole(out, histogram->count);
}
