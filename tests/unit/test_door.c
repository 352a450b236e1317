/* SPDX-License-Identifier: Apache-2.0 */
/* The door with a device that takes what it is given and answers when the test says so. */
#include "runtime/door.h"

#include <math.h>
#include <stdlib.h>

#include "base/err.h"
#include "runtime/runtime.h"
#include "support/expect.h"
#include "support/failmalloc.h"
#include "support/folder.h"
#include "support/profile.h"
#include "support/sample.h"

static const char profile_text[] =
    "profile: 1\n"
    "id: acme/drive\n"
    "points:\n"
    "  - { name: power/limit, type: uint16, unit: '%', holding: 0, "
    "write: { min: 0, max: 100, step: 1 } }\n"
    "  - { name: power/total, type: float32, holding: 1 }\n"
    "  - { name: mode, type: uint16, holding: 3, write: true, enum: { 0: off, 1: on } }\n"
    "  - { name: label, type: text, length: 4, holding: 4, write: true }\n";

typedef struct fixture {
  folder folder;
  bb_runtime runtime;
  bb_config config;
  bb_config_device device;
  bb_driver driver;
  bb_conn conn;
  bb_attachment attachment;
  bb_station *station;
  uint64_t now_ns;
  int accepts;       /* what write returns */
  bool answers;      /* within write */
  bb_command *taken; /* by the driver */
  unsigned n_written, n_done;
  bb_outcome outcome; /* of the last that ended */
  bb_reason reason;
} fixture;

static uint64_t mono(void *user) {
  return ((fixture *)user)->now_ns;
}

static int64_t utc(void *user) {
  (void)user;
  return 0;
}

static int write_points(bb_attachment *attachment, bb_command *command) {
  fixture *f = attachment->owner;
  if (f->accepts < 0) return f->accepts;
  f->taken = command;
  f->n_written++;
  if (f->answers) bb_door_done(&f->runtime.door, command, BB_OUTCOME_CONFIRMED, NULL);
  return 0;
}

static void done(bb_command *command, bb_outcome outcome, const bb_reason *reason) {
  fixture *f = command->user;
  f->n_done++;
  f->outcome = outcome;
  f->reason = *reason;
}

static int open_fixture(void **state) {
  fixture *f = calloc(1, sizeof(*f));
  folder_open(&f->folder);
  f->now_ns = 3600 * BB_NS_PER_S;
  f->driver = (bb_driver){.kind = "fake", .write = write_points};
  f->conn.driver = &f->driver;
  f->attachment = (bb_attachment){.conn = &f->conn, .owner = f};
  f->device = (bb_config_device){.id = "drive-1", .profile = profile_of(profile_text)};
  f->config.runtime.write_interval_ms = 1000;
  f->station = calloc(1, sizeof(*f->station));
  f->station->id = "drive-1";
  f->station->config = &f->device;
  f->station->attachment = &f->attachment;
  f->station->known = f->station->up = true;
  f->runtime.log = &f->folder.log;
  f->runtime.config = &f->config;
  f->runtime.clock = (bb_clock){mono, utc, f};
  bb_map_add(&f->runtime.stations, f->station->id, f->station);
  bb_door_init(&f->runtime.door, &f->runtime);
  *state = f;
  return 0;
}

static int close_fixture(void **state) {
  fixture *f = *state;
  bb_map_close(&f->runtime.stations);
  bb_profile_unref(f->device.profile);
  folder_close(&f->folder);
  free(f->station);
  free(f);
  return 0;
}

/* A command of one point; `place` in the profile. */
static bb_command command_of(fixture *f, uint16_t place, bb_value value) {
  return (bb_command){.id = "c-1",
                      .device = "drive-1",
                      .n = 1,
                      .points = {place},
                      .values = {value},
                      .origin = "test",
                      .principal = "ann",
                      .on_done = done,
                      .user = f};
}

static bb_value number(double value) {
  return (bb_value){.type = BB_TYPE_F64, .v = {.d = value}};
}

static void expect_refused(fixture *f, bb_command *command, int code, const char *why) {
  unsigned before = f->n_done, written = f->n_written;
  uint64_t refused = f->runtime.door.outcomes[BB_OUTCOME_REFUSED];
  bb_door_submit(&f->runtime.door, command);
  expect_uint(why, f->n_done - before, 1);
  expect_int(why, f->outcome, BB_OUTCOME_REFUSED);
  expect_int(why, f->reason.code, code);
  expect_part(why, f->reason.text, why);
  expect_uint(why, f->n_written, written);
  expect_uint(why, f->runtime.door.outcomes[BB_OUTCOME_REFUSED] - refused, 1);
  expect_uint(why, f->runtime.door.open, 0);
}

static void test_door_hands_over_and_ends_once(void **state) {
  fixture *f = *state;
  bb_command command = command_of(f, 0, number(50));
  bb_door_submit(&f->runtime.door, &command);
  expect_true("taken", f->taken == &command);
  expect_uint("open", f->runtime.door.open, 1);
  expect_uint("not yet", f->n_done, 0);
  expect_int("type", command.values[0].type, BB_TYPE_U16);
  expect_uint("value", command.values[0].v.u, 50);
  bb_reason reason;
  bb_reason_set(&reason, 0, 0, "written and read back");
  bb_door_done(&f->runtime.door, &command, BB_OUTCOME_CONFIRMED, &reason);
  expect_uint("once", f->n_done, 1);
  expect_int("outcome", f->outcome, BB_OUTCOME_CONFIRMED);
  expect_text("reason", f->reason.text, "written and read back");
  expect_uint("open", f->runtime.door.open, 0);
  expect_uint("counted", f->runtime.door.outcomes[BB_OUTCOME_CONFIRMED], 1);
  expect_part(
      "log", folder_log(&f->folder),
      "drive-1: write of power/limit = 50 %: confirmed: written and read back (from test, by "
      "ann, id c-1)");
  expect_uint("one line", f->folder.log.lines[BB_LOG_INFO], 1);
}

static void test_door_takes_an_answer_within_the_write(void **state) {
  fixture *f = *state;
  f->answers = true;
  bb_command command = command_of(f, 0, number(50));
  bb_door_submit(&f->runtime.door, &command);
  expect_uint("once", f->n_done, 1);
  expect_int("outcome", f->outcome, BB_OUTCOME_CONFIRMED);
  expect_text("without a reason", f->reason.text, "");
  expect_uint("open", f->runtime.door.open, 0);
}

static void test_door_keeps_to_the_rails(void **state) {
  static const struct {
    uint16_t place;
    bb_value value;
    int code;
    const char *why;
  } rows[] = {
      {0, SAMPLE_F64(120), BB_ERR_RANGE,
       "power/limit: 120 is above 100; allowed: 0 to 100 % in steps of 1"},
      {0, SAMPLE_F64((double)NAN), BB_ERR_RANGE, "power/limit: NaN is no number"},
      {0, SAMPLE_TEXT("x"), BB_ERR_TYPE, "power/limit: \"x\" is not a number"},
      {1, SAMPLE_F64(1), BB_ERR_DENIED, "power/total: cannot be written"},
      {4, SAMPLE_F64(1), BB_ERR_NOTFOUND, "points have changed"},
  };
  fixture *f = *state;
  for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
    bb_command command = command_of(f, rows[i].place, rows[i].value);
    expect_refused(f, &command, rows[i].code, rows[i].why);
  }
  expect_uint("one line each", f->folder.log.lines[BB_LOG_INFO], sizeof(rows) / sizeof(rows[0]));
}

/* One wrong point of several: none is written. */
static void test_door_refuses_the_whole_command(void **state) {
  fixture *f = *state;
  bb_command command = command_of(f, 0, number(50));
  command.n = 2;
  command.points[1] = 2;
  command.values[1] = number(7);
  expect_refused(f, &command, BB_ERR_RANGE, "mode: 7 is none of its values");
  command.n = 0;
  expect_refused(f, &command, BB_ERR_INVALID, "0 points in one command; allowed: 1 to 64");
  command.n = BB_MAX_COMMAND_POINTS + 1;
  expect_refused(f, &command, BB_ERR_INVALID, "65 points in one command");
}

static void test_door_refuses_what_cannot_reach_a_device(void **state) {
  fixture *f = *state;
  bb_command command = command_of(f, 0, number(50));
  command.device = "drive-2";
  expect_refused(f, &command, BB_ERR_NOTFOUND, "there is no device drive-2");
  command.device = "drive-1";
  f->driver.write = NULL;
  expect_refused(f, &command, BB_ERR_UNSUPPORTED, "drive-1 cannot be written to over fake");
  f->driver.write = write_points;
  f->station->up = false;
  bb_reason_set(&f->station->reason, BB_ERR_TIMEOUT, 0, "no answer for 3 s");
  expect_refused(f, &command, BB_ERR_CLOSED, "not sent, drive-1 is lost: no answer for 3 s");
  f->station->up = true;
  f->accepts = BB_ERR_NOMEM;
  expect_refused(f, &command, BB_ERR_NOMEM, "not sent: out of memory");
  f->accepts = 0;
  f->station->leaving = true;
  expect_refused(f, &command, BB_ERR_NOTFOUND, "there is no device drive-1");
  f->station->leaving = false;
  bb_profile *profile = f->device.profile;
  f->device.profile = NULL;
  expect_refused(f, &command, BB_ERR_UNSUPPORTED, "drive-1 has no points that can be written");
  f->device.profile = profile;
}

static void test_door_shut_refuses_everything(void **state) {
  fixture *f = *state;
  bb_command command = command_of(f, 0, number(50));
  f->runtime.door.shut = true;
  expect_refused(f, &command, BB_ERR_STATE, "the runtime is paused");
  f->runtime.stopping = true;
  expect_refused(f, &command, BB_ERR_STATE, "the runtime is stopping");
}

static void test_door_keeps_to_the_time(void **state) {
  fixture *f = *state;
  bb_command command = command_of(f, 0, number(50));
  command.not_after_ns = f->now_ns - 1;
  bb_door_submit(&f->runtime.door, &command);
  expect_int("too late", f->outcome, BB_OUTCOME_EXPIRED);
  expect_part("too late", f->reason.text, "not sent: its time was over");
  expect_uint("not sent", f->n_written, 0);
  expect_uint("counted", f->runtime.door.outcomes[BB_OUTCOME_EXPIRED], 1);
  command.not_after_ns = f->now_ns;
  f->answers = true;
  bb_door_submit(&f->runtime.door, &command);
  expect_int("just in time", f->outcome, BB_OUTCOME_CONFIRMED);
}

static void test_door_keeps_to_the_rate(void **state) {
  fixture *f = *state;
  bb_command command = command_of(f, 0, number(50));
  f->answers = true;
  f->accepts = BB_ERR_NOMEM;
  bb_door_submit(&f->runtime.door, &command);
  f->accepts = 0;
  bb_door_submit(&f->runtime.door, &command);
  expect_int("what was not sent does not count", f->outcome, BB_OUTCOME_CONFIRMED);
  f->now_ns += 300 * BB_NS_PER_MS;
  expect_refused(f, &command, BB_ERR_AGAIN,
                 "not sent, the last write to drive-1 was 300 ms ago; allowed: one in 1 s");
  f->now_ns += 700 * BB_NS_PER_MS;
  bb_door_submit(&f->runtime.door, &command);
  expect_int("a second later", f->outcome, BB_OUTCOME_CONFIRMED);
  f->config.runtime.write_interval_ms = 0;
  bb_door_submit(&f->runtime.door, &command);
  expect_int("no limit", f->outcome, BB_OUTCOME_CONFIRMED);
}

static void test_door_adds_points_by_name(void **state) {
  fixture *f = *state;
  bb_reason reason;
  bb_command command = command_of(f, 0, number(0));
  bb_value on = SAMPLE_TEXT("on");
  command.n = 0;
  expect_int("mode", bb_door_add(&f->runtime.door, &command, "mode", on, &reason), 0);
  expect_int("limit", bb_door_add(&f->runtime.door, &command, "power/limit", number(5), &reason),
             0);
  expect_uint("number", command.n, 2);
  expect_uint("in this order", command.points[0], 2);
  expect_double("what the label means", bb_value_double(command.values[0]), 1);
  expect_int("no point", bb_door_add(&f->runtime.door, &command, "nope", on, &reason),
             BB_ERR_NOTFOUND);
  expect_text("no point", reason.text, "drive-1 has no point nope");
  while (command.n < BB_MAX_COMMAND_POINTS) {
    bb_door_add(&f->runtime.door, &command, "mode", on, &reason);
  }
  expect_int("full", bb_door_add(&f->runtime.door, &command, "mode", on, &reason), BB_ERR_LIMIT);
  f->answers = true;
  bb_door_submit(&f->runtime.door, &command);
  expect_int("written", f->outcome, BB_OUTCOME_CONFIRMED);
  expect_part("log", folder_log(&f->folder), "mode = 1, power/limit = 5 %, mode = 1");
  expect_part("log", folder_log(&f->folder), " and 56 more: confirmed");
  command.device = "drive-2";
  expect_int("no device", bb_door_add(&f->runtime.door, &command, "mode", on, &reason),
             BB_ERR_NOTFOUND);
  expect_text("no device", reason.text, "there is no device drive-2");
}

/* The device was taken out while its command was under way: the points still have their names. */
static void test_door_ends_a_command_of_a_device_that_has_gone(void **state) {
  fixture *f = *state;
  bb_command command = command_of(f, 3, (bb_value)SAMPLE_TEXT("pump\n1"));
  bb_door_submit(&f->runtime.door, &command);
  bb_map_remove(&f->runtime.stations, "drive-1");
  bb_door_done(&f->runtime.door, &command, BB_OUTCOME_UNKNOWN, NULL);
  expect_int("outcome", f->outcome, BB_OUTCOME_UNKNOWN);
  expect_uint("counted", f->runtime.door.outcomes[BB_OUTCOME_UNKNOWN], 1);
  expect_part("log", folder_log(&f->folder),
              "write of label = \"pump\\u000a1\": unknown (from test");
}

/* A write takes no memory: it works when there is none left. */
static void test_door_allocates_nothing(void **state) {
  fixture *f = *state;
  f->answers = true;
  bb_command command = command_of(f, 0, number(50)), wrong = command_of(f, 0, number(500));
  failmalloc_start(1);
  bb_door_submit(&f->runtime.door, &command);
  bb_door_submit(&f->runtime.door, &wrong);
  expect_uint("allocations", failmalloc_stop(), 0);
  expect_uint("both ended", f->n_done, 2);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_fixture, close_fixture)

int main(void) {
  const struct CMUnitTest tests[] = {
      TEST(test_door_hands_over_and_ends_once),
      TEST(test_door_takes_an_answer_within_the_write),
      TEST(test_door_keeps_to_the_rails),
      TEST(test_door_refuses_the_whole_command),
      TEST(test_door_refuses_what_cannot_reach_a_device),
      TEST(test_door_shut_refuses_everything),
      TEST(test_door_keeps_to_the_time),
      TEST(test_door_keeps_to_the_rate),
      TEST(test_door_adds_points_by_name),
      TEST(test_door_ends_a_command_of_a_device_that_has_gone),
      TEST(test_door_allocates_nothing),
  };
  return cmocka_run_group_tests_name("door", tests, NULL, NULL);
}
