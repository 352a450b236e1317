/* SPDX-License-Identifier: Apache-2.0 */
/* The config of `busbar run`, at the start and on SIGHUP; see run.h. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "cli/run.h"
#include "runtime/difference.h"
#include "runtime/socket_access.h"

static void report_mistakes(bb_log *log, const bb_report *report) {
  for (uint32_t i = 0; i < report->n; i++) {
    const bb_mistake *mistake = &report->mistakes[i];
    char line[16] = "";
    if (mistake->line > 0) snprintf(line, sizeof(line), ":%u", mistake->line);
    bb_log_error(log, NULL, "%s%s: %s%s%s", mistake->file, line, mistake->path,
                 mistake->path[0] != 0 ? ": " : "", mistake->text);
  }
}

int bb_run_read_config(bb_run_process *run, bb_config **out) {
  const char *path = run->options.config_path;
  bb_report report;
  bb_buf text;
  int err;
  *out = NULL;
  bb_report_init(&report);
  bb_buf_init(&text, BB_MAX_DOC_BYTES);
  if (path != NULL) {
    err = bb_config_load(out, path, run->runtime.kinds, &report);
  } else {
    err = bb_place_load_document(&run->place, &text);
    if (err == 0) {
      err = bb_config_parse(out, "last document", (const char *)text.bytes, text.len,
                            run->runtime.kinds, &report);
    }
  }
  report_mistakes(&run->log, &report);
  bb_buf_close(&text);
  bb_report_close(&report);
  return err;
}

const char *bb_run_metrics(const bb_run_process *run) {
  return run->health.address[0] != 0 ? run->health.address : NULL;
}

void bb_run_serve_metrics(bb_run_process *run, const bb_config *config) {
  bb_health_listen(&run->health, config->runtime.metrics);
  bb_place_record(&run->place, bb_run_metrics(run));
}

void bb_run_share_socket(bb_run_process *run, const bb_config *config) {
  bool says = config != NULL && config->runtime.says_socket;
  int mode = says ? config->runtime.socket_mode : run->options.socket_mode;
  const char *group = says ? config->runtime.socket_group : run->options.socket_group;
  char why[2 * BB_MAX_PATH];
  if (group == NULL) group = "";
  /* What did not change stays, also if it was changed from outside. */
  if (!run->has_socket || (mode == run->socket_mode && strcmp(group, run->socket_group) == 0)) {
    return;
  }
  int err =
      bb_socket_access_set(run->place.socket, mode, group[0] != 0 ? group : NULL, why, sizeof(why));
  if (err < 0) {
    bb_log_warn(&run->log, "socket", "%s; until then only the runtime's own user may connect", why);
  } else if (err > 0) {
    bb_log_warn(&run->log, "socket", "%s", why);
  }
  run->socket_mode = err < 0 ? -1 : mode;
  snprintf(run->socket_group, sizeof(run->socket_group), "%s", group);
}

void bb_run_take_config(bb_run_process *run, bb_config *config) {
  run->socket.file_owned =
      run->options.config_path != NULL && config->runtime.owner == BB_OWNER_FILE;
  bb_run_serve_metrics(run, config);
  bb_run_share_socket(run, config);
  bb_runtime_apply(&run->runtime, config);
}

/* 0, or errno's code. A directory shows only when it is read. */
static int try_file(const char *path) {
  char byte;
  int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) return errno;
  int err = read(fd, &byte, 1) < 0 ? errno : 0;
  close(fd);
  return err;
}

void bb_run_reload(bb_run_process *run) {
  const char *path = run->options.config_path;
  const bb_config *former = run->runtime.next != NULL ? run->runtime.next : run->runtime.config;
  char text[BB_DIFFERENCE_TEXT];
  bb_config *config;
  bb_log_file_reopen(&run->log_file);
  if (path == NULL) {
    bb_log_warn(&run->log, NULL, "SIGHUP: there is no config file to be read again");
    return;
  }
  int err = try_file(path);
  if (err != 0) {
    bb_log_error(&run->log, NULL, "%s cannot be read: %s; the former config goes on", path,
                 strerror(err));
    return;
  }
  err = bb_run_read_config(run, &config);
  if (err == BB_ERR_CONFIG) {
    bb_log_error(&run->log, NULL, "%s has mistakes; the former config goes on", path);
  } else if (err < 0) {
    bb_log_error(&run->log, NULL, "%s cannot be read: %s; the former config goes on", path,
                 bb_err_text(err));
  } else {
    bb_difference difference = bb_difference_of(former, config);
    bb_log_info(&run->log, NULL, "%s was read again: %s", path,
                bb_difference_text(&difference, text, sizeof(text)));
    bb_run_take_config(run, config);
  }
}
