/* SPDX-License-Identifier: Apache-2.0 */
/* See topic.h. */
#include "sinks/mqtt/topic.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "io/mqtt_text.h"

/* Stands for {point} in a rendered topic. No value and no template can hold it. */
#define POINT_MARK '\x01'

#define TAG_PREFIX "tag:"

static const struct {
  const char *name;
  bb_topic_piece_kind kind;
} placeholders[] = {
    {"site", BB_TOPIC_SITE}, {"device", BB_TOPIC_DEVICE}, {"asset", BB_TOPIC_ASSET},
    {"scan", BB_TOPIC_SCAN}, {"point", BB_TOPIC_POINT},   {"profile", BB_TOPIC_PROFILE},
};

#define N_PLACEHOLDERS (sizeof(placeholders) / sizeof(placeholders[0]))

static bb_topic_piece placeholder(const char *name, uint32_t len) {
  for (size_t i = 0; i < N_PLACEHOLDERS; i++) {
    if (strlen(placeholders[i].name) == len && memcmp(placeholders[i].name, name, len) == 0) {
      return (bb_topic_piece){placeholders[i].kind, name, len};
    }
  }
  uint32_t prefix = (uint32_t)strlen(TAG_PREFIX);
  if (len > prefix && memcmp(name, TAG_PREFIX, prefix) == 0) {
    return (bb_topic_piece){BB_TOPIC_TAG, name + prefix, len - prefix};
  }
  return (bb_topic_piece){BB_TOPIC_TAG, name, len};
}

int bb_topic_compile(bb_topic *topic, const char *template) {
  *topic = (bb_topic){.n = 0};
  if (*template == 0) return BB_ERR_FORMAT;
  while (*template != 0) {
    bb_topic_piece piece;
    uint32_t len = (uint32_t)strcspn(template, "{}");
    if (topic->n == BB_TOPIC_MAX_PIECES) return BB_ERR_LIMIT;
    if (len > 0) {
      piece = (bb_topic_piece){BB_TOPIC_TEXT, template, len};
      template += len;
    } else {
      const char *name = template + 1;
      len = (uint32_t)strcspn(name, "{}");
      if (*template != '{' || name[len] != '}' || len == 0) return BB_ERR_FORMAT;
      piece = placeholder(name, len);
      template = name + len + 1;
    }
    topic->has_point = topic->has_point || piece.kind == BB_TOPIC_POINT;
    topic->pieces[topic->n++] = piece;
  }
  return 0;
}

static void report_unknown(const bb_topic_piece *piece, const char *const *tags, size_t n_tags,
                           const bb_doc *doc, bb_report *report) {
  const char *names[N_PLACEHOLDERS + BB_TOPIC_MAX_PIECES];
  char word[64], hint[96] = "";
  size_t n = 0;
  for (size_t i = 0; i < N_PLACEHOLDERS; i++) names[n++] = placeholders[i].name;
  for (size_t i = 0; i < n_tags && n < sizeof(names) / sizeof(names[0]); i++) names[n++] = tags[i];
  snprintf(word, sizeof(word), "%.*s", (int)piece->len, piece->text);
  const char *nearest = bb_text_nearest(word, names, n);
  if (nearest != NULL) snprintf(hint, sizeof(hint), " did you mean {%.64s}?", nearest);
  bb_report_add(report, doc,
                "unknown placeholder {%s};%s allowed: {site}, {device}, {asset}, {scan}, {point}, "
                "{profile}, a tag of the configuration's devices, or any tag as {tag:name}",
                word, hint);
}

static bool is_known_tag(const bb_topic_piece *piece, const char *const *tags, size_t n_tags) {
  if (piece->text[-1] != '{') return true; /* {tag:name} */
  for (size_t i = 0; i < n_tags; i++) {
    if (strlen(tags[i]) == piece->len && memcmp(tags[i], piece->text, piece->len) == 0) return true;
  }
  return false;
}

void bb_topic_check(const char *template, bool with_point, const char *const *tags, size_t n_tags,
                    const bb_doc *doc, bb_report *report) {
  bb_topic topic;
  int err = bb_topic_compile(&topic, template);
  if (strpbrk(template, "+#") != NULL) {
    bb_report_add(report, doc, "a topic to publish to has no wildcards; allowed: no + and no #");
  }
  if (!bb_mqtt_text_is_sound(template, strlen(template))) {
    bb_report_add(report, doc, "a topic is UTF-8 without control characters");
  }
  if (err == BB_ERR_LIMIT || strlen(template) > BB_TOPIC_MAX_BYTES) {
    bb_report_add(report, doc, "the topic is too long; allowed: 65535 bytes and %d placeholders",
                  BB_TOPIC_MAX_PIECES / 2);
  } else if (err < 0) {
    bb_report_add(report, doc, "braces come in pairs around a name, such as {device}");
  }
  for (uint32_t i = 0; err == 0 && i < topic.n; i++) {
    const bb_topic_piece *piece = &topic.pieces[i];
    if (piece->kind == BB_TOPIC_TAG && !is_known_tag(piece, tags, n_tags)) {
      report_unknown(piece, tags, n_tags, doc, report);
    }
  }
  if (err == 0 && topic.has_point && !with_point) {
    bb_report_add(report, doc, "{point} needs payload: point; else a message holds all points");
  }
  if (err == 0 && !topic.has_point && with_point) {
    bb_report_add(report, doc, "with payload: point the topic needs {point}");
  }
}

static bool is_safe(const char *text, unsigned len, bool levels) {
  if (!bb_mqtt_text_allows(text, len) || *text == '+' || *text == '#') return false;
  return *text != '/' || levels;
}

static void append_value(bb_buf *out, const char *value, bool levels) {
  size_t left = strlen(value);
  if (left == 0) bb_buf_byte(out, '_');
  while (left > 0) {
    unsigned len = bb_text_utf8(value, left);
    if (is_safe(value, len, levels)) {
      bb_buf_append(out, value, len);
    } else {
      bb_buf_byte(out, '_');
    }
    if (len == 0) len = 1;
    value += len;
    left -= len;
  }
}

int bb_topic_value(bb_buf *out, const char *value) {
  append_value(out, value, false);
  return out->failed;
}

static const char *value_of(const bb_topic_piece *piece, const bb_device *device,
                            const char *scan) {
  const char *asset;
  switch (piece->kind) {
  case BB_TOPIC_SITE:
    return device->site;
  case BB_TOPIC_DEVICE:
    return device->id;
  case BB_TOPIC_SCAN:
    return scan;
  case BB_TOPIC_PROFILE:
    return device->profile;
  case BB_TOPIC_ASSET:
    asset = bb_device_tag(device, "asset");
    return asset != NULL && *asset != 0 ? asset : device->id;
  default:
    for (uint32_t i = 0; i < device->n_tags; i++) {
      const bb_tag *tag = &device->tags[i];
      if (strlen(tag->key) == piece->len && memcmp(tag->key, piece->text, piece->len) == 0) {
        return tag->value;
      }
    }
    return "";
  }
}

/* Ends the topic that begins at `start`. */
static int finish(bb_buf *out, size_t start) {
  bb_buf_byte(out, 0);
  if (out->failed != 0) return out->failed;
  return out->len - start - 1 > BB_TOPIC_MAX_BYTES ? BB_ERR_LIMIT : 0;
}

int bb_topic_render(const bb_topic *topic, const bb_device *device, const char *scan, bb_buf *out) {
  size_t start = out->len;
  for (uint32_t i = 0; i < topic->n; i++) {
    const bb_topic_piece *piece = &topic->pieces[i];
    if (piece->kind == BB_TOPIC_TEXT) {
      bb_buf_append(out, piece->text, piece->len);
    } else if (piece->kind == BB_TOPIC_POINT) {
      bb_buf_byte(out, POINT_MARK);
    } else {
      append_value(out, value_of(piece, device, scan), false);
    }
    if (i == 0 && piece->kind != BB_TOPIC_TEXT && out->failed == 0 && out->bytes[start] == '$') {
      out->bytes[start] = '_';
    }
  }
  return finish(out, start);
}

int bb_topic_point(const char *rendered, const char *point, bb_buf *out) {
  size_t start = out->len;
  while (*rendered != 0) {
    size_t len = strcspn(rendered, (const char[]){POINT_MARK, 0});
    bb_buf_append(out, rendered, len);
    rendered += len;
    if (*rendered == 0) break;
    append_value(out, point, true);
    rendered++;
  }
  return finish(out, start);
}
