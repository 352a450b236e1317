/* SPDX-License-Identifier: Apache-2.0 */
/* See read.h. */
#include "drivers/modbus/read.h"

#include <string.h>

#include "base/err.h"
#include "drivers/modbus/decode.h"
#include "drivers/modbus/device.h"
#include "model/quality.h"

#define BAD(cause) ((uint8_t)(BB_QUALITY_BAD | (cause)))

static const uint8_t functions[] = {
    [BB_SPACE_COIL] = BB_MODBUS_READ_COILS,
    [BB_SPACE_DISCRETE] = BB_MODBUS_READ_DISCRETE_INPUTS,
    [BB_SPACE_INPUT] = BB_MODBUS_READ_INPUT_REGISTERS,
    [BB_SPACE_HOLDING] = BB_MODBUS_READ_HOLDING_REGISTERS,
};

static bb_modbus_read *read_of(bb_modbus_job *job) {
  return (bb_modbus_read *)job;
}

static uint16_t skip(const bb_modbus_plan *plan, uint16_t block) {
  while (block < plan->n_blocks && !bb_modbus_plan_reads(plan, block)) block++;
  return block;
}

static bb_draft *draft_of(bb_modbus_read *read) {
  if (!read->taken) {
    bb_attachment *attachment = &read->device->base;
    read->taken = true;
    read->draft = attachment->conn->host->take(attachment, read->scan);
  }
  return read->draft;
}

static void mark(bb_modbus_read *read, uint16_t index, uint8_t quality, uint8_t code) {
  bb_draft *draft = draft_of(read);
  const bb_modbus_block *block = &read->plan.blocks[index];
  if (draft == NULL) return;
  for (uint16_t i = 0; i < block->n; i++) {
    uint16_t place = read->plan.items[block->first + i].place;
    draft->quality[place] = quality;
    draft->codes[place] = code;
  }
  if (code != 0) draft->has_codes = true;
}

static uint8_t cause_of(const bb_modbus_read *read, int status) {
  if (status == BB_ERR_CLOSED) return BB_CAUSE_NOT_CONNECTED;
  if (status == BB_ERR_FORMAT) return BB_CAUSE_FORMAT;
  return read->job.unit->cause;
}

static uint8_t cause_of_exception(uint8_t exception) {
  switch (exception) {
  case BB_MODBUS_SERVER_DEVICE_FAILURE:
  case BB_MODBUS_MEMORY_PARITY_ERROR:
    return BB_CAUSE_DEVICE_FAULT;
  case BB_MODBUS_ACKNOWLEDGE:
  case BB_MODBUS_SERVER_DEVICE_BUSY:
    return BB_CAUSE_BUSY;
  case BB_MODBUS_GATEWAY_PATH_UNAVAILABLE:
  case BB_MODBUS_GATEWAY_TARGET_FAILED:
    return BB_CAUSE_GATEWAY;
  default:
    return BB_CAUSE_REFUSED;
  }
}

/* The points that this poll has not asked for: the rest of a poll that was given up, and what the
 * device is known to refuse. */
static void mark_unread(bb_modbus_read *read) {
  const bb_modbus_plan *plan = &read->plan;
  if (read->next >= plan->n_blocks && plan->unsettled == 0) return;
  for (uint16_t i = 0; i < plan->n_blocks; i++) {
    if (!bb_modbus_plan_reads(plan, i)) {
      mark(read, i, BAD(BB_CAUSE_REFUSED), plan->blocks[i].code);
    } else if (i >= read->next) {
      mark(read, i, BAD(cause_of(read, read->status)), 0);
    }
  }
}

static void finish(bb_modbus_read *read) {
  bb_attachment *attachment = &read->device->base;
  const bb_driver_host *host = attachment->conn->host;
  bb_draft *draft = draft_of(read);
  int status = read->answered ? 0 : read->status;
  mark_unread(read);
  if (bb_modbus_plan_learn(&read->plan, read->device->line->now_ns)) {
    bb_log_debug(attachment->conn->log, attachment->device->id,
                 "scan %s: refused addresses or lengths; now %u reads, %u of them uncertain",
                 attachment->scans[read->scan].name, read->plan.n_blocks, read->plan.unsettled);
  }
  read->polled = true;
  read->unknown = read->status == 0 && read->n_asked > 0 && read->n_unknown == read->n_asked;
  if (read->unknown) bb_modbus_hint_consider(&read->device->hint);
  if (draft == NULL && status == 0) status = BB_ERR_AGAIN;
  read->busy = false;
  read->draft = NULL;
  if (draft != NULL) host->on_batch(attachment, read->scan, draft);
  host->on_poll_done(attachment, read->scan, status);
}

static void give_up(bb_modbus_read *read, int status) {
  read->status = status;
  bb_modbus_line_stop(&read->job);
  if (read->waiting == 0) finish(read);
}

static bool next(bb_modbus_job *job, bb_modbus_request *request, uint16_t *tag) {
  bb_modbus_read *read = read_of(job);
  const bb_modbus_block *block = &read->plan.blocks[read->next];
  request->function = functions[block->space];
  request->address = block->address;
  request->quantity = block->count;
  *tag = read->next;
  read->waiting++;
  read->n_asked++;
  read->next = skip(&read->plan, (uint16_t)(read->next + 1));
  job->more = read->next < read->plan.n_blocks;
  return true;
}

static void answered(bb_modbus_job *job, uint16_t tag, uint8_t exception,
                     const bb_modbus_response *response) {
  bb_modbus_read *read = read_of(job);
  uint8_t cause = cause_of_exception(exception);
  read->waiting--;
  /* That a gateway answers says nothing of the device. */
  if (exception == 0 || cause != BB_CAUSE_GATEWAY) read->answered = true;
  if (exception == 0) {
    bb_draft *draft = draft_of(read);
    if (draft != NULL) bb_modbus_decode(&read->plan, tag, response->data, draft);
    bb_modbus_plan_accepted(&read->plan, tag);
    read->device->delivered = true;
  } else {
    if (exception == BB_MODBUS_ILLEGAL_FUNCTION || exception == BB_MODBUS_ILLEGAL_DATA_ADDRESS) {
      read->n_unknown++;
    }
    mark(read, tag, BAD(cause), exception);
    bb_modbus_plan_refused(&read->plan, tag, exception);
    if (cause == BB_CAUSE_GATEWAY) {
      give_up(read, BB_ERR_TIMEOUT);
      return;
    }
  }
  if (read->waiting == 0 && !bb_modbus_line_waits(job)) finish(read);
}

static void failed(bb_modbus_job *job, uint16_t tag, int status) {
  bb_modbus_read *read = read_of(job);
  read->waiting--;
  mark(read, tag, BAD(cause_of(read, status)), 0);
  give_up(read, status);
}

static void dropped(bb_modbus_job *job, int status) {
  give_up(read_of(job), status);
}

static const bb_modbus_job_type type = {next, answered, failed, dropped};

int bb_modbus_read_init(bb_modbus_read *read, struct bb_modbus_device *device, uint32_t scan) {
  const bb_scan *points = &device->base.scans[scan];
  *read = (bb_modbus_read){.device = device, .scan = scan};
  read->job.type = &type;
  read->job.unit = device->unit;
  bb_list_init(&read->job.node);
  return bb_modbus_plan_init(&read->plan, device->base.profile, points->points, points->n_points,
                             &device->limits);
}

void bb_modbus_read_close(bb_modbus_read *read) {
  bb_modbus_plan_close(&read->plan);
}

void bb_modbus_read_start(bb_modbus_read *read) {
  const bb_attachment *attachment = &read->device->base;
  read->busy = true;
  read->taken = false;
  read->answered = false;
  read->status = 0;
  read->waiting = read->n_asked = read->n_unknown = 0;
  /* What has no period is only read because somebody asks. */
  read->job.urgent =
      attachment->awaited || attachment->apart || attachment->scans[read->scan].period_ms == 0;
  bb_modbus_plan_begin(&read->plan, read->device->line->now_ns);
  read->next = skip(&read->plan, 0);
  /* Without a block there is nothing to ask, and all points stay "not read". */
  int err = read->plan.n_blocks > 0 ? bb_modbus_line_read(&read->job) : 0;
  if (err < 0) {
    give_up(read, err);
  } else if (read->plan.n_blocks == 0) {
    finish(read);
  }
}

void bb_modbus_read_end(bb_modbus_read *read, int status) {
  if (!read->busy) return;
  bb_modbus_line_forget(&read->job);
  /* Nobody asks for a batch of nothing from a device that leaves. */
  read->taken = true;
  read->waiting = 0;
  read->status = status;
  read->answered = false;
  finish(read);
}
