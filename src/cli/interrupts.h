/*
 * Interrupts: SIGINT, SIGTERM and SIGHUP.
 */
#ifndef GS_CLI_INTERRUPTS_H
#define GS_CLI_INTERRUPTS_H

#include <stdbool.h>

/* While it holds, an interrupt waits. */
void cli_hold_interrupts(bool hold);

/* From now on the first interrupt is only noted, unless it was ignored before; one that comes a
   second later kills. */
void cli_catch_interrupts(void);

/* The signal that was noted, 0 if none. */
int cli_interrupted(void);

/* Die of that signal, as the parent expects: a shell reports 128 + its number, and ends its own
   loop. The first process of a container does not die of it: returns that as its exit status. */
int cli_die_of(int signal);

#endif
