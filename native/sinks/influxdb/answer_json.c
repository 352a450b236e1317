/* SPDX-License-Identifier: Apache-2.0 */
/* See answer_json.h. */
#include "sinks/influxdb/answer_json.h"

#include <stdlib.h>
#include <string.h>

static char *skip_blank(char *at, const char *end) {
  while (at < end && (*at == ' ' || *at == '\t' || *at == '\n' || *at == '\r')) at++;
  return at;
}

static int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

/* Four hex digits, or -1. */
static long read_unit(const char *at, const char *end) {
  long value = 0;
  if (end - at < 4) return -1;
  for (int i = 0; i < 4; i++) {
    int digit = hex_digit(at[i]);
    if (digit < 0) return -1;
    value = value << 4 | digit;
  }
  return value;
}

/* A character of the basic plane as UTF-8, never longer than its escape; NUL and half surrogate pairs
 * become '?'. */
static char *put_character(char *out, long code) {
  if (code <= 0 || (code >= 0xD800 && code < 0xE000)) code = '?';
  if (code < 0x80) {
    *out++ = (char)code;
  } else if (code < 0x800) {
    *out++ = (char)(0xC0 | code >> 6);
    *out++ = (char)(0x80 | (code & 0x3F));
  } else {
    *out++ = (char)(0xE0 | code >> 12);
    *out++ = (char)(0x80 | (code >> 6 & 0x3F));
    *out++ = (char)(0x80 | (code & 0x3F));
  }
  return out;
}

/*
 * Reads the string that begins at *at with its quote, unescapes it in place, terminates it and moves
 * *at behind it. A string that is cut off counts as ended there.
 */
static char *read_string(char **at, const char *end) {
  static const char letters[] = "\"\\/bfnrt", characters[] = "\"\\/\b\f\n\r\t";
  char *text = *at + 1, *in = text, *out = text;
  while (in < end && *in != '"') {
    if (*in != '\\') {
      *out++ = *in != 0 ? *in : '?';
      in++;
      continue;
    }
    if (++in == end) break;
    long unit = *in == 'u' ? read_unit(in + 1, end) : -1;
    const char *letter = *in != 0 ? strchr(letters, *in) : NULL;
    if (unit >= 0) {
      out = put_character(out, unit);
      in += 5;
    } else {
      *out++ = letter != NULL ? characters[letter - letters] : *in != 0 ? *in : '?';
      in++;
    }
  }
  *at = in < end ? in + 1 : in;
  *out = 0; /* `in` is past it, or at the body's own terminator */
  return text;
}

/* Moves behind a value of any kind. */
static char *skip_value(char *at, const char *end) {
  unsigned depth = 0;
  while (at < end) {
    if (*at == '"') {
      read_string(&at, end);
      if (depth == 0) return at;
      continue;
    }
    if (depth == 0 && (*at == ',' || *at == '}' || *at == ']')) return at;
    if (*at == '{' || *at == '[') depth++;
    if ((*at == '}' || *at == ']') && --depth == 0) return at + 1;
    at++;
  }
  return at;
}

bool bb_influxdb_json_read(bb_influxdb_json *out, char *body, size_t len) {
  const char *end = body + len;
  char *at = skip_blank(body, end);
  *out = (bb_influxdb_json){NULL, 0};
  if (at == end || *at != '{') return false;
  at++;
  while ((at = skip_blank(at, end)) < end && *at == '"') {
    const char *key = read_string(&at, end);
    at = skip_blank(at, end);
    if (at == end || *at != ':') return true;
    at = skip_blank(at + 1, end);
    bool is_message = strcmp(key, "error") == 0 || strcmp(key, "message") == 0;
    if (is_message && at < end && *at == '"') {
      out->message = read_string(&at, end);
    } else {
      if (strcmp(key, "line") == 0 && at < end && *at >= '0' && *at <= '9') {
        unsigned long line = strtoul(at, NULL, 10);
        out->line = line < UINT32_MAX ? (uint32_t)line : 0;
      }
      at = skip_value(at, end);
    }
    at = skip_blank(at, end);
    if (at == end || *at != ',') return true;
    at++;
  }
  return true;
}
