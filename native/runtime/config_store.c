/* SPDX-License-Identifier: Apache-2.0 */
/* What is kept of what sinks have not yet taken: `runtime.store`, and `store` at a sink. */
#include "runtime/config_read.h"

static const char *const modes[] = {"disk", "memory", NULL};

#define DAYS(n) ((n)*86400000.0)
#define MAX_DAYS DAYS(45)
#define TIB 1099511627776.0

static const bb_field runtime_fields[] = {
    {"sync", BB_FIELD_DURATION, offsetof(bb_config_store, sync_ms), false, 0, 60000, NULL, "1s",
     "what waits for a sink is on the disk after so long; `0s`: at once"},
    {"max_bytes", BB_FIELD_BYTES, offsetof(bb_config_store, max_bytes), false, 1 << 20, TIB, NULL,
     "1GiB", "of the disk, for what waits; then the oldest goes, measured values before events"},
    {"max_age", BB_FIELD_DURATION, offsetof(bb_config_store, max_age_ms), false, 1000, MAX_DAYS,
     NULL, "30d",
     "what waits longer is dropped; time in which the runtime does not run counts not"},
    {"dead_bytes", BB_FIELD_BYTES, offsetof(bb_config_store, dead_bytes), false, 0, TIB, NULL,
     "16MiB", "of the disk, for batches that a sink refused for good"},
    {"dead_age", BB_FIELD_DURATION, offsetof(bb_config_store, dead_age_ms), false, 1000, MAX_DAYS,
     NULL, "30d", "how long these are kept"},
};
static const bb_schema runtime_schema = BB_SCHEMA("store", runtime_fields);

static const bb_field sink_fields[] = {
    {"mode", BB_FIELD_CHOICE, offsetof(bb_config_sink_store, mode), false, 0, 0, modes, "disk",
     "where batches wait: `memory` for those that may be lost with the process"},
    {"max_bytes", BB_FIELD_BYTES, offsetof(bb_config_sink_store, max_bytes), false, 0, TIB, NULL,
     "0", "of the disk, for this sink; 0: as `runtime.store` allows"},
    {"max_age", BB_FIELD_DURATION, offsetof(bb_config_sink_store, max_age_ms), false, 0, MAX_DAYS,
     NULL, "0s", "what waits longer for this sink is dropped; 0: as `runtime.store` allows"},
    {"history_rate", BB_FIELD_U32, offsetof(bb_config_sink_store, history_rate), false, 0, 1000000,
     NULL, "0",
     "batches of a backlog in a second at most, beside live ones; 0: as many as it takes"},
};
static const bb_schema sink_schema = BB_SCHEMA("store", sink_fields);

void bb_config_read_store(bb_config_reader *reader, const bb_doc *doc, bb_config_store *out) {
  bb_schema_read(&runtime_schema, doc, out, reader->report);
}

void bb_config_read_sink_store(bb_config_reader *reader, const bb_doc *doc,
                               bb_config_sink_store *out) {
  bb_schema_read(&sink_schema, doc, out, reader->report);
}

void bb_config_print_store(bb_buf *out) {
  bb_buf_text(out, "\n## `runtime.store`\n\n");
  bb_schema_print(&runtime_schema, out);
}

void bb_config_print_sink_store(bb_buf *out) {
  bb_buf_text(out, "\n### `store` of a sink\n\n");
  bb_schema_print(&sink_schema, out);
}
