/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Putting numbers and texts into the registers of a point as the device itself would: rounded to
 * what the register can show, counters wrapped where their register ends.
 */
#ifndef BB_SIM_REGISTER_VALUE_H
#define BB_SIM_REGISTER_VALUE_H

#include <stdint.h>

#include "model/profile.h"

/* Rounds to the nearest raw value. 0 or an error of bb_codec_encode; then `raw` is as before. */
int bb_register_put(const bb_profile_point *point, double value, int32_t power, uint8_t *raw);

/* The same for what only rises: whole steps that are completed, from 0 again past the last one. */
int bb_register_put_counter(const bb_profile_point *point, double value, int32_t power,
                            uint8_t *raw);

/* Cut to the point's length. */
int bb_register_put_text(const bb_profile_point *point, const char *text, uint8_t *raw);

/*
 * As a person writes it: a number for a number, `raw` and hex digits for the bytes as they stand on
 * the wire ("raw 7fc0 0000"), anything for a text. 0, BB_ERR_FORMAT or an error of bb_codec_encode.
 */
int bb_register_put_written(const bb_profile_point *point, const char *text, int32_t power,
                            uint8_t *raw);

/* Whether a client may write what now stands there: a value, and within the writable range. */
bool bb_register_accepts(const bb_profile_point *point, int32_t power, const uint8_t *raw);

#endif
