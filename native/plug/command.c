/* SPDX-License-Identifier: Apache-2.0 */
/* See command.h. */
#include "plug/command.h"

const char *bb_outcome_name(bb_outcome outcome) {
  static const char *const names[] = {"confirmed", "refused", "expired", "unknown"};
  return names[outcome];
}
