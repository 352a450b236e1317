/* SPDX-License-Identifier: Apache-2.0 */
/* Packs and the names that they use. See store_verify.h. */
#include <stdlib.h>

#include "base/err.h"
#include "model/frame.h"
#include "store/pack.h"
#include "store/store_verify.h"

static int by_name(const void *a, const void *b) {
  const bb_verify_name *x = a, *y = b;
  if (x->kind != y->kind) return x->kind < y->kind ? -1 : 1;
  return (x->hash > y->hash) - (x->hash < y->hash);
}

static bb_verify_name *add_name(bb_verify *verify) {
  if (verify->n_names == verify->cap_names) {
    size_t cap = verify->cap_names > 0 ? verify->cap_names * 2 : 64;
    bb_verify_name *names = realloc(verify->names, cap * sizeof(*names));
    if (names == NULL) return NULL;
    verify->names = names;
    verify->cap_names = cap;
  }
  return &verify->names[verify->n_names++];
}

static int read_name(void *user, bb_store_kind kind, uint64_t hash, const uint8_t *frame,
                     size_t len) {
  bb_verify *verify = user;
  bb_verify_name *name = add_name(verify);
  if (name == NULL) return bb_sql_fail(verify->store, SQLITE_NOMEM);
  *name = (bb_verify_name){.kind = kind, .hash = hash};
  uint32_t number;
  bool is_device = kind == BB_STORE_DEVICE;
  int err = is_device ? bb_frame_unpack_device(frame, len, &number, &name->device)
                      : bb_frame_unpack_shape(frame, len, &name->shape);
  if (err == BB_ERR_NOMEM) return bb_sql_fail(verify->store, SQLITE_NOMEM);
  uint64_t own = err < 0 ? 0 : is_device ? name->device->hash : name->shape->hash;
  if (err == 0 && own == hash) return 0;
  bb_verify_say(verify, "the %s %016llx: %s", is_device ? "device" : "shape",
                (unsigned long long)hash,
                err < 0 ? "its frame cannot be read" : "it is another one");
  return 0;
}

int bb_verify_read_names(bb_verify *verify) {
  int err = bb_store_names(verify->store, read_name, verify);
  /* The table is sorted by hashes that are signed. */
  if (verify->n_names > 0) {
    qsort(verify->names, verify->n_names, sizeof(*verify->names), by_name);
  }
  if (err != BB_ERR_FORMAT) return err;
  bb_verify_say(verify, "%s", bb_store_why(verify->store));
  return 0;
}

void bb_verify_close_names(bb_verify *verify) {
  for (size_t i = 0; i < verify->n_names; i++) {
    bb_device_unref(verify->names[i].device);
    bb_shape_unref(verify->names[i].shape);
  }
  free(verify->names);
}

static const bb_verify_name *find(const bb_verify *verify, bb_store_kind kind, uint64_t hash) {
  bb_verify_name key = {.kind = kind, .hash = hash};
  if (verify->n_names == 0) return NULL;
  return bsearch(&key, verify->names, verify->n_names, sizeof(key), by_name);
}

/* Records of a source that is not known are not looked into. */
static bool check_record(bb_verify *verify, const bb_unpacker *unpacker, const bb_packed *packed) {
  bb_pack_source source = bb_unpacker_source(unpacker, packed->source);
  const bb_verify_name *device = find(verify, BB_STORE_DEVICE, source.device);
  const bb_verify_name *shape =
      source.shape != 0 ? find(verify, BB_STORE_SHAPE, source.shape) : NULL;
  bb_batch batch;
  if (device == NULL || device->device == NULL) return true;
  if (source.shape != 0 && (shape == NULL || shape->shape == NULL)) return true;
  return bb_packed_batch(packed, device->device, shape != NULL ? shape->shape : NULL, source.boot,
                         &batch) == 0;
}

static void check_sources(bb_verify *verify, const char *what, const bb_unpacker *unpacker) {
  for (uint32_t i = 0; i < unpacker->n_sources; i++) {
    bb_pack_source source = bb_unpacker_source(unpacker, i);
    if (find(verify, BB_STORE_DEVICE, source.device) == NULL) {
      bb_verify_say(verify, "%s: its device %016llx is not there", what,
                    (unsigned long long)source.device);
    }
    if (source.shape != 0 && find(verify, BB_STORE_SHAPE, source.shape) == NULL) {
      bb_verify_say(verify, "%s: its shape %016llx is not there", what,
                    (unsigned long long)source.shape);
    }
  }
}

void bb_verify_pack(bb_verify *verify, const char *what, uint64_t n, const uint8_t *body,
                    size_t len) {
  bb_unpacker unpacker;
  bb_packed packed;
  int err = bb_unpacker_open(&unpacker, body, len);
  if (err < 0) {
    bb_verify_say(verify, "%s: %s", what,
                  err == BB_ERR_VERSION ? "its version is a later one" : "its bytes are damaged");
    return;
  }
  if (unpacker.n_records != n) {
    bb_verify_say(verify, "%s: it has %u records", what, unpacker.n_records);
  }
  check_sources(verify, what, &unpacker);
  int more;
  for (uint32_t i = 0; (more = bb_unpacker_next(&unpacker, &packed)) == 1; i++) {
    if (check_record(verify, &unpacker, &packed)) continue;
    bb_verify_say(verify, "%s: its record %u does not fit its shape", what, i);
  }
  if (more < 0) bb_verify_say(verify, "%s: its records cannot all be read", what);
}
