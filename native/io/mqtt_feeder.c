/* SPDX-License-Identifier: Apache-2.0 */
/* See mqtt_feeder.h. The state is the process's because the library's is. */
#include "io/mqtt_feeder.h"

#include <sched.h>
#include <stdbool.h>
#include <uv.h>

static uv_once_t once = UV_ONCE_INIT;
static uv_mutex_t lock;
static uv_cond_t wake;
static bb_list jobs;
static uv_thread_t thread;
static int start_error;

/*
 * As a batch thread, which does not push a running one aside when it wakes. The library's threads
 * are started from this one and inherit it. Else its sending thread, woken by the first message of
 * a burst, takes the processor from the feeder after each message: two switches a message, measured
 * at a third more CPU. The loop is not pushed aside by publishing either.
 */
static void be_patient(void) {
  struct sched_param none = {0};
  sched_setscheduler(0, SCHED_BATCH, &none);
}

static void feed(void *unused) {
  (void)unused;
  be_patient();
  for (;;) {
    uv_mutex_lock(&lock);
    while (bb_list_empty(&jobs)) uv_cond_wait(&wake, &lock);
    bb_list *node = bb_list_first(&jobs);
    bb_list_remove(node);
    uv_mutex_unlock(&lock);
    bb_mqtt_job *job = BB_LIST_ITEM(node, bb_mqtt_job, node);
    job->run(job);
  }
}

static void start(void) {
  bb_list_init(&jobs);
  start_error = uv_mutex_init(&lock);
  if (start_error == 0) start_error = uv_cond_init(&wake);
  if (start_error == 0) start_error = uv_thread_create(&thread, feed, NULL);
}

int bb_mqtt_feeder_start(void) {
  uv_once(&once, start);
  return start_error;
}

void bb_mqtt_feeder_push(bb_mqtt_job *job) {
  uv_mutex_lock(&lock);
  bool idle = bb_list_empty(&jobs);
  bb_list_append(&jobs, &job->node);
  uv_mutex_unlock(&lock);
  if (idle) uv_cond_signal(&wake);
}
