/* SPDX-License-Identifier: Apache-2.0 */
/* See health_page.h. */
#include "runtime/health_page.h"

#include <string.h>

#include "base/text.h"

typedef struct {
  bb_buf *out;
  int64_t now_ns; /* UTC */
  uint32_t n;     /* sentences */
} page;

/* What is missing, how and for how long. */
typedef struct {
  const char *what, *id, *how;
  int64_t since_ns; /* UTC; 0: not known */
  const char *why;  /* may be "" */
} sentence;

static size_t time_length(const char *at) {
  if (strncmp(at, " for ", 5) != 0) return 0;
  size_t digits = strspn(at + 5, "0123456789.");
  if (digits == 0 || at[5 + digits] != ' ') return 0;
  size_t unit = strspn(at + 6 + digits, "adhimnsy");
  return unit > 0 ? 6 + digits + unit : 0;
}

/* A reason was written when it came about. The times in it, how long it had been so by then and when the
 * next try was to be, are no longer true. */
static void put_reason(bb_buf *out, const char *why) {
  const char *next = strstr(why, "; next try in ");
  size_t len = next != NULL ? (size_t)(next - why) : strlen(why);
  for (size_t at = 0; at < len;) {
    size_t skip = time_length(why + at);
    if (skip == 0) bb_buf_byte(out, (uint8_t)why[at]);
    at += skip > 0 ? skip : 1;
  }
}

static void add(page *p, const sentence *s) {
  if (p->n++ >= BB_HEALTH_PAGE_SENTENCES) return;
  bb_buf_printf(p->out, "%s %s: %s", s->what, s->id, s->how);
  if (s->since_ns > 0 && s->since_ns <= p->now_ns) {
    char time[32];
    uint64_t ms = (uint64_t)(p->now_ns - s->since_ns) / BB_NS_PER_MS;
    bb_buf_printf(p->out, " for %s", bb_text_show_ms(time, sizeof(time), ms));
  }
  if (*s->why != 0) {
    bb_buf_text(p->out, ": ");
    put_reason(p->out, s->why);
  }
  bb_buf_byte(p->out, '\n');
}

static const char *why_down(const bb_station *station) {
  if (station->reason.text[0] != 0) return station->reason.text;
  return station->link != NULL ? station->link->reason.text : "";
}

/* One that is read on request only is not known before someone asks, and that is as it should be. */
static void add_device(page *p, const bb_runtime *runtime, const bb_config_device *device) {
  if (!device->enabled) return;
  const bb_station *station = bb_map_get(&runtime->stations, device->id);
  if (station == NULL) {
    add(p, &(sentence){"device", device->id, "not started", 0, ""});
  } else if (!bb_station_was_asked(station)) {
    add(p, &(sentence){"device", device->id, "not asked yet", 0, why_down(station)});
  } else if (station->known && !station->up) {
    add(p,
        &(sentence){"device", device->id, "does not answer", station->since_ns, why_down(station)});
  }
}

static void add_sink(page *p, const bb_runtime *runtime, const bb_config_sink *sink) {
  if (!sink->enabled) return;
  const bb_outlet *outlet = bb_map_get(&runtime->outlets, sink->id);
  if (outlet == NULL) {
    add(p, &(sentence){"sink", sink->id, "not started", 0, ""});
  } else if (!outlet->ready) {
    add(p, &(sentence){"sink", sink->id, "not ready", outlet->since_ns, outlet->reason.text});
  }
}

static void put_failing(const bb_spool *spool, bb_buf *out) {
  bb_buf_printf(out,
                "store: %s; readings go on, but what waits for a sink is in memory only until the "
                "disk takes it again\n",
                spool->why);
}

/* With the command that shows them, as it is typed on this machine. */
static void put_dead(const bb_save *save, bb_buf *out) {
  uint64_t n = save->stats.dead;
  const char *path = save->spool.path, *name = strrchr(path, '/');
  bb_buf_printf(out,
                "store: %llu batch%s that a sink refused for good %s set aside: `busbar store dead "
                "--data %.*s` shows why\n",
                (unsigned long long)n, n == 1 ? "" : "es", n == 1 ? "is" : "are",
                name != NULL ? (int)(name - path) : 0, path);
}

static void put_store(const bb_runtime *runtime, bb_buf *out) {
  const bb_save *save = &runtime->save;
  if (!save->open) return;
  if (save->spool.failing) put_failing(&save->spool, out);
  if (save->stats.dead > 0) put_dead(save, out);
}

void bb_health_page_alive(const bb_runtime *runtime, bb_buf *out) {
  bb_buf_text(out, "ok\n");
  put_store(runtime, out);
}

bool bb_health_page_ready(const bb_runtime *runtime, bb_buf *out) {
  bool ready = bb_runtime_is_ready(runtime);
  const bb_config *config = runtime->config;
  page p = {.out = out, .now_ns = bb_clock_utc_ns(&runtime->clock)};
  bb_buf_text(out, ready ? "ready\n" : "not ready\n");
  put_store(runtime, out);
  if (config == NULL) {
    bb_buf_text(out, "no config is applied yet\n");
    return ready;
  }
  for (uint32_t i = 0; i < config->n_sinks; i++) add_sink(&p, runtime, &config->sinks[i]);
  for (uint32_t i = 0; i < config->n_devices; i++) add_device(&p, runtime, &config->devices[i]);
  if (p.n > BB_HEALTH_PAGE_SENTENCES) {
    bb_buf_printf(out, "and %u more\n", p.n - BB_HEALTH_PAGE_SENTENCES);
  }
  return ready;
}
