/* SPDX-License-Identifier: Apache-2.0 */
/* The topics of the devices and scans that were announced, rendered once. */
#ifndef BB_SINKS_MQTT_TOPIC_CACHE_H
#define BB_SINKS_MQTT_TOPIC_CACHE_H

#include "base/map.h"
#include "sinks/mqtt/topic.h"

typedef struct bb_topic_cache {
  /* private */
  const bb_topic *topic;
  bb_map map; /* device and scan to the topic */
  bb_buf once;
} bb_topic_cache;

/* Allocates nothing. The topic must outlive the cache. */
void bb_topic_cache_init(bb_topic_cache *cache, const bb_topic *topic);
void bb_topic_cache_close(bb_topic_cache *cache);

/* Announced, once for each of the scan's shapes; the device may have changed. 0, BB_ERR_NOMEM, or
 * BB_ERR_LIMIT (the topic is too long). */
int bb_topic_cache_put(bb_topic_cache *cache, const bb_device *device, const char *scan);

/* Gone: it is forgotten once all that was put has been dropped. Harmless when it is not there. */
void bb_topic_cache_drop(bb_topic_cache *cache, const bb_device *device, const char *scan);

/*
 * The rendered topic, valid until the next call. One that was never announced, or whose device has
 * changed since, is rendered anew. 0 or as above.
 */
int bb_topic_cache_get(bb_topic_cache *cache, const bb_device *device, const char *scan,
                       const char **topic);

#endif
