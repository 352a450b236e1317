/* SPDX-License-Identifier: Apache-2.0 */
/* The file of the named secrets. Private to secrets*.c. */
#ifndef BB_RUNTIME_SECRETS_FILE_H
#define BB_RUNTIME_SECRETS_FILE_H

#include "runtime/secrets.h"

/* Takes what the file holds. What is wrong with it is logged. */
void bb_secrets_load(bb_secrets *secrets);

/* Writes what is to be kept; `unsaved` tells whether that went well. */
void bb_secrets_save(bb_secrets *secrets);

#endif
