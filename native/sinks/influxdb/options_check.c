/* SPDX-License-Identifier: Apache-2.0 */
/* Which options go together. See options.h. */
#include <string.h>

#include "base/err.h"
#include "base/secret.h"
#include "io/http_url.h"
#include "sinks/influxdb/options.h"

/* Keys that belong to one API and stand beside the other one's. */
static void check_api(const bb_influxdb_options *options, const bb_doc *doc, bb_report *report) {
  static const char *const of_2[] = {"org", "token_env", "token_file"};
  static const char *const of_1[] = {"user", "password_env", "password_file", "retention_policy"};
  if ((options->bucket != NULL) == (options->database != NULL)) {
    bb_report_add(
        report, doc,
        options->bucket != NULL
            ? "bucket and database are both given; keep bucket for the API of InfluxDB 2, "
              "database for that of InfluxDB 1"
            : "bucket (with org, for the API of InfluxDB 2) or database (InfluxDB 1) is "
              "missing");
    return;
  }
  bool is_2 = options->bucket != NULL;
  const char *const *wrong = is_2 ? of_1 : of_2;
  for (size_t i = 0; i < (is_2 ? 4 : 3); i++) {
    const bb_doc *key = bb_doc_get(doc, wrong[i]);
    if (key == NULL) continue;
    bb_report_add(report, key, "this belongs to %s, but %s is given",
                  is_2 ? "database (InfluxDB 1)" : "bucket (InfluxDB 2)",
                  is_2 ? "bucket" : "database");
  }
  if (is_2 && options->org == NULL) {
    bb_report_add(report, doc, "\"org\" is missing: the organization that the bucket belongs to");
  }
  if (!is_2 && options->unsigned_type == 1) {
    bb_report_add(report, bb_doc_get(doc, "unsigned"),
                  "InfluxDB 1 has no unsigned type; allowed with database: integer");
  }
}

static void check_url(const bb_influxdb_options *options, const bb_doc *doc, bb_report *report) {
  bb_http_url url;
  const char *why;
  if (options->url != NULL && bb_http_url_parse(&url, options->url, &why) < 0) {
    bb_report_add(report, bb_doc_get(doc, "url"), "%s; allowed: such as http://10.0.0.5:8086", why);
  }
  const char *proxy = options->proxy;
  if (proxy == NULL || strcmp(proxy, "none") == 0) return;
  if (bb_http_url_parse(&url, proxy, &why) < 0) {
    bb_report_add(report, bb_doc_get(doc, "proxy"),
                  "%s; allowed: such as http://proxy:3128, or none", why);
  }
}

int bb_influxdb_options_check(const bb_doc *doc, bb_report *report) {
  bb_influxdb_options options;
  uint32_t before = report->n + report->more;
  bb_influxdb_options_read(&options, doc, report);
  check_url(&options, doc, report);
  check_api(&options, doc, report);
  bb_secret_check(doc, "token", report);
  bb_secret_check(doc, "password", report);
  bb_secret_check(doc, "ca", report);
  bb_secret_check(doc, "cert", report);
  bb_secret_check(doc, "key", report);
  bool password = options.password_env != NULL || options.password_file != NULL;
  if (options.database != NULL && password != (options.user != NULL)) {
    bb_report_add(report, doc,
                  password ? "a password is given, but no user"
                           : "user is given, but no password_env or password_file");
  }
  if (options.key_file != NULL && options.cert_file == NULL) {
    bb_report_add(report, bb_doc_get(doc, "key_file"),
                  "cert_file, to which the key belongs, is missing");
  }
  return report->n + report->more > before ? BB_ERR_CONFIG : 0;
}
