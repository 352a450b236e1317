/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one thing that we need of the MQTT library's socket, which it does not give away.
 *
 * A broker with Nagle's algorithm on (mosquitto's default) sends the first PUBACK of a burst and holds
 * the others back until that one's segment is acknowledged; our kernel delays that by 40 ms. With 20
 * messages in flight (mosquitto's receive maximum under MQTT 5) that is at most 450 messages a second,
 * measured; with the delay taken away by TCP_QUICKACK, more than 10,000. The option does not stick, so
 * it is set when an acknowledgement comes and others are still missing.
 *
 * The socket is found by its peer among this process's descriptors. Mistaking one for another would
 * do no harm: the option is a hint to the kernel and changes no byte.
 */
#ifndef BB_IO_MQTT_SOCKET_H
#define BB_IO_MQTT_SOCKET_H

#include <sys/socket.h>

/* A descriptor connected to `peer` that is not claimed yet, now claimed; -1: there is none. Feeder's
 * thread, like release. */
int bb_mqtt_socket_claim(const struct sockaddr *peer);

/* Harmless on -1. */
void bb_mqtt_socket_release(int fd);

/* Acknowledges at once what has come. Any thread; harmless on -1. */
void bb_mqtt_socket_hurry(int fd);

#endif
