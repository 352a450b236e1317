/* SPDX-License-Identifier: Apache-2.0 */
/* `busbar profiles`: which device profiles are bundled, and what the points of one are. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/limits.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/profile_table.h"
#include "io/bundled.h"
#include "io/error.h"
#include "runtime/profile_list.h"

#define NAME "busbar profiles"

static const char usage[] =
    "Usage: busbar profiles [ID]\n"
    "\n"
    "Lists the device profiles that come with busbar, or shows the points of one. ID is the id of "
    "a\n"
    "bundled profile, or a file.\n"
    "\n"
    "Example: busbar profiles rockwell/powermonitor-500\n"
    "\n"
    "Exit codes: 0 done; 1 failed; 2 wrong usage, or a profile with mistakes.\n";

/* An exit code; mistakes go to stderr. */
static int load(bb_profile **out, const char *path) {
  bb_report report;
  bb_report_init(&report);
  int err = bb_profile_load(out, path, &report);
  if (!bb_report_ok(&report)) {
    bb_buf text;
    bb_buf_init(&text, 1u << 20);
    bb_report_sort(&report);
    bb_report_print(&report, &text);
    fputs(bb_buf_string(&text), stderr);
    bb_buf_close(&text);
  } else if (err < 0) {
    fprintf(stderr, NAME ": %s: %s\n", path, bb_error_text(err));
  }
  bb_report_close(&report);
  if (err == 0) return BB_EXIT_DONE;
  return err == BB_ERR_NOMEM ? BB_EXIT_FAILED : BB_EXIT_USAGE;
}

static int print_list(const bb_profile_list *list) {
  static const char *const heads[] = {"ID", "NAME", ">POINTS", "VERIFIED"};
  bb_table table;
  int code = BB_EXIT_DONE;
  bb_table_init(&table, heads, 4);
  for (size_t i = 0; i < list->n; i++) {
    char path[BB_MAX_PATH];
    bb_profile *profile;
    if (bb_bundled_profile(list->ids[i], path, sizeof(path)) < 0) continue;
    int loaded = load(&profile, path);
    if (loaded != BB_EXIT_DONE) {
      code = loaded;
      continue;
    }
    bb_table_cell(&table, list->ids[i]);
    bb_table_cell(&table, profile->name);
    bb_table_cell_format(&table, "%u", profile->n_points);
    bb_table_cell(&table, profile->verified ? "yes" : "no");
    bb_profile_unref(profile);
  }
  if (bb_table_print(&table, stdout) < 0) code = BB_EXIT_FAILED;
  bb_table_close(&table);
  return code;
}

static int print_one(const bb_profile_list *list, const char *id) {
  char path[BB_MAX_PATH];
  bool bundled = bb_bundled_profile(id, path, sizeof(path)) == 0;
  if (!bundled && access(id, F_OK) != 0) {
    char ask[BB_TEXT_ASK];
    const char *near = bb_profile_list_nearest(list, id);
    fprintf(stderr, NAME ": there is no profile %s%s " NAME " lists them\n", id,
            bb_text_ask(ask, near, ";"));
    return BB_EXIT_USAGE;
  }
  bb_profile *profile;
  int code = load(&profile, bundled ? path : id);
  if (code != BB_EXIT_DONE) return code;
  if (bb_profile_table_print(profile, stdout) < 0) code = BB_EXIT_FAILED;
  bb_profile_unref(profile);
  return code;
}

int bb_cli_profiles(int argc, char **argv) {
  const char *id = NULL;
  for (int i = 1; i < argc; i++) {
    if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) {
      fputs(usage, stdout);
      return BB_EXIT_DONE;
    }
    if (argv[i][0] == '-') {
      fprintf(stderr, NAME ": there is no option %s; " NAME " --help tells more\n", argv[i]);
      return BB_EXIT_USAGE;
    }
    if (id != NULL) {
      fprintf(stderr, NAME ": one profile is enough: %s, not also %s\n", id, argv[i]);
      return BB_EXIT_USAGE;
    }
    id = argv[i];
  }
  bb_profile_list *list = calloc(1, sizeof(*list));
  int err = list != NULL ? bb_profile_list_open(list) : BB_ERR_NOMEM;
  int code = BB_EXIT_FAILED;
  if (err == BB_ERR_NOMEM) {
    fprintf(stderr, NAME ": %s\n", bb_error_text(err));
  } else if (err < 0) {
    fputs(NAME ": the folder of the bundled profiles is not there; BUSBAR_PROFILES can name it\n",
          stderr);
  } else {
    code = id != NULL ? print_one(list, id) : print_list(list);
    bb_profile_list_close(list);
  }
  free(list);
  return code;
}
