/* SPDX-License-Identifier: Apache-2.0 */
/* See log.h. */
#define _POSIX_C_SOURCE 200809L
#include "base/log.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/limits.h"
#include "base/text.h"

#define MAX_SUBJECT_END 512 /* a subject never takes the room of the text */

static const char *const names[] = {"error", "warn", "info", "debug"};

void bb_log_init(bb_log *log, int fd) {
  *log = (bb_log){.level = BB_LOG_INFO, .fd = fd, .clock = bb_clock_system()};
}

const char *bb_log_level_name(bb_log_level level) {
  return names[level];
}

/* One line as it grows. What would pass `end` is left out, and so is all that follows. */
typedef struct {
  char bytes[BB_MAX_LOG_LINE];
  size_t len;
  size_t end;
} line;

static void put(line *out, const char *text, size_t len) {
  if (len > out->end - out->len) {
    out->end = out->len;
    return;
  }
  memcpy(out->bytes + out->len, text, len);
  out->len += len;
}

static void put_text(line *out, const char *text) {
  put(out, text, strlen(text));
}

static void put_time(line *out, int64_t utc_ns) {
  int64_t ms = utc_ns / 1000000 - (utc_ns % 1000000 < 0);
  time_t seconds = (time_t)(ms / 1000 - (ms % 1000 < 0));
  struct tm tm;
  char text[64];
  gmtime_r(&seconds, &tm);
  size_t len = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", &tm);
  snprintf(text + len, sizeof(text) - len, ".%03dZ", (int)(ms - (int64_t)seconds * 1000));
  put_text(out, text);
}

/* What ends a line or steers a terminal, by its number: C0, DEL, C1 and Unicode's two line ends; 0
 * for all else. `n` is the length of the character. */
static unsigned control_at(const char *text, unsigned n) {
  unsigned char a = (unsigned char)text[0];
  if (n == 1) return a < 0x20 || a == 0x7F ? a : 0;
  unsigned char b = (unsigned char)text[1];
  if (n == 2) return a == 0xC2 && b < 0xA0 ? b : 0;
  unsigned char c = (unsigned char)text[2];
  return n == 3 && a == 0xE2 && b == 0x80 && (c == 0xA8 || c == 0xA9) ? 0x2000u + (c & 0x3F) : 0;
}

/* Copies `text`, escaping what could end or forge a line, or in JSON a string. */
static void put_escaped(line *out, const char *text, bool json) {
  size_t left = strlen(text);
  while (left > 0) {
    char escape[16];
    unsigned n = bb_text_utf8(text, left);
    unsigned control = n > 0 ? control_at(text, n) : 0;
    if (n == 0) {
      n = 1;
      snprintf(escape, sizeof(escape), json ? "\\ufffd" : "\\x%02x", (unsigned char)*text);
      put_text(out, escape);
    } else if (control != 0) {
      snprintf(escape, sizeof(escape), "\\u%04x", control);
      put_text(out, escape);
    } else {
      bool special = json && (*text == '"' || *text == '\\');
      escape[0] = '\\';
      memcpy(escape + special, text, n);
      put(out, escape, n + special);
    }
    text += n;
    left -= n;
  }
}

/* A log that cannot be written must not stop what it tells of. */
static void send(bb_log *log, const line *out) {
  bb_log_file *file = log->file;
  if (file != NULL) {
    bool told = file->failing;
    int err = bb_log_file_append(file, out->bytes, out->len);
    if (err == 0) return;
    log->file = NULL;
    if (!told) {
      bb_log_error(log, NULL, "the log %s cannot be written (%s); it goes to stderr until it can",
                   file->path, strerror(-err));
    }
    log->file = file;
  }
  ssize_t written = write(log->fd, out->bytes, out->len);
  (void)written;
}

void bb_log_write(bb_log *log, bb_log_level level, const char *subject, const char *format, ...) {
  log->lines[level]++;
  if (level > log->level) return;
  char text[BB_MAX_LOG_LINE / 2], name[8];
  va_list args;
  va_start(args, format);
  vsnprintf(text, sizeof(text), format, args);
  va_end(args);

  const char *tail = log->json ? "\"}\n" : "\n";
  line out = {.end = MAX_SUBJECT_END};
  if (log->json) put_text(&out, "{\"time\":\"");
  put_time(&out, bb_clock_utc_ns(&log->clock));
  snprintf(name, sizeof(name), log->json ? "%s" : "%-5s", names[level]);
  put_text(&out, log->json ? "\",\"level\":\"" : " ");
  put_text(&out, name);
  put_text(&out, log->json ? "\",\"subject\":\"" : " ");
  if (subject != NULL) put_escaped(&out, subject, log->json);
  out.end = sizeof(out.bytes) - strlen(tail);
  if (log->json) put_text(&out, "\",\"text\":\"");
  if (!log->json && subject != NULL) put_text(&out, ": ");
  put_escaped(&out, text, log->json);
  out.end = sizeof(out.bytes);
  put_text(&out, tail);
  send(log, &out);
}
