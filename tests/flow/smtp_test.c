/* Notices by real SMTP: delivered over STARTTLS, delivered later where the server fails, given up where the
 * holder's addresses are refused. */
#include "tests/flow/service.h"
#include "tests/plugins/channels/fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

enum { CARDS = 3, NOTICE_WAIT_MS = 40000, END_LIMIT_MS = 10000, QUIET_MS = 1500 };

struct world {
    struct gk_test_service service;
    struct fixture_server mail;
    char *folder; /* of the mail server */
    int port_fd;  /* its listening socket, ours: so its clients can be turned away before it runs */
    char box[GK_TEST_TOKEN_SIZE];
    struct gk_rpc_client *client;
    struct gk_test_holder holders[CARDS];
    struct gk_test_picture pictures[CARDS];
};

static int listen_somewhere(unsigned *ret_port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    const int fd = socket(AF_INET, SOCK_STREAM, 0); /* inherited by the mail server */

    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 16), 0);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&address, &size), 0);
    *ret_port = ntohs(address.sin_port);
    return fd;
}

static void configure(const struct world *world, unsigned port)
{
    gk_test_service_configure(&world->service,
                              "listen = {\"%s\"}\n"
                              "readers { count = 1 }\n"
                              "channel \"smtp\" {\n"
                              "    host = \"127.0.0.1\"\n"
                              "    port = \"%u\"\n"
                              "    ca_file = \"%s/cert.pem\"\n"
                              "    from = \"Guika <no-reply@guika.example>\"\n"
                              "}\n",
                              world->service.url, port, world->folder);
}

static int set_up(void **state)
{
    static const char *const contacts[CARDS] = {"smtp:ada@holders.example", "smtp:unknown@holders.example",
                                                "smtp:unknown@h.example;smtp:second@h.example"};
    struct world *world = calloc(1, sizeof *world);
    char issuer[GK_TEST_TOKEN_SIZE];
    unsigned port;

    world->folder = fixture_folder();
    world->port_fd = listen_somewhere(&port);
    gk_test_service_make(&world->service, 1);
    configure(world, port);
    gk_test_service_start(&world->service);
    gk_test_add_box(&world->service, "box-1", world->box);
    gk_test_add_issuer(&world->service, "bank", "iso7812", issuer);
    for (unsigned i = 0; i < CARDS; i++) {
        struct gk_test_holder *holder = &world->holders[i];

        world->pictures[i] = gk_test_mint_card(300 + i, holder->number);
        holder->scheme = "iso7812";
        holder->language = "zh";
        (void)snprintf(holder->holder_id, sizeof holder->holder_id, "h%u", i);
        (void)snprintf(holder->contact, sizeof holder->contact, "%s", contacts[i]);
    }
    gk_test_import(&world->service, issuer, "all", world->holders, CARDS);
    world->client = gk_test_client(&world->service, world->box);
    *state = world;
    return 0;
}

static int tear_down(void **state)
{
    struct world *world = *state;

    gk_rpc_client_close(world->client);
    assert_int_equal(gk_test_service_stop(&world->service, SIGTERM), 0);
    gk_test_service_remove(&world->service);
    fixture_stop_server(&world->mail);
    (void)close(world->port_fd);
    fixture_remove_folder(world->folder);
    for (unsigned i = 0; i < CARDS; i++) {
        free(world->pictures[i].data);
    }
    free(world);
    return 0;
}

static void find_card(const struct world *world, const char *deposit_id, unsigned card)
{
    guika_v1_DepositResponse response = {0};
    struct gk_error error = {0};

    if (gk_test_deposit(world->client, deposit_id, &world->pictures[card], &response, &error) != GK_OK) {
        fail_msg("%s", error.message);
    }
    assert_int_equal(response.zone, guika_v1_Zone_ZONE_NORMAL);
    gk_test_confirm_stored(world->client, deposit_id, response.zone);
}

static void wait_for_statistic(const struct world *world, const char *name, uint64_t value)
{
    for (unsigned waited = 0; gk_test_statistic(&world->service, name) < value; waited += 50) {
        if (waited >= NOTICE_WAIT_MS) {
            fail_msg("%s stays at %llu", name, (unsigned long long)gk_test_statistic(&world->service, name));
        }
        gk_test_sleep_ms(50);
    }
}

static char *mail_text(const struct world *world, unsigned number)
{
    char path[PATH_MAX];

    (void)snprintf(path, sizeof path, "%s/%u.eml", world->folder, number);
    return fixture_show_mail(path);
}

/* Takes the next client of the mail server's port and hangs up. */
static void turn_away(const struct world *world)
{
    struct pollfd port = {.fd = world->port_fd, .events = POLLIN};

    assert_int_equal(poll(&port, 1, NOTICE_WAIT_MS), 1);
    const int client = accept(world->port_fd, NULL, NULL);

    assert_true(client >= 0);
    (void)close(client);
}

static void test_notice_waits_for_a_server_that_fails_and_then_arrives_once(void **state)
{
    struct world *world = *state;
    char fd[16];

    find_card(world, "first", 0);
    turn_away(world);
    assert_int_equal(gk_test_statistic(&world->service, "notices_delivered"), 0);
    (void)snprintf(fd, sizeof fd, "%d", world->port_fd);
    fixture_start_server(&world->mail, world->folder, "--fd", fd);
    wait_for_statistic(world, "notices_delivered", 1);
    gk_test_sleep_ms(QUIET_MS);
    assert_int_equal(fixture_count_files(world->folder, NULL, ".eml"), 1);
    char *mail = mail_text(world, 1);

    fixture_assert_has(mail, "X-Tls: yes\n");
    fixture_assert_has(mail, "X-Envelope-To: ada@holders.example\n");
    fixture_assert_has(mail, "Subject: 您遗失的卡找到了");
    fixture_assert_has(mail, "图书馆一楼东门");
    fixture_assert_lacks(mail, world->holders[0].number);
    free(mail);
}

static void test_refused_address_is_given_up_and_counted(void **state)
{
    struct world *world = *state;
    const size_t mails = fixture_count_files(world->folder, NULL, ".eml");
    size_t count;

    find_card(world, "second", 1);
    wait_for_statistic(world, "notices_dead", 1);
    assert_int_equal(fixture_count_files(world->folder, NULL, ".eml"), mails);
    guika_v1_FoundCardRow *rows = gk_test_found(&world->service, &count);

    assert_string_equal(rows[0].deposit_id, "second");
    assert_false(rows[0].notice_delivered);
    assert_int_equal(rows[0].state, guika_v1_CardState_CARD_STATE_IDENTIFIED);
    free(rows);
}

static void test_next_contact_is_tried_where_one_is_refused(void **state)
{
    struct world *world = *state;
    const size_t mails = fixture_count_files(world->folder, NULL, ".eml");

    find_card(world, "third", 2);
    wait_for_statistic(world, "notices_delivered", mails + 1);
    assert_int_equal(fixture_count_files(world->folder, NULL, ".eml"), mails + 1);
    char *mail = mail_text(world, (unsigned)mails + 1);

    fixture_assert_has(mail, "X-Envelope-To: second@h.example\n");
    free(mail);
    assert_int_equal(gk_test_statistic(&world->service, "notices_dead"), 1);
}

/* The server takes the connection and says no word. */
static void test_silent_server_does_not_hold_up_the_end_and_gets_the_notice_later(void **state)
{
    struct world *world = *state;
    const uint64_t delivered = gk_test_statistic(&world->service, "notices_delivered");
    struct pollfd port = {.fd = world->port_fd, .events = POLLIN};

    assert_int_equal(kill(world->mail.pid, SIGSTOP), 0);
    find_card(world, "fourth", 0);
    assert_int_equal(poll(&port, 1, NOTICE_WAIT_MS), 1);
    const long long began_ms = gk_test_now_ms();

    assert_int_equal(gk_test_service_stop(&world->service, SIGTERM), 0);
    const long long took_ms = gk_test_now_ms() - began_ms;

    print_message("the end took %lld ms\n", took_ms);
    assert_true(took_ms < END_LIMIT_MS);
    assert_int_equal(kill(world->mail.pid, SIGCONT), 0);
    gk_test_service_start(&world->service);
    wait_for_statistic(world, "notices_delivered", delivered + 1);
    gk_test_sleep_ms(QUIET_MS);
    assert_int_equal(fixture_count_files(world->folder, NULL, ".eml"), delivered + 1);
}

static void test_log_names_no_holder(void **state)
{
    const struct world *world = *state;
    char name[PATH_MAX];

    assert_int_equal(gk_test_files_with(world->service.log, "holders.example", 15, name), 0);
    assert_int_equal(gk_test_files_with(world->service.log, "h.example", 9, name), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_notice_waits_for_a_server_that_fails_and_then_arrives_once),
        cmocka_unit_test(test_refused_address_is_given_up_and_counted),
        cmocka_unit_test(test_next_contact_is_tried_where_one_is_refused),
        cmocka_unit_test(test_silent_server_does_not_hold_up_the_end_and_gets_the_notice_later),
        cmocka_unit_test(test_log_names_no_holder),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
