/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How punctually N devices are polled: a Modbus TCP server with a port for each, which answers at once
 * and notes when the read that begins at register 0 comes, by the kernel's clock, so that it does not
 * matter how soon this process gets to it; beside it a bare loop that sleeps to every point of an
 * absolute grid, as what this machine allows.
 *
 *   modbus_clock DEVICES PERIOD_MS        prints the ports on one line, ends with its standard input
 *     begin                               forgets how late polls were so far
 *     end                                 prints
 *       {"polls":n,"p50_ms":x,"p999_ms":x,"max_ms":x,"bare":{"p50_ms":x,"p999_ms":x,"max_ms":x}}
 *
 * A poll is as late as it comes longer than a period after the one before it; one that has not come
 * by the end is as late as it is then. The bare loop has as many grid points as there are polls.
 */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <time.h>
#include <unistd.h>

#define MAX_DEVICES 2000
#define MAX_SAMPLES (1u << 20)
#define MAX_REGISTERS 125
#define REQUEST 12
#define EVENTS 256
#define NS_PER_S 1000000000ull
#define LISTENER 0x80000000u

typedef struct {
  uint32_t n;
  uint32_t late_us[MAX_SAMPLES];
} samples;

static samples polls, ticks;
static pthread_mutex_t ticks_lock = PTHREAD_MUTEX_INITIALIZER;
static uint64_t last_ns[MAX_DEVICES], period_ns, begin_ns;
static uint32_t n_devices, n_polls;

static uint64_t to_ns(const struct timespec *time) {
  return (uint64_t)time->tv_sec * NS_PER_S + (uint64_t)time->tv_nsec;
}

static uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return to_ns(&now);
}

static void die(const char *what) {
  fprintf(stderr, "modbus_clock: %s: %s\n", what, strerror(errno));
  exit(1);
}

static void note(samples *to, uint64_t at_ns, uint64_t due_ns) {
  uint64_t late_us = at_ns > due_ns ? (at_ns - due_ns) / 1000 : 0;
  if (to->n < MAX_SAMPLES) to->late_us[to->n++] = (uint32_t)late_us;
}

/* Grid points that passed while it slept too long count, each by itself. */
static void *run_bare_loop(void *unused) {
  (void)unused;
  uint64_t step_ns = period_ns / n_devices, due_ns = now_ns();
  for (;;) {
    due_ns += step_ns;
    struct timespec due = {(time_t)(due_ns / NS_PER_S), (long)(due_ns % NS_PER_S)};
    while (clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL) == EINTR) continue;
    uint64_t at_ns = now_ns();
    pthread_mutex_lock(&ticks_lock);
    note(&ticks, at_ns, due_ns);
    for (; due_ns + step_ns <= at_ns; due_ns += step_ns) note(&ticks, at_ns, due_ns + step_ns);
    pthread_mutex_unlock(&ticks_lock);
  }
  return NULL;
}

static int compare(const void *a, const void *b) {
  uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
  return (x > y) - (x < y);
}

static double part_ms(const samples *from, double part) {
  if (from->n == 0) return 0;
  return from->late_us[(uint32_t)((double)(from->n - 1) * part)] / 1000.0;
}

static void print_parts(samples *from) {
  qsort(from->late_us, from->n, sizeof(from->late_us[0]), compare);
  printf("\"p50_ms\":%.3f,\"p999_ms\":%.3f,\"max_ms\":%.3f", part_ms(from, 0.5),
         part_ms(from, 0.999), part_ms(from, 1));
}

static void begin(void) {
  n_polls = polls.n = 0;
  begin_ns = now_ns();
  pthread_mutex_lock(&ticks_lock);
  ticks.n = 0;
  pthread_mutex_unlock(&ticks_lock);
}

static void end(void) {
  uint64_t at_ns = now_ns();
  for (uint32_t i = 0; i < n_devices; i++) {
    uint64_t due_ns = (last_ns[i] > 0 ? last_ns[i] : begin_ns) + period_ns;
    if (due_ns < at_ns) note(&polls, at_ns, due_ns);
  }
  printf("{\"polls\":%u,", n_polls);
  print_parts(&polls);
  printf(",\"bare\":{");
  pthread_mutex_lock(&ticks_lock);
  print_parts(&ticks);
  pthread_mutex_unlock(&ticks_lock);
  printf("}}\n");
  fflush(stdout);
}

static void obey(void) {
  char words[256];
  ssize_t n = read(STDIN_FILENO, words, sizeof(words) - 1);
  if (n <= 0) exit(0);
  words[n] = 0;
  if (strstr(words, "begin") != NULL) begin();
  if (strstr(words, "end") != NULL) end();
}

static int listen_anywhere(uint16_t *port) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t len = sizeof(address);
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
  if (fd < 0 || bind(fd, (struct sockaddr *)&address, sizeof(address)) < 0 || listen(fd, 64) < 0 ||
      getsockname(fd, (struct sockaddr *)&address, &len) < 0) {
    die("listen");
  }
  *port = ntohs(address.sin_port);
  return fd;
}

/* An event bears the descriptor, and above it which device it is. */
static void watch(int epoll, int fd, uint32_t device) {
  struct epoll_event event = {.events = EPOLLIN, .data.u64 = (uint64_t)device << 32 | (uint32_t)fd};
  if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) < 0) die("epoll");
}

static void take_clients(int epoll, int listener, uint32_t device) {
  int one = 1, fd;
  while ((fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK)) >= 0) {
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
    setsockopt(fd, SOL_SOCKET, SO_TIMESTAMPNS, &one, sizeof(one));
    watch(epoll, fd, device);
  }
}

static void note_poll(uint32_t device, uint64_t at_ns) {
  if (last_ns[device] > 0) note(&polls, at_ns, last_ns[device] + period_ns);
  last_ns[device] = at_ns;
  n_polls++;
}

/* Registers of any value, which is 0; to what is no read of registers, exception 1. */
static size_t answer(const uint8_t *request, uint8_t *response) {
  unsigned count = (unsigned)request[10] << 8 | request[11];
  bool is_read = (request[7] == 3 || request[7] == 4) && count >= 1 && count <= MAX_REGISTERS;
  size_t len = is_read ? 9 + 2 * (size_t)count : 9;
  memset(response, 0, len);
  memcpy(response, request, 8);
  response[4] = 0;
  response[5] = (uint8_t)(len - 6);
  if (!is_read) response[7] |= 0x80;
  response[8] = is_read ? (uint8_t)(2 * count) : 1;
  return len;
}

/* Reads, and says by the clock that is never set when what was read arrived. */
static ssize_t receive(int fd, uint8_t *bytes, size_t len, uint64_t *at_ns) {
  char control[128];
  struct iovec part = {bytes, len};
  struct msghdr message = {
      .msg_iov = &part, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control)};
  ssize_t n = recvmsg(fd, &message, 0);
  *at_ns = now_ns();
  struct cmsghdr *head = n > 0 ? CMSG_FIRSTHDR(&message) : NULL;
  if (head != NULL && head->cmsg_level == SOL_SOCKET && head->cmsg_type == SCM_TIMESTAMPNS) {
    struct timespec arrived, now;
    memcpy(&arrived, CMSG_DATA(head), sizeof(arrived));
    clock_gettime(CLOCK_REALTIME, &now);
    *at_ns -= to_ns(&now) - to_ns(&arrived);
  }
  return n;
}

static void serve(int fd, uint32_t device) {
  uint8_t bytes[16 * REQUEST], response[9 + 2 * MAX_REGISTERS];
  uint64_t at_ns;
  ssize_t n = receive(fd, bytes, sizeof(bytes), &at_ns);
  if (n <= 0) {
    if (n == 0 || errno != EAGAIN) close(fd);
    return;
  }
  for (ssize_t at = 0; at + REQUEST <= n; at += REQUEST) {
    const uint8_t *request = bytes + at;
    if (request[8] == 0 && request[9] == 0) note_poll(device, at_ns);
    size_t len = answer(request, response);
    if (write(fd, response, len) != (ssize_t)len) {
      close(fd);
      return;
    }
  }
}

static void run(int epoll) {
  for (;;) {
    struct epoll_event events[EVENTS];
    int n = epoll_wait(epoll, events, EVENTS, -1);
    for (int i = 0; i < n; i++) {
      int fd = (int)(uint32_t)events[i].data.u64;
      uint32_t device = (uint32_t)(events[i].data.u64 >> 32);
      if (fd == STDIN_FILENO) {
        obey();
      } else if ((device & LISTENER) != 0) {
        take_clients(epoll, fd, device & ~LISTENER);
      } else {
        serve(fd, device);
      }
    }
  }
}

int main(int argc, char **argv) {
  n_devices = argc == 3 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
  period_ns = argc == 3 ? strtoull(argv[2], NULL, 10) * 1000000 : 0;
  if (n_devices < 1 || n_devices > MAX_DEVICES || period_ns < n_devices) {
    fprintf(stderr, "usage: modbus_clock DEVICES PERIOD_MS (at most %d devices)\n", MAX_DEVICES);
    return 2;
  }
  struct rlimit limit;
  getrlimit(RLIMIT_NOFILE, &limit);
  limit.rlim_cur = limit.rlim_max;
  setrlimit(RLIMIT_NOFILE, &limit);
  int epoll = epoll_create1(0);
  watch(epoll, STDIN_FILENO, 0);
  for (uint32_t i = 0; i < n_devices; i++) {
    uint16_t port;
    int listener = listen_anywhere(&port);
    watch(epoll, listener, i | LISTENER);
    printf(i + 1 < n_devices ? "%u " : "%u\n", port);
  }
  fflush(stdout);
  begin();
  pthread_t thread;
  if (pthread_create(&thread, NULL, run_bare_loop, NULL) != 0) die("thread");
  run(epoll);
}
