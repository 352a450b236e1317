/* SPDX-License-Identifier: Apache-2.0 */
/* See device.h. */
#include "model/device.h"

#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

static size_t text_bytes(const char *id, const char *site, const char *profile, const bb_tag *tags,
                         uint32_t n_tags) {
  size_t len = strlen(id) + strlen(site) + strlen(profile) + 3;
  for (uint32_t i = 0; i < n_tags; i++) len += strlen(tags[i].key) + strlen(tags[i].value) + 2;
  return len;
}

static const char *put(char **at, const char *text) {
  char *copy = *at;
  size_t len = strlen(text) + 1;
  memcpy(copy, text, len);
  *at += len;
  return copy;
}

/* Insertion keeps the few tags sorted; an equal key is replaced. */
static void put_tag(bb_device *device, bb_tag *tags, const char *key, const char *value) {
  uint32_t at = 0;
  while (at < device->n_tags && strcmp(tags[at].key, key) < 0) at++;
  if (at == device->n_tags || strcmp(tags[at].key, key) != 0) {
    memmove(tags + at + 1, tags + at, (device->n_tags - at) * sizeof(*tags));
    device->n_tags++;
  }
  tags[at] = (bb_tag){key, value};
}

static uint64_t hash_of(const bb_device *device) {
  uint64_t hash = bb_hash_string(BB_HASH_START, device->id);
  hash = bb_hash_string(hash, device->site);
  hash = bb_hash_string(hash, device->profile);
  for (uint32_t i = 0; i < device->n_tags; i++) {
    hash = bb_hash_string(hash, device->tags[i].key);
    hash = bb_hash_string(hash, device->tags[i].value);
  }
  return hash;
}

bb_device *bb_device_new(const char *id, const char *site, const char *profile, const bb_tag *tags,
                         uint32_t n_tags) {
  size_t table = n_tags * sizeof(bb_tag);
  size_t text = text_bytes(id, site, profile, tags, n_tags);
  bb_device *device = calloc(1, sizeof(*device) + table + text);
  if (device == NULL) return NULL;
  bb_tag *own = (bb_tag *)(device + 1);
  char *at = (char *)own + table;
  device->refs = 1;
  device->id = put(&at, id);
  device->site = put(&at, site);
  device->profile = put(&at, profile);
  device->tags = own;
  for (uint32_t i = 0; i < n_tags; i++) {
    const char *key = put(&at, tags[i].key);
    put_tag(device, own, key, put(&at, tags[i].value));
  }
  device->hash = hash_of(device);
  return device;
}

bb_device *bb_device_ref(const bb_device *device) {
  bb_device *own = (bb_device *)device;
  own->refs++;
  return own;
}

void bb_device_unref(const bb_device *device) {
  bb_device *own = (bb_device *)device;
  if (own != NULL && --own->refs == 0) free(own);
}

const char *bb_device_tag(const bb_device *device, const char *key) {
  for (uint32_t i = 0; i < device->n_tags; i++) {
    if (strcmp(device->tags[i].key, key) == 0) return device->tags[i].value;
  }
  return NULL;
}
