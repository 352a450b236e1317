/* SPDX-License-Identifier: Apache-2.0 */
/* Lines; see classes.hpp. */
#include <vector>

#include "addon/args.hpp"
#include "addon/classes.hpp"

namespace busbar {

namespace {

const size_t kMaxDocument = 4u << 20;
const size_t kKept = 1u << 20; /* bytes that are not given back between calls */

} // namespace

Napi::Function Lines::Define(Napi::Env env) {
  return DefineClass(env, "Lines",
                     {
                         InstanceMethod<&Lines::Plan>("plan"),
                         InstanceMethod<&Lines::Series>("series"),
                         InstanceMethod<&Lines::Encode>("encode"),
                     });
}

Lines::Lines(const Napi::CallbackInfo &info)
    : Napi::ObjectWrap<Lines>(info), lines_(bb_lines_new()) {
  bb_buf_init(&out_, BB_LINES_MAX_BYTES);
  if (lines_ == nullptr) ThrowCode(info.Env(), "Lines", BB_ERR_NOMEM);
}

Lines::~Lines() {
  bb_lines_free(lines_);
  bb_buf_close(&out_);
}

Napi::Value Lines::Plan(const Napi::CallbackInfo &info) {
  Args args(info, "encodeLine");
  std::string text = args.Text(0, "the fields", kMaxDocument);
  if (!args.ok()) return Napi::Value();
  Report report;
  int place = bb_lines_plan(lines_, text.data(), text.size(), &report.report);
  if (place >= 0) return Napi::Number::New(info.Env(), place);
  ThrowMistakes(info.Env(), "encodeLine", &report.report, place);
  return Napi::Value();
}

Napi::Value Lines::Series(const Napi::CallbackInfo &info) {
  Args args(info, "encodeLine");
  std::string text = args.Text(0, "the tags", kMaxDocument);
  if (!args.ok()) return Napi::Value();
  Report report;
  int place = bb_lines_series(lines_, text.data(), text.size(), &report.report);
  if (place >= 0) return Napi::Number::New(info.Env(), place);
  ThrowMistakes(info.Env(), "encodeLine", &report.report, place);
  return Napi::Value();
}

/* The texts, whose bytes `kept` holds. False: something was thrown. */
static bool ReadTexts(Args *args, Napi::Array list, std::vector<std::string> *kept,
                      std::vector<bb_lines_text> *texts) {
  kept->reserve(list.Length());
  for (uint32_t i = 0; i < list.Length() && args->ok(); i++) {
    Napi::HandleScope scope(list.Env());
    Napi::Value text = list.Get(i);
    size_t len = 0;
    if (text.IsEmpty()) return false;
    if (!text.IsString()) {
      args->Refuse("a text", "is none");
      return false;
    }
    napi_get_value_string_utf8(list.Env(), text, nullptr, 0, &len);
    if (len > BB_LINES_MAX_TEXT) {
      args->Refuse("a text",
                   "is too long; allowed: " + std::to_string(BB_LINES_MAX_TEXT) + " bytes", true);
      return false;
    }
    kept->push_back(text.As<Napi::String>().Utf8Value());
    texts->push_back({kept->back().data(), kept->back().size()});
  }
  return args->ok();
}

Napi::Value Lines::Encode(const Napi::CallbackInfo &info) {
  Args args(info, "encodeLine");
  uint32_t plan = static_cast<uint32_t>(args.Whole(0, "the plan", UINT32_MAX));
  uint32_t series = static_cast<uint32_t>(args.Whole(1, "the series", UINT32_MAX));
  Napi::Array list = args.List(3, "the texts", BB_MAX_POINTS);
  int64_t time_ns = args.Time(4);
  if (!args.ok()) return Napi::Value();
  std::vector<std::string> kept;
  std::vector<bb_lines_text> texts;
  if (!ReadTexts(&args, list, &kept, &texts)) return Napi::Value();
  bb_columns values = args.Columns(2, "the values");
  if (args.ok() && values.n < bb_lines_fields(lines_, plan)) {
    args.Refuse("the values", "are fewer than the fields", true);
  }
  if (!args.ok()) return Napi::Value();
  bb_lines_record record = {reinterpret_cast<const uint8_t *>(values.doubles), texts.data(),
                            texts.size(), time_ns};
  bb_buf_clear(&out_);
  int n = bb_lines_encode(lines_, plan, series, &record, &out_);
  if (n < 0) {
    ThrowCode(info.Env(), "encodeLine", n);
    return Napi::Value();
  }
  Napi::Value text =
      Napi::String::New(info.Env(), reinterpret_cast<const char *>(out_.bytes), out_.len);
  if (out_.cap > kKept) bb_buf_close(&out_);
  return text;
}

} // namespace busbar
