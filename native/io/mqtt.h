/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An MQTT client for the loop: MQTT 3.1.1 and 5 (OASIS), TCP or TLS. It keeps one connection up,
 * publishes in bursts and tells for each message what became of it. Which library does the work is
 * not seen here (io/mqtt_session.h).
 *
 * Threads. Nothing that the library does happens on the loop thread. One feeder thread for the
 * whole process carries out what the loop hands it; the library's own threads answer through a
 * bounded inbox, which the loop empties in one go. The feeder is shared because the library's locks
 * are shared: a feeder for each client would wait on the same ones. It is never made to wait for a
 * network: names are looked up on the loop before it is called, and its queue holds at most ten
 * jobs a client, each of bounded size. So a client whose host hangs or whose broker stalls changes
 * neither the loop's lag nor another client's latency.
 *
 * Names. A name that has several addresses is tried at each, the one that worked last first; those
 * behind one that refuses the connection follow at once, those behind one that keeps silent with the
 * next try. The library is given a numeric address. With TLS it has to be given the name, because it
 * checks the certificate against what it connects to; its own lookup of that name is then answered
 * from memory with the address that we found (io/mqtt_name.h), so it never waits either.
 *
 * Connections. Each one is a clean session (clean start, session expiry 0) with nothing left over
 * from the one before. When one fails or breaks, every message under way ends with BB_ERR_CLOSED,
 * then on_down is called, and after a jittered, growing delay the next try begins by itself; after
 * a refusal that a person has to mend (bad password) at once with the longest delay. The library
 * notices that TCP has connected up to 1.1 s late: that is how long a connection takes at most when
 * the network takes no time.
 *
 * Subscriptions will be a pair of calls beside publish, their end told by tag as a message's is,
 * and one more callback, on_message, with a batch of messages out of the inbox. As the session is
 * clean, they are made again in on_up.
 *
 * Everything here is for the loop thread; no callback happens inside a call.
 */
#ifndef BB_IO_MQTT_H
#define BB_IO_MQTT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/secret.h"

struct uv_loop_s;

#define BB_MQTT_MAX_IN_FLIGHT 1000          /* messages without an end */
#define BB_MQTT_MAX_TOPIC 65535             /* bytes of a topic name (1.5.4) */
#define BB_MQTT_MAX_BURST 128               /* messages handed over at once */
#define BB_MQTT_MAX_BURST_BYTES (16u << 20) /* their topics and payloads */
#define BB_MQTT_MAX_FAULT 200               /* bytes of a sentence, terminator included */

typedef struct bb_mqtt bb_mqtt;

typedef enum bb_mqtt_version { BB_MQTT_3_1_1, BB_MQTT_5 } bb_mqtt_version;

/* Zero is the default of each. Texts are the caller's and live until on_closed. */
typedef struct bb_mqtt_config {
  const char *host;        /* a name, or an address in numbers */
  uint16_t port;           /* 1883; with TLS 8883 */
  bb_mqtt_version version; /* 3.1.1 */
  const char *client_id;   /* must be given */
  /* 60; also how long, up to twice that, no acknowledgement may come. A broker that asks for less
   * gets it from the next connection on. */
  uint32_t keepalive_s;
  uint32_t
      connect_timeout_ms;    /* 10000, of the lookup, and of each address to the broker's CONNACK */
  uint32_t max_in_flight;    /* 100; up to BB_MQTT_MAX_IN_FLIGHT */
  uint32_t first_retry_ms;   /* 1000 */
  uint32_t longest_retry_ms; /* 60000 */
  uint64_t seed;             /* differs between clients: for jitter */
  bool tls;
  bool no_verify;        /* neither the chain nor the name of the broker's certificate */
  const char *ca_file;   /* PEM; the system's own authorities */
  const char *cert_file; /* PEM, this client's certificate and what it is signed by; none */
  const char *key_file;  /* PEM; in cert_file */
} bb_mqtt_config;

typedef struct bb_mqtt_message {
  const char *topic;
  const void *payload;
  uint32_t len;
  /* As in io/mqtt_property.h, of which they are sound; dropped where the connection is 3.1.1. */
  const uint8_t *properties;
  uint16_t properties_len;
  uint8_t qos; /* 0 to 2 */
  bool retain;
  uint64_t tag; /* comes back with its end */
} bb_mqtt_message;

/* What may differ from one connection to the next. */
typedef struct bb_mqtt_login {
  const char *user;                 /* NULL: none; lives until on_closed */
  char password[BB_SECRET_MAX];     /* wiped as soon as the library has its copy */
  uint32_t password_len;            /* 0: none */
  char key_password[BB_SECRET_MAX]; /* terminated; "": none */
  bb_mqtt_message will; /* topic NULL: none; texts live until the next login or on_closed */
} bb_mqtt_login;

/* What the broker allows. MQTT 3.1.1 has no way to say so: the widest. */
typedef struct bb_mqtt_broker {
  uint32_t receive_max;      /* messages of QoS 1 and 2 without an acknowledgement */
  uint32_t max_packet_bytes; /* UINT32_MAX: no limit */
  uint16_t keepalive_s;      /* 0: as asked for */
  uint8_t max_qos;
  bool no_retain;
} bb_mqtt_broker;

/* Why there is no connection. */
typedef struct bb_mqtt_fault {
  int code;          /* BB_ERR_… or of libuv */
  uint8_t raw;       /* the broker's reason code (MQTT 5) or return code (3.1.1); 0: none */
  bool lasting;      /* someone has to mend it */
  uint32_t retry_ms; /* until the next try; 0: none will be made */
  /* "broker:1883 refused the connection: bad user name or password" */
  char text[BB_MQTT_MAX_FAULT];
  bool vague; /* the library did not say what went wrong */
} bb_mqtt_fault;

/*
 * The end of one message. `status` 0: QoS 0: handed to the socket, QoS 1 and 2: acknowledged by the
 * broker. BB_ERR_CLOSED: the connection broke before. BB_ERR_REFUSED: the broker will not take it,
 * `reason` says why. BB_ERR_NOMEM, BB_ERR_INVALID, BB_ERR_IO: the library will not.
 */
typedef struct bb_mqtt_done {
  uint64_t tag;
  int status;
  uint8_t reason; /* of MQTT 5, see bb_mqtt_reason_text; 0: none */
} bb_mqtt_done;

/* Fills in the login of the next connection. Negative: it is not tried now; `why` then says why
 * not, and the next try has the longest delay. NULL: no login. */
typedef int (*bb_mqtt_login_cb)(bb_mqtt *mqtt, bb_mqtt_login *login, char *why, size_t why_cap);

typedef void (*bb_mqtt_up_cb)(bb_mqtt *mqtt);

/* A connection broke, or could not be made. */
typedef void (*bb_mqtt_down_cb)(bb_mqtt *mqtt, const bb_mqtt_fault *fault);

/* In the order of their ends, as many as there are; exactly one for each message taken. `n` 0:
 * there is room again. */
typedef void (*bb_mqtt_done_cb)(bb_mqtt *mqtt, const bb_mqtt_done *done, uint32_t n);

typedef void (*bb_mqtt_closed_cb)(bb_mqtt *mqtt);

struct bb_mqtt {
  /* public: set before open */
  bb_mqtt_login_cb on_login;
  bb_mqtt_up_cb on_up;
  bb_mqtt_down_cb on_down;
  bb_mqtt_done_cb on_done;
  bb_mqtt_closed_cb on_closed;
  void *user;
  /* read-only */
  bool up;
  bb_mqtt_broker broker; /* of this connection */
  uint32_t in_flight;    /* messages without an end */
  uint64_t bursts;       /* handed over since open */
  /* private */
  struct bb_mqtt_core *core;
};

/* Starts to connect. 0, or negative with nothing left behind. The struct lives until on_closed. */
int bb_mqtt_open(bb_mqtt *mqtt, struct uv_loop_s *loop, const bb_mqtt_config *config);

/*
 * Ends the connection with a DISCONNECT, so that the broker drops the will; messages under way end
 * with BB_ERR_CLOSED; then on_closed. Never waits for a lookup or for the broker.
 */
void bb_mqtt_close(bb_mqtt *mqtt);

/* Has no connection and waits for its next try: tries at once. While a try is under way: should it
 * fail, the next one follows at once. Else nothing. */
void bb_mqtt_retry(bb_mqtt *mqtt);

/* This connection brings what it is for: should it break without a word from the broker, the next try comes
 * sooner than after one that brought nothing. Of itself a connection counts as such after 10 s. */
void bb_mqtt_works(bb_mqtt *mqtt);

/* Ends the connection with a DISCONNECT and makes another one at once, with a login of its own: messages
 * under way end with BB_ERR_CLOSED, then on_down says `why`. Nothing when there is no connection. */
void bb_mqtt_renew(bb_mqtt *mqtt, const char *why);

/* How many messages will be taken now; 0 when there is no connection. */
uint32_t bb_mqtt_room(const bb_mqtt *mqtt);

/*
 * Publishes; topics and payloads are copied. All or none: 0, or BB_ERR_STATE (no connection),
 * BB_ERR_AGAIN (no room), BB_ERR_LIMIT (more than the broker or BB_MQTT_MAX_TOPIC allows),
 * BB_ERR_NOMEM. A QoS above the broker's is lowered to it, retain is dropped where it has none.
 */
int bb_mqtt_publish(bb_mqtt *mqtt, const bb_mqtt_message *messages, uint32_t n);

/*
 * The same without a copy, a message at a time: append the payload to the buffer, then add all
 * else.
 * bb_mqtt_payload returns NULL when there is no room. Whatever is appended without being added is
 * dropped by the next bb_mqtt_payload. bb_mqtt_flush hands over what was added; a full burst is
 * handed over by itself.
 */
bb_buf *bb_mqtt_payload(bb_mqtt *mqtt);
int bb_mqtt_add(bb_mqtt *mqtt, const bb_mqtt_message *message);
void bb_mqtt_flush(bb_mqtt *mqtt);

/* "not authorized", "packet too large": a reason code of MQTT 5 (2.4) in words. Static storage. */
const char *bb_mqtt_reason_text(uint8_t reason);

/* The message itself is what the broker objects to: sending it again would not help. */
bool bb_mqtt_reason_final(uint8_t reason);

#endif
