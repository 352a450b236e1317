/* SPDX-License-Identifier: Apache-2.0 */
/* See err.h. */
#include "base/err.h"

#include <stddef.h>

const char *bb_err_name(int code) {
  switch (code) {
#define XX(name, number, text)                                                                     \
  case BB_ERR_##name:                                                                              \
    return #name;
    BB_ERR_MAP(XX)
#undef XX
  default:
    return NULL;
  }
}

const char *bb_err_text(int code) {
  switch (code) {
#define XX(name, number, text)                                                                     \
  case BB_ERR_##name:                                                                              \
    return text;
    BB_ERR_MAP(XX)
#undef XX
  default:
    return NULL;
  }
}
