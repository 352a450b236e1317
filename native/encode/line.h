/* SPDX-License-Identifier: Apache-2.0 */
/*
 * InfluxDB line protocol (https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/):
 *
 *   powermonitor_500,asset=meter-1,site=plant-7 voltage_l1_n=230.1,starts=7i 1763688000123
 *
 * The measurement is that of the options, else the last part of the device's profile with '_' for
 * '-', else "busbar". Tags are those of the device, `site`, `asset` (the device's id, unless it has
 * a tag of that name) and the further ones of the options; of equal keys the device's own holds,
 * then site and asset. Tags without a value are left out, as are the reserved keys time, _field and
 * _measurement. Fields are the points whose sample is good or uncertain; NaN, the infinities, and
 * unsigned values that the type `i` cannot hold are left out and counted. Without a field there is
 * no line.
 *
 * Layouts, for the points voltage/l1-n, voltage/l2-n, frequency:
 *
 *   wide        m,... voltage_l1_n=230.1,voltage_l2_n=229.8,frequency=50 t
 *   per-phase   m,...,phase=l1 voltage=230.1 t      the phase is the last part of the name: l1, l2,
 *               m,...,phase=l2 voltage=229.8 t      l3, n, total; l1-n counts as l1, and so on. All
 *               m,... frequency=50 t                other names stay in a line without that tag.
 *   per-point   m,...,point=voltage/l1-n value=230.1 t
 *
 * In per-point all points share one field, so it has one type: numbers and booleans (1, 0) are
 * floats; texts are in a field `text`.
 *
 * What the syntax cannot carry is replaced: control characters (line ends, too) by a space, bytes
 * that are not UTF-8 by U+FFFD, a backslash before a character that is escaped or at the end of a
 * name by '/', '#' at the start of a measurement by '_', a double quote in a field key by a single one
 * (VictoriaMetrics takes it for the start of a text). A point `time`, which InfluxDB 1 refuses,
 * becomes `time_`. Two points whose names become the same keep their own names.
 *
 * A series and a plan are made once for a device and a shape, so that encoding is copying and
 * printing numbers.
 */
#ifndef BB_ENCODE_LINE_H
#define BB_ENCODE_LINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "model/batch.h"

typedef enum bb_line_layout { BB_LINE_WIDE, BB_LINE_PER_PHASE, BB_LINE_PER_POINT } bb_line_layout;

typedef enum bb_line_precision {
  BB_LINE_NS,
  BB_LINE_US,
  BB_LINE_MS,
  BB_LINE_S,
} bb_line_precision;

/* Must be the same for a series, a plan and a batch that go together. Zero: as stated. */
typedef struct bb_line_options {
  bb_line_layout layout;       /* wide */
  bb_line_precision precision; /* ns; times are rounded down to it */
  bool all_float;              /* integers are written as floats */
  bool unsigned_type;      /* unsigned integers end in `u`, which InfluxDB 1 has not, not in `i` */
  bool names_as_is;        /* field keys keep '/' and '-', which else become '_' */
  const char *measurement; /* NULL: by the device's profile */
  const bb_tag *tags;      /* further tags, in any order */
  uint32_t n_tags;
} bb_line_options;

/* What stands before the fields in every line of a device. */
typedef struct bb_line_series bb_line_series;

/* The keys of the fields of a shape, and how they are spread over lines. */
typedef struct bb_line_plan bb_line_plan;

/* NULL without memory. */
bb_line_series *bb_line_series_new(const bb_device *device, const bb_line_options *options);
bb_line_plan *bb_line_plan_new(const bb_shape *shape, const bb_line_options *options);

/* Harmless on NULL. */
void bb_line_series_free(bb_line_series *series);
void bb_line_plan_free(bb_line_plan *plan);

/*
 * Appends the lines of a batch of samples, each with its line end, and adds to *left_out the fields
 * left out. How many lines, BB_ERR_NOMEM or BB_ERR_LIMIT; after an error nothing is appended. The
 * buffer needs room for the longest lines that this plan can give.
 */
int bb_line_batch(bb_buf *out, const bb_line_series *series, const bb_line_plan *plan,
                  const bb_batch *batch, uint32_t *left_out);

/*
 * Appends an event or outcome: a line of measurement `events`, the tags as above and kind=event or
 * kind=outcome, and one field `text`. 1, or 0 when there is no text, BB_ERR_NOMEM or BB_ERR_LIMIT.
 */
int bb_line_event(bb_buf *out, const bb_batch *batch, const bb_line_options *options);

/*
 * How many lines of a batch write `field` of `measurement` (as they are in the database, without
 * escapes) as that type: "float", "integer", "unsigned", "boolean" or "string". For finding what a
 * database complains of.
 */
uint32_t bb_line_count(const bb_line_series *series, const bb_line_plan *plan,
                       const char *measurement, const char *field, const char *type);

#endif
