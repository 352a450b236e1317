/* SPDX-License-Identifier: Apache-2.0 */
/* See line_text.h. */
#include "encode/line_text.h"

#include <stdbool.h>
#include <string.h>

#include "base/utf8.h"

static inline bool is_control(char c) {
  return (unsigned char)c < 0x20 || c == 0x7F;
}

/* Readers differ in how many backslashes they take for one, and in whether one protects what it
 * stands before when another stands before it. No backslash is left where that would matter. */
static inline bool is_risky(char next) {
  return next == 0 || next == ',' || next == '=' || next == ' ' || is_control(next);
}

/* `escaped`: what gets a backslash; `quote`: what stands for a double quote. */
static void put_escaped(bb_buf *out, const char *text, const char *escaped, char quote) {
  size_t len = strlen(text);
  for (size_t i = 0; i < len;) {
    char c = text[i];
    unsigned length = bb_utf8_length(text + i, len - i);
    if (length > 1) {
      bb_buf_append(out, text + i, length);
      i += length;
      continue;
    }
    i++;
    if (length == 0) {
      bb_buf_text(out, BB_UTF8_REPLACEMENT);
      continue;
    }
    if (is_control(c)) c = ' ';
    if (c == '\\' && is_risky(text[i])) c = '/';
    if (c == '"') c = quote;
    if (strchr(escaped, c) != NULL) bb_buf_byte(out, '\\');
    bb_buf_byte(out, (uint8_t)c);
  }
}

void bb_line_text_measurement(bb_buf *out, const char *text) {
  if (*text == '#') {
    bb_buf_byte(out, '_');
    text++;
  }
  put_escaped(out, text, ", ", '"');
}

void bb_line_text_tag(bb_buf *out, const char *text) {
  put_escaped(out, text, ",= ", '"');
}

void bb_line_text_key(bb_buf *out, const char *text) {
  put_escaped(out, text, ",= ", '\'');
}

char *bb_line_text_string(char *at, const char *text, size_t len) {
  *at++ = '"';
  for (size_t i = 0; i < len;) {
    unsigned length = bb_utf8_length(text + i, len - i);
    if (length > 1) {
      memcpy(at, text + i, length);
      at += length;
      i += length;
      continue;
    }
    if (length == 0) {
      memcpy(at, BB_UTF8_REPLACEMENT, BB_UTF8_REPLACEMENT_BYTES);
      at += BB_UTF8_REPLACEMENT_BYTES;
    } else {
      if (text[i] == '"' || text[i] == '\\') *at++ = '\\';
      *at++ = is_control(text[i]) ? ' ' : text[i];
    }
    i++;
  }
  *at++ = '"';
  return at;
}
