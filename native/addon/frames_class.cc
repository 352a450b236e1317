/* SPDX-License-Identifier: Apache-2.0 */
/* Frames; see classes.hpp. */
#include "addon/args.hpp"
#include "addon/classes.hpp"

namespace busbar {

namespace {

const size_t kMaxText = 16u << 20; /* of one batch as JSON or line protocol */

} // namespace

Napi::Function Frames::Define(Napi::Env env) {
  return DefineClass(env, "Frames",
                     {
                         InstanceMethod<&Frames::Read>("read"),
                         InstanceMethod<&Frames::Json>("json"),
                         InstanceMethod<&Frames::Line>("line"),
                     });
}

Frames::Frames(const Napi::CallbackInfo &info)
    : Napi::ObjectWrap<Frames>(info), reader_(bb_reader_new()) {
  if (reader_ == nullptr) ThrowCode(info.Env(), "Frames", BB_ERR_NOMEM);
}

Frames::~Frames() {
  bb_reader_free(reader_);
}

/* Once a batch, so without what Args does for its messages as long as all is well. */
Napi::Value Frames::Read(const Napi::CallbackInfo &info) {
  napi_env env = info.Env();
  napi_typedarray_type bytes_type, columns_type;
  size_t len = 0;
  void *bytes = nullptr, *doubles = nullptr;
  int64_t at = -1;
  bb_columns columns = {nullptr, 0};
  if (napi_get_typedarray_info(env, info[0], &bytes_type, &len, &bytes, nullptr, nullptr) !=
          napi_ok ||
      bytes_type != napi_uint8_array || napi_get_value_int64(env, info[1], &at) != napi_ok ||
      at < 0 ||
      napi_get_typedarray_info(env, info[2], &columns_type, &columns.n, &doubles, nullptr,
                               nullptr) != napi_ok ||
      columns_type != napi_float64_array) {
    Napi::TypeError::New(env, "read: needs a Buffer, a place in it and a Float64Array")
        .ThrowAsJavaScriptException();
    return Napi::Value();
  }
  columns.doubles = static_cast<double *>(doubles);
  int whole = bb_reader_read(reader_, static_cast<const uint8_t *>(bytes), len,
                             static_cast<size_t>(at), &columns);
  napi_value result = nullptr;
  napi_create_int32(env, whole, &result);
  return Napi::Value(env, result);
}

Napi::Value Frames::Json(const Napi::CallbackInfo &info) {
  Args args(info, "encodeJson");
  uint64_t at = args.Whole(1, "the place", UINT32_MAX);
  bool tags = args.Flag(2, "tags"), historical = args.Flag(3, "historical");
  Bytes bytes = args.Memory(0, "the batch");
  if (!args.ok()) return Napi::Value();
  Buf out(kMaxText);
  int err = bb_reader_json(reader_, bytes.data, bytes.len, at, tags, historical, &out.buf);
  if (err == 0) return out.ToText(info.Env());
  ThrowCode(info.Env(), "encodeJson", err);
  return Napi::Value();
}

Napi::Value Frames::Line(const Napi::CallbackInfo &info) {
  Args args(info, "encodeLine");
  uint64_t at = args.Whole(1, "the place", UINT32_MAX);
  Bytes bytes = args.Memory(0, "the batch");
  if (!args.ok()) return Napi::Value();
  Buf out(kMaxText);
  int err = bb_reader_line(reader_, bytes.data, bytes.len, at, &out.buf);
  if (err == 0) return out.ToText(info.Env());
  ThrowCode(info.Env(), "encodeLine", err);
  return Napi::Value();
}

} // namespace busbar
