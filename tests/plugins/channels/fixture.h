/*
 * What the channels' tests share: a folder of their own, a real mail server, a real mail parser, a plugin
 * opened as a courier opens it. Each fails the running test where something goes wrong.
 */
#ifndef GUIKA_TESTS_CHANNELS_FIXTURE_H
#define GUIKA_TESTS_CHANNELS_FIXTURE_H

#include <guika/channel.h>

#include <stddef.h>
#include <sys/types.h>

/* A new folder under the build folder; text for free(). */
char *fixture_folder(void);
void fixture_remove_folder(char *folder); /* and what is in it; frees the text */

/* Files in `folder`/`name` (NULL: in `folder`) whose name ends with `suffix`. */
size_t fixture_count_files(const char *folder, const char *name, const char *suffix);

/* The mail file as Python's email package reads it: headers, empty line, text; for free(). */
char *fixture_show_mail(const char *path);

struct fixture_server {
    pid_t pid;
    int stdin_fd;
    int port;
    char folder[512]; /* accepted messages: 1.eml, ...; the certificate: cert.pem */
};

/* Starts smtp_server.py in `folder` with up to two more arguments (NULL: none). */
void fixture_start_server(struct fixture_server *server, const char *folder, const char *argument,
                          const char *value);
void fixture_stop_server(struct fixture_server *server);

/* The plugin `name` out of the build's folder; never closed. */
const struct guika_channel *fixture_open_plugin(const char *name);

void fixture_assert_has(const char *text, const char *part);
void fixture_assert_lacks(const char *text, const char *part);

#endif
