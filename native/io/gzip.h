/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A gzip stream (RFC 1952) made piece by piece, so that a large body is compressed as it grows and
 * never all at once.
 */
#ifndef BB_IO_GZIP_H
#define BB_IO_GZIP_H

#include <stddef.h>

#include "base/buf.h"

typedef struct bb_gzip {
  /* private */
  struct z_stream_s *stream;
} bb_gzip;

/* Takes about 100 KiB, kept until close. 0 or BB_ERR_NOMEM. */
int bb_gzip_open(bb_gzip *gzip);

/* Harmless on an all-zero struct. */
void bb_gzip_close(bb_gzip *gzip);

/* Begins a new stream; what was not ended is forgotten. */
void bb_gzip_start(bb_gzip *gzip);

/* Adds to the stream; what is ready is appended to `out`. 0, or the buffer's error. */
int bb_gzip_add(bb_gzip *gzip, bb_buf *out, const void *bytes, size_t len);

/* Ends the stream: `out` then has all of it. */
int bb_gzip_end(bb_gzip *gzip, bb_buf *out);

#endif
