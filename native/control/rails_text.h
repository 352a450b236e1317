/* SPDX-License-Identifier: Apache-2.0 */
/* How the rails, and whoever tells of a write, show numbers and values to a person. */
#ifndef BB_CONTROL_RAILS_TEXT_H
#define BB_CONTROL_RAILS_TEXT_H

#include <stddef.h>

#include "model/value.h"

#define BB_RAILS_NUMBER 40
#define BB_RAILS_VALUE 48

/* The fewest digits that read back as the same number of that type (float32 or float64). Both return
 * `out`. */
const char *bb_rails_number(double number, bb_type type, char out[BB_RAILS_NUMBER]);

/* A text in quotes, cut when it is long. */
const char *bb_rails_value(bb_value value, char out[BB_RAILS_VALUE]);

#endif
