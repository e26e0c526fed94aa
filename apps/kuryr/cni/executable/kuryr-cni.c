/*
 * The CNI plugin that a container runtime starts for each interface of a pod: what it was told goes to the daemon of the
 * node, what the daemon says goes out. C, linked statically, because a runtime waits for the start of a process three times
 * for each pod (ADD, CHECK, DEL): this one takes half a millisecond, a shell with a program for sockets 3, Node 48;
 * it needs nothing of the file system of the node, which is not that of the image it came in.
 *
 *   to the daemon:   CNI_... of the environment, each ended by NUL; NUL; standard input; end of writing
 *   from the daemon: what is to be printed; '0' or '1', the exit status. Without that the answer is not whole.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#ifndef SECONDS /* more than the daemon takes for anything */
#define SECONDS 120
#endif
#define SOCKET "/run/superfluidity/kuryr-cni.sock" /* where the configuration has no "socket" */
#define BYTES_MAX (1 << 20)

extern char **environ;
static char input[BYTES_MAX + 1], answer[BYTES_MAX + 1], late[256];

static int put(int fd, const char *from, size_t length) {
  for (ssize_t n; length > 0; from += n, length -= n)
    if ((n = write(fd, from, length)) <= 0) return -1;
  return 0;
}

/* Up to BYTES_MAX and one: that is too large. */
static ssize_t take(int fd, char *into) {
  ssize_t n, length = 0;
  while (length <= BYTES_MAX && (n = read(fd, into + length, BYTES_MAX + 1 - length)) > 0) length += n;
  return length;
}

/* The string that the outermost object has under this name, where it has no escapes; else what is given. */
static void find(const char *name, char *into, size_t size) {
  int depth = 0;
  for (const char *at = input; *at; at++) {
    if (*at == '{' || *at == '[') depth++;
    if (*at == '}' || *at == ']') depth--;
    if (*at != '"') continue;
    const char *text = ++at;
    for (; *at && *at != '"'; at++) if (*at == '\\' && at[1]) at++;
    if (!*at) return;
    if (depth != 1 || strlen(name) != (size_t)(at - text) || strncmp(text, name, at - text)) continue;
    const char *value = at + 1 + strspn(at + 1, " \t\r\n");
    if (*value++ != ':') continue;
    value += strspn(value, " \t\r\n");
    size_t length = *value++ == '"' ? strcspn(value, "\"\\") : 0;
    if (length > 0 && length < size && value[length] == '"') memcpy(into, value, length), into[length] = 0;
  }
}

static void describe(int code, const char *what) {
  char version[32] = "1.0.0";
  find("cniVersion", version, sizeof version);
  if (strspn(version, "0123456789.") != strlen(version)) strcpy(version, "1.0.0");
  snprintf(late, sizeof late, "{\"cniVersion\":\"%s\",\"code\":%d,\"msg\":\"%s\"}\n", version, code, what);
}

static void give_up(int signal) {
  _exit(put(1, late, strlen(late)) || !signal ? 2 : 1);
}

static void fail(int code, const char *what) {
  describe(code, what), give_up(1);
}

int main(void) {
  const char *verb = getenv("CNI_COMMAND");
  if (!verb) fail(4, "CNI_COMMAND is not set");
  if (!strcmp(verb, "VERSION"))
    return puts("{\"cniVersion\":\"1.1.0\",\"supportedVersions\":[\"0.3.0\",\"0.3.1\",\"0.4.0\",\"1.0.0\",\"1.1.0\"]}") < 0;
  int absent = strcmp(verb, "STATUS") ? 11 : 50; /* try again later; for STATUS: not available */
  describe(absent, "the daemon of Kuryr on this node did not answer in time");
  signal(SIGALRM, give_up), signal(SIGPIPE, SIG_IGN), alarm(SECONDS);
  ssize_t length = take(0, input);
  if (length > BYTES_MAX) input[BYTES_MAX] = 0, fail(7, "the configuration is too large");
  struct sockaddr_un to = {.sun_family = AF_UNIX, .sun_path = SOCKET};
  find("socket", to.sun_path, sizeof to.sun_path);
  int daemon = socket(AF_UNIX, SOCK_STREAM, 0);
  if (daemon < 0 || connect(daemon, (struct sockaddr *)&to, sizeof to))
    fail(absent, "the daemon of Kuryr on this node does not listen");
  int sent = 0; /* where it does not listen to the end, it has said why */
  for (char **name = environ; *name && !sent; name++)
    if (!strncmp(*name, "CNI_", 4)) sent = put(daemon, *name, strlen(*name) + 1);
  if (!sent && !put(daemon, "", 1)) put(daemon, input, length);
  shutdown(daemon, SHUT_WR);
  if ((length = take(daemon, answer)) > BYTES_MAX) fail(5, "the answer of the daemon is too large");
  char status = length > 0 ? answer[length - 1] : 0;
  if (status != '0' && status != '1') fail(absent, "the daemon of Kuryr ended before its answer was whole");
  alarm(0);
  return put(1, answer, length - 1) ? 2 : status - '0';
}
