/* SPDX-License-Identifier: Apache-2.0 */
/* Dead letters become records again. */
#ifndef BB_RUNTIME_REVIVE_H
#define BB_RUNTIME_REVIVE_H

#include "runtime/letters.h"
#include "runtime/runtime.h"

/*
 * Puts the letter into the queue of its sink, as history; the transaction that saves the record takes
 * the letter away. 0; BB_ERR_NOTFOUND (there is no such sink), BB_ERR_EXISTS (it is on its way
 * already), BB_ERR_AGAIN (no room), BB_ERR_FORMAT, BB_ERR_VERSION (it cannot be read), BB_ERR_LIMIT,
 * BB_ERR_NOMEM; then it stays where it is.
 */
int bb_revive(bb_runtime *runtime, const bb_letters *letters, uint32_t i);

#endif
