/* SPDX-License-Identifier: Apache-2.0 */
/* The data directory where no option names one. */
#ifndef BB_CLI_DATA_DIR_H
#define BB_CLI_DATA_DIR_H

#include <stddef.h>

/* BUSBAR_DATA, else STATE_DIRECTORY, else ~/.local/state/busbar, into `out`. What named it, such as
 * "BUSBAR_DATA"; NULL: it is the usual one. */
const char *bb_cli_data_dir(char *out, size_t cap);

#endif
