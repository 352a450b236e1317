/* SPDX-License-Identifier: Apache-2.0 */
/* What becomes of the requests of a line, and of the line itself; see line.h. */
#include "base/err.h"
#include "drivers/modbus/line_part.h"
#include "model/quality.h"

bb_modbus_slot *bb_modbus_line_find(bb_modbus_line *line, uint16_t id) {
  for (uint16_t i = 0; i < line->n_slots; i++) {
    if (line->slots[i].unit != NULL && line->slots[i].id == id) return &line->slots[i];
  }
  return NULL;
}

/* The slot is free from here on; the unit stays until it is released. */
static bb_modbus_unit *vacate(bb_modbus_line *line, bb_modbus_slot *slot) {
  bb_modbus_unit *unit = slot->unit;
  slot->unit = NULL;
  line->n_busy--;
  return unit;
}

static void announce_up(bb_modbus_line *line) {
  bb_reason reason;
  if (line->base.up) return;
  line->base.up = true;
  line->told = true;
  bb_reason_set(&reason, 0, 0, "connected to %s", line->place);
  line->base.host->on_link(&line->base, true, &reason);
}

/* After the first answer of a connection nobody doubts it any more. */
static void prove(bb_modbus_line *line) {
  line->answered = true;
  line->fruitless = false;
  announce_up(line);
}

/* The probe's answer has closed the breaker: the rest of the poll may follow. */
static void resume(bb_modbus_job *job) {
  job->probe = false;
  if (job->more && !job->is_write) bb_modbus_line_queue(job);
}

static bool is_gateway(uint8_t exception) {
  return exception == BB_MODBUS_GATEWAY_PATH_UNAVAILABLE ||
         exception == BB_MODBUS_GATEWAY_TARGET_FAILED;
}

static void take_answer(bb_modbus_line *line, bb_modbus_slot *slot, uint8_t exception,
                        const bb_modbus_response *response) {
  bb_modbus_job *job = slot->job;
  uint16_t tag = slot->tag;
  uint64_t took_ns = line->now_ns - slot->sent_ns;
  bb_modbus_unit *unit = vacate(line, slot);
  line->base.counters.answers++;
  line->base.counters.refusals += exception != 0;
  if (line->base.latency != NULL) bb_histogram_add(line->base.latency, took_ns);
  if (line->options->pause_ms > 0) {
    line->rest_ns = line->now_ns + line->options->pause_ms * BB_NS_PER_MS;
  }
  if (!line->answered) prove(line);
  if (is_gateway(exception)) {
    bb_modbus_unit_failed(unit, BB_CAUSE_GATEWAY, took_ns);
    if (job != NULL) job->probe = false;
  } else {
    bb_modbus_unit_answered(unit, took_ns);
    if (job != NULL && job->probe) resume(job);
  }
  bb_modbus_unit_release(unit);
  if (job != NULL) job->type->answered(job, tag, exception, response);
}

int bb_modbus_line_pdu(bb_modbus_line *line, bb_modbus_slot *slot, const uint8_t *pdu, size_t len) {
  bb_modbus_response response = {NULL, 0};
  int exception = 0;
  /* The values of a write whose owner has left are gone, so its answer cannot be checked. */
  if (slot->job != NULL) {
    exception = bb_modbus_response_unpack(&response, &slot->request, pdu, len);
    if (exception < 0) return exception;
  }
  take_answer(line, slot, (uint8_t)exception, &response);
  return 0;
}

/* The request has come to nothing: BB_ERR_TIMEOUT or BB_ERR_FORMAT. */
static void give_up(bb_modbus_line *line, bb_modbus_slot *slot, int status) {
  bb_modbus_job *job = slot->job;
  uint16_t tag = slot->tag;
  uint64_t took_ns = line->now_ns - slot->sent_ns;
  bb_modbus_unit *unit = vacate(line, slot);
  if (line->options->pause_ms > 0) {
    line->rest_ns = line->now_ns + line->options->pause_ms * BB_NS_PER_MS;
  }
  bb_modbus_unit_failed(unit, status == BB_ERR_FORMAT ? BB_CAUSE_FORMAT : BB_CAUSE_NO_ANSWER,
                        took_ns);
  if (job != NULL) job->probe = false;
  bb_modbus_unit_release(unit);
  if (job != NULL) job->type->failed(job, tag, status);
}

/* Without ids a late answer could pass for that to the next request; but it names its unit, so the
 * others may go on. */
static void await_late(bb_modbus_line *line, const bb_modbus_slot *slot) {
  if (!line->transport->has_ids) bb_modbus_unit_rest(slot->unit, line->options->timeout_ms);
}

void bb_modbus_line_no_answer(bb_modbus_line *line, bb_modbus_slot *slot, int status) {
  if (status == BB_ERR_TIMEOUT) {
    line->base.counters.timeouts++;
    /* That a guest meets silence is no sign that the line is dead. */
    line->silence = (uint16_t)(line->silence + !slot->unit->apart);
    if (line->silence >= BB_MODBUS_MAX_SILENCE && !line->transport->keeps_time) {
      line->broken = BB_ERR_TIMEOUT;
    }
    await_late(line, slot);
  } else {
    line->base.counters.malformed++;
  }
  give_up(line, slot, status);
}

static void expire(bb_modbus_line *line, bb_modbus_slot *slot) {
  if (line->garbled) {
    await_late(line, slot);
    give_up(line, slot, BB_ERR_FORMAT);
  } else {
    bb_modbus_line_no_answer(line, slot, BB_ERR_TIMEOUT);
  }
}

uint64_t bb_modbus_line_due_ns(const bb_modbus_line *line) {
  uint64_t due_ns = UINT64_MAX;
  for (uint16_t i = 0; i < line->n_slots; i++) {
    const bb_modbus_slot *slot = &line->slots[i];
    if (slot->unit != NULL && slot->due_ns < due_ns) due_ns = slot->due_ns;
  }
  return due_ns;
}

bool bb_modbus_line_tick(bb_modbus_line *line) {
  bool ended = false;
  if (line->transport->keeps_time) return false;
  for (uint16_t i = 0; i < line->n_slots; i++) {
    bb_modbus_slot *slot = &line->slots[i];
    if (slot->unit == NULL || slot->due_ns > line->now_ns) continue;
    expire(line, slot);
    ended = true;
  }
  uint64_t due_ns = bb_modbus_line_due_ns(line);
  if (due_ns != UINT64_MAX) line->transport->wake(line, due_ns, false);
  return ended;
}

void bb_modbus_line_up(bb_modbus_line *line, uint32_t pause_ms) {
  bool was_down = line->down;
  line->ready = true;
  line->down = false;
  line->answered = false;
  line->silence = 0;
  line->broken = 0;
  line->rest_ns = line->now_ns + pause_ms * BB_NS_PER_MS;
  line->base.counters.connects++;
  /* Who takes connections and drops them again is not called up until it has answered. */
  if (!line->fruitless) announce_up(line);
  if (was_down) bb_modbus_units_back(line);
}

static bool is_first_of_unit(const bb_modbus_line *line, uint16_t slot) {
  for (uint16_t i = 0; i < slot; i++) {
    if (line->slots[i].unit == line->slots[slot].unit) return false;
  }
  return true;
}

/* Which of the requests was met with garbage nobody can tell. A unit that answers well between two
 * such events is soon cleared of it. */
static void blame(bb_modbus_line *line) {
  for (uint16_t i = 0; i < line->n_slots; i++) {
    const bb_modbus_slot *slot = &line->slots[i];
    if (slot->unit == NULL || !is_first_of_unit(line, i)) continue;
    bb_modbus_unit_failed(slot->unit, BB_CAUSE_FORMAT, line->now_ns - slot->sent_ns);
  }
}

static void break_slots(bb_modbus_line *line, int status) {
  for (uint16_t i = 0; i < line->n_slots; i++) {
    bb_modbus_slot *slot = &line->slots[i];
    if (slot->unit == NULL) continue;
    bb_modbus_job *job = slot->job;
    uint16_t tag = slot->tag;
    bb_modbus_unit *unit = vacate(line, slot);
    if (job != NULL && job->probe) {
      bb_modbus_breaker_cancelled(&unit->breaker);
      job->probe = false;
    }
    bb_modbus_unit_release(unit);
    if (job != NULL) job->type->failed(job, tag, status);
  }
}

void bb_modbus_line_pause(bb_modbus_line *line, int status) {
  line->ready = false;
  line->broken = 0;
  if (status == BB_ERR_FORMAT) blame(line);
  break_slots(line, status);
}

void bb_modbus_line_down(bb_modbus_line *line, const bb_reason *reason) {
  bool is_news = line->base.up || !line->told;
  if (line->ready) line->fruitless = !line->answered;
  line->ready = false;
  line->down = true;
  line->broken = 0;
  line->base.up = false;
  line->told = true;
  if (is_news) line->base.host->on_link(&line->base, false, reason);
  if (reason->code == BB_ERR_FORMAT) blame(line);
  break_slots(line, BB_ERR_CLOSED);
  bb_modbus_units_lost(line, reason);
  bb_list *node;
  while ((node = bb_list_first(&line->writes)) != NULL) {
    bb_modbus_job *job = BB_LIST_ITEM(node, bb_modbus_job, node);
    job->type->dropped(job, BB_ERR_CLOSED);
  }
}
