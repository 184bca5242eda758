/* fork_server.c
 * Preloaded into tshark or sharkd by scripts/fuzz-tshark: start-up takes far
 * longer than a small capture does, so it is paid once.
 *
 * The program starts, reads its preferences and plugins, and stops where it
 * opens its first capture. There it takes orders from the socket whose number
 * is in $FORK_SERVER: each is a line of "CAPTURE INPUT OUTPUT", gets a process
 * of its own that goes on with that capture, and is answered with a line, the
 * status of waitpid(). A process that takes more than $FORK_SERVER_SECONDS is
 * ended by SIGALRM. Names have no spaces; errors go to OUTPUT.err.
 *
 * Copyright 2026 the M-CAS dissector authors
 *
 * SPDX-License-Identifier: GPL-2.0-or-later
 */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

typedef void *opener(const char *, unsigned, int *, char **, int);

static const char *
variable(const char *name)
{
    const char *value = getenv(name);

    if (!value) {
        fprintf(stderr, "fork_server: no $%s\n", name);
        _exit(2);
    }
    return value;
}

/* Gives a stream to a file, for good. */
static void
redirect(const char *name, const char *mode, FILE *stream)
{
    if (!freopen(name, mode, stream)) {
        perror(name);
        _exit(2);
    }
}

/* Returns in the children only, with the capture to open. */
static const char *
serve(void)
{
    static char capture[4096], input[4096], output[4096], errors[4100];
    int server = atoi(variable("FORK_SERVER"));
    FILE *orders = fdopen(server, "r");
    unsigned seconds = (unsigned)atoi(variable("FORK_SERVER_SECONDS"));

    /* sharkd ignores it, and then has no status for us. */
    signal(SIGCHLD, SIG_DFL);
    while (orders && fscanf(orders, "%4095s %4095s %4095s", capture, input,
                            output) == 3) {
        int status = 0;
        pid_t child = fork();

        if (child == 0) {
            snprintf(errors, sizeof(errors), "%s.err", output);
            redirect(input, "r", stdin);
            redirect(output, "w", stdout);
            redirect(errors, "w", stderr);
            close(server);
            alarm(seconds);
            return capture;
        }
        if (waitpid(child, &status, 0) != child)
            _exit(2);
        dprintf(server, "%d\n", status);
    }
    _exit(0);
}

/* In place of libwiretap's; the last argument is a boolean of either size. */
void *
wtap_open_offline(const char *name, unsigned type, int *err, char **err_info,
                  int do_random)
{
    static opener *theirs;

    if (!theirs) {
        theirs = (opener *)dlsym(RTLD_NEXT, "wtap_open_offline");
        name = serve();
    }
    return theirs(name, type, err, err_info, do_random);
}
