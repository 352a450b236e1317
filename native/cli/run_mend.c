/* SPDX-License-Identifier: Apache-2.0 */
/* What the disk did not let it do, at the start or since, is tried again: the data directory, the
 * document, the secrets, and a place for the socket. The store does so itself; see runtime/save.h. */
#include "cli/run.h"

#define EVERY_MS 5000

static void on_due(uv_timer_t *timer) {
  bb_run_process *run = timer->data;
  if (run->stopping) return;
  bool found = bb_place_mend(&run->place, bb_run_metrics(run));
  bb_secrets_mend(&run->secrets);
  if (!found) return;
  bb_run_open_socket(run);
  bb_place_record(&run->place, bb_run_metrics(run));
}

void bb_run_mend_init(bb_run_process *run) {
  uv_timer_init(&run->loop, &run->mend);
  run->mend.data = run;
  uv_timer_start(&run->mend, on_due, EVERY_MS, EVERY_MS);
}

static void ignore_close(uv_handle_t *handle) {
  (void)handle;
}

void bb_run_mend_close(bb_run_process *run) {
  uv_close((uv_handle_t *)&run->mend, ignore_close);
}
