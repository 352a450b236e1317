/* SPDX-License-Identifier: Apache-2.0 */
/* See json_writer.h. */
#include "encode/json_writer.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "encode/number.h"
#include "encode/utf8.h"

#define SAFE_INTEGER ((1ull << 53) - 1)
#define ONES 0x0101010101010101ull
#define TOPS 0x8080808080808080ull

/* Not 0 if one of eight bytes is a control character, a quote, a backslash or no ASCII. A borrow may
 * mark a byte above such a one too, which does no harm. */
static inline uint64_t find_special(uint64_t bytes) {
  uint64_t quote = bytes ^ ONES * '"', backslash = bytes ^ ONES * '\\';
  return (bytes | (bytes - ONES * 0x20) | (quote - ONES) | (backslash - ONES)) & TOPS;
}

static inline bool is_plain(char c) {
  return (unsigned char)c >= 0x20 && (unsigned char)c < 0x80 && c != '"' && c != '\\';
}

/* How many bytes at the start stand for themselves. */
static size_t count_plain(const char *text, size_t len) {
  size_t n = 0;
  for (uint64_t bytes; n + sizeof(bytes) <= len; n += sizeof(bytes)) {
    memcpy(&bytes, text + n, sizeof(bytes));
    if (find_special(bytes) != 0) break;
  }
  while (n < len && is_plain(text[n])) n++;
  return n;
}

/* Writes the first character, which is not plain; returns its bytes in `text`. */
static size_t put_special(bb_buf *out, const char *text, size_t len) {
  static const char names[] = "\"\\\b\f\n\r\t", letters[] = "\"\\bfnrt";
  unsigned char c = (unsigned char)text[0];
  const char *name = c != 0 ? strchr(names, c) : NULL;
  if (name != NULL) {
    bb_buf_byte(out, '\\');
    bb_buf_byte(out, (uint8_t)letters[name - names]);
    return 1;
  }
  if (c < 0x20) {
    bb_buf_printf(out, "\\u%04x", c);
    return 1;
  }
  unsigned length = bb_utf8_length(text, len);
  if (length == 0) {
    bb_buf_append(out, BB_UTF8_REPLACEMENT, BB_UTF8_REPLACEMENT_BYTES);
    return 1;
  }
  bb_buf_append(out, text, length);
  return length;
}

int bb_json_string(bb_buf *out, const char *text, size_t len) {
  bb_buf_byte(out, '"');
  while (len > 0) {
    size_t n = count_plain(text, len);
    bb_buf_append(out, text, n);
    if (n < len) n += put_special(out, text + n, len - n);
    text += n;
    len -= n;
  }
  bb_buf_byte(out, '"');
  return out->failed;
}

int bb_json_key(bb_buf *out, const char *key) {
  bb_json_string(out, key, strlen(key));
  return bb_buf_byte(out, ':');
}

static size_t put_integer(char *at, bb_value value) {
  bool is_signed = bb_type_is_signed(value.type);
  uint64_t size = is_signed && value.v.i < 0 ? 0 - (uint64_t)value.v.i : value.v.u;
  size_t quote = size > SAFE_INTEGER;
  at[0] = '"';
  size_t len =
      is_signed ? bb_number_i64(at + quote, value.v.i) : bb_number_u64(at + quote, value.v.u);
  at[quote + len] = '"';
  return len + 2 * quote;
}

int bb_json_value(bb_buf *out, bb_value value) {
  if (value.type == BB_TYPE_TEXT) {
    return bb_json_string(out, value.v.text.bytes, value.v.text.len);
  }
  if (bb_buf_reserve(out, BB_NUMBER_F64_MAX) < 0) return out->failed;
  char *at = (char *)out->bytes + out->len;
  size_t len;
  if (value.type == BB_TYPE_F32) {
    len = bb_number_f32(at, value.v.f);
  } else if (value.type == BB_TYPE_F64) {
    len = bb_number_f64(at, value.v.d);
  } else if (value.type == BB_TYPE_BOOL) {
    len = value.v.b ? 4 : 5;
    memcpy(at, value.v.b ? "true" : "false", len);
  } else {
    len = put_integer(at, value);
  }
  out->len += len;
  if (len == 0) return BB_ERR_RANGE;
  return out->failed;
}

void bb_json_writer_init(bb_json_writer *json, bb_buf *out) {
  *json = (bb_json_writer){.out = out};
}

/* What stands before an item: a comma, and in a map its key. */
static void lead(bb_json_writer *json, const char *key) {
  if (json->depth > 0) {
    uint32_t bit = 1u << (json->depth - 1);
    assert((key != NULL) == ((json->maps & bit) != 0));
    if (json->filled & bit) bb_buf_byte(json->out, ',');
    json->filled |= bit;
  }
  if (key != NULL) bb_json_key(json->out, key);
}

static void open_one(bb_json_writer *json, const char *key, bool map) {
  assert(json->depth < BB_JSON_DEPTH);
  lead(json, key);
  uint32_t bit = 1u << json->depth++;
  json->filled &= ~bit;
  json->maps = map ? json->maps | bit : json->maps & ~bit;
  bb_buf_byte(json->out, map ? '{' : '[');
}

void bb_json_writer_map(bb_json_writer *json, const char *key) {
  open_one(json, key, true);
}

void bb_json_writer_list(bb_json_writer *json, const char *key) {
  open_one(json, key, false);
}

void bb_json_writer_end(bb_json_writer *json) {
  assert(json->depth > 0);
  uint32_t bit = 1u << --json->depth;
  bb_buf_byte(json->out, json->maps & bit ? '}' : ']');
}

void bb_json_writer_text(bb_json_writer *json, const char *key, const char *text) {
  lead(json, key);
  if (text != NULL) {
    bb_json_string(json->out, text, strlen(text));
  } else {
    bb_buf_text(json->out, "null");
  }
}

void bb_json_writer_value(bb_json_writer *json, const char *key, bb_value value) {
  lead(json, key);
  if (bb_json_value(json->out, value) == BB_ERR_RANGE) bb_buf_text(json->out, "null");
}

void bb_json_writer_bool(bb_json_writer *json, const char *key, bool value) {
  bb_json_writer_value(json, key, (bb_value){.type = BB_TYPE_BOOL, .v.b = value});
}

void bb_json_writer_int(bb_json_writer *json, const char *key, int64_t value) {
  bb_json_writer_value(json, key, (bb_value){.type = BB_TYPE_I64, .v.i = value});
}

void bb_json_writer_uint(bb_json_writer *json, const char *key, uint64_t value) {
  bb_json_writer_value(json, key, (bb_value){.type = BB_TYPE_U64, .v.u = value});
}

void bb_json_writer_number(bb_json_writer *json, const char *key, double value) {
  bb_json_writer_value(json, key, (bb_value){.type = BB_TYPE_F64, .v.d = value});
}

int bb_json_writer_finish(bb_json_writer *json) {
  assert(json->depth == 0);
  return json->out->failed;
}
