/*
 * What guika and guika-box are told by a configuration file and by options: the file first, options over it.
 */
#ifndef GUIKA_CLIENTS_CLI_SETTINGS_H
#define GUIKA_CLIENTS_CLI_SETTINGS_H

#include "rpc/status.h"

#include <stdbool.h>

#define GK_TOKEN_SIZE 128 /* bytes with the terminator: RequestHeader.authorization */

/* Strings are owned, NULL where nothing was said. */
struct gk_settings {
    char *server; /* URL */
    char *token_file;
    char *ca_file;     /* PEM */
    char *server_name; /* that the certificate must carry */
    char *issuers;     /* guika read, guika corpus: the folder of issuer plugins */
    char *camera;      /* guika-box: the folder that it watches */
    char *spool;       /* guika-box: its spool and state */
    char *keypad;      /* guika-box: the pipe that stands for its keypad */
    long compartments; /* guika-box: of the normal zone */
    long difficult;    /* guika-box: of the difficult zone */
};

/* The defaults, before any file. */
struct gk_settings gk_settings_default(void);
void gk_settings_clear(struct gk_settings *settings);

/* Reads a libconfuse file of `key = "value"` lines over `settings`. NOT_FOUND where there is no such file;
 * INVALID_ARGUMENT with file and line where it is not understood. */
enum gk_status gk_settings_load(struct gk_settings *settings, const char *path, struct gk_error *error);

/* Replaces one string. */
void gk_settings_replace(char **field, const char *value);

/* Reads a number of [least, most]; INVALID_ARGUMENT names `what`, the range and the text. */
enum gk_status gk_settings_number(const char *text, const char *what, long least, long most, long *ret_number,
                                  struct gk_error *error);

/* Reads the first line of a token file. */
enum gk_status gk_settings_read_token(const char *path, char ret_token[GK_TOKEN_SIZE],
                                      struct gk_error *error);

#endif
