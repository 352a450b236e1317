/* SPDX-License-Identifier: Apache-2.0 */
/* See lifeline.h. */
#include "runtime/lifeline.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define CONTAINER_ID 64 /* hex digits in the cgroup's path, whichever engine runs it */
#define MACHINE_PIDS "pid:[4026531836]" /* the kernel's PROC_PID_INIT_INO, 0xEFFFFFFC */

const char *bb_lifeline_mode_name(bb_lifeline_mode mode) {
  static const char *const names[] = {"spawned", "service", "container"};
  return names[mode];
}

const char *bb_lifeline_path(const char *text, char *out, size_t cap) {
  out[0] = 0;
  for (const char *line = text; *line != 0;) {
    size_t len = strcspn(line, "\n");
    const char *list = memchr(line, ':', len);
    const char *path = list != NULL ? memchr(list + 1, ':', len - (size_t)(list + 1 - line)) : NULL;
    size_t list_len = path != NULL ? (size_t)(path - list) : 0;
    bool unified = list_len == 1;
    bool named = list_len > 0 && strncmp(list, ":name=systemd", list_len) == 0 &&
                 list_len == sizeof(":name=systemd") - 1;
    if (named || (unified && out[0] == 0)) {
      snprintf(out, cap, "%.*s", (int)(line + len - path - 1), path + 1);
    }
    if (named) break;
    line += len + (line[len] != 0);
  }
  return out;
}

static bool ends_with(const char *text, size_t len, const char *end) {
  size_t n = strlen(end);
  return len > n && memcmp(text + len - n, end, n) == 0;
}

/* How much of the path leads to the service that the process runs in, its name included; 0: none.
 * What lies below the innermost unit are groups that the service has made for itself. */
static size_t unit_len(const char *path) {
  size_t found = 0;
  for (const char *part = path; *part != 0;) {
    part += *part == '/';
    size_t len = strcspn(part, "/");
    if (ends_with(part, len, ".service")) found = (size_t)(part + len - path);
    if (ends_with(part, len, ".scope")) found = 0;
    part += len;
  }
  return found;
}

/* Where a container's id begins, or NULL. */
static const char *container_id(const char *path) {
  size_t run = 0;
  for (; *path != 0; path++) {
    run = isxdigit((unsigned char)*path) ? run + 1 : 0;
    if (run == CONTAINER_ID) return path + 1 - CONTAINER_ID;
  }
  return NULL;
}

/* A path that climbs is that of a process outside our cgroup namespace. */
static bool is_same_container(const char *own, const char *other) {
  const char *a = container_id(own), *b = container_id(other);
  if (strncmp(other, "/..", 3) == 0) return false;
  return a == NULL || b == NULL || memcmp(a, b, CONTAINER_ID) == 0;
}

/* A service whose path goes on to a container is the engine that runs the container. */
static bool is_same_unit(const char *own, const char *other) {
  size_t len = unit_len(own);
  return len > 0 && container_id(own) == NULL && len == unit_len(other) &&
         memcmp(own, other, len) == 0;
}

const char *bb_lifeline_compare(const bb_lifeline *lifeline, pid_t client, const char *path) {
  if (client <= 0) return "nothing";
  if (is_same_unit(lifeline->cgroup, path)) return "unit";
  return lifeline->contained && is_same_container(lifeline->cgroup, path) ? "container" : "nothing";
}

/* INVOCATION_ID alone says little: a service's children inherit it. */
static bool is_service(const bb_lifeline_facts *facts) {
  if (facts->invocation_id == NULL || facts->invocation_id[0] == 0) return false;
  if (facts->exec_pid != NULL) return strtol(facts->exec_pid, NULL, 10) == (long)facts->pid;
  bool is_user_manager = facts->parent_name != NULL && strcmp(facts->parent_name, "systemd") == 0;
  return facts->parent == 1 || is_user_manager;
}

static bool is_init(const char *name) {
  return name != NULL && (strcmp(name, "systemd") == 0 || strcmp(name, "init") == 0);
}

static bool is_contained(const bb_lifeline_facts *facts, const char *path) {
  if (facts->container_file || facts->pid == 1 || container_id(path) != NULL) return true;
  return (facts->own_pids || facts->parent == 0) && !is_init(facts->init_name);
}

void bb_lifeline_judge(bb_lifeline *lifeline, const bb_lifeline_facts *facts) {
  bb_lifeline_path(facts->cgroup != NULL ? facts->cgroup : "", lifeline->cgroup,
                   sizeof(lifeline->cgroup));
  lifeline->contained = is_contained(facts, lifeline->cgroup);
  lifeline->mode = facts->spawned        ? BB_LIFELINE_SPAWNED
                   : is_service(facts)   ? BB_LIFELINE_SERVICE
                   : lifeline->contained ? BB_LIFELINE_CONTAINER
                                         : BB_LIFELINE_SPAWNED;
}

/* What a file of /proc/<pid> says, without its last newline; "" when it cannot be read. */
static const char *read_proc(pid_t pid, const char *name, char *out, size_t cap) {
  char path[64];
  snprintf(path, sizeof(path), "/proc/%ld/%s", (long)pid, name);
  FILE *file = fopen(path, "re");
  size_t len = file != NULL ? fread(out, 1, cap - 1, file) : 0;
  if (file != NULL) fclose(file);
  if (len > 0 && out[len - 1] == '\n') len--;
  out[len] = 0;
  return out;
}

static bool has_own_pids(void) {
  char link[64];
  ssize_t len = readlink("/proc/self/ns/pid", link, sizeof(link) - 1);
  if (len <= 0) return false;
  link[len] = 0;
  return strcmp(link, MACHINE_PIDS) != 0;
}

void bb_lifeline_find(bb_lifeline *lifeline, bool spawned) {
  char name[64], init[64], cgroup[2 * BB_MAX_PATH];
  bb_lifeline_facts facts = {
      .spawned = spawned,
      .pid = getpid(),
      .parent = getppid(),
      .invocation_id = getenv("INVOCATION_ID"),
      .exec_pid = getenv("SYSTEMD_EXEC_PID"),
      .container_file = access("/.dockerenv", F_OK) == 0 || access("/run/.containerenv", F_OK) == 0,
      .own_pids = has_own_pids(),
  };
  facts.parent_name = read_proc(facts.parent, "comm", name, sizeof(name));
  facts.init_name = read_proc(1, "comm", init, sizeof(init));
  facts.cgroup = read_proc(facts.pid, "cgroup", cgroup, sizeof(cgroup));
  bb_lifeline_judge(lifeline, &facts);
}

const char *bb_lifeline_killed_with(const bb_lifeline *lifeline, pid_t client) {
  char text[2 * BB_MAX_PATH], path[BB_MAX_PATH];
  if (client <= 0) return bb_lifeline_compare(lifeline, client, "");
  bb_lifeline_path(read_proc(client, "cgroup", text, sizeof(text)), path, sizeof(path));
  return bb_lifeline_compare(lifeline, client, path);
}
