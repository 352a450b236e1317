/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The addon busbar.node: the codecs of the runtime inside Node.js. It opens nothing, starts no thread
 * and keeps nothing outside the objects it makes, so that any number of threads and contexts can
 * load it.
 */
#include <cstdint>
#include <string>

#include "addon/args.hpp"
#include "addon/classes.hpp"

namespace busbar {

namespace {

/* Where things lie in the columns; see columns.h. */
Napi::Object DescribeColumns(Napi::Env env) {
  Napi::Object columns = Napi::Object::New(env);
#define XX(name, place, word) columns.Set(#word, Napi::Number::New(env, place));
  BB_COLUMN_MAP(XX)
#undef XX
  columns.Set("qualities", Napi::Number::New(env, BB_COLUMNS_QUALITY));
  columns.Set("numbers", Napi::Number::New(env, BB_COLUMNS_NUMBERS));
  columns.Set("maxPoints", Napi::Number::New(env, BB_MAX_POINTS));
  return columns;
}

/* By type number: "bool", "int8" ... */
Napi::Array ListTypes(Napi::Env env) {
  Napi::Array types = Napi::Array::New(env);
  for (uint32_t i = 0; i < BB_TYPE_COUNT; i++) {
    types.Set(i, Napi::String::New(env, bb_type_name(static_cast<bb_type>(i))));
  }
  return types;
}

/* By quality byte: "good", "bad, no answer" ..., as they stand in JSON of a sink. */
Napi::Array ListQualities(Napi::Env env) {
  Napi::Array texts = Napi::Array::New(env);
  for (uint32_t i = 0; i < 256; i++) {
    uint8_t quality = static_cast<uint8_t>(i);
    std::string text = bb_quality_name(quality);
    const char *cause = bb_quality_text(quality);
    if (quality != BB_QUALITY_ABSENT && cause[0] != 0) text += std::string(", ") + cause;
    texts.Set(i, Napi::String::New(env, text));
  }
  return texts;
}

/* By code: "FORMAT" ... */
Napi::Object ListErrors(Napi::Env env) {
  Napi::Object errors = Napi::Object::New(env);
#define XX(name, number, text)                                                                     \
  errors.Set(std::to_string(BB_ERR_##name), Napi::String::New(env, #name));
  BB_ERR_MAP(XX)
#undef XX
  return errors;
}

Napi::Object Init(Napi::Env env, Napi::Object exports) {
  exports.Set("version", Napi::String::New(env, BB_VERSION));
  exports.Set("columns", DescribeColumns(env));
  exports.Set("types", ListTypes(env));
  exports.Set("qualities", ListQualities(env));
  exports.Set("errors", ListErrors(env));
  exports.Set("Frames", Frames::Define(env));
  exports.Set("Shape", Shape::Define(env));
  exports.Set("Profile", Profile::Define(env));
  exports.Set("Lines", Lines::Define(env));
  exports.Set("packDevice", Napi::Function::New<PackDevice>(env, "packDevice"));
  return exports;
}

} // namespace

} // namespace busbar

static Napi::Object InitBusbar(Napi::Env env, Napi::Object exports) {
  return busbar::Init(env, exports);
}

NODE_API_MODULE(busbar, InitBusbar)
