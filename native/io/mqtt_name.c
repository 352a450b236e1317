/* SPDX-License-Identifier: Apache-2.0 */
/* See mqtt_name.h. */
#include "io/mqtt_name.h"

#include <dlfcn.h>
#include <netdb.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stddef.h>
#include <string.h>

typedef int (*lookup)(const char *, const char *, const struct addrinfo *, struct addrinfo **);

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bb_mqtt_name *names;

static socklen_t length_of(const struct sockaddr *address) {
  return address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

void bb_mqtt_name_hold(bb_mqtt_name *held, const char *name, const struct sockaddr *address) {
  bb_mqtt_name_release(held);
  pthread_mutex_lock(&lock);
  memcpy(&held->address, address, length_of(address));
  held->name = name;
  held->next = names;
  held->held = true;
  names = held;
  pthread_mutex_unlock(&lock);
}

void bb_mqtt_name_release(bb_mqtt_name *held) {
  pthread_mutex_lock(&lock);
  bb_mqtt_name **place = &names;
  while (held->held && *place != held) place = &(*place)->next;
  if (held->held) *place = held->next;
  held->held = false;
  pthread_mutex_unlock(&lock);
}

/* The held address of the name in numbers. False: it is not held. */
static bool find(const char *name, char *out, socklen_t cap) {
  bool found = false;
  pthread_mutex_lock(&lock);
  for (bb_mqtt_name *held = names; held != NULL && !found; held = held->next) {
    if (strcmp(held->name, name) != 0) continue;
    const struct sockaddr *address = (const struct sockaddr *)&held->address;
    found = getnameinfo(address, length_of(address), out, cap, NULL, 0, NI_NUMERICHOST) == 0;
  }
  pthread_mutex_unlock(&lock);
  return found;
}

/* libc's own, for the name of everything else. */
int getaddrinfo(const char *restrict name, const char *restrict service,
                const struct addrinfo *restrict hints, struct addrinfo **restrict found) {
  lookup next;
  *(void **)&next = dlsym(RTLD_NEXT, "getaddrinfo");
  char numbers[NI_MAXHOST];
  if (next == NULL) return EAI_SYSTEM;
  if (name == NULL || !find(name, numbers, sizeof(numbers))) {
    return next(name, service, hints, found);
  }
  struct addrinfo numeric = {.ai_family = AF_UNSPEC};
  if (hints != NULL) numeric = *hints;
  numeric.ai_flags = (numeric.ai_flags & ~AI_ADDRCONFIG) | AI_NUMERICHOST;
  return next(numbers, service, &numeric, found);
}
