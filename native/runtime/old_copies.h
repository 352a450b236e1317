/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Certificates and keys that an earlier version has left in the data directory: Node-RED wrote what was
 * pasted into a tls-config node to tls/<id of the node>-ca.pem, -cert.pem and -key.pem. They come by
 * name now (secrets.h), so that private keys need not lie on the disk.
 */
#ifndef BB_RUNTIME_OLD_COPIES_H
#define BB_RUNTIME_OLD_COPIES_H

#include "base/doc.h"
#include "base/log.h"

/*
 * Removes those that nothing in the document names, and the folder when it is empty then; one line of
 * the log says how many. Only what has such a name, is ours and is closed to others is touched. Called
 * at the start, with what the runtime starts from.
 */
void bb_old_copies_remove(const char *data_dir, const bb_doc *document, bb_log *log);

#endif
