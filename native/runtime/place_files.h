/* SPDX-License-Identifier: Apache-2.0 */
/* What place.c needs of the files in the directory. Private to place*.c. */
#ifndef BB_RUNTIME_PLACE_FILES_H
#define BB_RUNTIME_PLACE_FILES_H

#include "base/limits.h"
#include "runtime/place.h"

/* The next number of the starts, kept. 0, or why it cannot be. */
int bb_place_count_start(bb_place *place);

/* A random one instead. */
void bb_place_guess_start(bb_place *place);

/* 0: there is no document, or none of ours. */
uint64_t bb_place_read_generation(const bb_place *place);

#define BB_PLACE_HEADER_MAX 48 /* bytes of the document's first line, line end included */
#define BB_PLACE_DOCUMENT_MAX (BB_MAX_DOC_BYTES + BB_PLACE_HEADER_MAX)

/* Writes the document that could not be written before, if there is one. */
bool bb_place_save_unsaved(bb_place *place);

/* Removes runtime.json if it was written. */
void bb_place_forget(bb_place *place);

#endif
