/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What we need of the MQTT library's socket, which it does not give away.
 *
 * Room. When a write finds the socket's buffer full, paho.mqtt.c 1.3.12 goes on with it only after
 * its reading thread has come back from a poll of up to 1 s: a burst of 100 messages of 1 KB took 2
 * s into a buffer of 16 KiB, and 1 ms into one that takes it whole (measured).
 *
 * Haste. A broker with Nagle's algorithm on (mosquitto's default) sends the first PUBACK of a burst
 * and holds the others back until that one's segment is acknowledged; our kernel delays that by 40
 * ms. With 20 messages in flight (mosquitto's receive maximum under MQTT 5) that made 670 messages
 * a second, and 25,000 with the delay taken away by TCP_QUICKACK (measured). The option does not
 * stick, so it is set when an acknowledgement comes and others are still missing.
 *
 * The socket is found by its peer among this process's descriptors. Mistaking one for another would
 * do no harm: the options are hints to the kernel and change no byte.
 */
#ifndef BB_IO_MQTT_SOCKET_H
#define BB_IO_MQTT_SOCKET_H

#include <sys/socket.h>

/* A descriptor connected to `peer` that is not claimed yet, now claimed and with a large buffer;
 * -1: there is none. Feeder's thread, like release. */
int bb_mqtt_socket_claim(const struct sockaddr *peer);

/* Harmless on -1. */
void bb_mqtt_socket_release(int fd);

/* Acknowledges at once what has come. Any thread; harmless on -1. */
void bb_mqtt_socket_hurry(int fd);

#endif
