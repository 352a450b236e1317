/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Keeps the MQTT library from looking up a name.
 *
 * paho.mqtt.c 1.3.12 checks a broker's certificate against the very text that it connects to
 * (SSLSocket_connect: X509_check_host, then X509_check_ip_asc), and sends that text as server name
 * (SNI). There is no option to give it an address for the one and a name for the other. Given the
 * name, it calls getaddrinfo on the one thread that sends for all clients, with its global lock
 * held: a name server that does not answer was measured to stall a healthy client for 10 s.
 *
 * So this file defines getaddrinfo for the whole program. A name that is being held is answered
 * from memory with the address that io/resolver found a moment before; every other call goes on to
 * libc unchanged. Should the library ever be linked in a way that passes this by (statically with
 * its own binding, or with a lookup of another kind), it looks the name up itself, right after our
 * own lookup of the same name has succeeded: the certificate check is the same, only the stall is
 * possible again.
 *
 * Any thread.
 */
#ifndef BB_IO_MQTT_NAME_H
#define BB_IO_MQTT_NAME_H

#include <stdbool.h>
#include <sys/socket.h>

typedef struct bb_mqtt_name {
  /* private */
  struct bb_mqtt_name *next;
  const char *name;
  struct sockaddr_storage address;
  bool held;
} bb_mqtt_name;

/* From now on the name has this address, and no other one. The name's text must live until release.
 * When two hold the same name, the newest one counts. */
void bb_mqtt_name_hold(bb_mqtt_name *held, const char *name, const struct sockaddr *address);

/* Harmless when nothing is held. */
void bb_mqtt_name_release(bb_mqtt_name *held);

#endif
