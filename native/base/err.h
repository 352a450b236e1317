/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Error codes of our own, with their names and sentences from one list.
 *
 * Functions return int: 0 or a positive count is success, negative is failure. Codes of libuv are
 * small negative numbers and pass through unchanged; ours start below BB_ERR_BASE, so the two never
 * meet. io/ has the function that names both.
 */
#ifndef BB_BASE_ERR_H
#define BB_BASE_ERR_H

#define BB_ERR_BASE (-10000)

#define BB_ERR_MAP(XX)                                                                             \
  XX(NOMEM, 1, "out of memory")                                                                    \
  XX(LIMIT, 2, "a size limit was reached")                                                         \
  XX(INVALID, 3, "invalid value")                                                                  \
  XX(FORMAT, 4, "malformed data")                                                                  \
  XX(SHORT, 5, "data ends too early")                                                              \
  XX(RANGE, 6, "value out of range")                                                               \
  XX(TYPE, 7, "wrong type")                                                                        \
  XX(NOTFOUND, 8, "not found")                                                                     \
  XX(EXISTS, 9, "already exists")                                                                  \
  XX(AGAIN, 10, "no room now, try again later")                                                    \
  XX(BUSY, 11, "in use")                                                                           \
  XX(STATE, 12, "not possible in this state")                                                      \
  XX(TIMEOUT, 13, "no answer in time")                                                             \
  XX(CLOSED, 14, "closed")                                                                         \
  XX(REFUSED, 15, "refused by the other side")                                                     \
  XX(DENIED, 16, "permission denied")                                                              \
  XX(UNSUPPORTED, 17, "not supported")                                                             \
  XX(VERSION, 18, "version not supported")                                                         \
  XX(CONFIG, 19, "the configuration has mistakes")                                                 \
  XX(IO, 20, "input or output failed")

enum bb_err {
#define XX(name, number, text) BB_ERR_##name = BB_ERR_BASE - (number),
  BB_ERR_MAP(XX)
#undef XX
};

/* The name without prefix ("NOMEM"), or NULL when the code is not ours. Static storage. */
const char *bb_err_name(int code);

/* The sentence ("out of memory"), or NULL when the code is not ours. Static storage. */
const char *bb_err_text(int code);

#endif
