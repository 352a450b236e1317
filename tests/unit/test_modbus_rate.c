/* SPDX-License-Identifier: Apache-2.0 */
/* alone: yes */
/* How often the live units of a gateway are read beside a dead one. */
#include <stdio.h>
#include <stdlib.h>

#include "support/expect.h"
#include "support/modbus_rig.h"

#define UNITS 32

/* Unit 7 is dead, the gateway says nothing. */
static void but_seven(modbus_peer *peer, const modbus_peer_request *request) {
  if (request->unit != 7) modbus_peer_answer(peer, request);
}

static const char one_block[] = "profile: 1\n"
                                "id: x\n"
                                "points: [{ name: a, type: uint16, holding: 100 }]\n";

typedef struct {
  modbus_rig rig;
  driver_device devices[UNITS];
  uv_timer_t ticks[UNITS];
  unsigned skipped;
} gateway;

static void on_tick(uv_timer_t *timer) {
  driver_device *device = timer->data;
  gateway *g = device->user;
  driver_scan *scan = &device->scans[0];
  if (scan->n_done < scan->n_started) {
    g->skipped++;
  } else {
    scan->n_started++;
    driver_device_start(device, 0);
  }
}

/* Polls all units at a fixed period, 100 ms, for that long. Returns the good polls of the live ones. */
static unsigned poll_all(gateway *g, uint32_t ms) {
  unsigned good = 0;
  for (unsigned i = 0; i < UNITS; i++) {
    driver_device *device = &g->devices[i];
    g->ticks[i].data = device;
    device->user = g;
    uv_timer_init(&g->rig.host.loop, &g->ticks[i]);
    uv_timer_start(&g->ticks[i], on_tick, i * 3, 100);
  }
  driver_host_run(&g->rig.host, ms);
  for (unsigned i = 0; i < UNITS; i++) {
    uv_close((uv_handle_t *)&g->ticks[i], NULL);
    if (i + 1 != 7) good += g->devices[i].scans[0].n_good;
  }
  driver_host_run(&g->rig.host, 1);
  return good;
}

/* With a time-out as long as the period, so that each wait for the dead unit costs the others one. */
static void test_rate_beside_a_dead_unit(void **state) {
  (void)state;
  gateway *g = calloc(1, sizeof(*g));
  assert_non_null(g);
  g->rig.peer.on_request = but_seven;
  modbus_rig_open(&g->rig, ", timeout: 100ms", one_block);
  g->rig.host.beat.always = false; /* a line as busy as this one must not wait for beats */
  for (unsigned i = 0; i < UNITS; i++) {
    char id[16], options[32];
    snprintf(id, sizeof(id), "unit-%u", i + 1);
    snprintf(options, sizeof(options), "{unit: %u}", i + 1);
    expect_int(id, driver_device_attach(&g->devices[i], &g->rig.conn, id, g->rig.profile, options),
               0);
  }
  unsigned good = poll_all(g, 8000), most = 31 * 80;
  char row[96];
  snprintf(row, sizeof(row), "%u of %u polls of the live units (%.1f %%), %u skipped", good, most,
           100.0 * good / most, g->skipped);
  expect_true(row, good * 100 >= most * 95);
  expect_true("the dead one is known", !g->devices[6].up);
  const bb_conn_counters *counters = &g->rig.conn.conn->counters;
  snprintf(row, sizeof(row), "%u time-outs of 100 ms in 8 s", (unsigned)counters->timeouts);
  expect_true(row, counters->timeouts >= 3 && counters->timeouts <= 5);
  for (unsigned i = 0; i < UNITS; i++) driver_device_detach(&g->devices[i]);
  modbus_rig_close(&g->rig);
  free(g);
}

int main(void) {
  const struct CMUnitTest tests[] = {cmocka_unit_test(test_rate_beside_a_dead_unit)};
  return DRIVER_HOST_RUN_TWICE("modbus rate", tests);
}
