/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One scan of a device and its polls: the blocks of its plan as requests, the answers decoded into a
 * draft as they come. The draft is taken when the first answer is there, so that its time is that of
 * the values, and a poll that waits for its turn holds none.
 *
 * What the device did not give is bad, with the cause:
 *   no answer         no-answer, or gateway where a gateway says so (exceptions 10 and 11)
 *   exception 4, 8    device-fault
 *   exception 5, 6    busy; the next poll asks again
 *   other exceptions  refused; 1 to 3 also change the plan
 *   not an answer     format
 *   connection down   not-connected
 * The exception stands in the draft's codes. After a request without an answer the rest of the poll
 * is given up. The poll's status is 0 if the device answered at all.
 */
#ifndef BB_DRIVERS_MODBUS_READ_H
#define BB_DRIVERS_MODBUS_READ_H

#include "drivers/modbus/line.h"
#include "drivers/modbus/plan.h"

struct bb_modbus_device;

typedef struct bb_modbus_read {
  /* private */
  bb_modbus_job job; /* first */
  struct bb_modbus_device *device;
  bb_modbus_plan plan;
  bb_draft *draft;  /* NULL: not taken yet, or none was free */
  uint32_t scan;    /* place in the attachment's scans */
  uint16_t next;    /* the block to be read next */
  uint16_t waiting; /* blocks under way */
  uint16_t n_asked; /* blocks of this poll, and those of them that were refused as unknown: */
  uint16_t n_unknown;
  int status;    /* why the rest is given up */
  bool busy;     /* a poll is under way */
  bool taken;    /* the host was asked for a draft */
  bool answered; /* something came */
  bool polled;   /* some poll has ended; of the newest one: */
  bool unknown;  /* each block was refused, function or address not known (exceptions 1, 2) */
} bb_modbus_read;

/* 0 or BB_ERR_NOMEM. The device has its unit and its limits. */
int bb_modbus_read_init(bb_modbus_read *read, struct bb_modbus_device *device, uint32_t scan);

/* Harmless on an all-zero read. */
void bb_modbus_read_close(bb_modbus_read *read);

/* Starts a poll: on_poll_done follows, perhaps before this returns. Inside enter and leave. */
void bb_modbus_read_start(bb_modbus_read *read);

/* Ends the poll, if one is under way, with that status. */
void bb_modbus_read_end(bb_modbus_read *read, int status);

#endif
