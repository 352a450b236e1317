/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one thread that calls the MQTT library, and the queue in front of it. Started by the first
 * client and never stopped: it sleeps while there is nothing to do, and stopping the library's
 * threads behind it takes the library seconds.
 *
 * The queue's nodes lie inside the jobs, so it allocates nothing and is as long as there are jobs.
 */
#ifndef BB_IO_MQTT_FEEDER_H
#define BB_IO_MQTT_FEEDER_H

#include "base/list.h"

typedef struct bb_mqtt_job bb_mqtt_job;

struct bb_mqtt_job {
  /* public: called on the feeder's thread; the job may be pushed again from then on */
  void (*run)(bb_mqtt_job *job);
  /* private */
  bb_list node;
};

/* 0, or why the thread could not be started. */
int bb_mqtt_feeder_start(void);

/* Jobs run one by one in this order. A job must not be pushed again before it runs. */
void bb_mqtt_feeder_push(bb_mqtt_job *job);

#endif
