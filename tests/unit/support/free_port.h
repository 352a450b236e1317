/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BB_TEST_FREE_PORT_H
#define BB_TEST_FREE_PORT_H

#include <stdint.h>

/*
 * A TCP port of 127.0.0.1 that belongs to this process until its end: nobody listens there, and of
 * all tests that run beside this one, in C and in JavaScript, none is given the same. So a server may
 * go away and come back.
 */
uint16_t free_port(void);

#endif
