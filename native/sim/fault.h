/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a simulated device does wrong, on command. Pure: a fault is read from text, faults form a
 * list, and the list says of each request how its answer is to be spoilt; the server does it.
 *
 * A fault is written as `KIND [ARGUMENTS] [unit U] [port P] [times N]`: without unit and port it
 * concerns all devices, without times it lasts until it is cleared. A fault of the same kind and
 * target replaces the former one, except that exceptions for different ranges stand side by side.
 */
#ifndef BB_SIM_FAULT_H
#define BB_SIM_FAULT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/profile.h"

#define BB_FAULT_MAX 64          /* faults at the same time */
#define BB_FAULT_MAX_MS 3600000  /* longest delay */
#define BB_FAULT_MAX_BYTES 65536 /* of garbage */

/* name, word, arguments with the blank before them, what it does */
#define BB_FAULT_MAP(XX)                                                                           \
  XX(DELAY, "delay", " TIME[-TIME]", "answers come that much later, in order")                     \
  XX(LATE, "late", " TIME[-TIME]", "answers come that much later and are overtaken by others")     \
  XX(SILENCE, "silence", "", "no answer")                                                          \
  XX(EXCEPTION, "exception", " CODE [TABLE] [FIRST[-LAST]]",                                       \
     "requests that touch the range are answered with that exception")                             \
  XX(TRANSACTION, "wrong-transaction", "", "answers bear another transaction id")                  \
  XX(FOREIGN_UNIT, "foreign-unit", "", "answers bear another unit id")                             \
  XX(FUNCTION, "wrong-function", "", "answers bear another function code")                         \
  XX(CLOSE, "close", "", "all connections are closed, once and at once")                           \
  XX(CLOSE_ON_REQUEST, "close-on-request", "", "a request is answered by closing the connection")  \
  XX(DROP, "drop", "", "a new connection is accepted and closed")                                  \
  XX(CUT, "cut", " [BYTES]", "only that many bytes of an answer are sent; default: half")          \
  XX(SHORT, "short", "", "answers have fewer bytes than they say, in a whole frame")               \
  XX(SPLIT, "split", " [BYTES]", "answers come in pieces of that size, 1 ms apart; default: 1")    \
  XX(MERGE, "merge", " [TIME]", "answers wait that long and leave together; default: 50ms")        \
  XX(GARBAGE, "garbage", " [BYTES]", "random bytes in place of an answer; default: 64")            \
  XX(OVERSIZE, "oversize", "", "the length in the frame's head is larger than allowed")

typedef enum bb_fault_kind {
#define XX(name, word, arguments, text) BB_FAULT_##name,
  BB_FAULT_MAP(XX)
#undef XX
      BB_FAULT_COUNT
} bb_fault_kind;

#define BB_FAULT_ANY (-1)

/* Whom a command concerns; BB_FAULT_ANY: all. */
typedef struct bb_fault_target {
  int32_t unit;
  int32_t port;
} bb_fault_target;

typedef struct bb_fault {
  bb_fault_kind kind;
  bb_fault_target target;
  uint32_t times;     /* requests left; 0: until cleared */
  uint32_t low, high; /* milliseconds, or bytes */
  uint8_t code;       /* exception */
  int32_t space;      /* bb_space, or BB_FAULT_ANY */
  uint32_t first, last;
} bb_fault;

typedef struct bb_fault_list {
  /* read-only */
  bb_fault faults[BB_FAULT_MAX];
  uint32_t n;
  /* private */
  uint64_t random;
} bb_fault_list;

/* What a request is about. */
typedef struct bb_fault_request {
  int32_t unit, port;
  int32_t space; /* bb_space; BB_FAULT_ANY: none */
  uint32_t first, n;
} bb_fault_request;

/* How its answer is spoilt; all zero: not at all. */
typedef struct bb_fault_plan {
  uint32_t delay_ms;
  bool overtaken; /* later answers need not wait for this one */
  bool silent;
  bool close; /* instead of an answer */
  uint8_t exception;
  bool wrong_transaction, foreign_unit, wrong_function, short_frame, oversize, merge;
  bool cut;
  uint32_t cut_bytes;   /* 0: half */
  uint32_t piece_bytes; /* 0: in one piece */
  uint32_t garbage_bytes;
} bb_fault_plan;

void bb_fault_list_init(bb_fault_list *list, uint64_t seed);

/* Reads a fault without the word `fault`. 0, or BB_ERR_FORMAT with a sentence in `why`. */
int bb_fault_parse(bb_fault *out, const char *text, char *why, size_t cap);

/* Reads `[unit U] [port P]` and nothing else. Results as above. */
int bb_fault_parse_target(bb_fault_target *out, const char *text, char *why, size_t cap);

/* 0 or BB_ERR_LIMIT. */
int bb_fault_list_add(bb_fault_list *list, const bb_fault *fault);

/* Removes the faults that concern this target and no other; those of all targets if it is all. */
void bb_fault_list_clear(bb_fault_list *list, bb_fault_target target);

/* Fills `plan`; counts down the faults that apply. */
void bb_fault_list_plan(bb_fault_list *list, const bb_fault_request *request, bb_fault_plan *plan);

/* Whether a connection to that port is to be closed on arrival; counts down. */
bool bb_fault_list_drops(bb_fault_list *list, int32_t port);

/* A number from `low` to `high`, both included. */
uint32_t bb_fault_random(bb_fault_list *list, uint32_t low, uint32_t high);

#endif
