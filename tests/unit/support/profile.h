/* SPDX-License-Identifier: Apache-2.0 */
/* Profiles from text, for tests that need one. */
#ifndef BB_TEST_PROFILE_H
#define BB_TEST_PROFILE_H

#include "model/profile.h"

/* Reads a profile from YAML or JSON text; messages name the file "p.yaml". As bb_profile_read. */
int profile_read_text(const char *text, bb_profile **out, bb_report *report);

/* The same for a text without mistakes; others fail the test. Never NULL. */
bb_profile *profile_of(const char *text);

/* A bundled one, by id: "generic/modbus-60". Never NULL. */
bb_profile *profile_bundled(const char *id);

/* The point of that name; the test fails if there is none. */
const bb_profile_point *profile_point(const bb_profile *profile, const char *name);

#endif
