/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A topic template: text with placeholders, compiled once, rendered for each device and scan.
 *
 *   {site} {device} {scan} {profile}   as in the batch
 *   {asset}                            the tag asset, else the device's id
 *   {point}                            the point's name; its '/' stay levels of the topic
 *   {line}, {tag:line}                 a tag of the device
 *
 * A value is made safe for a topic name (MQTT 5, 4.7 and 1.5.4): '+', '#', '/', control characters
 * and bytes that are no UTF-8 become '_', and so does a '$' at the topic's beginning; nothing at
 * all becomes "_". What stands in the template itself stays as it is.
 */
#ifndef BB_SINKS_MQTT_TOPIC_H
#define BB_SINKS_MQTT_TOPIC_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/report.h"
#include "model/device.h"

#define BB_TOPIC_MAX_PIECES 48
#define BB_TOPIC_MAX_BYTES 65535 /* of a topic name: its length has two bytes on the wire */

typedef enum bb_topic_piece_kind {
  BB_TOPIC_TEXT,
  BB_TOPIC_SITE,
  BB_TOPIC_DEVICE,
  BB_TOPIC_ASSET,
  BB_TOPIC_SCAN,
  BB_TOPIC_POINT,
  BB_TOPIC_PROFILE,
  BB_TOPIC_TAG,
} bb_topic_piece_kind;

typedef struct bb_topic_piece {
  bb_topic_piece_kind kind;
  const char *text; /* of a text, or a tag's name; in the template, not terminated */
  uint32_t len;
} bb_topic_piece;

typedef struct bb_topic {
  /* read-only */
  bb_topic_piece pieces[BB_TOPIC_MAX_PIECES];
  uint32_t n;
  bool has_point;
} bb_topic;

/* The template must outlive the topic. 0, BB_ERR_FORMAT (braces) or BB_ERR_LIMIT. */
int bb_topic_compile(bb_topic *topic, const char *template);

/*
 * Reports at `doc` what is wrong with the template: wildcards, braces, unknown placeholders with
 * the nearest right one, {point} where there is none. `tags`: names that may stand without "tag:".
 */
void bb_topic_check(const char *template, bool with_point, const char *const *tags, size_t n_tags,
                    const bb_doc *doc, bb_report *report);

/*
 * Appends the topic of that device and scan, terminated (the terminator counts in out->len).
 * {point} stays open, to be filled in by bb_topic_point. 0, BB_ERR_LIMIT or BB_ERR_NOMEM.
 */
int bb_topic_render(const bb_topic *topic, const bb_device *device, const char *scan, bb_buf *out);

/* Appends `rendered` with the point's name filled in, terminated. Returns as above. */
int bb_topic_point(const char *rendered, const char *point, bb_buf *out);

/* Appends one value made safe, not terminated. */
int bb_topic_value(bb_buf *out, const char *value);

#endif
