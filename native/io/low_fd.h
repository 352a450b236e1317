/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps a few descriptors below FD_SETSIZE (1,024) free for libraries that use select() and end the
 * process with a descriptor above it: libmodbus on a serial line that is opened after two thousand
 * sockets.
 *
 * The numbers are reserved at the start of the process, by opening /dev/null on them, and lent one
 * by one. Descriptors belong to the process, and so does this reserve: it is the one place in io/
 * with state of its own. Any thread may use it.
 */
#ifndef BB_IO_LOW_FD_H
#define BB_IO_LOW_FD_H

#define BB_LOW_FD_END 1024 /* FD_SETSIZE of glibc and musl */
#define BB_LOW_FD_MOST 64  /* that can be reserved: serial lines of one process */

/* Reserves `n` more, of the highest numbers below BB_LOW_FD_END that are free. Returns how many that
 * made: less when numbers or the process's limit are used up. */
int bb_low_fd_reserve(int n);

/*
 * Moves `fd` to a low number if it has a high one: closes it and returns the new descriptor, with
 * close-on-exec. A low one is returned as it is. UV_EMFILE, with `fd` as it was, when the reserve is
 * used up.
 */
int bb_low_fd_move(int fd);

/*
 * Gives back the number of a descriptor that move returned, before it is closed: returns a
 * descriptor of the same file to be closed instead, which may be high, or `fd` itself if the number
 * was not a reserved one.
 */
int bb_low_fd_return(int fd);

#endif
