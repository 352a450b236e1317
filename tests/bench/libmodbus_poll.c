/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What poll_cpu measures, by libmodbus: N connections, 120 registers into sixty float32 values.
 *
 *   libmodbus_poll threads|turns PORT CONNECTIONS SECONDS
 *   prints {"reads": n, "cpu_us_per_read": x, "value": v}
 *
 * Its calls wait for the answer. Who has many connections, each with a device that takes its time,
 * gives each a thread (threads); who has no hurry asks one after the other (turns).
 */
#include <errno.h>
#include <modbus/modbus.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define REGISTERS 120
#define VALUES (REGISTERS / 2)
#define MAX_CONNECTIONS 1000 /* libmodbus waits with select(), which knows 1,024 descriptors */
#define STACK_BYTES (64u << 10)
#define WARM_UP_S 0.5

typedef struct {
  modbus_t *modbus;
  pthread_t thread;
  unsigned long reads;
  float values[VALUES];
} connection;

static connection connections[MAX_CONNECTIONS];
static atomic_bool stopped;

static double seconds(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void sleep_for(double s) {
  struct timespec time = {(time_t)s, (long)((s - (double)(time_t)s) * 1e9)};
  nanosleep(&time, NULL);
}

static void die(const char *what) {
  fprintf(stderr, "libmodbus_poll: %s: %s\n", what, modbus_strerror(errno));
  exit(1);
}

static void poll_one(connection *c) {
  uint16_t registers[REGISTERS];
  if (modbus_read_registers(c->modbus, 0, REGISTERS, registers) != REGISTERS) die("read");
  for (int i = 0; i < VALUES; i++) c->values[i] = modbus_get_float_abcd(registers + 2 * i);
  c->reads++;
}

static void *poll_always(void *own) {
  while (!atomic_load_explicit(&stopped, memory_order_relaxed)) poll_one(own);
  return NULL;
}

static void *poll_in_turns(void *count) {
  while (!atomic_load_explicit(&stopped, memory_order_relaxed)) {
    for (int i = 0; i < *(int *)count; i++) poll_one(&connections[i]);
  }
  return NULL;
}

static unsigned long all_reads(int n) {
  unsigned long reads = 0;
  for (int i = 0; i < n; i++) reads += connections[i].reads;
  return reads;
}

static void connect_all(int n, int port) {
  for (int i = 0; i < n; i++) {
    connections[i].modbus = modbus_new_tcp("127.0.0.1", port);
    if (connections[i].modbus == NULL) die("memory");
    modbus_set_slave(connections[i].modbus, 1);
    if (modbus_connect(connections[i].modbus) < 0) die("connect");
  }
}

/* Starts `n` threads, or one. */
static void start(int *n, bool threads) {
  pthread_attr_t attr;
  pthread_attr_init(&attr);
  pthread_attr_setstacksize(&attr, STACK_BYTES);
  for (int i = 0; i < (threads ? *n : 1); i++) {
    void *own = threads ? (void *)&connections[i] : (void *)n;
    if (pthread_create(&connections[i].thread, &attr, threads ? poll_always : poll_in_turns, own)) {
      die("thread");
    }
  }
}

int main(int argc, char **argv) {
  int n = argc == 5 ? (int)strtol(argv[3], NULL, 10) : 0;
  bool threads = argc == 5 && strcmp(argv[1], "threads") == 0;
  if (n < 1 || n > MAX_CONNECTIONS) {
    fprintf(stderr,
            "usage: libmodbus_poll threads|turns PORT CONNECTIONS SECONDS (1 to %d connections)\n",
            MAX_CONNECTIONS);
    return 2;
  }
  connect_all(n, (int)strtol(argv[2], NULL, 10));
  start(&n, threads);
  sleep_for(WARM_UP_S);
  unsigned long before = all_reads(n);
  double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
  sleep_for(strtod(argv[4], NULL));
  cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
  unsigned long reads = all_reads(n) - before;
  atomic_store(&stopped, true);
  for (int i = 0; i < (threads ? n : 1); i++) pthread_join(connections[i].thread, NULL);
  printf("{\"reads\": %lu, \"cpu_us_per_read\": %.3f, \"value\": %.9g}\n", reads,
         cpu * 1e6 / (double)reads, (double)connections[n - 1].values[VALUES - 1]);
  for (int i = 0; i < n; i++) {
    modbus_close(connections[i].modbus);
    modbus_free(connections[i].modbus);
  }
  return 0;
}
