/* SPDX-License-Identifier: Apache-2.0 */
/* See args.hpp. */
#include "addon/args.hpp"

#include <cmath>

namespace busbar {

namespace {

const double kMaxSafe = 9007199254740991.0;
const double kMaxMs = 9.2e12; /* the year 2261: nanoseconds still fit 63 bits */
const uint32_t kMistakesShown = 20;

Napi::Error MakeError(Napi::Env env, const std::string &message, bool range) {
  if (range) return Napi::RangeError::New(env, message);
  return Napi::TypeError::New(env, message);
}

} // namespace

Args::Args(const Napi::CallbackInfo &info, const char *function)
    : info_(info), function_(function) {}

void Args::Refuse(const char *name, const std::string &what, bool range) {
  if (!ok_) return;
  ok_ = false;
  if (info_.Env().IsExceptionPending()) return;
  MakeError(info_.Env(), std::string(function_) + ": " + name + " " + what, range)
      .ThrowAsJavaScriptException();
}

double Args::Number(size_t i, const char *name, double min, double max) {
  if (!ok_) return min;
  Napi::Value value = info_[i];
  if (!value.IsNumber()) {
    Refuse(name, "must be a number");
    return min;
  }
  double number = value.As<Napi::Number>().DoubleValue();
  if (number >= min && number <= max) return number;
  Refuse(name, "is out of range", true);
  return min;
}

uint64_t Args::Whole(size_t i, const char *name, uint64_t max) {
  double most = max < static_cast<uint64_t>(kMaxSafe) ? static_cast<double>(max) : kMaxSafe;
  double number = Number(i, name, 0, most);
  if (ok_ && number != std::floor(number)) Refuse(name, "must be a whole number", true);
  return ok_ ? static_cast<uint64_t>(number) : 0;
}

int64_t Args::Time(size_t i) {
  double ms = std::floor(Number(i, "the time", -kMaxMs, kMaxMs));
  uint64_t ns = Whole(i + 1, "the nanoseconds", 999999);
  return ok_ ? static_cast<int64_t>(ms) * 1000000 + static_cast<int64_t>(ns) : 0;
}

bool Args::Flag(size_t i, const char *name) {
  if (!ok_) return false;
  if (info_[i].IsBoolean()) return info_[i].As<Napi::Boolean>().Value();
  Refuse(name, "must be true or false");
  return false;
}

std::string Args::Text(size_t i, const char *name, size_t max) {
  std::string text;
  if (!ok_) return text;
  if (!info_[i].IsString()) {
    Refuse(name, "must be a text");
    return text;
  }
  size_t len = 0;
  napi_get_value_string_utf8(info_.Env(), info_[i], nullptr, 0, &len);
  if (len > max) {
    Refuse(name, "is too long; allowed: " + std::to_string(max) + " bytes", true);
    return text;
  }
  text = info_[i].As<Napi::String>().Utf8Value();
  if (text.find('\0') == std::string::npos) return text;
  Refuse(name, "must be a text without NUL");
  return std::string();
}

Napi::Array Args::List(size_t i, const char *name, uint32_t max) {
  if (!ok_) return Napi::Array();
  if (!info_[i].IsArray()) {
    Refuse(name, "must be a list");
    return Napi::Array();
  }
  Napi::Array list = info_[i].As<Napi::Array>();
  if (list.Length() <= max) return list;
  Refuse(name, "is too long; allowed: " + std::to_string(max) + " items", true);
  return Napi::Array();
}

Bytes Args::Memory(size_t i, const char *name) {
  Bytes bytes;
  napi_typedarray_type type = napi_int8_array;
  napi_value memory = nullptr;
  void *data = nullptr;
  bool plain = false;
  if (!ok_) return bytes;
  if (!info_[i].IsTypedArray() ||
      napi_get_typedarray_info(info_.Env(), info_[i], &type, &bytes.len, &data, &memory, nullptr) !=
          napi_ok ||
      type != napi_uint8_array) {
    Refuse(name, "must be a Buffer or Uint8Array");
    return Bytes();
  }
  if (napi_is_arraybuffer(info_.Env(), memory, &plain) != napi_ok || !plain) {
    Refuse(name, "must not share its memory with another thread");
    return Bytes();
  }
  bytes.data = static_cast<const uint8_t *>(data);
  return bytes;
}

bb_columns Args::Columns(size_t i, const char *name) {
  bb_columns columns = {nullptr, 0};
  napi_typedarray_type type = napi_int8_array;
  void *data = nullptr;
  if (!ok_) return columns;
  if (!info_[i].IsTypedArray() ||
      napi_get_typedarray_info(info_.Env(), info_[i], &type, &columns.n, &data, nullptr, nullptr) !=
          napi_ok ||
      type != napi_float64_array) {
    Refuse(name, "must be a Float64Array");
    return bb_columns{nullptr, 0};
  }
  columns.doubles = static_cast<double *>(data);
  return columns;
}

void ThrowCode(Napi::Env env, const char *function, int code) {
  if (env.IsExceptionPending()) return;
  const char *text = bb_err_text(code);
  std::string message = std::string(function) + ": " + (text != nullptr ? text : "failed");
  MakeError(env, message, code != BB_ERR_TYPE).ThrowAsJavaScriptException();
}

namespace {

std::string Describe(const bb_mistake *mistake) {
  std::string line = mistake->line > 1 ? "line " + std::to_string(mistake->line) + ": " : "";
  std::string path = mistake->path[0] != 0 ? std::string(mistake->path) + ": " : "";
  return line + path + mistake->text;
}

Napi::Object ToObject(Napi::Env env, const bb_mistake *mistake) {
  Napi::Object object = Napi::Object::New(env);
  object.Set("line", Napi::Number::New(env, mistake->line));
  object.Set("path", Napi::String::New(env, mistake->path));
  object.Set("text", Napi::String::New(env, mistake->text));
  return object;
}

} // namespace

void ThrowMistakes(Napi::Env env, const char *function, const bb_report *report, int code) {
  if (report->n == 0 || code == BB_ERR_NOMEM) {
    ThrowCode(env, function, code);
    return;
  }
  std::string message = std::string(function) + ": ";
  Napi::Array mistakes = Napi::Array::New(env);
  for (uint32_t i = 0; i < report->n; i++) {
    if (i < kMistakesShown) message += (i > 0 ? "\n" : "") + Describe(&report->mistakes[i]);
    mistakes.Set(i, ToObject(env, &report->mistakes[i]));
  }
  uint32_t more = report->more + (report->n > kMistakesShown ? report->n - kMistakesShown : 0);
  if (more > 0) message += "\nand " + std::to_string(more) + " more";
  if (env.IsExceptionPending()) return;
  Napi::Error error = Napi::TypeError::New(env, message);
  error.Value().Set("mistakes", mistakes);
  error.ThrowAsJavaScriptException();
}

} // namespace busbar
