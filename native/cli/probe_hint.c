/* SPDX-License-Identifier: Apache-2.0 */
/* See probe_hint.h. */
#include "cli/probe_hint.h"

#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"

#define HUGE_VALUE 1e12 /* what no meter measures, and no sum of it: the words of a number */
#define TINY_VALUE 1e-9 /* are mixed up */

/* "10.0.0.21:502" of "tcp:10.0.0.21:502". */
static const char *place_of(const bb_probe *probe) {
  const bb_config_connection *connection = probe->device->connection;
  if (connection->endpoint == NULL) return connection->id;
  const char *colon = strchr(connection->endpoint, ':');
  return colon != NULL ? colon + 1 : connection->endpoint;
}

static bool is_serial(const bb_probe *probe) {
  const char *endpoint = probe->device->connection->endpoint;
  return endpoint != NULL && strncmp(endpoint, "serial:", strlen("serial:")) == 0;
}

/* What the device is called on its line, by its driver's options; NULL: it has no such name. */
static const char *unit_of(const bb_probe *probe) {
  const bb_schema *schema = probe->device->connection->driver->device_options;
  for (size_t i = 0; schema != NULL && i < schema->n; i++) {
    if (strcmp(schema->fields[i].key, "unit") != 0) continue;
    const char *given = bb_doc_get_text(probe->device->doc, "unit");
    return given != NULL && *given != 0 ? given : schema->fields[i].fallback;
  }
  return NULL;
}

/* "asked 3 times in 910 ms" */
static void put_tries(const bb_probe *probe, FILE *out) {
  char time[32];
  bb_text_show_ms(time, sizeof(time), probe->waited_ms);
  fprintf(out, "asked %u time%s in %s", probe->rounds, probe->rounds == 1 ? "" : "s", time);
}

static void put_unit(const bb_probe *probe, const char *before, FILE *out) {
  const char *unit = unit_of(probe);
  if (unit != NULL) fprintf(out, "%sunit %s", before, unit);
}

static void tell_gateway(const bb_probe *probe, FILE *out) {
  fprintf(out, "the gateway %s answers, but does not reach ", place_of(probe));
  if (unit_of(probe) != NULL) {
    put_unit(probe, "", out);
  } else {
    fputs("the device", out);
  }
  fputs(": ", out);
  put_tries(probe, out);
  fputs("\nLook at the unit (address) that is set in the meter, and at the wiring behind the "
        "gateway.\n",
        out);
}

static const char *advice(const bb_probe *probe, bool garbage) {
  if (is_serial(probe)) {
    return garbage
               ? "Look at baud and parity, and whether another device has the same unit."
               : "Look at the unit (address), baud and parity that are set in the meter, and at "
                 "the wires.";
  }
  return garbage ? "Is it a Modbus TCP device? A serial server may need `framing: rtu`."
                 : "Look at the unit (address) that is set in the meter; a slow one may need a "
                   "longer `timeout`.";
}

static void tell_silence(const bb_probe *probe, bool garbage, FILE *out) {
  fprintf(out, "%s from %s", garbage ? "answers that make no sense" : "no answer", place_of(probe));
  put_unit(probe, ", ", out);
  fputs(": ", out);
  put_tries(probe, out);
  fprintf(out, "\n%s\n", advice(probe, garbage));
}

void bb_probe_hint_silence(const bb_probe *probe, FILE *out) {
  const bb_reason *reason = &probe->reason;
  uint8_t cause = probe->shape != NULL && probe->draft.quality != NULL
                      ? *probe->draft.quality & BB_CAUSE_MASK
                      : BB_CAUSE_NONE;
  bool asked = probe->rounds > 0 && probe->linked && !probe->overdue;
  if (asked && cause == BB_CAUSE_GATEWAY) {
    tell_gateway(probe, out);
  } else if (asked && (reason->code == BB_ERR_TIMEOUT || reason->code == BB_ERR_FORMAT)) {
    tell_silence(probe, cause == BB_CAUSE_FORMAT, out);
  } else {
    fprintf(out, "%s\n", reason->text[0] != 0 ? reason->text : "no answer");
  }
}

/* A number that no device means. */
static bool is_absurd(const bb_probe *probe, uint16_t place) {
  bb_type type = probe->shape->points[place].type;
  if (type != BB_TYPE_F32 && type != BB_TYPE_F64) return false;
  const uint8_t *slot = probe->draft.values + probe->shape->offsets[place];
  double size = fabs(bb_value_double(bb_value_load(type, slot)));
  return size > HUGE_VALUE || (size > 0 && size < TINY_VALUE);
}

static void count(const bb_probe *probe, uint32_t *refused, uint32_t *senseless) {
  *refused = *senseless = 0;
  for (uint16_t i = 0; i < probe->shape->n_points; i++) {
    uint8_t quality = probe->draft.quality[i], cause = quality & BB_CAUSE_MASK;
    if (bb_quality_has_value(quality)) {
      *senseless += is_absurd(probe, i);
    } else if (cause == BB_CAUSE_REFUSED || cause == BB_CAUSE_DEVICE_FAULT) {
      *refused += 1;
    } else if (cause == BB_CAUSE_FORMAT || cause == BB_CAUSE_NOT_A_NUMBER ||
               cause == BB_CAUSE_OUT_OF_RANGE) {
      *senseless += 1;
    }
  }
}

void bb_probe_hint_points(const bb_probe *probe, const char *config, bool orders, FILE *out) {
  uint32_t n = probe->shape->n_points, refused, senseless;
  const char *unit = unit_of(probe);
  count(probe, &refused, &senseless);
  if ((refused + senseless) * 2 <= n) return;
  fprintf(out, "\nOf %u point%s ", n, n == 1 ? "" : "s");
  if (refused > 0) fprintf(out, "%u %s refused", refused, refused == 1 ? "was" : "were");
  if (senseless > 0) {
    fprintf(out, "%s%u make%s no sense", refused > 0 ? " and " : "", senseless,
            senseless == 1 ? "s" : "");
  }
  fputs(". Is it the right\n", out);
  if (unit != NULL) fprintf(out, "  unit?        %s was asked; compare with the meter\n", unit);
  fprintf(out, "  profile?     %s was used; `busbar profiles` lists the others\n",
          probe->device->profile->id);
  if (senseless == 0) return;
  if (orders) {
    fputs("  word order?  look for the column above whose values can be true\n", out);
  } else {
    fprintf(out, "  word order?  busbar probe %s %s --orders\n", config, probe->device->id);
  }
}
