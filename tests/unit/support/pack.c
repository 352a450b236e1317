/* SPDX-License-Identifier: Apache-2.0 */
/* See pack.h. */
#include "support/pack.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "support/expect.h"
#include "support/vector.h"

#define TEXT_MAX UINT16_MAX
#define QUALITY 0 /* places in `bytes` */
#define CODES 64
#define VALUES 128

static bb_shape *every_type(void) {
  bb_point points[BB_TYPE_COUNT];
  const bb_point *list[BB_TYPE_COUNT];
  for (int i = 0; i < BB_TYPE_COUNT; i++) {
    bb_type type = (bb_type)i;
    points[i] = (bb_point){.name = bb_type_name(type),
                           .unit = "",
                           .description = "",
                           .type = type,
                           .size = type == BB_TYPE_TEXT ? 9 : (uint16_t)bb_type_size(type)};
    list[i] = &points[i];
  }
  return bb_shape_new("slow", list, BB_TYPE_COUNT);
}

static bb_shape *one_float(void) {
  bb_point point = {.name = "p", .unit = "", .description = "", .type = BB_TYPE_F32, .size = 4};
  const bb_point *list[] = {&point};
  return bb_shape_new("fast", list, 1);
}

static bb_batch *add(pack_sample *sample, int device, const bb_shape *shape) {
  assert_true(sample->n < PACK_SAMPLE_MAX);
  bb_batch *batch = &sample->batches[sample->n++];
  *batch = (bb_batch){.device = sample->devices[device],
                      .shape = shape,
                      .time_ns = 1767225600000000000 + (int64_t)sample->n * 1000,
                      .mono_ns = 86400000000000 + sample->n * 1000,
                      .boot = 3,
                      .seq = sample->n,
                      .kind = shape != NULL ? BB_BATCH_SAMPLES : BB_BATCH_EVENT,
                      .quality = bb_batch_all_good,
                      .values = sample->bytes + VALUES};
  return batch;
}

static void add_samples(pack_sample *sample) {
  for (int device = 0; device < 2; device++) {
    for (int i = 0; i < 3; i++) add(sample, device, sample->shapes[i]);
  }
  add(sample, 0, sample->shapes[0])->quality = sample->bytes + QUALITY;
  add(sample, 0, sample->shapes[0])->codes = sample->bytes + CODES;
  bb_batch *full = add(sample, 1, sample->shapes[0]);
  full->quality = sample->bytes + QUALITY;
  full->codes = sample->bytes + CODES;
  full->text = sample->text + 1;
  full->text_len = 9;
  full->flags = BB_BATCH_FLAGS;
  add(sample, 1, sample->shapes[1])->codes = bb_batch_all_good;
}

static void add_texts(pack_sample *sample) {
  add(sample, 0, NULL);
  bb_batch *event = add(sample, 0, NULL);
  event->text = sample->text + 1;
  event->text_len = 300;
  bb_batch *outcome = add(sample, 1, NULL);
  outcome->kind = BB_BATCH_OUTCOME;
  outcome->flags = BB_BATCH_CLOCK_UNSET;
  outcome->text = sample->text + 1;
  outcome->text_len = 1;
  static const uint16_t lengths[] = {1, 2, 127, 128, 16384, TEXT_MAX};
  for (size_t i = 0; i < sizeof(lengths) / sizeof(lengths[0]); i++) {
    bb_batch *message = add(sample, i % 2 == 0, NULL);
    message->kind = BB_BATCH_MESSAGE;
    message->flags = i % 2 == 0 ? BB_BATCH_RETAIN : 2 << BB_BATCH_QOS_SHIFT;
    message->text = sample->text; /* an empty topic */
    message->text_len = lengths[i];
  }
}

static void add_extremes(pack_sample *sample) {
  bb_batch *batch = add(sample, 0, sample->shapes[1]);
  batch->time_ns = INT64_MIN;
  batch->mono_ns = batch->seq = UINT64_MAX;
  batch->boot = UINT32_MAX;
  batch = add(sample, 0, sample->shapes[1]);
  batch->time_ns = INT64_MAX;
  batch->mono_ns = batch->seq = 0;
  batch->boot = 0;
  batch = add(sample, 0, sample->shapes[1]);
  batch->time_ns = 0;
  batch->mono_ns = batch->seq = 1ull << 63;
}

void pack_sample_open(pack_sample *sample) {
  *sample = (pack_sample){0};
  sample->devices[0] = bb_device_new("meter-1", "site", "p", NULL, 0);
  sample->devices[1] = bb_device_new("meter-2", "site", "p", NULL, 0);
  sample->shapes[0] = every_type();
  sample->shapes[1] = one_float();
  sample->shapes[2] = bb_shape_new("empty", NULL, 0);
  sample->bytes = calloc(1, 256);
  sample->text = malloc(TEXT_MAX);
  assert_true(sample->bytes != NULL && sample->text != NULL);
  sample->bytes[QUALITY + 3] = 0x83;
  sample->bytes[CODES + 11] = 2;
  for (uint16_t i = 1; i < 8; i++) sample->bytes[VALUES + sample->shapes[0]->offsets[i]] = 0xa5;
  for (size_t i = 0; i < TEXT_MAX; i++) sample->text[i] = (char)(i % 251);
  add_samples(sample);
  add_texts(sample);
  add_extremes(sample);
}

void pack_sample_close(pack_sample *sample) {
  for (int i = 0; i < 2; i++) bb_device_unref(sample->devices[i]);
  for (int i = 0; i < 3; i++) bb_shape_unref(sample->shapes[i]);
  free(sample->bytes);
  free(sample->text);
}

void pack_expect(const bb_batch *batches, size_t n, const uint8_t *bytes, size_t len) {
  bb_unpacker unpacker;
  bb_packed packed;
  expect_int("open", bb_unpacker_open(&unpacker, bytes, len), 0);
  expect_uint("records", unpacker.n_records, n);
  for (size_t i = 0; i < n; i++) {
    const bb_batch *expected = &batches[i];
    char row[32];
    bb_batch batch;
    snprintf(row, sizeof(row), "batch %zu", i);
    expect_int(row, bb_unpacker_next(&unpacker, &packed), 1);
    bb_pack_source source = bb_unpacker_source(&unpacker, packed.source);
    expect_uint(row, source.device, expected->device->hash);
    expect_uint(row, source.shape, expected->shape != NULL ? expected->shape->hash : 0);
    expect_int(row,
               bb_packed_batch(&packed, expected->device, expected->shape, source.boot, &batch), 0);
    expect_true(row, batch.device == expected->device);
    model_expect_batch(row, &batch, expected);
  }
  expect_int("end", bb_unpacker_next(&unpacker, &packed), 0);
  expect_int("end", bb_unpacker_next(&unpacker, &packed), 0);
}

uint8_t *pack_from_hex(const char *hex, size_t *len) {
  *len = strlen(hex) / 2;
  uint8_t *bytes = malloc(*len > 0 ? *len : 1);
  assert_non_null(bytes);
  for (size_t i = 0; i < *len; i++) {
    char digits[3] = {hex[2 * i], hex[2 * i + 1], 0};
    bytes[i] = (uint8_t)strtoul(digits, NULL, 16);
  }
  return bytes;
}

static bb_device *device_of(const bb_doc *name) {
  char path[256];
  bb_doc_tree tree;
  snprintf(path, sizeof(path), "frame/%s.json", name->text);
  vector_read_json(path, &tree);
  bb_device *device = model_device(tree.root);
  bb_doc_close(&tree);
  return device;
}

void pack_vector_open(pack_vector *v, const char *name) {
  char path[256];
  *v = (pack_vector){0};
  snprintf(path, sizeof(path), "pack/%s.hex", name);
  v->bytes = vector_read_hex(path, &v->len);
  snprintf(path, sizeof(path), "pack/%s.json", name);
  vector_read_json(path, &v->tree);
  const bb_doc *doc = bb_doc_get(v->tree.root, "batches")->first;
  for (; doc != NULL; doc = doc->next, v->n++) {
    assert_true(v->n < PACK_SAMPLE_MAX);
    bb_batch *batch = &v->batches[v->n];
    const char *hex = bb_doc_get_text(doc, "bytes");
    size_t len = 0;
    bb_shape *shape = model_shape_of(bb_doc_get(doc, "shape"));
    model_batch_open(&v->models[v->n], doc, shape);
    *batch = v->models[v->n].batch;
    batch->device = device_of(bb_doc_get(doc, "device"));
    if (hex == NULL) continue;
    v->texts[v->n] = pack_from_hex(hex, &len);
    batch->text = (char *)v->texts[v->n];
    batch->text_len = (uint16_t)len;
  }
}

void pack_vector_close(pack_vector *v) {
  for (size_t i = 0; i < v->n; i++) {
    bb_device_unref(v->batches[i].device);
    bb_shape_unref(v->batches[i].shape);
    model_batch_close(&v->models[i]);
    free(v->texts[i]);
  }
  bb_doc_close(&v->tree);
  free(v->bytes);
}

/* Uses the batch to its end, so that a place outside is noticed. */
static void touch(const bb_batch *batch) {
  bb_packer packer;
  bb_packer_init(&packer);
  expect_int("what was read can be packed", bb_packer_add(&packer, batch), 0);
  bb_packer_close(&packer);
}

/* The shape of tests/vectors/frame/ with that hash, or NULL. Loaded once. */
static const bb_shape *known_shape(uint64_t hash) {
  static const char *const names[] = {"shape-one", "shape-types", "shape-none"};
  static bb_shape *shapes[3];
  for (size_t i = 0; i < 3; i++) {
    bb_doc name = {.kind = BB_DOC_SCALAR, .text = names[i]};
    if (shapes[i] == NULL) shapes[i] = model_shape_of(&name);
    if (shapes[i]->hash == hash) return shapes[i];
  }
  return NULL;
}

static int read_with(const bb_unpacker *unpacker, const bb_packed *packed) {
  static bb_device *device;
  bb_pack_source source = bb_unpacker_source(unpacker, packed->source);
  const bb_shape *shape = known_shape(source.shape);
  bb_batch batch;
  if (device == NULL) device = bb_device_new("d", "", "", NULL, 0);
  if (source.shape != 0 && shape == NULL) return 0;
  int err = bb_packed_batch(packed, device, shape, source.boot, &batch);
  if (err == 0) touch(&batch);
  return err;
}

int pack_read(const uint8_t *bytes, size_t len) {
  bb_unpacker unpacker;
  bb_packed packed;
  int more, err = bb_unpacker_open(&unpacker, bytes, len);
  if (err < 0) return err;
  while ((more = bb_unpacker_next(&unpacker, &packed)) == 1) {
    err = read_with(&unpacker, &packed);
    if (err < 0) return err;
  }
  if (more < 0) expect_int("and so it stays", bb_unpacker_next(&unpacker, &packed), more);
  return more;
}
