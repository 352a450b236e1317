/* SPDX-License-Identifier: Apache-2.0 */
/* See parse.h. */
#include "support/parse.h"

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "support/expect.h"

int parse_bytes(bb_doc_tree *tree, const char *text, size_t len, bb_report *report) {
  char *exact = malloc(len > 0 ? len : 1);
  assert_non_null(exact);
  memcpy(exact, text, len);
  bb_report_init(report);
  int err = bb_doc_parse(tree, "site.yaml", exact, len, report);
  free(exact);
  return err;
}

int parse(bb_doc_tree *tree, const char *text, bb_report *report) {
  return parse_bytes(tree, text, strlen(text), report);
}

void expect_refused(const char *row, const char *text, size_t len, uint32_t line,
                    const char *part) {
  bb_doc_tree tree;
  bb_report report;
  expect_int(row, parse_bytes(&tree, text, len, &report), BB_ERR_FORMAT);
  expect_true(row, tree.root == NULL);
  expect_true(row, report.n >= 1);
  expect_part(row, report.mistakes[0].text, part);
  expect_uint(row, report.mistakes[0].line, line);
  expect_text(row, report.mistakes[0].file, "site.yaml");
  bb_report_close(&report);
}
