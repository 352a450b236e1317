/* SPDX-License-Identifier: Apache-2.0 */
/* See options.h. */
#include "sinks/influxdb/options.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/secret.h"
#include "base/text.h"

#define AT(field) offsetof(bb_influxdb_options, field)

static const char *const precisions[] = {"ns", "us", "ms", "s", NULL};
static const char *const layouts[] = {"wide", "per-phase", "per-point", NULL};
static const char *const numbers[] = {"typed", "float", NULL};
static const char *const unsigned_types[] = {"integer", "unsigned", NULL};
static const char *const field_names[] = {"words", "as-is", NULL};

static const bb_field fields[] = {
    {.key = "url",
     .kind = BB_FIELD_TEXT,
     .offset = AT(url),
     .required = true,
     .help = "the server, such as http://10.0.0.5:8086; a path in it is put before InfluxDB's own"},
    {.key = "bucket",
     .kind = BB_FIELD_TEXT,
     .offset = AT(bucket),
     .help = "where to write with the API of InfluxDB 2; either this or database"},
    {.key = "org",
     .kind = BB_FIELD_TEXT,
     .offset = AT(org),
     .help = "the organization that the bucket belongs to; required with bucket"},
    {.key = "token_env",
     .kind = BB_FIELD_TEXT,
     .offset = AT(token_env),
     .help = "the environment variable that holds the token"},
    {.key = "token_file",
     .kind = BB_FIELD_TEXT,
     .offset = AT(token_file),
     .help = "the file that holds the token; it is read again for each request"},
    {.key = "database",
     .kind = BB_FIELD_TEXT,
     .offset = AT(database),
     .help = "where to write with the API of InfluxDB 1; either this or bucket"},
    {.key = "retention_policy",
     .kind = BB_FIELD_TEXT,
     .offset = AT(retention_policy),
     .help = "of the database; without it, its default one"},
    {.key = "user", .kind = BB_FIELD_TEXT, .offset = AT(user), .help = "of the database"},
    {.key = "password_env",
     .kind = BB_FIELD_TEXT,
     .offset = AT(password_env),
     .help = "the environment variable that holds the user's password"},
    {.key = "password_file",
     .kind = BB_FIELD_TEXT,
     .offset = AT(password_file),
     .help = "the file that holds the user's password; it is read again for each request"},
    {.key = "precision",
     .kind = BB_FIELD_CHOICE,
     .offset = AT(precision),
     .choices = precisions,
     .fallback = "ms",
     .help = "of the time stamps; finer ones take more room in the database"},
    {.key = "measurement",
     .kind = BB_FIELD_TEXT,
     .offset = AT(measurement),
     .help = "without it, the last part of the device's profile, such as powermonitor_500"},
    {.key = "layout",
     .kind = BB_FIELD_CHOICE,
     .offset = AT(layout),
     .choices = layouts,
     .fallback = "wide",
     .help =
         "wide: a line a scan; per-phase: a line a phase, with the tag phase; per-point: a line "
         "a point, with the tag point and the field value"},
    {.key = "field_names",
     .kind = BB_FIELD_CHOICE,
     .offset = AT(field_names),
     .choices = field_names,
     .fallback = "words",
     .help = "words: / and - in a point's name become _; as-is: they stay"},
    {.key = "numbers",
     .kind = BB_FIELD_CHOICE,
     .offset = AT(numbers),
     .choices = numbers,
     .fallback = "typed",
     .help = "typed: integers are stored as such; float: all numbers as floats, for buckets that "
             "other tools write to as well"},
    {.key = "unsigned",
     .kind = BB_FIELD_CHOICE,
     .offset = AT(unsigned_type),
     .choices = unsigned_types,
     .fallback = "integer",
     .help = "how unsigned integers are stored; the type unsigned needs the API of InfluxDB 2"},
    {.key = "tags",
     .kind = BB_FIELD_MAP,
     .offset = AT(tags_doc),
     .help = "tags that every line gets; those of the device, site and asset hold before them"},
    {.key = "batch",
     .kind = BB_FIELD_MAP,
     .offset = AT(batch_doc),
     .help = "when a request is full: lines (2000), bytes (1MiB, before compression), age (500ms)"},
    {.key = "concurrency",
     .kind = BB_FIELD_U32,
     .offset = AT(concurrency),
     .min = 1,
     .max = BB_INFLUXDB_MAX_CONCURRENCY,
     .fallback = "1",
     .help = "requests under way at a time"},
    {.key = "gzip",
     .kind = BB_FIELD_BOOL,
     .offset = AT(gzip),
     .fallback = "true",
     .help = "whether requests are compressed, to about a quarter"},
    {.key = "timeout",
     .kind = BB_FIELD_DURATION,
     .offset = AT(timeout_ms),
     .min = 100,
     .max = 600000,
     .fallback = "10s",
     .help = "how long a request may take until it counts as failed and is sent again"},
    {.key = "proxy",
     .kind = BB_FIELD_TEXT,
     .offset = AT(proxy),
     .help =
         "such as http://proxy:3128, or none; without it http_proxy, https_proxy, all_proxy and "
         "no_proxy from the environment hold"},
    {.key = "ca_file",
     .kind = BB_FIELD_TEXT,
     .offset = AT(ca_file),
     .help =
         "certificates that the server's must lead to, PEM, or secret:NAME, as for each of these; "
         "without it, the system's"},
    {.key = "cert_file",
     .kind = BB_FIELD_TEXT,
     .offset = AT(cert_file),
     .help = "our own certificate, PEM, where the server asks for one"},
    {.key = "key_file",
     .kind = BB_FIELD_TEXT,
     .offset = AT(key_file),
     .help = "its key, PEM; without it, it is looked for in cert_file"},
    {.key = "verify",
     .kind = BB_FIELD_BOOL,
     .offset = AT(verify),
     .fallback = "true",
     .help = "false: any certificate of the server will do; anyone on the way can then read the "
             "token"},
};

const bb_schema bb_influxdb_schema = BB_SCHEMA("influxdb sink", fields);

#undef AT
#define AT(field) offsetof(bb_influxdb_batch, field)

static const bb_field batch_fields[] = {
    {.key = "lines",
     .kind = BB_FIELD_U32,
     .offset = AT(lines),
     .min = 1,
     .max = 50000,
     .fallback = "2000",
     .help = "lines in one request at most"},
    {.key = "bytes",
     .kind = BB_FIELD_BYTES,
     .offset = AT(bytes),
     .min = 1024,
     .max = 16 << 20,
     .fallback = "1MiB",
     .help = "bytes of one request at most, before compression"},
    {.key = "age",
     .kind = BB_FIELD_DURATION,
     .offset = AT(age_ms),
     .max = 60000,
     .fallback = "500ms",
     .help =
         "how long a line waits for others at most; what waits for nearly `runtime.store.sync` is "
         "written to the disk"},
};

static const bb_schema batch_schema = BB_SCHEMA("batch", batch_fields);

static bool is_reserved(const char *key) {
  return strcmp(key, "time") == 0 || strcmp(key, "_field") == 0 || strcmp(key, "_measurement") == 0;
}

static void read_tags(bb_influxdb_options *options, const bb_doc *doc, bb_report *report) {
  for (const bb_doc *tag = doc->first; tag != NULL; tag = tag->next) {
    if (!bb_text_is_name(tag->key) || is_reserved(tag->key)) {
      bb_report_add(report, tag,
                    "this cannot be a tag's name; allowed: 1 to 128 of letters, digits, "
                    "- _ . / : [ ], but not time, _field or _measurement");
    } else if (tag->kind != BB_DOC_SCALAR || *tag->text == 0 || strlen(tag->text) > BB_MAX_TEXT) {
      bb_report_add(report, tag, "a tag's value is a text of 1 to %d bytes", BB_MAX_TEXT);
    } else if (options->n_tags == BB_MAX_TAGS) {
      bb_report_add(report, tag, "more than %d tags", BB_MAX_TAGS);
      return;
    } else {
      options->tags[options->n_tags++] = (bb_tag){tag->key, tag->text};
    }
  }
}

void bb_influxdb_options_read(bb_influxdb_options *out, const bb_doc *doc, bb_report *report) {
  bb_report known;
  bb_report_init(&known);
  memset(out, 0, sizeof(*out));
  bb_schema_read(&bb_influxdb_schema, doc, out, &known);
  bb_report_close(&known);
  bb_schema_read(&batch_schema, out->batch_doc, &out->batch, report);
  if (out->tags_doc != NULL) read_tags(out, out->tags_doc, report);
}

bb_line_options bb_influxdb_options_line(const bb_influxdb_options *options) {
  return (bb_line_options){.layout = (bb_line_layout)options->layout,
                           .precision = (bb_line_precision)options->precision,
                           .all_float = options->numbers == 1,
                           .unsigned_type = options->unsigned_type == 1,
                           .names_as_is = options->field_names == 1,
                           .measurement = options->measurement,
                           .tags = options->tags,
                           .n_tags = options->n_tags};
}

/* "&name=" and the value with all but the unreserved characters of RFC 3986 encoded. */
static void put_parameter(bb_buf *out, const char *name, const char *value) {
  static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
  if (value == NULL) return;
  bb_buf_text(out, name);
  for (; *value != 0; value++) {
    if (strchr(plain, *value) != NULL) {
      bb_buf_byte(out, (uint8_t)*value);
    } else {
      bb_buf_printf(out, "%%%02X", (unsigned char)*value);
    }
  }
}

int bb_influxdb_options_path(const bb_influxdb_options *options, char *out, size_t cap) {
  bool is_2 = options->bucket != NULL;
  bb_buf path;
  bb_buf_init(&path, cap);
  if (is_2) {
    put_parameter(&path, "/api/v2/write?org=", options->org);
    put_parameter(&path, "&bucket=", options->bucket);
  } else {
    put_parameter(&path, "/write?db=", options->database);
    put_parameter(&path, "&rp=", options->retention_policy);
  }
  /* InfluxDB 1 says u for microseconds. */
  bool micro = options->precision == BB_LINE_US && !is_2;
  put_parameter(&path, "&precision=", micro ? "u" : precisions[options->precision]);
  const char *text = bb_buf_string(&path);
  int err = path.failed;
  if (err == 0) memcpy(out, text, path.len + 1);
  bb_buf_close(&path);
  return err;
}

static const char *secret_env(const bb_influxdb_options *options) {
  return options->bucket != NULL ? options->token_env : options->password_env;
}

static const char *secret_file(const bb_influxdb_options *options) {
  return options->bucket != NULL ? options->token_file : options->password_file;
}

int bb_influxdb_options_secret(const bb_influxdb_options *options, char *out, char *why,
                               size_t why_cap) {
  return bb_secret_read(secret_env(options), secret_file(options), out, BB_SECRET_MAX, why,
                        why_cap);
}

uint64_t bb_influxdb_options_mark(const bb_influxdb_options *options) {
  uint64_t mark = bb_secret_mark(BB_HASH_START, secret_env(options), secret_file(options));
  mark = bb_secret_mark_file(mark, options->ca_file);
  mark = bb_secret_mark_file(mark, options->cert_file);
  return bb_secret_mark_file(mark, options->key_file);
}
