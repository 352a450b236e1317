/* SPDX-License-Identifier: Apache-2.0 */
/* The headers in C that the glue uses. All that knows frames, profiles and encoders is C; the glue
 * checks arguments, calls it, and turns results into values of JavaScript. */
#ifndef BB_ADDON_CORE_HPP
#define BB_ADDON_CORE_HPP

extern "C" {
#include "addon/columns.h"
#include "addon/lines.h"
#include "addon/pack.h"
#include "addon/reader.h"
#include "addon/reading.h"
#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "base/report.h"
#include "model/quality.h"
#include "model/value.h"
}

#endif
