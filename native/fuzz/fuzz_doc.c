/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as a document: read or refused with a report, and what was read can be walked. */
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/doc.h"
#include "base/limits.h"
#include "base/report.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int truth) {
  if (!truth) abort();
}

static void walk(const bb_doc *doc, uint32_t lines, int depth) {
  char path[64];
  uint32_t n = 0;
  check(depth <= BB_MAX_DOC_DEPTH);
  check(doc->line >= 1 && doc->line <= lines);
  check(strlen(bb_doc_path(doc, path, sizeof(path))) < sizeof(path));
  check((doc->kind == BB_DOC_SCALAR) == (doc->text != NULL));
  for (const bb_doc *child = doc->first; child != NULL; child = child->next) {
    check(child->parent == doc && child->index == n++);
    check((doc->kind == BB_DOC_MAP) == (child->key != NULL));
    if (doc->kind == BB_DOC_MAP) check(bb_doc_get(doc, child->key) == child);
    walk(child, lines, depth + 1);
  }
  check(n == doc->n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  bb_doc_tree tree;
  bb_report report;
  bb_buf out;
  uint32_t lines = 1;
  bb_report_init(&report);
  bb_buf_init(&out, 1u << 20);
  /* Every line end of YAML 1.1 counts: CR, LF, NEL, LS, PS. */
  for (size_t i = 0; i < size; i++) {
    lines +=
        data[i] == '\n' || data[i] == '\r' || data[i] == 0x85 || data[i] == 0xA8 || data[i] == 0xA9;
  }
  int err = bb_doc_parse(&tree, "fuzz", (const char *)data, size, &report);
  check((err == 0) == bb_report_ok(&report));
  check((err == 0) == (tree.root != NULL));
  for (uint32_t i = 0; i < report.n; i++) check(report.mistakes[i].line <= lines);
  bb_report_sort(&report);
  bb_report_print(&report, &out);
  if (err == 0) {
    walk(tree.root, lines, 0);
    check(bb_doc_equal(tree.root, tree.root));
  }
  bb_doc_close(&tree);
  bb_buf_close(&out);
  bb_report_close(&report);
  return 0;
}
