/* SPDX-License-Identifier: Apache-2.0 */
/* `busbar store`: what waits on the disk for sinks that are away, and what can be done with it. */
#include "cli/store.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/text.h"
#include "cli/cli.h"
#include "cli/data_dir.h"

#define NAME BB_CLI_STORE_NAME

static const char usage[] =
    "Usage: busbar store ORDER [ARGUMENTS] [OPTIONS]\n"
    "\n"
    "Shows and changes what waits on the disk for sinks that are away. A runtime that runs is "
    "asked;\n"
    "of one that does not, the file is opened itself.\n"
    "\n"
    "  status            how much there is, and whether the disk takes it\n"
    "  list              what waits for which sink, by stream (the set of sinks that it was meant "
    "for)\n"
    "  export FILE       copies the store into a new file: a backup, also while it is in use\n"
    "  drop SINK         drops what waits for a sink that is gone\n"
    "  reassign SINK TO  gives what waits for a sink that is gone to another one; messages of\n"
    "                    flows go as they are, so those only to one of the same kind\n"
    "  dead              the batches that sinks have refused for good, and why\n"
    "  requeue-dead [SINK]\n"
    "                    sends them again, all or those of one sink, as history\n"
    "  drop-dead [SINK]  throws them away for good, all or those of one sink\n"
    "  verify            looks at everything in it for damage\n"
    "\n"
    "  --data DIR   the data directory of the runtime. Default: as for busbar run\n"
    "  --file FILE  a store that no runtime uses, such as a backup or a damaged one that was set\n"
    "               aside; only to look at it or to export it\n"
    "  --live       drop: also of a sink of the config that runs; where no runtime runs, nobody\n"
    "               knows which those are, and it is needed for each\n"
    "  --json       the answer as JSON, as docs/socket.md describes it\n"
    "\n"
    "Example: busbar store reassign old-broker broker --data /var/lib/busbar\n"
    "\n"
    "Exit codes: 0 done; 1 failed, or verify has found something; 2 wrong usage.\n";

typedef struct row {
  const char *word;
  bb_cli_store_order order;
  int least, most; /* operands */
  const char *missing;
  bool looks; /* changes nothing */
} row;

static const row rows[] = {
    {"status", BB_CLI_STORE_STATUS, 0, 0, "", true},
    {"list", BB_CLI_STORE_LIST, 0, 0, "", true},
    {"export", BB_CLI_STORE_EXPORT, 1, 1, "the file to copy into", true},
    {"drop", BB_CLI_STORE_DROP, 1, 1, "the sink", false},
    {"verify", BB_CLI_STORE_VERIFY, 0, 0, "", true},
    {"dead", BB_CLI_STORE_DEAD, 0, 0, "", true},
    {"requeue-dead", BB_CLI_STORE_REQUEUE, 0, 1, "", false},
    {"drop-dead", BB_CLI_STORE_DROP_DEAD, 0, 1, "", false},
    {"reassign", BB_CLI_STORE_REASSIGN, 2, 2, "the sink, or the one that is to have it,", false},
};
#define ROWS (sizeof(rows) / sizeof(rows[0]))

static const struct option names[] = {
    {"data", required_argument, NULL, 'd'}, {"file", required_argument, NULL, 'f'},
    {"live", no_argument, NULL, 'l'},       {"json", no_argument, NULL, 'j'},
    {"help", no_argument, NULL, 'h'},       {NULL, 0, NULL, 0},
};

typedef struct words {
  const char *items[4];
  int n;
} words;

static const row *find(const char *word) {
  for (size_t i = 0; i < ROWS; i++) {
    if (strcmp(rows[i].word, word) == 0) return &rows[i];
  }
  return NULL;
}

static int refuse_order(const char *word) {
  const char *known[ROWS];
  for (size_t i = 0; i < ROWS; i++) known[i] = rows[i].word;
  char ask[BB_TEXT_ASK];
  const char *near = bb_text_nearest(word, known, ROWS);
  fprintf(stderr, NAME ": there is no order %s%s " NAME " --help lists them\n", word,
          bb_text_ask(ask, near, ";"));
  return BB_EXIT_USAGE;
}

static int refuse_option(const char *given) {
  static const char *const known[] = {"--data", "--file", "--live", "--json", "--help"};
  char ask[BB_TEXT_ASK];
  const char *near = bb_text_nearest(given, known, 5);
  fprintf(stderr, NAME ": there is no option %s%s " NAME " --help lists them\n", given,
          bb_text_ask(ask, near, ";"));
  return BB_EXIT_USAGE;
}

static bool is_sink(const char *word) {
  if (bb_text_is_id(word)) return true;
  fprintf(stderr,
          NAME ": %s is no id of a sink; " NAME " list shows those for which something "
               "waits\n",
          word);
  return false;
}

/* Where the runtime's folder is not ours, and a file must have its whole path. */
static bool make_absolute(const char *file, char *out, size_t cap) {
  char *here = file[0] != '/' ? getcwd(NULL, 0) : NULL;
  int len = snprintf(out, cap, "%s%s%s", here != NULL ? here : "", here != NULL ? "/" : "", file);
  free(here);
  if (len >= 0 && (size_t)len < cap && out[0] == '/') return true;
  fprintf(stderr, NAME ": the path of %.200s is too long\n", file);
  return false;
}

static bool take_operands(bb_cli_store_wish *wish, const row *order, const words *given) {
  wish->order = order->order;
  if (order->order == BB_CLI_STORE_EXPORT) {
    return make_absolute(given->items[1], wish->path, sizeof(wish->path));
  }
  for (int i = 1; i < given->n; i++) {
    if (!is_sink(given->items[i])) return false;
  }
  if (given->n > 1) wish->sink = given->items[1];
  if (given->n > 2) wish->to = given->items[2];
  if (wish->to == NULL || strcmp(wish->sink, wish->to) != 0) return true;
  fprintf(stderr, NAME ": what waits for %s need not be given to %s\n", wish->sink, wish->to);
  return false;
}

/* An exit code. */
static int choose(bb_cli_store_wish *wish, const words *given) {
  if (given->n == 0) {
    fputs(NAME ": which order is missing, such as status; " NAME " --help lists them\n", stderr);
    return BB_EXIT_USAGE;
  }
  const row *order = find(given->items[0]);
  if (order == NULL) return refuse_order(given->items[0]);
  if (given->n - 1 < order->least) {
    fprintf(stderr, NAME " %s: %s is missing; " NAME " --help tells more\n", order->word,
            order->missing);
    return BB_EXIT_USAGE;
  }
  if (given->n - 1 > order->most) {
    fprintf(stderr, NAME " %s: what is %s for? " NAME " --help tells more\n", order->word,
            given->items[order->most + 1]);
    return BB_EXIT_USAGE;
  }
  if (wish->file != NULL && !order->looks) {
    fprintf(stderr,
            NAME " %s: --file only looks at a store; --data names the directory of one that "
                 "is changed\n",
            order->word);
    return BB_EXIT_USAGE;
  }
  return take_operands(wish, order, given) ? BB_EXIT_DONE : BB_EXIT_USAGE;
}

/* An exit code; BB_EXIT_DONE with *help: the text is asked for. */
static int parse(bb_cli_store_wish *wish, int argc, char **argv, bool *help) {
  words given = {.n = 0};
  bool wanted = false;
  opterr = 0;
  bb_cli_data_dir(wish->data, sizeof(wish->data));
  while (optind < argc) {
    int at = optind, name = getopt_long(argc, argv, "-:h", names, NULL);
    const char *word = name == 1 ? optarg : NULL;
    if (name == -1 && optind < argc) word = argv[optind++];
    if (name == '?') return refuse_option(argv[at]);
    if (name == ':') {
      fprintf(stderr, NAME ": %s needs an argument\n", argv[at]);
      return BB_EXIT_USAGE;
    }
    if (name == 'd') snprintf(wish->data, sizeof(wish->data), "%s", optarg);
    if (name == 'f') wish->file = optarg;
    if (name == 'l') wish->live = true;
    if (name == 'j') wish->json = true;
    if (name == 'h') wanted = true;
    if (word != NULL && given.n < 4) given.items[given.n++] = word;
  }
  *help = wanted;
  return wanted ? BB_EXIT_DONE : choose(wish, &given);
}

static int fail(const char *why) {
  fprintf(stderr, NAME ": %s\n", why);
  return BB_EXIT_FAILED;
}

/* The id of the last letter of a page, behind which the next begins; 0: that was the last page. */
static int64_t next_page(const bb_doc *answer) {
  const bb_doc *letters = bb_doc_get(answer, "letters");
  const char *more = bb_doc_get_text(answer, "more");
  int64_t last = 0;
  if (letters == NULL || more == NULL || strcmp(more, "true") != 0) return 0;
  for (const bb_doc *letter = letters->first; letter != NULL; letter = letter->next) {
    const char *id = bb_doc_get_text(letter, "id");
    if (id != NULL) last = strtoll(id, NULL, 10);
  }
  return last;
}

static int run(bb_cli_store_wish *wish) {
  bb_cli_store_place place;
  char why[BB_CLI_STORE_WHY] = "";
  if (bb_cli_store_open(&place, wish, why) < 0) return fail(why);
  bb_cli_store_show *show = bb_cli_store_show_new(wish, place.running);
  int err = show != NULL ? 0 : BB_ERR_NOMEM;
  if (err < 0) snprintf(why, sizeof(why), "%s", bb_err_text(err));
  do {
    bb_doc_tree answer;
    if (err == 0) err = bb_cli_store_do(&place, wish, &answer, why);
    if (err < 0) break;
    bb_cli_store_show_add(show, answer.root);
    wish->after = next_page(answer.root);
    bb_doc_close(&answer);
  } while (wish->after > 0);
  bb_cli_store_close(&place);
  int code = show != NULL ? bb_cli_store_show_end(show) : BB_EXIT_FAILED;
  return err < 0 ? fail(why) : code;
}

int bb_cli_store(int argc, char **argv) {
  static bb_cli_store_wish wish; /* large */
  bool help = false;
  int code = parse(&wish, argc, argv, &help);
  if (code != BB_EXIT_DONE) return code;
  if (!help) return run(&wish);
  fputs(usage, stdout);
  return BB_EXIT_DONE;
}
