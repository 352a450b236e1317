/* SPDX-License-Identifier: Apache-2.0 */
/* See names.h. */
#include "runtime/names.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "model/frame.h"

#define KEY_BYTES 20 /* "d" or "s" and 16 digits */

typedef struct entry {
  char key[KEY_BYTES];
  const bb_device *device; /* one of the two */
  const bb_shape *shape;
  enum { UNSAVED, GOING, SAVED } state;
} entry;

static const char *make_key(char out[KEY_BYTES], bb_store_kind kind, uint64_t hash) {
  snprintf(out, KEY_BYTES, "%c%016llx", kind == BB_STORE_DEVICE ? 'd' : 's',
           (unsigned long long)hash);
  return out;
}

static entry *find(const bb_names *names, bb_store_kind kind, uint64_t hash) {
  char key[KEY_BYTES];
  return bb_map_get(&names->map, make_key(key, kind, hash));
}

/* Takes over one reference. */
static entry *add(bb_names *names, bb_store_kind kind, uint64_t hash, const bb_device *device,
                  const bb_shape *shape) {
  entry *new = calloc(1, sizeof(*new));
  if (new == NULL) return NULL;
  make_key(new->key, kind, hash);
  new->device = device;
  new->shape = shape;
  if (bb_map_add(&names->map, new->key, new) == 0) return new;
  free(new);
  return NULL;
}

void bb_names_clear(bb_names *names) {
  for (size_t i = 0; i < names->map.cap; i++) {
    entry *old = names->map.entries[i].value;
    if (names->map.entries[i].key == NULL) continue;
    bb_device_unref(old->device);
    bb_shape_unref(old->shape);
    free(old);
  }
  bb_map_close(&names->map);
}

void bb_names_close(bb_names *names) {
  bb_names_clear(names);
}

static int hand_over(entry *known, bb_name *out, bb_store_kind kind, uint64_t hash, bb_buf *frame) {
  known->state = GOING;
  *out = (bb_name){.kind = kind, .hash = hash, .frame = frame->bytes, .len = frame->len};
  return 1;
}

static int note_device(bb_names *names, const bb_device *device, bb_name *out) {
  bb_buf frame;
  entry *known = find(names, BB_STORE_DEVICE, device->hash);
  if (known != NULL && known->state != UNSAVED) return 0;
  if (known == NULL) {
    known = add(names, BB_STORE_DEVICE, device->hash, bb_device_ref(device), NULL);
    if (known == NULL) {
      bb_device_unref(device);
      return BB_ERR_NOMEM;
    }
  }
  bb_buf_init(&frame, BB_MAX_FRAME_BYTES);
  int err = bb_frame_pack_device(&frame, 0, device);
  if (err == 0) return hand_over(known, out, BB_STORE_DEVICE, device->hash, &frame);
  bb_buf_close(&frame);
  return err;
}

static int note_shape(bb_names *names, const bb_shape *shape, bb_name *out) {
  bb_buf frame;
  entry *known = find(names, BB_STORE_SHAPE, shape->hash);
  if (known != NULL && known->state != UNSAVED) return 0;
  if (known == NULL) {
    known = add(names, BB_STORE_SHAPE, shape->hash, NULL, bb_shape_ref(shape));
    if (known == NULL) {
      bb_shape_unref(shape);
      return BB_ERR_NOMEM;
    }
  }
  bb_buf_init(&frame, BB_MAX_FRAME_BYTES);
  int err = bb_frame_pack_shape(&frame, shape);
  if (err == 0) return hand_over(known, out, BB_STORE_SHAPE, shape->hash, &frame);
  bb_buf_close(&frame);
  return err;
}

int bb_names_note(bb_names *names, const bb_device *device, const bb_shape *shape, bb_name out[2]) {
  int n = note_device(names, device, out);
  if (n < 0 || shape == NULL) return n;
  int more = note_shape(names, shape, out + n);
  if (more >= 0) return n + more;
  if (n > 0) free(out[0].frame);
  return more;
}

void bb_names_settle(bb_names *names, bool saved) {
  for (size_t i = 0; i < names->map.cap; i++) {
    entry *known = names->map.entries[i].value;
    if (names->map.entries[i].key == NULL || known->state != GOING) continue;
    known->state = saved ? SAVED : UNSAVED;
  }
}

int bb_names_restore(bb_names *names, bb_store_kind kind, uint64_t hash, const uint8_t *frame,
                     size_t len) {
  bb_device *device = NULL;
  bb_shape *shape = NULL;
  uint32_t number;
  int err = kind == BB_STORE_DEVICE ? bb_frame_unpack_device(frame, len, &number, &device)
                                    : bb_frame_unpack_shape(frame, len, &shape);
  if (err < 0) return err;
  if ((device != NULL ? device->hash : shape->hash) != hash) err = BB_ERR_FORMAT;
  entry *new = err == 0 ? add(names, kind, hash, device, shape) : NULL;
  if (new != NULL) {
    new->state = SAVED;
    return 0;
  }
  bb_device_unref(device);
  bb_shape_unref(shape);
  return err < 0 ? err : BB_ERR_NOMEM;
}

const bb_device *bb_names_device(const bb_names *names, uint64_t hash) {
  const entry *known = find(names, BB_STORE_DEVICE, hash);
  return known != NULL ? known->device : NULL;
}

const bb_shape *bb_names_shape(const bb_names *names, uint64_t hash) {
  const entry *known = find(names, BB_STORE_SHAPE, hash);
  return known != NULL ? known->shape : NULL;
}
