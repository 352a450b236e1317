/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What this process's life hangs on: who keeps it alive, and what takes it along when a client
 * (Node-RED, which may have spawned it) comes to its end.
 *
 *   unit        systemd ends all that is in a service's control group when its main process ends
 *               (KillMode=control-group, the default), whatever session or process group it is in
 *   container   all its processes end with its first one
 *   nothing     neither is the case; a process of its own session outlives its parent
 *
 * systemd leaves the processes of a scope (a login session, an application of a desktop) alone when
 * one of them ends, so a shared scope is nothing.
 */
#ifndef BB_RUNTIME_LIFELINE_H
#define BB_RUNTIME_LIFELINE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/limits.h"

typedef enum bb_lifeline_mode {
  BB_LIFELINE_SPAWNED,   /* by a client, or by hand */
  BB_LIFELINE_SERVICE,   /* by systemd, as a service of its own */
  BB_LIFELINE_CONTAINER, /* as a container of its own */
} bb_lifeline_mode;

/* What the mode is told from. Texts may be NULL. */
typedef struct bb_lifeline_facts {
  bool spawned; /* it was said so: it lingers for a client */
  pid_t pid, parent;
  const char *parent_name; /* /proc/<parent>/comm */
  const char
      *invocation_id;    /* INVOCATION_ID, which systemd gives to a service, and it to its own */
  const char *exec_pid;  /* SYSTEMD_EXEC_PID (systemd 248): whom systemd gave it to */
  bool container_file;   /* /.dockerenv or /run/.containerenv is there */
  bool own_pids;         /* the pid namespace is not the machine's */
  const char *init_name; /* /proc/1/comm */
  const char *cgroup;    /* /proc/self/cgroup */
} bb_lifeline_facts;

typedef struct bb_lifeline {
  /* read-only */
  bb_lifeline_mode mode;
  bool contained;           /* in a container for one program; one that systemd runs is a machine */
  char cgroup[BB_MAX_PATH]; /* its path; "" where unknown */
} bb_lifeline;

/* Looks around in this process's environment and in /proc. */
void bb_lifeline_find(bb_lifeline *lifeline, bool spawned);

/* "spawned", "service", "container". */
const char *bb_lifeline_mode_name(bb_lifeline_mode mode);

/* What takes this process along with that client: "nothing", "unit", "container". `client` is the pid
 * that the kernel gives for the peer; 0: it is not seen from here, so it lies in another container. */
const char *bb_lifeline_killed_with(const bb_lifeline *lifeline, pid_t client);

/* The pure parts: */

void bb_lifeline_judge(bb_lifeline *lifeline, const bb_lifeline_facts *facts);

/* The path out of a text of /proc/<pid>/cgroup (cgroups(7)): that of systemd's own hierarchy
 * ("1:name=systemd:/system.slice/a.service", v1), else the one of v2 ("0::/..."); "" without either.
 * Returns `out`. */
const char *bb_lifeline_path(const char *text, char *out, size_t cap);

const char *bb_lifeline_compare(const bb_lifeline *lifeline, pid_t client, const char *path);

#endif
