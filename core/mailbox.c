#include "core/mailbox.h"

#include "core/memory.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>

struct gk_mailbox {
    uv_async_t async;
    pthread_mutex_t lock;
    struct gk_mail *first;
    struct gk_mail **last; /* where the next letter hangs */
};

static struct gk_mail *take_all(struct gk_mailbox *mailbox)
{
    (void)pthread_mutex_lock(&mailbox->lock);
    struct gk_mail *mail = mailbox->first;

    mailbox->first = NULL;
    mailbox->last = &mailbox->first;
    (void)pthread_mutex_unlock(&mailbox->lock);
    return mail;
}

static void deliver_all(struct gk_mailbox *mailbox)
{
    struct gk_mail *mail = take_all(mailbox);

    while (mail != NULL) {
        struct gk_mail *next = mail->next;

        mail->deliver(mail);
        mail = next;
    }
}

static void on_async(uv_async_t *async)
{
    deliver_all(async->data);
}

struct gk_mailbox *gk_mailbox_open(uv_loop_t *loop)
{
    struct gk_mailbox *mailbox = gk_allocate(sizeof *mailbox);
    const int failed = uv_async_init(loop, &mailbox->async, on_async);

    assert(failed == 0);
    (void)failed;
    mailbox->async.data = mailbox;
    mailbox->last = &mailbox->first;
    (void)pthread_mutex_init(&mailbox->lock, NULL);
    uv_unref((uv_handle_t *)&mailbox->async);
    return mailbox;
}

static void on_closed(uv_handle_t *handle)
{
    struct gk_mailbox *mailbox = handle->data;

    (void)pthread_mutex_destroy(&mailbox->lock);
    free(mailbox);
}

void gk_mailbox_close(struct gk_mailbox *mailbox)
{
    if (mailbox == NULL) {
        return;
    }
    deliver_all(mailbox);
    uv_close((uv_handle_t *)&mailbox->async, on_closed);
}

void gk_mailbox_post(struct gk_mailbox *mailbox, struct gk_mail *mail)
{
    (void)pthread_mutex_lock(&mailbox->lock);
    const int was_empty = mailbox->first == NULL;

    mail->next = NULL;
    *mailbox->last = mail;
    mailbox->last = &mail->next;
    (void)pthread_mutex_unlock(&mailbox->lock);
    if (was_empty) {
        (void)uv_async_send(&mailbox->async);
    }
}
