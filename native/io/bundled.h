/* SPDX-License-Identifier: Apache-2.0 */
/* Where the profiles that come with busbar lie on this machine. */
#ifndef BB_IO_BUNDLED_H
#define BB_IO_BUNDLED_H

#include <stddef.h>

/*
 * The folder of the bundled profiles, without a slash at its end: what BUSBAR_PROFILES names, else
 * profiles/ of the source tree that the executable was built in, else share/busbar/profiles beside
 * the executable's folder. 0, BB_ERR_NOTFOUND or BB_ERR_LIMIT (`out` is too small).
 */
int bb_bundled_folder(char *out, size_t cap);

/*
 * The file of the bundled profile `id`, such as "rockwell/powermonitor-500". 0, BB_ERR_NOTFOUND (no
 * folder, no such file, or an id that would lead out of the folder) or BB_ERR_LIMIT.
 */
int bb_bundled_profile(const char *id, char *path_out, size_t cap);

#endif
