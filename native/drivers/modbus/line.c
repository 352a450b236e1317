/* SPDX-License-Identifier: Apache-2.0 */
/* Jobs and their turns; see line.h. What becomes of requests: line_answer.c; units: line_unit.c. */
#include "drivers/modbus/line.h"

#include <stdlib.h>

#include "base/err.h"
#include "drivers/modbus/line_part.h"

int bb_modbus_line_init(bb_modbus_line *line, const bb_modbus_line_options *options,
                        uint32_t max_in_flight, const bb_modbus_transport *transport,
                        const bb_modbus_line_events *events) {
  line->options = options;
  line->transport = transport;
  line->events = events;
  line->option_limit = (uint16_t)max_in_flight;
  bb_list_init(&line->units);
  bb_list_init(&line->ready_units);
  bb_list_init(&line->writes);
  bb_list_init(&line->leaving);
  return bb_modbus_line_allow(line, max_in_flight > 0 ? (uint16_t)max_in_flight : 1);
}

void bb_modbus_line_close(bb_modbus_line *line) {
  for (uint16_t i = 0; i < line->n_slots; i++) {
    if (line->slots[i].unit != NULL) bb_modbus_unit_release(line->slots[i].unit);
  }
  free(line->slots);
  line->slots = NULL;
  line->n_slots = line->limit = 0;
}

int bb_modbus_line_allow(bb_modbus_line *line, uint16_t limit) {
  if (limit > line->n_slots) {
    bb_modbus_slot *slots = realloc(line->slots, limit * sizeof(*slots));
    if (slots == NULL) return BB_ERR_NOMEM;
    for (uint16_t i = line->n_slots; i < limit; i++) slots[i].unit = NULL;
    line->slots = slots;
    line->n_slots = limit;
  }
  line->limit = limit;
  return 0;
}

void bb_modbus_line_enter(bb_modbus_line *line) {
  if (line->depth++ == 0) line->now_ns = bb_clock_mono_ns(line->base.clock);
}

static bool has_work(const bb_modbus_line *line) {
  return !bb_list_empty(&line->writes) || !bb_list_empty(&line->ready_units);
}

/* The first write, if its turn has come. */
static bb_modbus_job *pick_write(bb_modbus_line *line, uint64_t *earliest_ns) {
  bb_list *node = bb_list_first(&line->writes);
  if (node == NULL) return NULL;
  bb_modbus_job *job = BB_LIST_ITEM(node, bb_modbus_job, node);
  if (job->under_way) return NULL;
  if (job->unit->rest_ns <= line->now_ns) return job;
  if (job->unit->rest_ns < *earliest_ns) *earliest_ns = job->unit->rest_ns;
  return NULL;
}

/* The next read of a unit whose turn it is, or NULL. */
static bb_modbus_job *pick_of_unit(const bb_modbus_unit *unit, uint64_t now_ns,
                                   uint64_t *earliest_ns) {
  for (bb_list *node = unit->waiting.next; node != &unit->waiting; node = node->next) {
    bb_modbus_job *job = BB_LIST_ITEM(node, bb_modbus_job, node);
    uint64_t from_ns = unit->rest_ns;
    if (job->fresh && unit->next_poll_ns > from_ns) from_ns = unit->next_poll_ns;
    if (from_ns <= now_ns) return job;
    if (from_ns < *earliest_ns) *earliest_ns = from_ns;
  }
  return NULL;
}

static bb_modbus_job *pick(bb_modbus_line *line) {
  uint64_t earliest_ns = UINT64_MAX;
  bb_modbus_job *job = pick_write(line, &earliest_ns);
  for (bb_list *node = line->ready_units.next; job == NULL && node != &line->ready_units;
       node = node->next) {
    const bb_modbus_unit *unit = BB_LIST_ITEM(node, bb_modbus_unit, ready);
    job = pick_of_unit(unit, line->now_ns, &earliest_ns);
  }
  if (job == NULL && earliest_ns != UINT64_MAX) line->transport->wake(line, earliest_ns, true);
  return job;
}

/* A job that has more to send waits behind the others of its unit, the unit behind the other units. */
static void pass_turn(bb_modbus_line *line, bb_modbus_job *job) {
  bb_modbus_unit *unit = job->unit;
  bb_list_remove(&job->node);
  if (job->more && !job->probe) bb_list_append(&unit->waiting, &job->node);
  bb_list_remove(&unit->ready);
  if (!bb_list_empty(&unit->waiting)) bb_list_append(&line->ready_units, &unit->ready);
}

static bb_modbus_slot *free_slot(bb_modbus_line *line) {
  bb_modbus_slot *slot = line->slots;
  while (slot->unit != NULL) slot++;
  return slot;
}

static void send_next(bb_modbus_line *line, bb_modbus_job *job) {
  bb_modbus_unit *unit = job->unit;
  bb_modbus_slot *slot = free_slot(line);
  if (job->fresh) bb_modbus_unit_pace(unit);
  job->fresh = false;
  if (!job->type->next(job, &slot->request, &slot->tag)) return;
  if (job->is_write) {
    job->under_way = true;
  } else {
    pass_turn(line, job);
  }
  line->garbled = false;
  slot->job = job;
  slot->unit = unit;
  slot->id = ++line->last_id;
  slot->sent_ns = line->now_ns;
  slot->due_ns = line->now_ns + line->options->timeout_ms * BB_NS_PER_MS;
  unit->n_slots++;
  line->n_busy++;
  line->base.counters.requests++;
  line->broken = line->transport->send(line, slot);
  if (!line->transport->keeps_time) line->transport->wake(line, slot->due_ns, false);
}

bool bb_modbus_line_is_calm(const bb_modbus_line *line, const bb_modbus_slot *slot) {
  const bb_modbus_job *job = slot->job;
  if (job->is_write || job->probe || job->urgent || job->more) return false;
  return line->n_busy == 1 && !has_work(line);
}

static void pump(bb_modbus_line *line) {
  if (line->ready && line->transport->look != NULL && has_work(line)) line->transport->look(line);
  if (!line->ready) {
    if (!line->down && has_work(line)) line->transport->want(line);
    return;
  }
  while (line->n_busy < line->limit && line->broken == 0) {
    if (!has_work(line)) return;
    if (line->rest_ns > line->now_ns) {
      line->transport->wake(line, line->rest_ns, true);
      return;
    }
    bb_modbus_job *job = pick(line);
    if (job == NULL) return;
    send_next(line, job);
  }
}

/* What a callback may have caused is done once no callback is under way. */
static void settle(bb_modbus_line *line) {
  for (;;) {
    pump(line);
    if (line->broken != 0) {
      int status = line->broken;
      line->broken = 0;
      line->transport->reset(line, status);
      continue;
    }
    bb_list *node = bb_list_first(&line->leaving);
    if (node == NULL) break;
    bb_list_remove(node);
    line->events->on_leave(node);
  }
  if (line->transport->idle != NULL && line->ready && line->n_busy == 0 && !has_work(line)) {
    line->transport->idle(line);
  }
}

void bb_modbus_line_leave(bb_modbus_line *line) {
  if (line->depth == 1) settle(line);
  line->depth--;
}

int bb_modbus_line_read(bb_modbus_job *job) {
  bb_modbus_unit *unit = job->unit;
  if (unit->line->down) return BB_ERR_CLOSED;
  bb_modbus_pass pass = bb_modbus_unit_ask(unit);
  if (pass == BB_MODBUS_PASS_STOP) return BB_ERR_TIMEOUT;
  job->probe = pass == BB_MODBUS_PASS_PROBE;
  job->fresh = true;
  bb_modbus_line_queue(job);
  return 0;
}

void bb_modbus_line_queue(bb_modbus_job *job) {
  bb_modbus_unit *unit = job->unit;
  bb_list_append(&unit->waiting, &job->node);
  if (bb_list_empty(&unit->ready)) bb_list_append(&unit->line->ready_units, &unit->ready);
}

int bb_modbus_line_write(bb_modbus_job *job) {
  bb_modbus_line *line = job->unit->line;
  if (line->down) return BB_ERR_CLOSED;
  if (line->n_writes >= BB_MODBUS_MAX_WRITES) return BB_ERR_AGAIN;
  line->n_writes++;
  job->is_write = true;
  job->under_way = false;
  bb_list_append(&line->writes, &job->node);
  return 0;
}

void bb_modbus_line_write_on(bb_modbus_job *job) {
  job->under_way = false;
}

void bb_modbus_line_write_end(bb_modbus_job *job) {
  bb_list_remove(&job->node);
  if (job->is_write) job->unit->line->n_writes--;
  job->is_write = false;
}

void bb_modbus_line_stop(bb_modbus_job *job) {
  bb_list_remove(&job->node);
  if (bb_list_empty(&job->unit->waiting)) bb_list_remove(&job->unit->ready);
}

void bb_modbus_line_forget(bb_modbus_job *job) {
  bb_modbus_unit *unit = job->unit;
  bool sent = false;
  if (job->is_write) bb_modbus_line_write_end(job);
  bb_modbus_line_stop(job);
  for (uint16_t i = 0; i < unit->line->n_slots; i++) {
    bb_modbus_slot *slot = &unit->line->slots[i];
    if (slot->unit == NULL || slot->job != job) continue;
    slot->job = NULL;
    sent = true;
  }
  if (job->probe && !sent) bb_modbus_breaker_cancelled(&unit->breaker);
  job->probe = false;
}

void bb_modbus_line_let_go(bb_modbus_line *line, bb_list *node) {
  bb_list_append(&line->leaving, node);
}
