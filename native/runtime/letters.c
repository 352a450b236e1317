/* SPDX-License-Identifier: Apache-2.0 */
/* See letters.h. */
#include "runtime/letters.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "model/message.h"
#include "store/pack.h"

#define FULL 1 /* the page is; there are more */

static int take(void *user, const bb_store_dead *dead) {
  bb_letters *letters = user;
  if (letters->only != 0 && dead->id != letters->only) return FULL;
  if (letters->n >= letters->limit ||
      (letters->n > 0 && letters->bodies.len + dead->len > BB_LETTERS_BYTES)) {
    letters->more = true;
    return FULL;
  }
  bb_letter *items = realloc(letters->items, (letters->n + 1) * sizeof(*items));
  if (items == NULL) return BB_ERR_NOMEM;
  letters->items = items;
  bb_letter *letter = &items[letters->n];
  *letter = (bb_letter){.id = dead->id,
                        .time_ns = dead->time_ns,
                        .age_ns = dead->age_ns,
                        .at = letters->bodies.len,
                        .len = dead->len};
  snprintf(letter->sink, sizeof(letter->sink), "%s", dead->sink);
  snprintf(letter->reason, sizeof(letter->reason), "%s", dead->reason);
  int err = bb_buf_append(&letters->bodies, dead->body, dead->len);
  if (err == 0) letters->n++;
  return err;
}

int bb_letters_read(bb_letters *letters, bb_store *store) {
  if (letters->limit == 0) letters->limit = BB_LETTERS_PAGE;
  if (letters->limit > BB_LETTERS_MAX) letters->limit = BB_LETTERS_MAX;
  bb_buf_init(&letters->bodies, BB_LETTERS_BYTES + BB_PACK_LONGEST);
  int err =
      bb_store_dead_each(store, letters->sink[0] != 0 ? letters->sink : NULL,
                         letters->only != 0 ? letters->only - 1 : letters->after, take, letters);
  return err < 0 ? err : 0;
}

void bb_letters_close(bb_letters *letters) {
  bb_buf_close(&letters->bodies);
  free(letters->items);
  letters->items = NULL;
  letters->n = 0;
  letters->more = false;
}

static int drop_page(const bb_letters *page, bb_store *store) {
  int err = bb_store_begin(store);
  for (uint32_t i = 0; i < page->n && err >= 0; i++) {
    err = bb_store_dead_drop(store, page->items[i].id);
  }
  if (err >= 0) err = bb_store_commit(store);
  if (err < 0) bb_store_rollback(store);
  return err;
}

int bb_letters_drop(bb_letters *letters, bb_store *store, uint64_t *dropped) {
  int err;
  bool more;
  letters->limit = BB_LETTERS_MAX;
  do {
    bb_letters_close(letters);
    err = bb_letters_read(letters, store);
    if (err >= 0) err = drop_page(letters, store);
    if (err >= 0) *dropped += letters->n;
    more = letters->more;
  } while (err >= 0 && more);
  return err;
}

int bb_letters_batch(const bb_letters *letters, uint32_t i, const bb_names *names, bb_batch *out) {
  const bb_letter *letter = &letters->items[i];
  bb_unpacker unpacker;
  bb_packed packed;
  int err = bb_unpacker_open(&unpacker, letters->bodies.bytes + letter->at, letter->len);
  if (err < 0) return err;
  if (bb_unpacker_next(&unpacker, &packed) != 1) return BB_ERR_FORMAT;
  bb_pack_source from = bb_unpacker_source(&unpacker, packed.source);
  const bb_device *device = bb_names_device(names, from.device);
  const bb_shape *shape = from.shape != 0 ? bb_names_shape(names, from.shape) : NULL;
  if (device == NULL || (from.shape != 0 && shape == NULL)) return BB_ERR_FORMAT;
  return bb_packed_batch(&packed, device, shape, from.boot, out);
}

bb_store_class bb_letters_class(const bb_letters *letters, uint32_t i) {
  const bb_letter *letter = &letters->items[i];
  bb_unpacker unpacker;
  bb_packed packed;
  int err = bb_unpacker_open(&unpacker, letters->bodies.bytes + letter->at, letter->len);
  if (err < 0 || bb_unpacker_next(&unpacker, &packed) != 1) return BB_STORE_TELEMETRY;
  unsigned kind = bb_packed_kind(&packed);
  bool event = kind == BB_BATCH_EVENT || kind == BB_BATCH_OUTCOME;
  return event ? BB_STORE_EVENTS : BB_STORE_TELEMETRY;
}

/* Texts of batches are not terminated. A NUL in it ends it. */
static void put_text(bb_json_writer *json, const char *key, const char *text, size_t len) {
  char *copy = malloc(len + 1);
  if (copy != NULL) {
    memcpy(copy, text, len);
    copy[len] = 0;
  }
  bb_json_writer_text(json, key, copy);
  free(copy);
}

static void put_values(bb_json_writer *json, const bb_batch *batch) {
  bb_json_writer_text(json, "scan", batch->shape->scan);
  bb_json_writer_map(json, "values");
  for (uint16_t i = 0; i < batch->shape->n_points; i++) {
    if (!bb_quality_has_value(batch->quality[i])) continue;
    bb_json_writer_value(json, batch->shape->points[i].name, bb_batch_value(batch, i));
  }
  bb_json_writer_end(json);
}

static void put_batch(bb_json_writer *json, const bb_batch *batch) {
  bb_message message;
  bb_json_writer_int(json, "timestamp", batch->time_ns / (int64_t)BB_NS_PER_MS);
  bb_json_writer_text(json, "device", batch->device->id);
  if (batch->kind == BB_BATCH_MESSAGE) {
    if (bb_message_unpack(batch, &message) < 0) return;
    if (message.topic_len > 0) bb_json_writer_text(json, "topic", message.topic);
    put_text(json, "payload", message.payload, message.payload_len);
  } else if (batch->shape != NULL) {
    put_values(json, batch);
  } else {
    put_text(json, "text", batch->text, batch->text_len);
  }
}

void bb_letters_put(const bb_letters *letters, uint32_t i, const bb_names *names,
                    bb_json_writer *json) {
  const bb_letter *letter = &letters->items[i];
  bb_batch batch;
  bb_json_writer_map(json, NULL);
  bb_json_writer_int(json, "id", letter->id);
  bb_json_writer_text(json, "sink", letter->sink);
  bb_json_writer_text(json, "reason", letter->reason);
  bb_json_writer_int(json, "time", letter->time_ns / (int64_t)BB_NS_PER_MS);
  if (bb_letters_batch(letters, i, names, &batch) == 0) {
    put_batch(json, &batch);
  } else {
    bb_json_writer_bool(json, "damaged", true);
  }
  bb_json_writer_end(json);
}
