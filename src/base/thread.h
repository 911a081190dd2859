/*
 * Starting a thread.
 */
#ifndef GS_BASE_THREAD_H
#define GS_BASE_THREAD_H

#include <pthread.h>
#include <stdbool.h>

/* Start a thread with room enough on its stack for all code of this library, and every signal
   blocked: those are the host program's. False if the system refuses. */
bool gs_thread_start(pthread_t *thread, void *(*run)(void *argument), void *argument);

#endif
