/* SPDX-License-Identifier: Apache-2.0 */
/* See rtu_thread.h. */
#include "drivers/modbus/rtu_thread.h"

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/err.h"

static void wake(const bb_modbus_thread *thread) {
  uint64_t one = 1;
  ssize_t n = write(thread->wake_fd, &one, sizeof(one));
  (void)n; /* it can only fail when it is readable already */
}

static void clear_wake(const bb_modbus_thread *thread) {
  uint64_t count;
  ssize_t n = read(thread->wake_fd, &count, sizeof(count));
  (void)n;
}

/* Waits for a task. False: the thread is to end. */
static bool take_task(bb_modbus_thread *thread, bb_modbus_task *task) {
  for (;;) {
    struct pollfd fd = {.fd = thread->wake_fd, .events = POLLIN};
    poll(&fd, 1, -1);
    pthread_mutex_lock(&thread->mutex);
    clear_wake(thread);
    bool stops = thread->stopping, has_task = thread->has_task;
    if (has_task) *task = thread->task;
    thread->has_task = false;
    pthread_mutex_unlock(&thread->mutex);
    if (stops) return false;
    if (has_task) return true;
  }
}

static void perform(bb_modbus_thread *thread, const bb_modbus_task *task,
                    bb_modbus_result *result) {
  uint32_t before = thread->port.discarded;
  result->kind = task->kind;
  result->words[0] = 0;
  switch (task->kind) {
  case BB_MODBUS_TASK_OPEN:
    result->status = bb_modbus_port_open(&thread->port, result->words);
    break;
  case BB_MODBUS_TASK_ASK:
    result->status =
        bb_modbus_port_ask(&thread->port, task->request, task->len, task->expected, result->answer);
    break;
  case BB_MODBUS_TASK_CLOSE:
    bb_modbus_port_close(&thread->port);
    result->status = 0;
  }
  result->discarded = thread->port.discarded - before;
}

static void *run(void *user) {
  bb_modbus_thread *thread = user;
  bb_modbus_task task;
  bb_modbus_result result;
  while (take_task(thread, &task)) {
    perform(thread, &task, &result);
    pthread_mutex_lock(&thread->mutex);
    thread->result = result;
    thread->has_result = true;
    pthread_mutex_unlock(&thread->mutex);
    uv_async_send(&thread->async);
  }
  bb_modbus_port_close(&thread->port);
  pthread_mutex_lock(&thread->mutex);
  thread->ended = true;
  bool has_loop = thread->has_loop;
  pthread_mutex_unlock(&thread->mutex);
  if (has_loop) uv_async_send(&thread->async);
  return NULL;
}

static void on_async_closed(uv_handle_t *handle) {
  bb_modbus_thread *thread = handle->data;
  thread->on_stopped(thread);
}

static void join(bb_modbus_thread *thread) {
  pthread_join(thread->thread, NULL);
  pthread_mutex_destroy(&thread->mutex);
  close(thread->wake_fd);
}

static void on_async(uv_async_t *async) {
  bb_modbus_thread *thread = async->data;
  bb_modbus_result result;
  pthread_mutex_lock(&thread->mutex);
  bool has_result = thread->has_result && !thread->stopping, ended = thread->ended;
  if (has_result) result = thread->result;
  thread->has_result = false;
  pthread_mutex_unlock(&thread->mutex);
  if (has_result) thread->on_result(thread, &result);
  if (!ended) return;
  join(thread);
  uv_close((uv_handle_t *)async, on_async_closed);
}

/* Signals are the loop's. */
static int start_thread(bb_modbus_thread *thread) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int err = pthread_create(&thread->thread, NULL, run, thread);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return -err;
}

int bb_modbus_thread_start(bb_modbus_thread *thread, uv_loop_t *loop,
                           const bb_modbus_rtu_options *options) {
  thread->wake_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
  if (thread->wake_fd < 0) return -errno;
  thread->port = (bb_modbus_port){.options = options, .wake_fd = thread->wake_fd};
  thread->stopping = thread->ended = thread->has_task = thread->has_result = false;
  thread->has_loop = false;
  pthread_mutex_init(&thread->mutex, NULL);
  int err = start_thread(thread);
  if (err < 0) {
    pthread_mutex_destroy(&thread->mutex);
    close(thread->wake_fd);
    return err;
  }
  /* Last, because a handle that has been made cannot be taken back at once, a thread can. */
  err = uv_async_init(loop, &thread->async, on_async);
  if (err < 0) {
    bb_modbus_thread_stop(thread);
    join(thread);
    return err;
  }
  thread->async.data = thread;
  pthread_mutex_lock(&thread->mutex);
  thread->has_loop = true;
  pthread_mutex_unlock(&thread->mutex);
  return 0;
}

void bb_modbus_thread_post(bb_modbus_thread *thread, const bb_modbus_task *task) {
  pthread_mutex_lock(&thread->mutex);
  assert(!thread->has_task);
  thread->task = *task;
  thread->has_task = true;
  wake(thread);
  pthread_mutex_unlock(&thread->mutex);
}

void bb_modbus_thread_stop(bb_modbus_thread *thread) {
  pthread_mutex_lock(&thread->mutex);
  thread->stopping = true;
  wake(thread);
  pthread_mutex_unlock(&thread->mutex);
}
