/* SPDX-License-Identifier: Apache-2.0 */
/* What the data directory holds; see place.h. */
#include "runtime/place_files.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>
#include <uv.h>

#include "base/err.h"
#include "base/limits.h"
#include "encode/json_writer.h"
#include "io/error.h"
#include "runtime/file.h"
#include "runtime/place_lock.h"

#define BOOT_FILE "boot"
#define RECORD_FILE "runtime.json"
#define DOCUMENT_FILE "document"
#define HEADER "busbar-document "

void bb_place_guess_start(bb_place *place) {
  uint32_t number = 0;
  if (getrandom(&number, sizeof(number), GRND_NONBLOCK) != (ssize_t)sizeof(number)) {
    number = (uint32_t)time(NULL) ^ (uint32_t)getpid() << 16;
  }
  place->boot = number != 0 ? number : 1;
}

/* A damaged file counts as none that is known: then any number is as good as another. */
int bb_place_count_start(bb_place *place) {
  char text[16], *end = text;
  unsigned long long last = 0;
  int len = bb_file_peek(place->dir, BOOT_FILE, text, sizeof(text) - 1);
  text[len > 0 ? len : 0] = 0;
  if (len >= 0 && text[0] >= '0' && text[0] <= '9') last = strtoull(text, &end, 10);
  if (len == UV_ENOENT) {
    place->boot = 1;
  } else if (end == text || *end != '\n' || last > UINT32_MAX) {
    bb_place_guess_start(place);
  } else {
    place->boot = last < UINT32_MAX ? (uint32_t)last + 1 : 1;
  }
  len = snprintf(text, sizeof(text), "%" PRIu32 "\n", place->boot);
  return bb_file_replace(place->dir, BOOT_FILE, text, (size_t)len);
}

/* The length of the header, with the generation in it; 0: it is none of ours. */
static size_t read_header(const char *bytes, size_t len, uint64_t *generation) {
  char text[BB_PLACE_HEADER_MAX + 1], *end;
  if (len > BB_PLACE_HEADER_MAX) len = BB_PLACE_HEADER_MAX;
  memcpy(text, bytes, len);
  text[len] = 0;
  const char *digits = text + sizeof(HEADER) - 1;
  if (strncmp(text, HEADER, sizeof(HEADER) - 1) != 0 || *digits < '1' || *digits > '9') return 0;
  *generation = strtoull(digits, &end, 10);
  return *end == '\n' ? (size_t)(end + 1 - text) : 0;
}

size_t bb_place_document_head(const char *bytes, size_t len) {
  uint64_t generation;
  size_t header = read_header(bytes, len, &generation);
  return header > 0 ? header - 1 : 0;
}

uint64_t bb_place_read_generation(const bb_place *place) {
  char text[BB_PLACE_HEADER_MAX];
  uint64_t generation = 0;
  int len = bb_file_peek(place->dir, DOCUMENT_FILE, text, sizeof(text));
  return len > 0 && read_header(text, (size_t)len, &generation) > 0 ? generation : 0;
}

static void warn(bb_place *place, const char *what, int err) {
  if (place->warned) return;
  place->warned = true;
  bb_log_warn(place->log, NULL,
              "%s cannot be kept in %s (%s): free space or permissions there may help", what,
              place->dir, bb_error_text(err));
}

static int write_unsaved(bb_place *place) {
  bb_buf *file = &place->unsaved;
  int err = bb_file_replace(place->dir, DOCUMENT_FILE, file->bytes, file->len);
  if (err < 0) return err;
  place->generation++;
  bb_buf_close(file);
  return 0;
}

bool bb_place_save_unsaved(bb_place *place) {
  return place->unsaved.len == 0 || write_unsaved(place) == 0;
}

int bb_place_save_document(bb_place *place, const char *text, size_t len) {
  bb_buf *file = &place->unsaved;
  if (len > BB_MAX_DOC_BYTES) return BB_ERR_LIMIT;
  bb_buf_clear(file);
  bb_buf_printf(file, HEADER "%" PRIu64 "\n", place->generation + 1);
  bb_buf_append(file, text, len);
  if (file->failed < 0) {
    int failed = file->failed;
    bb_buf_close(file);
    return failed;
  }
  int err = write_unsaved(place);
  if (err < 0) warn(place, "the applied document", err);
  if (err == 0 && place->writable) place->warned = false;
  return err == 0;
}

int bb_place_load_document(const bb_place *place, bb_buf *out) {
  size_t start = out->len;
  uint64_t generation;
  int err = bb_file_read(place->dir, DOCUMENT_FILE, out);
  if (err == UV_ENOENT || err == UV_ENOTDIR) return BB_ERR_NOTFOUND;
  if (err < 0) return err;
  uint8_t *bytes = out->bytes + start;
  size_t len = out->len - start;
  size_t header = len > 0 ? read_header((const char *)bytes, len, &generation) : 0;
  out->len = start;
  if (header == 0) return BB_ERR_FORMAT;
  memmove(bytes, bytes + header, len - header);
  out->len += len - header;
  return 0;
}

/* Where it can be; a former one elsewhere goes. */
static int put_record(bb_place *place, const bb_buf *text) {
  const char *dir = place->dir;
  int err = bb_file_replace(dir, RECORD_FILE, text->bytes, text->len);
  if (err < 0) {
    place->writable = false;
    warn(place, RECORD_FILE, err);
  }
  if (err < 0 && place->beside != NULL) {
    dir = place->beside;
    if (bb_file_replace(dir, RECORD_FILE, text->bytes, text->len) == 0) err = 0;
  }
  if (err < 0) return err;
  if (place->record_dir != dir) bb_place_forget(place);
  place->record_dir = dir;
  return 0;
}

int bb_place_record(bb_place *place, const char *metrics) {
  char now[32];
  bb_json_writer json;
  bb_buf text;
  bb_buf_init(&text, 4 * BB_MAX_PATH);
  bb_json_writer_init(&json, &text);
  bb_json_writer_map(&json, NULL);
  bb_json_writer_int(&json, "pid", getpid());
  bb_json_writer_text(&json, "socket", place->socket[0] != 0 ? place->socket : NULL);
  bb_json_writer_text(&json, "metrics", metrics);
  bb_json_writer_text(&json, "version", BB_VERSION);
  bb_json_writer_text(&json, "started", bb_place_now(now));
  bb_json_writer_uint(&json, "boot", place->boot);
  bb_json_writer_end(&json);
  int err = bb_json_writer_finish(&json);
  if (err == 0) err = put_record(place, &text);
  bb_buf_close(&text);
  return err;
}

void bb_place_forget(bb_place *place) {
  if (place->record_dir != NULL) bb_file_remove(place->record_dir, RECORD_FILE);
  place->record_dir = NULL;
}
