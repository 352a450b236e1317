/* SPDX-License-Identifier: Apache-2.0 */
/* See client.h. The frames are those of runtime/socket_frame.h. */
#include "cli/client.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/err.h"
#include "base/report.h"
#include "base/text.h"
#include "runtime/file.h"
#include "runtime/place.h"
#include "runtime/socket_frame.h"

#define MAX_RECORD (64u << 10)  /* bytes of runtime.json */
#define MAX_ANSWER (32u << 20)  /* what a runtime sends at most */
#define MAX_REQUEST (64u << 10) /* of ours */
#define READ_BYTES (64u << 10)

static int parse(bb_doc_tree *tree, const char *name, const void *bytes, size_t len) {
  bb_report report;
  bb_report_init(&report);
  int err = bb_doc_parse(tree, name, bytes, len, &report);
  bb_report_close(&report);
  return err;
}

/* Where the runtime of that directory listens, as it says itself; "" when it says nothing: on a full disk
 * it cannot. */
static void find_socket(const char *dir, char *out, size_t cap) {
  bb_doc_tree tree;
  bb_buf text;
  out[0] = 0;
  bb_buf_init(&text, MAX_RECORD);
  if (bb_file_read(dir, "runtime.json", &text) == 0 &&
      parse(&tree, "runtime.json", text.bytes, text.len) == 0) {
    const char *path = bb_doc_get_text(tree.root, "socket");
    if (path != NULL && strlen(path) < cap) snprintf(out, cap, "%s", path);
    bb_doc_close(&tree);
  }
  bb_buf_close(&text);
}

static int join(bb_cli_client *client, char why[BB_CLI_CLIENT_WHY]) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (client->path[0] == 0 || strlen(client->path) >= sizeof(address.sun_path)) {
    return BB_ERR_NOTFOUND;
  }
  memcpy(address.sun_path, client->path, strlen(client->path) + 1);
  client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (client->fd >= 0 &&
      connect(client->fd, (const struct sockaddr *)&address, sizeof(address)) == 0) {
    return 0;
  }
  int number = errno;
  if (client->fd >= 0) close(client->fd);
  client->fd = -1;
  /* What a runtime that was killed has left behind. */
  if (number == ENOENT || number == ECONNREFUSED) return BB_ERR_NOTFOUND;
  snprintf(why, BB_CLI_CLIENT_WHY, "no connection to the runtime at %s: %s%s", client->path,
           strerror(number),
           number == EACCES || number == EPERM ? "; it runs as another user: become that one" : "");
  return number == EACCES || number == EPERM ? BB_ERR_DENIED : BB_ERR_IO;
}

static int say_hello(bb_cli_client *client, char why[BB_CLI_CLIENT_WHY]) {
  bb_doc_tree answer;
  bb_json_writer json = bb_cli_client_begin(client, "hello");
  bb_json_writer_list(&json, "protocol");
  bb_json_writer_uint(&json, NULL, 1);
  bb_json_writer_uint(&json, NULL, 1);
  bb_json_writer_end(&json);
  bb_json_writer_text(&json, "client", "busbar");
  int err = bb_cli_client_ask(client, &json, &answer, why);
  if (err == 0) bb_doc_close(&answer);
  return err;
}

int bb_cli_client_open(bb_cli_client *client, const char *data_dir, char why[BB_CLI_CLIENT_WHY]) {
  *client = (bb_cli_client){.fd = -1, .timeout_ms = BB_CLI_CLIENT_TIMEOUT_MS};
  find_socket(data_dir, client->path, sizeof(client->path));
  int err = join(client, why);
  for (unsigned i = 0; err == BB_ERR_NOTFOUND && bb_place_socket(data_dir, i, client->path); i++) {
    err = join(client, why);
  }
  if (err < 0) return err;
  bb_buf_init(&client->in, MAX_ANSWER + BB_SOCKET_HEADER + READ_BYTES);
  bb_buf_init(&client->out, MAX_REQUEST);
  err = say_hello(client, why);
  if (err < 0) bb_cli_client_close(client);
  return err;
}

void bb_cli_client_close(bb_cli_client *client) {
  if (client->fd >= 0) close(client->fd);
  client->fd = -1;
  bb_buf_close(&client->in);
  bb_buf_close(&client->out);
}

bb_json_writer bb_cli_client_begin(bb_cli_client *client, const char *op) {
  bb_json_writer json;
  bb_buf_clear(&client->out);
  bb_buf_extend(&client->out, BB_SOCKET_HEADER);
  bb_json_writer_init(&json, &client->out);
  bb_json_writer_map(&json, NULL);
  bb_json_writer_uint(&json, "id", ++client->id);
  bb_json_writer_text(&json, "op", op);
  return json;
}

/* 0 once the socket is ready for that, else negative with a sentence. */
static int wait_for(const bb_cli_client *client, short events, uint64_t end_ns, char *why) {
  bb_clock clock = bb_clock_system();
  for (;;) {
    uint64_t now = bb_clock_mono_ns(&clock);
    struct pollfd one = {.fd = client->fd, .events = events};
    int n = now < end_ns ? poll(&one, 1, (int)((end_ns - now) / BB_NS_PER_MS) + 1) : 0;
    if (n > 0) return 0;
    if (n < 0 && errno == EINTR) continue;
    char time[32];
    snprintf(why, BB_CLI_CLIENT_WHY,
             "the runtime at %s has not answered for %s; see in its log what holds it up, or ask "
             "again",
             client->path, bb_text_show_ms(time, sizeof(time), client->timeout_ms));
    return BB_ERR_TIMEOUT;
  }
}

static int tell_lost(const bb_cli_client *client, int number, char *why) {
  snprintf(why, BB_CLI_CLIENT_WHY, "the connection to the runtime at %s broke: %s; does it run?",
           client->path, number != 0 ? strerror(number) : "it was closed");
  return BB_ERR_CLOSED;
}

static int send_all(const bb_cli_client *client, uint64_t end_ns, char *why) {
  size_t at = 0;
  while (at < client->out.len) {
    int err = wait_for(client, POLLOUT, end_ns, why);
    if (err < 0) return err;
    ssize_t n =
        send(client->fd, client->out.bytes + at, client->out.len - at, MSG_NOSIGNAL | MSG_DONTWAIT);
    if (n < 0 && errno != EAGAIN && errno != EINTR) return tell_lost(client, errno, why);
    if (n > 0) at += (size_t)n;
  }
  return 0;
}

static int read_some(bb_cli_client *client, uint64_t end_ns, char *why) {
  int err = wait_for(client, POLLIN, end_ns, why);
  if (err < 0) return err;
  if (bb_buf_reserve(&client->in, READ_BYTES) < 0) {
    snprintf(why, BB_CLI_CLIENT_WHY, "the answer of the runtime at %s is too long", client->path);
    return BB_ERR_LIMIT;
  }
  ssize_t n = recv(client->fd, client->in.bytes + client->in.len, READ_BYTES, MSG_DONTWAIT);
  if (n < 0 && (errno == EAGAIN || errno == EINTR)) return 0;
  if (n <= 0) return tell_lost(client, n < 0 ? errno : 0, why);
  bb_buf_extend(&client->in, (size_t)n);
  return 0;
}

static int tell_foreign(const bb_cli_client *client, char *why) {
  snprintf(why, BB_CLI_CLIENT_WHY, "what listens at %s does not answer as a runtime of Busbar does",
           client->path);
  return BB_ERR_FORMAT;
}

/* The answer to the newest request out of what has come: 1, 0 when it is not there yet. */
static int take_answer(bb_cli_client *client, bb_doc_tree *out, char *why) {
  for (;;) {
    bb_socket_frame frame;
    int used = bb_socket_frame_peek(client->in.bytes, client->in.len, &frame);
    if (used < 0) return tell_foreign(client, why);
    if (used == 0) return 0;
    int found = 0;
    if (frame.type == BB_SOCKET_ANSWER) {
      if (parse(out, "answer", frame.body, frame.len) < 0) return tell_foreign(client, why);
      const char *id = bb_doc_get_text(out->root, "id");
      found = id != NULL && strtoul(id, NULL, 10) == client->id;
      if (!found) bb_doc_close(out);
    }
    bb_buf_drop(&client->in, (size_t)used);
    if (found) return 1;
  }
}

static int judge(bb_doc_tree *answer, char *why) {
  const char *ok = bb_doc_get_text(answer->root, "ok");
  const char *error = bb_doc_get_text(answer->root, "error");
  const bb_doc *mistakes = bb_doc_get(answer->root, "mistakes");
  if (ok != NULL && strcmp(ok, "true") == 0) return 0;
  const char *text = mistakes != NULL ? bb_doc_get_text(mistakes->first, "text") : NULL;
  snprintf(why, BB_CLI_CLIENT_WHY, "%s%s%s",
           error != NULL ? error : "the runtime refuses without a reason", text != NULL ? ": " : "",
           text != NULL ? text : "");
  bb_doc_close(answer);
  return BB_ERR_REFUSED;
}

int bb_cli_client_ask(bb_cli_client *client, bb_json_writer *json, bb_doc_tree *out,
                      char why[BB_CLI_CLIENT_WHY]) {
  bb_clock clock = bb_clock_system();
  uint64_t end_ns = bb_clock_mono_ns(&clock) + client->timeout_ms * BB_NS_PER_MS;
  bb_json_writer_end(json);
  int err = bb_json_writer_finish(json);
  if (err < 0) {
    snprintf(why, BB_CLI_CLIENT_WHY, "%s", bb_err_text(err));
    return err;
  }
  bb_socket_frame_put(client->out.bytes, BB_SOCKET_REQUEST, client->out.len - BB_SOCKET_HEADER);
  err = send_all(client, end_ns, why);
  int found = 0;
  while (err >= 0 && found == 0) {
    err = read_some(client, end_ns, why);
    if (err >= 0) err = found = take_answer(client, out, why);
  }
  return err < 0 ? err : judge(out, why);
}
