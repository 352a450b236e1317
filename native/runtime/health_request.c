/* SPDX-License-Identifier: Apache-2.0 */
/* See health_request.h. */
#include "runtime/health_request.h"

#include <string.h>
#include <strings.h>

#include "base/err.h"

typedef struct {
  const char *at;
  size_t len;
} part;

/* What the headers said. */
typedef struct {
  unsigned hosts;
  bool has_body, close, keep;
} headers;

static bool is(part p, const char *text) {
  return p.len == strlen(text) && memcmp(p.at, text, p.len) == 0;
}

static bool is_word(part p, const char *text) {
  return p.len == strlen(text) && strncasecmp(p.at, text, p.len) == 0;
}

/* RFC 9110, 5.6.2. */
static bool is_token(part p) {
  static const char others[] = "!#$%&'*+-.^_`|~";
  for (size_t i = 0; i < p.len; i++) {
    char c = p.at[i];
    bool alnum = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (!alnum && (c == 0 || strchr(others, c) == NULL)) return false;
  }
  return p.len > 0;
}

/* The bytes of the request with its blank line; 0: there is no end yet. A line may end with LF alone
 * (RFC 9112, 2.2). */
static size_t find_end(const char *text, size_t start, size_t len) {
  size_t line = start;
  for (size_t i = start; i < len; i++) {
    if (text[i] != '\n') continue;
    if (i == line || (i == line + 1 && text[line] == '\r')) return i + 1;
    line = i + 1;
  }
  return 0;
}

/* The next line without its end; false after the last. */
static bool take_line(part *rest, part *line) {
  const char *end = rest->len > 0 ? memchr(rest->at, '\n', rest->len) : NULL;
  if (end == NULL) return false;
  *line = (part){rest->at, (size_t)(end - rest->at)};
  rest->len -= line->len + 1;
  rest->at = end + 1;
  if (line->len > 0 && line->at[line->len - 1] == '\r') line->len--;
  return true;
}

/* What stands before `c`, which is taken away too; false without one. */
static bool take_until(part *rest, char c, part *before) {
  const char *end = rest->len > 0 ? memchr(rest->at, c, rest->len) : NULL;
  if (end == NULL) return false;
  *before = (part){rest->at, (size_t)(end - rest->at)};
  rest->len -= before->len + 1;
  rest->at = end + 1;
  return true;
}

static part trim(part p) {
  while (p.len > 0 && (*p.at == ' ' || *p.at == '\t')) {
    p.at++;
    p.len--;
  }
  while (p.len > 0 && (p.at[p.len - 1] == ' ' || p.at[p.len - 1] == '\t')) p.len--;
  return p;
}

static int read_target(bb_health_request *request, part target) {
  static const char scheme[] = "http://";
  size_t n = sizeof(scheme) - 1;
  for (size_t i = 0; i < target.len; i++) {
    if ((unsigned char)target.at[i] <= ' ' || target.at[i] == 0x7f) return BB_ERR_FORMAT;
  }
  if (target.len > n && strncasecmp(target.at, scheme, n) == 0) {
    const char *slash = memchr(target.at + n, '/', target.len - n);
    target =
        slash == NULL ? (part){"/", 1} : (part){slash, target.len - (size_t)(slash - target.at)};
  }
  if (target.len == 0) return BB_ERR_FORMAT;
  part path = target;
  take_until(&target, '?', &path);
  if (path.len >= sizeof(request->path)) path.len = 0;
  memcpy(request->path, path.at, path.len);
  request->path[path.len] = 0;
  return 0;
}

static int read_first(bb_health_request *request, part line) {
  part method, target;
  if (!take_until(&line, ' ', &method) || !take_until(&line, ' ', &target)) return BB_ERR_FORMAT;
  if (!is_token(method)) return BB_ERR_FORMAT;
  request->method = is(method, "GET")    ? BB_HEALTH_GET
                    : is(method, "HEAD") ? BB_HEALTH_HEAD
                                         : BB_HEALTH_OTHER;
  if (line.len != 8 || memcmp(line.at, "HTTP/", 5) != 0) return BB_ERR_FORMAT;
  if (line.at[5] != '1') return BB_ERR_VERSION;
  if (line.at[6] != '.' || line.at[7] < '0' || line.at[7] > '9') return BB_ERR_FORMAT;
  request->chunks = line.at[7] != '0';
  return read_target(request, target);
}

static void read_connection(headers *seen, part value) {
  part word;
  while (take_until(&value, ',', &word)) {
    seen->close = seen->close || is_word(trim(word), "close");
    seen->keep = seen->keep || is_word(trim(word), "keep-alive");
  }
  seen->close = seen->close || is_word(trim(value), "close");
  seen->keep = seen->keep || is_word(trim(value), "keep-alive");
}

static int read_header(headers *seen, part line) {
  part name, value = line;
  if (!take_until(&value, ':', &name) || !is_token(name)) return BB_ERR_FORMAT;
  for (size_t i = 0; i < value.len; i++) {
    unsigned char c = (unsigned char)value.at[i];
    if ((c < ' ' && c != '\t') || c == 0x7f) return BB_ERR_FORMAT;
  }
  value = trim(value);
  if (is_word(name, "host")) {
    seen->hosts++;
  } else if (is_word(name, "connection")) {
    read_connection(seen, value);
  } else if (is_word(name, "content-length")) {
    seen->has_body = seen->has_body || !is(value, "0");
  } else if (is_word(name, "transfer-encoding")) {
    seen->has_body = true;
  }
  return 0;
}

int bb_health_request_parse(bb_health_request *request, const uint8_t *bytes, size_t len) {
  const char *text = (const char *)bytes;
  size_t most = len < BB_HEALTH_REQUEST_BYTES ? len : BB_HEALTH_REQUEST_BYTES;
  size_t start = 0;
  /* Blank lines before a request are passed over (RFC 9112, 2.2). */
  while (start < most && (text[start] == '\r' || text[start] == '\n')) start++;
  size_t end = find_end(text, start, most);
  if (end == 0) return len >= BB_HEALTH_REQUEST_BYTES ? BB_ERR_LIMIT : 0;

  part rest = {text + start, end - start}, line;
  headers seen = {0};
  memset(request, 0, sizeof(*request));
  take_line(&rest, &line);
  int err = read_first(request, line);
  while (err == 0 && take_line(&rest, &line) && line.len > 0) err = read_header(&seen, line);
  if (err < 0) return err;
  if (request->chunks && seen.hosts != 1) return BB_ERR_FORMAT;
  if (seen.has_body) return BB_ERR_UNSUPPORTED;
  request->keep_alive = !seen.close && (request->chunks || seen.keep);
  return (int)end;
}
