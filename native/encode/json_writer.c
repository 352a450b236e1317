/* SPDX-License-Identifier: Apache-2.0 */
/* See json_writer.h. */
#include "encode/json_writer.h"

#include <assert.h>
#include <string.h>

#include "base/err.h"
#include "base/json_text.h"

#define SAFE_INTEGER ((1ull << 53) - 1)

int bb_json_string(bb_buf *out, const char *text, size_t len) {
  size_t bytes = bb_json_text_bytes(text, len);
  uint8_t *at = bb_buf_extend(out, bytes);
  if (at == NULL) return out->failed;
  if (bytes == len + 2) {
    at[0] = at[len + 1] = '"';
    memcpy(at + 1, text, len);
  } else {
    bb_json_text_put((char *)at, text, len);
  }
  return out->failed;
}

int bb_json_key(bb_buf *out, const char *key) {
  bb_json_string(out, key, strlen(key));
  return bb_buf_byte(out, ':');
}

static char *put_integer(char *at, bb_value value) {
  bool is_signed = bb_type_is_signed(value.type);
  uint64_t size = is_signed && value.v.i < 0 ? 0 - (uint64_t)value.v.i : value.v.u;
  size_t quote = size > SAFE_INTEGER;
  at[0] = '"';
  size_t len =
      is_signed ? bb_number_i64(at + quote, value.v.i) : bb_number_u64(at + quote, value.v.u);
  at[quote + len] = '"';
  return at + len + 2 * quote;
}

char *bb_json_number(char *at, bb_value value) {
  switch (value.type) {
  case BB_TYPE_F32:
    return at + bb_number_f32(at, value.v.f);
  case BB_TYPE_F64:
    return at + bb_number_f64(at, value.v.d);
  case BB_TYPE_BOOL:
    memcpy(at, value.v.b ? "true" : "fals", 4);
    at[4] = 'e';
    return at + (value.v.b ? 4 : 5);
  default:
    return put_integer(at, value);
  }
}

int bb_json_value(bb_buf *out, bb_value value) {
  if (value.type == BB_TYPE_TEXT) {
    return bb_json_string(out, value.v.text.bytes, value.v.text.len);
  }
  if (bb_buf_reserve(out, BB_JSON_NUMBER_MAX) < 0) return out->failed;
  char *at = (char *)out->bytes + out->len;
  size_t len = (size_t)(bb_json_number(at, value) - at);
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
