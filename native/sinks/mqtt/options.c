/* SPDX-License-Identifier: Apache-2.0 */
/* See options.h. */
#include "sinks/mqtt/options.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/secret.h"
#include "base/text.h"
#include "sinks/mqtt/topic.h"

#define STATE_OFF "off"
#define STATE_CLIENT "{client_id}"
#define MAX_TAG_NAMES 256

typedef struct {
  const char *names[MAX_TAG_NAMES];
  size_t n;
} tag_names;

static void collect(const bb_doc *tags, tag_names *out) {
  const bb_doc *tag = tags != NULL && tags->kind == BB_DOC_MAP ? tags->first : NULL;
  for (; tag != NULL && out->n < MAX_TAG_NAMES; tag = tag->next) out->names[out->n++] = tag->key;
}

/* The tags that this document gives to its site and devices. */
static void collect_tags(const bb_doc *doc, tag_names *out) {
  while (doc->parent != NULL) doc = doc->parent;
  collect(bb_doc_get(bb_doc_get(doc, "site"), "tags"), out);
  const bb_doc *devices = bb_doc_get(doc, "devices");
  if (devices == NULL || devices->kind != BB_DOC_LIST) return;
  for (const bb_doc *device = devices->first; device != NULL; device = device->next) {
    collect(bb_doc_get(device, "tags"), out);
  }
}

static void check_topics(const bb_mqtt_options *options, const bb_doc *doc, bb_report *report) {
  tag_names tags = {.n = 0};
  const bb_doc *topic = bb_doc_get(doc, "topic"), *state = bb_doc_get(doc, "state_topic");
  const char *state_text = options->state_topic;
  collect_tags(doc, &tags);
  bb_topic_check(options->topic, options->payload == BB_MQTT_PAYLOAD_POINT, tags.names, tags.n,
                 topic != NULL ? topic : doc, report);
  if (state == NULL || strcmp(state_text, STATE_OFF) == 0) return;
  if (strpbrk(state_text, "+#") != NULL) {
    bb_report_add(report, state, "a topic to publish to has no wildcards; allowed: no + and no #");
  }
  const char *brace = strpbrk(state_text, "{}");
  if (brace != NULL && (strncmp(brace, STATE_CLIENT, strlen(STATE_CLIENT)) != 0 ||
                        strpbrk(brace + strlen(STATE_CLIENT), "{}") != NULL)) {
    bb_report_add(report, state, "only {client_id} may stand here, once");
  }
}

static void check_key(const bb_doc *doc, const char *key, bool allowed, const char *needs,
                      bb_report *report) {
  const bb_doc *found = bb_doc_get(doc, key);
  if (found != NULL && !bb_doc_is_null(found) && !allowed) {
    bb_report_add(report, found, "%s needs %s", key, needs);
  }
}

static void check_tls(const bb_mqtt_options *options, const bb_doc *doc, bb_report *report) {
  static const char *const keys[] = {"ca_file", "cert_file",        "key_file",
                                     "verify",  "key_password_env", "key_password_file"};
  if (!options->broker.tls) {
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++) {
      check_key(doc, keys[i], false, "a URL that begins with mqtts://", report);
    }
    return;
  }
  bool has_cert = options->cert_file != NULL;
  check_key(doc, "key_file", has_cert, "cert_file", report);
  check_key(doc, "key_password_env", has_cert, "cert_file", report);
  check_key(doc, "key_password_file", has_cert, "cert_file", report);
}

/* Mistakes that the schema finds are reported by whoever reads with it. */
static void read_quietly(bb_mqtt_options *options, const bb_doc *doc) {
  bb_report ignored;
  bb_report_init(&ignored);
  *options = (bb_mqtt_options){.url = NULL};
  bb_schema_read_part(&bb_mqtt_options_schema, doc, options, &ignored);
  bb_report_close(&ignored);
}

int bb_mqtt_options_check(const bb_doc *doc, bb_report *report) {
  bb_mqtt_options options;
  char why[160];
  uint32_t before = report->n;
  read_quietly(&options, doc);
  if (options.url != NULL) {
    if (bb_mqtt_url_parse(&options.broker, options.url, why, sizeof(why)) < 0) {
      bb_report_add(report, bb_doc_get(doc, "url"), "%s", why);
    } else {
      check_tls(&options, doc, report);
    }
  }
  if (options.client_id != NULL && strlen(options.client_id) > BB_MQTT_MAX_CLIENT_ID) {
    bb_report_add(report, bb_doc_get(doc, "client_id"), "too long; allowed: %d bytes",
                  BB_MQTT_MAX_CLIENT_ID);
  }
  bb_secret_check(doc, "password", report);
  bb_secret_check(doc, "key_password", report);
  bb_secret_check(doc, "ca", report);
  bb_secret_check(doc, "cert", report);
  bb_secret_check(doc, "key", report);
  check_key(doc, "password_env", options.user != NULL, "user", report);
  check_key(doc, "password_file", options.user != NULL, "user", report);
  check_topics(&options, doc, report);
  return report->n > before ? BB_ERR_CONFIG : 0;
}

void bb_mqtt_options_read(bb_mqtt_options *options, const bb_doc *doc) {
  char why[160];
  read_quietly(options, doc);
  if (options->url != NULL) bb_mqtt_url_parse(&options->broker, options->url, why, sizeof(why));
}

/* What tells this machine from others and does not change; in a container without one, its name. */
static uint64_t hash_machine(void) {
  char id[64] = "", host[256] = "";
  FILE *file = fopen("/etc/machine-id", "r");
  if (file != NULL) {
    if (fgets(id, sizeof(id), file) == NULL) id[0] = 0;
    fclose(file);
  }
  if (gethostname(host, sizeof(host)) < 0) host[0] = 0;
  host[sizeof(host) - 1] = 0;
  return bb_hash_string(bb_hash_string(BB_HASH_START, id), host);
}

void bb_mqtt_options_client_id(const bb_mqtt_options *options, const char *sink, const char *place,
                               char *out, size_t cap) {
  if (options->client_id != NULL) {
    snprintf(out, cap, "%s", options->client_id);
    return;
  }
  uint64_t hash = bb_hash_string(bb_hash_string(hash_machine(), place), sink);
  snprintf(out, cap, "busbar-%s-%08" PRIx32, sink, (uint32_t)(hash ^ hash >> 32));
}

int bb_mqtt_options_state_topic(const bb_mqtt_options *options, const char *client_id,
                                bb_buf *out) {
  const char *template = options->state_topic, *brace = strstr(template, STATE_CLIENT);
  if (strcmp(template, STATE_OFF) == 0) return bb_buf_byte(out, 0);
  if (brace == NULL) {
    bb_buf_text(out, template);
  } else {
    bb_buf_append(out, template, (size_t)(brace - template));
    bb_topic_value(out, client_id);
    bb_buf_text(out, brace + strlen(STATE_CLIENT));
  }
  bb_buf_byte(out, 0);
  if (out->failed != 0) return out->failed;
  return out->len - 1 > BB_TOPIC_MAX_BYTES ? BB_ERR_LIMIT : 0;
}
