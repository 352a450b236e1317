/* SPDX-License-Identifier: Apache-2.0 */
/* See session.h. */
#include "sim/session.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "sim/reply.h"
#include "wire/modbus/mbap.h"
#include "wire/modbus/response.h"
#include "wire/modbus/rtu.h"

/* What the socket did not take at once. */
typedef struct {
  uv_write_t request;
  char bytes[];
} unsent;

static void on_closed(uv_handle_t *handle) {
  bb_sim_session *session = handle->data;
  bb_sim *sim = session->port->sim;
  bb_sim_outbox_drop(&sim->outbox, session);
  bb_list_remove(&session->node);
  free(session);
  bb_sim_release(sim);
}

void bb_sim_session_close(bb_sim_session *session) {
  if (session->closing) return;
  session->closing = true;
  if (session->heard) {
    session->port->n_clients--;
    session->port->sim->n_clients--;
  }
  uv_close((uv_handle_t *)&session->tcp, on_closed);
}

static void on_written(uv_write_t *request, int status) {
  bb_sim_session *session = request->handle->data;
  free(request);
  if (status < 0) bb_sim_session_close(session);
}

/* Queues the bytes from `from` on. */
static int queue(bb_sim_session *session, const uv_buf_t *bufs, unsigned n, size_t from) {
  uv_stream_t *stream = (uv_stream_t *)&session->tcp;
  size_t total = 0, at = 0;
  for (unsigned i = 0; i < n; i++) total += bufs[i].len;
  if (uv_stream_get_write_queue_size(stream) + total > BB_SIM_MAX_UNSENT) return BB_ERR_LIMIT;
  unsent *rest = malloc(sizeof(*rest) + total);
  if (rest == NULL) return BB_ERR_NOMEM;
  for (unsigned i = 0; i < n; i++) {
    memcpy(rest->bytes + at, bufs[i].base, bufs[i].len);
    at += bufs[i].len;
  }
  uv_buf_t buf = uv_buf_init(rest->bytes + from, (unsigned)(total - from));
  int err = uv_write(&rest->request, stream, &buf, 1, on_written);
  if (err < 0) free(rest);
  return err;
}

void bb_sim_session_send(bb_sim_session *session, const uv_buf_t *bufs, unsigned n) {
  if (session->closing) return;
  size_t total = 0;
  for (unsigned i = 0; i < n; i++) total += bufs[i].len;
  if (total == 0) return;
  int sent = uv_try_write((uv_stream_t *)&session->tcp, bufs, n);
  if (sent == UV_EAGAIN) sent = 0;
  if (sent >= 0 && (size_t)sent < total) {
    int err = queue(session, bufs, n, (size_t)sent);
    if (err < 0) sent = err;
  }
  if (sent < 0) bb_sim_session_close(session);
}

/* Takes ownership of `answer`. */
static void put(bb_sim_session *session, bb_sim_answer *answer, const bb_fault_plan *plan,
                uint32_t delay_ms) {
  bb_sim_answer *with = plan->merge ? session->merging : NULL;
  if (with != NULL) {
    while (with->more != NULL) with = with->more;
    with->more = answer;
    return;
  }
  if (plan->merge) session->merging = answer;
  bb_sim_outbox *outbox = &session->port->sim->outbox;
  if (bb_sim_outbox_put(outbox, session, answer, delay_ms, plan->overtaken) < 0) {
    session->merging = NULL;
    bb_sim_session_close(session);
  }
}

static uint32_t delay_of(bb_sim *sim, const bb_fault_plan *plan) {
  return plan->delay_ms +
         bb_fault_random(&sim->faults, sim->config.delay_min_ms, sim->config.delay_max_ms);
}

/* Sends the bytes now or when their time comes. */
static void deliver(bb_sim_session *session, const uint8_t *bytes, size_t len,
                    const bb_fault_plan *plan) {
  uint32_t delay_ms = delay_of(session->port->sim, plan);
  bool plain = !plan->merge && plan->piece_bytes == 0 && !plan->close;
  if (plain && delay_ms == 0 && session->n_waiting == 0) {
    uv_buf_t buf = uv_buf_init((char *)(uintptr_t)bytes, (unsigned)len);
    bb_sim_session_send(session, &buf, 1);
    return;
  }
  bb_sim_answer *answer = bb_sim_answer_new(bytes, (uint32_t)len);
  if (answer == NULL) {
    bb_sim_session_close(session);
    return;
  }
  answer->piece_bytes = plan->piece_bytes;
  answer->close = plan->close;
  put(session, answer, plan, delay_ms);
}

static void deliver_garbage(bb_sim_session *session, const bb_fault_plan *plan) {
  bb_sim *sim = session->port->sim;
  uint8_t *bytes = malloc(plan->garbage_bytes);
  for (uint32_t i = 0; bytes != NULL && i < plan->garbage_bytes; i++) {
    bytes[i] = (uint8_t)bb_fault_random(&sim->faults, 0, 255);
  }
  if (bytes != NULL) deliver(session, bytes, plan->garbage_bytes, plan);
  free(bytes);
}

/* Unit 0 of a gateway or a line: all do it, nobody answers. */
static void broadcast(bb_sim_port *port, const bb_modbus_request *request) {
  uint8_t pdu[BB_MODBUS_PDU_MAX];
  const bb_sim_config *config = &port->sim->config;
  int64_t utc_ns = bb_clock_utc_ns(&config->clock);
  for (uint32_t i = 0; i < config->n_units; i++) {
    bb_sim_reply_pdu(&port->devices[i].registers, request, utc_ns, pdu);
  }
}

/*
 * Answers one request, or does not. `refusal` is what the request itself is refused with, 0 if it is
 * a proper one.
 */
static void answer(bb_sim_session *session, const bb_sim_head *head,
                   const bb_modbus_request *request, int refusal) {
  bb_sim_port *port = session->port;
  bb_sim *sim = port->sim;
  const bb_sim_config *config = &sim->config;
  bb_sim_device *device = bb_sim_port_find(port, head->unit);
  if (device == NULL && head->unit == BB_MODBUS_BROADCAST && refusal == 0) {
    broadcast(port, request);
    return;
  }
  if (device == NULL && config->n_units == 1) return;
  bb_fault_request about = {.unit = head->unit, .port = port->number, .space = BB_FAULT_ANY};
  bb_fault_plan plan;
  if (device != NULL) about.unit = device->unit;
  if (refusal == 0) bb_sim_reply_describe(request, &about);
  bb_fault_list_plan(&sim->faults, &about, &plan);
  if (device == NULL) refusal = BB_MODBUS_GATEWAY_TARGET_FAILED;
  if (plan.exception != 0) refusal = plan.exception;
  if (request->function < 32 && (config->functions >> request->function & 1) == 0) {
    refusal = BB_MODBUS_ILLEGAL_FUNCTION;
  }
  if (session->n_waiting >= config->max_requests) refusal = BB_MODBUS_SERVER_DEVICE_BUSY;
  uint8_t frame[BB_SIM_FRAME_MAX], *pdu = frame + bb_sim_head_len(head);
  size_t len;
  if (refusal != 0) {
    len = (size_t)bb_modbus_exception_pack(pdu, request->function, (uint8_t)refusal);
  } else {
    len = bb_sim_reply_pdu(&device->registers, request, bb_clock_utc_ns(&config->clock), pdu);
  }
  if (plan.silent) return;
  if (plan.close) {
    deliver(session, NULL, 0, &plan);
  } else if (plan.garbage_bytes > 0) {
    deliver_garbage(session, &plan);
  } else {
    deliver(session, frame, bb_sim_reply_frame(frame, head, len, &plan), &plan);
  }
}

static void take_pdu(bb_sim_session *session, const bb_sim_head *head, const uint8_t *pdu,
                     size_t len) {
  bb_modbus_request request = {0};
  session->port->sim->n_requests++;
  int refusal = bb_modbus_request_unpack(&request, pdu, len);
  if (refusal >= 0) answer(session, head, &request, refusal);
}

/* Takes the first request out of the input. Its length, 0 if it is not complete, or an error. */
static int take_request(bb_sim_session *session, const uint8_t *bytes, size_t len) {
  if (session->port->sim->config.rtu) {
    bb_modbus_rtu frame;
    int used = bb_modbus_rtu_unpack_request(&frame, bytes, len);
    bb_sim_head head = {.rtu = true, .unit = frame.unit};
    if (used > 0) take_pdu(session, &head, frame.pdu, frame.pdu_len);
    return used;
  }
  bb_modbus_mbap frame;
  int used = bb_modbus_mbap_unpack(&frame, bytes, len);
  bb_sim_head head = {.unit = frame.unit, .transaction = frame.transaction};
  if (used > 0) take_pdu(session, &head, frame.pdu, frame.pdu_len);
  return used;
}

/* All complete requests, unless too many answers wait. */
static void take_input(bb_sim_session *session) {
  uint32_t at = 0;
  while (!session->closing && session->n_waiting < BB_SIM_MAX_WAITING) {
    int used = take_request(session, session->input + at, session->len - at);
    if (used == 0) break;
    if (used < 0) {
      /* Out of step. A line goes on after a silence, and what came before it is lost. */
      at = session->len;
      if (!session->port->sim->config.rtu) bb_sim_session_close(session);
      break;
    }
    at += (uint32_t)used;
  }
  session->len -= at;
  memmove(session->input, session->input + at, session->len);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
  bb_sim_session *session = handle->data;
  (void)suggested;
  *buf = uv_buf_init((char *)session->input + session->len,
                     (unsigned)(BB_SIM_INPUT_BYTES - session->len));
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
  bb_sim_session *session = stream->data;
  (void)buf;
  if (n < 0) {
    bb_sim_session_close(session);
    return;
  }
  if (!session->heard) return;
  session->len += (uint32_t)n;
  take_input(session);
  if (session->closing || session->n_waiting < BB_SIM_MAX_WAITING) return;
  session->paused = true;
  uv_read_stop(stream);
}

void bb_sim_session_resume(bb_sim_session *session) {
  if (!session->paused || session->closing || session->n_waiting > BB_SIM_MAX_WAITING / 2) return;
  take_input(session);
  if (session->closing || session->n_waiting >= BB_SIM_MAX_WAITING) return;
  session->paused = false;
  if (uv_read_start((uv_stream_t *)&session->tcp, on_alloc, on_read) < 0) {
    bb_sim_session_close(session);
  }
}

/* Whether somebody else may connect now. */
static bool has_room(const bb_sim_port *port) {
  uint32_t most = port->sim->config.max_clients;
  return most == 0 || port->n_clients < most;
}

int bb_sim_session_accept(bb_sim_port *port) {
  bb_sim *sim = port->sim;
  bb_sim_session *session = calloc(1, sizeof(*session));
  if (session == NULL) return BB_ERR_NOMEM;
  session->port = port;
  bb_list_init(&session->answers);
  int err = uv_tcp_init(sim->loop, &session->tcp);
  if (err < 0) {
    free(session);
    return err;
  }
  session->tcp.data = session;
  sim->n_handles++;
  bb_list_append(&port->sessions, &session->node);
  err = uv_accept((uv_stream_t *)&port->listener, (uv_stream_t *)&session->tcp);
  if (err == 0) sim->n_connections++;
  bool room = has_room(port);
  if (err < 0 || sim->closing || bb_fault_list_drops(&sim->faults, port->number) ||
      (!room && !sim->config.ignore_more)) {
    bb_sim_session_close(session);
    return err;
  }
  if (room) {
    session->heard = true;
    port->n_clients++;
    sim->n_clients++;
  }
  uv_tcp_nodelay(&session->tcp, 1);
  err = uv_read_start((uv_stream_t *)&session->tcp, on_alloc, on_read);
  if (err < 0) bb_sim_session_close(session);
  return err;
}
