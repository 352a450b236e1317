/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What one publish of 1 KB costs in CPU: our client on the loop against bare calls of paho.mqtt.c,
 * at 2,000 messages a second to a local mosquitto, in bursts.
 *
 *   mqtt_publish [PORT] [SECONDS]     without a port it starts a mosquitto of its own
 *
 * One JSON object a line. CPU is that of this process, all threads; `loop_us` is the loop thread's
 * share. `burst_ms` is how long a burst took until its last message had ended, at the 50th and the
 * 99th percentile.
 */
#include <MQTTAsync.h>
#include <fcntl.h>
#include <semaphore.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>
#include <uv.h>

#include "io/mqtt.h"

#define PAYLOAD 1024
#define RATE 2000
#define TOPIC "plant-7/meter-1/fast"

typedef struct {
  const char *who;
  uint8_t qos;
  uint32_t burst;
  uint32_t n_bursts;
  uint32_t port;
} plan;

typedef struct {
  double all_us, loop_us;
  uint64_t began_ns;
  uint64_t *took_ns;
  uint32_t n;
} figures;

static char payload[PAYLOAD];

static double cpu_us(int who) {
  struct rusage usage;
  getrusage(who, &usage);
  return (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1e6 +
         (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec);
}

static void begin(figures *out, const plan *p) {
  *out = (figures){.took_ns = calloc(p->n_bursts, sizeof(uint64_t))};
  out->all_us = cpu_us(RUSAGE_SELF);
  out->loop_us = cpu_us(RUSAGE_THREAD);
}

static int compare(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return x < y ? -1 : x > y;
}

static void report(figures *out, const plan *p) {
  double n = (double)out->n * p->burst;
  double all = (cpu_us(RUSAGE_SELF) - out->all_us) / n;
  double loop = (cpu_us(RUSAGE_THREAD) - out->loop_us) / n;
  qsort(out->took_ns, out->n, sizeof(uint64_t), compare);
  printf("{\"who\":\"%s\",\"qos\":%u,\"burst\":%u,\"messages\":%.0f,\"cpu_us\":%.1f,"
         "\"loop_us\":%.1f,\"burst_ms\":[%.2f,%.2f]}\n",
         p->who, p->qos, p->burst, n, all, loop, (double)out->took_ns[out->n / 2] / 1e6,
         (double)out->took_ns[out->n * 99 / 100] / 1e6);
  fflush(stdout);
  free(out->took_ns);
}

/* Ours: a timer of the loop hands over a burst. */

typedef struct {
  const plan *p;
  figures out;
  bb_mqtt mqtt;
  uv_loop_t loop;
  uv_timer_t timer;
  uint32_t left; /* of the burst under way */
  bool busy;
} ours;

static void on_tick(uv_timer_t *timer) {
  ours *o = timer->data;
  if (o->busy) return; /* the one before has not ended: counted in its time */
  if (o->out.n == o->p->n_bursts) {
    report(&o->out, o->p);
    uv_close((uv_handle_t *)timer, NULL);
    bb_mqtt_close(&o->mqtt);
    return;
  }
  o->busy = true;
  o->left = o->p->burst;
  o->out.began_ns = uv_hrtime();
  for (uint32_t i = 0; i < o->p->burst; i++) {
    bb_buf *bytes = bb_mqtt_payload(&o->mqtt);
    if (bytes == NULL) abort();
    bb_buf_append(bytes, payload, PAYLOAD);
    bb_mqtt_add(&o->mqtt, &(bb_mqtt_message){.topic = TOPIC, .qos = o->p->qos, .tag = i});
  }
  bb_mqtt_flush(&o->mqtt);
}

static void on_up(bb_mqtt *mqtt) {
  ours *o = mqtt->user;
  begin(&o->out, o->p);
  uint64_t period_ms = 1000ull * o->p->burst / RATE;
  uv_timer_start(&o->timer, on_tick, period_ms, period_ms);
}

static void on_down(bb_mqtt *mqtt, const bb_mqtt_fault *fault) {
  (void)mqtt;
  fprintf(stderr, "%s\n", fault->text);
  exit(1);
}

static void on_done(bb_mqtt *mqtt, const bb_mqtt_done *done, uint32_t n) {
  ours *o = mqtt->user;
  for (uint32_t i = 0; i < n; i++) {
    if (done[i].status != 0) abort();
  }
  o->left -= n;
  if (o->left > 0 || !o->busy) return;
  o->out.took_ns[o->out.n++] = uv_hrtime() - o->out.began_ns;
  o->busy = false;
}

static void on_closed(bb_mqtt *mqtt) {
  (void)mqtt;
}

static void run_ours(const plan *p) {
  ours o = {.p = p};
  o.mqtt = (bb_mqtt){
      .on_up = on_up, .on_down = on_down, .on_done = on_done, .on_closed = on_closed, .user = &o};
  bb_mqtt_config config = {.host = "127.0.0.1",
                           .port = (uint16_t)p->port,
                           .client_id = "bench-ours",
                           .max_in_flight = 128};
  uv_loop_init(&o.loop);
  uv_timer_init(&o.loop, &o.timer);
  o.timer.data = &o;
  if (bb_mqtt_open(&o.mqtt, &o.loop, &config) < 0) exit(1);
  uv_run(&o.loop, UV_RUN_DEFAULT);
  uv_loop_close(&o.loop);
}

/* Bare: this thread calls the library, and sleeps in between. */

static sem_t ready;
static atomic_uint ended;
static unsigned target;

static void on_connected(void *context, MQTTAsync_successData *data) {
  (void)context, (void)data;
  sem_post(&ready);
}

static void on_sent(void *context, MQTTAsync_successData *data) {
  (void)context, (void)data;
  if (atomic_fetch_add(&ended, 1) + 1 == target) sem_post(&ready);
}

static int on_message(void *context, char *topic, int len, MQTTAsync_message *message) {
  (void)context, (void)topic, (void)len, (void)message;
  return 1;
}

static void run_bare(const plan *p) {
  MQTTAsync client;
  MQTTAsync_createOptions create = MQTTAsync_createOptions_initializer;
  MQTTAsync_connectOptions connect = MQTTAsync_connectOptions_initializer;
  MQTTAsync_responseOptions response = MQTTAsync_responseOptions_initializer;
  char url[64];
  figures out;
  snprintf(url, sizeof(url), "tcp://127.0.0.1:%u", p->port);
  create.maxBufferedMessages = 10000;
  connect.onSuccess = on_connected;
  response.onSuccess = on_sent;
  MQTTAsync_createWithOptions(&client, url, "bench-bare", MQTTCLIENT_PERSISTENCE_NONE, NULL,
                              &create);
  MQTTAsync_setCallbacks(client, NULL, NULL, on_message, NULL);
  MQTTAsync_connect(client, &connect);
  sem_wait(&ready);
  begin(&out, p);
  uint64_t start_ns = uv_hrtime(), period_ns = 1000000000ull * p->burst / RATE;
  while (out.n < p->n_bursts) {
    uint64_t due_ns = start_ns + out.n * period_ns;
    uint64_t now_ns = uv_hrtime();
    if (due_ns > now_ns) usleep((useconds_t)((due_ns - now_ns) / 1000));
    out.began_ns = uv_hrtime();
    target = atomic_load(&ended) + p->burst;
    for (uint32_t i = 0; i < p->burst; i++) {
      MQTTAsync_send(client, TOPIC, PAYLOAD, payload, p->qos, 0, &response);
    }
    sem_wait(&ready);
    out.took_ns[out.n++] = uv_hrtime() - out.began_ns;
  }
  report(&out, p);
  MQTTAsync_destroy(&client);
}

static pid_t start_broker(uint32_t port) {
  char number[16];
  snprintf(number, sizeof(number), "%u", port);
  pid_t child = fork();
  if (child == 0) {
    int null = open("/dev/null", 1);
    dup2(null, 1);
    dup2(null, 2);
    execl("/usr/sbin/mosquitto", "mosquitto", "-p", number, (char *)NULL);
    _exit(127);
  }
  sleep(1);
  return child;
}

int main(int argc, char **argv) {
  uint32_t port = argc > 1 ? (uint32_t)strtoul(argv[1], NULL, 10) : 0;
  uint32_t seconds = argc > 2 ? (uint32_t)strtoul(argv[2], NULL, 10) : 5;
  pid_t broker = 0;
  if (port == 0) {
    port = 20000 + (uint32_t)getpid() % 20000;
    broker = start_broker(port);
  }
  memset(payload, 'x', sizeof(payload));
  sem_init(&ready, 0, 0);
  static const uint32_t bursts[] = {20, 100};
  for (uint8_t qos = 0; qos < 2; qos++) {
    for (int i = 0; i < 2; i++) {
      plan p = {"ours", qos, bursts[i], RATE * seconds / bursts[i], port};
      run_ours(&p);
      p.who = "bare";
      run_bare(&p);
    }
  }
  if (broker > 0) {
    kill(broker, SIGTERM);
    waitpid(broker, NULL, 0);
  }
  return 0;
}
