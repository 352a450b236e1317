/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What poll_cpu measures, by libmodbus as its users use it: N connections asked one after the other,
 * each waiting for its answer, 120 registers into sixty float32 values.
 *
 *   libmodbus_poll PORT CONNECTIONS SECONDS
 *   prints {"reads": n, "cpu_us_per_read": x, "value": v}
 */
#include <errno.h>
#include <modbus/modbus.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define REGISTERS 120
#define VALUES (REGISTERS / 2)
#define MAX_CONNECTIONS 1000 /* libmodbus waits with select(), which knows 1,024 descriptors */

static float values[VALUES];

static double seconds(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void die(const char *what) {
  fprintf(stderr, "libmodbus_poll: %s: %s\n", what, modbus_strerror(errno));
  exit(1);
}

static void poll_one(modbus_t *connection) {
  uint16_t registers[REGISTERS];
  if (modbus_read_registers(connection, 0, REGISTERS, registers) != REGISTERS) die("read");
  for (int i = 0; i < VALUES; i++) values[i] = modbus_get_float_abcd(registers + 2 * i);
}

/* Polls for that long; returns how often. */
static unsigned long run(modbus_t **connections, int n, double for_seconds) {
  unsigned long reads = 0;
  double end = seconds(CLOCK_MONOTONIC) + for_seconds;
  while (seconds(CLOCK_MONOTONIC) < end) {
    for (int i = 0; i < n; i++) poll_one(connections[i]);
    reads += (unsigned long)n;
  }
  return reads;
}

int main(int argc, char **argv) {
  static modbus_t *connections[MAX_CONNECTIONS];
  int n = argc == 4 ? (int)strtol(argv[2], NULL, 10) : 0;
  if (n < 1 || n > MAX_CONNECTIONS) {
    fprintf(stderr, "usage: libmodbus_poll PORT CONNECTIONS SECONDS (1 to %d connections)\n",
            MAX_CONNECTIONS);
    return 2;
  }
  for (int i = 0; i < n; i++) {
    connections[i] = modbus_new_tcp("127.0.0.1", (int)strtol(argv[1], NULL, 10));
    if (connections[i] == NULL) die("memory");
    modbus_set_slave(connections[i], 1);
    if (modbus_connect(connections[i]) < 0) die("connect");
  }
  run(connections, n, 0.5);
  double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
  unsigned long reads = run(connections, n, strtod(argv[3], NULL));
  cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
  printf("{\"reads\": %lu, \"cpu_us_per_read\": %.3f, \"value\": %.9g}\n", reads,
         cpu * 1e6 / (double)reads, (double)values[VALUES - 1]);
  for (int i = 0; i < n; i++) {
    modbus_close(connections[i]);
    modbus_free(connections[i]);
  }
  return 0;
}
