/* SPDX-License-Identifier: Apache-2.0 */
/* One transfer's options, and what its end means. See http_transfer.h. */
#include "io/http_transfer.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "io/error.h"

#define BUFFER_BYTES 16384l /* libcurl's own default for sending is four times that */

static size_t on_body(char *bytes, size_t size, size_t n, void *user) {
  bb_http_transfer *transfer = user;
  size_t len = size * n, room = transfer->body.max - 1 - transfer->body.len;
  size_t kept = len < room ? len : room;
  if (bb_buf_append(&transfer->body, bytes, kept) < 0) kept = 0;
  if (kept < len) transfer->cut = true;
  return len;
}

/* A header list that grows by one; false without memory. */
static bool append(struct curl_slist **list, const char *text) {
  struct curl_slist *longer = curl_slist_append(*list, text);
  if (longer == NULL) return false;
  *list = longer;
  return true;
}

static bool set_headers(bb_http_transfer *transfer, const bb_http_request *request) {
  /* Without waiting for "100 Continue" before a large body, and without a form's content type. */
  bool done = append(&transfer->headers, "Expect:") &&
              append(&transfer->headers, "Content-Type: text/plain; charset=utf-8");
  for (size_t i = 0; i < request->n_headers && done; i++) {
    done = append(&transfer->headers, request->headers[i]);
  }
  return done &&
         curl_easy_setopt(transfer->easy, CURLOPT_HTTPHEADER, transfer->headers) == CURLE_OK;
}

static bool set_url(CURL *easy, const bb_http *http, const char *path) {
  bb_buf url;
  bb_buf_init(&url, 4 * BB_HTTP_MAX_URL);
  bb_buf_printf(&url, "http%s://%s%.*s%s", http->url.tls ? "s" : "", http->url.name,
                (int)http->url.path_len, http->url.path, path);
  const char *text = bb_buf_string(&url);
  bool done = url.failed == 0 && curl_easy_setopt(easy, CURLOPT_URL, text) == CURLE_OK;
  bb_buf_close(&url);
  return done;
}

/* The options that take one value; false without memory. */
static bool set_options(bb_http_transfer *transfer, const bb_http *http,
                        const bb_http_request *request) {
  const bb_http_config *config = &http->config;
  CURL *easy = transfer->easy;
  bool failed = false;
#define SET(option, value) failed |= curl_easy_setopt(easy, option, value) != CURLE_OK
  SET(CURLOPT_PRIVATE, (void *)request);
  SET(CURLOPT_NOSIGNAL, 1l);
  SET(CURLOPT_ERRORBUFFER, transfer->error);
  SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1);
  SET(CURLOPT_USERAGENT, "busbar/" BB_VERSION);
  SET(CURLOPT_CUSTOMREQUEST, request->method);
  SET(CURLOPT_BUFFERSIZE, BUFFER_BYTES);
  SET(CURLOPT_UPLOAD_BUFFERSIZE, BUFFER_BYTES);
  SET(CURLOPT_TCP_KEEPALIVE, 1l);
  SET(CURLOPT_CONNECTTIMEOUT_MS, (long)config->connect_ms);
  SET(CURLOPT_TIMEOUT_MS, (long)config->total_ms);
  SET(CURLOPT_WRITEFUNCTION, on_body);
  SET(CURLOPT_WRITEDATA, transfer);
  SET(CURLOPT_PROXY, http->proxy != NULL ? http->proxy : "");
  SET(CURLOPT_NOPROXY, "");
  SET(CURLOPT_SUPPRESS_CONNECT_HEADERS, 1l);
  if (request->body != NULL) {
    SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)request->body_len);
    SET(CURLOPT_POSTFIELDS, request->body);
  }
  if (request->user != NULL) {
    SET(CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC);
    SET(CURLOPT_USERNAME, request->user);
    SET(CURLOPT_PASSWORD, request->password != NULL ? request->password : "");
  }
  if (http->url.tls) {
    SET(CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
    SET(CURLOPT_SSL_VERIFYPEER, config->insecure ? 0l : 1l);
    SET(CURLOPT_SSL_VERIFYHOST, config->insecure ? 0l : 2l);
    if (config->ca_file != NULL) SET(CURLOPT_CAINFO, config->ca_file);
    if (config->cert_file != NULL) SET(CURLOPT_SSLCERT, config->cert_file);
    if (config->key_file != NULL) SET(CURLOPT_SSLKEY, config->key_file);
  }
#if LIBCURL_VERSION_NUM >= 0x075700
  SET(CURLOPT_QUICK_EXIT, 1l); /* should libcurl look up a name after all */
#endif
#undef SET
  return !failed;
}

int bb_http_transfer_new(bb_http *http, bb_http_request *request) {
  bb_http_transfer *transfer = calloc(1, sizeof(*transfer));
  if (transfer == NULL) return BB_ERR_NOMEM;
  bb_buf_init(&transfer->body, BB_HTTP_MAX_ANSWER + 1);
  request->transfer = transfer;
  transfer->easy = curl_easy_init();
  bool done = transfer->easy != NULL && set_options(transfer, http, request) &&
              set_headers(transfer, request) && set_url(transfer->easy, http, request->path);
  return done ? 0 : BB_ERR_NOMEM;
}

int bb_http_transfer_resolve(bb_http *http, bb_http_transfer *transfer) {
  if (http->entry[0] == 0) return 0;
  bool done = append(&transfer->resolve, http->entry) &&
              curl_easy_setopt(transfer->easy, CURLOPT_RESOLVE, transfer->resolve) == CURLE_OK;
  return done ? 0 : BB_ERR_NOMEM;
}

static int timeout(const bb_http *http, CURL *easy, char *text) {
  curl_off_t sent_us = 0;
  char time[32];
  curl_easy_getinfo(easy, CURLINFO_PRETRANSFER_TIME_T, &sent_us);
  bool sent = sent_us > 0;
  bb_text_show_ms(time, sizeof(time), sent ? http->config.total_ms : http->config.connect_ms);
  snprintf(text, BB_HTTP_MAX_TEXT, "no %s %s for %s", sent ? "answer from" : "connection to",
           sent ? http->url.name : http->peer.name, time);
  return BB_ERR_TIMEOUT;
}

static int no_connection(const bb_http *http, const bb_http_transfer *transfer, char *text) {
  long os = 0;
  curl_easy_getinfo(transfer->easy, CURLINFO_OS_ERRNO, &os);
  if (os == 0) {
    snprintf(text, BB_HTTP_MAX_TEXT, "%s: %.200s", http->peer.name, transfer->error);
    return UV_ECONNREFUSED;
  }
  int err = uv_translate_sys_error((int)os);
  snprintf(text, BB_HTTP_MAX_TEXT, "%s: %s", http->peer.name, bb_error_text(err));
  return err;
}

/* What a proxy says where it should lead through; 0: nothing, or it does. */
static long refusal_of_proxy(const bb_http_transfer *transfer) {
  long status = 0;
  curl_easy_getinfo(transfer->easy, CURLINFO_HTTP_CONNECTCODE, &status);
  return status >= 300 ? status : 0;
}

/* Code and sentence for an end without an answer. */
static int explain(const bb_http *http, const bb_http_transfer *transfer, CURLcode code,
                   char *text) {
  const char *name = http->url.name;
  const char *detail = transfer->error[0] != 0 ? transfer->error : curl_easy_strerror(code);
  long refusal = refusal_of_proxy(transfer);
  if (refusal != 0) {
    snprintf(text, BB_HTTP_MAX_TEXT,
             "the proxy %.200s does not let through to %.200s: it answers %ld", http->peer.name,
             name, refusal);
    return BB_ERR_REFUSED;
  }
  switch (code) {
  case CURLE_OPERATION_TIMEDOUT:
    return timeout(http, transfer->easy, text);
  case CURLE_COULDNT_CONNECT:
    return no_connection(http, transfer, text);
  case CURLE_COULDNT_RESOLVE_HOST:
  case CURLE_COULDNT_RESOLVE_PROXY:
    snprintf(text, BB_HTTP_MAX_TEXT, "the name %s is not known", http->peer.host);
    return UV_EAI_NONAME;
  case CURLE_GOT_NOTHING:
  case CURLE_RECV_ERROR:
  case CURLE_SEND_ERROR:
  case CURLE_PARTIAL_FILE:
    snprintf(text, BB_HTTP_MAX_TEXT, "%s closed the connection before its answer was complete",
             name);
    return BB_ERR_CLOSED;
  case CURLE_PEER_FAILED_VERIFICATION:
  case CURLE_SSL_CONNECT_ERROR:
  case CURLE_SSL_CERTPROBLEM:
  case CURLE_SSL_CACERT_BADFILE:
    snprintf(text, BB_HTTP_MAX_TEXT, "no TLS connection to %s: %.160s", name, detail);
    return BB_ERR_DENIED;
  case CURLE_UNSUPPORTED_PROTOCOL:
  case CURLE_WEIRD_SERVER_REPLY:
  case CURLE_BAD_CONTENT_ENCODING:
    snprintf(text, BB_HTTP_MAX_TEXT, "%s does not answer in HTTP", name);
    return BB_ERR_FORMAT;
  case CURLE_OUT_OF_MEMORY:
    snprintf(text, BB_HTTP_MAX_TEXT, "%s: %s", name, bb_error_text(BB_ERR_NOMEM));
    return BB_ERR_NOMEM;
  default:
    snprintf(text, BB_HTTP_MAX_TEXT, "%s: %.200s", name, detail);
    return BB_ERR_IO;
  }
}

void bb_http_transfer_answer(bb_http *http, bb_http_transfer *transfer, CURLcode code,
                             bb_http_answer *answer, char *text) {
  long status = 0;
  curl_off_t retry_s = 0;
  if (code != CURLE_OK) {
    answer->err = explain(http, transfer, code, text);
    answer->text = text;
    return;
  }
  curl_easy_getinfo(transfer->easy, CURLINFO_RESPONSE_CODE, &status);
  curl_easy_getinfo(transfer->easy, CURLINFO_RETRY_AFTER, &retry_s);
  answer->status = (uint32_t)status;
  if (retry_s > 0) {
    answer->retry_after_ms =
        retry_s < BB_HTTP_MAX_RETRY_MS / 1000 ? (uint32_t)retry_s * 1000 : BB_HTTP_MAX_RETRY_MS;
  }
  if (bb_buf_byte(&transfer->body, 0) == 0) {
    answer->body = (char *)transfer->body.bytes;
    answer->body_len = transfer->body.len - 1;
  }
  answer->cut = transfer->cut;
}

const char *bb_http_transfer_text(bb_http *http, const bb_http_transfer *transfer, int err,
                                  char *text) {
  if (!transfer->no_name) {
    snprintf(text, BB_HTTP_MAX_TEXT, "%s: %s", http->url.name, bb_error_text(err));
  } else if (err == BB_ERR_TIMEOUT) {
    char time[32];
    bb_text_show_ms(time, sizeof(time), http->config.connect_ms);
    snprintf(text, BB_HTTP_MAX_TEXT, "nobody says what address %s has for %s", http->peer.host,
             time);
  } else {
    snprintf(text, BB_HTTP_MAX_TEXT, "the name %s has no address: %s", http->peer.host,
             bb_error_text(err));
  }
  return text;
}
