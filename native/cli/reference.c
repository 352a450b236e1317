/* SPDX-License-Identifier: Apache-2.0 */
/* `busbar reference`: every key of the config document or of a profile, from the tables that check
 * them. docs/config.md and docs/profiles.md hold what it prints. */
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "cli/cli.h"
#include "model/profile.h"
#include "runtime/config.h"
#include "runtime/kinds.h"

#define MAX_TEXT (1u << 20)

static const char usage[] =
    "Usage: busbar reference config|profile\n"
    "\n"
    "Prints every key of the config document, or of a device profile, as Markdown: what it\n"
    "takes, what stands when it is missing, what it means.\n"
    "\n"
    "Exit codes: 0 done; 1 failed; 2 wrong usage.\n";

int bb_cli_reference(int argc, char **argv) {
  const char *what = argc == 2 ? argv[1] : "";
  if (strcmp(what, "--help") == 0 || strcmp(what, "-h") == 0) {
    fputs(usage, stdout);
    return BB_EXIT_DONE;
  }
  bb_buf text;
  bb_buf_init(&text, MAX_TEXT);
  if (strcmp(what, "config") == 0) {
    bb_config_print_reference(&bb_kinds_all, &text);
  } else if (strcmp(what, "profile") == 0) {
    bb_profile_print_reference(&text);
  } else {
    fputs("busbar reference: which one, config or profile?\n", stderr);
    return BB_EXIT_USAGE;
  }
  int code = text.failed < 0 ? BB_EXIT_FAILED : BB_EXIT_DONE;
  fwrite(text.bytes, 1, text.len, stdout);
  bb_buf_close(&text);
  return code;
}
