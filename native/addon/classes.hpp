/* SPDX-License-Identifier: Apache-2.0 */
/* What the addon exports; lib/ wraps it. Each environment (the main thread, each worker, each
 * context) has objects of its own, and nothing here is shared between them. There are methods only:
 * Node-API checks what a method is called on, and does not for accessors. */
#ifndef BB_ADDON_CLASSES_HPP
#define BB_ADDON_CLASSES_HPP

#include <napi.h>

#include "addon/core.hpp"

namespace busbar {

/* new Frames(): the devices and shapes of one connection. */
class Frames : public Napi::ObjectWrap<Frames> {
public:
  static Napi::Function Define(Napi::Env env);
  explicit Frames(const Napi::CallbackInfo &info);
  ~Frames() override;

private:
  /* read(bytes, at, columns): length of the frame. See bb_reader_read. */
  Napi::Value Read(const Napi::CallbackInfo &info);
  /* json(bytes, at, tags, historical): text. */
  Napi::Value Json(const Napi::CallbackInfo &info);
  /* line(bytes, at): text. */
  Napi::Value Line(const Napi::CallbackInfo &info);

  bb_reader *reader_;
};

/* new Shape(document): what batches are packed by. */
class Shape : public Napi::ObjectWrap<Shape> {
public:
  static Napi::Function Define(Napi::Env env);
  explicit Shape(const Napi::CallbackInfo &info);
  ~Shape() override;

private:
  /* hash(): 16 hex digits. */
  Napi::Value Hash(const Napi::CallbackInfo &info);
  /* frame(): Buffer. */
  Napi::Value Frame(const Napi::CallbackInfo &info);
  /* batch(device, ms, ns, seq, flags, values, quality): Buffer. `values` in the order of the points,
   * undefined where there is none; `quality` a Uint8Array with a byte a point. */
  Napi::Value Batch(const Napi::CallbackInfo &info);

  bb_shape *shape_ = nullptr;
};

/* new Profile(text, name). */
class Profile : public Napi::ObjectWrap<Profile> {
public:
  static Napi::Function Define(Napi::Env env);
  explicit Profile(const Napi::CallbackInfo &info);
  ~Profile() override;

private:
  /* describe(): JSON. */
  Napi::Value Describe(const Napi::CallbackInfo &info);
  /* bytes(): how many the slots take. */
  Napi::Value SlotBytes(const Napi::CallbackInfo &info);
  /* decode(bytes, table, address, count, columns). */
  Napi::Value Decode(const Napi::CallbackInfo &info);
  /* repeat(bytes, at, most, columns): how many. */
  Napi::Value Repeat(const Napi::CallbackInfo &info);
  /* check(point, value): {ok, value} or {ok, code, reason}. */
  Napi::Value Check(const Napi::CallbackInfo &info);

  bb_reading *reading_ = nullptr;
};

/* new Lines(): plans and series of line protocol. */
class Lines : public Napi::ObjectWrap<Lines> {
public:
  static Napi::Function Define(Napi::Env env);
  explicit Lines(const Napi::CallbackInfo &info);
  ~Lines() override;

private:
  /* plan(document), series(document): their places. */
  Napi::Value Plan(const Napi::CallbackInfo &info);
  Napi::Value Series(const Napi::CallbackInfo &info);
  /* encode(plan, series, values, texts, ms, ns): text; `values` a Float64Array. */
  Napi::Value Encode(const Napi::CallbackInfo &info);

  bb_lines *lines_;
  bb_buf out_;
};

/* packDevice(document): Buffer. */
Napi::Value PackDevice(const Napi::CallbackInfo &info);

} // namespace busbar

#endif
