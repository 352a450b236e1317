/* SPDX-License-Identifier: Apache-2.0 */
/* Documents from texts in tests, under the name "site.yaml". */
#ifndef BB_TEST_PARSE_H
#define BB_TEST_PARSE_H

#include "base/doc.h"
#include "base/report.h"

/* bb_doc_parse of a copy of exactly that length, so that ASan sees a read past its end. `report` is
 * made, and to be closed. */
int parse_bytes(bb_doc_tree *tree, const char *text, size_t len, bb_report *report);
int parse(bb_doc_tree *tree, const char *text, bb_report *report);

/* The text is refused with BB_ERR_FORMAT; `part` stands in the first mistake, which is at `line`. */
void expect_refused(const char *row, const char *text, size_t len, uint32_t line, const char *part);

#endif
