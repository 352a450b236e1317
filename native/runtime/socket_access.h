/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who may connect to the control socket, by the mode and the group of its file. On Linux connecting
 * takes the right to write to the file, and the right to search each directory above it.
 */
#ifndef BB_RUNTIME_SOCKET_ACCESS_H
#define BB_RUNTIME_SOCKET_ACCESS_H

#include <stddef.h>

/* "0600", "0660", "0666", NULL. */
extern const char *const bb_socket_modes[];

/*
 * Gives the file that mode, a place in bb_socket_modes, and that group (NULL: the process's own).
 * 0; 1: that is done, but the directory lets them not through, as the sentence in `why` says;
 * negative, with `why`: then the process's own user alone may connect.
 */
int bb_socket_access_set(const char *path, int mode, const char *group, char *why, size_t cap);

#endif
