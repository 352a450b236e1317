/* SPDX-License-Identifier: Apache-2.0 */
/* Any bytes as what a client of the health server sends: one request after the other. */
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "runtime/health_request.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(int truth) {
  if (!truth) abort();
}

/* However the bytes come in, a request is not whole before its last byte. */
static void check_cuts(const uint8_t *data, size_t used) {
  bb_health_request request;
  size_t step = used / 64 + 1;
  for (size_t cut = 0; cut < used; cut += step) {
    check(bb_health_request_parse(&request, data, cut) == 0);
  }
  check(bb_health_request_parse(&request, data, used - 1) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  for (;;) {
    bb_health_request request;
    int used = bb_health_request_parse(&request, data, size);
    check(used >= 0 || used == BB_ERR_FORMAT || used == BB_ERR_LIMIT || used == BB_ERR_VERSION ||
          used == BB_ERR_UNSUPPORTED);
    check(used <= BB_HEALTH_REQUEST_BYTES);
    if (used <= 0) return 0;
    check((size_t)used <= size);
    check(memchr(request.path, 0, sizeof(request.path)) != NULL);
    check_cuts(data, (size_t)used);
    data += used;
    size -= (size_t)used;
  }
}
