/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The floor for poll_cpu: the same bytes over the same connections, by a bare epoll loop that knows
 * where its answers lie and decodes nothing. 12 bytes out, 249 back, at full speed.
 *
 *   bare_epoll PORT CONNECTIONS SECONDS      prints {"reads": n, "cpu_us_per_read": x}
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define RESPONSE 249
#define EVENTS 1024

static uint8_t request[12] = {0, 1, 0, 0, 0, 6, 1, 3, 0, 0, 0, 120};

static double seconds(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static int connect_to(uint16_t port) {
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
  int fd = socket(AF_INET, SOCK_STREAM, 0), one = 1;
  if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)) < 0) {
    perror("bare_epoll");
    exit(1);
  }
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
  return fd;
}

static void ask(int fd) {
  if (write(fd, request, sizeof(request)) != (ssize_t)sizeof(request)) {
    perror("bare_epoll: write");
    exit(1);
  }
}

/* Reads for that long; returns how many. */
static unsigned long run(int epoll, double for_seconds) {
  struct epoll_event events[EVENTS];
  unsigned long reads = 0;
  double end = seconds(CLOCK_MONOTONIC) + for_seconds;
  while (seconds(CLOCK_MONOTONIC) < end) {
    int n = epoll_wait(epoll, events, EVENTS, 100);
    for (int i = 0; i < n; i++) {
      uint8_t bytes[520];
      ssize_t len = read(events[i].data.fd, bytes, sizeof(bytes));
      if (len != RESPONSE) {
        fprintf(stderr, "bare_epoll: %zd bytes instead of %d\n", len, RESPONSE);
        exit(1);
      }
      reads++;
      ask(events[i].data.fd);
    }
  }
  return reads;
}

int main(int argc, char **argv) {
  if (argc != 4) {
    fprintf(stderr, "usage: bare_epoll PORT CONNECTIONS SECONDS\n");
    return 2;
  }
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  int n = (int)strtol(argv[2], NULL, 10), epoll = epoll_create1(0);
  for (int i = 0; i < n; i++) {
    int fd = connect_to((uint16_t)strtoul(argv[1], NULL, 10));
    struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};
    epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event);
    ask(fd);
  }
  run(epoll, 0.5);
  double cpu = seconds(CLOCK_PROCESS_CPUTIME_ID);
  unsigned long reads = run(epoll, strtod(argv[3], NULL));
  cpu = seconds(CLOCK_PROCESS_CPUTIME_ID) - cpu;
  printf("{\"reads\": %lu, \"cpu_us_per_read\": %.3f}\n", reads, cpu * 1e6 / (double)reads);
  return 0;
}
