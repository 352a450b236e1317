/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The config document, checked and resolved: connections, devices with their profiles and scans,
 * sinks, routes. Nothing here opens or starts anything. docs/config.md is the reference.
 *
 * A config is immutable and counted: what runs by it keeps a reference, so that a changed document
 * leaves the strings of an unchanged device where they are.
 */
#ifndef BB_RUNTIME_CONFIG_H
#define BB_RUNTIME_CONFIG_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/doc.h"
#include "base/log.h"
#include "base/map.h"
#include "base/report.h"
#include "runtime/kinds.h"

typedef struct bb_config_connection {
  const char *id;
  const bb_doc *doc;     /* the whole map, for comparison */
  const bb_doc *options; /* what stands under the driver's key */
  const bb_driver *driver;
  const char *endpoint;
  bool used; /* by an enabled device */
} bb_config_connection;

typedef struct bb_config_device {
  const char *id;
  const bb_doc *doc;
  const bb_config_connection *connection;
  bb_profile *profile;  /* referenced; NULL: an external device that brings its own points */
  bb_device *device;    /* who it is; referenced */
  const bb_scan *scans; /* those with points and a period, in the profile's order */
  uint32_t n_scans;
  bool enabled;
} bb_config_device;

typedef enum bb_config_store_mode { BB_CONFIG_DISK, BB_CONFIG_MEMORY } bb_config_store_mode;

/* How what waits for one sink is kept; 0: as for all. */
typedef struct bb_config_sink_store {
  int mode; /* bb_config_store_mode */
  uint64_t max_bytes;
  uint32_t max_age_ms;
  uint32_t history_rate; /* batches a second */
} bb_config_sink_store;

typedef struct bb_config_store {
  uint32_t sync_ms;
  uint64_t max_bytes, dead_bytes;
  uint32_t max_age_ms, dead_age_ms;
} bb_config_store;

typedef struct bb_config_sink {
  const char *id;
  const bb_doc *doc;
  const bb_doc *options; /* what stands under the kind's key */
  const bb_sink_kind *kind;
  bb_config_sink_store store;
  bool events; /* of the short form of a route */
  bool enabled;
} bb_config_sink;

typedef enum bb_report_mode { BB_REPORT_ALL, BB_REPORT_CHANGES } bb_report_mode;

typedef enum bb_aggregate {
  BB_AGGREGATE_NONE,
  BB_AGGREGATE_LAST,
  BB_AGGREGATE_MEAN,
  BB_AGGREGATE_MIN,
  BB_AGGREGATE_MAX,
} bb_aggregate;

/* What of a device a sink gets, and when. */
typedef struct bb_config_route {
  const bb_config_sink *sink;
  const bb_doc *devices; /* patterns; NULL: all */
  const bb_doc *scans;   /* patterns; NULL: all */
  const bb_doc *points;  /* patterns; NULL: all */
  int report;            /* bb_report_mode */
  uint32_t heartbeat_ms; /* everything again after so long without a report; 0: never */
  uint32_t every_ms;     /* at most one batch in so long; 0: each */
  int aggregate;         /* bb_aggregate, over every_ms */
  bool events;           /* also the events of these devices, and the outcomes of writes to them */
} bb_config_route;

typedef struct bb_config_runtime {
  const char *metrics;        /* "127.0.0.1:9464"; "off": none */
  int owner;                  /* bb_config_owner */
  int log_level;              /* bb_log_level */
  int log_format;             /* 0 text, 1 json */
  uint64_t queue_bytes;       /* of memory for what is not yet delivered */
  bb_config_store store;      /* and of the disk */
  uint32_t write_interval_ms; /* between two commands to one device */
  bool says_socket;           /* the two below stand in the document */
  int socket_mode;            /* of the control socket: place in bb_socket_modes */
  const char *socket_group;   /* NULL: that of the process */
} bb_config_runtime;

typedef enum bb_config_owner { BB_OWNER_FILE, BB_OWNER_EDITOR } bb_config_owner;

typedef struct bb_config {
  /* read-only */
  const char *site; /* id; "" without one */
  bb_config_connection *connections;
  bb_config_device *devices;
  bb_config_sink *sinks;
  bb_config_route *routes;
  uint32_t n_connections, n_devices, n_sinks, n_routes;
  bb_config_runtime runtime;
  /* private */
  bb_map connections_by_id, devices_by_id, sinks_by_id, profiles_by_id;
  bb_doc_tree tree;
  bb_arena arena;
  uint32_t refs;
} bb_config;

/*
 * Reads and checks a document; all mistakes go to `report`. Profiles are looked up beside the
 * document, then among the bundled ones. A file may be the one in which a runtime keeps its last document
 * (place.h). 0 with one reference in *out, BB_ERR_CONFIG or BB_ERR_NOMEM
 * with *out NULL.
 */
int bb_config_load(bb_config **out, const char *path, const bb_kinds *kinds, bb_report *report);
int bb_config_parse(bb_config **out, const char *name, const char *text, size_t len,
                    const bb_kinds *kinds, bb_report *report);

bb_config *bb_config_ref(bb_config *config);
void bb_config_unref(bb_config *config); /* harmless on NULL */

/* True if a route feeds that sink from that device and scan. */
bool bb_config_route_takes(const bb_config_route *route, const char *device, const char *scan);

/* True if a list of patterns (or one pattern) has one that fits; also for NULL. */
bool bb_config_matches(const bb_doc *patterns, const char *text);

/* The reference of the document as Markdown, from the tables that check it. */
void bb_config_print_reference(const bb_kinds *kinds, bb_buf *out);

#endif
