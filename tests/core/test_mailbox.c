#include "core/mailbox.h"

#include "core/task.h"

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

enum { SENDERS = 4, LETTERS = 500 };

struct letter {
    struct gk_mail mail;
    struct received *received;
    unsigned sender;
    unsigned number;
};

struct received {
    pthread_t loop_thread;
    unsigned next[SENDERS]; /* number that is expected of each sender */
    unsigned count;
    unsigned wrong;
    uv_timer_t keep_alive;
};

struct sender {
    struct gk_mailbox *mailbox;
    struct letter letters[LETTERS];
};

static void deliver(struct gk_mail *mail)
{
    struct letter *letter = gk_container_of(mail, struct letter, mail);
    struct received *received = letter->received;

    if (!pthread_equal(pthread_self(), received->loop_thread) ||
        letter->number != received->next[letter->sender]) {
        received->wrong++;
    }
    received->next[letter->sender]++;
    if (++received->count == SENDERS * LETTERS) {
        (void)uv_timer_stop(&received->keep_alive);
    }
}

static void *send_all(void *context)
{
    struct sender *sender = context;

    for (unsigned i = 0; i < LETTERS; i++) {
        gk_mailbox_post(sender->mailbox, &sender->letters[i].mail);
    }
    return NULL;
}

static void on_time_over(uv_timer_t *timer)
{
    uv_stop(timer->loop);
}

static void test_letters_of_many_threads_come_once_in_order_on_the_loop(void **state)
{
    static struct sender senders[SENDERS];
    struct received received = {.loop_thread = pthread_self()};
    pthread_t threads[SENDERS];
    uv_loop_t loop;

    (void)state;
    (void)uv_loop_init(&loop);
    (void)uv_timer_init(&loop, &received.keep_alive);
    (void)uv_timer_start(&received.keep_alive, on_time_over, 30000, 0);
    struct gk_mailbox *mailbox = gk_mailbox_open(&loop);

    for (unsigned i = 0; i < SENDERS; i++) {
        senders[i].mailbox = mailbox;
        for (unsigned k = 0; k < LETTERS; k++) {
            senders[i].letters[k] =
                (struct letter){.mail.deliver = deliver, .received = &received, .sender = i, .number = k};
        }
        assert_int_equal(pthread_create(&threads[i], NULL, send_all, &senders[i]), 0);
    }
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    for (unsigned i = 0; i < SENDERS; i++) {
        (void)pthread_join(threads[i], NULL);
    }
    assert_int_equal(received.count, SENDERS * LETTERS);
    assert_int_equal(received.wrong, 0);
    gk_mailbox_close(mailbox);
    uv_close((uv_handle_t *)&received.keep_alive, NULL);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void test_close_delivers_what_is_still_there(void **state)
{
    struct received received = {.loop_thread = pthread_self()};
    struct letter letter = {.mail.deliver = deliver, .received = &received};
    uv_loop_t loop;

    (void)state;
    (void)uv_loop_init(&loop);
    struct gk_mailbox *mailbox = gk_mailbox_open(&loop);

    gk_mailbox_post(mailbox, &letter.mail);
    gk_mailbox_close(mailbox);
    assert_int_equal(received.count, 1);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(received.count, 1);
    assert_int_equal(uv_loop_close(&loop), 0);
}

struct chain {
    struct gk_mail mail;
    struct gk_mailbox *mailbox;
    unsigned times;
};

static void post_again(struct gk_mail *mail)
{
    struct chain *chain = gk_container_of(mail, struct chain, mail);

    if (++chain->times < 3) {
        gk_mailbox_post(chain->mailbox, mail);
    }
}

static void test_letter_may_be_posted_again_while_it_is_delivered(void **state)
{
    struct chain chain = {.mail.deliver = post_again};
    uv_timer_t keep_alive;
    uv_loop_t loop;

    (void)state;
    (void)uv_loop_init(&loop);
    (void)uv_timer_init(&loop, &keep_alive);
    (void)uv_timer_start(&keep_alive, on_time_over, 30000, 0);
    chain.mailbox = gk_mailbox_open(&loop);
    gk_mailbox_post(chain.mailbox, &chain.mail);
    while (chain.times < 3) {
        (void)uv_run(&loop, UV_RUN_ONCE);
    }
    assert_int_equal(chain.times, 3);
    gk_mailbox_close(chain.mailbox);
    uv_close((uv_handle_t *)&keep_alive, NULL);
    (void)uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_letters_of_many_threads_come_once_in_order_on_the_loop),
        cmocka_unit_test(test_close_delivers_what_is_still_there),
        cmocka_unit_test(test_letter_may_be_posted_again_while_it_is_delivered),
    };

    return cmocka_run_group_tests_name("core/mailbox", tests, NULL, NULL);
}
