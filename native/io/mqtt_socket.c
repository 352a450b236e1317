/* SPDX-License-Identifier: Apache-2.0 */
/* See mqtt_socket.h. */
#include "io/mqtt_socket.h"

#include <dirent.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

/* The kernel takes it as far as net.core.wmem_max allows. */
#define BUFFER_BYTES (512 << 10)

/* Used by the feeder's thread only. 0: free place; descriptor 0 is never a broker's. */
static int claimed[BB_MAX_SINKS];

static bool same(const struct sockaddr *a, const struct sockaddr *b) {
  if (a->sa_family != b->sa_family) return false;
  if (a->sa_family == AF_INET) {
    const struct sockaddr_in *x = (const struct sockaddr_in *)(const void *)a;
    const struct sockaddr_in *y = (const struct sockaddr_in *)(const void *)b;
    return x->sin_port == y->sin_port && x->sin_addr.s_addr == y->sin_addr.s_addr;
  }
  const struct sockaddr_in6 *x = (const struct sockaddr_in6 *)(const void *)a;
  const struct sockaddr_in6 *y = (const struct sockaddr_in6 *)(const void *)b;
  return a->sa_family == AF_INET6 && x->sin6_port == y->sin6_port &&
         memcmp(&x->sin6_addr, &y->sin6_addr, sizeof(x->sin6_addr)) == 0;
}

static int *place_of(int fd) {
  for (size_t i = 0; i < BB_MAX_SINKS; i++) {
    if (claimed[i] == fd) return &claimed[i];
  }
  return NULL;
}

static bool fits(int fd, const struct sockaddr *peer) {
  struct sockaddr_storage address;
  socklen_t len = sizeof(address);
  return fd > 0 && getpeername(fd, (struct sockaddr *)&address, &len) == 0 &&
         same((const struct sockaddr *)&address, peer) && place_of(fd) == NULL;
}

int bb_mqtt_socket_claim(const struct sockaddr *peer) {
  int *place = place_of(0), found = -1;
  DIR *folder = place != NULL ? opendir("/proc/self/fd") : NULL;
  if (folder == NULL) return -1;
  for (struct dirent *entry; found < 0 && (entry = readdir(folder)) != NULL;) {
    int fd = (int)strtol(entry->d_name, NULL, 10);
    if (fits(fd, peer)) found = fd;
  }
  closedir(folder);
  if (found < 0) return -1;
  int bytes = BUFFER_BYTES;
  setsockopt(found, SOL_SOCKET, SO_SNDBUF, &bytes, sizeof(bytes));
  return *place = found;
}

void bb_mqtt_socket_release(int fd) {
  int *place = fd > 0 ? place_of(fd) : NULL;
  if (place != NULL) *place = 0;
}

void bb_mqtt_socket_hurry(int fd) {
  int on = 1;
  if (fd > 0) setsockopt(fd, IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
}
