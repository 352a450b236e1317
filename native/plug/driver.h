/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a driver is to the runtime. A driver knows one protocol; it knows no sink, no route, no
 * config beyond its own part. The runtime knows no protocol.
 *
 * Life of a connection: check, endpoint (both pure), open, then attach, poll, write, detach for each
 * device, close. Everything runs on the loop thread; a driver with a thread of its own comes back to
 * the loop before it calls the host. No call of the host may happen inside open or attach, but for
 * on_shape inside attach.
 *
 * Both objects are the runtime's: it allocates conn_bytes and attachment_bytes, zeroed, and the
 * driver's own struct begins with bb_conn or bb_attachment. The memory is free again once on_closed
 * or on_detached has been called.
 */
#ifndef BB_PLUG_DRIVER_H
#define BB_PLUG_DRIVER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/clock.h"
#include "base/histogram.h"
#include "base/log.h"
#include "base/schema.h"
#include "model/batch.h"
#include "model/profile.h"
#include "plug/command.h"
#include "plug/reason.h"

struct uv_loop_s;
struct bb_beat;

typedef struct bb_conn bb_conn;
typedef struct bb_attachment bb_attachment;
typedef struct bb_draft bb_draft;
typedef struct bb_driver bb_driver;
typedef struct bb_driver_host bb_driver_host;

/* A scan is polled by the runtime's schedule, or pushed by the device (cyclic I/O, subscription). */
typedef enum bb_scan_mode { BB_SCAN_POLLED, BB_SCAN_PUSHED } bb_scan_mode;

/* Points of one device that are read together. */
typedef struct bb_scan {
  const char *name;
  uint32_t period_ms;
  const uint16_t *points; /* places in the profile, in the shape's order */
  uint16_t n_points;
} bb_scan;

/* What a connection has seen since it was opened; the driver counts, the metrics show. */
typedef struct bb_conn_counters {
  uint64_t requests;
  uint64_t answers;  /* refusals included */
  uint64_t refusals; /* the device answered with an exception */
  uint64_t timeouts;
  uint64_t malformed; /* answers that make no sense */
  uint64_t discarded; /* late or foreign answers */
  uint64_t connects;
  uint64_t disconnects; /* unwanted ones */
} bb_conn_counters;

struct bb_conn {
  /* public: set by the runtime before open */
  const char *id;
  const bb_driver *driver;
  const bb_driver_host *host;
  struct uv_loop_s *loop;
  struct bb_beat *beat; /* of the loop, for what can wait for it; NULL: nothing waits */
  bb_log *log;
  const bb_clock *clock;
  bb_histogram *latency; /* of one request, in ns; shared by the driver's connections */
  uint64_t seed;         /* differs between connections: for jitter */
  void *owner;           /* the host's */
  /* read-only: kept by the driver */
  bool up;
  bb_conn_counters counters;
};

struct bb_attachment {
  /* public: set by the runtime before attach; unchanged until on_detached */
  bb_conn *conn;
  const bb_device *device;
  const bb_profile *profile;
  const bb_doc *options; /* the device's map in the config document */
  const bb_scan *scans;
  uint32_t n_scans;
  /* A guest, which is read once beside the devices of the config and never written to. What becomes of
   * its requests changes nothing for the connection's other attachments: not their state, not what was
   * learnt of them, also where a guest has the same address as one of them. */
  bool apart;
  /* A client waits for the polls that are started while it is set. */
  bool awaited;
  void *owner; /* the host's */
  /* read-only: kept by the driver */
  bool up; /* answers, or is not yet known not to */
};

/* Bytes that a draft keeps of what stood on the wire, for each point. */
#define BB_DRAFT_RAW 8

/* A batch being filled. Taken from the host for one scan, given back by on_batch. */
struct bb_draft {
  /* public: the driver fills these */
  int64_t time_ns; /* UTC at the source; set by take to now, which may be a beat (io/beat.h) late */
  uint8_t *quality; /* one byte a point; set by take to bad, not read */
  uint8_t *codes;   /* the device's refusal code, a byte a point; set by take to 0 */
  uint8_t *values;  /* by the shape's offsets */
  uint8_t *raw;     /* NULL, or BB_DRAFT_RAW bytes a point that a probe wants to see */
  uint8_t flags;    /* BB_BATCH_… */
  bool has_codes;   /* some code is not 0 */
  /* read-only */
  const bb_shape *shape;
};

struct bb_driver_host {
  /* The connection came up, or is down and why. Only on change. */
  void (*on_link)(bb_conn *conn, bool up, const bb_reason *reason);

  /* The device answers, or is lost and why. Only on change; a device that was lost with its connection is
   * told as lost once more when that is back and the device still gives no answer. */
  void (*on_device)(bb_attachment *attachment, bool up, const bb_reason *reason);

  /* The layout of a scan: once inside or after attach, again when it changes, but not while a draft
   * of the scan is out. Takes over the reference. */
  void (*on_shape)(bb_attachment *attachment, uint32_t scan, bb_shape *shape, bb_scan_mode mode);

  /* A draft of the scan's shape; NULL: none is free, count and skip. Valid until on_batch. */
  bb_draft *(*take)(bb_attachment *attachment, uint32_t scan);

  /* Gives the draft back, full or partly full. */
  void (*on_batch)(bb_attachment *attachment, uint32_t scan, bb_draft *draft);

  /* Exactly once for each poll that was started, after its on_batch. `status`: 0, or why there is
   * nothing: BB_ERR_TIMEOUT, BB_ERR_CLOSED, ... */
  void (*on_poll_done)(bb_attachment *attachment, uint32_t scan, int status);

  /* The end of a write. The outcome goes on to the command's own on_done. */
  void (*on_write_done)(bb_attachment *attachment, bb_command *command, bb_outcome outcome,
                        const bb_reason *reason);

  /* What happened at the device, in words: at `time_ns` (0: now), with BB_BATCH_… flags. For the sinks
   * that want events. 0; BB_ERR_LIMIT: longer than BB_MAX_EVENT_TEXT. */
  int (*on_event)(bb_attachment *attachment, int64_t time_ns, uint8_t flags, const char *text,
                  uint16_t len);

  void (*on_detached)(bb_attachment *attachment);
  void (*on_closed)(bb_conn *conn);
};

struct bb_driver {
  const char *kind; /* "modbus-tcp": the key in the config document */
  size_t conn_bytes;
  size_t attachment_bytes;
  const bb_schema *options;        /* of a connection */
  const bb_schema *device_options; /* of a device, beside those that every device has */

  /* What the schemas cannot say. Pure. NULL: nothing more to check. */
  int (*check)(const bb_doc *options, bb_report *report);
  int (*check_device)(const bb_doc *options, const bb_profile *profile, bb_report *report);

  /* The name of what may have only one owner: "tcp:10.0.0.21:502", "serial:/dev/ttyUSB0"; "" when
   * there is no such thing. Pure. */
  int (*endpoint)(const bb_doc *options, char *out, size_t cap);

  /* Starts. The document's text lives as long as the connection. */
  int (*open)(bb_conn *conn, const bb_doc *options);
  int (*attach)(bb_attachment *attachment);

  /* Reads a polled scan once; never called while a poll of the same scan is under way. 0: on_poll_done
   * will follow (also on detach); negative: it will not. */
  int (*poll)(bb_attachment *attachment, uint32_t scan);

  /* Writes, ahead of waiting reads, keeping the order of points. 0: on_write_done will follow. NULL:
   * the driver cannot write. */
  int (*write)(bb_attachment *attachment, bb_command *command);

  /* Ends what is under way, then on_detached. */
  void (*detach)(bb_attachment *attachment);

  /* After the last detach. Then on_closed. */
  void (*close)(bb_conn *conn);
};

/* Bytes of the wire were kept in a draft's raw for a point of that quality, even if they make no value:
 * codec->raw_bytes of them, of longer ones the first. */
bool bb_draft_has_raw(uint8_t quality, const bb_codec *codec);

/* The shape that a scan of a profile has when the device adds nothing of its own. NULL without
 * memory. */
bb_shape *bb_scan_shape(const bb_profile *profile, const bb_scan *scan);

#endif
