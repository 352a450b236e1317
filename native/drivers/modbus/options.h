/* SPDX-License-Identifier: Apache-2.0 */
/* The config of a Modbus connection and of a device on it: schemas, checks, endpoint. Pure. */
#ifndef BB_DRIVERS_MODBUS_OPTIONS_H
#define BB_DRIVERS_MODBUS_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/schema.h"
#include "model/profile.h"

#define BB_MODBUS_MAX_IN_FLIGHT 16 /* implementation guide, 4.4.1.2: NumberMaxOfClientTransaction */

typedef enum bb_modbus_framing { BB_MODBUS_FRAMING_TCP, BB_MODBUS_FRAMING_RTU } bb_modbus_framing;

/* What both kinds of connection have; the first part of both. Times in ms. */
typedef struct bb_modbus_line_options {
  uint32_t timeout_ms;
  uint32_t pause_ms;        /* between an answer and the next request */
  uint32_t min_interval_ms; /* between the starts of two polls of one unit */
} bb_modbus_line_options;

typedef struct bb_modbus_tcp_options {
  bb_modbus_line_options line;
  const char *host;
  uint32_t port;
  int framing;            /* bb_modbus_framing */
  uint32_t max_in_flight; /* 0: as the profiles say */
  uint32_t connect_timeout_ms;
  uint32_t pause_after_connect_ms;
  bool close_after_poll;
  uint32_t keepalive_ms; /* 0: none */
  uint32_t reconnect_max_ms;
} bb_modbus_tcp_options;

typedef enum bb_modbus_parity { BB_MODBUS_NONE, BB_MODBUS_EVEN, BB_MODBUS_ODD } bb_modbus_parity;
typedef enum bb_modbus_mode { BB_MODBUS_RS232, BB_MODBUS_RS485 } bb_modbus_mode;
typedef enum bb_modbus_rts {
  BB_MODBUS_RTS_NONE,
  BB_MODBUS_RTS_UP,
  BB_MODBUS_RTS_DOWN
} bb_modbus_rts;

typedef struct bb_modbus_rtu_options {
  bb_modbus_line_options line;
  const char *path;
  uint32_t baud;
  int parity; /* bb_modbus_parity */
  uint32_t data_bits;
  uint32_t stop_bits;
  int mode; /* bb_modbus_mode */
  int rts;  /* bb_modbus_rts */
  uint32_t reconnect_max_ms;
} bb_modbus_rtu_options;

extern const bb_schema bb_modbus_tcp_schema, bb_modbus_rtu_schema;
extern const bb_schema bb_modbus_tcp_device_schema, bb_modbus_rtu_device_schema;

/* As the schemas read them, without reporting; mistakes have been told by the check. */
void bb_modbus_tcp_options_read(bb_modbus_tcp_options *options, const bb_doc *doc);
void bb_modbus_rtu_options_read(bb_modbus_rtu_options *options, const bb_doc *doc);
uint8_t bb_modbus_unit_read(const bb_schema *schema, const bb_doc *device);

/* Of bb_driver. */
int bb_modbus_tcp_endpoint(const bb_doc *doc, char *out, size_t cap);
int bb_modbus_rtu_endpoint(const bb_doc *doc, char *out, size_t cap);
int bb_modbus_rtu_check(const bb_doc *doc, bb_report *report);
int bb_modbus_check_device(const bb_doc *doc, const bb_profile *profile, bb_report *report);

/* The pause that the serial line standard (V1.02, 2.5.1.1) asks for between frames, in µs: 3.5
 * characters, above 19,200 baud 1,750. */
uint32_t bb_modbus_rtu_gap_us(const bb_modbus_rtu_options *options);

#endif
