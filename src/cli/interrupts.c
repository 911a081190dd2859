/*
 * Interrupts, held back or noted.
 */
#include "cli/interrupts.h"

#include <signal.h>
#include <stdatomic.h>
#include <stddef.h>

#include "base/machine.h"

static const int signals[] = {SIGINT, SIGTERM, SIGHUP};
enum { SIGNALS = sizeof signals / sizeof *signals };

/* A sweep looks at these, and may be interrupted, in any of its threads. */
static atomic_int noted;
static _Atomic double noted_at; /* seconds */

/* timeout(1) sends its signal twice, to the program and to its group: that is one interrupt. */
static void note(int signal) {
    double now = gs_monotonic_seconds();
    if (!noted) {
        noted_at = now;
        noted = signal;
    } else if (now - noted_at >= 1) {
        cli_die_of(signal); /* when the handler returns */
    }
}

void cli_hold_interrupts(bool hold) {
    sigset_t set;
    sigemptyset(&set);
    for (size_t i = 0; i < SIGNALS; i++)
        sigaddset(&set, signals[i]);
    pthread_sigmask(hold ? SIG_BLOCK : SIG_UNBLOCK, &set, NULL);
}

void cli_catch_interrupts(void) {
    struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESTART};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < SIGNALS; i++)
        sigaddset(&action.sa_mask, signals[i]);
    for (size_t i = 0; i < SIGNALS; i++) {
        struct sigaction before;
        if (sigaction(signals[i], NULL, &before) == 0 && before.sa_handler != SIG_IGN)
            sigaction(signals[i], &action, NULL);
    }
}

int cli_interrupted(void) {
    return noted;
}

int cli_die_of(int number) {
    signal(number, SIG_DFL);
    raise(number);
    return 128 + number;
}
