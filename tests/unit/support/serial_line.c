/* SPDX-License-Identifier: Apache-2.0 */
/* See serial_line.h. */
#define _XOPEN_SOURCE 600
#define _DEFAULT_SOURCE
#include "support/serial_line.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <termios.h>
#include <unistd.h>

#include "support/expect.h"

void serial_line_open(serial_line *line) {
  struct termios settings;
  line->far = posix_openpt(O_RDWR | O_NOCTTY | O_CLOEXEC);
  expect_true("pseudo terminal", line->far >= 0);
  expect_int("grant", grantpt(line->far), 0);
  expect_int("unlock", unlockpt(line->far), 0);
  snprintf(line->path, sizeof(line->path), "%s", ptsname(line->far));
  line->near = open(line->path, O_RDWR | O_NOCTTY | O_CLOEXEC);
  expect_true(line->path, line->near >= 0);
  tcgetattr(line->near, &settings);
  cfmakeraw(&settings);
  tcsetattr(line->near, TCSANOW, &settings);
}

void serial_line_cut(serial_line *line) {
  if (line->far >= 0) close(line->far);
  line->far = -1;
}

void serial_line_close(serial_line *line) {
  serial_line_cut(line);
  close(line->near);
}
