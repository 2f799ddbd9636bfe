/*
 * The channel "smtp": a notice leaves as e-mail through a mail server.
 *
 * Settings: `host`; `port` (1 to 65535; 587); `from` ("Guika <noreply@example.org>"); `starttls` (required,
 * the default; opportunistic; none); `ca_file` (PEM of who signed the server's certificate; the system's
 * store); `username` and `password_file` (a file whose first line is the password): both or neither.
 *
 * What the server says becomes a code in `detail`, never its words: they may quote the address.
 */
#include "mail.h"

#include <curl/curl.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>

#define PASSWORD_SIZE 256
#define CONNECT_TIMEOUT_MS 10000L

struct smtp {
    char *url;
    char *ca_file;
    char *username;
    char password[PASSWORD_SIZE];
    long use_ssl;
    struct guika_mail_sender sender;
};

/* The command that the server answered last: which of them was refused decides what the refusal means. */
enum stage { STAGE_CONNECT, STAGE_AUTH, STAGE_SENDER, STAGE_RECIPIENT, STAGE_DATA };

struct upload {
    const char *text;
    size_t left; /* bytes */
    enum stage stage;
};

static void close_channel(void *channel)
{
    struct smtp *smtp = channel;
    if (smtp == NULL)
        return;
    free(smtp->url);
    free(smtp->ca_file);
    free(smtp->username);
    explicit_bzero(smtp->password, sizeof smtp->password);
    free(smtp);
    curl_global_cleanup();
}

static bool read_password(const char *path, char *ret_password, char *detail, size_t detail_size)
{
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        snprintf(detail, detail_size, "cannot read password_file: %s", strerror(errno));
        return false;
    }
    bool got = fgets(ret_password, PASSWORD_SIZE, file) != NULL;
    fclose(file);
    if (got)
        ret_password[strcspn(ret_password, "\r\n")] = '\0';
    if (!got || ret_password[0] == '\0')
        snprintf(detail, detail_size, "password_file is empty");
    return got && ret_password[0] != '\0';
}

static bool read_starttls(const char *text, long *ret_use_ssl)
{
    static const struct {
        const char *word;
        long use_ssl;
    } words[] = {{"required", CURLUSESSL_ALL}, {"opportunistic", CURLUSESSL_TRY}, {"none", CURLUSESSL_NONE}};
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (text == NULL || strcmp(text, words[i].word) == 0) {
            *ret_use_ssl = words[i].use_ssl;
            return true;
        }
    }
    return false;
}

static bool read_url(const struct guika_pair *settings, size_t count, char **ret_url, char *detail,
                     size_t detail_size)
{
    const char *host = guika_mail_setting(settings, count, "host");
    const char *port = guika_mail_setting(settings, count, "port");
    char *end = NULL;
    long number = strtol(port != NULL ? port : "587", &end, 10);
    if (host == NULL ||
        strspn(host, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-:[]") != strlen(host)) {
        snprintf(detail, detail_size, "set host to the mail server's name or address");
        return false;
    }
    if (*end != '\0' || number < 1 || number > 65535) {
        snprintf(detail, detail_size, "port must be 1 to 65535, not \"%.32s\"", port);
        return false;
    }
    char url[600];
    int size = snprintf(url, sizeof url, "smtp://%s:%ld", host, number);
    *ret_url = size > 0 && (size_t)size < sizeof url ? strdup(url) : NULL;
    if (*ret_url == NULL)
        snprintf(detail, detail_size, "host is too long");
    return *ret_url != NULL;
}

static bool read_settings(struct smtp *smtp, const struct guika_pair *settings, size_t count, char *detail,
                          size_t detail_size)
{
    const char *from = guika_mail_setting(settings, count, "from");
    const char *starttls = guika_mail_setting(settings, count, "starttls");
    const char *ca_file = guika_mail_setting(settings, count, "ca_file");
    const char *username = guika_mail_setting(settings, count, "username");
    const char *password_file = guika_mail_setting(settings, count, "password_file");
    if (!read_url(settings, count, &smtp->url, detail, detail_size))
        return false;
    if (from == NULL || !guika_mail_read_sender(from, &smtp->sender)) {
        snprintf(detail, detail_size, "set from to the sender, as Guika <noreply@example.org>");
        return false;
    }
    if (!read_starttls(starttls, &smtp->use_ssl)) {
        snprintf(detail, detail_size, "starttls must be required, opportunistic or none, not \"%.32s\"",
                 starttls);
        return false;
    }
    if ((username == NULL) != (password_file == NULL)) {
        snprintf(detail, detail_size, "set username and password_file, both or neither");
        return false;
    }
    if (username != NULL && smtp->use_ssl != CURLUSESSL_ALL) {
        snprintf(detail, detail_size, "a password needs starttls = required");
        return false;
    }
    smtp->ca_file = ca_file != NULL ? strdup(ca_file) : NULL;
    smtp->username = username != NULL ? strdup(username) : NULL;
    return password_file == NULL || read_password(password_file, smtp->password, detail, detail_size);
}

static void *open_channel(const struct guika_pair *settings, size_t setting_count, char *detail,
                          size_t detail_size)
{
    if (curl_global_init(CURL_GLOBAL_DEFAULT) != CURLE_OK) {
        snprintf(detail, detail_size, "libcurl does not start");
        return NULL;
    }
    struct smtp *smtp = calloc(1, sizeof *smtp);
    if (smtp == NULL) {
        snprintf(detail, detail_size, "out of memory");
        curl_global_cleanup();
        return NULL;
    }
    if (!read_settings(smtp, settings, setting_count, detail, detail_size)) {
        close_channel(smtp);
        return NULL;
    }
    return smtp;
}

/* --- one delivery --- */

static size_t read_upload(char *buffer, size_t size, size_t count, void *context)
{
    struct upload *upload = context;
    size_t take = size * count < upload->left ? size * count : upload->left;
    memcpy(buffer, upload->text, take);
    upload->text += take;
    upload->left -= take;
    return take;
}

static int note_command(CURL *curl, curl_infotype type, char *data, size_t size, void *context)
{
    (void)curl;
    struct upload *upload = context;
    static const struct {
        const char *word;
        enum stage stage;
    } commands[] = {{"AUTH ", STAGE_AUTH},
                    {"MAIL FROM:", STAGE_SENDER},
                    {"RCPT TO:", STAGE_RECIPIENT},
                    {"DATA", STAGE_DATA}};
    if (type != CURLINFO_HEADER_OUT)
        return 0;
    for (size_t i = 0; i < sizeof commands / sizeof commands[0]; i++) {
        size_t length = strlen(commands[i].word);
        if (size >= length && strncmp(data, commands[i].word, length) == 0)
            upload->stage = commands[i].stage;
    }
    return 0;
}

static void set_options(CURL *curl, const struct smtp *smtp, struct upload *upload,
                        struct curl_slist *recipients, uint32_t deadline_ms)
{
    curl_easy_setopt(curl, CURLOPT_URL, smtp->url);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "smtp");
    curl_easy_setopt(curl, CURLOPT_PROXY, "");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_USE_SSL, smtp->use_ssl);
    if (smtp->ca_file != NULL)
        curl_easy_setopt(curl, CURLOPT_CAINFO, smtp->ca_file);
    if (smtp->username != NULL) {
        curl_easy_setopt(curl, CURLOPT_USERNAME, smtp->username);
        curl_easy_setopt(curl, CURLOPT_PASSWORD, smtp->password);
    }
    curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)deadline_ms);
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS,
                     (long)deadline_ms < CONNECT_TIMEOUT_MS ? (long)deadline_ms : CONNECT_TIMEOUT_MS);
    curl_easy_setopt(curl, CURLOPT_MAIL_FROM, smtp->sender.address);
    curl_easy_setopt(curl, CURLOPT_MAIL_RCPT, recipients);
    curl_easy_setopt(curl, CURLOPT_UPLOAD, 1L);
    curl_easy_setopt(curl, CURLOPT_READFUNCTION, read_upload);
    curl_easy_setopt(curl, CURLOPT_READDATA, upload);
    curl_easy_setopt(curl, CURLOPT_VERBOSE, 1L); /* without it the next one is not called */
    curl_easy_setopt(curl, CURLOPT_DEBUGFUNCTION, note_command);
    curl_easy_setopt(curl, CURLOPT_DEBUGDATA, upload);
}

/* A permanent refusal of the recipient or of the message ends this address; one of us (sender, password) is
 * the operator's to mend, so it is tried again. */
static void judge(CURLcode code, long answer, enum stage stage, struct guika_result *ret_result)
{
    static const char *const stages[] = {"connection", "login", "sender", "recipient", "message"};
    if (code == CURLE_OK) {
        ret_result->outcome = GUIKA_DELIVERED;
        snprintf(ret_result->detail, sizeof ret_result->detail, "accepted with %ld", answer);
        return;
    }
    bool refused = answer >= 500 && answer <= 599;
    ret_result->outcome =
        refused && (stage == STAGE_RECIPIENT || stage == STAGE_DATA) ? GUIKA_REFUSED : GUIKA_TRY_LATER;
    if (answer >= 400 && answer <= 599)
        snprintf(ret_result->detail, sizeof ret_result->detail, "%s refused with %ld", stages[stage], answer);
    else
        snprintf(ret_result->detail, sizeof ret_result->detail, "%s: %s", stages[stage],
                 curl_easy_strerror(code));
}

/* Closing says QUIT and waits for its answer, up to two minutes and past every timeout that was set. Nothing
 * in that answer matters, so nothing more is received. */
static void stop_listening(CURL *curl)
{
    curl_socket_t socket = CURL_SOCKET_BAD;
    if (curl_easy_getinfo(curl, CURLINFO_ACTIVESOCKET, &socket) == CURLE_OK && socket != CURL_SOCKET_BAD)
        shutdown(socket, SHUT_RD);
}

static void deliver(void *channel, const struct guika_notice *notice, uint32_t deadline_ms,
                    struct guika_result *ret_result)
{
    const struct smtp *smtp = channel;
    *ret_result = (struct guika_result){.outcome = GUIKA_TRY_LATER, .detail = "out of memory"};
    size_t size = 0;
    char *text = guika_mail_compose(&smtp->sender, notice, "\r\n", &size);
    CURL *curl = curl_easy_init();
    struct curl_slist *recipients = curl_slist_append(NULL, notice->address);
    if (text != NULL && curl != NULL && recipients != NULL) {
        struct upload upload = {.text = text, .left = size};
        set_options(curl, smtp, &upload, recipients, deadline_ms);
        CURLcode code = curl_easy_perform(curl);
        long answer = 0;
        curl_easy_getinfo(curl, CURLINFO_RESPONSE_CODE, &answer);
        judge(code, answer, upload.stage, ret_result);
        stop_listening(curl);
    }
    curl_slist_free_all(recipients);
    curl_easy_cleanup(curl);
    free(text);
}

const struct guika_channel guika_channel = {
    .struct_size = sizeof(struct guika_channel),
    .abi_major = GUIKA_CHANNEL_ABI_MAJOR,
    .abi_minor = GUIKA_CHANNEL_ABI_MINOR,
    .id = "smtp",
    .version = "0.1.0",
    .open = open_channel,
    .close = close_channel,
    .accepts_address = guika_mail_accepts_address,
    .deliver = deliver,
};
