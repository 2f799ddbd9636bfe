/*
 * The channel "maildir": a notice becomes one e-mail file in a maildir, whatever address it is for.
 *
 * Settings: `path` (the maildir; it is made where it is missing), `from` ("Guika <noreply@example.org>").
 *
 * The file is named by the message id, so however often a delivery is repeated there is one file: in new/, or
 * in cur/ once a reader has seen it. It is complete and on disk before it has that name.
 */
#include "mail.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct maildir {
    int tmp; /* directory descriptors */
    int new;
    int cur;
    struct guika_mail_sender sender;
};

static int open_directory(const char *path, const char *name)
{
    char full[4096];
    int size = snprintf(full, sizeof full, "%s/%s", path, name);
    if (size < 0 || (size_t)size >= sizeof full) {
        errno = ENAMETOOLONG;
        return -1;
    }
    if (mkdir(full, 0700) != 0 && errno != EEXIST)
        return -1;
    return open(full, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void close_channel(void *channel)
{
    struct maildir *maildir = channel;
    if (maildir == NULL)
        return;
    if (maildir->tmp >= 0)
        close(maildir->tmp);
    if (maildir->new >= 0)
        close(maildir->new);
    if (maildir->cur >= 0)
        close(maildir->cur);
    free(maildir);
}

static void *open_channel(const struct guika_pair *settings, size_t setting_count, char *detail,
                          size_t detail_size)
{
    const char *path = guika_mail_setting(settings, setting_count, "path");
    const char *from = guika_mail_setting(settings, setting_count, "from");
    struct guika_mail_sender sender;
    if (path == NULL) {
        snprintf(detail, detail_size, "set path to the maildir's folder");
        return NULL;
    }
    if (from == NULL || !guika_mail_read_sender(from, &sender)) {
        snprintf(detail, detail_size, "set from to the sender, as Guika <noreply@example.org>");
        return NULL;
    }
    struct maildir *maildir = malloc(sizeof *maildir);
    if (maildir == NULL) {
        snprintf(detail, detail_size, "out of memory");
        return NULL;
    }
    *maildir = (struct maildir){.tmp = -1, .new = -1, .cur = -1, .sender = sender};
    if ((mkdir(path, 0700) != 0 && errno != EEXIST) || (maildir->tmp = open_directory(path, "tmp")) < 0 ||
        (maildir->new = open_directory(path, "new")) < 0 ||
        (maildir->cur = open_directory(path, "cur")) < 0) {
        snprintf(detail, detail_size, "cannot use %.120s: %s", path, strerror(errno));
        close_channel(maildir);
        return NULL;
    }
    return maildir;
}

/* True where cur/ has the file, with or without the flags that a reader adds after a colon. */
static bool was_read(const struct maildir *maildir, const char *name)
{
    int fd = openat(maildir->cur, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    DIR *directory = fdopendir(fd);
    if (directory == NULL) {
        close(fd);
        return false;
    }
    size_t length = strlen(name);
    bool found = false;
    const struct dirent *entry;
    while (!found && (entry = readdir(directory)) != NULL)
        found = strncmp(entry->d_name, name, length) == 0 &&
                (entry->d_name[length] == '\0' || entry->d_name[length] == ':');
    closedir(directory);
    return found;
}

/* Files move from new/ to cur/ alone, so looking in this order misses none. */
static bool is_there(const struct maildir *maildir, const char *name)
{
    return faccessat(maildir->new, name, F_OK, 0) == 0 || was_read(maildir, name);
}

/* Writes the whole message to tmp/. Returns 0 or an errno. A file that a killed courier left there is
 * replaced. */
static int write_file(const struct maildir *maildir, const char *name, const char *text, size_t size)
{
    int fd = openat(maildir->tmp, name, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno;
    int failure = 0;
    while (failure == 0 && size > 0) {
        ssize_t written = write(fd, text, size);
        if (written < 0) {
            failure = errno == EINTR ? 0 : errno;
            continue;
        }
        text += written;
        size -= (size_t)written;
    }
    if (failure == 0 && fsync(fd) != 0)
        failure = errno;
    if (close(fd) != 0 && failure == 0)
        failure = errno;
    return failure;
}

/* Brings the message to new/, durably. Returns 0 or an errno. */
static int store(const struct maildir *maildir, const struct guika_notice *notice)
{
    size_t size = 0;
    char *text = guika_mail_compose(&maildir->sender, notice, "\n", &size);
    if (text == NULL)
        return ENOMEM;
    int failure = write_file(maildir, notice->message_id, text, size);
    free(text);
    if (failure == 0 && renameat(maildir->tmp, notice->message_id, maildir->new, notice->message_id) != 0)
        failure = errno;
    return failure;
}

static bool is_message_id(const char *id)
{
    return strlen(id) == 32 && strspn(id, "0123456789abcdefABCDEF") == 32;
}

static void deliver(void *channel, const struct guika_notice *notice, uint32_t deadline_ms,
                    struct guika_result *ret_result)
{
    (void)deadline_ms;
    const struct maildir *maildir = channel;
    *ret_result = (struct guika_result){.outcome = GUIKA_DELIVERED};
    if (!is_message_id(notice->message_id)) {
        ret_result->outcome = GUIKA_REFUSED;
        snprintf(ret_result->detail, sizeof ret_result->detail,
                 "the message id is not 32 hexadecimal digits");
        return;
    }
    bool repeated = is_there(maildir, notice->message_id);
    int failure = repeated ? 0 : store(maildir, notice);
    /* Also for a repeated one: who wrote it may have been killed before this. */
    if (failure == 0 && (fsync(maildir->new) != 0 || fsync(maildir->cur) != 0))
        failure = errno;
    if (failure != 0) {
        ret_result->outcome = GUIKA_TRY_LATER;
        snprintf(ret_result->detail, sizeof ret_result->detail, "cannot write: %s", strerror(failure));
        return;
    }
    snprintf(ret_result->detail, sizeof ret_result->detail, repeated ? "was there already" : "written");
}

const struct guika_channel guika_channel = {
    .struct_size = sizeof(struct guika_channel),
    .abi_major = GUIKA_CHANNEL_ABI_MAJOR,
    .abi_minor = GUIKA_CHANNEL_ABI_MINOR,
    .id = "maildir",
    .version = "0.1.0",
    .open = open_channel,
    .close = close_channel,
    .accepts_address = guika_mail_accepts_address,
    .deliver = deliver,
};
