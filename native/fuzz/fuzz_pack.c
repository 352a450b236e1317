/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a pack, also under a right checksum. Each record is read with a shape of every type;
 * what is read is packed again and read again, and must be the same. */
#include <stdlib.h>
#include <string.h>

#include <zlib.h>

#include "base/bytes.h"
#include "base/err.h"
#include "store/pack.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bb_device *device;
static bb_shape *shape;

static void check(int truth) {
  if (!truth) abort();
}

static void make_model(void) {
  static bb_point points[BB_TYPE_COUNT];
  static const bb_point *list[BB_TYPE_COUNT];
  for (int i = 0; i < BB_TYPE_COUNT; i++) {
    bb_type type = (bb_type)i;
    uint16_t bytes = type == BB_TYPE_TEXT ? 17 : (uint16_t)bb_type_size(type);
    points[i] = (bb_point){
        .name = bb_type_name(type), .unit = "", .description = "", .type = type, .size = bytes};
    list[i] = &points[i];
  }
  shape = bb_shape_new("fuzz", list, BB_TYPE_COUNT);
  device = bb_device_new("fuzz", "", "", NULL, 0);
  check(shape != NULL && device != NULL);
}

static int is_same(const void *a, const void *b, size_t len) {
  return len == 0 || memcmp(a, b, len) == 0;
}

static void compare(const bb_batch *a, const bb_batch *b) {
  check(a->time_ns == b->time_ns && a->mono_ns == b->mono_ns && a->seq == b->seq);
  check(a->boot == b->boot && a->kind == b->kind && a->flags == b->flags);
  check(a->text_len == b->text_len && is_same(a->text, b->text, a->text_len));
  if (a->shape == NULL) return;
  check(is_same(a->quality, b->quality, shape->n_points));
  check(is_same(a->values, b->values, shape->value_bytes));
}

/* Alone in a pack of its own. */
static void pack_again(const bb_batch *batch) {
  static bb_packer packer;
  static bb_buf out;
  bb_unpacker unpacker;
  bb_packed packed;
  bb_batch again;
  if (out.max == 0) {
    bb_packer_init(&packer);
    bb_buf_init(&out, BB_PACK_LONGEST);
  }
  bb_buf_clear(&out);
  check(bb_packer_add(&packer, batch) == 0);
  check(bb_packer_end(&packer, &out) > 0);
  check(bb_unpacker_open(&unpacker, out.bytes, out.len) == 0);
  check(bb_unpacker_next(&unpacker, &packed) == 1);
  bb_pack_source source = bb_unpacker_source(&unpacker, packed.source);
  check(source.device == device->hash);
  check(source.shape == (batch->shape != NULL ? shape->hash : 0));
  check(bb_packed_batch(&packed, device, batch->shape, source.boot, &again) == 0);
  compare(batch, &again);
  check(bb_unpacker_next(&unpacker, &packed) == 0);
}

static void read_pack(const uint8_t *data, size_t size) {
  bb_unpacker unpacker;
  bb_packed packed;
  bb_batch batch;
  int more, err = bb_unpacker_open(&unpacker, data, size);
  check(err == 0 || err == BB_ERR_FORMAT || err == BB_ERR_VERSION);
  if (err < 0) return;
  while ((more = bb_unpacker_next(&unpacker, &packed)) == 1) {
    check(packed.source < unpacker.n_sources);
    bb_pack_source source = bb_unpacker_source(&unpacker, packed.source);
    const bb_shape *own = source.shape != 0 ? shape : NULL;
    err = bb_packed_batch(&packed, device, own, source.boot, &batch);
    if (err == 0) pack_again(&batch);
  }
  check(more == 0 || more == BB_ERR_FORMAT);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (shape == NULL) make_model();
  read_pack(data, size);
  if (size <= 4) return 0;
  uint8_t *copy = malloc(size);
  if (copy == NULL) return 0;
  memcpy(copy, data, size);
  bb_put_le32(copy, (uint32_t)crc32(0, copy + 4, (uInt)(size - 4)));
  read_pack(copy, size);
  free(copy);
  return 0;
}
