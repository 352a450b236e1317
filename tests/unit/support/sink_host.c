/* SPDX-License-Identifier: Apache-2.0 */
/* See sink_host.h. */
#include "support/sink_host.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "support/expect.h"
#include "support/failmalloc.h"
#include "support/http_peer.h"

static void on_ready(bb_sink *sink) {
  sink_host *host = sink->owner;
  expect_true("ready only on change", !host->is_ready);
  host->is_ready = true;
  host->ready++;
}

static void on_wait(bb_sink *sink, const bb_reason *reason, uint32_t retry_ms) {
  sink_host *host = sink->owner;
  host->is_ready = false;
  host->waits++;
  host->wait = *reason;
  host->retry_ms = retry_ms;
}

static void on_verdict(bb_sink *sink, uint64_t ticket, uint32_t n, bb_verdict verdict,
                       const bb_reason *reason) {
  sink_host *host = sink->owner;
  for (uint64_t i = ticket; i < ticket + n; i++) {
    assert_true(i < SINK_HOST_TICKETS);
    host->judged[i]++;
    host->verdict[i] = verdict;
    if (verdict != BB_VERDICT_REFUSED) continue;
    assert_non_null(reason);
    snprintf(host->refusal[i], sizeof(host->refusal[i]), "%s", reason->text);
  }
  if (reason != NULL) host->refused = *reason;
  host->verdicts += n;
  if (host->on_verdict != NULL) host->on_verdict(host, ticket, n, verdict);
}

static void on_closed(bb_sink *sink) {
  ((sink_host *)sink->owner)->closed++;
}

static const bb_sink_host functions = {
    .on_ready = on_ready, .on_wait = on_wait, .on_verdict = on_verdict, .on_closed = on_closed};

int sink_host_open(sink_host *host, const bb_sink_kind *kind, uv_loop_t *loop,
                   const char *options) {
  bb_report report;
  bb_buf text;
  char *scratch = calloc(1, kind->bytes); /* larger than any struct of options */
  bb_report_init(&report);
  bb_buf_init(&text, 1 << 16);
  assert_int_equal(bb_doc_parse(&host->doc, "test.yaml", options, strlen(options), &report), 0);
  bb_schema_read(kind->options, host->doc.root, scratch, &report);
  if (kind->check != NULL) kind->check(host->doc.root, &report);
  bb_report_print(&report, &text);
  expect_text("mistakes", bb_buf_string(&text), "");
  bb_buf_close(&text);
  bb_report_close(&report);
  free(scratch);

  bb_log_init(&host->log, 2);
  host->clock = bb_clock_system();
  host->sink = calloc(1, kind->bytes);
  host->sink->id = "hist";
  host->sink->kind = kind;
  host->sink->host = &functions;
  host->sink->loop = loop;
  host->sink->log = &host->log;
  host->sink->clock = &host->clock;
  host->sink->site = "plant-7";
  host->sink->seed = 7;
  host->sink->owner = host;
  if (host->fail_nth > 0) failmalloc_start(host->fail_nth);
  int err = kind->open(host->sink, host->doc.root);
  if (host->fail_nth > 0) failmalloc_stop();
  return err;
}

void sink_host_free(sink_host *host) {
  free(host->sink);
  host->sink = NULL;
  bb_doc_close(&host->doc);
}

void sink_host_close(sink_host *host, uint32_t drain_ms) {
  uv_loop_t *loop = host->sink->loop;
  host->sink->kind->close(host->sink, drain_ms);
  expect_uint("not closed inside close", host->closed, 0);
  http_peer_wait(loop, &host->closed);
  sink_host_free(host);
}

int sink_host_deliver(sink_host *host, uint64_t ticket, const bb_batch *batches, uint32_t n) {
  bb_run run = {.ticket = ticket, .n = n, .batches = batches};
  return host->sink->kind->deliver(host->sink, &run);
}
