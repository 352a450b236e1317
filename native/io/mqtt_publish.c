/* SPDX-License-Identifier: Apache-2.0 */
/* See mqtt.h. Bursts on their way to the library, and the ends of their messages. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "io/mqtt_core.h"

#define FULL_BYTES (128u << 10) /* a burst of this size is handed over */

int bb_mqtt_publish_init(bb_mqtt_core *core) {
  uint32_t n = core->config.max_in_flight;
  core->slots = calloc(n, sizeof(*core->slots));
  core->free_slots = calloc(n, sizeof(*core->free_slots));
  core->done = calloc(n, sizeof(*core->done));
  core->bursts = calloc(BB_MQTT_BURSTS, sizeof(*core->bursts));
  if (core->slots == NULL || core->free_slots == NULL || core->done == NULL ||
      core->bursts == NULL) {
    bb_mqtt_publish_close(core);
    return BB_ERR_NOMEM;
  }
  for (uint32_t i = 0; i < n; i++) {
    core->slots[i].session = &core->session;
    core->free_slots[i] = (uint16_t)(n - 1 - i);
  }
  core->n_free = n;
  for (int i = 0; i < BB_MQTT_BURSTS; i++) {
    core->bursts[i].session = &core->session;
    bb_buf_init(&core->bursts[i].bytes, BB_MQTT_MAX_BURST_BYTES);
  }
  return 0;
}

void bb_mqtt_publish_close(bb_mqtt_core *core) {
  for (int i = 0; core->bursts != NULL && i < BB_MQTT_BURSTS; i++) {
    bb_buf_close(&core->bursts[i].bytes);
  }
  free(core->bursts);
  free(core->done);
  free(core->free_slots);
  free(core->slots);
}

static void run_burst(bb_mqtt_job *job) {
  bb_mqtt_burst *burst = BB_LIST_ITEM(job, bb_mqtt_burst, job);
  bb_mqtt_session_send(burst->session, burst);
  bb_mqtt_inbox_free(burst->session->inbox, &burst->busy);
}

static bb_mqtt_burst *find_free(bb_mqtt_core *core) {
  for (int i = 0; i < BB_MQTT_BURSTS; i++) {
    if (bb_mqtt_inbox_is_free(&core->inbox, &core->bursts[i].busy)) return &core->bursts[i];
  }
  return NULL;
}

/* A burst to fill, or NULL. */
static bb_mqtt_burst *fill(bb_mqtt_core *core) {
  if (core->filling != NULL) return core->filling;
  bb_mqtt_burst *burst = find_free(core);
  if (burst == NULL) {
    bb_mqtt_inbox_want_burst(&core->inbox);
    burst = find_free(core); /* one may have become free in between */
  }
  if (burst == NULL) return NULL;
  if (burst->bytes.cap > 2 * FULL_BYTES) bb_buf_close(&burst->bytes);
  bb_buf_clear(&burst->bytes);
  burst->job.run = run_burst;
  burst->n = 0;
  core->mark = 0;
  return core->filling = burst;
}

uint32_t bb_mqtt_room(const bb_mqtt *mqtt) {
  if (!mqtt->up || mqtt->in_flight >= mqtt->core->window) return 0;
  return mqtt->core->window - mqtt->in_flight;
}

/* Forgets what was appended but not added. */
static void drop_payload(bb_mqtt_core *core) {
  core->filling->bytes.len = core->mark;
  core->filling->bytes.failed = 0;
}

bb_buf *bb_mqtt_payload(bb_mqtt *mqtt) {
  if (bb_mqtt_room(mqtt) == 0 || fill(mqtt->core) == NULL) return NULL;
  drop_payload(mqtt->core);
  return &mqtt->core->filling->bytes;
}

/* The largest PUBLISH that this could become (3.3): fixed header, topic, packet identifier, properties
 * behind their length. */
static uint64_t packet_bytes(size_t topic, size_t properties, size_t payload) {
  return 5 + 2 + (uint64_t)topic + 2 + (properties < 128 ? 1 : 2) + properties + payload;
}

static int append(bb_mqtt_core *core, const bb_mqtt_message *message) {
  const bb_mqtt_broker *broker = &core->mqtt->broker;
  bb_mqtt_burst *burst = core->filling;
  size_t len = burst->bytes.len - core->mark, topic_len = strlen(message->topic);
  uint16_t properties_len = core->config.version == BB_MQTT_5 ? message->properties_len : 0;
  if (burst->bytes.failed != 0) return burst->bytes.failed;
  if (topic_len == 0 || topic_len > BB_MQTT_MAX_TOPIC ||
      packet_bytes(topic_len, properties_len, len) > broker->max_packet_bytes) {
    return BB_ERR_LIMIT;
  }
  bb_mqtt_entry entry = {
      .topic = (uint32_t)burst->bytes.len,
      .payload = (uint32_t)core->mark,
      .len = (uint32_t)len,
      .properties = (uint32_t)(burst->bytes.len + topic_len + 1),
      .properties_len = properties_len,
      .slot = core->free_slots[core->n_free - 1],
      .qos = message->qos < broker->max_qos ? message->qos : broker->max_qos,
      .retain = message->retain && !broker->no_retain,
  };
  bb_buf_append(&burst->bytes, message->topic, topic_len + 1);
  int err = bb_buf_append(&burst->bytes, message->properties, properties_len);
  if (err < 0) return err;
  core->n_free--;
  core->slots[entry.slot].tag = message->tag;
  core->slots[entry.slot].qos = entry.qos;
  burst->entries[burst->n++] = entry;
  core->mark = burst->bytes.len;
  core->mqtt->in_flight++;
  return 0;
}

int bb_mqtt_add(bb_mqtt *mqtt, const bb_mqtt_message *message) {
  bb_mqtt_core *core = mqtt->core;
  int err = append(core, message);
  if (err < 0) drop_payload(core);
  if (core->filling->n == BB_MQTT_MAX_BURST || core->mark >= FULL_BYTES) bb_mqtt_flush(mqtt);
  return err;
}

void bb_mqtt_flush(bb_mqtt *mqtt) {
  bb_mqtt_core *core = mqtt->core;
  bb_mqtt_burst *burst = core->filling;
  if (burst == NULL || burst->n == 0) return;
  uint16_t slots[BB_MQTT_MAX_BURST];
  for (uint32_t i = 0; i < burst->n; i++) slots[i] = burst->entries[i].slot;
  bb_mqtt_inbox_open(&core->inbox, slots, burst->n);
  burst->busy = true;
  core->filling = NULL;
  mqtt->bursts++;
  bb_mqtt_feeder_push(&burst->job);
  if (!uv_is_active((uv_handle_t *)&core->harvest)) uv_timer_again(&core->harvest);
}

/* Takes back what a failed publish has added. */
static void retract(bb_mqtt_core *core, uint32_t n, size_t mark) {
  bb_mqtt_burst *burst = core->filling;
  while (burst->n > n) {
    core->free_slots[core->n_free++] = burst->entries[--burst->n].slot;
    core->mqtt->in_flight--;
  }
  core->mark = mark;
  drop_payload(core);
}

int bb_mqtt_publish(bb_mqtt *mqtt, const bb_mqtt_message *messages, uint32_t n) {
  bb_mqtt_core *core = mqtt->core;
  if (!mqtt->up) return BB_ERR_STATE;
  if (n > BB_MQTT_MAX_BURST) return BB_ERR_LIMIT;
  if (core->filling != NULL && core->filling->n + n > BB_MQTT_MAX_BURST) bb_mqtt_flush(mqtt);
  if (n > bb_mqtt_room(mqtt) || fill(core) == NULL) return BB_ERR_AGAIN;
  uint32_t n_before = core->filling->n;
  size_t mark_before = core->mark;
  int err = 0;
  for (uint32_t i = 0; i < n && err == 0; i++) {
    const bb_mqtt_message *message = &messages[i];
    drop_payload(core);
    bb_buf_append(&core->filling->bytes, message->payload, message->len);
    err = append(core, message);
  }
  if (err < 0) {
    retract(core, n_before, mark_before);
    return err;
  }
  bb_mqtt_flush(mqtt);
  return 0;
}

void bb_mqtt_tell_ends(bb_mqtt_core *core, const bb_mqtt_news *news) {
  bb_mqtt *mqtt = core->mqtt;
  for (uint32_t i = 0; i < news->n; i++) {
    const bb_mqtt_end *end = &news->ends[i];
    core->done[i] = (bb_mqtt_done){core->slots[end->slot].tag, end->status, end->reason};
    core->free_slots[core->n_free++] = end->slot;
  }
  mqtt->in_flight -= news->n;
  core->n_ends += news->n;
  if (mqtt->in_flight == 0) uv_timer_stop(&core->harvest);
  bool space = (news->events & BB_MQTT_EVENT_SPACE) != 0 && mqtt->up;
  if (news->n > 0 || space) mqtt->on_done(mqtt, core->done, news->n);
}
