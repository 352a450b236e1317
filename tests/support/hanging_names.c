/* SPDX-License-Identifier: Apache-2.0 */
/* Loaded before a program, so that nobody ever says what address a name below "hanging.test" has: as with
 * a name server that swallows what it is asked. */
#include <dlfcn.h>
#include <netdb.h>
#include <string.h>
#include <unistd.h>

#define BELOW ".hanging.test"

int getaddrinfo(const char *name, const char *service, const struct addrinfo *hints,
                struct addrinfo **found) {
  int (*next)(const char *, const char *, const struct addrinfo *, struct addrinfo **);
  size_t len = name != NULL ? strlen(name) : 0;
  while (len > strlen(BELOW) && strcmp(name + len - strlen(BELOW), BELOW) == 0) pause();
  *(void **)&next = dlsym(RTLD_NEXT, "getaddrinfo");
  return next(name, service, hints, found);
}
