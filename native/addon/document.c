/* SPDX-License-Identifier: Apache-2.0 */
/* See document.h. The reader of YAML, which needs libyaml, is not part of the addon. */
#include "addon/document.h"

#include "base/doc_build.h"
#include "base/err.h"

int bb_document_open(bb_doc_tree *tree, const char *name, const char *text, size_t len,
                     bb_report *report) {
  if (len > BB_DOCUMENT_MAX_BYTES) {
    bb_report_add_line(report, 0, "the document is too large; allowed: %u MiB",
                       BB_DOCUMENT_MAX_BYTES >> 20);
    return BB_ERR_LIMIT;
  }
  return bb_doc_parse(tree, name, text, len, report);
}

int bb_doc_read_yaml(bb_doc_builder *builder, const char *text, size_t len) {
  (void)text;
  (void)len;
  return bb_doc_build_complain(builder, 1, "is not JSON, which is all that is read here");
}
