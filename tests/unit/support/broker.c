/* SPDX-License-Identifier: Apache-2.0 */
/* See broker.h. */
#include "support/broker.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "support/failure.h"
#include "support/free_port.h"

#define PATIENCE_MS 10000

static int connect_to(uint16_t port) {
  struct sockaddr_in address = {
      .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  int fd = socket(AF_INET, SOCK_STREAM, 0);
  if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0) return fd;
  close(fd);
  return -1;
}

void broker_make_folder(broker *b) {
  snprintf(b->folder, sizeof(b->folder), "/tmp/bb-broker-XXXXXX");
  if (mkdtemp(b->folder) == NULL) fail_msg("no folder %s", b->folder);
}

static void write_config(const broker *b, const char *lines) {
  char path[128];
  snprintf(path, sizeof(path), "%s/mosquitto.conf", b->folder);
  FILE *file = fopen(path, "w");
  if (file == NULL) fail_msg("cannot write %s", path);
  /* Started by root it would become another user, who cannot read our folder. */
  fprintf(file, "listener %u 127.0.0.1\nuser root\npersistence false\n", b->port);
  for (const char *place; (place = strstr(lines, "FOLDER")) != NULL; lines = place + 6) {
    fprintf(file, "%.*s%s", (int)(place - lines), lines, b->folder);
  }
  fprintf(file, "%s\n", lines);
  fclose(file);
}

static pid_t start(char *const *command, int out) {
  pid_t pid = failure_fork();
  if (pid != 0) return pid;
  int null = open("/dev/null", O_RDWR);
  dup2(null, 0);
  dup2(out >= 0 ? out : null, 1);
  dup2(null, 2);
  execvp(command[0], command);
  _exit(127);
}

static void nap(void) {
  struct timespec time = {.tv_nsec = 10000000};
  nanosleep(&time, NULL);
}

void broker_restart(broker *b) {
  char path[128];
  snprintf(path, sizeof(path), "%s/mosquitto.conf", b->folder);
  const char *program =
      access("/usr/sbin/mosquitto", X_OK) == 0 ? "/usr/sbin/mosquitto" : "mosquitto";
  char *command[] = {(char *)(uintptr_t)program, "-c", path, NULL};
  b->pid = start(command, -1);
  int fd = -1;
  for (int waited = 0; waited < PATIENCE_MS && fd < 0; waited += 10) {
    fd = connect_to(b->port);
    if (fd < 0) nap();
  }
  if (fd < 0) fail_msg("mosquitto does not listen on port %u", b->port);
  close(fd);
}

void broker_start(broker *b, const char *lines) {
  if (b->folder[0] == 0) broker_make_folder(b);
  b->port = free_port();
  write_config(b, lines != NULL ? lines : "allow_anonymous true");
  broker_restart(b);
}

static void end(pid_t *pid, int signal) {
  if (*pid <= 0) return;
  kill(*pid, signal);
  kill(*pid, SIGCONT);
  waitpid(*pid, NULL, 0);
  *pid = 0;
}

void broker_kill(broker *b) {
  end(&b->pid, SIGKILL);
}

void broker_pause(broker *b, bool pause) {
  kill(b->pid, pause ? SIGSTOP : SIGCONT);
  if (pause) waitpid(b->pid, NULL, WUNTRACED);
}

static void run(const char *format, const char *folder, const char *name) {
  char command[2048];
  snprintf(command, sizeof(command), format, folder, name);
  int status = system(command);
  if (status != 0) fail_msg("exit code %d of: %s", status, command);
}

void broker_stop(broker *b) {
  end(&b->pid, SIGTERM);
  if (b->folder[0] != 0) run("rm -rf %s%s", b->folder, "");
  b->folder[0] = 0;
}

void broker_make_certificates(broker *b, const char *name) {
#define KEY "-newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes"
#define SIGN "-days 2 -CA ca.pem -CAkey ca.key -CAcreateserial"
  run("cd %s && exec 2>/dev/null && "
      "openssl req -x509 " KEY " -keyout ca.key -out ca.pem -subj '/CN=Test CA' -days 2 && "
      "echo 'subjectAltName=DNS:%s,IP:127.0.0.1' > server.ext",
      b->folder, name);
  run("cd %s && exec 2>/dev/null && "
      "openssl req -new " KEY " -keyout server.key -out server.csr -subj /CN=server && "
      "openssl x509 -req -in server.csr -out server.pem -extfile server.ext " SIGN "%s",
      b->folder, "");
  run("cd %s && exec 2>/dev/null && "
      "openssl req -new " KEY " -keyout client.key -out client.csr -subj /CN=client && "
      "openssl x509 -req -in client.csr -out client.pem " SIGN " && "
      "openssl ec -in client.key -aes256 -passout pass:secret -out locked.key%s",
      b->folder, "");
}

void subscriber_start(subscriber *s, const broker *b, const char *filter) {
  char port[16];
  int ends[2];
  snprintf(port, sizeof(port), "%u", b->port);
  /* -d tells when it is subscribed; its lines have no '|' in front. */
  char *command[] = {"stdbuf", "-oL",          "mosquitto_sub",
                     "-d",     "-h",           "127.0.0.1",
                     "-p",     port,           "-q",
                     "2",      "-t",           (char *)(uintptr_t)filter,
                     "-F",     "|%r %q %t %p", NULL};
  assert_int_equal(pipe(ends), 0);
  fcntl(ends[0], F_SETFD, FD_CLOEXEC);
  s->pid = start(command, ends[1]);
  close(ends[1]);
  s->fd = ends[0];
  s->len = 0;
  for (const char *line = ""; strstr(line, "Subscribed") == NULL;) {
    line = subscriber_next(s, -PATIENCE_MS);
    if (line == NULL) fail_msg("mosquitto_sub did not subscribe to %s", filter);
  }
}

/* The first line of what has come, or NULL. */
static const char *take_line(subscriber *s) {
  char *end = memchr(s->text, '\n', s->len);
  if (end == NULL) return NULL;
  size_t len = (size_t)(end - s->text);
  if (len >= sizeof(s->line)) len = sizeof(s->line) - 1;
  memcpy(s->line, s->text, len);
  s->line[len] = 0;
  s->len -= (size_t)(end + 1 - s->text);
  memmove(s->text, end + 1, s->len);
  return s->line;
}

/* A negative timeout: any line, not only messages. */
const char *subscriber_next(subscriber *s, int timeout_ms) {
  bool any = timeout_ms < 0;
  for (;;) {
    const char *line = take_line(s);
    if (line != NULL && line[0] == '|') return line + 1;
    if (line != NULL && any) return line;
    if (line != NULL) continue;
    struct pollfd ready = {.fd = s->fd, .events = POLLIN};
    if (poll(&ready, 1, any ? -timeout_ms : timeout_ms) <= 0) return NULL;
    ssize_t n = read(s->fd, s->text + s->len, sizeof(s->text) - s->len);
    if (n <= 0) return NULL;
    s->len += (size_t)n;
  }
}

void subscriber_stop(subscriber *s) {
  end(&s->pid, SIGTERM);
  close(s->fd);
}
