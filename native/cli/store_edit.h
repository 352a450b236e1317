/* SPDX-License-Identifier: Apache-2.0 */
/* Changes in the store of a runtime that does not run; each in one transaction. What the store says of
 * a failure is told by bb_store_why, but for BB_ERR_NOMEM, and BB_ERR_NOTFOUND where it is told here. */
#ifndef BB_CLI_STORE_EDIT_H
#define BB_CLI_STORE_EDIT_H

#include "store/store.h"

/* How many records the sink has not delivered. BB_ERR_NOTFOUND: nothing waits for it. */
int bb_store_edit_count(bb_store *store, const char *sink, uint64_t *records);

/* Takes away what waits for the sink alone, and forgets that it is waited for. `*records` is how many it
 * had not delivered. BB_ERR_NOTFOUND: nothing waits for it. */
int bb_store_edit_drop(bb_store *store, const char *sink, uint64_t *records);

/* What waits for the sink waits for `to`, with what waits for that one already. As above. */
int bb_store_edit_reassign(bb_store *store, const char *sink, const char *to, uint64_t *records);

/* Dead letters of the sink (NULL: of all) become records of their sinks, in a stream of each alone. */
int bb_store_edit_requeue(bb_store *store, const char *sink, uint64_t *letters);

/* Takes dead letters of the sink (NULL: of all) away for good; `*letters` is how many. Of many, the
 * first ones may have gone when it fails. */
int bb_store_edit_drop_dead(bb_store *store, const char *sink, uint64_t *letters);

#endif
