/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads device, shape and batch frames (model/frame.h) as they come from the control socket, and
 * keeps the devices and shapes, by whose places the batches' are named.
 *
 * A frame that is malformed changes nothing. Not thread-safe: one reader belongs to one environment.
 */
#ifndef BB_ADDON_READER_H
#define BB_ADDON_READER_H

#include <stddef.h>
#include <stdint.h>

#include "addon/columns.h"
#include "base/buf.h"
#include "base/limits.h"

#define BB_READER_MAX_DEVICES BB_MAX_DEVICES
#define BB_READER_MAX_SHAPES 65536

typedef struct bb_reader bb_reader;

/* NULL without memory. */
bb_reader *bb_reader_new(void);

/* Harmless on NULL. */
void bb_reader_free(bb_reader *reader);

/*
 * Reads the frame at `at` of `bytes`. Its length, FRAME in the columns and, by its kind:
 *
 *   device   DEVICE; of a number that was known it is the former place
 *   shape    SHAPE; of a hash that was known it is the former place
 *   batch    all columns
 *
 * BB_ERR_SHORT (the frame does not end within the bytes), BB_ERR_FORMAT, BB_ERR_VERSION,
 * BB_ERR_NOTFOUND (a batch without its device or shape), BB_ERR_LIMIT (a frame too large, too many
 * devices or shapes), BB_ERR_RANGE (the columns have no room), BB_ERR_NOMEM.
 */
int bb_reader_read(bb_reader *reader, const uint8_t *bytes, size_t len, size_t at,
                   const bb_columns *columns);

/* The batch at `at`, as bb_json_batch writes it. 0, or an error as above; BB_ERR_TYPE: no batch. */
int bb_reader_json(const bb_reader *reader, const uint8_t *bytes, size_t len, size_t at, bool tags,
                   bool historical, bb_buf *out);

/* The same in line protocol, as an InfluxDB sink without options of its own writes it. */
int bb_reader_line(const bb_reader *reader, const uint8_t *bytes, size_t len, size_t at,
                   bb_buf *out);

#endif
