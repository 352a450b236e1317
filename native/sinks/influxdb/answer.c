/* SPDX-License-Identifier: Apache-2.0 */
/* See answer.h. */
#include "sinks/influxdb/answer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "sinks/influxdb/answer_json.h"

#define UNPARSABLE "unable to parse '"
#define CONFLICT "field type conflict: input field \""

/* The number behind the last `word` of the message. */
static bool read_number(const char *message, const char *word, uint32_t *out) {
  const char *found = NULL;
  for (const char *at = message; (at = strstr(at, word)) != NULL; at++) found = at;
  if (found == NULL) return false;
  unsigned long value = strtoul(found + strlen(word), NULL, 10);
  *out = value < UINT32_MAX ? (uint32_t)value : UINT32_MAX;
  return true;
}

/* The text up to `end`, if it fits; returns the place behind the end, or NULL. */
static const char *take(const char *at, const char *end, char *out, size_t cap) {
  const char *stop = at != NULL ? strstr(at, end) : NULL;
  if (stop == NULL || (size_t)(stop - at) >= cap) return NULL;
  memcpy(out, at, (size_t)(stop - at));
  out[stop - at] = 0;
  return stop + strlen(end);
}

static void read_conflict(bb_influxdb_complaint *out) {
  const char *at = strstr(out->message, CONFLICT);
  if (at == NULL) return;
  at = take(at + strlen(CONFLICT), "\" on measurement \"", out->field, sizeof(out->field));
  at = take(at, "\" is type ", out->measurement, sizeof(out->measurement));
  at = take(at, ",", out->type, sizeof(out->type));
  if (at == NULL) out->field[0] = out->measurement[0] = out->type[0] = 0;
}

static void find_named(bb_influxdb_complaint *out) {
  const char *at = out->message;
  while (out->n_named < BB_INFLUXDB_MAX_NAMED && (at = strstr(at, UNPARSABLE)) != NULL) {
    at += strlen(UNPARSABLE);
    out->named[out->n_named++] = (uint32_t)(at - out->message);
  }
}

void bb_influxdb_answer_read(bb_influxdb_complaint *out, char *body, size_t len) {
  memset(out, 0, sizeof(*out));
  out->message = "";
  bb_influxdb_json json;
  if (!bb_influxdb_json_read(&json, body, len)) return;
  out->line = json.line;
  if (json.message == NULL) return;
  out->message = json.message;
  out->len = strlen(json.message);
  out->partial = strstr(out->message, "partial write") != NULL;
  out->has_dropped = read_number(out->message, "dropped=", &out->dropped);
  find_named(out);
  read_conflict(out);
}

/* A proxy's own 400, or that of a TLS port asked without TLS, says nothing about lines. */
static bool is_about_lines(const bb_influxdb_complaint *complaint) {
  static const char *const signs[] = {"partial write", "parse",         "line protocol",
                                      "type conflict", "invalid field", "invalid tag",
                                      "dropped"};
  if (complaint->line > 0) return true;
  for (size_t i = 0; i < sizeof(signs) / sizeof(signs[0]); i++) {
    if (strstr(complaint->message, signs[i]) != NULL) return true;
  }
  return false;
}

bb_influxdb_meaning bb_influxdb_answer_judge(uint32_t status,
                                             const bb_influxdb_complaint *complaint) {
  if (status >= 200 && status < 300) return BB_INFLUXDB_WRITTEN;
  switch (status) {
  case 400:
  case 422:
    return is_about_lines(complaint) ? BB_INFLUXDB_BAD_LINES : BB_INFLUXDB_WRONG;
  case 413:
    return BB_INFLUXDB_TOO_LARGE;
  case 408:
  case 425:
  case 429:
    return BB_INFLUXDB_BUSY;
  case 500:
    /* InfluxDB 1 answers so where it should say 404. */
    return strstr(complaint->message, "not found") != NULL ? BB_INFLUXDB_WRONG : BB_INFLUXDB_BUSY;
  default:
    return status >= 500 ? BB_INFLUXDB_BUSY : BB_INFLUXDB_WRONG;
  }
}

bool bb_influxdb_answer_names(const bb_influxdb_complaint *complaint, const char *line, size_t len,
                              const char **reason, size_t *reason_len) {
  for (uint32_t i = 0; i < complaint->n_named; i++) {
    const char *at = complaint->message + complaint->named[i];
    size_t left = complaint->len - complaint->named[i];
    if (left <= len || memcmp(at, line, len) != 0 || at[len] != '\'') continue;
    at += len + 1;
    at += strspn(at, ": ");
    *reason = at;
    *reason_len = strcspn(at, "\n");
    return true;
  }
  return false;
}

/* Foreign text for a sentence: one line, what cannot be printed as a blank. */
static const char *clean(char *out, size_t cap, const char *text, size_t len) {
  static const char partial[] = "partial write: ";
  if (len >= sizeof(partial) - 1 && memcmp(text, partial, sizeof(partial) - 1) == 0) {
    text += sizeof(partial) - 1;
    len -= sizeof(partial) - 1;
  }
  size_t n = len < cap - 1 ? len : cap - 1;
  for (size_t i = 0; i < n; i++) {
    unsigned char c = (unsigned char)text[i];
    out[i] = c < 0x20 || c == 0x7F ? ' ' : text[i];
  }
  /* Not in the middle of a character. */
  while (n < len && n > 0 && ((unsigned char)text[n] & 0xC0) == 0x80) n--;
  out[n] = 0;
  char *dropped = strstr(out, " dropped=");
  if (dropped != NULL) *dropped = 0;
  return out;
}

void bb_influxdb_answer_refusal(bb_reason *out, const char *host, uint32_t status, const char *text,
                                size_t len) {
  char own[BB_MAX_REASON];
  clean(own, sizeof(own), text, len);
  bb_reason_set(out, BB_ERR_REFUSED, status, "refused by %.40s: %s", host,
                *own != 0 ? own : "it does not say why");
}

/* Where the secret comes from, or NULL. */
static const char *secret_place(const bb_influxdb_options *options) {
  bool is_2 = options->bucket != NULL;
  const char *env = is_2 ? options->token_env : options->password_env;
  return env != NULL ? env : is_2 ? options->token_file : options->password_file;
}

static void explain_denied(bb_reason *out, const bb_influxdb_options *options, const char *host,
                           uint32_t status) {
  const char *place = secret_place(options);
  bool is_2 = options->bucket != NULL;
  if (place == NULL) {
    bb_reason_set(out, BB_ERR_DENIED, status, "%.60s wants a %s (%u); set %s", host,
                  is_2 ? "token" : "user", status,
                  is_2 ? "token_env or token_file" : "user and password_env");
  } else if (status == 401) {
    bb_reason_set(out, BB_ERR_DENIED, status, "%.60s does not take the %s in %.40s (401)", host,
                  is_2 ? "token" : "user and the password", place);
  } else {
    bb_reason_set(out, BB_ERR_DENIED, status, "%.40s: %s %.30s may not write to %s %.30s (%u)",
                  host, is_2 ? "the token in" : "user", is_2 ? place : options->user,
                  is_2 ? "bucket" : "database", is_2 ? options->bucket : options->database, status);
  }
}

void bb_influxdb_answer_explain(bb_reason *out, const bb_influxdb_options *options,
                                const char *host, uint32_t status,
                                const bb_influxdb_complaint *complaint) {
  char text[80];
  clean(text, sizeof(text), complaint->message, complaint->len);
  const char *keys = options->bucket != NULL ? "org and bucket" : "database";
  if (status == 401 || status == 403) {
    explain_denied(out, options, host, status);
  } else if (status == 429 || status == 503) {
    bb_reason_set(out, BB_ERR_BUSY, status, "%.60s asks to wait (%u)%s%s", host, status,
                  *text != 0 ? ": " : "", text);
  } else if (*text != 0 && strstr(text, "not found") != NULL) {
    bb_reason_set(out, BB_ERR_NOTFOUND, status, "%.40s: %s (%u); check %s", host, text, status,
                  strstr(text, "retention") != NULL ? "retention_policy" : keys);
  } else if (status == 404) {
    bb_reason_set(out, BB_ERR_NOTFOUND, status, "%.60s has no %s (404); check url", host,
                  options->bucket != NULL ? "/api/v2/write" : "/write");
  } else if (status >= 500 || status == 408 || status == 425) {
    bb_reason_set(out, BB_ERR_IO, status, "%.60s fails (%u)%s%s", host, status,
                  *text != 0 ? ": " : "", text);
  } else {
    bb_reason_set(out, BB_ERR_REFUSED, status,
                  "%.40s does not take what is sent (%u)%s%s; check url", host, status,
                  *text != 0 ? ": " : "", text);
  }
}
