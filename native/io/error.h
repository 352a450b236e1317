/* SPDX-License-Identifier: Apache-2.0 */
/* Names and sentences of error codes, ours and libuv's alike. */
#ifndef BB_IO_ERROR_H
#define BB_IO_ERROR_H

/* "ECONNREFUSED", "TIMEOUT"; static storage. */
const char *bb_error_name(int code);

/* "connection refused", "no answer in time"; static storage. */
const char *bb_error_text(int code);

#endif
