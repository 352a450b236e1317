/* SPDX-License-Identifier: Apache-2.0 */
/* See http_url.h. */
#include "io/http_url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/err.h"
#include "io/resolver.h"

static int fail(const char **why, const char *text) {
  *why = text;
  return BB_ERR_FORMAT;
}

/* A port at the end of an authority, behind its colon. */
static int parse_port(const char *text, size_t len, uint16_t *out) {
  unsigned port = 0;
  for (size_t i = 0; i < len; i++) {
    if (text[i] < '0' || text[i] > '9' || port > UINT16_MAX) return BB_ERR_FORMAT;
    port = port * 10 + (unsigned)(text[i] - '0');
  }
  if (port == 0 || port > UINT16_MAX) return BB_ERR_FORMAT;
  *out = (uint16_t)port;
  return 0;
}

/* "host", "host:port", "[address]:port". */
static int parse_authority(bb_http_url *out, const char *text, size_t len, const char **why) {
  const char *host = text, *end = text + len, *colon = NULL;
  size_t host_len;
  if (len > 0 && *text == '[') {
    const char *bracket = memchr(text, ']', len);
    if (bracket == NULL) return fail(why, "the bracket is not closed");
    host++;
    host_len = (size_t)(bracket - host);
    if (bracket + 1 < end && bracket[1] != ':') return fail(why, "a port stands behind \"]:\"");
    if (bracket + 1 < end) colon = bracket + 1;
  } else {
    colon = memchr(text, ':', len);
    host_len = colon != NULL ? (size_t)(colon - text) : len;
  }
  if (host_len == 0) return fail(why, "the host is missing");
  if (host_len > BB_HTTP_MAX_HOST) return fail(why, "the host is longer than 255 characters");
  memcpy(out->host, host, host_len);
  out->host[host_len] = 0;
  if (colon != NULL && parse_port(colon + 1, (size_t)(end - colon - 1), &out->port) < 0) {
    return fail(why, "the port is not a number from 1 to 65535");
  }
  struct sockaddr_storage address;
  out->literal = bb_resolve_literal(out->host, out->port, &address);
  if (*text == '[' && !out->literal) return fail(why, "no IPv6 address stands in the brackets");
  bool v6 = *text == '[';
  snprintf(out->name, sizeof(out->name), "%s%s%s:%u", v6 ? "[" : "", out->host, v6 ? "]" : "",
           out->port);
  return 0;
}

int bb_http_url_parse(bb_http_url *out, const char *text, const char **why) {
  *out = (bb_http_url){.port = 80};
  if (strlen(text) > BB_HTTP_MAX_URL) return fail(why, "it is longer than 2048 characters");
  for (const char *c = text; *c != 0; c++) {
    if (*c <= ' ' || *c >= 0x7F) {
      return fail(why, "spaces and characters outside ASCII must be encoded");
    }
  }
  if (strncasecmp(text, "http://", 7) == 0) {
    text += 7;
  } else if (strncasecmp(text, "https://", 8) == 0) {
    text += 8;
    out->tls = true;
    out->port = 443;
  } else {
    return fail(why, "it must begin with http:// or https://");
  }
  if (strpbrk(text, "?#") != NULL) return fail(why, "a query or fragment has no place in it");
  size_t len = strcspn(text, "/");
  if (memchr(text, '@', len) != NULL) {
    return fail(why, "user and password do not stand in it; they have keys of their own");
  }
  int err = parse_authority(out, text, len, why);
  if (err < 0) return err;
  out->path = text + len;
  out->path_len = strlen(out->path);
  while (out->path_len > 0 && out->path[out->path_len - 1] == '/') out->path_len--;
  return 0;
}

int bb_http_proxy_parse(bb_http_url *out, const char *text) {
  const char *why, *scheme = strstr(text, "://");
  /* curl's defaults: 1080 where no port is written, but for HTTPS proxies. */
  *out = (bb_http_url){.port = strncasecmp(text, "https://", 8) == 0 ? 443 : 1080};
  if (scheme != NULL) text = scheme + 3;
  size_t len = strcspn(text, "/");
  for (size_t i = len; i > 0; i--) {
    if (text[i - 1] != '@') continue;
    text += i;
    len -= i;
    break;
  }
  return parse_authority(out, text, len, &why);
}

static const char *from_environment(const char *lower, const char *upper) {
  const char *value = getenv(lower);
  if (value == NULL && upper != NULL) value = getenv(upper);
  return value != NULL && *value != 0 ? value : NULL;
}

/* An item of no_proxy, such as "plant.example", ".plant.example" or "10.0.0.5". */
static bool is_exempt(const char *host, const char *item, size_t len) {
  if (len == 1 && *item == '*') return true;
  if (len > 0 && *item == '.') {
    item++;
    len--;
  }
  size_t host_len = strlen(host);
  if (len == 0 || host_len < len || strncasecmp(host + host_len - len, item, len) != 0) {
    return false;
  }
  return host_len == len || host[host_len - len - 1] == '.';
}

const char *bb_http_proxy(const bb_http_url *url, const char *option) {
  if (option != NULL) return strcmp(option, "none") != 0 ? option : NULL;
  const char *exempt = from_environment("no_proxy", "NO_PROXY");
  while (exempt != NULL && *exempt != 0) {
    exempt += strspn(exempt, ", ");
    size_t len = strcspn(exempt, ", ");
    if (is_exempt(url->host, exempt, len)) return NULL;
    exempt += len;
  }
  /* HTTP_PROXY in capitals is not read: a web server sets it from a request's header. */
  const char *proxy = url->tls ? from_environment("https_proxy", "HTTPS_PROXY")
                               : from_environment("http_proxy", NULL);
  return proxy != NULL ? proxy : from_environment("all_proxy", "ALL_PROXY");
}
