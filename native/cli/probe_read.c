/* SPDX-License-Identifier: Apache-2.0 */
/* See probe_read.h. */
#include "cli/probe_read.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "io/error.h"

#define ASK_AGAIN 3 /* times that a silent device is asked before it is given up here too */

static bb_probe *probe_of(const bb_attachment *attachment) {
  return attachment->owner;
}

/* Ends what was started, in the order that drivers ask for; the loop then runs out. */
static void end(bb_probe *probe) {
  if (probe->ending) return;
  probe->ending = true;
  if (probe->rounds > 0) {
    probe->waited_ms =
        (uint32_t)((bb_clock_mono_ns(&probe->clock) - probe->asked_ns) / BB_NS_PER_MS);
  }
  uv_close((uv_handle_t *)&probe->timer, NULL);
  uv_close((uv_handle_t *)&probe->step, NULL);
  if (probe->attached) {
    probe->conn->driver->detach(probe->attachment);
  } else if (probe->conn != NULL) {
    probe->conn->driver->close(probe->conn);
  }
}

/* The sentence without what the driver will do next: here nothing comes next. */
static void keep_reason(bb_probe *probe, const bb_reason *reason) {
  probe->told = true;
  probe->reason = *reason;
  char *next = strstr(probe->reason.text, "; next try");
  if (next != NULL) *next = 0;
}

static void on_timeout(uv_timer_t *timer) {
  bb_probe *probe = timer->data;
  if (!probe->told && !probe->answered) {
    char time[32];
    bb_text_show_ms(time, sizeof(time), probe->timeout_ms);
    bb_reason_set(&probe->reason, BB_ERR_TIMEOUT, 0,
                  "no answer within %s; --timeout sets how long to wait", time);
    probe->overdue = true;
  }
  end(probe);
}

static void poll_once(uv_timer_t *step) {
  bb_probe *probe = step->data;
  if (probe->ending) return;
  if (probe->rounds++ == 0) probe->asked_ns = bb_clock_mono_ns(&probe->clock);
  uv_timer_start(&probe->timer, on_timeout, probe->timeout_ms, 0);
  int err = probe->conn->driver->poll(probe->attachment, 0);
  if (err == 0) return;
  bb_reason_set(&probe->reason, err, 0, "cannot be polled: %s", bb_error_text(err));
  end(probe);
}

/* In an iteration of the loop to come: a driver may be in the middle of something. */
static void poll_soon(bb_probe *probe) {
  uv_timer_start(&probe->step, poll_once, 0, 0);
}

/* The driver still finds out which point it is that the device refuses (exceptions 1 to 3). */
static bool is_learning(bb_probe *probe) {
  uint16_t n = probe->shape->n_points;
  bool refused = false;
  for (uint16_t i = 0; i < n; i++) refused = refused || probe->draft.codes[i] != 0;
  bool same = memcmp(probe->former, probe->draft.quality, n) == 0;
  memcpy(probe->former, probe->draft.quality, n);
  probe->still = same ? probe->still + 1 : 0;
  return refused && probe->still < BB_PROBE_STILL && probe->rounds < BB_PROBE_ROUNDS;
}

/* A gateway answers for a device that it cannot reach, and that is none of the device. */
static bool is_silent(const bb_draft *draft) {
  for (uint16_t i = 0; i < draft->shape->n_points; i++) {
    uint8_t cause = draft->quality[i] & BB_CAUSE_MASK;
    bool none =
        cause == BB_CAUSE_GATEWAY || cause == BB_CAUSE_NO_ANSWER || cause == BB_CAUSE_NOT_CONNECTED;
    if (!none || bb_quality_has_value(draft->quality[i])) return false;
  }
  return draft->shape->n_points > 0;
}

static void on_link(bb_conn *conn, bool up, const bb_reason *reason) {
  bb_probe *probe = conn->owner;
  if (probe->ending) return;
  probe->linked = up;
  if (!up) keep_reason(probe, reason);
}

static void on_device(bb_attachment *attachment, bool up, const bb_reason *reason) {
  bb_probe *probe = probe_of(attachment);
  if (!up && !probe->ending && !probe->told) keep_reason(probe, reason);
}

static int make_draft(bb_probe *probe) {
  size_t n = probe->shape->n_points;
  uint8_t *bytes = calloc(1, n * (3 + BB_DRAFT_RAW) + probe->shape->value_bytes + 1);
  free(probe->former);
  probe->former = bytes;
  if (bytes == NULL) return BB_ERR_NOMEM;
  probe->draft = (bb_draft){.shape = probe->shape,
                            .quality = bytes + n,
                            .codes = bytes + 2 * n,
                            .raw = bytes + 3 * n,
                            .values = bytes + (3 + BB_DRAFT_RAW) * n};
  return 0;
}

static void on_shape(bb_attachment *attachment, uint32_t scan, bb_shape *shape, bb_scan_mode mode) {
  bb_probe *probe = probe_of(attachment);
  (void)scan;
  bb_shape_unref(probe->shape);
  probe->shape = shape;
  probe->answered = false;
  probe->lent = false;
  int err = make_draft(probe);
  if (err < 0) {
    bb_reason_set(&probe->reason, err, 0, "%s", bb_error_text(err));
  } else if (mode == BB_SCAN_POLLED && !probe->ending) {
    poll_soon(probe);
  }
}

static bb_draft *take(bb_attachment *attachment, uint32_t scan) {
  bb_probe *probe = probe_of(attachment);
  (void)scan;
  if (probe->shape == NULL || probe->former == NULL || probe->lent) return NULL;
  uint16_t n = probe->shape->n_points;
  probe->lent = true;
  probe->draft.time_ns = bb_clock_utc_ns(&probe->clock);
  probe->draft.has_codes = false;
  memset(probe->draft.quality, BB_QUALITY_BAD | BB_CAUSE_NOT_READ, n);
  memset(probe->draft.codes, 0, n);
  memset(probe->draft.raw, 0, (size_t)n * BB_DRAFT_RAW);
  return &probe->draft;
}

/* A device that pushes ends the probe by its first batch; one that is polled when the poll is done. */
static void on_batch(bb_attachment *attachment, uint32_t scan, bb_draft *draft) {
  bb_probe *probe = probe_of(attachment);
  (void)scan;
  (void)draft;
  probe->lent = false;
  if (probe->rounds > 0) return;
  probe->answered = true;
  end(probe);
}

static void on_poll_done(bb_attachment *attachment, uint32_t scan, int status) {
  bb_probe *probe = probe_of(attachment);
  (void)scan;
  if (probe->ending) return;
  bool silent = status < 0 || is_silent(&probe->draft);
  if (!silent) probe->answered = true;
  bool again =
      silent ? !probe->told && !probe->answered && probe->rounds < ASK_AGAIN : is_learning(probe);
  if (again) {
    poll_soon(probe);
    return;
  }
  if (silent && !probe->told) {
    const char *text = status < 0 ? bb_error_text(status) : bb_quality_text(*probe->draft.quality);
    bb_reason_set(&probe->reason, status < 0 ? status : BB_ERR_TIMEOUT, 0, "%s", text);
  }
  end(probe);
}

static void on_write_done(bb_attachment *attachment, bb_command *command, bb_outcome outcome,
                          const bb_reason *reason) {
  (void)attachment;
  (void)command;
  (void)outcome;
  (void)reason;
}

static void on_detached(bb_attachment *attachment) {
  bb_probe *probe = probe_of(attachment);
  probe->attached = false;
  probe->conn->driver->close(probe->conn);
}

static void on_closed(bb_conn *conn) {
  (void)conn;
}

static const bb_driver_host host = {.on_link = on_link,
                                    .on_device = on_device,
                                    .on_shape = on_shape,
                                    .take = take,
                                    .on_batch = on_batch,
                                    .on_poll_done = on_poll_done,
                                    .on_write_done = on_write_done,
                                    .on_detached = on_detached,
                                    .on_closed = on_closed};

static int open_conn(bb_probe *probe) {
  const bb_config_connection *config = probe->device->connection;
  bb_conn *conn = calloc(1, config->driver->conn_bytes);
  if (conn == NULL) return BB_ERR_NOMEM;
  conn->id = config->id;
  conn->driver = config->driver;
  conn->host = &host;
  conn->loop = &probe->loop;
  conn->log = &probe->log;
  conn->clock = &probe->clock;
  conn->seed = bb_clock_mono_ns(&probe->clock);
  conn->owner = probe;
  int err = config->driver->open(conn, config->options);
  if (err < 0) {
    free(conn);
    return err;
  }
  probe->conn = conn;
  return 0;
}

static int attach(bb_probe *probe) {
  bb_attachment *attachment = calloc(1, probe->conn->driver->attachment_bytes);
  if (attachment == NULL) return BB_ERR_NOMEM;
  probe->attachment = attachment;
  probe->scan = (bb_scan){"probe", 1000, probe->points, probe->n_points};
  attachment->conn = probe->conn;
  attachment->device = probe->device->device;
  attachment->profile = probe->device->profile;
  attachment->options = probe->device->doc;
  attachment->scans = &probe->scan;
  attachment->n_scans = 1;
  attachment->owner = probe;
  int err = probe->conn->driver->attach(attachment);
  probe->attached = err == 0;
  return err;
}

int bb_probe_run(bb_probe *probe) {
  bb_log_init(&probe->log, 2);
  probe->log.level = BB_LOG_ERROR;
  probe->clock = bb_clock_system();
  probe->linked = true;
  int err = uv_loop_init(&probe->loop);
  if (err < 0) return err;
  uv_timer_init(&probe->loop, &probe->timer);
  uv_timer_init(&probe->loop, &probe->step);
  probe->timer.data = probe->step.data = probe;
  uv_timer_start(&probe->timer, on_timeout, probe->timeout_ms, 0);
  err = open_conn(probe);
  if (err == 0) err = attach(probe);
  if (err == 0 && probe->shape != NULL && probe->former == NULL) err = BB_ERR_NOMEM;
  if (err < 0) {
    bb_reason_set(&probe->reason, err, 0, "%s", bb_error_text(err));
    end(probe);
  }
  uv_run(&probe->loop, UV_RUN_DEFAULT);
  uv_loop_close(&probe->loop);
  return err;
}

void bb_probe_close(bb_probe *probe) {
  bb_shape_unref(probe->shape);
  free(probe->former);
  free(probe->attachment);
  free(probe->conn);
}
