/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The place of a runtime on this machine: its data directory, which one runtime holds at a time.
 *
 *   lock           held by the kernel while the runtime lives; tells who holds it
 *   secrets        named secrets that clients handed over, if any; see secrets.h
 *   runtime.json   {"pid", "socket", "metrics", "version", "started", "boot"}, for those who connect
 *   document       "busbar-document 7\n" (its generation), then the last applied document
 *   boot           how often a runtime was started here, in decimal
 *   busbar.sock    the control socket, if that path has at most BB_PLACE_SOCKET_MAX bytes
 *
 * Else the socket lies in <temporary directory>/busbar-<uid>-<FNV-1a 64 of the data directory's path,
 * 16 hex digits>/, which is ours alone (0700, owner checked) and goes with the runtime. The temporary
 * directory is TMPDIR, or /tmp.
 *
 * Where the data directory cannot be written, the runtime works without: one warning says so, and
 * nothing is kept across a restart. Each file is tried for itself, as a full disk may still have room
 * for a name; the socket and runtime.json lie beside where they cannot lie here. bb_place_mend tries
 * again.
 *
 * The kernel's lock, never a pid, decides who is first. It is taken on the directory itself too, as
 * far as the file system allows, so that a runtime that may not write there is seen as well.
 */
#ifndef BB_RUNTIME_PLACE_H
#define BB_RUNTIME_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/log.h"

#define BB_PLACE_SOCKET_MAX 100 /* bytes of the socket's path */
#define BB_PLACE_TEXT 1024      /* bytes of a sentence, terminator included */

typedef struct bb_place {
  /* public: set before bb_place_open, else zero */
  const char *source; /* what named the directory: "--data", "BUSBAR_DATA"; NULL: not known. What is
                         said about it tells to change that. */
  /* read-only */
  char *dir;                            /* absolute */
  bool writable;                        /* what is saved there is kept, as of the last try */
  char socket[BB_PLACE_SOCKET_MAX + 1]; /* to be bound; "" when there is nowhere to put it */
  uint32_t boot;                        /* grows by one a start; random where that cannot be kept */
  uint64_t generation;                  /* of the document saved last; 0: none */
  /* private */
  bb_log *log;
  char *beside;           /* the private directory of the socket; NULL: not used */
  int locks[4];           /* descriptors; -1: none */
  const char *record_dir; /* where runtime.json lies; NULL: nowhere */
  bb_buf unsaved;         /* the document as its file, where it could not be written; else empty */
  bool warned, unreachable, taken; /* the log has said so */
} bb_place;

/*
 * Makes the directory (0700) if it is missing, locks it, counts the start, finds the socket's path and
 * removes a socket that an earlier runtime left there. 0; or, with the sentence in `why`: BB_ERR_BUSY
 * (another runtime holds it; it is named) or BB_ERR_NOMEM. After a failure there is nothing to
 * close.
 */
int bb_place_open(bb_place *place, const char *dir, bb_log *log, char *why, size_t cap);

/* The `nth` place in which the socket of a runtime of that data directory may lie, from 0 on, or "";
 * makes nothing. False: there are no more. */
bool bb_place_socket(const char *dir, unsigned nth, char out[BB_PLACE_SOCKET_MAX + 1]);

/* Removes runtime.json and the socket's own directory, and gives the lock back. The socket must be
 * closed before. */
void bb_place_close(bb_place *place);

/*
 * Tries again what could not be made or written. `metrics` as below. Cheap when nothing is amiss.
 * Returns whether there is a place for a socket now and was none before.
 */
bool bb_place_mend(bb_place *place, const char *metrics);

/* Writes runtime.json. `metrics` is the address that is served, or NULL. 0, or an error that the
 * caller may ignore: a warning was logged. */
int bb_place_record(bb_place *place, const char *metrics);

/* Keeps the document under the next generation. 1: safe on disk; 0: it cannot be kept now, and the log
 * said so once; BB_ERR_NOMEM, BB_ERR_LIMIT. */
int bb_place_save_document(bb_place *place, const char *text, size_t len);

/* The length of the first line of a document that was kept, without its line end; 0: it is none. */
size_t bb_place_document_head(const char *bytes, size_t len);

/* The document saved last, behind what is in `out`. 0, BB_ERR_NOTFOUND, BB_ERR_FORMAT (not written by
 * us), BB_ERR_NOMEM, BB_ERR_LIMIT, or libuv's error of the read. */
int bb_place_load_document(const bb_place *place, bb_buf *out);

#endif
