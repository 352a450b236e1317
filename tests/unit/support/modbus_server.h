/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A Modbus server by libmodbus on a thread of its own: an independent implementation for our client
 * to be tested against. TCP on a free port, or RTU on a serial line. The four tables have 500 places
 * each; it serves addresses 0 to 499 and refuses others with exception 2.
 */
#ifndef BB_TEST_MODBUS_SERVER_H
#define BB_TEST_MODBUS_SERVER_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>

#define MODBUS_SERVER_PLACES 500

typedef struct modbus_server {
  /* read-only */
  uint16_t port;
  /* private */
  void *context; /* modbus_t */
  void *mapping; /* modbus_mapping_t */
  pthread_mutex_t mutex;
  pthread_t thread;
  int wake[2]; /* a pipe: closing its end stops the thread */
  int listener;
} modbus_server;

void modbus_server_open_tcp(modbus_server *server);

/* On the far end of a serial line, which stays the caller's. */
void modbus_server_open_rtu(modbus_server *server, int fd, int unit);
void modbus_server_close(modbus_server *server);

/* One place of a table ('c', 'd', 'i', 'h'), as the server has it. */
void modbus_server_set(modbus_server *server, char table, unsigned address, uint16_t value);
uint16_t modbus_server_get(modbus_server *server, char table, unsigned address);

#endif
