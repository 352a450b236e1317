/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that the server refuses in part: which batches are set aside, and at what cost. */
#include "support/expect.h"
#include "support/influxdb_rig.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "sinks/influxdb/influxdb.h"

#define BATCHES INFLUXDB_RIG_BATCHES
#define WRITTEN INFLUXDB_RIG_WRITTEN
#define V1 INFLUXDB_RIG_V1

/* Calls for each line of the body, without its line end. */
static void each_line(const char *body, void (*call)(void *user, const char *line), void *user) {
  char line[1024];
  while (*body != 0) {
    size_t len = strcspn(body, "\n");
    snprintf(line, sizeof(line), "%.*s", (int)len, body);
    call(user, line);
    body += len + 1;
  }
}

/* A server like InfluxDB 1 in what it says of bad lines; which are bad is told by their values. */
typedef struct {
  const char *bad; /* "|3|17|" */
  unsigned n_bad, n;
  unsigned first_bad; /* line number */
  char quoted[4096];
} judge;

static void judge_line(void *user, const char *line) {
  judge *j = user;
  char mark[32];
  j->n++;
  snprintf(mark, sizeof(mark), "|%ld|", strtol(strstr(line, " v=") + 3, NULL, 10));
  if (strstr(j->bad, mark) == NULL) return;
  if (j->n_bad++ == 0) j->first_bad = j->n;
  size_t len = strlen(j->quoted);
  snprintf(j->quoted + len, sizeof(j->quoted) - len,
           "%sunable to parse '%s': invalid \\u003cnumber\\u003e", len > 0 ? "\\n" : "", line);
}

static judge judge_body(const http_peer_request *request, const char *bad) {
  judge j = {.bad = bad};
  each_line(request->body, judge_line, &j);
  return j;
}

static const char *bad_values;

static void quote_partly(http_peer *peer, const http_peer_request *request,
                         http_peer_answer *answer) {
  char body[5000];
  judge j = judge_body(request, bad_values);
  (void)peer;
  answer->text = WRITTEN;
  if (j.n_bad == 0) return;
  snprintf(body, sizeof(body),
           j.n_bad < j.n ? "{\"error\":\"partial write: %s dropped=0\"}" : "{\"error\":\"%s\"}",
           j.quoted);
  answer->text = http_peer_text(400, "", body);
}

static void quote_and_write_none(http_peer *peer, const http_peer_request *request,
                                 http_peer_answer *answer) {
  char body[5000];
  judge j = judge_body(request, bad_values);
  (void)peer;
  answer->text = WRITTEN;
  if (j.n_bad == 0) return;
  snprintf(body, sizeof(body), "{\"code\":\"invalid\",\"message\":\"%s\"}", j.quoted);
  answer->text = http_peer_text(400, "", body);
}

static void count_dropped(http_peer *peer, const http_peer_request *request,
                          http_peer_answer *answer) {
  char body[256];
  judge j = judge_body(request, bad_values);
  (void)peer;
  answer->text = WRITTEN;
  if (j.n_bad == 0) return;
  snprintf(body, sizeof(body),
           "{\"error\":\"partial write: points beyond retention policy dropped=%u\"}", j.n_bad);
  answer->text = http_peer_text(400, "", body);
}

static void number_the_first(http_peer *peer, const http_peer_request *request,
                             http_peer_answer *answer) {
  char body[256];
  judge j = judge_body(request, bad_values);
  (void)peer;
  answer->text = WRITTEN;
  if (j.n_bad == 0) return;
  snprintf(body, sizeof(body), "{\"line\":%u, \"code\":\"invalid\",\"message\":\"bad value\"}",
           j.first_bad);
  answer->text = http_peer_text(422, "", body);
}

static void say_nothing_of_use(http_peer *peer, const http_peer_request *request,
                               http_peer_answer *answer) {
  judge j = judge_body(request, bad_values);
  (void)peer;
  answer->text = j.n_bad == 0
                     ? WRITTEN
                     : http_peer_text(400, "", "{\"error\":\"failed to parse line protocol\"}");
}

static void test_influxdb_bad_lines_are_found_and_the_others_delivered(void **state) {
  static const struct {
    const char *name;
    void (*server)(http_peer *, const http_peer_request *, http_peer_answer *);
    uint32_t n;
    const char *bad;
    unsigned most;    /* requests */
    const char *part; /* of the refusal */
  } rows[] = {
      {"quoted, the others written", quote_partly, 100, "|3|17|99|", 1, ": invalid <number>"},
      {"quoted, none written", quote_and_write_none, 100, "|0|50|", 2, ": invalid <number>"},
      {"quoted, all bad", quote_partly, 3, "|0|1|2|", 1, ": invalid <number>"},
      {"counted", count_dropped, 64, "|0|1|2|3|", 9, ": points beyond retention policy"},
      {"counted, all", count_dropped, 4, "|0|1|2|3|", 1, ": points beyond retention policy"},
      {"numbered", number_the_first, 50, "|7|8|49|", 8, ": bad value"},
      {"by trying", say_nothing_of_use, 128, "|5|100|", 30, ": failed to parse line protocol"},
      {"by trying, one", say_nothing_of_use, 1, "|0|", 1, ": failed to parse line protocol"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    influxdb_rig f;
    influxdb_rig_open(&f, V1);
    f.on_write = rows[i].server;
    bad_values = rows[i].bad;
    influxdb_rig_deliver(&f, 0, rows[i].n);
    influxdb_rig_wait_verdicts(&f, rows[i].n);
    influxdb_rig_expect(rows[i].name, &f, rows[i].n, rows[i].bad);
    expect_true(rows[i].name, f.writes <= rows[i].most);
    if (f.writes > rows[i].most) print_error("%u requests\n", f.writes);
    unsigned first_bad = (unsigned)strtoul(rows[i].bad + 1, NULL, 10);
    expect_part(rows[i].name, f.host.refusal[first_bad], "refused by 127.0.0.1:");
    expect_part(rows[i].name, f.host.refusal[first_bad], rows[i].part);
    expect_uint(rows[i].name, f.host.waits, 0);
    influxdb_rig_close(&f);
  }
}

static bool bad_is_last;

/* Field v of measurement powermonitor_500 is an integer already; other measurements are fine. */
static void conflict(http_peer *peer, const http_peer_request *request, http_peer_answer *answer) {
  unsigned bad = 0, odd = 0;
  char body[256];
  (void)peer;
  for (const char *at = request->body; (at = strstr(at, "powermonitor_500,")) != NULL; at++) bad++;
  for (const char *at = request->body; (at = strstr(at, " v=1 ")) != NULL; at++) odd++;
  answer->text = WRITTEN;
  if (bad == 0) return;
  snprintf(body, sizeof(body),
           "{\"error\":\"partial write: field type conflict: input field \\\"v\\\" on measurement "
           "\\\"powermonitor_500\\\" is type float, already exists as type integer dropped=%u\"}",
           bad + (bad_is_last ? odd : 0));
  answer->text = http_peer_text(400, "", body);
}

static void test_influxdb_conflict_costs_one_request(void **state) {
  (void)state;
  for (int i = 0; i < 2; i++) {
    influxdb_rig f;
    influxdb_rig_open(&f, V1);
    bb_device *other = bb_device_new("meter-2", "plant-7", "generic", NULL, 0);
    for (int k = 0; k < BATCHES; k++) {
      if (k % 10 != 3) f.batches[k].device = other;
    }
    f.on_write = conflict;
    bad_is_last = i == 1; /* something else was dropped too: it is not known what */
    influxdb_rig_deliver(&f, 0, 40);
    influxdb_rig_wait_verdicts(&f, 40);
    influxdb_rig_expect("conflict", &f, 40, "|3|13|23|33|");
    expect_uint("requests", f.writes, i == 0 ? 1 : 3);
    expect_part("refusal", f.host.refusal[33], ": field type conflict: input field \"v\"");
    influxdb_rig_close(&f);
    bb_device_unref(other);
  }
}

static void test_influxdb_search_for_bad_lines_is_bounded(void **state) {
  static char all[BATCHES * 6];
  influxdb_rig f;
  (void)state;
  influxdb_rig_open(&f, V1);
  f.on_write = say_nothing_of_use;
  size_t len = 1;
  all[0] = '|';
  for (int i = 0; i < BATCHES; i++) {
    len += (size_t)snprintf(all + len, sizeof(all) - len, "%d|", i);
  }
  bad_values = all;
  for (uint32_t i = 0; i < BATCHES; i += 100) influxdb_rig_deliver(&f, i, 100);
  influxdb_rig_wait_verdicts(&f, BATCHES);
  influxdb_rig_expect("all", &f, BATCHES, all);
  expect_true("requests", f.writes <= 202);
  expect_part("refusal", f.host.refusal[0], "refused by ");
  expect_part("refusal", f.host.refusal[BATCHES - 1], "it was not found out which");
  influxdb_rig_close(&f);
}

static size_t limit;

static void take_little(http_peer *peer, const http_peer_request *request,
                        http_peer_answer *answer) {
  (void)peer;
  answer->text = request->body_len <= limit ? WRITTEN : http_peer_text(413, "", "");
}

static void test_influxdb_request_that_is_too_large_is_halved(void **state) {
  influxdb_rig f;
  (void)state;
  influxdb_rig_open(&f, V1 "batch: { age: 20ms }\n");
  f.on_write = take_little;
  limit = 3000;
  influxdb_rig_deliver(&f, 0, 100); /* some 64 bytes a line */
  influxdb_rig_wait_verdicts(&f, 100);
  influxdb_rig_expect("halved", &f, 100, "");
  unsigned before = f.writes;
  influxdb_rig_deliver(&f, 100, 100);
  influxdb_rig_wait_verdicts(&f, 200);
  for (unsigned i = before; i < f.writes; i++) {
    expect_true("smaller from then on", f.write[i]->body_len <= limit);
  }
  limit = 10;
  influxdb_rig_deliver(&f, 200, 2);
  influxdb_rig_wait_verdicts(&f, 202);
  expect_int("alone", f.host.verdict[201], BB_VERDICT_REFUSED);
  expect_part("alone", f.host.refusal[201], "(413)");
  influxdb_rig_close(&f);
}

int main(void) {
  signal(SIGPIPE, SIG_IGN);
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_influxdb_bad_lines_are_found_and_the_others_delivered),
      cmocka_unit_test(test_influxdb_conflict_costs_one_request),
      cmocka_unit_test(test_influxdb_search_for_bad_lines_is_bounded),
      cmocka_unit_test(test_influxdb_request_that_is_too_large_is_halved),
  };
  return cmocka_run_group_tests(tests, NULL, NULL);
}
