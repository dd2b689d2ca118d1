#include "crash_note.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <unistd.h>

// Replicas of one process, which in tests are several. -1 is free; static storage begins with 0,
// so descriptors are kept one higher.
#define PLACES 64
static atomic_int files[PLACES];
static pthread_once_t installed_once = PTHREAD_ONCE_INIT;

static void note(int number) {
    int error = errno;
    for (int place = 0; place < PLACES; place++) {
        int file = atomic_load(&files[place]);
        if (file > 0) (void)!write(file - 1, "x", 1);
    }
    errno = error;
    // SA_RESETHAND has put the default back: a fault comes again, and abort raises again. What
    // somebody else sent does not.
    raise(number);
}

static void install(void) {
    static const int numbers[] = {SIGSEGV, SIGBUS, SIGABRT};
    struct sigaction action = {.sa_handler = note, .sa_flags = SA_RESETHAND | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    for (unsigned i = 0; i < sizeof numbers / sizeof *numbers; i++) {
        struct sigaction old;
        // Sanitizers and the backtracer of Swift have handlers of their own, which must stay.
        if (sigaction(numbers[i], 0, &old) == 0 && old.sa_handler == SIG_DFL)
            sigaction(numbers[i], &action, 0);
    }
}

int martlet_note_crashes(const char *path) {
    int file = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (file < 0) return -1;
    pthread_once(&installed_once, install);
    for (int place = 0; place < PLACES; place++) {
        int expected = 0;
        if (atomic_compare_exchange_strong(&files[place], &expected, file + 1)) return place;
    }
    close(file);
    errno = EMFILE;
    return -1;
}

void martlet_forget_crashes(int place) {
    if (place < 0 || place >= PLACES) return;
    int file = atomic_exchange(&files[place], 0);
    if (file > 0) close(file - 1);
}
