/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The arguments of one call. What is not as a function needs it throws a TypeError or RangeError that
 * names function and argument; the first one stays, and after it every getter gives zero, so that
 * one check of `ok` before the work is enough.
 *
 * Memory of JavaScript is looked up last: a getter or proxy among the other arguments could have
 * given it away.
 */
#ifndef BB_ADDON_ARGS_HPP
#define BB_ADDON_ARGS_HPP

#include <cstddef>
#include <cstdint>
#include <string>

#include <napi.h>

#include "addon/core.hpp"

namespace busbar {

struct Bytes {
  const uint8_t *data = nullptr;
  size_t len = 0;
};

class Args {
public:
  Args(const Napi::CallbackInfo &info, const char *function);

  bool ok() const {
    return ok_;
  }

  /* A whole number of 0 to `max`, at most 2^53 - 1. */
  uint64_t Whole(size_t i, const char *name, uint64_t max);

  /* A finite number between the two. */
  double Number(size_t i, const char *name, double min, double max);

  /* Milliseconds since 1970 and the rest in ns, in two arguments, as nanoseconds. */
  int64_t Time(size_t i);

  bool Flag(size_t i, const char *name);

  /* UTF-8 without NUL, of at most `max` bytes. */
  std::string Text(size_t i, const char *name, size_t max);

  /* An array of at most `max` items. */
  Napi::Array List(size_t i, const char *name, uint32_t max);

  /* A Uint8Array, so also a Buffer, whose memory no other thread can change. */
  Bytes Memory(size_t i, const char *name);

  /* A Float64Array. */
  bb_columns Columns(size_t i, const char *name);

  /* Throws, unless something has been thrown. Text: "must be a text". */
  void Refuse(const char *name, const std::string &what, bool range = false);

private:
  const Napi::CallbackInfo &info_;
  const char *function_;
  bool ok_ = true;
};

/* Throws what an error code means; NOMEM, LIMIT and RANGE included. */
void ThrowCode(Napi::Env env, const char *function, int code);

/* Throws all that a report has as one Error, whose `mistakes` is a list of line, path and text.
 * Without mistakes, what `code` means. */
void ThrowMistakes(Napi::Env env, const char *function, const bb_report *report, int code);

/* A buffer that is given back at the end of its scope. */
class Buf {
public:
  explicit Buf(size_t max) {
    bb_buf_init(&buf, max);
  }
  ~Buf() {
    bb_buf_close(&buf);
  }
  Buf(const Buf &) = delete;
  Buf &operator=(const Buf &) = delete;

  Napi::Value ToBuffer(Napi::Env env) const {
    return Napi::Buffer<uint8_t>::Copy(env, buf.bytes, buf.len);
  }
  Napi::Value ToText(Napi::Env env) const {
    return Napi::String::New(env, reinterpret_cast<const char *>(buf.bytes), buf.len);
  }

  bb_buf buf;
};

/* A report that is closed at the end of its scope. */
class Report {
public:
  Report() {
    bb_report_init(&report);
  }
  ~Report() {
    bb_report_close(&report);
  }
  Report(const Report &) = delete;
  Report &operator=(const Report &) = delete;

  bb_report report;
};

} // namespace busbar

#endif
