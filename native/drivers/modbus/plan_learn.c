/* SPDX-License-Identifier: Apache-2.0 */
/* What a plan does with refusals; see plan.h. */
#include <string.h>

#include "drivers/modbus/plan_cover.h"

/* Exceptions of the application protocol 1.1b3, section 7. */
#define ILLEGAL_FUNCTION 1
#define ILLEGAL_ADDRESS 2
#define ILLEGAL_VALUE 3

#define ACCEPTED 0xFF /* a verdict beside the exceptions */

static void set_trust(bb_modbus_plan *plan, bb_modbus_block *block, bb_modbus_trust trust) {
  bool was = block->trust != BB_MODBUS_TRUSTED, is = trust != BB_MODBUS_TRUSTED;
  plan->unsettled = (uint16_t)(plan->unsettled + is - was);
  block->trust = (uint8_t)trust;
  if (!is) block->code = 0;
}

void bb_modbus_plan_accepted(bb_modbus_plan *plan, uint16_t block) {
  if (plan->blocks[block].trust == BB_MODBUS_TRUSTED) return;
  plan->blocks[block].verdict = ACCEPTED;
  plan->judged = true;
}

void bb_modbus_plan_refused(bb_modbus_plan *plan, uint16_t block, uint8_t exception) {
  if (exception < ILLEGAL_FUNCTION || exception > ILLEGAL_VALUE) return;
  plan->blocks[block].verdict = exception;
  plan->judged = true;
}

void bb_modbus_plan_forgive(bb_modbus_plan *plan) {
  for (uint16_t i = 0; i < plan->n_blocks; i++) {
    bb_modbus_block *block = &plan->blocks[i];
    if (block->trust == BB_MODBUS_LEFT_OUT) set_trust(plan, block, BB_MODBUS_SUSPECTED);
  }
  plan->retry_ns = UINT64_MAX;
}

static void leave_out(bb_modbus_plan *plan, bb_modbus_block *block, uint64_t now_ns) {
  block->code = block->verdict;
  set_trust(plan, block, BB_MODBUS_LEFT_OUT);
  plan->retry_ns = now_ns + BB_MODBUS_RETRY_NS;
}

/*
 * How many items the first half gets. A gap is what nobody vouches for, so the cut goes through the
 * gap nearest the middle; without one, between two items that share no register.
 */
static uint16_t halve(const bb_modbus_plan *plan, const bb_modbus_block *block) {
  const bb_modbus_item *items = plan->items + block->first;
  uint16_t middle = block->n / 2, best = middle;
  unsigned best_rank = 0;
  uint32_t end = 0;
  for (uint16_t i = 0; i < block->n; i++) {
    bb_modbus_span span = bb_modbus_span_of(plan, items[i].place);
    if (i > 0 && span.first >= end) {
      unsigned far = (unsigned)(i > middle ? i - middle : middle - i);
      unsigned rank = (span.first > end ? 2u : 1u) * BB_MODBUS_NO_BLOCK - far;
      if (rank > best_rank) {
        best_rank = rank;
        best = i;
      }
    }
    if (span.end > end) end = span.end;
  }
  return best;
}

static void split(bb_modbus_plan *plan, uint16_t index) {
  if (bb_modbus_plan_insert(plan, index, 1) < 0) return;
  bb_modbus_block *left = &plan->blocks[index], *right = left + 1;
  uint16_t n = halve(plan, left), all = left->n;
  if (left->trust != BB_MODBUS_TRUSTED) plan->unsettled++;
  right->first = (uint16_t)(left->first + n);
  bb_modbus_enclose(plan, plan->items + left->first, n, left);
  bb_modbus_enclose(plan, plan->items + right->first, (uint16_t)(all - n), right);
  for (bb_modbus_block *half = left; half <= right; half++) {
    bb_modbus_settle(plan, half);
    half->code = half->verdict;
    half->verdict = 0;
    set_trust(plan, half, BB_MODBUS_SUSPECTED);
  }
}

/* Divides a block into those that fit the limits. Returns how many there are now. */
static uint16_t divide(bb_modbus_plan *plan, uint16_t index) {
  bb_modbus_block block = plan->blocks[index];
  uint16_t most = plan->limits->most[block.space], pieces = 0;
  /* Gathering twice gives the same pieces; the first time only counts them, before anything that
   * cannot be taken back. */
  for (uint16_t at = 0; at < block.n; pieces++) {
    bb_modbus_block piece = block;
    bb_modbus_gather(plan, plan->items + block.first + at, (uint16_t)(block.n - at), most, &piece);
    at = (uint16_t)(at + piece.n);
  }
  bool fits = bb_modbus_plan_insert(plan, index, (uint16_t)(pieces - 1)) == 0;
  if (!fits) {
    /* The order of the items has changed; the block itself is still right. */
    bb_modbus_settle(plan, &plan->blocks[index]);
    return 1;
  }
  if (block.trust != BB_MODBUS_TRUSTED) plan->unsettled = (uint16_t)(plan->unsettled + pieces - 1);
  uint16_t first = block.first;
  for (uint16_t i = 0; i < pieces; i++) {
    bb_modbus_block *piece = &plan->blocks[index + i];
    uint16_t left = (uint16_t)(block.first + block.n - first);
    piece->first = first;
    bb_modbus_gather(plan, plan->items + first, left, most, piece);
    bb_modbus_settle(plan, piece);
    piece->verdict = 0;
    first = (uint16_t)(first + piece->n);
  }
  return pieces;
}

static void shrink(bb_modbus_plan *plan) {
  for (uint16_t i = 0; i < plan->n_blocks;) {
    const bb_modbus_block *block = &plan->blocks[i];
    bool fits = block->n == 1 || block->count <= plan->limits->most[block->space];
    i = (uint16_t)(i + (fits ? 1 : divide(plan, i)));
  }
  plan->version = plan->limits->version;
}

void bb_modbus_plan_begin(bb_modbus_plan *plan, uint64_t now_ns) {
  plan->probe = BB_MODBUS_NO_BLOCK;
  if (plan->version != plan->limits->version) shrink(plan);
  if (plan->unsettled == 0) return;
  if (now_ns >= plan->retry_ns) bb_modbus_plan_forgive(plan);
  /* In turn, so that a block whose probe gets no verdict (no answer, busy) does not bar the rest. */
  for (uint16_t i = 1; i <= plan->n_blocks; i++) {
    uint16_t at = (uint16_t)((plan->turn + i) % plan->n_blocks);
    if (plan->blocks[at].trust == BB_MODBUS_SUSPECTED) {
      plan->probe = plan->turn = at;
      return;
    }
  }
  if (plan->unsettled < plan->n_blocks) return;
  plan->turn = (uint16_t)((plan->turn + 1) % plan->n_blocks);
  plan->probe = plan->turn;
}

/* Too long for the device: half as much, but no less than the longest value. False: it cannot be
 * made shorter. */
static bool lower(bb_modbus_plan *plan, const bb_modbus_block *block) {
  uint32_t most = block->count / 2u, longest = 1;
  for (uint16_t i = 0; i < block->n; i++) {
    bb_modbus_span span = bb_modbus_span_of(plan, plan->items[block->first + i].place);
    if (span.end - span.first > longest) longest = span.end - span.first;
  }
  if (most < longest) most = longest;
  if (most >= block->count) return false;
  uint16_t *limit = &plan->limits->most[block->space];
  if (most < *limit) {
    *limit = (uint16_t)most;
    plan->limits->version++;
  }
  return true;
}

/* Once one piece of what was too long is accepted, so are the others. */
static void accept(bb_modbus_plan *plan, bb_modbus_block *block) {
  uint8_t code = block->code, space = block->space;
  set_trust(plan, block, BB_MODBUS_TRUSTED);
  if (code != ILLEGAL_VALUE) return;
  for (uint16_t i = 0; i < plan->n_blocks; i++) {
    bb_modbus_block *other = &plan->blocks[i];
    if (other->trust == BB_MODBUS_SUSPECTED && other->code == code && other->space == space) {
      set_trust(plan, other, BB_MODBUS_TRUSTED);
    }
  }
}

static void judge(bb_modbus_plan *plan, uint16_t index, uint64_t now_ns) {
  bb_modbus_block *block = &plan->blocks[index];
  uint8_t verdict = block->verdict;
  if (verdict == ACCEPTED) {
    accept(plan, block);
  } else if (verdict == ILLEGAL_ADDRESS && block->n > 1) {
    split(plan, index);
  } else if (verdict == ILLEGAL_VALUE && block->n > 1 && lower(plan, block)) {
    block->code = ILLEGAL_VALUE;
    set_trust(plan, block, BB_MODBUS_SUSPECTED);
    divide(plan, index);
  } else {
    leave_out(plan, block, now_ns);
  }
}

bool bb_modbus_plan_learn(bb_modbus_plan *plan, uint64_t now_ns) {
  if (!plan->judged) return false;
  plan->judged = false;
  /* From the end, so that blocks which are put in do not move those still to be judged. */
  for (uint16_t i = plan->n_blocks; i > 0; i--) {
    if (plan->blocks[i - 1].verdict == 0) continue;
    judge(plan, (uint16_t)(i - 1), now_ns);
    plan->blocks[i - 1].verdict = 0;
  }
  return true;
}
