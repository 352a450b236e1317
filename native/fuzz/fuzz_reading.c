/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Any registers or bits, from any address on, read by a profile with a point of each kind; and as one
 * point many times. The first byte says the table, two the address, two where the repetition begins;
 * the rest was read.
 */
#include <stdlib.h>
#include <string.h>

#include "addon/reading.h"
#include "base/err.h"
#include "model/quality.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char profile[] =
    "{\"profile\":1,\"id\":\"a/b\",\"scans\":{\"s\":\"1s\"},\"points\":["
    "{\"name\":\"text\",\"type\":\"text\",\"holding\":40,\"length\":9},"
    "{\"name\":\"coil\",\"coil\":3,\"write\":true},"
    "{\"name\":\"discrete\",\"discrete\":9},"
    "{\"name\":\"bit\",\"type\":\"bit\",\"holding\":0,\"bit\":3},"
    "{\"name\":\"bits\",\"type\":\"uint16\",\"holding\":0,\"bit\":4,\"bits\":3},"
    "{\"name\":\"i8\",\"type\":\"int8\",\"byte\":\"high\",\"holding\":1},"
    "{\"name\":\"scale\",\"type\":\"int16\",\"holding\":2},"
    "{\"name\":\"scaled\",\"type\":\"float32\",\"holding\":3,\"order\":\"DCBA\",\"scale_from\":"
    "\"scale\",\"sentinels\":[2143289344]},"
    "{\"name\":\"u16\",\"type\":\"uint16\",\"holding\":5,\"scale\":0.1,\"add\":-2,\"valid\":"
    "{\"min\":0,\"max\":9}},"
    "{\"name\":\"i32\",\"type\":\"int32\",\"input\":6,\"order\":\"CDAB\"},"
    "{\"name\":\"u64\",\"type\":\"uint64\",\"holding\":8},"
    "{\"name\":\"f64\",\"type\":\"float64\",\"holding\":12},"
    "{\"name\":\"bcd\",\"type\":\"bcd64\",\"holding\":16},"
    "{\"name\":\"last\",\"type\":\"uint32\",\"holding\":65534}]}";

static void check(int truth) {
  if (!truth) abort();
}

static bb_reading *open_profile(void) {
  bb_reading *reading = NULL;
  bb_report report;
  bb_report_init(&report);
  check(bb_reading_open(&reading, "fuzz", profile, sizeof(profile) - 1, &report) == 0);
  bb_report_close(&report);
  return reading;
}

static void check_qualities(const double *columns, size_t n) {
  const uint8_t *quality = (const uint8_t *)columns + BB_COLUMNS_QUALITY;
  for (size_t i = 0; i < n; i++) {
    check(bb_quality_name(quality[i]) != NULL);
    if (columns[BB_COLUMN_PLAIN] == 1) check(quality[i] == BB_QUALITY_GOOD);
  }
}

/* The columns for so many points with slots of so many bytes, and not one double more. */
static double *make_columns(size_t n, size_t slot_bytes, bb_columns *out) {
  out->n = bb_columns_size(n) + (slot_bytes + 7) / 8;
  return out->doubles = calloc(out->n, sizeof(double));
}

static void decode(const bb_reading *reading, const bb_registers *registers) {
  bb_columns columns;
  uint16_t n = bb_reading_points(reading);
  if (make_columns(n, bb_reading_bytes(reading), &columns) == NULL) return;
  check(bb_reading_decode(reading, registers, &columns) == 0);
  check_qualities(columns.doubles, n);
  columns.n--;
  check(bb_reading_decode(reading, registers, &columns) == BB_ERR_RANGE);
  free(columns.doubles);
}

static void repeat(const bb_reading *reading, const uint8_t *bytes, size_t len, size_t at) {
  bb_columns columns;
  if (make_columns(len, 64 * (len + 1), &columns) == NULL) return;
  int n = bb_reading_repeat(reading, bytes, len, at, len, &columns);
  check(n >= 0 && (size_t)n <= len);
  check_qualities(columns.doubles, (size_t)n);
  check(bb_reading_repeat(reading, bytes, len, at, 1, &columns) <= 1);
  free(columns.doubles);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static bb_reading *reading;
  if (reading == NULL) reading = open_profile();
  if (size < 5) return 0;
  size_t len = size - 5 < 2 * BB_MAX_POINTS ? size - 5 : 2 * BB_MAX_POINTS;
  uint8_t *bytes = malloc(len + 1);
  if (bytes == NULL) return 0;
  memcpy(bytes, data + 5, len);
  bb_registers registers = {.space = data[0] % 4,
                            .address = (uint32_t)data[1] << 8 | data[2],
                            .n = (uint32_t)(data[0] % 4 <= 1 ? 8 * len : len / 2),
                            .bytes = bytes};
  decode(reading, &registers);
  repeat(reading, bytes, len, (size_t)data[3] << 8 | data[4]);
  free(bytes);
  return 0;
}
