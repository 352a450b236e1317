/* SPDX-License-Identifier: Apache-2.0 */
/* See quality.h. */
#include "model/quality.h"

const char *bb_quality_name(uint8_t quality) {
  static const char *const names[] = {"good", "uncertain", "bad", "stale"};
  return quality == BB_QUALITY_ABSENT ? "absent" : names[quality >> 6];
}

const char *bb_quality_cause(uint8_t quality) {
  switch (quality & BB_CAUSE_MASK) {
#define XX(name, number, word, text)                                                               \
  case number:                                                                                     \
    return word;
    BB_CAUSE_MAP(XX)
#undef XX
  default:
    return "unknown";
  }
}

const char *bb_quality_text(uint8_t quality) {
  switch (quality & BB_CAUSE_MASK) {
#define XX(name, number, word, text)                                                               \
  case number:                                                                                     \
    return text;
    BB_CAUSE_MAP(XX)
#undef XX
  default:
    return "unknown cause";
  }
}
