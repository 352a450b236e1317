/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small host for drivers: opens connections, attaches devices, polls and writes, and keeps what
 * the driver said. Everything on one loop; waiting runs the loop and fails the test after 10 s.
 */
#ifndef BB_TEST_DRIVER_HOST_H
#define BB_TEST_DRIVER_HOST_H

#include <uv.h>

#include "io/beat.h"
#include "plug/driver.h"
#include "support/expect.h"

#define DRIVER_HOST_WAIT_MS 10000

typedef struct driver_host driver_host;
typedef struct driver_conn driver_conn;
typedef struct driver_device driver_device;

struct driver_host {
  /* read-only */
  uv_loop_t loop;
  bb_beat beat; /* given to connections only where driver_host_has_beat */
  bb_log log;
  bb_clock clock;
  bb_histogram latency;
  size_t allocations; /* of the driver in its last open or attach */
  /* public */
  size_t fail_open, fail_attach; /* the allocation of the driver that fails; 0: none */
  bool apart;                    /* what is attached next is a guest */
};

struct driver_conn {
  /* read-only */
  driver_host *host;
  bb_conn *conn;
  bool up;
  unsigned n_up, n_down; /* calls of on_link */
  bb_reason reason;      /* of the last */
  bool closed;
  /* private */
  bb_doc_tree tree;
};

typedef struct driver_scan {
  /* read-only: of the last batch */
  uint8_t *quality, *codes, *values, *raw;
  unsigned n_batches, n_done, n_taken;
  unsigned n_good; /* polls that ended well */
  int status;      /* of the last poll */
  bb_shape *shape;
  bb_scan_mode mode;
  /* public */
  bool refuse_draft;  /* take gives NULL */
  bool again;         /* poll again as soon as a poll has ended well */
  unsigned n_started; /* the test's own */
  /* private */
  bb_draft draft;
  bool lent;
  uint16_t *places;
} driver_scan;

struct driver_device {
  /* read-only */
  driver_conn *conn;
  bb_attachment *attachment;
  driver_scan scans[BB_MAX_SCANS];
  bool up;
  unsigned n_up, n_down; /* calls of on_device: the first answer is one, another cause too */
  bb_reason reason;      /* of the last */
  unsigned n_written;
  bb_outcome outcome; /* of the last command */
  bb_reason why;
  bool detached;
  unsigned done_before_detached;
  /* public */
  void (*on_done)(driver_device *device, uint32_t scan); /* inside on_poll_done */
  void *user;
  /* private */
  bb_doc_tree tree;
  bb_profile *profile;
  bb_device *identity;
  bb_scan list[BB_MAX_SCANS];
};

/* The connections opened from now on have a beat. */
extern bool driver_host_has_beat;

/* Runs a group of tests without a beat, and with one at which all answers are taken. The same must come
 * of everything. */
int driver_host_run_twice(const char *name, const struct CMUnitTest *tests, size_t n);
#define DRIVER_HOST_RUN_TWICE(name, tests)                                                         \
  driver_host_run_twice(name, tests, sizeof(tests) / sizeof((tests)[0]))

void driver_host_init(driver_host *host);

/* Everything has been closed. */
void driver_host_close(driver_host *host);

/* As the runtime does it: 0 or the driver's error, after which nothing is left. `options` is YAML. */
int driver_conn_open(driver_conn *conn, driver_host *host, const bb_driver *driver, const char *id,
                     const char *options);

/* Also waits for it, and frees what there is. */
void driver_conn_close(driver_conn *conn);

/* Only frees, for a test that closed by itself. */
void driver_conn_free(driver_conn *conn);

/* Takes a reference of the profile; the scans are those of the profile that have points. */
int driver_device_attach(driver_device *device, driver_conn *conn, const char *id,
                         bb_profile *profile, const char *options);
void driver_device_detach(driver_device *device); /* waits and frees too */
void driver_device_free(driver_device *device);

/* Starts a poll and waits for its end; the status. */
int driver_device_poll(driver_device *device, uint32_t scan);

/* Only starts it. */
void driver_device_start(driver_device *device, uint32_t scan);

/* A command of one value, or several; waits for its end. */
bb_outcome driver_device_write(driver_device *device, const char *point, double value);
void driver_command_add(bb_command *command, const driver_device *device, const char *point,
                        bb_value value);
bb_outcome driver_device_command(driver_device *device, bb_command *command);

/* Of the last batch of the scan that has the point. */
uint8_t driver_device_quality(const driver_device *device, const char *point);
uint8_t driver_device_code(const driver_device *device, const char *point);
double driver_device_value(const driver_device *device, const char *point);

/* Runs the loop until the condition holds. */
typedef bool (*driver_condition)(void *user);
void driver_host_wait(driver_host *host, const char *what, driver_condition condition, void *user);
void driver_host_wait_flag(driver_host *host, const char *what, const bool *flag);
void driver_host_wait_count(driver_host *host, const char *what, const unsigned *count,
                            unsigned at_least);

/* Lets the loop run for that long. */
void driver_host_run(driver_host *host, uint32_t ms);

#endif
