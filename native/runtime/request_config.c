/* SPDX-License-Identifier: Apache-2.0 */
/* Requests about the document and the runtime as a whole (check, apply, pause, resume, stop), and
 * what a client wants to be told (subscribe, unsubscribe). */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "io/error.h"
#include "runtime/difference.h"
#include "runtime/request.h"

typedef struct document_request {
  bb_request_head head;
  const char *document, *name;
} document_request;

static const bb_field document_fields[] = {
    BB_REQUEST_HEAD,
    {"document", BB_FIELD_TEXT, offsetof(document_request, document), .required = true,
     .help = "The whole document as text, YAML or JSON."},
    {"name", BB_FIELD_TEXT, offsetof(document_request, name), .fallback = "document",
     .help = "What mistakes call it; profiles are looked up beside it."},
};
static const bb_schema document_schema = BB_SCHEMA("of a document", document_fields);

/* Reads the document; false after the request was answered with what is wrong. */
static bool parse(bb_request *request, const document_request *in, bb_config **out) {
  bb_report report;
  bb_report_init(&report);
  int err = bb_config_parse(out, in->name, in->document, strlen(in->document),
                            request->client->socket->runtime->kinds, &report);
  if (err == BB_ERR_CONFIG || !bb_report_ok(&report)) {
    bb_request_refuse_mistakes(request->client, request->id,
                               "the document has mistakes; nothing was applied", &report);
  } else if (err < 0) {
    bb_request_refuse(request->client, request->id, err, "the document cannot be read: %s",
                      bb_error_text(err));
  }
  bool ok = err == 0 && bb_report_ok(&report);
  if (err == 0 && !ok) bb_config_unref(*out);
  bb_report_close(&report);
  return ok;
}

void bb_request_check(bb_request *request) {
  document_request in;
  bb_config *config;
  if (!bb_request_read(request, &document_schema, &in)) return;
  if (!parse(request, &in, &config)) return;
  bb_json_writer json = bb_request_answer(request->client, request->id);
  bb_json_writer_uint(&json, "connections", config->n_connections);
  bb_json_writer_uint(&json, "devices", config->n_devices);
  bb_json_writer_uint(&json, "sinks", config->n_sinks);
  bb_request_end(request->client, &json);
  bb_config_unref(config);
}

static bool may_apply(bb_request *request) {
  bb_client *client = request->client;
  bb_socket *socket = client->socket;
  if (socket->file_owned) {
    bb_request_refuse(client, request->id, BB_ERR_DENIED,
                      "this runtime follows its config file; change the file, or set runtime.owner "
                      "to editor in it");
    return false;
  }
  if (socket->owner != NULL && socket->owner != client) {
    const char *name = socket->owner->name;
    bb_request_refuse(client, request->id, BB_ERR_BUSY,
                      "another client%s%s applies to this runtime; it must disconnect first",
                      name[0] != 0 ? " " : "", name);
    return false;
  }
  return true;
}

/* Whether the document outlives this process; that it does not is no reason to refuse it. */
static void keep(bb_socket *socket, const char *text, bb_json_writer *json) {
  int err = BB_ERR_UNSUPPORTED;
  if (socket->on_applied_text != NULL) {
    err = socket->on_applied_text(socket, text, strlen(text));
  }
  bb_json_writer_bool(json, "kept", err == 0);
  if (err < 0) bb_json_writer_text(json, "kept_error", bb_error_text(err));
}

static void log_difference(const bb_client *client, const bb_difference *difference) {
  char text[BB_DIFFERENCE_TEXT];
  bb_log_info(client->socket->runtime->log, NULL, "client %s applied a document: %s",
              client->name[0] != 0 ? client->name : "without a name",
              bb_difference_text(difference, text, sizeof(text)));
}

void bb_request_apply(bb_request *request) {
  bb_socket *socket = request->client->socket;
  document_request in;
  bb_config *config;
  if (!bb_request_read(request, &document_schema, &in)) return;
  if (!may_apply(request) || !parse(request, &in, &config)) return;
  const bb_runtime *runtime = socket->runtime;
  bb_difference difference =
      bb_difference_of(runtime->next != NULL ? runtime->next : runtime->config, config);
  int err = bb_runtime_apply(socket->runtime, config);
  if (err < 0) {
    bb_config_unref(config);
    bb_request_refuse(request->client, request->id, err, "not applied: %s", bb_error_text(err));
    return;
  }
  socket->owner = request->client;
  bb_socket_client_came(request->client);
  log_difference(request->client, &difference);
  bb_json_writer json = bb_request_answer(request->client, request->id);
  bb_difference_put(&difference, &json, "changed");
  keep(socket, in.document, &json);
  bb_request_end(request->client, &json);
}

static const bb_field plain_fields[] = {BB_REQUEST_HEAD};
static const bb_schema plain_schema = BB_SCHEMA("without arguments", plain_fields);

static void answer_plain(bb_request *request) {
  bb_json_writer json = bb_request_answer(request->client, request->id);
  bb_request_end(request->client, &json);
}

static void set_paused(bb_request *request, bool paused) {
  bb_request_head in;
  if (!bb_request_read(request, &plain_schema, &in)) return;
  bb_runtime_pause(request->client->socket->runtime, paused);
  answer_plain(request);
}

void bb_request_pause(bb_request *request) {
  set_paused(request, true);
}

void bb_request_resume(bb_request *request) {
  set_paused(request, false);
}

void bb_request_stop(bb_request *request) {
  bb_socket *socket = request->client->socket;
  bb_request_head in;
  if (!bb_request_read(request, &plain_schema, &in)) return;
  if (socket->on_stop == NULL) {
    bb_request_refuse(request->client, request->id, BB_ERR_UNSUPPORTED,
                      "this runtime cannot be stopped from here");
    return;
  }
  answer_plain(request);
  bb_client_flush(request->client);
  socket->on_stop(socket);
}

typedef struct subscribe_request {
  bb_request_head head;
  const bb_doc *devices;
  bool events, all_events, snapshot;
} subscribe_request;

static const bb_field subscribe_fields[] = {
    BB_REQUEST_HEAD,
    {"devices", BB_FIELD_LIST, offsetof(subscribe_request, devices),
     .help = "Patterns of device ids, such as meter-*; without it all, an empty list none."},
    {"events", BB_FIELD_BOOL, offsetof(subscribe_request, events), .fallback = "true",
     .help = "Also events."},
    {"all_events", BB_FIELD_BOOL, offsetof(subscribe_request, all_events), .fallback = "false",
     .help = "Events of all devices, not only of those whose batches are wanted."},
    {"snapshot", BB_FIELD_BOOL, offsetof(subscribe_request, snapshot), .fallback = "true",
     .help = "First how everything is now."},
};
static const bb_schema subscribe_schema = BB_SCHEMA("subscribe", subscribe_fields);

void bb_request_subscribe(bb_request *request) {
  bb_client *client = request->client;
  subscribe_request in;
  if (!bb_request_read(request, &subscribe_schema, &in)) return;
  for (const bb_doc *item = in.devices != NULL ? in.devices->first : NULL; item != NULL;
       item = item->next) {
    if (item->kind == BB_DOC_SCALAR) continue;
    bb_request_refuse(client, request->id, BB_ERR_TYPE, "devices is a list of patterns");
    return;
  }
  bb_client_subscribe(client, &request->tree, in.devices, in.events, in.all_events);
  answer_plain(request);
  if (in.snapshot) bb_client_snapshot(client);
}

void bb_request_unsubscribe(bb_request *request) {
  bb_request_head in;
  if (!bb_request_read(request, &plain_schema, &in)) return;
  bb_client_unsubscribe(request->client);
  answer_plain(request);
}
