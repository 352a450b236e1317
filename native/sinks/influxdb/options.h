/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What stands under `influxdb:` in the config document, and what follows from it: the paths to write
 * to, the options of the lines, the credentials.
 */
#ifndef BB_SINKS_INFLUXDB_OPTIONS_H
#define BB_SINKS_INFLUXDB_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/schema.h"
#include "encode/line.h"

#define BB_INFLUXDB_MAX_CONCURRENCY 4
#define BB_INFLUXDB_MAX_PATH 4096 /* bytes of a request's path with its query */

/* Of `batch:`. */
typedef struct bb_influxdb_batch {
  uint32_t lines;
  uint64_t bytes; /* before compression */
  uint32_t age_ms;
} bb_influxdb_batch;

typedef struct bb_influxdb_options {
  const char *url;
  const char *bucket, *org, *token_env, *token_file; /* API of InfluxDB 2 */
  const char *database, *retention_policy;           /* API of InfluxDB 1 */
  const char *user, *password_env, *password_file;
  int precision, layout, numbers, unsigned_type, field_names; /* places in their choices */
  const char *measurement;
  const bb_doc *tags_doc, *batch_doc;
  uint32_t concurrency;
  bool gzip;
  uint32_t timeout_ms;
  const char *proxy, *ca_file, *cert_file, *key_file;
  bool verify;
  /* read from the two maps */
  bb_influxdb_batch batch;
  bb_tag tags[BB_MAX_TAGS];
  uint32_t n_tags;
} bb_influxdb_options;

extern const bb_schema bb_influxdb_schema;

/* Reads the map; strings point into the document. Mistakes inside `batch` and `tags` are reported; the
 * other keys have been checked by the schema. */
void bb_influxdb_options_read(bb_influxdb_options *out, const bb_doc *doc, bb_report *report);

/* What the schema cannot say. 0 or BB_ERR_CONFIG with the mistakes reported. */
int bb_influxdb_options_check(const bb_doc *doc, bb_report *report);

/* The options of the lines; they point into `options`. */
bb_line_options bb_influxdb_options_line(const bb_influxdb_options *options);

/* The path to write to, behind the URL: "/api/v2/write?org=plant&bucket=energy&precision=ms" or
 * "/write?db=plant&precision=ms". 0 or BB_ERR_LIMIT. */
int bb_influxdb_options_path(const bb_influxdb_options *options, char *out, size_t cap);

/*
 * Reads the token or the password into `out`, BB_SECRET_MAX bytes, to be wiped. Its length, 0 when
 * none is named; negative with `why` when it cannot be read.
 */
int bb_influxdb_options_secret(const bb_influxdb_options *options, char *out, char *why,
                               size_t why_cap);

/* Of the secret and the certificates, as bb_secret_mark. */
uint64_t bb_influxdb_options_mark(const bb_influxdb_options *options);

#endif
