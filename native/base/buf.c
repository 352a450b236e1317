/* SPDX-License-Identifier: Apache-2.0 */
/* See buf.h. */
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"

#define FIRST_CAPACITY 256

void bb_buf_init(bb_buf *buf, size_t max) {
  *buf = (bb_buf){.max = max};
}

void bb_buf_close(bb_buf *buf) {
  free(buf->bytes);
  bb_buf_init(buf, buf->max);
}

void bb_buf_clear(bb_buf *buf) {
  buf->len = 0;
  buf->failed = 0;
}

static int fail(bb_buf *buf, int code) {
  if (buf->failed == 0) buf->failed = code;
  return code;
}

int bb_buf_grow(bb_buf *buf, size_t more) {
  if (more > buf->max - buf->len) return fail(buf, BB_ERR_LIMIT);
  size_t need = buf->len + more;
  size_t cap = buf->cap > 0 ? buf->cap : FIRST_CAPACITY;
  while (cap < need) cap = cap > buf->max / 2 ? buf->max : cap * 2;
  if (cap > buf->max) cap = buf->max;
  /* One byte more than anyone counts on: the terminator of printf and string needs no room. */
  uint8_t *bytes = realloc(buf->bytes, cap + 1);
  if (bytes == NULL) return fail(buf, BB_ERR_NOMEM);
  buf->bytes = bytes;
  buf->cap = cap;
  return 0;
}

/* Of an empty buffer even no bytes have a place, since NULL means failure. */
static int reserve_place(bb_buf *buf, size_t more) {
  return bb_buf_reserve(buf, more == 0 && buf->bytes == NULL ? 1 : more);
}

uint8_t *bb_buf_extend(bb_buf *buf, size_t more) {
  if (reserve_place(buf, more) < 0) return NULL;
  uint8_t *place = buf->bytes + buf->len;
  buf->len += more;
  return place;
}

int bb_buf_append(bb_buf *buf, const void *bytes, size_t len) {
  if (len == 0) return 0;
  int err = bb_buf_reserve(buf, len);
  if (err < 0) return err;
  memcpy(buf->bytes + buf->len, bytes, len);
  buf->len += len;
  return 0;
}

int bb_buf_text(bb_buf *buf, const char *text) {
  return bb_buf_append(buf, text, strlen(text));
}

int bb_buf_byte(bb_buf *buf, uint8_t byte) {
  int err = bb_buf_reserve(buf, 1);
  if (err == 0) buf->bytes[buf->len++] = byte;
  return err;
}

int bb_buf_vprintf(bb_buf *buf, const char *format, va_list args) {
  va_list again;
  va_copy(again, args);
  int len = vsnprintf(NULL, 0, format, args);
  int err = len < 0 ? fail(buf, BB_ERR_INVALID) : reserve_place(buf, (size_t)len);
  if (err == 0) {
    vsnprintf((char *)buf->bytes + buf->len, (size_t)len + 1, format, again);
    buf->len += (size_t)len;
  }
  va_end(again);
  return err;
}

int bb_buf_printf(bb_buf *buf, const char *format, ...) {
  va_list args;
  va_start(args, format);
  int err = bb_buf_vprintf(buf, format, args);
  va_end(args);
  return err;
}

void bb_buf_drop(bb_buf *buf, size_t len) {
  if (len > buf->len) len = buf->len;
  if (len == 0) return;
  memmove(buf->bytes, buf->bytes + len, buf->len - len);
  buf->len -= len;
}

const char *bb_buf_string(bb_buf *buf) {
  if (reserve_place(buf, 0) < 0) return "";
  buf->bytes[buf->len] = 0;
  return (const char *)buf->bytes;
}
