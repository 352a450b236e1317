/* SPDX-License-Identifier: Apache-2.0 */
/* The vectors in tests/vectors/modbus, and what can be derived from them: every cut, every merge,
 * every changed bit. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/doc.h"
#include "base/err.h"
#include "base/report.h"
#include "wire/modbus/mbap.h"
#include "wire/modbus/request.h"
#include "wire/modbus/response.h"
#include "wire/modbus/rtu.h"

#define VECTORS BB_REPO_DIR "/tests/vectors/modbus/"
#define BYTES_MAX 512

struct bytes {
  uint8_t at[BYTES_MAX];
  size_t len;
};

static struct bytes parse_hex(const char *text) {
  struct bytes bytes = {{0}, 0};
  for (; *text != 0; text++) {
    if (*text == ' ') continue;
    unsigned value;
    assert_int_equal(sscanf(text, "%2x", &value), 1);
    assert_true(bytes.len < BYTES_MAX);
    bytes.at[bytes.len++] = (uint8_t)value;
    text++;
  }
  return bytes;
}

/* A copy of exactly this length, so that the sanitizer sees a read behind it. */
static uint8_t *copy_exactly(const uint8_t *bytes, size_t len) {
  uint8_t *copy = malloc(len > 0 ? len : 1);
  assert_non_null(copy);
  memcpy(copy, bytes, len);
  return copy;
}

/* The case at hand, for the message of whatever fails. */
static char where[256];

#define check_int(what, got, expected)                                                             \
  do {                                                                                             \
    long long got_ = (long long)(got), expected_ = (long long)(expected);                          \
    if (got_ != expected_)                                                                         \
      fail_msg("%s: %s is %lld, expected %lld", where, what, got_, expected_);                     \
  } while (0)

static void check_bytes(const char *what, const uint8_t *got, size_t len, const char *hex) {
  struct bytes expected = parse_hex(hex);
  check_int(what, len, expected.len);
  for (size_t i = 0; i < len; i++) check_int(what, got[i], expected.at[i]);
}

static long number_of(const bb_doc *map, const char *key) {
  const char *text = bb_doc_get_text(map, key);
  return text != NULL ? strtol(text, NULL, 10) : 0;
}

/* The return value that a case expects: an exception, an error, or `good`. */
static int result_of(const bb_doc *expect, int good) {
  const char *error = bb_doc_get_text(expect, "error");
  if (error == NULL) {
    long exception = number_of(expect, "exception");
    return exception != 0 ? (int)exception : good;
  }
  for (int code = BB_ERR_BASE - 1; bb_err_name(code) != NULL; code--) {
    if (strcmp(bb_err_name(code), error) == 0) return code;
  }
  fail_msg("%s: no error is named %s", where, error);
  return 0;
}

typedef void check_fn(const bb_doc *vector, const struct bytes *hex);

/* Runs `check` on each case of the file with that direction. */
static void run_vectors(const char *path, const char *direction, check_fn *check) {
  bb_report report;
  bb_doc_tree tree = {0};
  bb_report_init(&report);
  if (bb_doc_load(&tree, path, &report) != 0) fail_msg("%s cannot be read", path);
  unsigned n = 0;
  for (const bb_doc *vector = tree.root->first; vector != NULL; vector = vector->next) {
    if (strcmp(bb_doc_get_text(vector, "direction"), direction) != 0) continue;
    snprintf(where, sizeof(where), "%s that %s", direction, bb_doc_get_text(vector, "name"));
    struct bytes hex = parse_hex(bb_doc_get_text(vector, "hex"));
    check(vector, &hex);
    n++;
  }
  assert_true(n > 0);
  bb_doc_close(&tree);
  bb_report_close(&report);
}

static void check_request(const bb_doc *vector, const struct bytes *hex) {
  const bb_doc *expect = bb_doc_get(vector, "expect");
  bb_modbus_request request = {0};
  uint8_t out[BB_MODBUS_PDU_MAX], *pdu = copy_exactly(hex->at, hex->len);
  int err = bb_modbus_request_unpack(&request, pdu, hex->len);
  check_int("result", err, result_of(expect, 0));
  if (err > 0) check_int("function", request.function, hex->at[0]);
  if (err == 0) {
    const char *data = bb_doc_get_text(expect, "data");
    check_int("function", request.function, number_of(expect, "function"));
    check_int("address", request.address, number_of(expect, "address"));
    if (request.function != BB_MODBUS_DIAGNOSTICS) {
      check_int("quantity", request.quantity, number_of(expect, "quantity"));
    }
    check_int("and_mask", request.and_mask, number_of(expect, "and_mask"));
    check_int("or_mask", request.or_mask, number_of(expect, "or_mask"));
    check_bytes("data", request.data, request.data_len, data != NULL ? data : "");
    check_int("length packed", bb_modbus_request_pack(out, &request), hex->len);
    assert_memory_equal(out, hex->at, hex->len);
  }
  free(pdu);
}

static void check_response(const bb_doc *vector, const struct bytes *hex) {
  const bb_doc *expect = bb_doc_get(vector, "expect");
  struct bytes asked = parse_hex(bb_doc_get_text(vector, "request"));
  bb_modbus_request request;
  bb_modbus_response response;
  uint8_t out[BB_MODBUS_PDU_MAX], *pdu = copy_exactly(hex->at, hex->len);
  check_int("request", bb_modbus_request_unpack(&request, asked.at, asked.len), 0);
  int err = bb_modbus_response_unpack(&response, &request, pdu, hex->len);
  check_int("result", err, result_of(expect, 0));
  if (err > 0) {
    check_int("length packed", bb_modbus_exception_pack(out, request.function, (uint8_t)err), 2);
    assert_memory_equal(out, hex->at, 2);
  }
  if (err == 0) {
    const char *data = bb_doc_get_text(expect, "data");
    check_bytes("data", response.data, response.data_len, data != NULL ? data : "");
    check_int("length foretold", bb_modbus_response_len(&request), hex->len);
    check_int("length packed",
              bb_modbus_response_pack(out, &request, response.data, response.data_len), hex->len);
    assert_memory_equal(out, hex->at, hex->len);
  }
  free(pdu);
}

static void check_tcp(const bb_doc *vector, const struct bytes *hex) {
  const bb_doc *expect = bb_doc_get(vector, "expect");
  bb_modbus_mbap frame;
  uint8_t out[BB_MODBUS_TCP_MAX], *stream = copy_exactly(hex->at, hex->len);
  int len = bb_modbus_mbap_unpack(&frame, stream, hex->len);
  check_int("result", len, result_of(expect, (int)number_of(expect, "length")));
  if (len > 0) {
    check_int("transaction", frame.transaction, number_of(expect, "transaction"));
    check_int("unit", frame.unit, number_of(expect, "unit"));
    check_bytes("pdu", frame.pdu, frame.pdu_len, bb_doc_get_text(expect, "pdu"));
    memcpy(out + BB_MODBUS_MBAP_LEN, frame.pdu, frame.pdu_len);
    check_int("length packed",
              bb_modbus_mbap_pack(out, frame.transaction, frame.unit, frame.pdu_len), len);
    assert_memory_equal(out, hex->at, (size_t)len);
    for (size_t cut = 0; cut < (size_t)len; cut++) {
      check_int("result when cut", bb_modbus_mbap_unpack(&frame, hex->at, cut), 0);
    }
  }
  free(stream);
}

static void check_rtu(const bb_doc *vector, const struct bytes *hex) {
  const bb_doc *expect = bb_doc_get(vector, "expect");
  bool asks = strcmp(bb_doc_get_text(vector, "direction"), "rtu-request") == 0;
  int (*unpack)(bb_modbus_rtu *, const uint8_t *, size_t) =
      asks ? bb_modbus_rtu_unpack_request : bb_modbus_rtu_unpack_response;
  bb_modbus_rtu frame;
  uint8_t out[BB_MODBUS_RTU_MAX], *stream = copy_exactly(hex->at, hex->len);
  int len = unpack(&frame, stream, hex->len);
  check_int("result", len, result_of(expect, (int)number_of(expect, "length")));
  free(stream);
  if (len <= 0) return;
  unpack(&frame, hex->at, hex->len);
  check_int("unit", frame.unit, number_of(expect, "unit"));
  check_bytes("pdu", frame.pdu, frame.pdu_len, bb_doc_get_text(expect, "pdu"));
  memcpy(out + BB_MODBUS_RTU_HEAD, frame.pdu, frame.pdu_len);
  check_int("length packed", bb_modbus_rtu_pack(out, frame.unit, frame.pdu_len), len);
  assert_memory_equal(out, hex->at, (size_t)len);
  for (size_t cut = 0; cut < (size_t)len; cut++) {
    check_int("result when cut", unpack(&frame, hex->at, cut), 0);
  }
  for (size_t bit = 0; bit < (size_t)len * 8; bit++) {
    out[bit / 8] ^= (uint8_t)(1u << bit % 8);
    if (unpack(&frame, out, (size_t)len) > 0) fail_msg("%s: changed bit %zu passes", where, bit);
    out[bit / 8] ^= (uint8_t)(1u << bit % 8);
  }
}

static void test_modbus_codec_unpacks_and_packs_requests(void **state) {
  (void)state;
  run_vectors(VECTORS "request.json", "request", check_request);
}

static void test_modbus_codec_unpacks_and_packs_responses(void **state) {
  (void)state;
  run_vectors(VECTORS "response.json", "response", check_response);
}

static void test_modbus_codec_finds_tcp_frames(void **state) {
  (void)state;
  run_vectors(VECTORS "mbap.json", "tcp", check_tcp);
}

static void test_modbus_codec_finds_rtu_frames(void **state) {
  (void)state;
  run_vectors(VECTORS "rtu.json", "rtu-request", check_rtu);
  run_vectors(VECTORS "rtu.json", "rtu-response", check_rtu);
}

/* Every cut of a good request is refused, none is taken for another. */
static void check_request_cuts(const bb_doc *vector, const struct bytes *hex) {
  if (result_of(bb_doc_get(vector, "expect"), 0) != 0) return;
  bb_modbus_request request;
  check_int("empty", bb_modbus_request_unpack(&request, hex->at, 0), BB_ERR_FORMAT);
  for (size_t cut = 1; cut < hex->len; cut++) {
    uint8_t *pdu = copy_exactly(hex->at, cut);
    check_int("cut", bb_modbus_request_unpack(&request, pdu, cut), BB_MODBUS_ILLEGAL_DATA_VALUE);
    free(pdu);
  }
  struct bytes longer = *hex;
  longer.at[longer.len++] = 0;
  check_int("longer", bb_modbus_request_unpack(&request, longer.at, longer.len),
            BB_MODBUS_ILLEGAL_DATA_VALUE);
}

static void check_response_cuts(const bb_doc *vector, const struct bytes *hex) {
  if (bb_doc_get(bb_doc_get(vector, "expect"), "error") != NULL) return;
  struct bytes asked = parse_hex(bb_doc_get_text(vector, "request")), longer = *hex;
  bb_modbus_request request;
  bb_modbus_response response;
  check_int("request", bb_modbus_request_unpack(&request, asked.at, asked.len), 0);
  for (size_t cut = 0; cut < hex->len; cut++) {
    uint8_t *pdu = copy_exactly(hex->at, cut);
    check_int("cut", bb_modbus_response_unpack(&response, &request, pdu, cut), BB_ERR_FORMAT);
    free(pdu);
  }
  longer.at[longer.len++] = 0;
  check_int("longer", bb_modbus_response_unpack(&response, &request, longer.at, longer.len),
            BB_ERR_FORMAT);
}

static void test_modbus_codec_refuses_every_cut_pdu(void **state) {
  (void)state;
  run_vectors(VECTORS "request.json", "request", check_request_cuts);
  run_vectors(VECTORS "response.json", "response", check_response_cuts);
}

/* A response to each function with each first byte: only the function and its refusal are answers. */
static void test_modbus_codec_takes_only_the_function_asked_for(void **state) {
  (void)state;
  const bb_modbus_request request = {.function = 3, .address = 0, .quantity = 1};
  for (unsigned first = 0; first < 256; first++) {
    bb_modbus_response response;
    uint8_t pdu[4] = {(uint8_t)first, 2, 0x12, 0x34};
    int whole = bb_modbus_response_unpack(&response, &request, pdu, 4);
    int two = bb_modbus_response_unpack(&response, &request, pdu, 2);
    assert_int_equal(whole, first == 3 ? 0 : BB_ERR_FORMAT);
    assert_int_equal(two, first == 0x83 ? 2 : BB_ERR_FORMAT);
  }
}

static void test_modbus_codec_separates_merged_frames(void **state) {
  (void)state;
  uint8_t tcp[3 * BB_MODBUS_TCP_MAX], rtu[3 * BB_MODBUS_RTU_MAX];
  size_t tcp_len = 0, rtu_len = 0;
  for (uint8_t i = 1; i <= 3; i++) {
    const uint8_t pdu[] = {3, 2, 0, i};
    memcpy(tcp + tcp_len + BB_MODBUS_MBAP_LEN, pdu, sizeof(pdu));
    tcp_len += bb_modbus_mbap_pack(tcp + tcp_len, i, i, sizeof(pdu));
    memcpy(rtu + rtu_len + BB_MODBUS_RTU_HEAD, pdu, sizeof(pdu));
    rtu_len += bb_modbus_rtu_pack(rtu + rtu_len, i, sizeof(pdu));
  }
  size_t tcp_at = 0, rtu_at = 0;
  for (uint8_t i = 1; i <= 3; i++) {
    bb_modbus_mbap mbap;
    bb_modbus_rtu frame;
    tcp_at += (size_t)bb_modbus_mbap_unpack(&mbap, tcp + tcp_at, tcp_len - tcp_at);
    rtu_at += (size_t)bb_modbus_rtu_unpack_response(&frame, rtu + rtu_at, rtu_len - rtu_at);
    assert_int_equal(mbap.transaction, i);
    assert_int_equal(frame.unit, i);
    assert_int_equal(mbap.pdu[3], i);
    assert_int_equal(frame.pdu[3], i);
  }
  assert_int_equal(tcp_at, tcp_len);
  assert_int_equal(rtu_at, rtu_len);
}

static void test_modbus_codec_keeps_the_limits_of_requests(void **state) {
  (void)state;
  static const uint8_t zeros[BB_MODBUS_PDU_MAX];
  static const struct {
    bb_modbus_request request;
    int result;
  } cases[] = {
      {{.function = 3, .quantity = 0}, BB_ERR_RANGE},
      {{.function = 3, .quantity = 125}, 5},
      {{.function = 3, .quantity = 126}, BB_ERR_RANGE},
      {{.function = 4, .quantity = 126}, BB_ERR_RANGE},
      {{.function = 1, .quantity = 2000}, 5},
      {{.function = 1, .quantity = 2001}, BB_ERR_RANGE},
      {{.function = 2, .quantity = 2001}, BB_ERR_RANGE},
      {{.function = 3, .address = 65535, .quantity = 1}, 5},
      {{.function = 3, .address = 65535, .quantity = 2}, BB_ERR_RANGE},
      {{.function = 5, .quantity = 1, .data = zeros, .data_len = 1}, 5},
      {{.function = 5, .quantity = 2, .data = zeros, .data_len = 1}, BB_ERR_RANGE},
      {{.function = 5, .quantity = 1, .data = zeros, .data_len = 2}, BB_ERR_INVALID},
      {{.function = 6, .quantity = 1, .data = zeros, .data_len = 2}, 5},
      {{.function = 6, .quantity = 1}, BB_ERR_INVALID},
      {{.function = 15, .quantity = 1968, .data = zeros, .data_len = 246}, 252},
      {{.function = 15, .quantity = 1969, .data = zeros, .data_len = 247}, BB_ERR_RANGE},
      {{.function = 15, .quantity = 9, .data = zeros, .data_len = 1}, BB_ERR_INVALID},
      {{.function = 16, .quantity = 123, .data = zeros, .data_len = 246}, 252},
      {{.function = 16, .quantity = 124, .data = zeros, .data_len = 248}, BB_ERR_RANGE},
      {{.function = 16, .quantity = 2, .data = zeros, .data_len = 2}, BB_ERR_INVALID},
      {{.function = 22, .quantity = 1}, 7},
      {{.function = 22, .quantity = 0}, BB_ERR_RANGE},
      {{.function = 8, .data = zeros, .data_len = 250}, 253},
      {{.function = 8, .data = zeros, .data_len = 252}, BB_ERR_INVALID},
      {{.function = 8, .data = zeros, .data_len = 3}, BB_ERR_INVALID},
      {{.function = 8}, BB_ERR_INVALID},
      {{.function = 0, .quantity = 1}, BB_ERR_UNSUPPORTED},
      {{.function = 23, .quantity = 1}, BB_ERR_UNSUPPORTED},
      {{.function = 0x83, .quantity = 1}, BB_ERR_UNSUPPORTED},
  };
  for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
    uint8_t out[BB_MODBUS_PDU_MAX];
    snprintf(where, sizeof(where), "case %zu", i);
    check_int("result", bb_modbus_request_pack(out, &cases[i].request), cases[i].result);
  }
}

static void test_modbus_codec_keeps_the_limits_of_responses(void **state) {
  (void)state;
  static const uint8_t zeros[300];
  uint8_t out[BB_MODBUS_PDU_MAX];
  bb_modbus_request read = {.function = 3, .quantity = 125};
  bb_modbus_request write = {.function = 6, .quantity = 1, .data = zeros, .data_len = 2};
  bb_modbus_request diagnose = {.function = 8, .address = 11, .data = zeros, .data_len = 2};
  bb_modbus_request unknown = {.function = 23, .quantity = 1};
  assert_int_equal(bb_modbus_response_pack(out, &read, zeros, 250), 252);
  assert_int_equal(bb_modbus_response_pack(out, &read, zeros, 248), BB_ERR_INVALID);
  assert_int_equal(bb_modbus_response_pack(out, &write, NULL, 0), 5);
  assert_int_equal(bb_modbus_response_pack(out, &write, zeros, 2), BB_ERR_INVALID);
  assert_int_equal(bb_modbus_response_pack(out, &diagnose, zeros, 250), 253);
  assert_int_equal(bb_modbus_response_pack(out, &diagnose, zeros, 252), BB_ERR_INVALID);
  assert_int_equal(bb_modbus_response_pack(out, &diagnose, zeros, 1), BB_ERR_INVALID);
  assert_int_equal(bb_modbus_response_pack(out, &unknown, NULL, 0), BB_ERR_UNSUPPORTED);
  assert_int_equal(bb_modbus_response_len(&unknown), 0);
  read.quantity = 200;
  assert_int_equal(bb_modbus_response_pack(out, &read, zeros, 256), BB_ERR_INVALID);
}

static void test_modbus_codec_clears_the_bits_behind_the_last_coil(void **state) {
  (void)state;
  const uint8_t coils[] = {0xff, 0xff};
  const bb_modbus_request request = {.function = 15, .quantity = 10, .data = coils, .data_len = 2};
  uint8_t out[BB_MODBUS_PDU_MAX];
  assert_int_equal(bb_modbus_request_pack(out, &request), 8);
  assert_int_equal(out[6], 0xff);
  assert_int_equal(out[7], 0x03);
}

static void test_modbus_codec_names_functions_and_exceptions(void **state) {
  (void)state;
  assert_string_equal(bb_modbus_function_name(3), "read holding registers");
  assert_null(bb_modbus_function_name(0));
  assert_null(bb_modbus_function_name(7));
  assert_string_equal(bb_modbus_exception_name(2), "illegal data address");
  assert_non_null(strstr(bb_modbus_exception_text(11), "gateway"));
  assert_null(bb_modbus_exception_name(9));
  assert_null(bb_modbus_exception_text(255));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_modbus_codec_unpacks_and_packs_requests),
      cmocka_unit_test(test_modbus_codec_unpacks_and_packs_responses),
      cmocka_unit_test(test_modbus_codec_finds_tcp_frames),
      cmocka_unit_test(test_modbus_codec_finds_rtu_frames),
      cmocka_unit_test(test_modbus_codec_refuses_every_cut_pdu),
      cmocka_unit_test(test_modbus_codec_takes_only_the_function_asked_for),
      cmocka_unit_test(test_modbus_codec_separates_merged_frames),
      cmocka_unit_test(test_modbus_codec_keeps_the_limits_of_requests),
      cmocka_unit_test(test_modbus_codec_keeps_the_limits_of_responses),
      cmocka_unit_test(test_modbus_codec_clears_the_bits_behind_the_last_coil),
      cmocka_unit_test(test_modbus_codec_names_functions_and_exceptions),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
