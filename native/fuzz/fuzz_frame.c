/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a frame. What is read is written again and read again, and must be the same. A batch is
 * also read with a shape of every type, under that shape's hash, so that its values are reached. */
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/err.h"
#include "base/limits.h"
#include "model/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int truth) {
  if (!truth) abort();
}

static bb_shape *every_type(void) {
  static bb_point points[BB_TYPE_COUNT];
  static const bb_point *list[BB_TYPE_COUNT];
  for (int i = 0; i < BB_TYPE_COUNT; i++) {
    bb_type type = (bb_type)i;
    uint16_t bytes = type == BB_TYPE_TEXT ? 5 : (uint16_t)bb_type_size(type);
    points[i] = (bb_point){
        .name = bb_type_name(type), .unit = "", .description = "", .type = type, .size = bytes};
    list[i] = &points[i];
  }
  return bb_shape_new("fuzz", list, BB_TYPE_COUNT);
}

static void read_device(const uint8_t *data, size_t size) {
  bb_device *device, *again;
  uint32_t number, number_again;
  bb_buf out;
  if (bb_frame_unpack_device(data, size, &number, &device) < 0) return;
  bb_buf_init(&out, BB_MAX_FRAME_BYTES);
  check(bb_frame_pack_device(&out, number, device) == 0);
  check(bb_frame_unpack_device(out.bytes, out.len, &number_again, &again) == 0);
  check(again->hash == device->hash && number_again == number && out.len == size);
  bb_buf_close(&out);
  bb_device_unref(device);
  bb_device_unref(again);
}

static void read_shape(const uint8_t *data, size_t size) {
  bb_shape *shape, *again;
  bb_buf out;
  if (bb_frame_unpack_shape(data, size, &shape) < 0) return;
  bb_buf_init(&out, BB_MAX_FRAME_BYTES);
  check(bb_frame_pack_shape(&out, shape) == 0);
  check(bb_frame_unpack_shape(out.bytes, out.len, &again) == 0);
  check(again->hash == shape->hash && out.len == size);
  bb_buf_close(&out);
  bb_shape_unref(shape);
  bb_shape_unref(again);
}

static void check_values(const bb_batch *batch) {
  for (uint16_t i = 0; batch->shape != NULL && i < batch->shape->n_points; i++) {
    uint8_t slot[8];
    const bb_point *point = &batch->shape->points[i];
    bb_value value = bb_batch_value(batch, i);
    bb_value_double(value);
    check(bb_quality_name(batch->quality[i]) != NULL);
    if (point->size > sizeof(slot)) continue;
    bb_value_store(value, slot, point->size);
    if (point->type == BB_TYPE_TEXT) check(value.v.text.len < point->size);
  }
}

static void read_batch(const uint8_t *data, size_t size, const bb_shape *shape) {
  bb_batch batch, again;
  bb_frame_names names;
  if (bb_frame_unpack_batch(data, size, NULL, shape, &batch) < 0) return;
  check(bb_frame_batch_names(data, size, &names) == 0);
  check_values(&batch);
  size_t len = bb_frame_batch_bytes(&batch);
  check(len <= size);
  uint8_t *out = malloc(len);
  if (out == NULL) return;
  bb_frame_put_batch(out, names.device_number, &batch);
  check(bb_frame_unpack_batch(out, len, NULL, shape, &again) == 0);
  check(again.seq == batch.seq && again.time_ns == batch.time_ns);
  check(again.text_len == batch.text_len);
  if (shape != NULL) {
    check(memcmp(again.quality, batch.quality, shape->n_points) == 0);
    check(memcmp(again.values, batch.values, shape->value_bytes) == 0);
  }
  free(out);
}

static void read_batch_of(const uint8_t *data, size_t size, const bb_shape *shape) {
  if (size < BB_FRAME_BATCH_HEADER) return;
  uint8_t *copy = malloc(size);
  if (copy == NULL) return;
  memcpy(copy, data, size);
  bb_put_le64(copy + 16, shape->hash);
  read_batch(copy, size, shape);
  free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static bb_shape *shape;
  if (shape == NULL && (shape = every_type()) == NULL) return 0;
  bb_frame_kind kind;
  int len = bb_frame_peek(data, size, &kind);
  check(len <= (int)size);
  read_device(data, size);
  read_shape(data, size);
  read_batch(data, size, NULL);
  read_batch_of(data, size, shape);
  return 0;
}
