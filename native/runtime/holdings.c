/* SPDX-License-Identifier: Apache-2.0 */
/* See holdings.h. */
#include "runtime/holdings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/err.h"
#include "store/pack.h"

static int take_cursor(void *user, const bb_store_cursor *cursor) {
  bb_holdings *list = user;
  bb_holding *items = realloc(list->items, (list->n + 1) * sizeof(*items));
  if (items == NULL) return BB_ERR_NOMEM;
  list->items = items;
  bb_holding *item = &items[list->n++];
  *item = (bb_holding){.id = cursor->stream, .n = cursor->n};
  snprintf(item->sink, sizeof(item->sink), "%s", cursor->sink);
  memcpy(item->spans, cursor->ranges, cursor->n * sizeof(*cursor->ranges));
  return 0;
}

/* What is asked for may lie before the oldest pack, or behind the newest. */
static int take_stream(void *user, const bb_store_stream *stream) {
  bb_holdings *list = user;
  for (uint32_t i = 0; i < list->n; i++) {
    bb_holding *item = &list->items[i];
    uint64_t removed = 0;
    if (item->id != stream->id) continue;
    item->stream = strdup(stream->name);
    if (item->stream == NULL) return BB_ERR_NOMEM;
    item->class = stream->class;
    item->n = bb_span_clip(item->spans, item->n, stream->first, &removed);
    item->n = bb_span_cut(item->spans, item->n, BB_STORE_RANGES, stream->next, BB_STORE_OPEN_END,
                          &removed);
    item->records = bb_span_count(item->spans, item->n);
    if (item->records > stream->records) item->records = stream->records;
    if (item->records > 0) item->bytes = stream->bytes / stream->records * item->records;
  }
  return 0;
}

/* The time of the first record from spans[0].from on. A damaged pack has none. */
static int take_oldest(void *user, const bb_store_pack *pack) {
  bb_holding *item = user;
  bb_unpacker unpacker;
  bb_packed packed;
  uint64_t record = pack->first;
  if (bb_unpacker_open(&unpacker, pack->body, pack->len) < 0) return 0;
  for (; bb_unpacker_next(&unpacker, &packed) == 1; record++) {
    if (record < item->spans[0].from) continue;
    item->oldest_ns = packed.time_ns;
    break;
  }
  return 0;
}

static void keep_those_with_records(bb_holdings *list) {
  uint32_t kept = 0;
  for (uint32_t i = 0; i < list->n; i++) {
    if (list->items[i].records > 0 && list->items[i].stream != NULL) {
      list->items[kept++] = list->items[i];
    } else {
      free(list->items[i].stream);
    }
  }
  list->n = kept;
}

int bb_holdings_read(bb_holdings *list, bb_store *store) {
  int err = bb_store_cursors(store, take_cursor, list);
  if (err >= 0) err = bb_store_streams(store, take_stream, list);
  keep_those_with_records(list);
  for (uint32_t i = 0; i < list->n && err >= 0; i++) {
    bb_holding *item = &list->items[i];
    err = bb_store_read(store, item->id, item->spans[0].from, 1, take_oldest, item);
  }
  return err < 0 ? err : 0;
}

void bb_holdings_close(bb_holdings *list) {
  for (uint32_t i = 0; i < list->n; i++) free(list->items[i].stream);
  free(list->items);
  *list = (bb_holdings){0};
}

void bb_holdings_put(const bb_holdings *list, bb_json_writer *json) {
  bb_json_writer_list(json, "waiting");
  for (uint32_t i = 0; i < list->n; i++) {
    const bb_holding *item = &list->items[i];
    bb_json_writer_map(json, NULL);
    bb_json_writer_text(json, "stream", item->stream);
    bb_json_writer_text(json, "sink", item->sink);
    bb_json_writer_text(json, "kind", item->class == BB_STORE_EVENTS ? "events" : "readings");
    bb_json_writer_uint(json, "records", item->records);
    bb_json_writer_uint(json, "bytes", item->bytes);
    if (item->oldest_ns != 0) {
      bb_json_writer_int(json, "oldest", item->oldest_ns / (int64_t)BB_NS_PER_MS);
    }
    bb_json_writer_end(json);
  }
  bb_json_writer_end(json);
}
