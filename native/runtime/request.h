/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Requests of the control socket: {"id":7,"op":"read","device":"meter-1"}. Each is answered once, by
 * {"id":7,"ok":true,...} or by
 *
 *   {"id":7,"ok":false,"code":"NOTFOUND","error":"there is no device meter-9","mistakes":[...]}
 *
 * `mistakes` is there where a document or the request itself has some: file, line, path, text.
 * Answers need not come in the order of the requests: reads and writes take their time.
 *
 * A request is one row in request.c and one function, in the file of its group.
 */
#ifndef BB_RUNTIME_REQUEST_H
#define BB_RUNTIME_REQUEST_H

#include "base/schema.h"
#include "runtime/client.h"

typedef struct bb_request {
  bb_client *client;
  uint32_t id;
  bb_doc_tree tree; /* may be taken over: then set all zero */
} bb_request;

/* What every schema of a request begins with; the struct begins with bb_request_head. */
typedef struct bb_request_head {
  uint32_t id;
  const char *op;
} bb_request_head;

#define BB_REQUEST_HEAD                                                                            \
  {"id", BB_FIELD_U32, offsetof(bb_request_head, id), .required = true,                            \
   .help = "Comes back with the answer."},                                                         \
  {                                                                                                \
    "op", BB_FIELD_TEXT, offsetof(bb_request_head, op), .required = true, .help = "What is asked." \
  }

/* Fills `out`; false after the request was refused for its mistakes. */
bool bb_request_read(bb_request *request, const bb_schema *schema, void *out);

/* Begins {"id":..,"ok":true; what follows is written to the writer, then end. */
bb_json_writer bb_request_answer(bb_client *client, uint32_t id);
void bb_request_end(bb_client *client, bb_json_writer *json);

void bb_request_refuse(bb_client *client, uint32_t id, int code, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void bb_request_refuse_mistakes(bb_client *client, uint32_t id, const char *sentence,
                                bb_report *report);
void bb_request_put_mistakes(bb_json_writer *json, bb_report *report);

/* Of hello: what this runtime's life hangs on, as that client sees it. */
void bb_request_put_lifeline(bb_json_writer *json, const bb_client *client);

/* Of read and probe, into an open map: name, value, unit, quality, cause and code of a point. */
void bb_request_put_point(bb_json_writer *json, const bb_batch *batch, uint16_t point);

/* Counts a request that ends later among the client's. False after it was refused. */
bool bb_request_start(bb_request *request, bb_call *call);

/* Takes it out again; harmless when the client has gone. */
void bb_request_finish(bb_call *call);

void bb_request_hello(bb_request *request);
void bb_request_status(bb_request *request);
void bb_request_check(bb_request *request);
void bb_request_apply(bb_request *request);
void bb_request_secret(bb_request *request);
void bb_request_pause(bb_request *request);
void bb_request_resume(bb_request *request);
void bb_request_stop(bb_request *request);
void bb_request_subscribe(bb_request *request);
void bb_request_unsubscribe(bb_request *request);
void bb_request_read_device(bb_request *request);
void bb_request_probe(bb_request *request);
void bb_request_write(bb_request *request);
void bb_request_store(bb_request *request);

#endif
