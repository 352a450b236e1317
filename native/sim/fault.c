/* SPDX-License-Identifier: Apache-2.0 */
/* The list of faults and what it does to an answer; see fault.h. */
#include "sim/fault.h"

#include <string.h>

#include "base/err.h"

void bb_fault_list_init(bb_fault_list *list, uint64_t seed) {
  *list = (bb_fault_list){.random = seed * 2 + 1};
}

/* xorshift64* */
uint32_t bb_fault_random(bb_fault_list *list, uint32_t low, uint32_t high) {
  uint64_t x = list->random;
  x ^= x >> 12;
  x ^= x << 25;
  x ^= x >> 27;
  list->random = x;
  uint64_t spread = (uint64_t)high - low + 1;
  return low + (uint32_t)(((x * 0x2545f4914f6cdd1dull) >> 32) * spread >> 32);
}

static bool same_target(bb_fault_target a, bb_fault_target b) {
  return a.unit == b.unit && a.port == b.port;
}

static bool replaces(const bb_fault *a, const bb_fault *b) {
  if (a->kind != b->kind || !same_target(a->target, b->target)) return false;
  return a->kind != BB_FAULT_EXCEPTION ||
         (a->space == b->space && a->first == b->first && a->last == b->last);
}

int bb_fault_list_add(bb_fault_list *list, const bb_fault *fault) {
  for (uint32_t i = 0; i < list->n; i++) {
    if (!replaces(fault, &list->faults[i])) continue;
    list->faults[i] = *fault;
    return 0;
  }
  if (list->n == BB_FAULT_MAX) return BB_ERR_LIMIT;
  list->faults[list->n++] = *fault;
  return 0;
}

static void remove_at(bb_fault_list *list, uint32_t place) {
  list->n--;
  memmove(&list->faults[place], &list->faults[place + 1],
          (list->n - place) * sizeof(list->faults[0]));
}

void bb_fault_list_clear(bb_fault_list *list, bb_fault_target target) {
  bool all = target.unit == BB_FAULT_ANY && target.port == BB_FAULT_ANY;
  for (uint32_t i = list->n; i-- > 0;) {
    if (all || same_target(list->faults[i].target, target)) remove_at(list, i);
  }
}

/* Takes one of the fault's times; true if that was the last. */
static bool is_used_up(bb_fault *fault) {
  return fault->times > 0 && --fault->times == 0;
}

static bool applies(const bb_fault *fault, const bb_fault_request *request) {
  if (fault->target.unit != BB_FAULT_ANY && fault->target.unit != request->unit) return false;
  if (fault->target.port != BB_FAULT_ANY && fault->target.port != request->port) return false;
  if (fault->kind == BB_FAULT_DROP || fault->kind == BB_FAULT_CLOSE) return false;
  if (fault->kind != BB_FAULT_EXCEPTION) return true;
  if (fault->space != BB_FAULT_ANY && fault->space != request->space) return false;
  if (request->space == BB_FAULT_ANY) return fault->first == 0 && fault->last == UINT16_MAX;
  return request->first <= fault->last && request->first + request->n > fault->first;
}

static void apply(bb_fault_list *list, const bb_fault *fault, bb_fault_plan *plan) {
  switch (fault->kind) {
  case BB_FAULT_LATE:
    plan->overtaken = true;
    plan->delay_ms += bb_fault_random(list, fault->low, fault->high);
    break;
  case BB_FAULT_MERGE:
    plan->merge = true;
    plan->delay_ms += fault->low;
    break;
  case BB_FAULT_DELAY:
    plan->delay_ms += bb_fault_random(list, fault->low, fault->high);
    break;
  case BB_FAULT_SILENCE:
    plan->silent = true;
    break;
  case BB_FAULT_EXCEPTION:
    plan->exception = fault->code;
    break;
  case BB_FAULT_TRANSACTION:
    plan->wrong_transaction = true;
    break;
  case BB_FAULT_FOREIGN_UNIT:
    plan->foreign_unit = true;
    break;
  case BB_FAULT_FUNCTION:
    plan->wrong_function = true;
    break;
  case BB_FAULT_CLOSE_ON_REQUEST:
    plan->close = true;
    break;
  case BB_FAULT_CUT:
    plan->cut = true;
    plan->cut_bytes = fault->low;
    break;
  case BB_FAULT_SHORT:
    plan->short_frame = true;
    break;
  case BB_FAULT_SPLIT:
    plan->piece_bytes = fault->low;
    break;
  case BB_FAULT_GARBAGE:
    plan->garbage_bytes = fault->low;
    break;
  case BB_FAULT_OVERSIZE:
    plan->oversize = true;
    break;
  default:
    break;
  }
}

void bb_fault_list_plan(bb_fault_list *list, const bb_fault_request *request, bb_fault_plan *plan) {
  *plan = (bb_fault_plan){0};
  for (uint32_t i = 0; i < list->n;) {
    bb_fault *fault = &list->faults[i];
    bool hit = applies(fault, request);
    if (hit) apply(list, fault, plan);
    if (hit && is_used_up(fault)) {
      remove_at(list, i);
    } else {
      i++;
    }
  }
}

bool bb_fault_list_drops(bb_fault_list *list, int32_t port) {
  for (uint32_t i = 0; i < list->n; i++) {
    bb_fault *fault = &list->faults[i];
    if (fault->kind != BB_FAULT_DROP) continue;
    if (fault->target.port != BB_FAULT_ANY && fault->target.port != port) continue;
    if (is_used_up(fault)) remove_at(list, i);
    return true;
  }
  return false;
}
