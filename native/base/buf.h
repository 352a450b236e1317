/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A byte buffer that grows up to a maximum named when it is made.
 *
 * bytes[0..len) is filled, bytes[len..cap) is room. Appending that would pass `max`, or for which
 * memory is lacking, fails, changes nothing, and is remembered in `failed`, so that a run of
 * appends needs one check at its end.
 */
#ifndef BB_BASE_BUF_H
#define BB_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

typedef struct bb_buf {
  /* read-only */
  uint8_t *bytes;
  size_t len;
  size_t cap;
  size_t max;
  int failed; /* 0, or the first error */
} bb_buf;

/* Allocates nothing. `max` in bytes, above 0. */
void bb_buf_init(bb_buf *buf, size_t max);

/* Frees the memory; the buffer is as after init. */
void bb_buf_close(bb_buf *buf);

/* Empties the buffer and its error, keeps the memory. */
void bb_buf_clear(bb_buf *buf);

/* Private to bb_buf_reserve: there is not the room yet. */
int bb_buf_grow(bb_buf *buf, size_t more);

/* Makes room for `more` bytes behind len. 0, BB_ERR_LIMIT or BB_ERR_NOMEM. */
static inline int bb_buf_reserve(bb_buf *buf, size_t more) {
  return more <= buf->cap - buf->len ? 0 : bb_buf_grow(buf, more);
}

/* Returns the place for `more` bytes, which now count as filled; NULL on failure. */
uint8_t *bb_buf_extend(bb_buf *buf, size_t more);

/* 0, BB_ERR_LIMIT or BB_ERR_NOMEM. */
int bb_buf_append(bb_buf *buf, const void *bytes, size_t len);
int bb_buf_text(bb_buf *buf, const char *text);
int bb_buf_byte(bb_buf *buf, uint8_t byte);
int bb_buf_printf(bb_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
int bb_buf_vprintf(bb_buf *buf, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));

/* Removes the first `len` bytes (at most all). */
void bb_buf_drop(bb_buf *buf, size_t len);

/* The content as a string; a terminator is put behind it. "" when that fails. Valid until the next
 * change. */
const char *bb_buf_string(bb_buf *buf);

#endif
