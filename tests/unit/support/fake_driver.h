/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A driver that pushes, as cyclic I/O does: each call of fake_device_push is one cycle of the device.
 * The scan "slow" is polled beside it. It proves that the driver interface fits more than polling.
 *
 * Like a real one it answers later, from the loop, and never inside the call. The journal has a line
 * for each call that the runtime makes. The raw bytes of the first point are 01, of the second 02.
 */
#ifndef BB_TEST_FAKE_DRIVER_H
#define BB_TEST_FAKE_DRIVER_H

#include <uv.h>

#include "plug/driver.h"

/* Kind "cyclic". Options: `port` (7 is refused by check), `fails`; of a device: `slot` (0 to 15; 13
 * is refused by check_device), `fails`. */
extern const bb_driver bb_driver_fake;

typedef struct fake_conn {
  bb_conn base;
  /* read-only */
  uint32_t n_devices;
  /* private */
  uv_timer_t later;
} fake_conn;

typedef struct fake_device {
  bb_attachment base;
  /* public: what the device does */
  double value;     /* of its first point; each further one is 1 more */
  uint8_t quality;  /* of all points */
  uint8_t code;     /* of all points */
  int poll_status;  /* negative: polls end with it and bring nothing */
  bool holds_polls; /* polls end by fake_device_end_poll */
  int write_status; /* negative: write returns it */
  bb_outcome outcome;
  const char *outcome_text; /* NULL: none */
  bool holds_writes;        /* writes end on detach only */
  /* read-only */
  unsigned refused; /* cycles for which the host had no draft */
  bool polling;
  /* private */
  uv_timer_t later;
  uint32_t polled; /* which scan */
  bb_command *command;
  bool announced, ends, leaving;
} fake_device;

/* One cycle. False: the host had no draft for it. */
bool fake_device_push(fake_device *device, uint32_t scan, double value);
void fake_device_end_poll(fake_device *device);
void fake_device_state(fake_device *device, bool up, const char *why);

/* Another layout of a scan: only its first `n` points. */
void fake_device_layout(fake_device *device, uint32_t scan, uint16_t n);
void fake_conn_state(fake_conn *conn, bool up, const char *why);

#endif
