/* SPDX-License-Identifier: Apache-2.0 */
/* The parts of an http:// or https:// URL, and which proxy stands before it. Pure. */
#ifndef BB_IO_HTTP_URL_H
#define BB_IO_HTTP_URL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BB_HTTP_MAX_HOST 255 /* bytes of a host name, as in DNS */
#define BB_HTTP_MAX_URL 2048 /* bytes of a URL as it stands in the config document */

typedef struct bb_http_url {
  bool tls;
  bool literal;                     /* the host is an address in numbers */
  uint16_t port;                    /* 80 or 443 where none is written */
  char host[BB_HTTP_MAX_HOST + 1];  /* an IPv6 address without its brackets */
  char name[BB_HTTP_MAX_HOST + 16]; /* host:port for messages, with brackets */
  const char *path;                 /* in the text parsed: "" or "/prefix/..." */
  size_t path_len;                  /* without slashes at its end */
} bb_http_url;

/* 0, or BB_ERR_FORMAT with what is wrong and allowed in *why (static storage). A URL with a user or
 * a password is refused: secrets do not stand in the config document. */
int bb_http_url_parse(bb_http_url *out, const char *text, const char **why);

/*
 * The proxy for `url`. `option`: NULL takes http_proxy, https_proxy, all_proxy and no_proxy from the
 * environment, as curl does; "none" means none; else it is the proxy. Returns its URL, or NULL for
 * none.
 */
const char *bb_http_proxy(const bb_http_url *url, const char *option);

/* The host and port of a proxy's URL, whatever its scheme and user; for looking up its name. 0 or
 * BB_ERR_FORMAT. */
int bb_http_proxy_parse(bb_http_url *out, const char *text);

#endif
