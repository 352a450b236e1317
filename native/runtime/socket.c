/* SPDX-License-Identifier: Apache-2.0 */
/* Listening, and the end of a loop's round, when what came up in it is sent; see socket.h. */
#include "runtime/socket.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/err.h"
#include "io/error.h"
#include "runtime/client.h"

#define BACKLOG 32

/* Before the loop waits, whatever its timers and sockets brought. */
static void on_prepare(uv_prepare_t *prepare) {
  bb_socket *socket = prepare->data;
  bb_request_check_reads(socket);
  while (!bb_list_empty(&socket->dirty)) {
    bb_list *first = bb_list_first(&socket->dirty);
    bb_list_remove(first);
    bb_client_flush(BB_LIST_ITEM(first, bb_client, dirty));
  }
}

static void on_connection(uv_stream_t *listener, int status) {
  bb_socket *socket = listener->data;
  bb_log *log = socket->runtime->log;
  if (status < 0) {
    bb_log_warn(log, "socket", "a client could not be accepted: %s", bb_error_text(status));
    return;
  }
  bb_client *client = bb_client_new(socket);
  if (client == NULL) {
    bb_log_warn(log, "socket", "a client could not be accepted: out of memory");
    return;
  }
  if (socket->n_clients > BB_MAX_CLIENTS) bb_client_close(client, "there are too many clients");
}

/* Made by hand so that the file never has another mode than its own: a socket's inode gives its mode
 * to the file. */
static int listen_at(const char *path, unsigned mode) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  if (strlen(path) >= sizeof(address.sun_path)) return UV_ENAMETOOLONG;
  memcpy(address.sun_path, path, strlen(path) + 1);
  int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  if (fd < 0) return -errno;
  if (unlink(path) < 0 && errno != ENOENT) goto failed;
  if (fchmod(fd, mode) < 0) goto failed;
  if (bind(fd, (const struct sockaddr *)&address, sizeof(address)) < 0) goto failed;
  if (chmod(path, mode) < 0 || listen(fd, BACKLOG) < 0) goto failed;
  return fd;
failed:;
  int err = -errno;
  close(fd);
  return err;
}

int bb_socket_init(bb_socket *socket) {
  uv_loop_t *loop = socket->runtime->loop;
  int fd = listen_at(socket->path, socket->mode != 0 ? socket->mode : 0600);
  if (fd < 0) return fd;
  bb_list_init(&socket->clients);
  bb_list_init(&socket->dirty);
  bb_list_init(&socket->gathering);
  bb_list_init(&socket->reads);
  bb_buf_init(&socket->scratch, BB_CLIENT_ANSWER_BYTES);
  uv_pipe_init(loop, &socket->listener, 0);
  uv_prepare_init(loop, &socket->prepare);
  uv_timer_init(loop, &socket->beat);
  socket->listener.data = socket->prepare.data = socket->beat.data = socket;
  /* It listens already, so neither can fail. */
  int err = uv_pipe_open(&socket->listener, fd);
  if (err == 0) err = uv_listen((uv_stream_t *)&socket->listener, BACKLOG, on_connection);
  assert(err == 0);
  (void)err;
  uv_prepare_start(&socket->prepare, on_prepare);
  uv_unref((uv_handle_t *)&socket->prepare);
  socket->handles = 3;
  bb_client_watch_init(socket);
  return 0;
}

static bool has_greeted(const bb_socket *socket) {
  for (bb_list *node = socket->clients.next; node != &socket->clients; node = node->next) {
    if (BB_LIST_ITEM(node, bb_client, link)->greeted) return true;
  }
  return false;
}

void bb_socket_client_came(bb_client *client) {
  bb_socket *socket = client->socket;
  if (socket->on_attended != NULL) socket->on_attended(socket, true);
}

void bb_socket_client_left(bb_client *client) {
  bb_socket *socket = client->socket;
  bool was_owner = socket->owner == client;
  if (was_owner) socket->owner = NULL;
  if (socket->closing || socket->on_attended == NULL || !client->greeted) return;
  if (was_owner || (socket->owner == NULL && !has_greeted(socket))) {
    socket->on_attended(socket, false);
  }
}

void bb_socket_let_go(bb_socket *socket) {
  if (--socket->handles > 0) return;
  bb_buf_close(&socket->scratch);
  socket->on_closed(socket);
}

static void on_handle_closed(uv_handle_t *handle) {
  bb_socket_let_go(handle->data);
}

void bb_socket_close(bb_socket *socket, void (*on_closed)(bb_socket *socket)) {
  socket->closing = true;
  socket->on_closed = on_closed;
  bb_runtime_unwatch(&socket->watch);
  while (!bb_list_empty(&socket->clients)) {
    bb_client *client = BB_LIST_ITEM(bb_list_first(&socket->clients), bb_client, link);
    bb_client_flush(client);
    bb_client_close(client, NULL);
  }
  unlink(socket->path);
  uv_close((uv_handle_t *)&socket->listener, on_handle_closed);
  uv_close((uv_handle_t *)&socket->prepare, on_handle_closed);
  uv_close((uv_handle_t *)&socket->beat, on_handle_closed);
}
