/* SPDX-License-Identifier: Apache-2.0 */
/* A serial line without wires: a pseudo terminal. */
#ifndef BB_TEST_SERIAL_LINE_H
#define BB_TEST_SERIAL_LINE_H

typedef struct serial_line {
  int far;       /* the other end, to be read and written; -1 once given away */
  char path[64]; /* the port to be opened */
  /* private */
  int near; /* keeps the settings, raw and without echo, while nobody has the port open */
} serial_line;

void serial_line_open(serial_line *line);

/* As if the adapter were pulled out: the port gives errors from now on. */
void serial_line_cut(serial_line *line);

void serial_line_close(serial_line *line);

#endif
