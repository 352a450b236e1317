/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Devices, shapes and batches as bytes: the same in the store, on the control socket and in the test
 * vectors. All integers little-endian. A device and a shape come before the first batch that names
 * them, once in a stream.
 *
 * Each frame begins with
 *
 *   0  u32  length of the whole frame in bytes
 *   4  u8   version, 1
 *   5  u8   kind: 1 device, 2 shape, 3 batch
 *   6  u16  0
 *
 * A text is u16 length and bytes (UTF-8, no terminator).
 *
 * Device:   8 u32 number by which batches name it; u16 number of tags; then texts: id, site,
 *           profile, and for each tag key and value.
 * Shape:    8 u64 hash; u16 number of points; text scan; then for each point: u8 type, u8 labels
 *           kind, u16 slot size, u16 number of labels, u8 flags (1 writable, 2 has min, 4 has max),
 *           u8 0, f64 deadband, min, max, step, texts name, unit, description, and for each label
 *           u32 value and text.
 * Batch:    8 u32 device number; u32 boot; u64 shape hash (0: none); i64 time_ns; u64 mono_ns;
 *           u64 seq; u8 kind; u8 flags; u8 content (1: not all good, quality bytes follow; 2: codes
 *           follow); u8 0; u16 number of points; u16 text length; then quality bytes, codes, values,
 *           text.
 *
 * A shape's hash is FNV-1a (base/hash.h) over the scan, terminated, and for each point: name, unit,
 * description, each terminated; u32 type, slot size, labels kind, number of labels, writable, has
 * min, has max; f64 deadband, min or 0, max or 0, step; for each label u32 value and the name,
 * terminated.
 *
 * Frames come from other processes and from disks that were cut off, so a reader refuses what is not
 * exactly as above: a length, limit, type or reserved byte that is off, ids and names that
 * base/text.h does not accept, texts that hold NUL or are not UTF-8, two points of one name, two
 * tags of one key, labels that do not go with the type, a hash that is not the shape's, a bool that
 * is neither 0 nor 1, a text slot longer than its room. What lies in a text slot and the text of a
 * batch are bytes from the field and stay as they are.
 */
#ifndef BB_MODEL_FRAME_H
#define BB_MODEL_FRAME_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "model/batch.h"

#define BB_FRAME_VERSION 1
#define BB_FRAME_HEADER 8
#define BB_FRAME_POINT_HEADER 40 /* of a point, up to its texts */
#define BB_FRAME_BATCH_HEADER 56

#define BB_FRAME_POINT_WRITABLE 1 /* flags of a point */
#define BB_FRAME_POINT_MIN 2
#define BB_FRAME_POINT_MAX 4

#define BB_FRAME_QUALITY 1 /* content of a batch */
#define BB_FRAME_CODES 2

typedef enum bb_frame_kind { BB_FRAME_DEVICE = 1, BB_FRAME_SHAPE, BB_FRAME_BATCH } bb_frame_kind;

/* The frame at the start of `bytes`: its length, 0 when more bytes are needed, BB_ERR_FORMAT,
 * BB_ERR_VERSION or BB_ERR_LIMIT when there is none. */
int bb_frame_peek(const uint8_t *bytes, size_t len, bb_frame_kind *kind);

/* Appends a frame, or nothing. 0, BB_ERR_NOMEM or BB_ERR_LIMIT. */
int bb_frame_pack_device(bb_buf *out, uint32_t number, const bb_device *device);
int bb_frame_pack_shape(bb_buf *out, const bb_shape *shape);
int bb_frame_pack_batch(bb_buf *out, uint32_t device_number, const bb_batch *batch);

/* Which parts of the batch must be written: BB_FRAME_QUALITY unless all is good, BB_FRAME_CODES
 * unless all are 0. */
unsigned bb_frame_content(const bb_batch *batch);

/* Bytes of that batch as a frame, and the frame into `out`, which has that much room. Allocates
 * nothing. */
size_t bb_frame_batch_bytes(const bb_batch *batch);
void bb_frame_put_batch(uint8_t *out, uint32_t device_number, const bb_batch *batch);

/* Reads a whole frame of `len` bytes. 0 with one reference in *out, BB_ERR_FORMAT or BB_ERR_NOMEM. */
int bb_frame_unpack_device(const uint8_t *frame, size_t len, uint32_t *number, bb_device **out);
int bb_frame_unpack_shape(const uint8_t *frame, size_t len, bb_shape **out);

/* Which device and shape a batch frame names, before it is read. */
typedef struct bb_frame_names {
  uint32_t device_number;
  uint64_t shape_hash;
} bb_frame_names;

int bb_frame_batch_names(const uint8_t *frame, size_t len, bb_frame_names *out);

/*
 * Reads a batch frame as a view into it. `device` and `shape` are those that it names (shape NULL
 * when the hash is 0). Where all points are good, quality points to static bytes. 0 or
 * BB_ERR_FORMAT (it does not fit the shape).
 */
int bb_frame_unpack_batch(const uint8_t *frame, size_t len, const bb_device *device,
                          const bb_shape *shape, bb_batch *out);

#endif
