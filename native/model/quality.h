/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The quality of a sample in one byte: two bits of class, six bits of cause. What a device refused,
 * or did not answer, becomes a quality; it never becomes a zero.
 *
 * BB_QUALITY_ABSENT is no quality: the point has no sample in this batch (a route that reports
 * changes leaves out what did not change).
 */
#ifndef BB_MODEL_QUALITY_H
#define BB_MODEL_QUALITY_H

#include <stdbool.h>
#include <stdint.h>

#define BB_QUALITY_CLASS 0xC0
#define BB_QUALITY_GOOD 0x00
#define BB_QUALITY_UNCERTAIN 0x40 /* the value is there, with a doubt */
#define BB_QUALITY_BAD 0x80       /* no value */
#define BB_QUALITY_STALE 0xC0     /* the last value from before the device was lost */
#define BB_QUALITY_ABSENT 0xFF

#define BB_CAUSE_MASK 0x3F

/* name, number, word for machines, phrase for people */
#define BB_CAUSE_MAP(XX)                                                                           \
  XX(NONE, 0, "none", "")                                                                          \
  XX(NOT_READ, 1, "not-read", "not read yet")                                                      \
  XX(NOT_CONNECTED, 2, "not-connected", "not connected")                                           \
  XX(NO_ANSWER, 3, "no-answer", "no answer")                                                       \
  XX(REFUSED, 4, "refused", "refused by the device")                                               \
  XX(GATEWAY, 5, "gateway", "the gateway cannot reach the device")                                 \
  XX(BUSY, 6, "busy", "the device is busy")                                                        \
  XX(DEVICE_FAULT, 7, "device-fault", "the device reports a fault of its own")                     \
  XX(FORMAT, 8, "format", "the answer makes no sense")                                             \
  XX(NOT_AVAILABLE, 9, "not-available", "the device marks the value as not available")             \
  XX(NOT_A_NUMBER, 10, "not-a-number", "not a number")                                             \
  XX(OUT_OF_RANGE, 11, "out-of-range", "outside the point's valid range")                          \
  XX(NO_SCALE, 12, "no-scale", "its scale factor is not available")                                \
  XX(SOURCE, 13, "source", "marked so by its source")

enum bb_cause {
#define XX(name, number, word, text) BB_CAUSE_##name = (number),
  BB_CAUSE_MAP(XX)
#undef XX
};

static inline uint8_t bb_quality_class(uint8_t quality) {
  return quality & BB_QUALITY_CLASS;
}

static inline bool bb_quality_has_value(uint8_t quality) {
  return quality != BB_QUALITY_ABSENT && bb_quality_class(quality) != BB_QUALITY_BAD;
}

/* "good", "uncertain", "bad", "stale", "absent". */
const char *bb_quality_name(uint8_t quality);

/* "no-answer", "none", ... */
const char *bb_quality_cause(uint8_t quality);

/* "no answer", "" for none. */
const char *bb_quality_text(uint8_t quality);

#endif
