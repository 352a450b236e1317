/* SPDX-License-Identifier: Apache-2.0 */
/* The driver modbus-rtu; see rtu.h. */
#include "drivers/modbus/rtu.h"

#include <stdio.h>

#include "base/err.h"
#include "base/text.h"
#include "drivers/modbus/device.h"
#include "drivers/modbus/modbus.h"
#include "io/error.h"

#define FIRST_RETRY_MS 1000

static bb_modbus_rtu_line *rtu_of(bb_modbus_line *line) {
  return (bb_modbus_rtu_line *)line;
}

static void post(bb_modbus_rtu_line *rtu, bb_modbus_task_kind kind, bb_modbus_rtu_state state) {
  bb_modbus_task task = {.kind = kind};
  rtu->state = (uint8_t)state;
  bb_modbus_thread_post(&rtu->thread, &task);
}

static int transmit(bb_modbus_line *line, const bb_modbus_slot *slot) {
  bb_modbus_task task = {.kind = BB_MODBUS_TASK_ASK};
  int len = bb_modbus_request_pack(task.request + 1, &slot->request);
  if (len < 0) return len;
  task.request[0] = slot->unit->id;
  task.len = (uint16_t)(1 + len);
  task.expected = (uint16_t)bb_modbus_response_len(&slot->request);
  bb_modbus_thread_post(&rtu_of(line)->thread, &task);
  return 0;
}

static void on_timer(uv_timer_t *timer);

static void wake(bb_modbus_line *line, uint64_t at_ns, bool exact) {
  bb_modbus_rtu_line *rtu = rtu_of(line);
  (void)exact;
  if (rtu->timer_ns != 0 && rtu->timer_ns <= at_ns) return;
  rtu->timer_ns = at_ns;
  uint64_t wait_ns = at_ns > line->now_ns ? at_ns - line->now_ns : 0;
  uv_timer_start(&rtu->timer, on_timer, (wait_ns + BB_NS_PER_MS - 1) / BB_NS_PER_MS, 0);
}

static void on_timer(uv_timer_t *timer) {
  bb_modbus_rtu_line *rtu = timer->data;
  rtu->timer_ns = 0;
  bb_modbus_line_enter(&rtu->line);
  if (rtu->state == BB_MODBUS_RTU_SHUT) {
    if (rtu->line.now_ns < rtu->retry_ns) {
      wake(&rtu->line, rtu->retry_ns, true);
    } else {
      post(rtu, BB_MODBUS_TASK_OPEN, BB_MODBUS_RTU_OPENING);
    }
  }
  /* Leaving sends what has waited for its time. */
  bb_modbus_line_leave(&rtu->line);
}

/* The line is open as long as it can be: nothing has to be asked for. */
static void want(bb_modbus_line *line) {
  (void)line;
}

static void fail(bb_modbus_rtu_line *rtu, int status, const char *words) {
  bb_modbus_line *line = &rtu->line;
  char next[32];
  bb_reason reason;
  uint32_t wait_ms = bb_backoff_next_ms(&rtu->backoff);
  bb_text_show_ms(next, sizeof(next), wait_ms);
  bb_reason_set(&reason, status, 0, "%s; next try in %s", words, next);
  bb_log_debug(line->base.log, line->base.id, "%s", reason.text);
  rtu->retry_ns = line->now_ns + wait_ms * BB_NS_PER_MS;
  wake(line, rtu->retry_ns, true);
  bb_modbus_line_down(line, &reason);
}

/* The port does not work any more. */
static void lose(bb_modbus_rtu_line *rtu, int status) {
  char words[BB_MAX_REASON];
  snprintf(words, sizeof(words), "%.80s does not work any more: %s", rtu->options.path,
           bb_error_text(status));
  rtu->line.base.counters.disconnects++;
  if (rtu->line.answered) bb_backoff_reset(&rtu->backoff);
  post(rtu, BB_MODBUS_TASK_CLOSE, BB_MODBUS_RTU_CLOSING);
  fail(rtu, status, words);
}

static void reset(bb_modbus_line *line, int status) {
  if (rtu_of(line)->state == BB_MODBUS_RTU_READY) lose(rtu_of(line), status);
}

static const bb_modbus_transport transport = {.has_ids = false,
                                              .keeps_time = true,
                                              .send = transmit,
                                              .wake = wake,
                                              .want = want,
                                              .reset = reset};

static void on_opened(bb_modbus_rtu_line *rtu, const bb_modbus_result *result) {
  if (result->status < 0) {
    rtu->state = BB_MODBUS_RTU_SHUT;
    fail(rtu, result->status, result->words);
    return;
  }
  rtu->state = BB_MODBUS_RTU_READY;
  bb_modbus_line_up(&rtu->line, 0);
}

static void on_answer(bb_modbus_rtu_line *rtu, const bb_modbus_result *result) {
  bb_modbus_line *line = &rtu->line;
  bb_modbus_slot *slot = bb_modbus_line_find(line, line->last_id);
  line->base.counters.discarded += result->discarded;
  if (slot == NULL || rtu->state != BB_MODBUS_RTU_READY) return;
  if (result->status > 0) {
    size_t len = (size_t)result->status - 1;
    bb_modbus_line_heard(line);
    if (bb_modbus_line_pdu(line, slot, result->answer + 1, len) < 0) {
      bb_modbus_line_no_answer(line, slot, BB_ERR_FORMAT);
    }
  } else if (result->status == BB_ERR_TIMEOUT || result->status == BB_ERR_FORMAT) {
    bb_modbus_line_no_answer(line, slot, result->status);
  } else {
    lose(rtu, result->status);
  }
}

static void on_result(bb_modbus_thread *thread, const bb_modbus_result *result) {
  bb_modbus_rtu_line *rtu = thread->user;
  bb_modbus_line_enter(&rtu->line);
  switch (result->kind) {
  case BB_MODBUS_TASK_OPEN:
    on_opened(rtu, result);
    break;
  case BB_MODBUS_TASK_ASK:
    on_answer(rtu, result);
    break;
  case BB_MODBUS_TASK_CLOSE:
    rtu->state = BB_MODBUS_RTU_SHUT;
    wake(&rtu->line, rtu->retry_ns, true);
  }
  bb_modbus_line_leave(&rtu->line);
}

static void end(bb_modbus_rtu_line *rtu) {
  if (--rtu->n_ends > 0) return;
  bb_modbus_line_close(&rtu->line);
  rtu->line.base.host->on_closed(&rtu->line.base);
}

static void on_timer_closed(uv_handle_t *handle) {
  end(handle->data);
}

static void on_stopped(bb_modbus_thread *thread) {
  end(thread->user);
}

static int open_connection(bb_conn *conn, const bb_doc *options) {
  bb_modbus_rtu_line *rtu = (bb_modbus_rtu_line *)conn;
  bb_modbus_line *line = &rtu->line;
  bb_modbus_rtu_options_read(&rtu->options, options);
  if (rtu->options.path == NULL) return BB_ERR_CONFIG;
  line->place = rtu->options.path;
  int err = bb_modbus_line_init(line, &rtu->options.line, 1, &transport, &bb_modbus_device_events);
  if (err < 0) return err;
  rtu->thread.on_result = on_result;
  rtu->thread.on_stopped = on_stopped;
  rtu->thread.user = rtu;
  err = bb_modbus_thread_start(&rtu->thread, conn->loop, &rtu->options);
  if (err < 0) {
    bb_modbus_line_close(line);
    return err;
  }
  uv_timer_init(conn->loop, &rtu->timer); /* it cannot fail */
  rtu->timer.data = rtu;
  rtu->n_ends = 2;
  bb_backoff_init(&rtu->backoff, FIRST_RETRY_MS, rtu->options.reconnect_max_ms, conn->seed);
  post(rtu, BB_MODBUS_TASK_OPEN, BB_MODBUS_RTU_OPENING);
  return 0;
}

static int attach(bb_attachment *attachment) {
  return bb_modbus_attach(attachment, &bb_modbus_rtu_device_schema);
}

static void close_connection(bb_conn *conn) {
  bb_modbus_rtu_line *rtu = (bb_modbus_rtu_line *)conn;
  rtu->state = BB_MODBUS_RTU_ENDED;
  bb_modbus_thread_stop(&rtu->thread);
  uv_close((uv_handle_t *)&rtu->timer, on_timer_closed);
}

const bb_driver bb_driver_modbus_rtu = {
    .kind = "modbus-rtu",
    .conn_bytes = sizeof(bb_modbus_rtu_line),
    .attachment_bytes = sizeof(bb_modbus_device),
    .options = &bb_modbus_rtu_schema,
    .device_options = &bb_modbus_rtu_device_schema,
    .check = bb_modbus_rtu_check,
    .check_device = bb_modbus_check_device,
    .endpoint = bb_modbus_rtu_endpoint,
    .open = open_connection,
    .attach = attach,
    .poll = bb_modbus_poll,
    .write = bb_modbus_write_command,
    .detach = bb_modbus_detach,
    .close = close_connection,
};
