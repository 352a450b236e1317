/* SPDX-License-Identifier: Apache-2.0 */
/* Data directories of a test. */
#ifndef BB_TEST_PLACE_H
#define BB_TEST_PLACE_H

#include "runtime/place.h"
#include "support/folder.h"

/* Sockets that find no place in the data directory go to a folder of the test. */
void place_open_folders(folder *f, folder *temporary);
void place_close_folders(folder *f, folder *temporary);

/* A place that opens without a word. */
void place_open(bb_place *place, const char *dir, folder *f);

#endif
