/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The requests of one connection: whose turn it is, what is under way, what is late, who is dead.
 * TCP and RTU share it; below it lies a transport that only sends and hears.
 *
 * Work comes as jobs. A job (a poll, a write) gives one request after the other and hears what
 * became of each. Writes go first, in the order they came, one at a time. Reads take turns: unit
 * after unit, and within a unit poll after poll, so that a long scan holds up nobody. Up to `limit`
 * requests are under way at once, each in a slot.
 *
 * Every entry from outside (a call of the runtime, an answer, a timer) is framed by enter and leave.
 * Requests are sent, and devices that left are let go, only by the outermost leave: what a callback
 * of the host calls finds the line in order, whatever it calls.
 */
#ifndef BB_DRIVERS_MODBUS_LINE_H
#define BB_DRIVERS_MODBUS_LINE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"
#include "drivers/modbus/breaker.h"
#include "drivers/modbus/options.h"
#include "plug/driver.h"
#include "wire/modbus/request.h"
#include "wire/modbus/response.h"

#define BB_MODBUS_MAX_WRITES 64 /* commands that wait on one line */
#define BB_MODBUS_MAX_SILENCE                                                                      \
  3 /* time-outs without a byte in between, until the line starts anew */

typedef struct bb_modbus_line bb_modbus_line;
typedef struct bb_modbus_unit bb_modbus_unit;
typedef struct bb_modbus_job bb_modbus_job;
typedef struct bb_modbus_slot bb_modbus_slot;

/* What a kind of job does. `tag` is the job's own and comes back with the end of the request. */
typedef struct bb_modbus_job_type {
  /* Gives the next request; sets job->more. False: a write has ended instead. */
  bool (*next)(bb_modbus_job *job, bb_modbus_request *request, uint16_t *tag);
  /* The device answered; `exception` is 0 or its refusal. The bytes are valid during the call. */
  void (*answered)(bb_modbus_job *job, uint16_t tag, uint8_t exception,
                   const bb_modbus_response *response);
  /* No answer: BB_ERR_TIMEOUT, BB_ERR_CLOSED (the line broke), BB_ERR_FORMAT (makes no sense). */
  void (*failed)(bb_modbus_job *job, uint16_t tag, int status);
  /* It will not be asked for further requests: the unit is dead or the line down. */
  void (*dropped)(bb_modbus_job *job, int status);
} bb_modbus_job_type;

struct bb_modbus_job {
  /* public: set by its owner */
  const bb_modbus_job_type *type;
  bb_modbus_unit *unit;
  bool more;   /* it has further requests, to be sent without waiting for answers */
  bool fresh;  /* its next request is its first */
  bool urgent; /* somebody waits for what comes of it */
  /* private */
  bool probe; /* of a dead unit: one request at a time */
  bool is_write;
  bool under_way; /* of a write: its request is */
  bb_list node;
};

/* One unit id of the line, shared by the devices that have it. A guest (bb_attachment.apart) has a unit
 * of its own beside that: its failures are no failures of the devices, and it counts neither among the
 * units of the line nor among the dead ones. Pauses are kept by both, as the device is one. */
struct bb_modbus_unit {
  /* read-only */
  uint8_t id;
  uint8_t cause;   /* of quality, while it does not answer: BB_CAUSE_… */
  bool lost;       /* it does not answer, and its devices have been told */
  bool untold;     /* a device has come that was told nothing yet */
  bool apart;      /* of a guest */
  bb_list devices; /* bb_modbus_device.node */
  bb_modbus_breaker breaker;
  /* private */
  bb_modbus_budget budget; /* of a guest; the others share the line's */
  bb_modbus_line *line;
  bb_list node;          /* in line->units */
  bb_list ready;         /* in line->ready while jobs wait */
  bb_list waiting;       /* bb_modbus_job.node */
  uint64_t silent_ns;    /* since when no answer came */
  uint64_t rest_ns;      /* no request before: a late answer may still come */
  uint64_t next_poll_ns; /* no poll before */
  uint32_t min_interval_ms;
  uint32_t n_devices;
  uint32_t n_slots;
};

/* A request under way. */
struct bb_modbus_slot {
  /* read-only */
  bb_modbus_unit *unit; /* NULL: free */
  bb_modbus_request request;
  uint16_t id; /* transaction id */
  /* private */
  uint16_t tag;
  bb_modbus_job *job; /* NULL: whoever asked has left */
  uint64_t sent_ns;
  uint64_t due_ns;
};

typedef struct bb_modbus_transport {
  bool has_ids;    /* answers name the request they belong to */
  bool keeps_time; /* it tells of time-outs itself */
  /* Sends the slot's request. Negative: it could not; the line is reset. */
  int (*send)(bb_modbus_line *line, const bb_modbus_slot *slot);
  /* Wants bb_modbus_line_tick at that time; `exact`: within a millisecond, else a little later will
   * do. Called again and again; the earliest counts. */
  void (*wake)(bb_modbus_line *line, uint64_t at_ns, bool exact);
  /* Jobs wait although the line is neither ready nor down. */
  void (*want)(bb_modbus_line *line);
  /* Jobs wait and the line is ready; nothing of them has been sent yet. NULL: of no interest. */
  void (*look)(bb_modbus_line *line);
  /* Nothing waits and nothing is under way. NULL: of no interest. */
  void (*idle)(bb_modbus_line *line);
  /* Step is lost (BB_ERR_TIMEOUT: too many requests without a byte): start anew. */
  void (*reset)(bb_modbus_line *line, int status);
} bb_modbus_transport;

/* What the line tells its owner about devices. */
typedef struct bb_modbus_line_events {
  void (*on_unit)(bb_modbus_unit *unit, bool up, const bb_reason *reason);
  void (*on_back)(bb_modbus_unit *unit); /* the connection is new: what was learnt may be wrong */
  void (*on_leave)(bb_list *node);       /* see bb_modbus_line_let_go */
} bb_modbus_line_events;

struct bb_modbus_line {
  bb_conn base; /* first */
  /* read-only */
  const bb_modbus_line_options *options;
  const bb_modbus_transport *transport;
  const bb_modbus_line_events *events;
  const char *place; /* "10.0.0.21:502", for sentences */
  bool ready;        /* requests can be sent */
  bool down;         /* they cannot, and polls end at once */
  bool answered;     /* since it became ready */
  uint64_t now_ns;   /* of the outermost entry */
  uint16_t n_busy;   /* slots */
  /* private */
  uint16_t limit;   /* requests under way at once */
  uint16_t n_slots; /* allocated; the limit may have become smaller */
  uint16_t option_limit;
  uint16_t last_id;
  uint16_t depth;
  uint16_t silence; /* time-outs in a row without a byte */
  uint16_t n_writes;
  bool garbled;             /* what has come makes no sense; see bb_modbus_line_garbled */
  bool told;                /* the host knows whether the connection is up */
  bool fruitless;           /* the last connection gave no answer */
  int broken;               /* 0, or why the line has to start anew */
  uint64_t rest_ns;         /* no request before */
  uint32_t n_units, n_open; /* guests left out */
  uint32_t n_apart;
  bb_modbus_budget budget;
  bb_modbus_slot *slots;
  bb_list units;
  bb_list ready_units;
  bb_list writes;
  bb_list leaving;
};

/* `max_in_flight`: 0 leaves it to the devices. Allocates the first slots: 0 or BB_ERR_NOMEM. The
 * rest of the line is all zero but for `base`. */
int bb_modbus_line_init(bb_modbus_line *line, const bb_modbus_line_options *options,
                        uint32_t max_in_flight, const bb_modbus_transport *transport,
                        const bb_modbus_line_events *events);

/* After the last unit is given back. Calls nobody. */
void bb_modbus_line_close(bb_modbus_line *line);

void bb_modbus_line_enter(bb_modbus_line *line);
void bb_modbus_line_leave(bb_modbus_line *line);

/* The unit of that id for one more device, whose profile allows so many requests at once and asks
 * for that pause between polls. 0 or BB_ERR_NOMEM. */
int bb_modbus_unit_take(bb_modbus_line *line, uint8_t id, uint32_t max_in_flight,
                        uint32_t min_interval_ms, bb_modbus_unit **out);
void bb_modbus_unit_give(bb_modbus_unit *unit);

/* A unit for a guest, given back like any other. How much may be under way stays as it is. */
int bb_modbus_unit_take_apart(bb_modbus_line *line, uint8_t id, uint32_t min_interval_ms,
                              bb_modbus_unit **out);

/* Asks for a job's turn. 0, or the status with which a read ends at once: BB_ERR_CLOSED, the line is
 * down; BB_ERR_TIMEOUT, the unit is dead. A job may be queued again while requests of it are under
 * way. */
int bb_modbus_line_read(bb_modbus_job *job);

/* 0, BB_ERR_CLOSED (the line is down) or BB_ERR_AGAIN (too many). */
int bb_modbus_line_write(bb_modbus_job *job);

/* A write job goes on with its next request, or is over. */
void bb_modbus_line_write_on(bb_modbus_job *job);
void bb_modbus_line_write_end(bb_modbus_job *job);

/* For the transport's send: nobody waits for the answer to this request, and nothing waits behind it. */
bool bb_modbus_line_is_calm(const bb_modbus_line *line, const bb_modbus_slot *slot);

/* True while the job waits for a turn. */
static inline bool bb_modbus_line_waits(const bb_modbus_job *job) {
  return !bb_list_empty(&job->node);
}

/* A read waits no longer; what is under way goes on. */
void bb_modbus_line_stop(bb_modbus_job *job);

/* No request to the unit for that long. */
void bb_modbus_unit_rest(bb_modbus_unit *unit, uint32_t ms);

/* Forgets a job wherever it is; nobody hears of its requests any more. */
void bb_modbus_line_forget(bb_modbus_job *job);

/* on_leave is called with `node` by the outermost leave. */
void bb_modbus_line_let_go(bb_modbus_line *line, bb_list *node);

/* From the transport, inside enter and leave. */

/* Some bytes came. */
static inline void bb_modbus_line_heard(bb_modbus_line *line) {
  line->silence = 0;
}

/* What came is no answer to anything, and is counted. A request whose time is over then has not met
 * silence, but a malformed answer. Forgotten with the next request. */
static inline void bb_modbus_line_garbled(bb_modbus_line *line) {
  line->base.counters.malformed++;
  line->garbled = true;
}

/* The slot under way with that id; NULL: the answer is late or foreign. */
bb_modbus_slot *bb_modbus_line_find(bb_modbus_line *line, uint16_t id);

/* A PDU for the slot, which is free afterwards: 0. BB_ERR_FORMAT: it is no answer to its request, and
 * nothing has been done. */
int bb_modbus_line_pdu(bb_modbus_line *line, bb_modbus_slot *slot, const uint8_t *pdu, size_t len);

/* None: BB_ERR_TIMEOUT, or BB_ERR_FORMAT (it makes no sense). Either counts against the unit. */
void bb_modbus_line_no_answer(bb_modbus_line *line, bb_modbus_slot *slot, int status);

/* When the first of the requests under way is over; UINT64_MAX: none is. */
uint64_t bb_modbus_line_due_ns(const bb_modbus_line *line);

/* Time has passed: time-outs, pauses. True if a request has ended by it. */
bool bb_modbus_line_tick(bb_modbus_line *line);

/* Requests can be sent, not before `pause_ms` have passed. */
void bb_modbus_line_up(bb_modbus_line *line, uint32_t pause_ms);

/* They cannot for the moment: what is under way ends with that status, what waits goes on waiting.
 * BB_ERR_FORMAT counts against the units that were asked. */
void bb_modbus_line_pause(bb_modbus_line *line, int status);

/* They cannot, and all that waits or is under way ends. `reason` is told to the devices; with the code
 * BB_ERR_FORMAT it counts against the units that were asked. */
void bb_modbus_line_down(bb_modbus_line *line, const bb_reason *reason);

#endif
