/* SPDX-License-Identifier: Apache-2.0 */
/* The units of a line: who answers, who is dead, and who is told; see line.h. */
#include <stdlib.h>

#include "base/err.h"
#include "base/text.h"
#include "drivers/modbus/line_part.h"
#include "model/quality.h"

static bb_modbus_unit *find(const bb_modbus_line *line, uint8_t id) {
  for (bb_list *node = line->units.next; node != &line->units; node = node->next) {
    bb_modbus_unit *unit = BB_LIST_ITEM(node, bb_modbus_unit, node);
    if (unit->id == id && !unit->apart) return unit;
  }
  return NULL;
}

/* The same device may be asked by two units of ours, one of them a guest's. */
static bool is_same_device(const bb_modbus_unit *a, const bb_modbus_unit *b) {
  return a->id == b->id;
}

/* The most cautious device decides, unless the connection's option does. */
static int limit_for(bb_modbus_line *line, uint32_t max_in_flight) {
  if (line->option_limit > 0) return 0;
  uint16_t limit = (uint16_t)max_in_flight;
  if (line->n_units > 0 && line->limit < limit) return 0;
  return bb_modbus_line_allow(line, limit);
}

static void take_over_pauses(bb_modbus_unit *unit) {
  bb_modbus_line *line = unit->line;
  for (bb_list *node = line->units.next; node != &line->units; node = node->next) {
    const bb_modbus_unit *other = BB_LIST_ITEM(node, bb_modbus_unit, node);
    if (!is_same_device(other, unit)) continue;
    if (other->rest_ns > unit->rest_ns) unit->rest_ns = other->rest_ns;
    if (other->next_poll_ns > unit->next_poll_ns) unit->next_poll_ns = other->next_poll_ns;
  }
}

static bb_modbus_unit *make(bb_modbus_line *line, uint8_t id, bool apart) {
  bb_modbus_unit *unit = calloc(1, sizeof(*unit));
  if (unit == NULL) return NULL;
  unit->id = id;
  unit->apart = apart;
  unit->line = line;
  bb_list_init(&unit->devices);
  bb_list_init(&unit->ready);
  bb_list_init(&unit->waiting);
  bb_modbus_breaker_init(&unit->breaker, line->base.seed * 256 + id);
  take_over_pauses(unit);
  bb_list_append(&line->units, &unit->node);
  line->n_units += !apart;
  line->n_apart += apart;
  return unit;
}

static void add_device(bb_modbus_unit *unit, uint32_t min_interval_ms) {
  const bb_modbus_line_options *options = unit->line->options;
  if (options->min_interval_ms > min_interval_ms) min_interval_ms = options->min_interval_ms;
  if (min_interval_ms > unit->min_interval_ms) unit->min_interval_ms = min_interval_ms;
  unit->n_devices++;
  unit->untold = true;
}

int bb_modbus_unit_take(bb_modbus_line *line, uint8_t id, uint32_t max_in_flight,
                        uint32_t min_interval_ms, bb_modbus_unit **out) {
  if (limit_for(line, max_in_flight) < 0) return BB_ERR_NOMEM;
  bb_modbus_unit *unit = find(line, id);
  if (unit == NULL) unit = make(line, id, false);
  if (unit == NULL) return BB_ERR_NOMEM;
  add_device(unit, min_interval_ms);
  *out = unit;
  return 0;
}

int bb_modbus_unit_take_apart(bb_modbus_line *line, uint8_t id, uint32_t min_interval_ms,
                              bb_modbus_unit **out) {
  bb_modbus_unit *unit = make(line, id, true);
  if (unit == NULL) return BB_ERR_NOMEM;
  add_device(unit, min_interval_ms);
  *out = unit;
  return 0;
}

void bb_modbus_unit_give(bb_modbus_unit *unit) {
  bb_modbus_line *line = unit->line;
  if (--unit->n_devices > 0) return;
  bb_list_remove(&unit->node);
  line->n_apart -= unit->apart;
  line->n_units -= !unit->apart;
  line->n_open -= unit->breaker.open && !unit->apart;
  if (unit->n_slots == 0) free(unit);
}

void bb_modbus_unit_release(bb_modbus_unit *unit) {
  if (--unit->n_slots == 0 && unit->n_devices == 0) free(unit);
}

void bb_modbus_unit_rest(bb_modbus_unit *unit, uint32_t ms) {
  bb_modbus_line *line = unit->line;
  unit->rest_ns = line->now_ns + ms * BB_NS_PER_MS;
  if (line->n_apart == 0 && !unit->apart) return; /* it may have left already */
  for (bb_list *node = line->units.next; node != &line->units; node = node->next) {
    bb_modbus_unit *other = BB_LIST_ITEM(node, bb_modbus_unit, node);
    if (is_same_device(other, unit)) other->rest_ns = unit->rest_ns;
  }
}

static void pace(bb_modbus_unit *unit) {
  if (unit->min_interval_ms == 0) return;
  unit->next_poll_ns = unit->line->now_ns + unit->min_interval_ms * BB_NS_PER_MS;
}

void bb_modbus_unit_pace(bb_modbus_unit *unit) {
  bb_modbus_line *line = unit->line;
  pace(unit);
  if (line->n_apart == 0) return;
  for (bb_list *node = line->units.next; node != &line->units; node = node->next) {
    bb_modbus_unit *other = BB_LIST_ITEM(node, bb_modbus_unit, node);
    if (is_same_device(other, unit)) pace(other);
  }
}

static bb_modbus_budget *budget_of(bb_modbus_unit *unit) {
  return unit->apart ? &unit->budget : &unit->line->budget;
}

/* Others pay for the time that this one takes. */
static bool is_shared(const bb_modbus_unit *unit) {
  const bb_modbus_line *line = unit->line;
  if (unit->apart) return false;
  return line->n_units - line->n_open > (unit->breaker.open ? 0u : 1u);
}

bb_modbus_pass bb_modbus_unit_ask(bb_modbus_unit *unit) {
  bb_modbus_line *line = unit->line;
  if (!unit->breaker.open) return BB_MODBUS_PASS_GO;
  /* What a unit sends may end the connection; so the first word on a new one is for those that are
   * not known to be dead, or it would never be found out that it is good. */
  if (line->ready && !line->answered && is_shared(unit)) return BB_MODBUS_PASS_STOP;
  uint64_t worst_ns = line->options->timeout_ms * BB_NS_PER_MS / line->limit;
  return bb_modbus_breaker_ask(&unit->breaker, budget_of(unit), line->now_ns, worst_ns,
                               is_shared(unit));
}

/* Also when nothing has changed: a device may have come since. */
static void tell(bb_modbus_unit *unit, bool up, const bb_reason *reason) {
  unit->lost = !up;
  unit->untold = false;
  unit->line->events->on_unit(unit, up, reason);
}

static void hurry_all(bb_modbus_line *line) {
  for (bb_list *node = line->units.next; node != &line->units; node = node->next) {
    bb_modbus_unit *unit = BB_LIST_ITEM(node, bb_modbus_unit, node);
    bb_modbus_breaker_hurry(&unit->breaker, line->now_ns);
  }
}

void bb_modbus_unit_answered(bb_modbus_unit *unit, uint64_t took_ns) {
  bb_modbus_line *line = unit->line;
  bb_reason reason;
  unit->silent_ns = 0;
  bool were_all_dead = line->n_open == line->n_units;
  if (bb_modbus_breaker_answered(&unit->breaker, budget_of(unit), took_ns / line->limit) &&
      unit->n_devices > 0 && !unit->apart) {
    line->n_open--;
    /* What held all of them back is over. */
    if (were_all_dead) hurry_all(line);
  }
  if (!unit->lost && !unit->untold) return;
  tell(unit, true, bb_reason_set(&reason, 0, 0, "%s answers (unit %u)", line->place, unit->id));
}

/* It was asked once, and nobody tries again. */
static void explain_to_guest(const bb_modbus_unit *unit, const char *waited, bb_reason *reason) {
  const char *place = unit->line->place;
  if (unit->cause == BB_CAUSE_FORMAT) {
    bb_reason_set(reason, BB_ERR_FORMAT, 0, "a malformed answer from %s (unit %u)", place,
                  unit->id);
  } else if (unit->cause == BB_CAUSE_GATEWAY) {
    bb_reason_set(reason, BB_ERR_TIMEOUT, 0, "the gateway %s does not reach unit %u", place,
                  unit->id);
  } else {
    bb_reason_set(reason, BB_ERR_TIMEOUT, 0, "no answer from %s within %s (unit %u)", place, waited,
                  unit->id);
  }
}

static void explain(const bb_modbus_unit *unit, bb_reason *reason) {
  const bb_modbus_line *line = unit->line;
  char silent[32], next[32];
  uint64_t due_ns = unit->breaker.due_ns;
  uint64_t wait_ns = due_ns > line->now_ns ? due_ns - line->now_ns : 0;
  bb_text_show_ms(silent, sizeof(silent), (line->now_ns - unit->silent_ns) / BB_NS_PER_MS);
  bb_text_show_ms(next, sizeof(next), wait_ns / BB_NS_PER_MS);
  if (unit->apart) {
    explain_to_guest(unit, silent, reason);
  } else if (unit->cause == BB_CAUSE_FORMAT) {
    bb_reason_set(reason, BB_ERR_FORMAT, 0,
                  "malformed answers from %s for %s (unit %u); next try in %s", line->place, silent,
                  unit->id, next);
  } else if (unit->cause == BB_CAUSE_GATEWAY) {
    bb_reason_set(reason, BB_ERR_TIMEOUT, 0,
                  "the gateway %s has not reached unit %u for %s; next try in %s", line->place,
                  unit->id, silent, next);
  } else {
    bb_reason_set(reason, BB_ERR_TIMEOUT, 0, "no answer from %s for %s (unit %u); next try in %s",
                  line->place, silent, unit->id, next);
  }
}

void bb_modbus_unit_failed(bb_modbus_unit *unit, uint8_t cause, uint64_t took_ns) {
  bb_modbus_line *line = unit->line;
  bb_reason reason;
  if (unit->n_devices == 0) return;
  uint64_t lost_ns = took_ns / line->limit;
  uint32_t n_dead = is_shared(unit) ? line->n_open + !unit->breaker.open : 0;
  unit->cause = cause;
  if (unit->silent_ns == 0) unit->silent_ns = line->now_ns - took_ns;
  bool opened =
      bb_modbus_breaker_failed(&unit->breaker, budget_of(unit), line->now_ns, lost_ns, n_dead);
  if (opened && !unit->apart) line->n_open++;
  if (!unit->breaker.open && !unit->apart) return; /* a guest asks once, and must hear why */
  explain(unit, &reason);
  bb_log_debug(line->base.log, line->base.id, "%s", reason.text);
  tell(unit, false, &reason);
  if (opened) bb_modbus_unit_drop(unit, BB_ERR_TIMEOUT);
}

void bb_modbus_unit_drop(bb_modbus_unit *unit, int status) {
  bb_list *node;
  while ((node = bb_list_first(&unit->waiting)) != NULL) {
    bb_modbus_job *job = BB_LIST_ITEM(node, bb_modbus_job, node);
    bb_list_remove(node);
    if (job->probe) bb_modbus_breaker_cancelled(&unit->breaker);
    job->probe = false;
    job->type->dropped(job, status);
  }
  bb_list_remove(&unit->ready);
}

void bb_modbus_units_lost(bb_modbus_line *line, const bb_reason *reason) {
  for (bb_list *node = line->units.next; node != &line->units; node = node->next) {
    bb_modbus_unit *unit = BB_LIST_ITEM(node, bb_modbus_unit, node);
    if (unit->silent_ns == 0) unit->silent_ns = line->now_ns;
    tell(unit, false, reason);
    bb_modbus_unit_drop(unit, BB_ERR_CLOSED);
  }
}

void bb_modbus_units_back(bb_modbus_line *line) {
  hurry_all(line);
  for (bb_list *node = line->units.next; node != &line->units; node = node->next) {
    line->events->on_back(BB_LIST_ITEM(node, bb_modbus_unit, node));
  }
}
