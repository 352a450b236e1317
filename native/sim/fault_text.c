/* SPDX-License-Identifier: Apache-2.0 */
/* Faults as a person writes them; see fault.h. */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "sim/fault.h"

#define MAX_WORDS 16

static const char *const kind_words[] = {
#define XX(name, word, arguments, text) word,
    BB_FAULT_MAP(XX)
#undef XX
};

/* The words of a line, taken one after the other. */
typedef struct {
  char text[256];
  const char *words[MAX_WORDS + 1]; /* ended by NULL */
  const char **next;
  char *why;
  size_t cap;
} reader;

static int complain(const reader *r, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int complain(const reader *r, const char *format, ...) {
  va_list args;
  va_start(args, format);
  vsnprintf(r->why, r->cap, format, args);
  va_end(args);
  return BB_ERR_FORMAT;
}

static int start(reader *r, const char *text, char *why, size_t cap) {
  *r = (reader){.why = why, .cap = cap};
  r->next = r->words;
  if (strlen(text) >= sizeof(r->text)) return complain(r, "the line is too long");
  memcpy(r->text, text, strlen(text) + 1);
  size_t n = 0;
  char *rest = NULL;
  for (char *word = strtok_r(r->text, " \t\r\n", &rest); word != NULL;
       word = strtok_r(NULL, " \t\r\n", &rest)) {
    if (n == MAX_WORDS) return complain(r, "too many words; allowed: %d", MAX_WORDS);
    r->words[n++] = word;
  }
  return 0;
}

/* "7" or "0x1f", up to `end`, which need not end the text. */
static bool parse_whole(const char *text, uint32_t most, uint32_t *out, const char **end) {
  if (*text < '0' || *text > '9') return false;
  char *after;
  bool hex = text[0] == '0' && (text[1] == 'x' || text[1] == 'X');
  unsigned long long value = strtoull(text, &after, hex ? 16 : 10);
  *end = after;
  *out = (uint32_t)value;
  return value <= most;
}

/* "100" or "100-110". */
static bool parse_range(const char *text, uint32_t most, uint32_t *low, uint32_t *high) {
  const char *end;
  if (!parse_whole(text, most, low, &end)) return false;
  *high = *low;
  if (*end == '-' && !parse_whole(end + 1, most, high, &end)) return false;
  return *end == 0 && *low <= *high;
}

/* "500ms" or "2ms-30ms". */
static bool parse_times(const char *text, uint32_t *low, uint32_t *high) {
  char first[32];
  uint64_t from, to;
  size_t len = strcspn(text, "-");
  if (len >= sizeof(first)) return false;
  memcpy(first, text, len);
  first[len] = 0;
  if (bb_text_duration_ms(first, &from) < 0) return false;
  to = from;
  if (text[len] == '-' && bb_text_duration_ms(text + len + 1, &to) < 0) return false;
  *low = (uint32_t)from;
  *high = (uint32_t)to;
  return from <= to && to <= BB_FAULT_MAX_MS;
}

static bool is_number(const char *word) {
  return word != NULL && *word >= '0' && *word <= '9';
}

static int read_times(reader *r, bb_fault *out) {
  const char *word = *r->next;
  if (word == NULL || !parse_times(word, &out->low, &out->high)) {
    return complain(r, "%s is not a time; allowed: such as 500ms or 2ms-30ms, up to 1h",
                    word != NULL ? word : "nothing");
  }
  r->next++;
  return 0;
}

static int read_bytes(reader *r, bb_fault *out, uint32_t fallback) {
  out->low = out->high = fallback;
  if (!is_number(*r->next)) return 0;
  if (!parse_range(*r->next, BB_FAULT_MAX_BYTES, &out->low, &out->high) || out->low == 0 ||
      out->low != out->high) {
    return complain(r, "%s is not a number of bytes; allowed: 1 to %d", *r->next,
                    BB_FAULT_MAX_BYTES);
  }
  r->next++;
  return 0;
}

static int read_exception(reader *r, bb_fault *out) {
  uint32_t code, same;
  if (!is_number(*r->next) || !parse_range(*r->next, 127, &code, &same) || code == 0 ||
      code != same) {
    return complain(r, "%s is not an exception code; allowed: 1 to 127",
                    *r->next != NULL ? *r->next : "nothing");
  }
  out->code = (uint8_t)code;
  out->last = UINT16_MAX;
  r->next++;
  for (int space = BB_SPACE_COIL; *r->next != NULL && space <= BB_SPACE_HOLDING; space++) {
    if (strcmp(*r->next, bb_space_name((bb_space)space)) != 0) continue;
    out->space = space;
    r->next++;
    break;
  }
  if (!is_number(*r->next)) return 0;
  if (!parse_range(*r->next, UINT16_MAX, &out->first, &out->last)) {
    return complain(r, "%s is not an address or a range of them; allowed: such as 100-110",
                    *r->next);
  }
  r->next++;
  return 0;
}

static int read_arguments(reader *r, bb_fault *out) {
  switch (out->kind) {
  case BB_FAULT_DELAY:
  case BB_FAULT_LATE:
    return read_times(r, out);
  case BB_FAULT_MERGE:
    out->low = out->high = 50;
    return is_number(*r->next) ? read_times(r, out) : 0;
  case BB_FAULT_EXCEPTION:
    return read_exception(r, out);
  case BB_FAULT_CUT:
    return read_bytes(r, out, 0);
  case BB_FAULT_SPLIT:
    return read_bytes(r, out, 1);
  case BB_FAULT_GARBAGE:
    return read_bytes(r, out, 64);
  default:
    return 0;
  }
}

/* `unit U`, `port P` and, if there is a place for it, `times N`, in any order. */
static int read_target(reader *r, bb_fault_target *target, uint32_t *times) {
  while (*r->next != NULL) {
    const char *word = r->next[0], *given = r->next[1];
    bool unit = strcmp(word, "unit") == 0, port = strcmp(word, "port") == 0;
    if (!unit && !port && (times == NULL || strcmp(word, "times") != 0)) {
      return complain(r, "%s is not understood here; allowed: unit U, port P%s", word,
                      times != NULL ? ", times N" : "");
    }
    uint32_t most = unit ? 255 : port ? UINT16_MAX : 1000000, value, same;
    if (given == NULL || !parse_range(given, most, &value, &same) || value != same) {
      return complain(r, "%s needs a number; allowed: 0 to %u", word, most);
    }
    if (unit) target->unit = (int32_t)value;
    if (port) target->port = (int32_t)value;
    if (!unit && !port) *times = value;
    r->next += 2;
  }
  return 0;
}

int bb_fault_parse_target(bb_fault_target *out, const char *text, char *why, size_t cap) {
  reader r;
  *out = (bb_fault_target){BB_FAULT_ANY, BB_FAULT_ANY};
  int err = start(&r, text, why, cap);
  return err < 0 ? err : read_target(&r, out, NULL);
}

int bb_fault_parse(bb_fault *out, const char *text, char *why, size_t cap) {
  reader r;
  *out = (bb_fault){.target = {BB_FAULT_ANY, BB_FAULT_ANY}, .space = BB_FAULT_ANY};
  int err = start(&r, text, why, cap);
  if (err < 0) return err;
  const char *word = *r.next;
  if (word == NULL) return complain(&r, "which fault is missing");
  int kind = 0;
  while (kind < BB_FAULT_COUNT && strcmp(word, kind_words[kind]) != 0) kind++;
  if (kind == BB_FAULT_COUNT) {
    char ask[BB_TEXT_ASK];
    const char *near = bb_text_nearest(word, kind_words, BB_FAULT_COUNT);
    return complain(&r, "there is no fault %s%s", word, bb_text_ask(ask, near, ""));
  }
  out->kind = (bb_fault_kind)kind;
  r.next++;
  err = read_arguments(&r, out);
  return err < 0 ? err : read_target(&r, &out->target, &out->times);
}
