/* SPDX-License-Identifier: Apache-2.0 */
/* The private directory of a runtime's socket below the temporary one; see place.h. Private to
 * place*.c. */
#ifndef BB_RUNTIME_PLACE_BESIDE_H
#define BB_RUNTIME_PLACE_BESIDE_H

#include "runtime/place.h"

/* Makes it, where `beside` is not yet known. 0, BB_ERR_NOMEM, or negated errno: there is no place. */
int bb_place_make_beside(bb_place *place);

/* The directory that is locked is the one that stands there. */
bool bb_place_is_beside(const bb_place *place);

/* Takes it away, if it is ours and nothing is left in it. */
void bb_place_remove_beside(bb_place *place);

/* Where it would be, if it is there and ours. 0 or negated errno. */
int bb_place_find_beside(const bb_place *place, char *out, size_t cap);

/* Who holds the data directory: by its lock, or by the one beside its socket, where who cannot write
 * in the data directory has put its name. Makes nothing. Always a phrase. */
void bb_place_name_holder(bb_place *place, const char *dir, char *out, size_t cap);

/* Closes the two descriptors of a lock. */
void bb_place_unlock(int locks[2]);

#endif
