/* SPDX-License-Identifier: Apache-2.0 */
/* See options.h. */
#include "drivers/modbus/options.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "drivers/modbus/plan.h"

#define MINUTE 60000
#define HOUR 3600000

static const char *const framings[] = {"tcp", "rtu", NULL};
static const char *const parities[] = {"none", "even", "odd", NULL};
static const char *const modes[] = {"rs232", "rs485", NULL};
static const char *const rts[] = {"none", "up", "down", NULL};

/* What both kinds have. */
#define LINE_FIELDS(type)                                                                          \
  {"timeout",                                                                                      \
   BB_FIELD_DURATION,                                                                              \
   offsetof(type, line.timeout_ms),                                                                \
   .min = 10,                                                                                      \
   .max = MINUTE,                                                                                  \
   .fallback = "1s",                                                                               \
   .help = "How long a request waits for its answer."},                                            \
      {"pause_between_requests",                                                                   \
       BB_FIELD_DURATION,                                                                          \
       offsetof(type, line.pause_ms),                                                              \
       .min = 0,                                                                                   \
       .max = MINUTE,                                                                              \
       .fallback = "0ms",                                                                          \
       .help = "Silence between an answer and the next request."},                                 \
      {"min_interval",                                                                             \
       BB_FIELD_DURATION,                                                                          \
       offsetof(type, line.min_interval_ms),                                                       \
       .min = 0,                                                                                   \
       .max = MINUTE,                                                                              \
       .fallback = "0ms",                                                                          \
       .help = "Shortest time between two polls of one device; an earlier poll waits. The "        \
               "profile may ask for more."},                                                       \
  {                                                                                                \
    "reconnect_max", BB_FIELD_DURATION, offsetof(type, reconnect_max_ms),                          \
        .min = 1000, .max = HOUR, .fallback = "60s",                                               \
        .help = "Longest wait before the next try to connect; the first is 1 s, then doubling."    \
  }

#define AT(field) offsetof(bb_modbus_tcp_options, field)
static const bb_field tcp_fields[] = {
    {"host", BB_FIELD_TEXT, AT(host), .required = true,
     .help = "Name or address of the device or gateway."},
    {"port", BB_FIELD_U32, AT(port), .min = 1, .max = 65535, .fallback = "502",
     .help = "TCP port."},
    {"framing", BB_FIELD_CHOICE, AT(framing), .choices = framings, .fallback = "tcp",
     .help = "`rtu` for serial servers that pass on RTU frames as they are."},
    {"max_in_flight", BB_FIELD_U32, AT(max_in_flight), .min = 1, .max = BB_MODBUS_MAX_IN_FLIGHT,
     .help =
         "Requests under way at once. Default: what the profiles allow, mostly 1. Always 1 with "
         "RTU framing."},
    {"connect_timeout", BB_FIELD_DURATION, AT(connect_timeout_ms), .min = 100, .max = MINUTE,
     .fallback = "5s", .help = "How long a connection may take to come about."},
    {"pause_after_connect", BB_FIELD_DURATION, AT(pause_after_connect_ms), .min = 0, .max = MINUTE,
     .fallback = "0ms", .help = "Silence after connecting, for devices that need it."},
    {"close_after_poll", BB_FIELD_BOOL, AT(close_after_poll), .fallback = "false",
     .help = "Close the connection when nothing is left to ask, so that others can have it."},
    {"keepalive", BB_FIELD_DURATION, AT(keepalive_ms), .min = 0, .max = HOUR, .fallback = "60s",
     .help = "TCP keep-alive after that much silence; 0s: none."},
    LINE_FIELDS(bb_modbus_tcp_options),
};
const bb_schema bb_modbus_tcp_schema = BB_SCHEMA("modbus-tcp", tcp_fields);
#undef AT

#define AT(field) offsetof(bb_modbus_rtu_options, field)
static const bb_field rtu_fields[] = {
    {"path", BB_FIELD_TEXT, AT(path), .required = true,
     .help = "The serial port, such as /dev/ttyUSB0 or a link below /dev/serial/by-id."},
    {"baud", BB_FIELD_U32, AT(baud), .min = 110, .max = 4000000, .fallback = "9600",
     .help = "Bits per second."},
    {"parity", BB_FIELD_CHOICE, AT(parity), .choices = parities, .fallback = "none",
     .help = "Parity; as the devices of the line are set."},
    {"data_bits", BB_FIELD_U32, AT(data_bits), .min = 7, .max = 8, .fallback = "8",
     .help = "Data bits."},
    {"stop_bits", BB_FIELD_U32, AT(stop_bits), .min = 1, .max = 2, .fallback = "1",
     .help = "Stop bits."},
    {"mode", BB_FIELD_CHOICE, AT(mode), .choices = modes, .fallback = "rs232",
     .help = "`rs485` has the kernel's driver switch the transmitter; USB adapters do it by "
             "themselves and need `rs232`."},
    {"rts", BB_FIELD_CHOICE, AT(rts), .choices = rts, .fallback = "none",
     .help = "Switch the transmitter by the RTS line, which is up or down while sending."},
    LINE_FIELDS(bb_modbus_rtu_options),
};
const bb_schema bb_modbus_rtu_schema = BB_SCHEMA("modbus-rtu", rtu_fields);
#undef AT

typedef struct {
  uint32_t unit;
} device_options;

static const bb_field tcp_device_fields[] = {
    {"unit", BB_FIELD_U32, offsetof(device_options, unit), .min = 0, .max = 255, .fallback = "1",
     .help = "Unit id. Behind a gateway the device's serial address; else 1, 255 or 0."},
};
const bb_schema bb_modbus_tcp_device_schema = BB_SCHEMA("device", tcp_device_fields);

static const bb_field rtu_device_fields[] = {
    {"unit", BB_FIELD_U32, offsetof(device_options, unit), .min = 1, .max = 247, .fallback = "1",
     .help = "The device's address on the serial line."},
};
const bb_schema bb_modbus_rtu_device_schema = BB_SCHEMA("device", rtu_device_fields);

static void read_quietly(const bb_schema *schema, const bb_doc *doc, void *out) {
  bb_report report;
  bb_report_init(&report);
  bb_schema_read_part(schema, doc, out, &report);
  bb_report_close(&report);
}

void bb_modbus_tcp_options_read(bb_modbus_tcp_options *options, const bb_doc *doc) {
  memset(options, 0, sizeof(*options));
  read_quietly(&bb_modbus_tcp_schema, doc, options);
  if (options->framing == BB_MODBUS_FRAMING_RTU) options->max_in_flight = 1;
}

void bb_modbus_rtu_options_read(bb_modbus_rtu_options *options, const bb_doc *doc) {
  memset(options, 0, sizeof(*options));
  read_quietly(&bb_modbus_rtu_schema, doc, options);
}

uint8_t bb_modbus_unit_read(const bb_schema *schema, const bb_doc *device) {
  device_options options = {0};
  read_quietly(schema, device, &options);
  return (uint8_t)options.unit;
}

int bb_modbus_tcp_endpoint(const bb_doc *doc, char *out, size_t cap) {
  bb_modbus_tcp_options options;
  bb_modbus_tcp_options_read(&options, doc);
  if (options.host == NULL) return BB_ERR_CONFIG;
  bool is_ipv6 = strchr(options.host, ':') != NULL;
  int len = snprintf(out, cap, is_ipv6 ? "tcp:[%s]:%u" : "tcp:%s:%u", options.host, options.port);
  if (len < 0 || (size_t)len >= cap) return BB_ERR_LIMIT;
  /* Host names know no case (RFC 4343). */
  for (char *c = out; *c != 0; c++) *c = (char)tolower((unsigned char)*c);
  return 0;
}

int bb_modbus_rtu_endpoint(const bb_doc *doc, char *out, size_t cap) {
  bb_modbus_rtu_options options;
  bb_modbus_rtu_options_read(&options, doc);
  if (options.path == NULL) return BB_ERR_CONFIG;
  int len = snprintf(out, cap, "serial:%s", options.path);
  return len < 0 || (size_t)len >= cap ? BB_ERR_LIMIT : 0;
}

/* Those that a Linux terminal has; libmodbus would take another one for 9,600. */
static const uint32_t bauds[] = {
    110,     300,     600,     1200,    2400,    4800,    9600,    19200,
    38400,   57600,   115200,  230400,  460800,  500000,  576000,  921600,
    1000000, 1152000, 1500000, 2000000, 2500000, 3000000, 3500000, 4000000,
};

static bool is_baud(uint32_t baud) {
  for (size_t i = 0; i < sizeof(bauds) / sizeof(bauds[0]); i++) {
    if (bauds[i] == baud) return true;
  }
  return false;
}

int bb_modbus_rtu_check(const bb_doc *doc, bb_report *report) {
  bb_modbus_rtu_options options;
  int result = 0;
  bb_modbus_rtu_options_read(&options, doc);
  if (!is_baud(options.baud)) {
    bb_report_add(report, bb_doc_get(doc, "baud"),
                  "%u is no rate of a serial port; allowed: 1200, 2400, 4800, 9600, 19200, 38400, "
                  "57600, 115200 and other standard ones",
                  options.baud);
    result = BB_ERR_CONFIG;
  }
  if (options.mode == BB_MODBUS_RS485 && options.rts != BB_MODBUS_RTS_NONE) {
    bb_report_add(report, bb_doc_get(doc, "rts"),
                  "does not go with mode rs485, in which the kernel's driver switches the "
                  "transmitter; allowed: none");
    result = BB_ERR_CONFIG;
  }
  return result;
}

static bool is_modbus(const bb_profile_point *point) {
  return point->space <= BB_SPACE_HOLDING;
}

static int check_scales(const bb_doc *doc, const bb_profile *profile, bb_report *report) {
  bb_modbus_limits limits;
  int result = 0;
  bb_modbus_limits_init(&limits, profile);
  for (uint16_t i = 0; i < profile->n_points; i++) {
    const bb_profile_point *point = &profile->points[i];
    if (!is_modbus(point) || bb_modbus_limits_scale(&limits, profile, i)) continue;
    bb_report_add(report, doc,
                  "profile %s: %s and its scale factor %s do not fit into one read; allowed: the "
                  "same table, at most %u registers from the first to the last, nothing unreadable "
                  "in between",
                  profile->id, point->point.name, profile->points[point->scale_from].point.name,
                  limits.most[point->space]);
    result = BB_ERR_CONFIG;
  }
  return result;
}

int bb_modbus_check_device(const bb_doc *doc, const bb_profile *profile, bb_report *report) {
  uint32_t n = 0;
  for (uint32_t i = 0; i < profile->n_points; i++) n += is_modbus(&profile->points[i]);
  if (n > 0) return check_scales(doc, profile, report);
  bb_report_add(report, doc,
                "profile %s has no point with a Modbus address; allowed: a profile with coils, "
                "discrete inputs or registers",
                profile->id);
  return BB_ERR_CONFIG;
}

uint32_t bb_modbus_rtu_gap_us(const bb_modbus_rtu_options *options) {
  if (options->baud > 19200) return 1750;
  uint32_t bits = 1 + options->data_bits + (options->parity != BB_MODBUS_NONE) + options->stop_bits;
  return (bits * 3500000u + options->baud - 1) / options->baud;
}
