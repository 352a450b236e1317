/* SPDX-License-Identifier: Apache-2.0 */
/* See load.h. */
#include "cli/load.h"

#include <stdio.h>

#include "base/err.h"
#include "cli/cli.h"
#include "io/error.h"

#define MAX_TEXT (4u << 20) /* of all mistakes */

int bb_cli_load(bb_config **out, const char *name, const char *path) {
  bb_report report;
  bb_report_init(&report);
  int err = bb_config_load(out, path, &bb_kinds_all, &report);
  if (!bb_report_ok(&report)) {
    bb_buf text;
    bb_buf_init(&text, MAX_TEXT);
    bb_report_sort(&report);
    bb_report_print(&report, &text);
    fputs(bb_buf_string(&text), stderr);
    bb_buf_close(&text);
  } else if (err < 0) {
    fprintf(stderr, "%s: %s: %s\n", name, path, bb_error_text(err));
  }
  bb_report_close(&report);
  if (err == 0) return BB_EXIT_DONE;
  return err == BB_ERR_NOMEM ? BB_EXIT_FAILED : BB_EXIT_USAGE;
}
