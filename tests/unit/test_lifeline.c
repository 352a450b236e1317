/* SPDX-License-Identifier: Apache-2.0 */
#include "runtime/lifeline.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "support/expect.h"

#define ID_A "3f1c2d4e5a6b7c8d9e0f1a2b3c4d5e6f7a8b9c0d1e2f3a4b5c6d7e8f9a0b1c2d"
#define ID_B "99999999999999999999999999999999aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

/* /proc/<pid>/cgroup as machines have it. */

/* Debian 12, Node-RED's own unit; v2. */
#define NODE_RED_V2 "0::/system.slice/nodered.service\n"
#define BUSBAR_V2 "0::/system.slice/busbar.service\n"
/* A service that made groups below its own, as one with Delegate= may. */
#define NODE_RED_BELOW_V2 "0::/system.slice/nodered.service/workers\n"
/* Debian 10, systemd's hybrid of v1 and v2. */
#define NODE_RED_V1                                                                                \
  "11:perf_event:/\n"                                                                              \
  "10:pids:/system.slice/nodered.service\n"                                                        \
  "9:cpuset:/\n"                                                                                   \
  "8:memory:/system.slice/nodered.service\n"                                                       \
  "7:net_cls,net_prio:/\n"                                                                         \
  "6:cpu,cpuacct:/system.slice/nodered.service\n"                                                  \
  "5:rdma:/\n"                                                                                     \
  "4:freezer:/\n"                                                                                  \
  "3:blkio:/system.slice/nodered.service\n"                                                        \
  "2:devices:/system.slice/nodered.service\n"                                                      \
  "1:name=systemd:/system.slice/nodered.service\n"                                                 \
  "0::/system.slice/nodered.service\n"
#define BUSBAR_V1                                                                                  \
  "4:memory:/system.slice/busbar.service\n"                                                        \
  "1:name=systemd:/system.slice/busbar.service\n"                                                  \
  "0::/system.slice/busbar.service\n"
/* systemctl --user, and an instance of a template. */
#define USER_SERVICE                                                                               \
  "0::/user.slice/user-1000.slice/user@1000.service/app.slice/nodered@edge.service\n"
/* A shell over ssh, and an application of a desktop. */
#define LOGIN "0::/user.slice/user-1000.slice/session-3.scope\n"
#define DESKTOP                                                                                    \
  "0::/user.slice/user-1000.slice/user@1000.service/app.slice/app-org.gnome.Terminal.slice/"       \
  "vte-spawn-3b5a.scope\n"
/* Docker: v1 with cgroupfs, v1 with systemd, v2 with its own namespace, v2 seen from beside it. */
#define DOCKER_V1 "12:pids:/docker/" ID_A "\n1:name=systemd:/docker/" ID_A "\n0::/\n"
#define DOCKER_V1_B "12:pids:/docker/" ID_B "\n1:name=systemd:/docker/" ID_B "\n0::/\n"
#define DOCKER_SYSTEMD_V1 "1:name=systemd:/system.slice/docker-" ID_A ".scope\n"
#define DOCKER_V2 "0::/\n"
#define DOCKER_V2_BESIDE "0::/../docker-" ID_B ".scope\n"
/* Kubernetes, containerd without a slice of its own: the engine's service is no unit of ours. */
#define KUBERNETES_V1                                                                              \
  "1:name=systemd:/system.slice/containerd.service/kubepods-burstable-pod12ab.slice:"              \
  "cri-containerd:" ID_A "\n"
/* An LXC container (Proxmox) that runs systemd. */
#define LXC_SERVICE "0::/system.slice/nodered.service\n"
/* OpenRC, BusyBox init. */
#define NO_SYSTEMD "0::/\n"

static void test_lifeline_finds_the_path(void **state) {
  static const struct {
    const char *text, *path;
  } rows[] = {
      {NODE_RED_V2, "/system.slice/nodered.service"},
      {NODE_RED_V1, "/system.slice/nodered.service"},
      {DOCKER_V1, "/docker/" ID_A},
      {"0::/a/b:c\n", "/a/b:c"},
      {"1:name=systemd:/a\n0::/b\n", "/a"},
      {"0::/b\n1:name=systemd:/a\n", "/a"},
      {"4:memory:/a\n", ""},
      {"0::/no-line-end", "/no-line-end"},
      {"", ""},
      {"\n\n", ""},
      {"0", ""},
      {"0:", ""},
      {"0::", ""},
      {"1:name=systemdx:/a\n", ""},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    char path[256];
    expect_text(rows[i].text, bb_lifeline_path(rows[i].text, path, sizeof(path)), rows[i].path);
  }
  char small[8];
  expect_text("cut", bb_lifeline_path(NODE_RED_V2, small, sizeof(small)), "/system");
}

static void test_lifeline_tells_what_takes_it_along(void **state) {
  static const struct {
    const char *row, *own, *client, *expected;
    bool own_pids; /* seen as /proc shows it inside */
    const char *init_name;
  } rows[] = {
      {"spawned below the unit", NODE_RED_V2, NODE_RED_V2, "unit", false, "systemd"},
      {"the same, v1", NODE_RED_V1, NODE_RED_V1, "unit", false, "systemd"},
      {"in a group below", NODE_RED_BELOW_V2, NODE_RED_V2, "unit", false, "systemd"},
      {"client below", NODE_RED_V2, NODE_RED_BELOW_V2, "unit", false, "systemd"},
      {"a service of its own", BUSBAR_V2, NODE_RED_V2, "nothing", false, "systemd"},
      {"the same, v1", BUSBAR_V1, NODE_RED_V1, "nothing", false, "systemd"},
      {"one user's service", USER_SERVICE, USER_SERVICE, "unit", false, "systemd"},
      {"a service, asked from a shell", BUSBAR_V2, LOGIN, "nothing", false, "systemd"},
      {"one shell", LOGIN, LOGIN, "nothing", false, "systemd"},
      {"one desktop", DESKTOP, DESKTOP, "nothing", false, "systemd"},
      {"one container", DOCKER_V1, DOCKER_V1, "container", true, "node"},
      {"its id, without files", DOCKER_SYSTEMD_V1, DOCKER_SYSTEMD_V1, "container", false,
       "systemd"},
      {"one container, v2", DOCKER_V2, DOCKER_V2, "container", true, "npm start"},
      {"two that see each other", DOCKER_V1, DOCKER_V1_B, "nothing", true, "node"},
      {"the same, v2", DOCKER_V2, DOCKER_V2_BESIDE, "nothing", true, "node"},
      {"one pod", KUBERNETES_V1, KUBERNETES_V1, "container", true, "node"},
      {"a machine in a container", LXC_SERVICE, LXC_SERVICE, "unit", true, "systemd"},
      {"the same, two services", LXC_SERVICE, BUSBAR_V2, "nothing", true, "systemd"},
      {"no systemd at all", NO_SYSTEMD, NO_SYSTEMD, "nothing", false, "init"},
      {"client not readable", NODE_RED_V2, "", "nothing", false, "systemd"},
      {"own not readable", "", "", "nothing", false, "systemd"},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    bb_lifeline lifeline;
    char path[BB_MAX_PATH];
    bb_lifeline_facts facts = {.pid = 70,
                               .parent = 60,
                               .own_pids = rows[i].own_pids,
                               .init_name = rows[i].init_name,
                               .cgroup = rows[i].own};
    bb_lifeline_judge(&lifeline, &facts);
    bb_lifeline_path(rows[i].client, path, sizeof(path));
    expect_text(rows[i].row, bb_lifeline_compare(&lifeline, 60, path), rows[i].expected);
    /* From another pid namespace: it is nobody whom we would go with. */
    expect_text(rows[i].row, bb_lifeline_compare(&lifeline, 0, path), "nothing");
  }
}

static void test_lifeline_tells_who_keeps_it(void **state) {
  static const struct {
    const char *row, *expected;
    bb_lifeline_facts facts;
  } rows[] = {
      {"by hand", "spawned", {.pid = 70, .parent = 60, .cgroup = LOGIN}},
      {"for a client",
       "spawned",
       {.spawned = true, .pid = 70, .parent = 60, .cgroup = NODE_RED_V2}},
      {"a service",
       "service",
       {.pid = 70, .parent = 1, .invocation_id = "a1", .exec_pid = "70", .cgroup = BUSBAR_V2}},
      {"a service of an old systemd",
       "service",
       {.pid = 70, .parent = 1, .invocation_id = "a1", .cgroup = BUSBAR_V1}},
      {"a user's service of an old systemd",
       "service",
       {.pid = 70, .parent = 50, .parent_name = "systemd", .invocation_id = "a1"}},
      {"a child of a service",
       "spawned",
       {.pid = 70, .parent = 60, .invocation_id = "a1", .exec_pid = "60", .cgroup = NODE_RED_V2}},
      {"a child of a service of an old systemd",
       "spawned",
       {.pid = 70, .parent = 60, .parent_name = "node", .invocation_id = "a1"}},
      {"an empty word", "spawned", {.pid = 70, .parent = 1, .invocation_id = ""}},
      {"lingers in a service",
       "spawned",
       {.spawned = true, .pid = 70, .parent = 60, .invocation_id = "a1", .exec_pid = "60"}},
      {"first of a container", "container", {.pid = 1, .parent = 0, .cgroup = DOCKER_V2}},
      {"below a shell of a container",
       "container",
       {.pid = 7, .parent = 1, .container_file = true, .cgroup = DOCKER_V2}},
      {"docker exec", "container", {.pid = 70, .parent = 0, .init_name = "node"}},
      {"spawned in a container",
       "spawned",
       {.spawned = true, .pid = 70, .parent = 1, .container_file = true}},
      {"a service of a machine in a container",
       "service",
       {.pid = 70, .parent = 1, .invocation_id = "a1", .own_pids = true, .init_name = "systemd"}},
      {"by hand in such a machine",
       "spawned",
       {.pid = 70, .parent = 60, .own_pids = true, .init_name = "systemd"}},
  };
  (void)state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    bb_lifeline lifeline;
    bb_lifeline_judge(&lifeline, &rows[i].facts);
    expect_text(rows[i].row, bb_lifeline_mode_name(lifeline.mode), rows[i].expected);
  }
}

/* Wherever the test runs: it goes with itself as a client in the same group does, and a process that
 * is not there is nobody. */
static void test_lifeline_looks_around(void **state) {
  (void)state;
  bb_lifeline lifeline;
  bb_lifeline_find(&lifeline, true);
  expect_text("mode", bb_lifeline_mode_name(lifeline.mode), "spawned");
  expect_text("as compared", bb_lifeline_killed_with(&lifeline, getpid()),
              bb_lifeline_compare(&lifeline, getpid(), lifeline.cgroup));
  expect_text("nobody", bb_lifeline_killed_with(&lifeline, 0), "nothing");
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(test_lifeline_finds_the_path),
      cmocka_unit_test(test_lifeline_tells_what_takes_it_along),
      cmocka_unit_test(test_lifeline_tells_who_keeps_it),
      cmocka_unit_test(test_lifeline_looks_around),
  };
  return cmocka_run_group_tests_name("lifeline", tests, NULL, NULL);
}
