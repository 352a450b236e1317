/* SPDX-License-Identifier: Apache-2.0 */
/* A store in a temporary folder, and its content as text. What must not fail fails the test. */
#ifndef BB_TEST_STORE_H
#define BB_TEST_STORE_H

#include "base/buf.h"
#include "store/store.h"
#include "support/folder.h"

typedef struct store_rig {
  folder folder;
  char path[512];
  bb_store *store;
  bb_buf shown;
} store_rig;

void store_rig_open(store_rig *rig);
void store_rig_close(store_rig *rig);
void store_reopen(store_rig *rig);

/* A rig for each test, in *state. */
int store_rig_setup(void **state);
int store_rig_teardown(void **state);
#define store_test(test) cmocka_unit_test_setup_teardown(test, store_rig_setup, store_rig_teardown)

void store_begin(store_rig *rig);
void store_commit(store_rig *rig);
void store_make_stream(store_rig *rig, const char *name, bb_store_class class);

/* Bytes that a reader tells from those of any other pack: `len` of them, made of stream and record. */
uint8_t *store_body(uint32_t stream, uint64_t first, size_t len);
void store_append(store_rig *rig, uint32_t stream, uint64_t first, uint32_t n, uint64_t age_ns,
                  size_t len);

/* Stores what pack_sample_open makes, with names and in packs that are sound, in stream 1; one dead
 * letter; cursors and values. Begins and commits by itself. */
void store_put_sample(store_rig *rig);

/* The sentences of bb_store_verify, a line each. */
const char *store_show_mistakes(store_rig *rig);

/* Letters are shown as "id sink/reason". */
void store_put_dead(store_rig *rig, const char *sink, uint64_t age_ns, size_t len);
const char *store_show_dead(store_rig *rig, const char *sink, int64_t after);

/* Valid until the next one. Bodies are compared with what store_body gives. */
const char *store_show_streams(store_rig *rig);
const char *store_show_packs(store_rig *rig, uint32_t stream, uint64_t record, size_t max_bytes);
const char *store_show_cursors(store_rig *rig);
const char *store_show_names(store_rig *rig);
const char *store_show_values(store_rig *rig);

#endif
