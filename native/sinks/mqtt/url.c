/* SPDX-License-Identifier: Apache-2.0 */
/* See url.h. */
#include "sinks/mqtt/url.h"

#include <stdio.h>
#include <string.h>

#include "base/err.h"

static int wrong(char *why, size_t why_cap, const char *sentence) {
  snprintf(why, why_cap, "%s", sentence);
  return BB_ERR_FORMAT;
}

static bool parse_port(const char *text, uint16_t *out) {
  uint32_t port = 0;
  if (*text == 0 || strlen(text) > 5) return false;
  for (; *text != 0; text++) {
    if (*text < '0' || *text > '9') return false;
    port = port * 10 + (uint32_t)(*text - '0');
  }
  if (port == 0 || port > UINT16_MAX) return false;
  *out = (uint16_t)port;
  return true;
}

/* Letters, digits, '-', '.', '_' and, in brackets, the characters of an IPv6 address. */
static bool is_host(const char *host, size_t len, bool v6) {
  const char *allowed = v6 ? "0123456789abcdefABCDEF:.%"
                           : "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._";
  if (len == 0 || len > BB_MQTT_MAX_HOST) return false;
  for (size_t i = 0; i < len; i++) {
    if (strchr(allowed, host[i]) == NULL) return false;
  }
  return true;
}

int bb_mqtt_url_parse(bb_mqtt_url *url, const char *text, char *why, size_t why_cap) {
  *url = (bb_mqtt_url){.port = 1883};
  if (strncmp(text, "mqtts://", 8) == 0) {
    *url = (bb_mqtt_url){.tls = true, .port = 8883};
    text += 8;
  } else if (strncmp(text, "mqtt://", 7) == 0) {
    text += 7;
  } else {
    return wrong(why, why_cap, "no URL of a broker; allowed: mqtt://host:port, mqtts://host:port");
  }
  if (strchr(text, '@') != NULL) {
    return wrong(why, why_cap,
                 "no user name or password in the URL; give user, and password_env or "
                 "password_file");
  }
  bool v6 = *text == '[';
  text += v6;
  size_t len = strcspn(text, v6 ? "]" : ":/?#");
  if (!is_host(text, len, v6) || (v6 && text[len] != ']')) {
    return wrong(why, why_cap,
                 "no host in the URL; allowed: a name, 10.0.0.5 or [fd00::5], at most 253 bytes");
  }
  memcpy(url->host, text, len);
  text += len + v6;
  char rest[16];
  size_t port_len = *text == ':' ? strcspn(text + 1, "/?#") : 0;
  if (*text == ':') {
    snprintf(rest, sizeof(rest), "%.*s", (int)port_len, text + 1);
    if (port_len >= sizeof(rest) || !parse_port(rest, &url->port)) {
      return wrong(why, why_cap, "no port in the URL; allowed: 1 to 65535");
    }
    text += 1 + port_len;
  }
  if (*text != 0 && strcmp(text, "/") != 0) {
    return wrong(why, why_cap, "nothing may follow the host and port; allowed: mqtt://host:port");
  }
  return 0;
}
