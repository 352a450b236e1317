/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The request that hands over named secrets. It says which there are, never what they hold.
 *
 *   {"id":7,"op":"secret","secrets":{"bus.password":"...","old.token":null},"memory":false}
 *   {"id":7,"ok":true,"names":["bus.password"],"kept":true}
 */
#include "runtime/secrets.h"

#include "base/err.h"
#include "runtime/request.h"

typedef struct secret_request {
  bb_request_head head;
  const bb_doc *secrets;
  bool memory;
} secret_request;

static const bb_field secret_fields[] = {
    BB_REQUEST_HEAD,
    {"secrets", BB_FIELD_MAP, offsetof(secret_request, secrets),
     .help = "Names and values; null removes one. Without it, nothing changes."},
    {"memory", BB_FIELD_BOOL, offsetof(secret_request, memory), .fallback = "false",
     .help = "They live as long as the process, and are not kept in the data directory."},
};
static const bb_schema secret_schema = BB_SCHEMA("secret", secret_fields);

static bool may_hand_over(const bb_request *request) {
  const bb_client *client = request->client;
  const bb_socket *socket = client->socket;
  if (socket->file_owned) {
    bb_request_refuse(request->client, request->id, BB_ERR_DENIED,
                      "this runtime follows its config file, so its secrets come from environment "
                      "variables or files");
    return false;
  }
  if (socket->owner != NULL && socket->owner != client) {
    const char *name = socket->owner->name;
    bb_request_refuse(
        request->client, request->id, BB_ERR_BUSY,
        "another client%s%s applies to this runtime, and only it may hand over secrets",
        name[0] != 0 ? " " : "", name);
    return false;
  }
  return true;
}

static bool check(const bb_request *request, const bb_secrets *secrets, const bb_doc *changes) {
  bb_report report;
  bb_report_init(&report);
  bb_report_file(&report, "request");
  bb_secrets_check(secrets, changes, &report);
  bool ok = bb_report_ok(&report);
  if (!ok) {
    bb_request_refuse_mistakes(request->client, request->id,
                               "the secrets have mistakes; none was taken", &report);
  }
  bb_report_close(&report);
  return ok;
}

static void answer(const bb_request *request, const bb_secrets *secrets, const bool *kept) {
  bb_json_writer json = bb_request_answer(request->client, request->id);
  bb_json_writer_list(&json, "names");
  for (uint32_t i = 0; i < secrets->n; i++) {
    bb_json_writer_text(&json, NULL, secrets->entries[i].name);
  }
  bb_json_writer_end(&json);
  if (kept != NULL) bb_json_writer_bool(&json, "kept", *kept);
  bb_request_end(request->client, &json);
}

void bb_request_secret(bb_request *request) {
  bb_socket *socket = request->client->socket;
  bb_secrets *secrets = socket->secrets;
  secret_request in;
  if (!bb_request_read(request, &secret_schema, &in)) return;
  if (secrets == NULL) {
    bb_request_refuse(request->client, request->id, BB_ERR_UNSUPPORTED,
                      "this runtime takes no secrets");
    return;
  }
  if (in.secrets == NULL) {
    answer(request, secrets, NULL);
    return;
  }
  if (!may_hand_over(request) || !check(request, secrets, in.secrets)) return;
  int result = bb_secrets_set(secrets, in.secrets, in.memory);
  if (result < 0) {
    bb_request_refuse(request->client, request->id, result, "no secret was taken: %s",
                      bb_err_text(result));
    return;
  }
  bool kept = result == 1 && !in.memory;
  answer(request, secrets, &kept);
  bb_runtime_refresh(socket->runtime);
}
