/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What must survive a restart, in one SQLite file: records that are not yet delivered, as packs in
 * streams; how far each sink has read them; records that a sink refused for good; the devices and
 * shapes that these name; and a few bytes under keys.
 *
 * Synchronous, and for one thread at a time; runtime/ gives it a thread. Changes are made between
 * begin and commit and are on the disk when commit returns 0 (WAL, synchronous=FULL), or not at all.
 * The file is locked while it is open.
 *
 * Every function returns 0 or a count, or negative:
 *
 *   BB_ERR_LIMIT    the disk is full, or a bound of this header
 *   BB_ERR_IO       the disk failed
 *   BB_ERR_DENIED   it may not be written or opened
 *   BB_ERR_BUSY     another process has it open
 *   BB_ERR_FORMAT   it is damaged, or no store at all
 *   BB_ERR_VERSION  a later version of this program wrote it
 *   BB_ERR_STATE    changes outside of a transaction, or in one that has failed
 *   BB_ERR_EXISTS   the records of a pack are there already
 *   BB_ERR_NOMEM, BB_ERR_NOTFOUND, BB_ERR_INVALID
 *
 * and bb_store_why says more. A transaction in which one of these came must be rolled back; a commit
 * that fails has done so. After a loss of power it may be found that it had succeeded. Callbacks must
 * not call the store.
 *
 * Tables (user_version is BB_STORE_VERSION, application_id "bbus"):
 *
 *   stream  id, name (the ids of its sinks, sorted, with + between), class, next (what the next
 *           record will be called), packs, records, bytes: totals of its packs. The row of id 0 has
 *           the next id and the totals of `dead`
 *   pack    key (stream << 47 | first record), n, age, body
 *   cursor  stream, sink, ranges: what this sink has not yet delivered; u64 from, u64 to, ascending
 *   name    kind (1 device, 2 shape), hash, frame
 *   dead    id, sink, time_ns, age, reason, body: a pack of one record
 *   value   key, bytes
 *
 * A table of jobs with due times will stand beside them.
 */
#ifndef BB_STORE_STORE_H
#define BB_STORE_STORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/limits.h"
#include "base/span.h"

#define BB_STORE_FILE "store.db"
#define BB_STORE_VERSION 1
#define BB_STORE_STREAM_BITS 16        /* stream ids are 1..65535 */
#define BB_STORE_RECORD_BITS 47        /* record numbers lie below 2^47 */
#define BB_STORE_RANGES 16             /* of one cursor */
#define BB_STORE_VALUE_MAX (64u << 10) /* bytes of one value */
#define BB_STORE_WHY 256

/* A range whose `to` is this has no end: all that comes is in it. */
#define BB_STORE_OPEN_END UINT64_MAX

typedef struct bb_store bb_store;

typedef enum bb_store_class {
  BB_STORE_TELEMETRY, /* also what clients put: goes first when there is no room */
  BB_STORE_EVENTS,    /* events and outcomes */
  BB_STORE_CLASSES,
} bb_store_class;

typedef struct bb_store_options {
  const char *path;
  const char *vfs;    /* of SQLite; NULL: its own. For tests */
  uint32_t log_pages; /* moved into the main file when the log has so many pages; 0: 1500 */
  /* Look only; the file must exist. Nothing is written, not even recovered; but where there is a log
   * beside it, it must be free (BB_ERR_BUSY) and it must be allowed to write it. */
  bool read_only;
  bool still; /* look only, at the main file of a store that is held; see bb_store_hold */
} bb_store_options;

/* Makes the file (0600) where there is none, and brings an earlier version up to date in one
 * transaction. NULL in *out on failure, with a sentence in `why`. */
int bb_store_open(const bb_store_options *options, bb_store **out, char why[BB_STORE_WHY]);

/* Moves what was written into the main file and closes. Harmless on NULL. */
void bb_store_close(bb_store *store);

/* Renames a damaged store that is closed, with the files beside it, to "<path>.damaged-<UTC>", a name
 * that is free; the new name into `out`. 0, BB_ERR_DENIED, BB_ERR_IO, BB_ERR_LIMIT (`out` too short). */
int bb_store_set_aside(const char *path, int64_t now_ns, char *out, size_t cap);

/* What the last failure was, as a sentence with the path. Valid until the next call. */
const char *bb_store_why(const bb_store *store);

/* BB_ERR_STATE inside of one. */
int bb_store_begin(bb_store *store);
int bb_store_commit(bb_store *store);
void bb_store_rollback(bb_store *store); /* harmless outside of a transaction */

/* Streams */

typedef struct bb_store_stream {
  uint32_t id;
  const char *name;
  bb_store_class class;
  uint64_t next;  /* what the next record will be called, at least */
  uint64_t first; /* of its oldest pack; next when it has none */
  uint64_t records, bytes;
} bb_store_stream;

/* Calls `each` for every stream; a result other than 0 ends it and is returned. */
int bb_store_streams(bb_store *store, int (*each)(void *user, const bb_store_stream *stream),
                     void *user);

/* The id of the stream of that name and class, made where there is none. Positive. */
int bb_store_stream_make(bb_store *store, const char *name, bb_store_class class);

/* Takes the stream with its packs and cursors away. */
int bb_store_stream_drop(bb_store *store, uint32_t stream);

typedef struct bb_store_pack {
  uint32_t stream;
  uint64_t first;  /* record */
  uint32_t n;      /* records */
  uint64_t age_ns; /* when the newest of them was taken, on the caller's own clock */
  const uint8_t *body;
  size_t len;
} bb_store_pack;

/* Adds a pack. Packs of a stream do not overlap (BB_ERR_EXISTS), and may be added in any order. */
int bb_store_append(bb_store *store, const bb_store_pack *pack);

/* The pack that holds `record`, or else the first behind it, and those that follow, as long as all
 * bodies together are at most `max_bytes`; at least one. Returns how many; 0: there is none. A result
 * of `each` other than 0 ends it and is returned. The views are valid inside `each`. */
int bb_store_read(bb_store *store, uint32_t stream, uint64_t record, size_t max_bytes,
                  int (*each)(void *user, const bb_store_pack *pack), void *user);

typedef struct bb_store_gone {
  uint64_t packs, records, bytes;
} bb_store_gone;

/* The first record of the stream, from `record` on, whose pack is not older than `age_ns`: 1, or 0 when
 * there is none. Looks at the packs that are older, and at no body. */
int bb_store_since(bb_store *store, uint32_t stream, uint64_t record, uint64_t age_ns,
                   uint64_t *out);

/* Where in from..*to the stream has no pack: ascending, apart; how many. Looks at no body. When there are
 * more than `max`, *to is lowered to where the next begins. */
int bb_store_gaps(bb_store *store, uint32_t stream, uint64_t from, uint64_t *to, bb_span *out,
                  uint32_t max);

/* Takes away the packs that lie wholly in from..to (`to` not included); `*gone` grows by what that
 * was. */
int bb_store_trim(bb_store *store, uint32_t stream, uint64_t from, uint64_t to,
                  bb_store_gone *gone);

/* The pack of that class with the lowest age, without its body: 1, or 0 when there is none. Looks at
 * the oldest pack of each stream only. */
int bb_store_oldest(bb_store *store, bb_store_class class, bb_store_pack *out);

/* The highest age of a pack that is the last of its stream, or of a dead letter; 0 when there is none. */
int bb_store_latest_age(bb_store *store, uint64_t *age_ns);

/* Cursors */

typedef struct bb_store_cursor {
  uint32_t stream;
  const char *sink;
  bb_span ranges[BB_STORE_RANGES];
  uint32_t n; /* 0: it has delivered everything */
} bb_store_cursor;

int bb_store_cursors(bb_store *store, int (*each)(void *user, const bb_store_cursor *cursor),
                     void *user);
int bb_store_cursor_put(bb_store *store, const bb_store_cursor *cursor);
int bb_store_cursor_drop(bb_store *store, uint32_t stream,
                         const char *sink); /* NULL: of all sinks */

/* Devices and shapes, as frames under their hashes. */

typedef enum bb_store_kind { BB_STORE_DEVICE = 1, BB_STORE_SHAPE = 2 } bb_store_kind;

int bb_store_names(bb_store *store,
                   int (*each)(void *user, bb_store_kind kind, uint64_t hash, const uint8_t *frame,
                               size_t len),
                   void *user);
int bb_store_name_put(bb_store *store, bb_store_kind kind, uint64_t hash, const uint8_t *frame,
                      size_t len); /* known ones stay as they are */

/* Takes all away, once nothing names them: not while there are packs or dead letters (BB_ERR_STATE). */
int bb_store_names_drop(bb_store *store);

/* Dead letters: refused for good, each with its reason. */

typedef struct bb_store_dead {
  int64_t id;
  const char *sink;
  const char *reason;
  int64_t time_ns; /* UTC, when it was refused */
  uint64_t age_ns;
  const uint8_t *body; /* a pack of one record */
  size_t len;
} bb_store_dead;

int bb_store_dead_put(bb_store *store, const bb_store_dead *dead); /* its id is ignored */

/* Oldest first, those of `sink` (NULL: all) with an id above `after`; a result other than 0 ends it
 * and is returned. */
int bb_store_dead_each(bb_store *store, const char *sink, int64_t after,
                       int (*each)(void *user, const bb_store_dead *dead), void *user);
int bb_store_dead_drop(bb_store *store, int64_t id);

/* Takes the oldest away until at most `max_bytes` are left, and those with an age below `age_ns`.
 * Returns how many. */
int bb_store_dead_bound(bb_store *store, uint64_t max_bytes, uint64_t age_ns);

/* Values */

int bb_store_value_put(bb_store *store, const char *key, const void *bytes, size_t len);
int bb_store_value_drop(bb_store *store, const char *key);
int bb_store_values(bb_store *store,
                    int (*each)(void *user, const char *key, const uint8_t *bytes, size_t len),
                    void *user);

/* The file */

typedef struct bb_store_stats {
  uint64_t file_bytes;            /* of the main file and of what is not yet moved into it */
  uint64_t log_bytes;             /* of these, the log of what is not yet moved */
  uint64_t free_bytes;            /* in it, not used */
  uint64_t written_bytes;         /* to the disk, since it was opened */
  uint64_t packs, records, bytes; /* totals of all streams */
  uint64_t dead, dead_bytes;
} bb_store_stats;

int bb_store_read_stats(bb_store *store, bb_store_stats *out);

/* Gives at most `max_bytes` of unused room back to the file system. Outside of a transaction. Returns
 * 1 when there is more to give back. */
int bb_store_shrink(bb_store *store, uint64_t max_bytes);

/* While it is held, the main file stays as it is, and what is committed stays in the log. */
typedef struct bb_store_hold {
  /* private */
  struct bb_store_hold *next;
  bool lost; /* the store was closed meanwhile */
} bb_store_hold;

/* Moves everything into the main file, and holds it. It can then be opened once more, with `still`, and
 * read by another thread while this one goes on. The hold is the caller's until its release. Outside of
 * a transaction. */
int bb_store_hold_still(bb_store *store, bb_store_hold *hold);

/* BB_ERR_STATE: the store that was held has been closed, so what was read meanwhile means nothing. */
int bb_store_release(bb_store *store, bb_store_hold *hold);

/* Ends what takes long in a store that is open to look: with BB_ERR_CLOSED. From any thread, while it is
 * not being closed. */
void bb_store_interrupt(bb_store *store);

/* Copies the store as it is now into a new file at `path` (0600), which must not exist: a backup. */
int bb_store_copy(bb_store *store, const char *path);

/* Looks at everything: the file's structure, each pack's bytes, that what packs name is there. Calls
 * `found` with a sentence for each mistake. Returns how many. */
int bb_store_verify(bb_store *store, void (*found)(void *user, const char *sentence), void *user);

#endif
