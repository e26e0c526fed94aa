/*
 * runtime PROGRAM: starts it as a runtime of containers starts plugins, many at a time, and says what each printed. Such a runtime is a process
 * that starts others in a fraction of a millisecond; Node takes several, on the thread that everything else of a measurement waits for.
 *
 *   in:   length of what follows, 4 bytes, the lowest first; strings of the environment, each ended by NUL; NUL; standard input
 *   out:  "NUMBER STATUS LENGTH\n" and what was printed; the first one that was asked for has number 0
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define MOST 1024
#define FRAME (1 << 20)
#define TEXT (1 << 16)

static struct run { pid_t pid; int fd; long number; size_t length; char *text; } runs[MOST];
static struct pollfd polled[MOST + 1];
static char input[FRAME], *argv[] = {NULL, NULL};
static size_t held;
static long asked;
static int count;

static void die(const char *what) {
  perror(what), exit(2);
}

static void start(char *at, size_t length) {
  char *environment[64], *end = at + length;
  int strings = 0, out[2], file = memfd_create("input", MFD_CLOEXEC);
  for (; at < end && *at && strings < 63; at += strlen(at) + 1) environment[strings++] = at;
  environment[strings] = NULL, at++;
  if (count == MOST || file < 0 || pipe2(out, O_CLOEXEC)) die("start");
  if (at < end && (write(file, at, end - at) != end - at || lseek(file, 0, SEEK_SET))) die("memfd");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, file, 0);
  posix_spawn_file_actions_adddup2(&actions, out[1], 1);
  struct run *one = &runs[count++];
  *one = (struct run){.fd = out[0], .number = asked++, .text = malloc(TEXT)};
  if (!one->text || posix_spawn(&one->pid, argv[0], &actions, NULL, argv, environment)) die(argv[0]);
  posix_spawn_file_actions_destroy(&actions);
  close(file), close(out[1]);
}

static void finish(struct run *one) {
  int status;
  if (waitpid(one->pid, &status, 0) < 0) die("waitpid");
  printf("%ld %d %zu\n", one->number, WIFEXITED(status) ? WEXITSTATUS(status) : -1, one->length);
  fwrite(one->text, 1, one->length, stdout), fflush(stdout);
  close(one->fd), free(one->text);
  *one = runs[--count];
}

static void take(void) {
  ssize_t n = read(0, input + held, sizeof input - held);
  if (n <= 0) exit(0);
  size_t at = 0, length;
  for (held += n; held - at >= 4; at += 4 + length) {
    unsigned char *size = (unsigned char *)input + at;
    length = size[0] | size[1] << 8 | size[2] << 16 | (size_t)size[3] << 24;
    if (length > sizeof input - 4) exit(2);
    if (held - at - 4 < length) break;
    start(input + at + 4, length);
  }
  memmove(input, input + at, held -= at);
}

int main(int arguments, char **values) {
  if (arguments != 2) return 2;
  for (argv[0] = values[1];;) {
    int now = count;
    polled[0] = (struct pollfd){.fd = 0, .events = POLLIN};
    for (int i = 0; i < now; i++) polled[i + 1] = (struct pollfd){.fd = runs[i].fd, .events = POLLIN};
    if (poll(polled, now + 1, -1) < 0) die("poll");
    /* From the last: the place of one that ends is taken by the last one. */
    for (int i = now - 1; i >= 0; i--) {
      if (!polled[i + 1].revents) continue;
      ssize_t n = read(runs[i].fd, runs[i].text + runs[i].length, TEXT - runs[i].length);
      if (n > 0) runs[i].length += n;
      else finish(&runs[i]);
    }
    if (polled[0].revents) take();
  }
}
