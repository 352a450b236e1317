/* SPDX-License-Identifier: Apache-2.0 */
/* Which request goes where, and what all answers have in common; see request.h. */
#include "runtime/request.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/err.h"
#include "base/text.h"
#include "io/error.h"
#include "runtime/lifeline.h"
#include "runtime/secrets.h"

typedef struct row {
  const char *op;
  void (*serve)(bb_request *request);
  bool before_hello;
  bool long_input; /* may be longer than BB_CLIENT_INPUT_BYTES: brings a document */
} row;

static const row rows[] = {
    {"hello", bb_request_hello, true, false},
    {"status", bb_request_status, false, false},
    {"check", bb_request_check, false, true},
    {"apply", bb_request_apply, false, true},
    {"secret", bb_request_secret, false, false},
    {"subscribe", bb_request_subscribe, false, false},
    {"unsubscribe", bb_request_unsubscribe, false, false},
    {"read", bb_request_read_device, false, false},
    {"probe", bb_request_probe, false, true},
    {"write", bb_request_write, false, false},
    {"store", bb_request_store, false, false},
    {"pause", bb_request_pause, false, false},
    {"resume", bb_request_resume, false, false},
    {"stop", bb_request_stop, false, false},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

bb_json_writer bb_request_answer(bb_client *client, uint32_t id) {
  bb_json_writer json = bb_client_begin(client->socket);
  bb_json_writer_uint(&json, "id", id);
  bb_json_writer_bool(&json, "ok", true);
  return json;
}

void bb_request_end(bb_client *client, bb_json_writer *json) {
  bb_client_end(client, BB_SOCKET_ANSWER, json);
}

static bb_json_writer refusal(bb_client *client, uint32_t id, int code, const char *sentence) {
  bb_json_writer json = bb_client_begin(client->socket);
  bb_json_writer_uint(&json, "id", id);
  bb_json_writer_bool(&json, "ok", false);
  bb_json_writer_text(&json, "code", bb_error_name(code));
  bb_json_writer_text(&json, "error", sentence);
  return json;
}

void bb_request_refuse(bb_client *client, uint32_t id, int code, const char *format, ...) {
  char sentence[512];
  va_list args;
  va_start(args, format);
  vsnprintf(sentence, sizeof(sentence), format, args);
  va_end(args);
  bb_json_writer json = refusal(client, id, code, sentence);
  bb_request_end(client, &json);
}

void bb_request_put_mistakes(bb_json_writer *json, bb_report *report) {
  bb_report_sort(report);
  bb_json_writer_list(json, "mistakes");
  for (uint32_t i = 0; i < report->n; i++) {
    const bb_mistake *mistake = &report->mistakes[i];
    bb_json_writer_map(json, NULL);
    bb_json_writer_text(json, "file", mistake->file);
    bb_json_writer_uint(json, "line", mistake->line);
    bb_json_writer_text(json, "path", mistake->path);
    bb_json_writer_text(json, "text", mistake->text);
    bb_json_writer_end(json);
  }
  bb_json_writer_end(json);
  if (report->more > 0) bb_json_writer_uint(json, "more", report->more);
}

void bb_request_refuse_mistakes(bb_client *client, uint32_t id, const char *sentence,
                                bb_report *report) {
  bb_json_writer json = refusal(client, id, BB_ERR_CONFIG, sentence);
  bb_request_put_mistakes(&json, report);
  bb_request_end(client, &json);
}

bool bb_request_read(bb_request *request, const bb_schema *schema, void *out) {
  bb_report report;
  bb_report_init(&report);
  bb_report_file(&report, "request");
  bool ok = bb_schema_read(schema, request->tree.root, out, &report) == 0;
  if (!ok) {
    char sentence[128];
    snprintf(sentence, sizeof(sentence), "the request %s has mistakes", schema->name);
    bb_request_refuse_mistakes(request->client, request->id, sentence, &report);
  }
  bb_report_close(&report);
  return ok;
}

/* The pid as it is in our own namespace; 0: not seen from here, or unknown. */
static pid_t peer_of(const bb_client *client) {
  struct ucred peer = {.pid = 0};
  socklen_t len = sizeof(peer);
  uv_os_fd_t fd;
  if (uv_fileno((const uv_handle_t *)&client->pipe, &fd) < 0) return 0;
  return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0 ? peer.pid : 0;
}

void bb_request_put_lifeline(bb_json_writer *json, const bb_client *client) {
  const bb_socket *socket = client->socket;
  if (socket->data != NULL) bb_json_writer_text(json, "data", socket->data);
  if (socket->lingers) bb_json_writer_uint(json, "linger_ms", socket->linger_ms);
  if (socket->lifeline == NULL) return;
  bb_json_writer_text(json, "mode", bb_lifeline_mode_name(socket->lifeline->mode));
  bb_json_writer_text(json, "killed_with",
                      bb_lifeline_killed_with(socket->lifeline, peer_of(client)));
}

bool bb_request_start(bb_request *request, bb_call *call) {
  bb_client *client = request->client;
  if (client->n_calls >= BB_CLIENT_MAX_CALLS) {
    bb_request_refuse(client, request->id, BB_ERR_LIMIT,
                      "%d reads and writes are under way; wait for their answers",
                      BB_CLIENT_MAX_CALLS);
    return false;
  }
  client->n_calls++;
  call->client = client;
  call->id = request->id;
  bb_list_append(&client->calls, &call->link);
  return true;
}

void bb_request_finish(bb_call *call) {
  bb_list_remove(&call->link);
  if (call->client != NULL) call->client->n_calls--;
}

static const row *find(const char *op) {
  for (size_t i = 0; i < ROWS; i++) {
    if (strcmp(rows[i].op, op) == 0) return &rows[i];
  }
  return NULL;
}

static void refuse_unknown(bb_request *request, const char *op) {
  const char *names[ROWS];
  for (size_t i = 0; i < ROWS; i++) names[i] = rows[i].op;
  char ask[BB_TEXT_ASK];
  const char *near = bb_text_nearest(op, names, ROWS);
  bb_request_refuse(request->client, request->id, BB_ERR_UNSUPPORTED,
                    "there is no request \"%.40s\"%s", op, bb_text_ask(ask, near, ""));
}

static void serve(bb_request *request, size_t len) {
  char most[32];
  bb_client *client = request->client;
  const char *id = bb_doc_get_text(request->tree.root, "id");
  const char *op = bb_doc_get_text(request->tree.root, "op");
  request->id = id != NULL ? (uint32_t)strtoul(id, NULL, 10) : 0;
  const row *found = op != NULL ? find(op) : NULL;
  if (found == NULL) {
    refuse_unknown(request, op != NULL ? op : "");
  } else if (!found->long_input && len > BB_CLIENT_INPUT_BYTES) {
    bb_request_refuse(client, request->id, BB_ERR_LIMIT, "a request %s has at most %s", op,
                      bb_text_show_bytes(most, sizeof(most), BB_CLIENT_INPUT_BYTES));
  } else if (!found->before_hello && !client->greeted) {
    bb_request_refuse(client, request->id, BB_ERR_STATE, "the first request must be hello");
  } else {
    found->serve(request);
  }
}

/* What came as secrets is wiped, whatever became of the request: the texts of the tree, and the bytes
 * that it was read from, which are the client's buffer. */
static void wipe_secrets(const bb_request *request, const uint8_t *bytes, size_t len) {
  const bb_doc *secrets = bb_doc_get(request->tree.root, "secrets");
  if (secrets == NULL) return;
  bb_secrets_wipe_doc(secrets);
  bb_secret_wipe((uint8_t *)bytes, len);
}

void bb_client_take_request(bb_client *client, const uint8_t *bytes, size_t len) {
  bb_request request = {.client = client};
  bb_report report;
  bb_report_init(&report);
  int err = BB_ERR_FORMAT;
  /* A document may also be YAML; a request may not. */
  if (bytes[0] == '{') {
    err = bb_doc_parse(&request.tree, "request", (const char *)bytes, len, &report);
  }
  if (err == 0) {
    serve(&request, len);
    wipe_secrets(&request, bytes, len);
    bb_doc_close(&request.tree);
  } else {
    const char *why = report.n > 0 ? report.mistakes[0].text : "a JSON object is expected";
    bb_request_refuse(client, 0, err, "the request cannot be read: %.300s", why);
    bb_secret_wipe((uint8_t *)bytes, len);
  }
  bb_report_close(&report);
}
