/* SPDX-License-Identifier: Apache-2.0 */
/* See profile.h. */
#include "support/profile.h"

#include <stdio.h>
#include <string.h>

#include "base/doc.h"
#include "support/expect.h"

int profile_read_text(const char *text, bb_profile **out, bb_report *report) {
  bb_doc_tree tree;
  *out = NULL;
  int err = bb_doc_parse(&tree, "p.yaml", text, strlen(text), report);
  if (err < 0) return err;
  const char *file = bb_report_file(report, "p.yaml");
  err = bb_profile_read(out, tree.root, NULL, report);
  bb_report_file(report, file);
  bb_doc_close(&tree);
  return err;
}

static bb_profile *checked(const char *what, int err, bb_profile *profile, bb_report *report) {
  bb_buf text;
  bb_buf_init(&text, 65536);
  bb_report_print(report, &text);
  expect_text(what, bb_buf_string(&text), "");
  expect_int(what, err, 0);
  bb_buf_close(&text);
  bb_report_close(report);
  return profile;
}

bb_profile *profile_of(const char *text) {
  bb_profile *profile;
  bb_report report;
  bb_report_init(&report);
  int err = profile_read_text(text, &profile, &report);
  return checked(text, err, profile, &report);
}

bb_profile *profile_bundled(const char *id) {
  char path[4096];
  bb_profile *profile;
  bb_report report;
  bb_report_init(&report);
  snprintf(path, sizeof(path), "%s/profiles/%s.yaml", BB_REPO_DIR, id);
  int err = bb_profile_load(&profile, path, &report);
  return checked(path, err, profile, &report);
}

const bb_profile_point *profile_point(const bb_profile *profile, const char *name) {
  int place = bb_profile_find(profile, name);
  expect_true(name, place >= 0);
  return &profile->points[place];
}
