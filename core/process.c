#include "core/process.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

void gk_process_directory(char ret_directory[PATH_MAX])
{
    const ssize_t length = readlink("/proc/self/exe", ret_directory, PATH_MAX - 1);
    char *slash;

    if (length <= 0) {
        (void)snprintf(ret_directory, PATH_MAX, ".");
        return;
    }
    ret_directory[length] = '\0';
    slash = strrchr(ret_directory, '/');
    if (slash != NULL) {
        *slash = '\0';
    }
}

void gk_process_harden(void)
{
    const struct rlimit none = {0, 0};

    (void)setrlimit(RLIMIT_CORE, &none);
    (void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
}

bool gk_process_begin_child(int death_signal)
{
    int type = 0;
    socklen_t size = sizeof type;

    gk_process_harden();
    (void)prctl(PR_SET_PDEATHSIG, death_signal, 0, 0, 0);
    (void)signal(SIGPIPE, SIG_IGN);
    (void)signal(SIGINT, SIG_IGN);
    return getsockopt(GK_CHILD_FD, SOL_SOCKET, SO_TYPE, &type, &size) == 0 && type == SOCK_STREAM;
}
