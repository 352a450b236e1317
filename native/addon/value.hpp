/* SPDX-License-Identifier: Apache-2.0 */
/* Single values between JavaScript and the model. */
#ifndef BB_ADDON_VALUE_HPP
#define BB_ADDON_VALUE_HPP

#include <string>

#include <napi.h>

#include "addon/core.hpp"

namespace busbar {

/* Why a value of JavaScript is none of the model. */
enum class ValueError { none, type, range };

/*
 * A number, a bigint, a boolean or a text of at most 255 bytes, whose bytes `text` keeps. A whole
 * number is an integer, as in a request to the runtime, because 5 and 5.0 are one in JavaScript.
 */
ValueError ReadValue(Napi::Value given, bb_value *out, std::string *text);

/* 64-bit integers past 2^53 - 1 are decimal texts, and float32 its shortest decimal. */
Napi::Value WriteValue(Napi::Env env, bb_value value);

} // namespace busbar

#endif
