/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Rails: what may be written to a point, decided from its profile alone. Pure, so that a preview in
 * an editor is the code that will judge the write.
 *
 * A value passes if the point is writable, the value fits its type (a text is no number, a fraction
 * no whole number, NaN and the infinities are nothing at all), lies between min and max, on a step,
 * and, with an enum, is one of its values; and if the device can hold it. Whatever is refused is
 * refused with a sentence that says what was given and what is allowed:
 *
 *   power/limit: 120 is above 100; allowed: 0 to 100 % in steps of 1
 */
#ifndef BB_CONTROL_RAILS_H
#define BB_CONTROL_RAILS_H

#include <stdbool.h>
#include <stddef.h>

#include "model/profile.h"

/* Room for any sentence of these functions; a smaller one cuts it. */
#define BB_RAILS_TEXT 160

/* The narrowest of the profile's min and max, its valid range, and what the device's register can
 * hold (where no scale factor is read at run time). */
typedef struct bb_rail {
  bool has_min, has_max;
  double min, max; /* in the point's unit; both included */
  double step;     /* values lie on the profile's min (else 0) + n × step; 0: any */
} bb_rail;

void bb_rails_limits(const bb_profile_point *point, bb_rail *out);

/* What a person or another program may have meant by a text: the label of an enum's value, true or
 * false for a bool. Anything else comes back as it is. */
bb_value bb_rails_read(const bb_profile_point *point, bb_value given);

/*
 * Judges a value of any type, after bb_rails_read. 0 with *out of the point's type; a text in it is
 * still the caller's. Negative with the sentence in `why`: BB_ERR_DENIED (not writable), BB_ERR_TYPE,
 * BB_ERR_RANGE, BB_ERR_INVALID (the device would read it as "not available").
 */
int bb_rails_check(const bb_profile_point *point, bb_value given, bb_value *out, char *why,
                   size_t cap);

/* "0 to 100 % in steps of 1", "0 off, 1 on", "true or false", "a text of up to 16 bytes". Returns
 * `out`. */
const char *bb_rails_allowed(const bb_profile_point *point, char *out, size_t cap);

#endif
