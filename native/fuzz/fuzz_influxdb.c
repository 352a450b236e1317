/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Whatever a server answers to a write, reading it stays inside its bytes, names no line that is not
 * there, and its sentences are single printable lines. The last two bytes choose status and options,
 * what is before them is the body.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "sinks/influxdb/answer.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void require(bool condition, const char *what) {
  if (condition) return;
  fprintf(stderr, "%s\n", what);
  abort();
}

static void check_sentence(const bb_reason *reason) {
  size_t len = strnlen(reason->text, sizeof(reason->text));
  require(len > 0 && len < sizeof(reason->text), "length of a sentence");
  for (size_t i = 0; i < len; i++) {
    unsigned char c = (unsigned char)reason->text[i];
    require(c >= 0x20 && c != 0x7F, "control character in a sentence");
  }
}

static void check_names(const bb_influxdb_complaint *complaint) {
  for (uint32_t i = 0; i < complaint->n_named; i++) {
    const char *line = complaint->message + complaint->named[i], *reason;
    size_t len = strcspn(line, "'"), reason_len;
    require(complaint->named[i] <= complaint->len, "place of a line");
    if (!bb_influxdb_answer_names(complaint, line, len, &reason, &reason_len)) continue;
    require(reason + reason_len <= complaint->message + complaint->len, "end of a reason");
    bb_reason sentence;
    bb_influxdb_answer_refusal(&sentence, "h:1", 400, reason, reason_len);
    check_sentence(&sentence);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len) {
  static const uint32_t statuses[] = {200, 302, 400, 401, 403, 404, 413, 422, 429, 500, 503, 599};
  static bb_influxdb_complaint complaint;
  uint8_t choice = len > 0 ? bytes[len - 1] : 0, flags = len > 1 ? bytes[len - 2] : 0;
  size_t body_len = len > 2 ? len - 2 : 0;
  uint32_t status = statuses[choice % (sizeof(statuses) / sizeof(statuses[0]))];
  bb_influxdb_options options = {.bucket = flags & 1 ? "b" : NULL,
                                 .database = "d",
                                 .user = "u",
                                 .token_env = flags & 2 ? "T" : NULL,
                                 .password_file = flags & 2 ? "f" : NULL};
  char *body = malloc(body_len + 1);
  if (body == NULL) return 0;
  if (body_len > 0) memcpy(body, bytes, body_len);
  body[body_len] = 0;
  bb_influxdb_answer_read(&complaint, body, body_len);
  require(strlen(complaint.message) == complaint.len, "length of the message");
  bb_reason reason;
  (void)bb_influxdb_answer_judge(status, &complaint);
  bb_influxdb_answer_explain(&reason, &options, "influx:8086", status, &complaint);
  check_sentence(&reason);
  bb_influxdb_answer_refusal(&reason, "influx:8086", status, complaint.message, complaint.len);
  check_sentence(&reason);
  check_names(&complaint);
  free(body);
  return 0;
}
