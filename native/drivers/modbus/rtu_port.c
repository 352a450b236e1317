/* SPDX-License-Identifier: Apache-2.0 */
/* See rtu_port.h. */
#include "drivers/modbus/rtu_port.h"

#include <errno.h>
#include <grp.h>
#include <modbus/modbus.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <uv.h>

#include "base/clock.h"
#include "base/err.h"
#include "io/error.h"
#include "io/low_fd.h"
#include "wire/modbus/rtu.h"

#define BYTE_TIMEOUT_US 100000      /* between bytes of one frame; USB adapters deliver in bursts */
#define SILENCE_MOST_NS BB_NS_PER_S /* a line that babbles is asked all the same after that */

static uint64_t now_ns(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * BB_NS_PER_S + (uint64_t)now.tv_nsec;
}

static int from_errno(int error) {
  return error > 0 && error < MODBUS_ENOBASE ? -error : UV_EIO;
}

/* "dialout", the group that a serial port mostly belongs to. */
static void name_group(const char *path, char out[32]) {
  struct stat about;
  struct group group, *found = NULL;
  char buffer[1024];
  snprintf(out, 32, "dialout");
  if (stat(path, &about) < 0) return;
  getgrgid_r(about.st_gid, &group, buffer, sizeof(buffer), &found);
  if (found != NULL) snprintf(out, 32, "%s", group.gr_name);
}

static int explain(const bb_modbus_port *port, int status, char words[BB_MAX_REASON]) {
  const char *path = port->options->path;
  char group[32];
  switch (status) {
  case UV_EACCES:
  case UV_EPERM:
    name_group(path, group);
    snprintf(
        words, BB_MAX_REASON,
        "no permission to open %.40s; add this user to the group %.20s (usermod -aG %.20s USER)",
        path, group, group);
    break;
  case UV_ENOENT:
  case UV_ENXIO:
  case UV_ENODEV:
    snprintf(words, BB_MAX_REASON, "there is no %.80s; is the adapter plugged in?", path);
    break;
  case UV_EBUSY:
    snprintf(words, BB_MAX_REASON, "%.80s is in use by another program", path);
    break;
  case UV_ENOTTY:
  case UV_EINVAL:
    snprintf(words, BB_MAX_REASON, "%.80s is no serial port that can do what is asked of it", path);
    break;
  case UV_EMFILE:
    snprintf(words, BB_MAX_REASON,
             "no descriptor below %d is left for %.60s; use fewer serial lines", BB_LOW_FD_END,
             path);
    break;
  default:
    snprintf(words, BB_MAX_REASON, "%.80s does not open: %s", path, bb_error_text(status));
  }
  return status;
}

static int set_mode(modbus_t *modbus, const bb_modbus_rtu_options *options) {
  static const int rts[] = {MODBUS_RTU_RTS_NONE, MODBUS_RTU_RTS_UP, MODBUS_RTU_RTS_DOWN};
  int result = 0;
  if (options->mode == BB_MODBUS_RS485) {
    result = modbus_rtu_set_serial_mode(modbus, MODBUS_RTU_RS485);
  } else if (options->rts != BB_MODBUS_RTS_NONE) {
    result = modbus_rtu_set_rts(modbus, rts[options->rts]);
  }
  return result < 0 ? from_errno(errno) : 0;
}

static int connect_port(bb_modbus_port *port) {
  modbus_t *modbus = port->modbus;
  if (modbus_connect(modbus) < 0) return from_errno(errno);
  int fd = bb_low_fd_move(modbus_get_socket(modbus));
  if (fd < 0) {
    modbus_close(modbus);
    return fd;
  }
  modbus_set_socket(modbus, fd);
  return set_mode(modbus, port->options);
}

int bb_modbus_port_open(bb_modbus_port *port, char words[BB_MAX_REASON]) {
  static const char parities[] = {'N', 'E', 'O'};
  const bb_modbus_rtu_options *options = port->options;
  modbus_t *modbus = modbus_new_rtu(options->path, (int)options->baud, parities[options->parity],
                                    (int)options->data_bits, (int)options->stop_bits);
  if (modbus == NULL) return explain(port, from_errno(errno), words);
  port->modbus = modbus;
  modbus_set_byte_timeout(modbus, 0, BYTE_TIMEOUT_US);
  /* The wait for the first byte is ours; what libmodbus waits for is there already. */
  modbus_set_response_timeout(modbus, 0, BYTE_TIMEOUT_US);
  int err = connect_port(port);
  if (err < 0) {
    bb_modbus_port_close(port);
    return explain(port, err, words);
  }
  port->unclean = true;
  port->heard_ns = now_ns();
  return 0;
}

void bb_modbus_port_close(bb_modbus_port *port) {
  if (port->modbus == NULL) return;
  int fd = modbus_get_socket(port->modbus);
  if (fd >= 0) {
    modbus_set_socket(port->modbus, bb_low_fd_return(fd));
    modbus_close(port->modbus);
  }
  modbus_free(port->modbus);
  port->modbus = NULL;
}

/* Waits for bytes. 1: there are some; 0: none in that time; BB_ERR_CLOSED; or a code of libuv. */
static int wait(const bb_modbus_port *port, uint64_t until_ns) {
  struct pollfd fds[] = {{.fd = port->wake_fd, .events = POLLIN},
                         {.fd = modbus_get_socket(port->modbus), .events = POLLIN}};
  for (;;) {
    uint64_t now = now_ns(), left_ns = until_ns > now ? until_ns - now : 0;
    struct timespec left = {(time_t)(left_ns / BB_NS_PER_S), (long)(left_ns % BB_NS_PER_S)};
    int n = ppoll(fds, 2, &left, NULL);
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return from_errno(errno);
    if (fds[0].revents != 0) return BB_ERR_CLOSED;
    if ((fds[1].revents & POLLIN) != 0) return 1;
    return fds[1].revents != 0 ? UV_EIO : 0;
  }
}

/* Empties the input; after something went wrong not before it has stayed empty for a while. */
static int clean(bb_modbus_port *port, uint64_t gap_ns) {
  uint64_t end_ns = now_ns() + SILENCE_MOST_NS;
  if (modbus_flush(port->modbus) < 0) return from_errno(errno);
  while (port->unclean && now_ns() < end_ns) {
    int found = wait(port, now_ns() + gap_ns);
    if (found < 0) return found;
    if (found == 0) port->unclean = false;
    if (modbus_flush(port->modbus) < 0) return from_errno(errno);
  }
  port->unclean = false;
  return 0;
}

/* The silence between frames (serial line standard V1.02, 2.5.1.1). */
static int keep_gap(const bb_modbus_port *port, uint64_t gap_ns) {
  struct pollfd wake = {.fd = port->wake_fd, .events = POLLIN};
  uint64_t now = now_ns(), from_ns = port->heard_ns + gap_ns;
  if (now >= from_ns) return 0;
  struct timespec left = {0, (long)(from_ns - now)};
  int n = ppoll(&wake, 1, &left, NULL);
  return n > 0 ? BB_ERR_CLOSED : 0;
}

static bool fits(const uint8_t *request, const uint8_t *answer, int len, size_t expected) {
  size_t pdu_len = (size_t)len - BB_MODBUS_CRC_LEN - 1;
  if (answer[0] != request[0]) return false;
  if (answer[1] == (request[1] | BB_MODBUS_EXCEPTION)) return pdu_len == 2;
  return answer[1] == request[1] && pdu_len == expected;
}

static int receive(bb_modbus_port *port, const uint8_t *request, size_t expected, uint64_t until_ns,
                   uint8_t *answer) {
  for (;;) {
    int found = wait(port, until_ns);
    if (found <= 0) return found == 0 ? BB_ERR_TIMEOUT : found;
    int len = modbus_receive_confirmation(port->modbus, answer);
    int error = errno;
    port->heard_ns = now_ns();
    if (len > 3 && fits(request, answer, len, expected)) return len - BB_MODBUS_CRC_LEN;
    if (len >= 0) {
      /* A frame of another unit, or for another request: late, or not for us. */
      port->discarded++;
    } else if (error > MODBUS_ENOBASE || error == ETIMEDOUT) {
      return BB_ERR_FORMAT;
    } else {
      return from_errno(error);
    }
  }
}

int bb_modbus_port_ask(bb_modbus_port *port, const uint8_t *request, size_t len, size_t expected,
                       uint8_t answer[BB_MODBUS_RTU_MAX]) {
  uint64_t gap_ns = bb_modbus_rtu_gap_us(port->options) * 1000ull;
  uint64_t character_ns = gap_ns * 2 / 7;
  int err = clean(port, gap_ns);
  if (err == 0) err = keep_gap(port, gap_ns);
  if (err < 0) return err;
  modbus_set_slave(port->modbus, request[0]);
  if (modbus_send_raw_request(port->modbus, request, (int)len) < 0) return from_errno(errno);
  /* The time-out counts from the end of the request, which leaves at the line's own pace. */
  uint64_t until_ns = now_ns() + (len + BB_MODBUS_CRC_LEN) * character_ns +
                      port->options->line.timeout_ms * BB_NS_PER_MS;
  int result = receive(port, request, expected, until_ns, answer);
  port->unclean = result < 0;
  return result;
}
