/* SPDX-License-Identifier: Apache-2.0 */
/* A real mosquitto on a free port, and mosquitto_sub to see what it got. */
#ifndef BB_TEST_BROKER_H
#define BB_TEST_BROKER_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

typedef struct broker {
  /* read-only */
  uint16_t port;
  char folder[64]; /* its own, below /tmp */
  /* private */
  pid_t pid;
} broker;

/*
 * `lines`: more of mosquitto.conf, with FOLDER standing for the folder; NULL: anyone may come in.
 * The folder is made first if there is none, and kept by stop. Returns when connections are
 * accepted.
 */
void broker_make_folder(broker *b);
void broker_start(broker *b, const char *lines);

/* Again on the same port, with the same configuration. */
void broker_restart(broker *b);

void broker_kill(broker *b);              /* at once, without a word to its clients */
void broker_pause(broker *b, bool pause); /* it neither reads nor answers, but the kernel accepts */
void broker_stop(broker *b);              /* in order, and the folder is removed */

/* ca.pem, server.{pem,key} for `name` and 127.0.0.1, client.{pem,key}, locked.key (password
 * "secret"), all in the folder. */
void broker_make_certificates(broker *b, const char *name);

/* What a subscriber gets, one line a message: "<retained> <qos> <topic> <payload>". */
typedef struct subscriber {
  /* private */
  pid_t pid;
  int fd;
  char text[1u << 16];
  size_t len;
  char line[1u << 14];
} subscriber;

void subscriber_start(subscriber *s, const broker *b, const char *filter);

/* The next message, or NULL after `timeout_ms`. Valid until the next call. */
const char *subscriber_next(subscriber *s, int timeout_ms);
void subscriber_stop(subscriber *s);

#endif
