/* SPDX-License-Identifier: Apache-2.0 */
/* See value.hpp. */
#include "addon/value.hpp"

#include <cmath>
#include <cstdint>

extern "C" {
#include "addon/shortest.h"
}

namespace busbar {

namespace {

const double kTwoTo63 = 9223372036854775808.0;
const double kTwoTo64 = 2 * kTwoTo63;
const int64_t kMaxSafe = 9007199254740991;
const size_t kMaxText = 255; /* what bb_value can tell the length of */

bb_value FromNumber(double number) {
  bb_value value = {};
  bool whole = number == std::floor(number);
  value.type = BB_TYPE_F64;
  value.v.d = number;
  if (whole && number >= -kTwoTo63 && number < kTwoTo63) {
    value.type = BB_TYPE_I64;
    value.v.i = static_cast<int64_t>(number);
  } else if (whole && number >= 0 && number < kTwoTo64) {
    value.type = BB_TYPE_U64;
    value.v.u = static_cast<uint64_t>(number);
  }
  return value;
}

ValueError FromBigInt(Napi::BigInt number, bb_value *out) {
  bool lossless = false;
  out->type = BB_TYPE_I64;
  out->v.i = number.Int64Value(&lossless);
  if (lossless) return ValueError::none;
  out->type = BB_TYPE_U64;
  out->v.u = number.Uint64Value(&lossless);
  return lossless ? ValueError::none : ValueError::range;
}

ValueError FromText(Napi::Value given, bb_value *out, std::string *text) {
  size_t len = 0;
  napi_get_value_string_utf8(given.Env(), given, nullptr, 0, &len);
  if (len > kMaxText) return ValueError::range;
  *text = given.As<Napi::String>().Utf8Value();
  out->type = BB_TYPE_TEXT;
  out->v.text.bytes = text->data();
  out->v.text.len = static_cast<uint8_t>(text->size());
  return ValueError::none;
}

} // namespace

ValueError ReadValue(Napi::Value given, bb_value *out, std::string *text) {
  *out = bb_value{};
  if (given.IsNumber()) {
    *out = FromNumber(given.As<Napi::Number>().DoubleValue());
    return ValueError::none;
  }
  if (given.IsBoolean()) {
    out->type = BB_TYPE_BOOL;
    out->v.b = given.As<Napi::Boolean>().Value();
    return ValueError::none;
  }
  if (given.IsBigInt()) return FromBigInt(given.As<Napi::BigInt>(), out);
  return given.IsString() ? FromText(given, out, text) : ValueError::type;
}

Napi::Value WriteValue(Napi::Env env, bb_value value) {
  if (value.type == BB_TYPE_BOOL) return Napi::Boolean::New(env, value.v.b);
  if (value.type == BB_TYPE_TEXT) {
    return Napi::String::New(env, value.v.text.bytes, value.v.text.len);
  }
  if (value.type == BB_TYPE_F32 && std::isfinite(value.v.f)) {
    return Napi::Number::New(env, bb_shortest(value.v.f));
  }
  if (bb_type_is_float(value.type)) return Napi::Number::New(env, bb_value_double(value));
  if (bb_type_is_signed(value.type)) {
    if (value.v.i <= kMaxSafe && value.v.i >= -kMaxSafe) {
      return Napi::Number::New(env, static_cast<double>(value.v.i));
    }
    return Napi::String::New(env, std::to_string(value.v.i));
  }
  if (value.v.u <= static_cast<uint64_t>(kMaxSafe)) {
    return Napi::Number::New(env, static_cast<double>(value.v.u));
  }
  return Napi::String::New(env, std::to_string(value.v.u));
}

} // namespace busbar
