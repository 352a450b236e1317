/* SPDX-License-Identifier: Apache-2.0 */
/* The driver modbus-tcp: frames out and in, and the timer; see tcp.h. */
#include "drivers/modbus/tcp.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "drivers/modbus/device.h"
#include "drivers/modbus/modbus.h"
#include "wire/modbus/mbap.h"
#include "wire/modbus/rtu.h"

#define FIRST_RETRY_MS 1000

static bb_modbus_tcp *tcp_of(bb_modbus_line *line) {
  return (bb_modbus_tcp *)line;
}

static bool is_rtu(const bb_modbus_tcp *tcp) {
  return tcp->options.framing == BB_MODBUS_FRAMING_RTU;
}

static int pack(const bb_modbus_tcp *tcp, const bb_modbus_slot *slot, uint8_t *frame) {
  unsigned head = is_rtu(tcp) ? BB_MODBUS_RTU_HEAD : BB_MODBUS_MBAP_LEN;
  int len = bb_modbus_request_pack(frame + head, &slot->request);
  if (len < 0) return len;
  return (int)(is_rtu(tcp) ? bb_modbus_rtu_pack(frame, slot->unit->id, (size_t)len)
                           : bb_modbus_mbap_pack(frame, slot->id, slot->unit->id, (size_t)len));
}

static int transmit(bb_modbus_line *line, const bb_modbus_slot *slot) {
  bb_modbus_tcp *tcp = tcp_of(line);
  uint8_t frame[BB_MODBUS_TCP_MAX];
  int len = pack(tcp, slot, frame);
  if (len < 0) return len;
  /* Without ids, whatever came before the request is no answer to it. */
  if (is_rtu(tcp)) tcp->filled = 0;
  int err = bb_modbus_tcp_attend(tcp, slot);
  if (err < 0) return err;
  uv_buf_t buf = uv_buf_init((char *)frame, (unsigned)len);
  int sent = uv_try_write((uv_stream_t *)&tcp->socket, &buf, 1);
  if (sent < 0) return sent == UV_EAGAIN ? UV_ENOBUFS : sent;
  return sent == len ? 0 : UV_ENOBUFS;
}

/* The start of a frame whose rest does not come in time would swallow the answers that follow, unless
 * the next request clears the buffer. */
void bb_modbus_tcp_tick(bb_modbus_tcp *tcp) {
  bb_modbus_line *line = &tcp->line;
  bool begun = tcp->filled > 0, was_garbled = line->garbled;
  line->garbled = was_garbled || begun;
  bool ended = bb_modbus_line_tick(line);
  line->garbled = was_garbled;
  if (!begun || !ended) return;
  line->base.counters.malformed++;
  if (!is_rtu(tcp)) bb_modbus_tcp_lost(tcp, BB_ERR_FORMAT);
}

static void on_timer(uv_timer_t *timer) {
  bb_modbus_tcp *tcp = timer->data;
  tcp->timer_ns = 0;
  bb_modbus_line_enter(&tcp->line);
  bb_modbus_tcp_catch_up(tcp);
  if (tcp->state == BB_MODBUS_TCP_OPEN) {
    bb_modbus_tcp_tick(tcp);
  } else {
    bb_modbus_tcp_check(tcp);
  }
  bb_modbus_line_leave(&tcp->line);
}

/* Deadlines that need not be exact are put off to a common grid of up to 60 ms, so that many
 * connections wake the loop together, and where they can, at a beat. */
static uint64_t on_grid(const bb_modbus_tcp *tcp, uint64_t ms) {
  uint64_t grid = tcp->options.line.timeout_ms / 32;
  if (grid > 60) grid = 60;
  if (grid > BB_BEAT_MS) grid -= grid % BB_BEAT_MS;
  if (grid == 0) grid = 1;
  return (ms + grid - 1) / grid * grid;
}

void bb_modbus_tcp_wake(bb_modbus_tcp *tcp, uint64_t at_ns, bool exact) {
  uint64_t now_ns = tcp->line.now_ns;
  if (tcp->timer_ns != 0 && tcp->timer_ns <= at_ns) return;
  if (at_ns < now_ns) at_ns = now_ns;
  uint64_t at_ms = (at_ns + BB_NS_PER_MS - 1) / BB_NS_PER_MS;
  if (!exact) at_ms = on_grid(tcp, at_ms);
  if (tcp->timer_ns != 0 && tcp->timer_ns <= at_ms * BB_NS_PER_MS) return;
  tcp->timer_ns = at_ms * BB_NS_PER_MS;
  uv_update_time(tcp->line.base.loop);
  uv_timer_start(&tcp->timer, on_timer, at_ms - now_ns / BB_NS_PER_MS, 0);
}

/* The time-outs of a patient connection are seen at its beats. */
static void wake(bb_modbus_line *line, uint64_t at_ns, bool exact) {
  bb_modbus_tcp *tcp = tcp_of(line);
  if (exact || !tcp->patient) bb_modbus_tcp_wake(tcp, at_ns, exact);
}

static void want(bb_modbus_line *line) {
  bb_modbus_tcp_start(tcp_of(line));
}

static void look(bb_modbus_line *line) {
  bb_modbus_tcp_look(tcp_of(line));
}

static void idle(bb_modbus_line *line) {
  if (tcp_of(line)->options.close_after_poll) bb_modbus_tcp_rest(tcp_of(line));
}

static void reset(bb_modbus_line *line, int status) {
  bb_modbus_tcp_lost(tcp_of(line), status);
}

static const bb_modbus_transport by_mbap = {true, false, transmit, wake, want, look, idle, reset};
static const bb_modbus_transport by_rtu = {false, false, transmit, wake, want, look, idle, reset};

static void alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf) {
  bb_modbus_tcp *tcp = handle->data;
  (void)suggested;
  *buf = uv_buf_init((char *)tcp->buffer + tcp->filled,
                     (unsigned)(BB_MODBUS_TCP_BUFFER - tcp->filled));
}

/* Each returns how many bytes it has used, 0 if it needs more, or negative if step is lost. */

static int take_mbap(bb_modbus_tcp *tcp, const uint8_t *bytes, size_t len) {
  bb_modbus_line *line = &tcp->line;
  bb_modbus_mbap frame;
  int used = bb_modbus_mbap_unpack(&frame, bytes, len);
  if (used <= 0) return used;
  bb_modbus_slot *slot = bb_modbus_line_find(line, frame.transaction);
  /* A gateway that mixes up its units must not give one the values of another; a device of its own
   * may name itself as it likes. */
  if (slot == NULL || (frame.unit != slot->unit->id && line->n_units > 1)) {
    line->base.counters.discarded++;
  } else if (bb_modbus_line_pdu(line, slot, frame.pdu, frame.pdu_len) < 0) {
    bb_modbus_line_no_answer(line, slot, BB_ERR_FORMAT);
  }
  return used;
}

/* One request is under way at a time; an answer is known by its unit, function and length. */
static int take_rtu(bb_modbus_tcp *tcp, const uint8_t *bytes, size_t len) {
  bb_modbus_line *line = &tcp->line;
  bb_modbus_slot *slot = bb_modbus_line_find(line, line->last_id);
  bb_modbus_rtu frame;
  int used = bb_modbus_rtu_unpack_response(&frame, bytes, len);
  if (used < 0) {
    /* What follows the garbage is garbage too, until the next request clears the buffer. */
    bb_modbus_line_garbled(line);
    return (int)len;
  }
  if (used == 0) return 0;
  if (slot == NULL || frame.unit != slot->unit->id ||
      bb_modbus_line_pdu(line, slot, frame.pdu, frame.pdu_len) < 0) {
    line->base.counters.discarded++;
  }
  return used;
}

static void take(bb_modbus_tcp *tcp) {
  uint16_t at = 0;
  int used = 1;
  while (at < tcp->filled && used > 0) {
    const uint8_t *bytes = tcp->buffer + at;
    size_t len = (size_t)(tcp->filled - at);
    used = is_rtu(tcp) ? take_rtu(tcp, bytes, len) : take_mbap(tcp, bytes, len);
    if (used > 0) at = (uint16_t)(at + used);
  }
  if (used < 0) {
    tcp->line.base.counters.malformed++;
    bb_modbus_tcp_lost(tcp, used);
    return;
  }
  tcp->filled = (uint16_t)(tcp->filled - at);
  if (tcp->filled > 0 && at > 0) memmove(tcp->buffer, tcp->buffer + at, tcp->filled);
}

void bb_modbus_tcp_got(bb_modbus_tcp *tcp, ssize_t n) {
  if (n < 0) {
    bb_modbus_tcp_lost(tcp, (int)n);
  } else {
    tcp->filled = (uint16_t)(tcp->filled + n);
    bb_modbus_line_heard(&tcp->line);
    take(tcp);
  }
}

static void on_read(uv_stream_t *stream, ssize_t n, const uv_buf_t *buf) {
  bb_modbus_tcp *tcp = stream->data;
  (void)buf;
  if (n == 0 || tcp->state != BB_MODBUS_TCP_OPEN) return;
  bb_modbus_line_enter(&tcp->line);
  bb_modbus_tcp_got(tcp, n);
  bb_modbus_line_leave(&tcp->line);
}

int bb_modbus_tcp_listen(bb_modbus_tcp *tcp) {
  return uv_read_start((uv_stream_t *)&tcp->socket, alloc, on_read);
}

int bb_modbus_tcp_hear(bb_modbus_tcp *tcp) {
  tcp->filled = 0;
  return bb_modbus_tcp_listen(tcp);
}

/* "10.0.0.21:502", "[fe80::1]:502". */
static char *make_place(const bb_modbus_tcp_options *options) {
  size_t cap = strlen(options->host) + sizeof("[]:65535");
  char *place = malloc(cap);
  bool is_ipv6 = strchr(options->host, ':') != NULL;
  if (place != NULL) {
    snprintf(place, cap, is_ipv6 ? "[%s]:%u" : "%s:%u", options->host, options->port);
  }
  return place;
}

static int open_connection(bb_conn *conn, const bb_doc *options) {
  bb_modbus_tcp *tcp = (bb_modbus_tcp *)conn;
  bb_modbus_line *line = &tcp->line;
  bb_modbus_tcp_options_read(&tcp->options, options);
  if (tcp->options.host == NULL) return BB_ERR_CONFIG;
  line->place = make_place(&tcp->options);
  if (line->place == NULL) return BB_ERR_NOMEM;
  int err = bb_modbus_line_init(line, &tcp->options.line, tcp->options.max_in_flight,
                                is_rtu(tcp) ? &by_rtu : &by_mbap, &bb_modbus_device_events);
  if (err == 0) err = uv_timer_init(conn->loop, &tcp->timer);
  if (err < 0) {
    bb_modbus_line_close(line);
    free((char *)line->place);
    return err;
  }
  tcp->has_timer = true;
  tcp->timer.data = tcp;
  bb_backoff_init(&tcp->backoff, FIRST_RETRY_MS, tcp->options.reconnect_max_ms, conn->seed);
  bb_modbus_line_enter(line);
  if (!tcp->options.close_after_poll) {
    /* From the loop, since the host must hear nothing inside open. */
    tcp->until_ns = line->now_ns;
    bb_modbus_tcp_wake(tcp, line->now_ns, true);
  }
  bb_modbus_line_leave(line);
  return 0;
}

static int attach(bb_attachment *attachment) {
  return bb_modbus_attach(attachment, &bb_modbus_tcp_device_schema);
}

static void close_connection(bb_conn *conn) {
  bb_modbus_tcp_close((bb_modbus_tcp *)conn);
}

const bb_driver bb_driver_modbus_tcp = {
    .kind = "modbus-tcp",
    .conn_bytes = sizeof(bb_modbus_tcp),
    .attachment_bytes = sizeof(bb_modbus_device),
    .options = &bb_modbus_tcp_schema,
    .device_options = &bb_modbus_tcp_device_schema,
    .check_device = bb_modbus_check_device,
    .endpoint = bb_modbus_tcp_endpoint,
    .open = open_connection,
    .attach = attach,
    .poll = bb_modbus_poll,
    .write = bb_modbus_write_command,
    .detach = bb_modbus_detach,
    .close = close_connection,
};
