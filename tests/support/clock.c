/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A clock that a test steps: loaded into a program (LD_PRELOAD), it moves what the program takes for the
 * time of day by as many milliseconds as the file says that BB_TEST_CLOCK names. The monotonic clock
 * stays as it is, as when somebody sets the clock. See clock.js.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define NS_PER_MS 1000000

/* Without stdio: whoever asks for the time may be anywhere. */
static long long read_offset_ms(void) {
  const char *path = getenv("BB_TEST_CLOCK");
  char text[32] = "";
  int fd = path != NULL ? open(path, O_RDONLY | O_CLOEXEC) : -1;
  if (fd < 0) return 0;
  ssize_t len = read(fd, text, sizeof(text) - 1);
  close(fd);
  return len > 0 ? strtoll(text, NULL, 10) : 0;
}

int clock_gettime(clockid_t clock, struct timespec *out) {
  int result = (int)syscall(SYS_clock_gettime, clock, out);
  if (result != 0 || (clock != CLOCK_REALTIME && clock != CLOCK_REALTIME_COARSE)) return result;
  long long offset_ms = read_offset_ms();
  long long ns = out->tv_nsec + offset_ms % 1000 * NS_PER_MS, second_ns = 1000ll * NS_PER_MS;
  out->tv_sec += (time_t)(offset_ms / 1000 + (ns < 0 ? -1 : ns / second_ns));
  out->tv_nsec = (long)(ns < 0 ? ns + second_ns : ns % second_ns);
  return 0;
}
