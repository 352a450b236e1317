/* SPDX-License-Identifier: Apache-2.0 */
/* What /healthz and /readyz say. */
#ifndef BB_RUNTIME_HEALTH_PAGE_H
#define BB_RUNTIME_HEALTH_PAGE_H

#include <stdbool.h>

#include "base/buf.h"
#include "runtime/runtime.h"

#define BB_HEALTH_PAGE_SENTENCES 100 /* the rest is counted */

/*
 * True if the runtime is ready: every device was asked once, every sink is ready. Appends "ready" or
 * "not ready", then a line for each device that was not asked or does not answer, and for each sink
 * that is not ready, with why. A device that is lost does not make the runtime unready, and neither
 * do a store that fails and dead letters, which have a line of their own each.
 */
bool bb_health_page_ready(const bb_runtime *runtime, bb_buf *out);

/* Appends "ok", and the lines for a store that fails and for dead letters. */
void bb_health_page_alive(const bb_runtime *runtime, bb_buf *out);

#endif
