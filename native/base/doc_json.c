/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See doc_build.h. JSON as RFC 8259 has it. YAML's flow style is nearly the same and yet reads it
 * wrong in places: U+2028 and U+0085 become blanks, DEL is refused, an escaped surrogate pair too, a
 * key ends at 1024 characters and its colon must stand on its line.
 */
#include <string.h>

#include "base/doc_build.h"
#include "base/err.h"
#include "base/text.h"

#define NOT_JSON 1

typedef struct {
  bb_doc_builder *builder;
  const char *p;
  const char *end;
  const char *problem; /* why it is no JSON */
  uint32_t line;
} reader;

static int read_value(reader *r);

static int not_json(reader *r, const char *problem) {
  r->problem = r->p < r->end ? problem : "the text ends too early";
  return NOT_JSON;
}

static int peek(const reader *r) {
  return r->p < r->end ? (unsigned char)*r->p : -1;
}

static void skip_blanks(reader *r) {
  for (;; r->p++) {
    int c = peek(r);
    if (c == '\n') r->line++;
    if (c != ' ' && c != '\t' && c != '\r' && c != '\n') return;
  }
}

/* True, and past it, when `c` is next after blanks. */
static bool accept(reader *r, int c) {
  skip_blanks(r);
  if (peek(r) != c) return false;
  r->p++;
  return true;
}

/* The four hex digits of an escape, or -1. */
static int hex4(const char *p, const char *end) {
  int value = 0;
  if (end - p < 4) return -1;
  for (int i = 0; i < 4; i++) {
    char c = p[i];
    int digit = c >= '0' && c <= '9'   ? c - '0'
                : c >= 'a' && c <= 'f' ? c - 'a' + 10
                : c >= 'A' && c <= 'F' ? c - 'A' + 10
                                       : -1;
    if (digit < 0) return -1;
    value = value * 16 + digit;
  }
  return value;
}

static char *put_utf8(char *out, unsigned point) {
  if (point < 0x80) {
    *out++ = (char)point;
  } else if (point < 0x800) {
    *out++ = (char)(0xC0 | point >> 6);
    *out++ = (char)(0x80 | (point & 0x3F));
  } else if (point < 0x10000) {
    *out++ = (char)(0xE0 | point >> 12);
    *out++ = (char)(0x80 | (point >> 6 & 0x3F));
    *out++ = (char)(0x80 | (point & 0x3F));
  } else {
    *out++ = (char)(0xF0 | point >> 18);
    *out++ = (char)(0x80 | (point >> 12 & 0x3F));
    *out++ = (char)(0x80 | (point >> 6 & 0x3F));
    *out++ = (char)(0x80 | (point & 0x3F));
  }
  return out;
}

/* Behind `\u`. A character past U+FFFF is two escapes (section 7). */
static int read_unicode(reader *r, char **out) {
  int high = hex4(r->p, r->end);
  if (high < 0) return not_json(r, "four hex digits are expected behind \\u");
  r->p += 4;
  unsigned point = (unsigned)high;
  if (high >= 0xD800 && high < 0xE000) {
    bool pair = high < 0xDC00 && r->end - r->p >= 6 && r->p[0] == '\\' && r->p[1] == 'u';
    int low = pair ? hex4(r->p + 2, r->end) : -1;
    if (low < 0xDC00 || low >= 0xE000) {
      return bb_doc_build_complain(r->builder, r->line, "a text holds half a surrogate pair");
    }
    r->p += 6;
    point = 0x10000 + (((unsigned)high & 0x3FF) << 10) + ((unsigned)low & 0x3FF);
  }
  if (point == 0) {
    return bb_doc_build_complain(r->builder, r->line, "a text holds a NUL character");
  }
  *out = put_utf8(*out, point);
  return 0;
}

static int read_escape(reader *r, char **out) {
  static const char from[] = "\"\\/bfnrt", to[] = "\"\\/\b\f\n\r\t";
  int c = peek(r);
  const char *known = c > 0 ? strchr(from, c) : NULL;
  if (known == NULL && c != 'u') return not_json(r, "a \\ stands before a wrong character");
  r->p++;
  if (known == NULL) return read_unicode(r, out);
  *(*out)++ = to[known - from];
  return 0;
}

/* The place of the closing quote, or NULL. What lies before it never becomes longer. */
static const char *find_quote(const reader *r) {
  for (const char *p = r->p; p < r->end; p++) {
    if (*p == '"') return p;
    if (*p == '\\') p++;
  }
  return NULL;
}

/* Behind the opening quote. */
static int read_string(reader *r) {
  const char *quote = find_quote(r);
  if (quote == NULL) return not_json(r, "a text has no closing quote");
  char *text = bb_arena_take(&r->builder->tree->arena, (size_t)(quote - r->p) + 1);
  if (text == NULL) return BB_ERR_NOMEM;
  char *out = text;
  while (r->p < quote) {
    unsigned char c = (unsigned char)*r->p;
    if (c < 0x20) return not_json(r, "a text holds a control character or has no closing quote");
    int err = 0;
    r->p++;
    if (c == '\\') {
      err = read_escape(r, &out);
    } else {
      *out++ = (char)c;
    }
    if (err != 0) return err;
  }
  r->p++;
  if (!bb_text_is_utf8(text, (size_t)(out - text))) {
    return bb_doc_build_complain(r->builder, r->line, "a text is not valid UTF-8");
  }
  return bb_doc_build_scalar(r->builder, text, true, r->line);
}

static size_t count_digits(const reader *r) {
  size_t n = 0;
  while (r->p + n < r->end && r->p[n] >= '0' && r->p[n] <= '9') n++;
  return n;
}

/* -?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)? */
static bool skip_number(reader *r) {
  if (peek(r) == '-') r->p++;
  size_t n = peek(r) == '0' ? 1 : count_digits(r);
  if (n == 0) return false;
  r->p += n;
  if (peek(r) == '.') {
    r->p++;
    if ((n = count_digits(r)) == 0) return false;
    r->p += n;
  }
  if (peek(r) != 'e' && peek(r) != 'E') return true;
  r->p++;
  if (peek(r) == '+' || peek(r) == '-') r->p++;
  n = count_digits(r);
  r->p += n;
  return n > 0;
}

static bool skip_word(reader *r) {
  static const char *const words[] = {"true", "false", "null"};
  for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
    size_t len = strlen(words[i]);
    if ((size_t)(r->end - r->p) < len || memcmp(r->p, words[i], len) != 0) continue;
    r->p += len;
    return true;
  }
  return false;
}

static int read_plain(reader *r) {
  const char *start = r->p;
  if (!skip_word(r) && !skip_number(r)) return not_json(r, "a value is expected");
  const char *text = bb_arena_copy(&r->builder->tree->arena, start, (size_t)(r->p - start));
  return bb_doc_build_scalar(r->builder, text, false, r->line);
}

static int read_list(reader *r) {
  if (accept(r, ']')) return 0;
  for (;;) {
    int err = read_value(r);
    if (err != 0) return err;
    if (accept(r, ']')) return 0;
    if (!accept(r, ',')) return not_json(r, "a comma or ] is expected");
  }
}

static int read_map(reader *r) {
  if (accept(r, '}')) return 0;
  for (;;) {
    if (!accept(r, '"')) return not_json(r, "a key in double quotes is expected");
    int err = read_string(r);
    if (err != 0) return err;
    if (!accept(r, ':')) return not_json(r, "a colon is expected behind the key");
    err = read_value(r);
    if (err != 0) return err;
    if (accept(r, '}')) return 0;
    if (!accept(r, ',')) return not_json(r, "a comma or } is expected");
  }
}

/* Calls itself no deeper than BB_MAX_DOC_DEPTH, which the builder holds. */
static int read_value(reader *r) {
  skip_blanks(r);
  int c = peek(r);
  if (c != '{' && c != '[' && c != '"') return read_plain(r);
  r->p++;
  if (c == '"') return read_string(r);
  int err = bb_doc_build_open(r->builder, c == '{' ? BB_DOC_MAP : BB_DOC_LIST, r->line);
  if (err == 0) err = c == '{' ? read_map(r) : read_list(r);
  return err == 0 ? bb_doc_build_close(r->builder) : err;
}

/* Whether nothing else can be meant: behind the first brackets stands a double quote or a bracket
 * that closes. YAML would make odd texts of a JSON in which a comma is missing. */
static bool is_meant(const char *text, size_t len) {
  size_t at = 0;
  while (at < len && text[at] != 0 && strchr("{[ \t\r\n", text[at]) != NULL) at++;
  return at < len && text[at] != 0 && strchr("\"}]", text[at]) != NULL;
}

int bb_doc_read_json(bb_doc_builder *builder, const char *text, size_t len) {
  reader r = {.builder = builder, .p = text, .end = text + len, .line = 1};
  int err = read_value(&r);
  if (err == 0) {
    skip_blanks(&r);
    if (r.p < r.end) err = not_json(&r, "something follows the end");
  }
  if (err != NOT_JSON || !is_meant(text, len)) return err;
  bb_report_add_line(builder->report, r.line, "not valid JSON: %s", r.problem);
  return BB_ERR_FORMAT;
}
