/*
 * Starting a thread.
 */
#include "base/thread.h"

#include <signal.h>

enum { STACK_BYTES = 1 << 20 }; /* the same with every libc; musl's own default is 128 KiB */

bool gs_thread_start(pthread_t *thread, void *(*run)(void *argument), void *argument) {
    pthread_attr_t attributes;
    sigset_t all, before;
    if (pthread_attr_init(&attributes) != 0)
        return false;
    pthread_attr_setstacksize(&attributes, STACK_BYTES);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool is_started = pthread_create(thread, &attributes, run, argument) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attributes);
    return is_started;
}
