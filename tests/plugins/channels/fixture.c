#include "fixture.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <dlfcn.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PYTHON "/usr/bin/python3"
#define TESTS GUIKA_SOURCE_DIR "/tests/plugins/channels/"

char *fixture_folder(void)
{
    char *folder = strdup(GUIKA_BINARY_DIR "/tests/channels-XXXXXX");
    assert_non_null(folder);
    assert_non_null(mkdtemp(folder));
    return folder;
}

static void run_shell(const char *format, const char *value)
{
    char command[2048];
    snprintf(command, sizeof command, format, value, value);
    assert_int_equal(system(command), 0);
}

void fixture_remove_folder(char *folder)
{
    run_shell("rm -rf '%s'", folder);
    free(folder);
}

size_t fixture_count_files(const char *folder, const char *name, const char *suffix)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/%s", folder, name != NULL ? name : "");
    DIR *directory = opendir(path);
    assert_non_null(directory);
    size_t count = 0;
    const struct dirent *entry;
    while ((entry = readdir(directory)) != NULL) {
        size_t length = strlen(entry->d_name);
        count += entry->d_name[0] != '.' && length >= strlen(suffix) &&
                 strcmp(entry->d_name + length - strlen(suffix), suffix) == 0;
    }
    closedir(directory);
    return count;
}

char *fixture_show_mail(const char *path)
{
    char command[2048];
    snprintf(command, sizeof command, PYTHON " '" TESTS "show_mail.py' '%s'", path);
    FILE *pipe = popen(command, "r");
    assert_non_null(pipe);
    char *text = calloc(1, 65536);
    assert_non_null(text);
    size_t size = fread(text, 1, 65535, pipe);
    assert_int_equal(pclose(pipe), 0);
    assert_true(size > 0);
    return text;
}

void fixture_start_server(struct fixture_server *server, const char *folder, const char *argument,
                          const char *value)
{
    snprintf(server->folder, sizeof server->folder, "%s", folder);
    run_shell("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "
              "/CN=localhost "
              "-addext subjectAltName=IP:127.0.0.1,DNS:localhost -keyout '%s/key.pem' -out '%s/cert.pem' "
              "2>/dev/null",
              folder);
    int to_server[2], from_server[2];
    assert_int_equal(pipe2(to_server, O_CLOEXEC), 0);
    assert_int_equal(pipe2(from_server, O_CLOEXEC), 0);
    server->pid = fork();
    assert_true(server->pid >= 0);
    if (server->pid == 0) {
        dup2(to_server[0], 0);
        dup2(from_server[1], 1);
        execl(PYTHON, PYTHON, TESTS "smtp_server.py", folder, argument, value, (char *)NULL);
        _exit(127);
    }
    close(to_server[0]);
    close(from_server[1]);
    server->stdin_fd = to_server[1];
    FILE *output = fdopen(from_server[0], "r");
    assert_non_null(output);
    server->port = 0;
    assert_int_equal(fscanf(output, "%d", &server->port), 1);
    fclose(output);
}

void fixture_stop_server(struct fixture_server *server)
{
    close(server->stdin_fd);
    assert_int_equal(waitpid(server->pid, NULL, 0), server->pid);
}

const struct guika_channel *fixture_open_plugin(const char *name)
{
    char path[1024];
    snprintf(path, sizeof path, "%s/lib/guika/channels/%s.so", GUIKA_BINARY_DIR, name);
    void *library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
    if (library == NULL)
        fail_msg("%s", dlerror());
    const struct guika_channel *channel = dlsym(library, "guika_channel");
    assert_non_null(channel);
    assert_int_equal(channel->abi_major, GUIKA_CHANNEL_ABI_MAJOR);
    assert_string_equal(channel->id, name);
    return channel;
}

void fixture_assert_has(const char *text, const char *part)
{
    if (strstr(text, part) == NULL)
        fail_msg("\"%s\" is missing in: %s", part, text);
}

void fixture_assert_lacks(const char *text, const char *part)
{
    if (strstr(text, part) != NULL)
        fail_msg("\"%s\" is in: %s", part, text);
}
