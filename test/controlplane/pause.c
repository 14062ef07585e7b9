// Does nothing until it is told to end: the first process of a machine, of a pod, and all that pods of the tests run.
#include <signal.h>
#include <stdlib.h>
#include <unistd.h>

static void end(int number) {
    (void)number;
    _exit(EXIT_SUCCESS);
}

int main(void) {
    signal(SIGCHLD, SIG_IGN);  // those it inherits leave no zombies
    signal(SIGTERM, end);
    signal(SIGINT, end);
    for (;;) pause();
}
