/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Reads a device once by a document that is not applied, without changing what runs.
 *
 * A socket in the field has one owner. Where a running connection has the endpoint of the device's,
 * the device becomes a guest on that one (bb_attachment.apart); else the probe opens a connection of
 * its own and closes it afterwards, also early, when a config comes that wants the endpoint. A probe
 * is no station: nothing of it is in the maps, the schedule, the routes, the metrics or the watches.
 * What it sends through a running connection counts among that connection's requests.
 *
 * Scans are read one after the other, so that the devices of a shared connection wait for one request
 * of it at a time. A scan that the device pushes is over with its first batch. All ends after
 * BB_RUNTIME_PROBE_MS at the latest; what makes it end sooner is the driver, whose own time-outs bound
 * connecting and each answer.
 */
#ifndef BB_RUNTIME_PROBE_H
#define BB_RUNTIME_PROBE_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/list.h"
#include "plug/driver.h"
#include "runtime/config.h"

struct bb_runtime;
struct bb_link;

#define BB_RUNTIME_PROBES 4            /* under way at once; one for an endpoint */
#define BB_RUNTIME_PROBE_MS 30000      /* from the start to the last batch */
#define BB_RUNTIME_PROBE_LET_GO_MS 250 /* that an answer waits for the driver to let go */
#define BB_RUNTIME_PROBE_ROUNDS 64     /* polls of one scan that learns */
#define BB_RUNTIME_PROBE_STILL 8       /* of them in a row that bring nothing new */

typedef struct bb_runtime_probe bb_runtime_probe;

/* What is asked. */
typedef struct bb_runtime_probe_wish {
  bb_config *config; /* its reference becomes the probe's, also when it does not start */
  const bb_config_device *device;
  uint32_t scans;    /* bits: places in the device's scans, one at least */
  bool learn;        /* a scan in which addresses are refused is read until it is known which */
  uint32_t limit_ms; /* 0: BB_RUNTIME_PROBE_MS */
  void *user;
  /* Exactly once for a probe that was started, also after cancel; the probe may be read meanwhile. */
  void (*on_done)(bb_runtime_probe *probe);
} bb_runtime_probe_wish;

typedef struct bb_runtime_probe_scan {
  /* read-only */
  bb_batch batch;     /* the newest, where has_batch; points into the probe's memory */
  const uint8_t *raw; /* of it: BB_DRAFT_RAW bytes a point, see bb_draft_has_raw */
  bool has_batch;
  bool fresh; /* the device answered */
  /* private */
  bb_shape *shape; /* referenced; NULL until the driver knew it */
  bb_scan_mode mode;
  bb_draft draft;
  uint8_t *memory;
  uint8_t *former; /* qualities of the poll before */
  uint32_t rounds, still;
  int status; /* of the last poll */
  bool lent;
  bool done;
} bb_runtime_probe_scan;

struct bb_runtime_probe {
  /* read-only */
  bb_runtime_probe_wish wish;
  int status;       /* 0, or why it came to no end: BB_ERR_CLOSED (by apply or stop), UV_ECANCELED,
                        BB_ERR_NOMEM; `reason` says more */
  bool answered;    /* the device did, at least to one scan */
  bb_reason reason; /* why not */
  uint64_t took_ns;
  char through[BB_MAX_ID + 1]; /* id of the running connection that it went by; "": its own */
  bool other_options;          /* that has other options than the document's, and keeps to them */
  /* private */
  struct bb_runtime *runtime;
  struct bb_link *link; /* NULL: it has a connection of its own, or has left */
  bb_conn *conn;        /* its own */
  bb_attachment *attachment;
  bb_list node; /* of runtime->probes */
  uv_timer_t step, deadline;
  uint64_t started_ns;
  uint32_t at; /* the scan that is being read */
  uint8_t handles;
  bool attached, told, ending, released;
  bool awaited; /* apply or stop waits for its end */
  bb_scan list[BB_MAX_SCANS];
  uint32_t n_scans;
  bb_runtime_probe_scan scans[];
};

/*
 * 0 and the probe in *out, or with `reason`: BB_ERR_UNSUPPORTED (nobody can ask that device),
 * BB_ERR_BUSY (too many, or one for that endpoint), BB_ERR_AGAIN (a config is being applied),
 * BB_ERR_CLOSED, BB_ERR_NOMEM, or what the driver said. Nothing is called back inside.
 */
int bb_runtime_probe_start(struct bb_runtime *runtime, const bb_runtime_probe_wish *wish,
                           bb_runtime_probe **out, bb_reason *reason);

/* Ends it; on_done follows, perhaps inside. */
void bb_runtime_probe_cancel(bb_runtime_probe *probe);

/* For apply and stop: ends the probes that are in the way of `config` (NULL: all). The runtime counts
 * them among what is closing until they are gone. */
void bb_runtime_probes_yield(struct bb_runtime *runtime, const bb_config *config);

/* Of attachments that are apart, and of the connections that probes open. */
extern const bb_driver_host bb_runtime_probe_host;

#endif
