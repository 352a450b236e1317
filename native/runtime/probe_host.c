/* SPDX-License-Identifier: Apache-2.0 */
/* The polls of a probe, and what the driver calls meanwhile; see probe.h. */
#include "runtime/probe_host.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "io/error.h"
#include "runtime/runtime.h"

static bb_runtime_probe *probe_of(const bb_attachment *attachment) {
  return attachment->owner;
}

/* The sentence without what the driver would do next: with a connection of the probe's own nothing
 * comes next. */
static void keep_reason(bb_runtime_probe *probe, const bb_reason *reason) {
  probe->told = true;
  probe->reason = *reason;
  char *next = probe->conn != NULL ? strstr(probe->reason.text, "; next try") : NULL;
  if (next != NULL) *next = 0;
}

static bool is_all_fresh(const bb_runtime_probe *probe) {
  for (uint32_t i = 0; i < probe->n_scans; i++) {
    if (!probe->scans[i].fresh) return false;
  }
  return true;
}

/* The first scan that brought nothing, and its status. */
static int status_of(const bb_runtime_probe *probe) {
  for (uint32_t i = 0; i < probe->n_scans; i++) {
    if (probe->scans[i].status < 0) return probe->scans[i].status;
  }
  return BB_ERR_TIMEOUT;
}

void bb_runtime_probe_conclude(bb_runtime_probe *probe, bool late) {
  const bb_link *link = probe->link;
  char time[32];
  /* What the driver told last holds, also where a part was answered. */
  if (probe->told || is_all_fresh(probe)) return;
  if (late) {
    bb_text_show_ms(time, sizeof(time), probe->wish.limit_ms);
    bb_reason_set(&probe->reason, BB_ERR_TIMEOUT, 0, "not all was read within %s", time);
  } else if (link != NULL && !link->conn->up && link->reason.text[0] != 0) {
    probe->reason = link->reason;
  } else {
    int status = status_of(probe);
    bb_reason_set(&probe->reason, status, 0, "%s", bb_error_text(status));
  }
}

/* The driver still finds out which point it is that the device refuses. */
static bool is_learning(const bb_runtime_probe *probe, bb_runtime_probe_scan *scan) {
  if (!probe->wish.learn || !scan->has_batch || scan->batch.codes == NULL) return false;
  uint16_t n = scan->shape->n_points;
  bool same = memcmp(scan->former, scan->batch.quality, n) == 0;
  memcpy(scan->former, scan->batch.quality, n);
  scan->still = same ? scan->still + 1 : 0;
  return scan->still < BB_RUNTIME_PROBE_STILL && scan->rounds < BB_RUNTIME_PROBE_ROUNDS;
}

static void end_scan(bb_runtime_probe_scan *scan, int status) {
  scan->status = status;
  scan->fresh = status >= 0;
  scan->done = true;
}

static void on_step(uv_timer_t *timer) {
  bb_runtime_probe *probe = timer->data;
  if (probe->ending) return;
  while (probe->at < probe->n_scans && probe->scans[probe->at].done) probe->at++;
  if (probe->status < 0 || probe->at == probe->n_scans) {
    if (probe->status == 0) bb_runtime_probe_conclude(probe, false);
    bb_runtime_probe_end(probe);
    return;
  }
  bb_runtime_probe_scan *scan = &probe->scans[probe->at];
  /* What is not known yet, or not polled, comes by itself. */
  if (scan->shape == NULL || scan->mode == BB_SCAN_PUSHED) return;
  scan->rounds++;
  int err = probe->attachment->conn->driver->poll(probe->attachment, probe->at);
  if (err == 0) return;
  end_scan(scan, err);
  bb_runtime_probe_go_on(probe);
}

void bb_runtime_probe_go_on(bb_runtime_probe *probe) {
  if (!probe->ending) uv_timer_start(&probe->step, on_step, 0, 0);
}

static void on_link(bb_conn *conn, bool up, const bb_reason *reason) {
  bb_runtime_probe *probe = conn->owner;
  if (!up && !probe->ending) keep_reason(probe, reason);
}

static void on_device(bb_attachment *attachment, bool up, const bb_reason *reason) {
  bb_runtime_probe *probe = probe_of(attachment);
  if (probe->ending) return;
  if (!up) {
    if (!probe->told) keep_reason(probe, reason);
  } else if (probe->status == 0) {
    probe->told = false;
    probe->reason = (bb_reason){0};
  }
}

static int allocate(bb_runtime_probe_scan *scan, bb_shape *shape) {
  size_t n = shape->n_points;
  uint8_t *memory = calloc(1, n * (3 + BB_DRAFT_RAW) + shape->value_bytes + 1);
  if (memory == NULL) return BB_ERR_NOMEM;
  scan->memory = scan->former = memory;
  scan->draft = (bb_draft){.shape = shape,
                           .quality = memory + n,
                           .codes = memory + 2 * n,
                           .raw = memory + 3 * n,
                           .values = memory + (3 + BB_DRAFT_RAW) * n};
  return 0;
}

static void on_shape(bb_attachment *attachment, uint32_t place, bb_shape *shape,
                     bb_scan_mode mode) {
  bb_runtime_probe *probe = probe_of(attachment);
  bb_runtime_probe_scan *scan = &probe->scans[place];
  bb_shape_unref(scan->shape);
  free(scan->memory);
  *scan = (bb_runtime_probe_scan){.shape = shape, .mode = mode, .rounds = scan->rounds};
  if (shape == NULL || allocate(scan, shape) < 0) {
    probe->status = BB_ERR_NOMEM;
    bb_reason_set(&probe->reason, BB_ERR_NOMEM, 0, "out of memory");
  }
  bb_runtime_probe_go_on(probe);
}

static bb_draft *take(bb_attachment *attachment, uint32_t place) {
  bb_runtime_probe *probe = probe_of(attachment);
  bb_runtime_probe_scan *scan = &probe->scans[place];
  if (scan->memory == NULL || scan->lent) return NULL;
  uint16_t n = scan->shape->n_points;
  scan->lent = true;
  scan->has_batch = false; /* it lies where the new one is put */
  scan->draft.time_ns = bb_clock_utc_ns(&probe->runtime->clock);
  scan->draft.flags = 0;
  scan->draft.has_codes = false;
  memset(scan->draft.quality, BB_QUALITY_BAD | BB_CAUSE_NOT_READ, n);
  memset(scan->draft.codes, 0, n);
  memset(scan->draft.raw, 0, (size_t)n * BB_DRAFT_RAW);
  return &scan->draft;
}

static void on_batch(bb_attachment *attachment, uint32_t place, bb_draft *draft) {
  bb_runtime_probe *probe = probe_of(attachment);
  bb_runtime_probe_scan *scan = &probe->scans[place];
  scan->lent = false;
  if (probe->ending) return;
  scan->has_batch = true;
  scan->raw = draft->raw;
  scan->batch = (bb_batch){.device = attachment->device,
                           .shape = draft->shape,
                           .time_ns = draft->time_ns,
                           .kind = BB_BATCH_SAMPLES,
                           .flags = draft->flags,
                           .quality = draft->quality,
                           .codes = draft->has_codes ? draft->codes : NULL,
                           .values = draft->values};
  if (scan->mode == BB_SCAN_POLLED) return;
  probe->answered = true;
  end_scan(scan, 0);
  bb_runtime_probe_go_on(probe);
}

static void on_poll_done(bb_attachment *attachment, uint32_t place, int status) {
  bb_runtime_probe *probe = probe_of(attachment);
  bb_runtime_probe_scan *scan = &probe->scans[place];
  if (probe->ending) return;
  if (status >= 0) probe->answered = true;
  if (status < 0 || !is_learning(probe, scan)) end_scan(scan, status);
  bb_runtime_probe_go_on(probe);
}

static void on_write_done(bb_attachment *attachment, bb_command *command, bb_outcome outcome,
                          const bb_reason *reason) {
  (void)attachment;
  (void)command;
  (void)outcome;
  (void)reason;
}

static void on_detached(bb_attachment *attachment) {
  bb_runtime_probe *probe = probe_of(attachment);
  bb_link *link = probe->link;
  probe->attached = false;
  probe->link = NULL;
  if (link != NULL) link->n_stations--;
  bb_runtime_probe_leave(probe);
  if (link != NULL && link->closing) bb_link_close(link);
}

static void on_closed(bb_conn *conn) {
  bb_runtime_probe_release(conn->owner);
}

const bb_driver_host bb_runtime_probe_host = {
    .on_link = on_link,
    .on_device = on_device,
    .on_shape = on_shape,
    .take = take,
    .on_batch = on_batch,
    .on_poll_done = on_poll_done,
    .on_write_done = on_write_done,
    .on_detached = on_detached,
    .on_closed = on_closed,
};
