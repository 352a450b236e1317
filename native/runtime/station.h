/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Links and stations: a connection and a device as the runtime keeps them while they run, with what
 * the drivers' host needs: drafts, the latest batch, the schedule's due times, counters, feeds.
 *
 * Of each scan there are two batches in memory: the latest, and the one being filled. They change
 * places, so nothing is copied or allocated for a poll.
 */
#ifndef BB_RUNTIME_STATION_H
#define BB_RUNTIME_STATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/heap.h"
#include "plug/driver.h"
#include "runtime/config.h"
#include "runtime/feed.h"

struct bb_runtime;
struct bb_station;

typedef struct bb_link {
  /* read-only */
  const char *id;
  const bb_config_connection *config;
  bb_config *owner; /* referenced */
  bb_conn *conn;
  bb_reason reason; /* why it is down */
  int64_t since_ns; /* UTC: up or down since; 0: neither yet */
  uint32_t n_stations;
  bool closing; /* to be closed once its last station has left */
  bool closed;  /* its close has begun */
  struct bb_runtime *runtime;
} bb_link;

typedef struct bb_scan_counters {
  uint64_t polls;   /* started */
  uint64_t done;    /* with an answer */
  uint64_t failed;  /* without */
  uint64_t skipped; /* periods that passed while a poll was under way, or while the loop was late */
  uint64_t late_ns_max;
  uint64_t late_ns_sum;
  uint64_t samples[4]; /* by quality class */
} bb_scan_counters;

/* The memory of one batch. */
typedef struct bb_scan_buffer {
  uint8_t *quality, *codes, *values;
} bb_scan_buffer;

typedef struct bb_station_scan {
  /* read-only */
  struct bb_station *station;
  const bb_scan *scan;
  bb_shape *shape; /* referenced; NULL until the driver knew it */
  bb_scan_mode mode;
  bb_batch latest; /* valid where has_latest */
  bool has_latest;
  bool stale; /* its loss was announced */
  bool polling;
  bb_scan_counters counters;
  /* private */
  bb_heap_node due;              /* of the schedule */
  uint64_t period_ns, offset_ns; /* due at n × period + offset */
  uint64_t started_ns;
  bool off_grid; /* its first poll comes before its grid begins */
  bb_draft draft;
  bool draft_taken;
  bb_scan_buffer buffers[2];
  uint8_t filling; /* which of the two */
  uint8_t *memory; /* of both */
  bb_feed *feeds;
} bb_station_scan;

typedef struct bb_station {
  /* read-only */
  const char *id;
  const bb_config_device *config;
  bb_config *owner; /* referenced */
  bb_link *link;
  bb_attachment *attachment;
  bool up;          /* answers */
  bool known;       /* up or down is known */
  bool alone;       /* lost while its connection stood: its return is worth a line of its own */
  bool leaving;     /* to be detached */
  bool detached;    /* its detach has begun */
  bb_reason reason; /* why it is lost */
  int64_t since_ns; /* UTC: up or down since */
  uint8_t loss;     /* bb_cause of the newest poll that brought nothing; 0: none did */
  int64_t heard_ns; /* UTC of the newest batch with a good value; 0: none yet */
  uint64_t last_write_ns; /* monotonic */
  uint64_t event_sinks;   /* who gets its events: bits of bb_outlet.place */
  bb_stream *events;      /* NULL: nobody does */
  int64_t event_ns;       /* UTC of its newest event */
  uint32_t n_scans;
  struct bb_runtime *runtime;
  bb_station_scan scans[];
} bb_station;

/* Opens the connection. NULL with `reason` when that fails. */
bb_link *bb_link_open(struct bb_runtime *runtime, bb_config *owner,
                      const bb_config_connection *config, bb_reason *reason);

/* Closes it once its last station has left. */
void bb_link_close(bb_link *link);

/* Attaches the device and puts its scans into the schedule. NULL with `reason`. */
bb_station *bb_station_open(struct bb_runtime *runtime, bb_config *owner,
                            const bb_config_device *config, bb_link *link, bb_reason *reason);

/* Detaches; the runtime is told by bb_runtime_station_closed, and the station is freed. */
void bb_station_close(bb_station *station);

/* Polls that scan now, unless a poll of it is under way. */
void bb_station_poll(bb_station_scan *scan, uint64_t now_ns);

/* Sends a batch on: latest, feeds, clients. Used by the host and by tests. */
void bb_station_publish(bb_station_scan *scan, bb_batch *batch);

/* It answers, or is lost and why: sets its state, tells sinks and clients. */
void bb_station_turn(bb_station *station, bool up, const bb_reason *reason);

/* Announces once that its values are from before the loss. */
void bb_station_announce_stale(bb_station *station);

/* It is known whether it answers, or nobody asks it: its source brings what it has. */
bool bb_station_was_asked(const bb_station *station);

/* Gives back the memory; the driver has let go of it. */
void bb_link_free(bb_link *link);
void bb_station_free(bb_station *station);

extern const bb_driver_host bb_station_host;

#endif
