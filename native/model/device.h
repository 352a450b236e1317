/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who a device is, for all that handles its batches: id, site, profile and tags. Immutable and
 * counted; a changed device is a new one. Loop thread only.
 */
#ifndef BB_MODEL_DEVICE_H
#define BB_MODEL_DEVICE_H

#include <stdint.h>

#include "base/hash.h"

typedef struct bb_tag {
  const char *key;
  const char *value;
} bb_tag;

typedef struct bb_device {
  /* read-only */
  uint64_t hash; /* of all that follows */
  const char *id;
  const char *site;    /* "" when none is set */
  const char *profile; /* "" for an external device without one */
  const bb_tag *tags;  /* sorted by key, keys differ */
  uint32_t n_tags;
  /* private */
  uint32_t refs;
} bb_device;

/* Copies everything into one allocation, with one reference. NULL without memory. Tags need not be
 * sorted; of equal keys the last one holds. */
bb_device *bb_device_new(const char *id, const char *site, const char *profile, const bb_tag *tags,
                         uint32_t n_tags);

bb_device *bb_device_ref(const bb_device *device);

/* Harmless on NULL. */
void bb_device_unref(const bb_device *device);

/* The tag's value, or NULL. */
const char *bb_device_tag(const bb_device *device, const char *key);

#endif
