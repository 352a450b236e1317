/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The request write: a command through the one door. The answer says what became of it; "ok" means
 * that there is an outcome, not that it is a good one.
 *
 *   {"id":4,"op":"write","device":"inv-1","points":[{"name":"power/limit","value":80}],
 *    "not_after_ms":2000,"command":"limit-17"}
 *   {"id":4,"ok":true,"outcome":"confirmed","command":"limit-17",
 *    "measured":[{"name":"power/limit","value":80}]}
 *
 * `not_after_ms` counts from the arrival of the request. The end of a command whose client has gone
 * is in the log only.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "runtime/request.h"

typedef struct write_request {
  bb_request_head head;
  const char *device, *command;
  const bb_doc *points;
  uint32_t not_after_ms;
} write_request;

static const bb_field write_fields[] = {
    BB_REQUEST_HEAD,
    {"device", BB_FIELD_ID, offsetof(write_request, device), .required = true,
     .help = "Which device."},
    {"points", BB_FIELD_LIST, offsetof(write_request, points), .required = true,
     .help = "What is written, in this order: maps of name and value."},
    {"not_after_ms", BB_FIELD_U32, offsetof(write_request, not_after_ms),
     .help = "It is not sent later than that; 0: whenever."},
    {"command", BB_FIELD_TEXT, offsetof(write_request, command),
     .help = "The writer's own name of the command, up to 39 bytes, for the log."},
};
static const bb_schema write_schema = BB_SCHEMA("write", write_fields);

typedef struct write_call {
  bb_call call;
  bb_command command;
  bb_doc_tree tree; /* device, names and texts lie in it */
  const bb_doc *points;
  char principal[BB_MAX_ID + 1]; /* the client's name, which may go before the command does */
} write_call;

static void free_writing(write_call *writing) {
  bb_request_finish(&writing->call);
  bb_doc_close(&writing->tree);
  free(writing);
}

/* The command goes on without its client. */
static void on_gone(bb_call *call) {
  (void)call;
}

static void put_measured(bb_json_writer *json, const write_call *writing) {
  const bb_command *command = &writing->command;
  const bb_doc *item = writing->points->first;
  if (command->has_measured == 0) return;
  bb_json_writer_list(json, "measured");
  for (uint16_t i = 0; i < command->n && item != NULL; i++, item = item->next) {
    if (!(command->has_measured >> i & 1)) continue;
    bb_json_writer_map(json, NULL);
    bb_json_writer_text(json, "name", bb_doc_get_text(item, "name"));
    bb_json_writer_value(json, "value", command->measured[i]);
    bb_json_writer_end(json);
  }
  bb_json_writer_end(json);
}

static void on_done(bb_command *command, bb_outcome outcome, const bb_reason *reason) {
  write_call *writing = command->user;
  bb_client *client = writing->call.client;
  if (client != NULL) {
    bb_json_writer json = bb_request_answer(client, writing->call.id);
    bb_json_writer_text(&json, "outcome", bb_outcome_name(outcome));
    if (command->id[0] != 0) bb_json_writer_text(&json, "command", command->id);
    bb_client_put_reason(&json, reason);
    put_measured(&json, writing);
    bb_request_end(client, &json);
  }
  free_writing(writing);
}

/* A value as JSON gives it: what is quoted stays a text. False for lists, maps and null. */
static bool read_value(const bb_doc *doc, bb_value *out) {
  char *end;
  *out = (bb_value){0};
  if (doc == NULL || doc->kind != BB_DOC_SCALAR || bb_doc_is_null(doc)) return false;
  size_t len = strlen(doc->text);
  bool is_true = strcmp(doc->text, "true") == 0;
  if (doc->quoted) {
    if (len > UINT8_MAX) return false;
    out->type = BB_TYPE_TEXT;
    out->v.text.bytes = doc->text;
    out->v.text.len = (uint8_t)len;
    return true;
  }
  if (is_true || strcmp(doc->text, "false") == 0) {
    out->type = BB_TYPE_BOOL;
    out->v.b = is_true;
    return true;
  }
  errno = 0;
  out->type = BB_TYPE_I64;
  out->v.i = strtoll(doc->text, &end, 10);
  if (*end == 0 && errno == 0) return true;
  errno = 0;
  out->type = BB_TYPE_U64;
  out->v.u = doc->text[0] != '-' ? strtoull(doc->text, &end, 10) : 0;
  if (*end == 0 && errno == 0 && doc->text[0] != '-') return true;
  out->type = BB_TYPE_F64;
  out->v.d = strtod(doc->text, &end);
  return *end == 0;
}

static int add_points(bb_door *door, write_call *writing, bb_reason *reason) {
  for (const bb_doc *item = writing->points->first; item != NULL; item = item->next) {
    const char *name = bb_doc_get_text(item, "name");
    bb_value value;
    if (name == NULL || !read_value(bb_doc_get(item, "value"), &value)) {
      bb_reason_set(reason, BB_ERR_INVALID, 0,
                    "point %u is not a map of name and value (a number, a text, true or false)",
                    item->index);
      return reason->code;
    }
    int err = bb_door_add(door, &writing->command, name, value, reason);
    if (err < 0) return err;
  }
  return 0;
}

static void fill(write_call *writing, const write_request *in, uint64_t now_ns) {
  bb_command *command = &writing->command;
  writing->points = in->points;
  writing->call.on_gone = on_gone;
  bb_list_init(&writing->call.link);
  command->device = in->device;
  command->origin = "socket";
  command->on_done = on_done;
  command->user = writing;
  if (in->command != NULL) snprintf(command->id, sizeof(command->id), "%s", in->command);
  if (in->not_after_ms > 0) command->not_after_ns = now_ns + in->not_after_ms * BB_NS_PER_MS;
}

void bb_request_write(bb_request *request) {
  bb_client *client = request->client;
  bb_runtime *runtime = client->socket->runtime;
  write_request in;
  bb_reason reason = {0};
  if (!bb_request_read(request, &write_schema, &in)) return;
  write_call *writing = calloc(1, sizeof(*writing));
  if (writing == NULL) {
    bb_request_refuse(client, request->id, BB_ERR_NOMEM, "out of memory");
    return;
  }
  fill(writing, &in, bb_clock_mono_ns(&runtime->clock));
  int err = add_points(&runtime->door, writing, &reason);
  if (err < 0) {
    bb_request_refuse(client, request->id, err, "%s", reason.text);
    free(writing);
  } else if (!bb_request_start(request, &writing->call)) {
    free(writing);
  } else {
    writing->tree = request->tree;
    request->tree = (bb_doc_tree){0};
    memcpy(writing->principal, client->name, sizeof(writing->principal));
    writing->command.principal = writing->principal;
    bb_door_submit(&runtime->door, &writing->command);
  }
}
