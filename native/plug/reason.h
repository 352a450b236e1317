/* SPDX-License-Identifier: Apache-2.0 */
/* Why something is not as wanted: a code for programs, the device's own code, a sentence for people. */
#ifndef BB_PLUG_REASON_H
#define BB_PLUG_REASON_H

#include <stdint.h>

#include "base/limits.h"

typedef struct bb_reason {
  int code;                 /* BB_ERR_… or a code of libuv; 0: none */
  uint32_t raw;             /* exception, HTTP status, CONNACK code; 0: none */
  char text[BB_MAX_REASON]; /* what happened, where, what is next: "no answer from 10.0.0.21:502
                               for 3 s (unit 1); next try in 4 s" */
} bb_reason;

/* Fills a reason; the sentence is cut to its room. Returns it. */
bb_reason *bb_reason_set(bb_reason *reason, int code, uint32_t raw, const char *format, ...)
    __attribute__((format(printf, 4, 5)));

#endif
