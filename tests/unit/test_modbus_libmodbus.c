/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The codec against libmodbus, an independent implementation: its client sends what we would send
 * and understands what we answer; its server understands what we send, and we what it answers. Over
 * a socket pair with the frames of TCP, and over a pseudo terminal with those of a serial line.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <termios.h>
#include <unistd.h>

#include <modbus.h>

#include "base/bytes.h"
#include "wire/modbus/mbap.h"
#include "wire/modbus/request.h"
#include "wire/modbus/response.h"
#include "wire/modbus/rtu.h"

#define UNIT 17
#define FRAME_MAX BB_MODBUS_TCP_MAX
#define ADDRESSES 4096

static const uint8_t on[] = {1};
static const uint8_t off[] = {0};
static uint8_t pattern[BB_MODBUS_PDU_MAX]; /* filled in main */

static const bb_modbus_request requests[] = {
    {.function = 1, .address = 0x13, .quantity = 19},
    {.function = 1, .address = 0, .quantity = 1},
    {.function = 1, .address = 5, .quantity = 2000},
    {.function = 2, .address = 0xc4, .quantity = 22},
    {.function = 2, .address = 1, .quantity = 2000},
    {.function = 3, .address = 0x6b, .quantity = 3},
    {.function = 3, .address = 0, .quantity = 125},
    {.function = 4, .address = 8, .quantity = 1},
    {.function = 4, .address = 0x102, .quantity = 125},
    {.function = 5, .address = 0xac, .quantity = 1, .data = on, .data_len = 1},
    {.function = 5, .address = 0xad, .quantity = 1, .data = off, .data_len = 1},
    {.function = 6, .address = 1, .quantity = 1, .data = pattern, .data_len = 2},
    {.function = 15, .address = 0x13, .quantity = 10, .data = pattern, .data_len = 2},
    {.function = 15, .address = 7, .quantity = 1968, .data = pattern, .data_len = 246},
    {.function = 16, .address = 1, .quantity = 2, .data = pattern, .data_len = 4},
    {.function = 16, .address = 300, .quantity = 123, .data = pattern, .data_len = 246},
    {.function = 22, .address = 4, .quantity = 1, .and_mask = 0xf2, .or_mask = 0x25},
};
#define N_REQUESTS (sizeof(requests) / sizeof(requests[0]))

/* One end is libmodbus's, the other ours. */
struct line {
  modbus_t *peer;
  int fd;
  bool rtu;
};

static struct line open_tcp(void) {
  int ends[2];
  assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  struct line line = {modbus_new_tcp("127.0.0.1", BB_MODBUS_TCP_PORT), ends[0], false};
  assert_non_null(line.peer);
  modbus_set_socket(line.peer, ends[1]);
  return line;
}

static struct line open_rtu(void) {
  int fd = posix_openpt(O_RDWR | O_NOCTTY);
  char path[64];
  struct termios raw;
  assert_true(fd >= 0);
  assert_int_equal(grantpt(fd), 0);
  assert_int_equal(unlockpt(fd), 0);
  assert_int_equal(ptsname_r(fd, path, sizeof(path)), 0);
  assert_int_equal(tcgetattr(fd, &raw), 0);
  cfmakeraw(&raw);
  assert_int_equal(tcsetattr(fd, TCSANOW, &raw), 0);
  struct line line = {modbus_new_rtu(path, 115200, 'N', 8, 1), fd, true};
  assert_non_null(line.peer);
  assert_int_equal(modbus_connect(line.peer), 0);
  return line;
}

static struct line open_line(bool rtu) {
  struct line line = rtu ? open_rtu() : open_tcp();
  modbus_set_slave(line.peer, UNIT);
  modbus_set_response_timeout(line.peer, 10, 0);
  return line;
}

static void close_line(struct line *line) {
  modbus_close(line->peer);
  modbus_free(line->peer);
  close(line->fd);
}

struct frame {
  uint8_t bytes[FRAME_MAX];
  size_t len;
  const uint8_t *pdu;
  size_t pdu_len;
  uint16_t transaction;
  uint8_t unit;
};

static int find_frame(struct frame *frame, bool rtu, bool asks) {
  bb_modbus_mbap mbap = {0};
  bb_modbus_rtu serial = {0};
  int len;
  if (!rtu) {
    len = bb_modbus_mbap_unpack(&mbap, frame->bytes, frame->len);
    frame->transaction = mbap.transaction;
    serial = (bb_modbus_rtu){mbap.unit, mbap.pdu, mbap.pdu_len};
  } else if (asks) {
    len = bb_modbus_rtu_unpack_request(&serial, frame->bytes, frame->len);
  } else {
    len = bb_modbus_rtu_unpack_response(&serial, frame->bytes, frame->len);
  }
  frame->unit = serial.unit;
  frame->pdu = serial.pdu;
  frame->pdu_len = serial.pdu_len;
  return len;
}

/* Reads byte by byte, so that the codec sees each cut. Returns the frame's length or an error. */
static int read_frame(const struct line *line, struct frame *frame, bool asks) {
  frame->len = 0;
  for (;;) {
    int len = find_frame(frame, line->rtu, asks);
    if (len != 0) return len;
    if (frame->len == FRAME_MAX || read(line->fd, frame->bytes + frame->len, 1) != 1) return -1;
    frame->len++;
  }
}

/* Where the PDU stands in a frame, and the rest of the frame around it. */
static size_t pdu_place(bool rtu) {
  return rtu ? BB_MODBUS_RTU_HEAD : BB_MODBUS_MBAP_LEN;
}

static size_t pack_frame(uint8_t *out, bool rtu, uint16_t transaction, size_t pdu_len) {
  return rtu ? bb_modbus_rtu_pack(out, UNIT, pdu_len)
             : bb_modbus_mbap_pack(out, transaction, UNIT, pdu_len);
}

static bool is_bits(uint8_t function) {
  return function == 1 || function == 2 || function == 5 || function == 15;
}

/* Asks by libmodbus's client. `values` gets what it read, one value an item; returns its result. */
static int ask(modbus_t *ctx, const bb_modbus_request *request, uint16_t *values) {
  uint8_t bits[BB_MODBUS_READ_BITS_MAX];
  uint16_t registers[BB_MODBUS_READ_REGISTERS_MAX];
  int address = request->address, n = request->quantity, result;
  for (int i = 0; i < n && request->data != NULL; i++) {
    if (is_bits(request->function)) {
      bits[i] = request->data[i / 8] >> i % 8 & 1;
    } else {
      registers[i] = bb_get_be16(request->data + 2 * i);
    }
  }
  switch (request->function) {
  case 1:
    result = modbus_read_bits(ctx, address, n, bits);
    break;
  case 2:
    result = modbus_read_input_bits(ctx, address, n, bits);
    break;
  case 3:
    return modbus_read_registers(ctx, address, n, values);
  case 4:
    return modbus_read_input_registers(ctx, address, n, values);
  case 5:
    return modbus_write_bit(ctx, address, bits[0]);
  case 6:
    return modbus_write_register(ctx, address, registers[0]);
  case 15:
    return modbus_write_bits(ctx, address, n, bits);
  case 16:
    return modbus_write_registers(ctx, address, n, registers);
  default:
    return modbus_mask_write_register(ctx, request->address, request->and_mask, request->or_mask);
  }
  for (int i = 0; i < result; i++) values[i] = bits[i];
  return result;
}

static uint16_t value_at(uint8_t function, const uint8_t *data, unsigned i) {
  if (is_bits(function)) return data[i / 8] >> i % 8 & 1;
  return bb_get_be16(data + (size_t)2 * i);
}

/* A server of ours for one request; only records, the test judges. */
struct server {
  const struct line *line;
  uint8_t exception; /* 0, or what it answers with */
  struct frame asked;
  int result; /* of unpacking */
};

static void *serve_one(void *arg) {
  struct server *server = arg;
  bool rtu = server->line->rtu;
  bb_modbus_request request;
  uint8_t out[FRAME_MAX], *pdu = out + pdu_place(rtu);
  server->result = read_frame(server->line, &server->asked, true);
  if (server->result < 0) return NULL;
  server->result = bb_modbus_request_unpack(&request, server->asked.pdu, server->asked.pdu_len);
  if (server->result != 0) return NULL;
  size_t data_len = request.function > 4 ? 0 : bb_modbus_response_len(&request) - 2;
  int len = server->exception != 0
                ? bb_modbus_exception_pack(pdu, request.function, server->exception)
                : bb_modbus_response_pack(pdu, &request, pattern, data_len);
  if (len < 0) {
    server->result = len;
    return NULL;
  }
  size_t frame_len = pack_frame(out, rtu, server->asked.transaction, (size_t)len);
  if (write(server->line->fd, out, frame_len) != (ssize_t)frame_len) server->result = -1;
  return NULL;
}

static int ask_our_server(struct server *server, const bb_modbus_request *request,
                          uint16_t *values) {
  pthread_t thread;
  assert_int_equal(pthread_create(&thread, NULL, serve_one, server), 0);
  int result = ask(server->line->peer, request, values), err = errno;
  pthread_join(thread, NULL);
  errno = err;
  assert_int_equal(server->result, 0);
  return result;
}

static void check_client(bool rtu) {
  struct line line = open_line(rtu);
  uint16_t transaction = 0;
  for (size_t i = 0; i < N_REQUESTS; i++) {
    const bb_modbus_request *request = &requests[i];
    struct server server = {.line = &line};
    uint16_t values[BB_MODBUS_READ_BITS_MAX];
    uint8_t expected[FRAME_MAX];
    int result = ask_our_server(&server, request, values);
    if (result < 0) fail_msg("request %zu: %s", i, modbus_strerror(errno));
    assert_int_equal(result, request->quantity);
    for (unsigned k = 0; request->function <= 4 && k < request->quantity; k++) {
      assert_int_equal(values[k], value_at(request->function, pattern, k));
    }
    int pdu_len = bb_modbus_request_pack(expected + pdu_place(rtu), request);
    assert_true(pdu_len > 0);
    size_t len = pack_frame(expected, rtu, ++transaction, (size_t)pdu_len);
    assert_int_equal(server.asked.len, len);
    assert_memory_equal(server.asked.bytes, expected, len);
  }
  close_line(&line);
}

static void check_exceptions(bool rtu) {
  struct line line = open_line(rtu);
  for (uint8_t exception = 1; exception <= 11; exception++) {
    struct server server = {.line = &line, .exception = exception};
    uint16_t values[BB_MODBUS_READ_BITS_MAX];
    if (bb_modbus_exception_name(exception) == NULL) continue;
    assert_int_equal(ask_our_server(&server, &requests[5], values), -1);
    assert_int_equal(errno, MODBUS_ENOBASE + exception);
  }
  close_line(&line);
}

/* Sends our request and lets libmodbus's server answer. */
static void ask_their_server(struct frame *answer, const struct line *line,
                             modbus_mapping_t *mapping, const bb_modbus_request *request,
                             uint16_t transaction) {
  uint8_t out[FRAME_MAX], query[MODBUS_MAX_ADU_LENGTH];
  int pdu_len = bb_modbus_request_pack(out + pdu_place(line->rtu), request);
  assert_true(pdu_len > 0);
  size_t len = pack_frame(out, line->rtu, transaction, (size_t)pdu_len);
  assert_int_equal(write(line->fd, out, len), len);
  int received = modbus_receive(line->peer, query);
  if (received < 0) fail_msg("libmodbus did not take it: %s", modbus_strerror(errno));
  assert_int_equal(received, len);
  assert_true(modbus_reply(line->peer, query, received, mapping) > 0);
  assert_true(read_frame(line, answer, false) > 0);
  assert_int_equal(answer->unit, UNIT);
  if (!line->rtu) assert_int_equal(answer->transaction, transaction);
}

static modbus_mapping_t *make_mapping(void) {
  modbus_mapping_t *mapping = modbus_mapping_new(ADDRESSES, ADDRESSES, ADDRESSES, ADDRESSES);
  assert_non_null(mapping);
  for (unsigned i = 0; i < ADDRESSES; i++) {
    mapping->tab_bits[i] = i % 3 == 0;
    mapping->tab_input_bits[i] = i % 5 == 0;
    mapping->tab_registers[i] = (uint16_t)(i * 31);
    mapping->tab_input_registers[i] = (uint16_t)(i * 37);
  }
  return mapping;
}

static uint16_t mapped(const modbus_mapping_t *mapping, uint8_t function, unsigned address) {
  if (function == 2) return mapping->tab_input_bits[address];
  if (function == 4) return mapping->tab_input_registers[address];
  return is_bits(function) ? mapping->tab_bits[address] : mapping->tab_registers[address];
}

static void check_server(bool rtu) {
  struct line line = open_line(rtu);
  modbus_mapping_t *mapping = make_mapping();
  for (size_t i = 0; i < N_REQUESTS; i++) {
    const bb_modbus_request *request = &requests[i];
    uint8_t function = request->function;
    unsigned masked = (mapping->tab_registers[4] & 0xf2) | (0x25 & ~0xf2u);
    struct frame frame;
    ask_their_server(&frame, &line, mapping, request, (uint16_t)(i * 257));
    bb_modbus_response response;
    assert_int_equal(bb_modbus_response_unpack(&response, request, frame.pdu, frame.pdu_len), 0);
    assert_int_equal(frame.pdu_len, bb_modbus_response_len(request));
    const uint8_t *values = function <= 4 ? response.data : request->data;
    for (unsigned k = 0; values != NULL && k < request->quantity; k++) {
      assert_int_equal(value_at(function, values, k),
                       mapped(mapping, function, request->address + k));
    }
    if (function == 22) assert_int_equal(mapping->tab_registers[4], masked);
  }
  modbus_mapping_free(mapping);
  close_line(&line);
}

static void check_refusals(bool rtu) {
  struct line line = open_line(rtu);
  modbus_mapping_t *mapping = make_mapping();
  for (size_t i = 0; i < N_REQUESTS; i++) {
    bb_modbus_request request = requests[i];
    bb_modbus_response response;
    request.address = ADDRESSES;
    struct frame frame;
    ask_their_server(&frame, &line, mapping, &request, (uint16_t)i);
    assert_int_equal(bb_modbus_response_unpack(&response, &request, frame.pdu, frame.pdu_len),
                     BB_MODBUS_ILLEGAL_DATA_ADDRESS);
  }
  modbus_mapping_free(mapping);
  close_line(&line);
}

static void test_modbus_libmodbus_client_sends_the_same_bytes_on_tcp(void **state) {
  (void)state;
  check_client(false);
}

static void test_modbus_libmodbus_client_sends_the_same_bytes_on_a_serial_line(void **state) {
  (void)state;
  check_client(true);
}

static void test_modbus_libmodbus_client_understands_our_exceptions(void **state) {
  (void)state;
  check_exceptions(false);
  check_exceptions(true);
}

static void test_modbus_libmodbus_server_answers_us_on_tcp(void **state) {
  (void)state;
  check_server(false);
}

static void test_modbus_libmodbus_server_answers_us_on_a_serial_line(void **state) {
  (void)state;
  check_server(true);
}

static void test_modbus_libmodbus_server_refuses_us(void **state) {
  (void)state;
  check_refusals(false);
  check_refusals(true);
}

int main(void) {
  for (size_t i = 0; i < sizeof(pattern); i++) pattern[i] = (uint8_t)(i * 37 + 0xa5);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_modbus_libmodbus_client_sends_the_same_bytes_on_tcp),
      cmocka_unit_test(test_modbus_libmodbus_client_sends_the_same_bytes_on_a_serial_line),
      cmocka_unit_test(test_modbus_libmodbus_client_understands_our_exceptions),
      cmocka_unit_test(test_modbus_libmodbus_server_answers_us_on_tcp),
      cmocka_unit_test(test_modbus_libmodbus_server_answers_us_on_a_serial_line),
      cmocka_unit_test(test_modbus_libmodbus_server_refuses_us),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
