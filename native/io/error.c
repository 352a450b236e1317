/* SPDX-License-Identifier: Apache-2.0 */
/* See error.h. */
#include "io/error.h"

#include <stddef.h>
#include <uv.h>

#include "base/err.h"

const char *bb_error_name(int code) {
  const char *name = bb_err_name(code);
  return name != NULL ? name : uv_err_name(code);
}

const char *bb_error_text(int code) {
  const char *text = bb_err_text(code);
  return text != NULL ? text : uv_strerror(code);
}
