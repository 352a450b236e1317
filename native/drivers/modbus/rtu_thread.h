/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The thread of one serial line, and the way there and back. One task is with the thread at a time,
 * as one request is on a serial line: `post` hands it over, `on_result` on the loop brings what
 * became of it. Stopping ends a task that waits, so a slow device does not hold up the runtime.
 */
#ifndef BB_DRIVERS_MODBUS_RTU_THREAD_H
#define BB_DRIVERS_MODBUS_RTU_THREAD_H

#include <pthread.h>
#include <uv.h>

#include "drivers/modbus/rtu_port.h"

typedef enum bb_modbus_task_kind {
  BB_MODBUS_TASK_OPEN,
  BB_MODBUS_TASK_ASK,
  BB_MODBUS_TASK_CLOSE,
} bb_modbus_task_kind;

typedef struct bb_modbus_task {
  bb_modbus_task_kind kind;
  uint8_t request[1 + BB_MODBUS_PDU_MAX]; /* unit and PDU */
  uint16_t len;
  uint16_t expected; /* bytes of the answer's PDU */
} bb_modbus_task;

typedef struct bb_modbus_result {
  bb_modbus_task_kind kind;
  int status;         /* of bb_modbus_port_open or bb_modbus_port_ask */
  uint32_t discarded; /* frames, during this task */
  uint8_t answer[BB_MODBUS_RTU_MAX];
  char words[BB_MAX_REASON]; /* why the port does not open */
} bb_modbus_result;

typedef struct bb_modbus_thread bb_modbus_thread;

struct bb_modbus_thread {
  /* public: set before start; called on the loop */
  void (*on_result)(bb_modbus_thread *thread, const bb_modbus_result *result);
  void (*on_stopped)(bb_modbus_thread *thread);
  void *user;
  /* private */
  uv_async_t async;
  pthread_t thread;
  pthread_mutex_t mutex;
  bb_modbus_port port; /* the thread's */
  int wake_fd;
  /* under the mutex: */
  bool stopping, ended, has_loop;
  bool has_task, has_result;
  bb_modbus_task task;
  bb_modbus_result result;
};

/* `options` is used until on_stopped. 0, BB_ERR_NOMEM or a code of libuv. */
int bb_modbus_thread_start(bb_modbus_thread *thread, uv_loop_t *loop,
                           const bb_modbus_rtu_options *options);

/* on_result follows, exactly once unless the thread is stopped before. */
void bb_modbus_thread_post(bb_modbus_thread *thread, const bb_modbus_task *task);

/* Closes the port and ends the thread; on_stopped follows, and no on_result. */
void bb_modbus_thread_stop(bb_modbus_thread *thread);

#endif
