/* SPDX-License-Identifier: Apache-2.0 */
/* See breaker.h. */
#include "drivers/modbus/breaker.h"

#include "base/clock.h"

void bb_modbus_breaker_init(bb_modbus_breaker *breaker, uint64_t seed) {
  *breaker = (bb_modbus_breaker){.open = false};
  bb_backoff_init(&breaker->backoff, BB_MODBUS_PROBE_FIRST_MS, BB_MODBUS_PROBE_LONGEST_MS, seed);
}

static void earn(bb_modbus_budget *budget, uint64_t now_ns, uint64_t most_ns) {
  uint64_t passed = now_ns > budget->at_ns ? now_ns - budget->at_ns : 0;
  budget->at_ns = now_ns;
  budget->credit_ns += (int64_t)(passed / BB_MODBUS_PROBE_SHARE);
  if (budget->credit_ns > (int64_t)most_ns) budget->credit_ns = (int64_t)most_ns;
}

/* Several units that die together must not put off all probes for long. */
static void charge(bb_modbus_budget *budget, uint64_t took_ns) {
  int64_t least = -BB_MODBUS_OPEN_AFTER * (int64_t)took_ns;
  int64_t after = budget->credit_ns - (int64_t)took_ns;
  if (after < least) after = budget->credit_ns < least ? budget->credit_ns : least;
  budget->credit_ns = after;
}

bb_modbus_pass bb_modbus_breaker_ask(bb_modbus_breaker *breaker, bb_modbus_budget *budget,
                                     uint64_t now_ns, uint64_t worst_ns, bool shared) {
  if (!breaker->open) return BB_MODBUS_PASS_GO;
  earn(budget, now_ns, worst_ns);
  if (breaker->probing || now_ns < breaker->due_ns) return BB_MODBUS_PASS_STOP;
  if (shared && budget->credit_ns < (int64_t)worst_ns) return BB_MODBUS_PASS_STOP;
  breaker->probing = true;
  return BB_MODBUS_PASS_PROBE;
}

bool bb_modbus_breaker_answered(bb_modbus_breaker *breaker, bb_modbus_budget *budget,
                                uint64_t took_ns) {
  bool closes = breaker->open;
  breaker->failures = 0;
  if (!closes) return false;
  if (breaker->probing) charge(budget, took_ns);
  breaker->open = false;
  breaker->probing = false;
  bb_backoff_reset(&breaker->backoff);
  return true;
}

bool bb_modbus_breaker_failed(bb_modbus_breaker *breaker, bb_modbus_budget *budget, uint64_t now_ns,
                              uint64_t took_ns, uint32_t n_dead) {
  bool opens = !breaker->open;
  earn(budget, now_ns, took_ns);
  charge(budget, took_ns);
  if (opens && ++breaker->failures < BB_MODBUS_OPEN_AFTER) return false;
  /* Where many are dead, each waits for as long as a turn of all of them takes, so that the one
   * whose polls come most often does not get every probe. */
  uint64_t wait = bb_backoff_next_ms(&breaker->backoff) * BB_NS_PER_MS;
  uint64_t turn = n_dead * took_ns * BB_MODBUS_PROBE_SHARE;
  breaker->due_ns = now_ns + (turn > wait ? turn : wait);
  breaker->failures = 0;
  breaker->open = true;
  breaker->probing = false;
  return opens;
}

void bb_modbus_breaker_cancelled(bb_modbus_breaker *breaker) {
  breaker->probing = false;
}

void bb_modbus_breaker_hurry(bb_modbus_breaker *breaker, uint64_t now_ns) {
  if (breaker->open && breaker->due_ns > now_ns) breaker->due_ns = now_ns;
}
