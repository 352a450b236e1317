/* SPDX-License-Identifier: Apache-2.0 */
/*
 * See door.h. While the driver has a command, command->door is the profile that it was judged by,
 * with a reference: it says that the command is open, and names its points when the device has gone
 * meanwhile.
 */
#include "runtime/door.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/text.h"
#include "control/rails.h"
#include "control/rails_text.h"
#include "io/error.h"
#include "runtime/event.h"
#include "runtime/runtime.h"

#define SHOWN_POINTS 8 /* in the log */
#define MAX_OUTCOME (1024 + BB_MAX_COMMAND_POINTS * (BB_MAX_NAME + BB_RAILS_VALUE + 24))

/* Text in memory of the caller's; what does not fit is cut. */
typedef struct {
  char *text;
  size_t len, cap;
} words;

static void say(words *out, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void say(words *out, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int n = vsnprintf(out->text + out->len, out->cap - out->len, format, arguments);
  va_end(arguments);
  size_t left = out->cap - out->len - 1;
  if (n > 0) out->len += (size_t)n < left ? (size_t)n : left;
}

/* "power/limit = 50 %, mode = 1 and 3 more": at most so many of them. */
static void say_points(words *out, const bb_command *command, const bb_profile *profile,
                       uint16_t most) {
  char value[BB_RAILS_VALUE];
  if (command->n == 0) say(out, "nothing");
  for (uint16_t i = 0; i < command->n && i < most; i++) {
    uint16_t place = command->points[i];
    bool known = profile != NULL && place < profile->n_points;
    const char *unit = known ? profile->points[place].point.unit : "";
    say(out, "%s%s = %s%s%.16s", i > 0 ? ", " : "", known ? profile->points[place].point.name : "?",
        bb_rails_value(command->values[i], value), unit[0] != 0 ? " " : "", unit);
  }
  if (command->n > most) say(out, " and %u more", command->n - most);
}

/* " (from socket, by operator, id 4711)" */
static void say_writer(words *out, const bb_command *command) {
  say(out, " (from %s", command->origin != NULL ? command->origin : "an unnamed writer");
  if (command->principal != NULL && command->principal[0] != 0) {
    say(out, ", by %.256s", command->principal);
  }
  if (command->id[0] != 0) say(out, ", id %.40s", command->id);
  say(out, ")");
}

static void tell_log(const bb_door *door, const bb_command *command, const bb_profile *profile,
                     bb_outcome outcome, const bb_reason *reason) {
  char text[BB_MAX_LOG_LINE];
  words out = {.text = text, .cap = sizeof(text)};
  say_points(&out, command, profile, SHOWN_POINTS);
  say(&out, ": %s%s%s", bb_outcome_name(outcome), reason->text[0] != 0 ? ": " : "", reason->text);
  say_writer(&out, command);
  bb_log_info(door->runtime->log, command->device, "write of %s", text);
}

/* For the sinks that want events: "refused: limit = 150 %; must be at most 100 (from socket, id 4711)".
 * The word comes first and the id last, so that programs find them. */
static void tell_sinks(const bb_door *door, const bb_command *command, const bb_profile *profile,
                       bb_outcome outcome, const bb_reason *reason) {
  bb_station *station = bb_runtime_station(door->runtime, command->device);
  char text[MAX_OUTCOME];
  words out = {.text = text, .cap = sizeof(text)};
  if (station == NULL || station->events == NULL) return;
  say(&out, "%s: ", bb_outcome_name(outcome));
  say_points(&out, command, profile, BB_MAX_COMMAND_POINTS);
  if (reason->text[0] != 0) say(&out, "; %s", reason->text);
  say_writer(&out, command);
  bb_batch event = {.kind = BB_BATCH_OUTCOME, .text = text, .text_len = (uint16_t)out.len};
  bb_event_add(station, &event);
}

/* The one way out: counts, tells the log, the sinks and the writer. The command is the writer's again. */
static void end(bb_door *door, bb_command *command, const bb_profile *profile, bb_outcome outcome,
                const bb_reason *reason) {
  static const bb_reason none;
  if (reason == NULL) reason = &none;
  door->outcomes[outcome]++;
  tell_log(door, command, profile, outcome, reason);
  tell_sinks(door, command, profile, outcome, reason);
  command->on_done(command, outcome, reason);
}

static const bb_profile *profile_of(const bb_door *door, const char *device) {
  const bb_station *station = bb_runtime_station(door->runtime, device);
  return station != NULL ? station->config->profile : NULL;
}

/* All points are judged before any is written. */
static int check_points(bb_command *command, const bb_profile *profile, bb_reason *reason) {
  if (command->n == 0 || command->n > BB_MAX_COMMAND_POINTS) {
    bb_reason_set(reason, BB_ERR_INVALID, 0, "%u points in one command; allowed: 1 to %d",
                  command->n, BB_MAX_COMMAND_POINTS);
    return BB_ERR_INVALID;
  }
  for (uint16_t i = 0; i < command->n; i++) {
    char why[BB_RAILS_TEXT];
    bb_value value;
    if (command->points[i] >= profile->n_points) {
      bb_reason_set(reason, BB_ERR_NOTFOUND, 0, "the device's points have changed meanwhile");
      return BB_ERR_NOTFOUND;
    }
    int err = bb_rails_check(&profile->points[command->points[i]], command->values[i], &value, why,
                             sizeof(why));
    if (err < 0) {
      bb_reason_set(reason, err, 0, "%s", why);
      return err;
    }
    command->values[i] = value;
  }
  return 0;
}

static int check_station(const bb_station *station, const char *device, bb_reason *reason) {
  if (station == NULL || station->leaving) {
    bb_reason_set(reason, BB_ERR_NOTFOUND, 0, "there is no device %.64s", device);
  } else if (station->config->profile == NULL) {
    bb_reason_set(reason, BB_ERR_UNSUPPORTED, 0, "%s has no points that can be written",
                  station->id);
  } else if (station->attachment->conn->driver->write == NULL) {
    bb_reason_set(reason, BB_ERR_UNSUPPORTED, 0, "%s cannot be written to over %s", station->id,
                  station->attachment->conn->driver->kind);
  } else {
    return 0;
  }
  return reason->code;
}

/* What holds for now and may be otherwise later. */
static int check_now(const bb_door *door, const bb_station *station, uint64_t now_ns,
                     bb_reason *reason) {
  const bb_config *config = door->runtime->config;
  uint32_t interval_ms = config != NULL ? config->runtime.write_interval_ms : 0;
  uint64_t since_ms = (now_ns - station->last_write_ns) / BB_NS_PER_MS;
  char since[32], interval[32];
  if (station->known && !station->up) {
    bb_reason_set(reason, BB_ERR_CLOSED, station->reason.raw, "not sent, %s is lost: %s",
                  station->id,
                  station->reason.text[0] != 0 ? station->reason.text : "it does not answer");
    return BB_ERR_CLOSED;
  }
  if (station->last_write_ns != 0 && since_ms < interval_ms) {
    bb_reason_set(reason, BB_ERR_AGAIN, 0,
                  "not sent, the last write to %s was %s ago; allowed: one in %s", station->id,
                  bb_text_show_ms(since, sizeof(since), since_ms),
                  bb_text_show_ms(interval, sizeof(interval), interval_ms));
    return BB_ERR_AGAIN;
  }
  return 0;
}

void bb_door_init(bb_door *door, bb_runtime *runtime) {
  *door = (bb_door){.runtime = runtime};
}

int bb_door_add(bb_door *door, bb_command *command, const char *point, bb_value value,
                bb_reason *reason) {
  const bb_profile *profile = profile_of(door, command->device);
  if (profile == NULL) {
    bb_station *station = bb_runtime_station(door->runtime, command->device);
    return check_station(station, command->device, reason);
  }
  int place = bb_profile_find(profile, point);
  if (place < 0) {
    bb_reason_set(reason, BB_ERR_NOTFOUND, 0, "%s has no point %.64s", command->device, point);
    return BB_ERR_NOTFOUND;
  }
  if (command->n >= BB_MAX_COMMAND_POINTS) {
    bb_reason_set(reason, BB_ERR_LIMIT, 0, "too many points in one command; allowed: %d",
                  BB_MAX_COMMAND_POINTS);
    return BB_ERR_LIMIT;
  }
  command->points[command->n] = (uint16_t)place;
  command->values[command->n] = bb_rails_read(&profile->points[place], value);
  command->n++;
  return 0;
}

/* Hands it over; if the driver does not take it, it ends here. */
static void pass(bb_door *door, bb_command *command, bb_station *station, uint64_t now_ns) {
  bb_reason reason;
  bb_profile *profile = bb_profile_ref(station->config->profile);
  uint64_t last_write_ns = station->last_write_ns;
  command->door = profile;
  door->open++;
  station->last_write_ns = now_ns;
  int err = station->attachment->conn->driver->write(station->attachment, command);
  if (err >= 0) return;
  station->last_write_ns = last_write_ns;
  door->open--;
  command->door = NULL;
  bb_reason_set(&reason, err, 0, "not sent: %s", bb_error_text(err));
  end(door, command, profile, BB_OUTCOME_REFUSED, &reason);
  bb_profile_unref(profile);
}

void bb_door_submit(bb_door *door, bb_command *command) {
  bb_station *station = bb_runtime_station(door->runtime, command->device);
  uint64_t now_ns = bb_clock_mono_ns(&door->runtime->clock);
  bb_reason reason = {0};
  int err = 0;
  command->door = NULL;
  command->has_measured = 0;
  if (door->shut) {
    bool stopping = door->runtime->stopping;
    err = BB_ERR_STATE;
    bb_reason_set(&reason, err, 0, "not sent: the runtime %s, and nothing is written meanwhile",
                  stopping ? "is stopping" : "is paused");
  }
  if (err == 0) err = check_station(station, command->device, &reason);
  if (err == 0) err = check_points(command, station->config->profile, &reason);
  bool expired = err == 0 && command->not_after_ns != 0 && now_ns > command->not_after_ns;
  if (expired) {
    err = BB_ERR_TIMEOUT;
    bb_reason_set(&reason, err, 0, "not sent: its time was over when it came");
  }
  if (err == 0) err = check_now(door, station, now_ns, &reason);
  if (err == 0) {
    pass(door, command, station, now_ns);
  } else {
    end(door, command, profile_of(door, command->device),
        expired ? BB_OUTCOME_EXPIRED : BB_OUTCOME_REFUSED, &reason);
  }
}

void bb_door_done(bb_door *door, bb_command *command, bb_outcome outcome, const bb_reason *reason) {
  bb_profile *profile = command->door;
  assert(profile != NULL && door->open > 0);
  command->door = NULL;
  door->open--;
  end(door, command, profile, outcome, reason);
  bb_profile_unref(profile);
}
