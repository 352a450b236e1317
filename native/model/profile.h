/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A profile: what a kind of device offers and how it is read. Data, from a YAML or JSON file, a
 * bundled one, or a part of the config document; docs/profiles.md tells how to write one.
 *
 * Immutable and counted once read. It owns all its text.
 */
#ifndef BB_MODEL_PROFILE_H
#define BB_MODEL_PROFILE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/doc.h"
#include "base/map.h"
#include "base/report.h"
#include "model/codec.h"
#include "model/point.h"

/* Where a point lies. The four tables of Modbus (application protocol 1.1b3, section 4.3) address
 * bits and 16-bit registers from 0; an assembly of EtherNet/IP addresses bytes. */
typedef enum bb_space {
  BB_SPACE_COIL,
  BB_SPACE_DISCRETE,
  BB_SPACE_INPUT,
  BB_SPACE_HOLDING,
  BB_SPACE_ASSEMBLY,
  BB_SPACE_NONE, /* an external device: its source sends the value */
} bb_space;

typedef struct bb_profile_point {
  bb_point point;
  bb_space space;
  uint32_t address; /* of the first coil, register or byte; for an assembly its instance */
  uint32_t offset;  /* bytes into an assembly; else 0 */
  uint16_t length;  /* coils, registers or, in an assembly, bytes */
  bb_codec codec;
  uint8_t scan;       /* place in the profile's scans */
  bool inferred;      /* the address is a guess with a reason, not confirmed by a document */
  int16_t scale_from; /* place of the point with the power of ten, of the same scan; -1: none */
  const char *write_block; /* points of one block are written by one request; NULL: alone */
  bool read_back;          /* a write is confirmed by reading it again */
  uint8_t write_function;  /* Modbus 5, 6, 15, 16 or 22; 0: the driver chooses */
} bb_profile_point;

#define BB_PROFILE_MAX_RANGES 256u /* unreadable ones */
#define BB_PROFILE_MIN_PERIOD_MS 10u
#define BB_PROFILE_MAX_PERIOD_MS 604800000u /* 7 days */

/* The first three are always fast, slow and energy. */
typedef struct bb_profile_scan {
  const char *name;
  uint32_t period_ms;
  uint32_t n_points; /* of the profile that belong to it; may be 0 */
} bb_profile_scan;

typedef struct bb_range {
  bb_space space;
  uint32_t first, last; /* both included */
} bb_range;

/* What the device allows, under the profile's key `modbus`. */
typedef struct bb_profile_modbus {
  bb_order order;         /* of points in registers that name none */
  uint32_t max_registers; /* in one read, 1..125 */
  uint32_t max_bits;      /* in one read, 1..2000 */
  uint32_t max_gap;       /* unused registers that may be read to join two points, 0..124 */
  uint32_t max_in_flight; /* 1..16 */
  uint32_t min_interval_ms;
  uint32_t max_write_registers; /* in one write, 1..123 */
  const bb_range *unreadable;
  uint32_t n_unreadable;
} bb_profile_modbus;

typedef struct bb_profile {
  /* read-only */
  uint64_t hash;    /* of the content: equal hash, equal profile */
  const char *id;   /* "rockwell/powermonitor-500" */
  const char *name; /* "Allen-Bradley PowerMonitor 500" */
  const char *vendor;
  const char *source; /* where the addresses come from */
  bool verified;      /* read from a real device */
  bb_profile_modbus modbus;
  const bb_profile_scan *scans;
  uint32_t n_scans; /* at most BB_MAX_SCANS */
  const bb_profile_point *points;
  uint32_t n_points;       /* at most BB_MAX_POINTS */
  const char *measurement; /* the line protocol's measurement: "powermonitor_500" */
  /* private */
  bb_map by_name;
  uint32_t refs;
  bb_arena arena;
} bb_profile;

/*
 * Reads a profile from `doc`, whose file the report names (bb_report_file). `fallback_id` (may be
 * NULL) names the profile if the document does not. Every mistake goes to `report`, at its line. 0
 * with one reference in *out; BB_ERR_CONFIG or BB_ERR_NOMEM with *out NULL.
 */
int bb_profile_read(bb_profile **out, const bb_doc *doc, const char *fallback_id,
                    bb_report *report);

/* The same from a file, by whose name without folder and extension a profile without id goes. */
int bb_profile_load(bb_profile **out, const char *path, bb_report *report);

/* All keys of a profile as Markdown tables, in one heading each. */
void bb_profile_print_reference(bb_buf *out);

bb_profile *bb_profile_ref(const bb_profile *profile);
void bb_profile_unref(const bb_profile *profile); /* harmless on NULL */

/* The place of the point of that name, or -1. */
int bb_profile_find(const bb_profile *profile, const char *name);

/* "coil", "discrete", "input", "holding", "assembly", "none". */
const char *bb_space_name(bb_space space);

#endif
