/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A strict reader of Prometheus' text format 0.0.4, written from its description and independent of
 * our writer: HELP, TYPE, then samples, each family in one piece, no series twice, counters named
 * _total, histograms with buckets that add up to their count.
 */
#ifndef BB_TEST_EXPOSITION_H
#define BB_TEST_EXPOSITION_H

#include <stddef.h>

/* Fails the test at the first line that is wrong. Returns the number of samples. */
size_t exposition_check(const char *text);

/* The value behind `series` ("name{a=\"b\"}") as text into `out`; "" if it is not there. */
const char *exposition_get(const char *text, const char *series, char *out, size_t cap);

#endif
