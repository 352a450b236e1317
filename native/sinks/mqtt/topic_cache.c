/* SPDX-License-Identifier: Apache-2.0 */
/* See topic_cache.h. */
#include "sinks/mqtt/topic_cache.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/limits.h"

typedef struct {
  uint64_t device_hash;
  uint32_t uses; /* puts without their drop */
  char *topic;
  char key[]; /* and behind it the topic */
} entry;

#define KEY_BYTES (BB_MAX_ID + BB_MAX_NAME + 2)

void bb_topic_cache_init(bb_topic_cache *cache, const bb_topic *topic) {
  *cache = (bb_topic_cache){.topic = topic};
  bb_buf_init(&cache->once, 2 * BB_TOPIC_MAX_BYTES);
}

void bb_topic_cache_close(bb_topic_cache *cache) {
  for (size_t i = 0; i < cache->map.cap; i++) {
    if (cache->map.entries[i].key != NULL) free(cache->map.entries[i].value);
  }
  bb_map_close(&cache->map);
  bb_buf_close(&cache->once);
}

/* "device/scan"; an id has no '/'. The length with its terminator, 0: it does not fit. */
static size_t make_key(const bb_device *device, const char *scan, char *out) {
  size_t id = strlen(device->id), name = strlen(scan);
  if (id + name + 2 > KEY_BYTES) return 0;
  memcpy(out, device->id, id);
  out[id] = '/';
  memcpy(out + id + 1, scan, name + 1);
  return id + name + 2;
}

void bb_topic_cache_drop(bb_topic_cache *cache, const bb_device *device, const char *scan) {
  char key[KEY_BYTES];
  entry *e = make_key(device, scan, key) > 0 ? bb_map_get(&cache->map, key) : NULL;
  if (e != NULL && --e->uses == 0) free(bb_map_remove(&cache->map, key));
}

static int render(bb_topic_cache *cache, const bb_device *device, const char *scan) {
  bb_buf_clear(&cache->once);
  return bb_topic_render(cache->topic, device, scan, &cache->once);
}

int bb_topic_cache_put(bb_topic_cache *cache, const bb_device *device, const char *scan) {
  char key[KEY_BYTES];
  size_t key_len = make_key(device, scan, key);
  entry *old = key_len > 0 ? bb_map_get(&cache->map, key) : NULL;
  uint32_t uses = old != NULL ? old->uses + 1 : 1;
  if (old != NULL && old->device_hash == device->hash) {
    old->uses = uses;
    return 0;
  }
  int err = render(cache, device, scan);
  if (err < 0 || key_len == 0) return err;
  entry *e = malloc(sizeof(*e) + key_len + cache->once.len);
  if (e == NULL) return BB_ERR_NOMEM;
  if (old != NULL) free(bb_map_remove(&cache->map, key));
  e->device_hash = device->hash;
  e->uses = uses;
  e->topic = e->key + key_len;
  memcpy(e->key, key, key_len);
  memcpy(e->topic, cache->once.bytes, cache->once.len);
  err = bb_map_add(&cache->map, e->key, e);
  if (err < 0) free(e);
  return err;
}

int bb_topic_cache_get(bb_topic_cache *cache, const bb_device *device, const char *scan,
                       const char **topic) {
  char key[KEY_BYTES];
  entry *e = make_key(device, scan, key) > 0 ? bb_map_get(&cache->map, key) : NULL;
  if (e != NULL && e->device_hash == device->hash) {
    *topic = e->topic;
    return 0;
  }
  int err = render(cache, device, scan);
  if (err == 0) *topic = (const char *)cache->once.bytes;
  return err;
}
