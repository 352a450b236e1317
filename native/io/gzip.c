/* SPDX-License-Identifier: Apache-2.0 */
/* See gzip.h. */
#include "io/gzip.h"

#include <assert.h>
#include <limits.h>
#include <stdlib.h>

#include <zlib.h>

#include "base/err.h"

/* Measured on the lines of 800 meters: 25 % of their size at 140 MB/s. A window four times as large
 * finds no more, because what repeats is the line before; level 6 gives 20 % at a third of the
 * speed. */
#define LEVEL 2
#define WINDOW_BITS 13
#define MEMORY 7
#define AS_GZIP 16
#define ROOM 4096

int bb_gzip_open(bb_gzip *gzip) {
  z_stream *stream = calloc(1, sizeof(*stream));
  if (stream != NULL && deflateInit2(stream, LEVEL, Z_DEFLATED, WINDOW_BITS + AS_GZIP, MEMORY,
                                     Z_DEFAULT_STRATEGY) != Z_OK) {
    free(stream);
    stream = NULL;
  }
  gzip->stream = stream;
  return stream != NULL ? 0 : BB_ERR_NOMEM;
}

void bb_gzip_close(bb_gzip *gzip) {
  if (gzip->stream == NULL) return;
  deflateEnd(gzip->stream);
  free(gzip->stream);
  gzip->stream = NULL;
}

void bb_gzip_start(bb_gzip *gzip) {
  deflateReset(gzip->stream);
}

static int run(z_stream *stream, bb_buf *out, int flush) {
  int result;
  do {
    int err = bb_buf_reserve(out, out->cap > out->len ? 1 : ROOM);
    if (err < 0) return err;
    size_t room = out->cap - out->len;
    stream->next_out = out->bytes + out->len;
    stream->avail_out = room < UINT_MAX ? (uInt)room : UINT_MAX;
    uInt before = stream->avail_out;
    result = deflate(stream, flush);
    assert(result != Z_STREAM_ERROR);
    out->len += before - stream->avail_out;
  } while (flush == Z_FINISH ? result != Z_STREAM_END : stream->avail_out == 0);
  return 0;
}

int bb_gzip_add(bb_gzip *gzip, bb_buf *out, const void *bytes, size_t len) {
  assert(len < UINT_MAX);
  gzip->stream->next_in = (Bytef *)bytes;
  gzip->stream->avail_in = (uInt)len;
  return run(gzip->stream, out, Z_NO_FLUSH);
}

int bb_gzip_end(bb_gzip *gzip, bb_buf *out) {
  return run(gzip->stream, out, Z_FINISH);
}
