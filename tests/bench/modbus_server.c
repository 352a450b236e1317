/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The peer of poll_cpu and bare_epoll: a Modbus TCP server on one epoll loop that does as little as
 * it can. It answers every 12-byte request with 120 registers, sixty float32 values around 230. In a
 * process of its own, so that its time is not counted.
 *
 *   modbus_server [most connections]      prints its port, ends with its standard input
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#define REQUEST 12
#define REGISTERS 120
#define RESPONSE (9 + 2 * REGISTERS)
#define EVENTS 256

static uint8_t response[RESPONSE];

static void build_response(void) {
  static const uint8_t head[] = {0, 0, 0, 0, 0, 3 + 2 * REGISTERS, 1, 3, 2 * REGISTERS};
  memcpy(response, head, sizeof(head));
  for (int i = 0; i < REGISTERS / 2; i++) {
    float value = 230.0f + (float)i / 7;
    uint32_t bits;
    memcpy(&bits, &value, sizeof(bits));
    for (int byte = 0; byte < 4; byte++) {
      response[9 + 4 * i + byte] = (uint8_t)(bits >> (24 - 8 * byte));
    }
  }
}

static int listen_anywhere(uint16_t *port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof(address);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 ||
      listen(fd, 4096) < 0 || getsockname(fd, (struct sockaddr *)&address, &len) < 0) {
    perror("modbus_server");
    exit(1);
  }
  *port = ntohs(address.sin_port);
  return fd;
}

static void watch(int epoll, int fd) {
  struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
  epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
}

static void take_clients(int epoll, int listener) {
  int one = 1, fd;
  while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    watch(epoll, fd);
  }
}

static void serve(int fd) {
  uint8_t request[64];
  ssize_t n = read(fd, request, sizeof(request));
  if (n <= 0) {
    if (n == 0 || errno != EAGAIN) close(fd);
    return;
  }
  for (ssize_t at = 0; at + REQUEST <= n; at += REQUEST) {
    response[0] = request[at];
    response[1] = request[at + 1];
    if (write(fd, response, RESPONSE) != RESPONSE) close(fd);
  }
}

int main(int argc, char **argv) {
  rlim_t most = argc > 1 ? (rlim_t)strtoul(argv[1], NULL, 10) : 4096;
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  if (limit.rlim_cur < most + 64) limit.rlim_cur = most + 64;
  if (limit.rlim_max < limit.rlim_cur) limit.rlim_max = limit.rlim_cur;
  setrlimit(RLIMIT_NOFILE, &limit);
  uint16_t port;
  int listener = listen_anywhere(&port), epoll = epoll_create1(0);
  build_response();
  watch(epoll, listener);
  watch(epoll, STDIN_FILENO);
  printf("%u\n", port);
  fflush(stdout);
  for (;;) {
    struct epoll_event events[EVENTS];
    int n = epoll_wait(epoll, events, EVENTS, -1);
    for (int i = 0; i < n; i++) {
      if (events[i].data.fd == STDIN_FILENO) return 0;
      if (events[i].data.fd == listener) {
        take_clients(epoll, listener);
      } else {
        serve(events[i].data.fd);
      }
    }
  }
}
