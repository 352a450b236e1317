/* SPDX-License-Identifier: Apache-2.0 */
/* See reason.h. */
#include "plug/reason.h"

#include <stdarg.h>
#include <stdio.h>

bb_reason *bb_reason_set(bb_reason *reason, int code, uint32_t raw, const char *format, ...) {
  va_list args;
  va_start(args, format);
  reason->code = code;
  reason->raw = raw;
  vsnprintf(reason->text, sizeof(reason->text), format, args);
  va_end(args);
  return reason;
}
