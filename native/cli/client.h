/* SPDX-License-Identifier: Apache-2.0 */
/* A client of the control socket for a subcommand: one question at a time, waiting for its answer. */
#ifndef BB_CLI_CLIENT_H
#define BB_CLI_CLIENT_H

#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/doc.h"
#include "encode/json_writer.h"

#define BB_CLI_CLIENT_WHY 600
#define BB_CLI_CLIENT_TIMEOUT_MS 10000u

typedef struct bb_cli_client {
  /* public: set before ask */
  uint32_t timeout_ms; /* for an answer */
  /* private */
  int fd;
  uint32_t id; /* of the newest request */
  bb_buf in, out;
  char path[128];
} bb_cli_client;

/*
 * Connects to the runtime whose data directory that is, and says hello. 0; BB_ERR_NOTFOUND: none runs
 * there, or it has no socket; or another code, with a sentence in `why`. After a failure there is
 * nothing to close.
 */
int bb_cli_client_open(bb_cli_client *client, const char *data_dir, char why[BB_CLI_CLIENT_WHY]);
void bb_cli_client_close(bb_cli_client *client);

/* Begins {"id":..,"op":"<op>"; what follows is written to the writer. */
bb_json_writer bb_cli_client_begin(bb_cli_client *client, const char *op);

/* Sends what was begun. 0 with the answer in `out`, to be closed; or a code, with a sentence in `why`:
 * the runtime's own, where it has refused. */
int bb_cli_client_ask(bb_cli_client *client, bb_json_writer *json, bb_doc_tree *out,
                      char why[BB_CLI_CLIENT_WHY]);

#endif
