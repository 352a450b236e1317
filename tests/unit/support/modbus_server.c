/* SPDX-License-Identifier: Apache-2.0 */
/* See modbus_server.h. */
#include "support/modbus_server.h"

#include <modbus/modbus.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/expect.h"

#define CLIENTS 16

/* False: the client is gone. */
static bool serve(modbus_server *server) {
  uint8_t query[MODBUS_TCP_MAX_ADU_LENGTH];
  int len = modbus_receive(server->context, query);
  if (len < 0) return false;
  pthread_mutex_lock(&server->mutex);
  if (len > 0) modbus_reply(server->context, query, len, server->mapping);
  pthread_mutex_unlock(&server->mutex);
  return true;
}

static void *run_rtu(void *user) {
  modbus_server *server = user;
  for (;;) {
    struct pollfd fds[] = {{.fd = server->wake[0], .events = POLLIN},
                           {.fd = modbus_get_socket(server->context), .events = POLLIN}};
    if (poll(fds, 2, -1) < 0 || fds[0].revents != 0) return NULL;
    if ((fds[1].revents & POLLIN) != 0) serve(server);
  }
}

static void *run_tcp(void *user) {
  modbus_server *server = user;
  struct pollfd fds[2 + CLIENTS] = {{.fd = server->wake[0], .events = POLLIN},
                                    {.fd = server->listener, .events = POLLIN}};
  nfds_t n = 2;
  for (;;) {
    if (poll(fds, n, -1) < 0 || fds[0].revents != 0) break;
    for (nfds_t i = 2; i < n; i++) {
      if (fds[i].revents == 0) continue;
      modbus_set_socket(server->context, fds[i].fd);
      if (serve(server)) continue;
      close(fds[i].fd);
      fds[i--] = fds[--n];
    }
    if (fds[1].revents != 0 && n < 2 + CLIENTS) {
      fds[n++] = (struct pollfd){.fd = accept(server->listener, NULL, NULL), .events = POLLIN};
    }
  }
  for (nfds_t i = 2; i < n; i++) close(fds[i].fd);
  modbus_set_socket(server->context, -1);
  return NULL;
}

static void start(modbus_server *server, void *(*run)(void *)) {
  server->mapping = modbus_mapping_new(MODBUS_SERVER_PLACES, MODBUS_SERVER_PLACES,
                                       MODBUS_SERVER_PLACES, MODBUS_SERVER_PLACES);
  expect_true("mapping", server->mapping != NULL);
  pthread_mutex_init(&server->mutex, NULL);
  expect_int("pipe", pipe(server->wake), 0);
  expect_int("thread", pthread_create(&server->thread, NULL, run, server), 0);
}

void modbus_server_open_tcp(modbus_server *server) {
  struct sockaddr_in address;
  socklen_t len = sizeof(address);
  memset(server, 0, sizeof(*server));
  server->context = modbus_new_tcp("127.0.0.1", 0);
  server->listener = modbus_tcp_listen(server->context, CLIENTS);
  expect_true("listen", server->listener >= 0);
  getsockname(server->listener, (struct sockaddr *)&address, &len);
  server->port = ntohs(address.sin_port);
  start(server, run_tcp);
}

void modbus_server_open_rtu(modbus_server *server, int fd, int unit) {
  memset(server, 0, sizeof(*server));
  server->listener = -1;
  server->context = modbus_new_rtu("the far end", 115200, 'N', 8, 1);
  modbus_set_slave(server->context, unit);
  modbus_set_socket(server->context, fd);
  start(server, run_rtu);
}

void modbus_server_close(modbus_server *server) {
  close(server->wake[1]);
  pthread_join(server->thread, NULL);
  close(server->wake[0]);
  if (server->listener >= 0) close(server->listener);
  modbus_mapping_free(server->mapping);
  modbus_free(server->context);
  pthread_mutex_destroy(&server->mutex);
}

void modbus_server_set(modbus_server *server, char table, unsigned address, uint16_t value) {
  modbus_mapping_t *mapping = server->mapping;
  pthread_mutex_lock(&server->mutex);
  switch (table) {
  case 'c':
    mapping->tab_bits[address] = (uint8_t)value;
    break;
  case 'd':
    mapping->tab_input_bits[address] = (uint8_t)value;
    break;
  case 'i':
    mapping->tab_input_registers[address] = value;
    break;
  default:
    mapping->tab_registers[address] = value;
  }
  pthread_mutex_unlock(&server->mutex);
}

uint16_t modbus_server_get(modbus_server *server, char table, unsigned address) {
  const modbus_mapping_t *mapping = server->mapping;
  pthread_mutex_lock(&server->mutex);
  uint16_t value = table == 'c'   ? mapping->tab_bits[address]
                   : table == 'd' ? mapping->tab_input_bits[address]
                   : table == 'i' ? mapping->tab_input_registers[address]
                                  : mapping->tab_registers[address];
  pthread_mutex_unlock(&server->mutex);
  return value;
}
