/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Documents that JavaScript hands over as JSON text: what a device, a shape, a profile or the layout
 * of a line is. One text crosses instead of a tree of objects, and what is wrong in it is told by the
 * same schemas that read the config document.
 */
#ifndef BB_ADDON_DOCUMENT_H
#define BB_ADDON_DOCUMENT_H

#include <stddef.h>

#include "base/doc.h"
#include "base/report.h"

#define BB_DOCUMENT_MAX_BYTES (4u << 20)

/* The tree of a text, to be closed. 0, BB_ERR_FORMAT or BB_ERR_LIMIT (both reported), BB_ERR_NOMEM. */
int bb_document_open(bb_doc_tree *tree, const char *name, const char *text, size_t len,
                     bb_report *report);

#endif
