/* SPDX-License-Identifier: Apache-2.0 */
/* Shape and packDevice; see classes.hpp. */
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <vector>

#include "addon/args.hpp"
#include "addon/classes.hpp"
#include "addon/value.hpp"

namespace busbar {

namespace {

/* 64-bit integers are decimal texts where a number would change their last digits. False: it is
 * none. */
bool ReadDecimal(const std::string &text, bb_value *out) {
  char *end = nullptr;
  size_t sign = text[0] == '-' ? 1 : 0;
  if (text.size() <= sign || text.find_first_not_of("0123456789", sign) != std::string::npos) {
    return false;
  }
  errno = 0;
  out->type = sign > 0 ? BB_TYPE_I64 : BB_TYPE_U64;
  if (sign > 0) {
    out->v.i = std::strtoll(text.c_str(), &end, 10);
  } else {
    out->v.u = std::strtoull(text.c_str(), &end, 10);
  }
  return errno == 0;
}

/* What is wrong with a value for that point; "" for nothing. */
std::string PackValue(const bb_shape *shape, uint16_t i, Napi::Value given, uint8_t *values) {
  std::string text;
  bb_value value;
  const bb_point *point = &shape->points[i];
  std::string kind = bb_type_name(point->type);
  ValueError error = ReadValue(given, &value, &text);
  if (error == ValueError::type) return "must be a number, a bigint, a boolean or a text";
  if (error == ValueError::range) return "is more than " + kind + " can hold";
  if (value.type == BB_TYPE_TEXT && (point->type == BB_TYPE_I64 || point->type == BB_TYPE_U64) &&
      !ReadDecimal(text, &value)) {
    return "is not a whole number";
  }
  int err = bb_pack_value(shape, i, value, values);
  if (err == BB_ERR_TYPE) return point->type == BB_TYPE_TEXT ? "is not a text" : "is not a number";
  if (err == 0) return "";
  return point->type == BB_TYPE_TEXT ? "is too long" : "is not what " + kind + " can hold";
}

} // namespace

Napi::Function Shape::Define(Napi::Env env) {
  return DefineClass(env, "Shape",
                     {
                         InstanceMethod<&Shape::Hash>("hash"),
                         InstanceMethod<&Shape::Frame>("frame"),
                         InstanceMethod<&Shape::Batch>("batch"),
                     });
}

Shape::Shape(const Napi::CallbackInfo &info) : Napi::ObjectWrap<Shape>(info) {
  Args args(info, "packShape");
  std::string text = args.Text(0, "the shape", BB_MAX_FRAME_BYTES);
  if (!args.ok()) return;
  Report report;
  int err = bb_pack_read_shape(&shape_, text.data(), text.size(), &report.report);
  if (err < 0) ThrowMistakes(info.Env(), "packShape", &report.report, err);
}

Shape::~Shape() {
  bb_shape_unref(shape_);
}

Napi::Value Shape::Hash(const Napi::CallbackInfo &info) {
  char text[17];
  if (shape_ == nullptr) return info.Env().Undefined();
  std::snprintf(text, sizeof(text), "%016llx", static_cast<unsigned long long>(shape_->hash));
  return Napi::String::New(info.Env(), text);
}

Napi::Value Shape::Frame(const Napi::CallbackInfo &info) {
  Buf out(BB_MAX_FRAME_BYTES);
  int err = shape_ != nullptr ? bb_pack_shape(&out.buf, shape_) : BB_ERR_STATE;
  if (err == 0) return out.ToBuffer(info.Env());
  ThrowCode(info.Env(), "packShape", err);
  return Napi::Value();
}

Napi::Value Shape::Batch(const Napi::CallbackInfo &info) {
  Args args(info, "packBatch");
  if (shape_ == nullptr) args.Refuse("the shape", "is none");
  bb_pack_head head = {};
  head.device = static_cast<uint32_t>(args.Whole(0, "the device", UINT32_MAX));
  head.time_ns = args.Time(1);
  head.seq = args.Whole(3, "seq", UINT64_MAX);
  head.flags = static_cast<uint8_t>(args.Whole(4, "flags", 3));
  Napi::Array given = args.List(5, "the values", BB_MAX_POINTS);
  if (!args.ok()) return Napi::Value();
  uint16_t n = shape_->n_points;
  if (given.Length() != n) args.Refuse("the values", "must be one for each point");
  std::vector<uint8_t> values(shape_->value_bytes + size_t{1});
  for (uint16_t i = 0; i < n && args.ok(); i++) {
    Napi::HandleScope scope(info.Env());
    Napi::Value value = given.Get(i);
    if (value.IsEmpty()) return Napi::Value(); /* it has thrown */
    if (value.IsUndefined()) continue;
    std::string wrong = PackValue(shape_, i, value, values.data());
    if (!wrong.empty()) args.Refuse(shape_->points[i].name, wrong, true);
  }
  Bytes quality = args.Memory(6, "the qualities");
  if (args.ok() && quality.len != n) args.Refuse("the qualities", "must be one for each point");
  if (!args.ok()) return Napi::Value();
  Buf out(BB_MAX_FRAME_BYTES);
  static const uint8_t none[1] = {0};
  int err = bb_pack_batch(&out.buf, &head, shape_, n > 0 ? quality.data : none, values.data());
  if (err == 0) return out.ToBuffer(info.Env());
  ThrowCode(info.Env(), "packBatch", err);
  return Napi::Value();
}

Napi::Value PackDevice(const Napi::CallbackInfo &info) {
  Args args(info, "packDevice");
  std::string text = args.Text(0, "the device", BB_MAX_FRAME_BYTES);
  if (!args.ok()) return Napi::Value();
  Report report;
  Buf out(BB_MAX_FRAME_BYTES);
  int err = bb_pack_device(&out.buf, text.data(), text.size(), &report.report);
  if (err == 0) return out.ToBuffer(info.Env());
  ThrowMistakes(info.Env(), "packDevice", &report.report, err);
  return Napi::Value();
}

} // namespace busbar
