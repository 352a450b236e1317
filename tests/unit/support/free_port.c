/* SPDX-License-Identifier: Apache-2.0 */
/* See free_port.h. Whoever has the UDP port of a number may listen on its TCP namesake, as in
 * scripts/peers/place.js. */
#include "support/free_port.h"

#include <arpa/inet.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

/* Below those that the kernel gives to whoever asks for any. */
#define FIRST_PORT 20000u
#define PORTS 10000u

/* A socket that is bound there, or -1. */
static int bind_to(uint16_t port, int type) {
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, type | SOCK_CLOEXEC, 0);
  if (bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0) return fd;
  close(fd);
  return -1;
}

static bool is_free(uint16_t port) {
  int fd = bind_to(port, SOCK_STREAM);
  if (fd >= 0) close(fd);
  return fd >= 0;
}

uint16_t free_port(void) {
  static unsigned drawn;
  if (drawn == 0) drawn = (unsigned)getpid() * 37; /* programs begin far from each other */
  for (unsigned tries = 0; tries < PORTS; tries++) {
    uint16_t port = (uint16_t)(FIRST_PORT + drawn++ % PORTS);
    int lock = bind_to(port, SOCK_DGRAM);
    if (lock >= 0 && is_free(port)) return port; /* the lock stays open */
    if (lock >= 0) close(lock);
  }
  fail_msg("no port is free");
  return 0;
}
