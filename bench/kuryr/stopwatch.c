/*
 * stopwatch PROGRAM: runs it with what is on standard input, and says on standard error how many microseconds it took from
 * before its start to its end. A runtime of containers is a process that starts others as fast as this one; Node is not.
 */
#define _GNU_SOURCE
#include <spawn.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

int main(int count, char **arguments) {
  static char input[1 << 20];
  ssize_t n, length = 0;
  if (count != 2) return 2;
  while ((n = read(0, input + length, sizeof input - length)) > 0) length += n;
  int file = memfd_create("input", 0), status;
  if (file < 0 || write(file, input, length) != length || lseek(file, 0, SEEK_SET) || dup2(file, 0) < 0) return 2;
  struct timespec began, ended;
  pid_t child;
  clock_gettime(CLOCK_MONOTONIC, &began);
  if (posix_spawn(&child, arguments[1], NULL, NULL, arguments + 1, environ) || waitpid(child, &status, 0) < 0) return 2;
  clock_gettime(CLOCK_MONOTONIC, &ended);
  fprintf(stderr, "%ld\n", (ended.tv_sec - began.tv_sec) * 1000000 + (ended.tv_nsec - began.tv_nsec) / 1000);
  return WIFEXITED(status) ? WEXITSTATUS(status) : 2;
}
