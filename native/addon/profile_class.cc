/* SPDX-License-Identifier: Apache-2.0 */
/* Profile; see classes.hpp. */
#include "addon/args.hpp"
#include "addon/classes.hpp"
#include "addon/value.hpp"

namespace busbar {

namespace {

const size_t kMaxProfile = 4u << 20;
const size_t kMaxDescription = 64u << 20;
const uint32_t kMaxCount = 65536; /* registers or bits of a table */
const uint64_t kTables = 3;       /* the last bb_space that is one of Modbus */
const size_t kReason = 256;

} // namespace

Napi::Function Profile::Define(Napi::Env env) {
  return DefineClass(env, "Profile",
                     {
                         InstanceMethod<&Profile::Describe>("describe"),
                         InstanceMethod<&Profile::SlotBytes>("bytes"),
                         InstanceMethod<&Profile::Decode>("decode"),
                         InstanceMethod<&Profile::Repeat>("repeat"),
                         InstanceMethod<&Profile::Check>("check"),
                     });
}

Profile::Profile(const Napi::CallbackInfo &info) : Napi::ObjectWrap<Profile>(info) {
  Args args(info, "profile");
  std::string text = args.Text(0, "the profile", kMaxProfile);
  std::string name = args.Text(1, "its name", BB_MAX_PATH);
  if (!args.ok()) return;
  Report report;
  int err = bb_reading_open(&reading_, name.c_str(), text.data(), text.size(), &report.report);
  if (err < 0) ThrowMistakes(info.Env(), name.c_str(), &report.report, err);
}

Profile::~Profile() {
  bb_reading_close(reading_);
}

Napi::Value Profile::Describe(const Napi::CallbackInfo &info) {
  Buf out(kMaxDescription);
  int err = reading_ != nullptr ? bb_reading_describe(reading_, &out.buf) : BB_ERR_STATE;
  if (err == 0) return out.ToText(info.Env());
  ThrowCode(info.Env(), "profile", err);
  return Napi::Value();
}

Napi::Value Profile::SlotBytes(const Napi::CallbackInfo &info) {
  size_t bytes = reading_ != nullptr ? bb_reading_bytes(reading_) : 0;
  return Napi::Number::New(info.Env(), static_cast<double>(bytes));
}

Napi::Value Profile::Decode(const Napi::CallbackInfo &info) {
  Args args(info, "decodeProfile");
  bb_registers registers = {};
  registers.space = static_cast<int>(args.Whole(1, "the table", kTables));
  registers.address = static_cast<uint32_t>(args.Whole(2, "the address", kMaxCount - 1));
  registers.n = static_cast<uint32_t>(args.Whole(3, "the count", kMaxCount));
  Bytes bytes = args.Memory(0, "the registers");
  bb_columns columns = args.Columns(4, "the columns");
  if (reading_ == nullptr) args.Refuse("the profile", "is none");
  size_t need = registers.space <= 1 ? (registers.n + 7) / 8 : size_t{2} * registers.n;
  if (args.ok() && bytes.len < need) args.Refuse("the registers", "are fewer than said", true);
  if (!args.ok()) return Napi::Value();
  registers.bytes = bytes.data;
  int err = bb_reading_decode(reading_, &registers, &columns);
  if (err < 0) ThrowCode(info.Env(), "decodeProfile", err);
  return info.Env().Undefined();
}

Napi::Value Profile::Repeat(const Napi::CallbackInfo &info) {
  Args args(info, "decodeRegisters");
  uint64_t at = args.Whole(1, "the place", UINT32_MAX);
  uint64_t most = args.Whole(2, "the count", BB_MAX_POINTS);
  Bytes bytes = args.Memory(0, "the registers");
  bb_columns columns = args.Columns(3, "the columns");
  if (reading_ == nullptr) args.Refuse("the profile", "is none");
  if (!args.ok()) return Napi::Value();
  int n = bb_reading_repeat(reading_, bytes.data, bytes.len, at, most, &columns);
  if (n >= 0) return Napi::Number::New(info.Env(), n);
  ThrowCode(info.Env(), "decodeRegisters", n);
  return Napi::Value();
}

Napi::Value Profile::Check(const Napi::CallbackInfo &info) {
  Args args(info, "rails");
  std::string text;
  bb_value given, value;
  char why[kReason] = "";
  uint16_t n = reading_ != nullptr ? bb_reading_points(reading_) : 0;
  uint64_t point = args.Whole(0, "the point", UINT16_MAX);
  if (args.ok() && point >= n) args.Refuse("the point", "is none of the profile", true);
  if (!args.ok()) return Napi::Value();
  ValueError error = ReadValue(info[1], &given, &text);
  if (error != ValueError::none) {
    bool range = error == ValueError::range;
    args.Refuse("the value",
                range ? "is too large" : "must be a number, a bigint, a boolean or a text", range);
    return Napi::Value();
  }
  int err =
      bb_reading_check(reading_, static_cast<uint16_t>(point), given, &value, why, sizeof(why));
  Napi::Object result = Napi::Object::New(info.Env());
  result.Set("ok", Napi::Boolean::New(info.Env(), err == 0));
  if (err == 0) {
    result.Set("value", WriteValue(info.Env(), value));
  } else {
    result.Set("code", Napi::String::New(info.Env(), bb_err_name(err)));
    result.Set("reason", Napi::String::New(info.Env(), why));
  }
  return result;
}

} // namespace busbar
