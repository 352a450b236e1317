/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The command line: one file a subcommand, each with a function of this form. argv[0] is the name
 * of the subcommand; what is returned is the process's exit code. Adding a subcommand is its line
 * here and its row in main.c.
 */
#ifndef BB_CLI_CLI_H
#define BB_CLI_CLI_H

#define BB_EXIT_DONE 0
#define BB_EXIT_FAILED 1
#define BB_EXIT_USAGE 2 /* wrong usage or configuration */

int bb_cli_run(int argc, char **argv);
int bb_cli_check(int argc, char **argv);
int bb_cli_probe(int argc, char **argv);
int bb_cli_profiles(int argc, char **argv);
int bb_cli_reference(int argc, char **argv);
int bb_cli_store(int argc, char **argv);
int bb_cli_sim(int argc, char **argv);

#endif
