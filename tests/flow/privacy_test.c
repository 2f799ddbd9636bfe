/* What must not rest: the card's picture and number, and the holder's address, are found in clear nowhere
 * that the service writes. */
#include "tests/flow/service.h"

#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void assert_nowhere(const char *place, const void *bytes, size_t size, const char *what)
{
    char name[4096] = "";

    if (gk_test_files_with(place, bytes, size, name) != 0) {
        fail_msg("%s is in clear in %s", what, name);
    }
}

/* Every four digits with a space between them, as cards print it. */
static void spaced(const char *number, char ret_text[64])
{
    size_t used = 0;

    for (size_t i = 0; number[i] != '\0'; i++) {
        if (i > 0 && i % 4 == 0) {
            ret_text[used++] = ' ';
        }
        ret_text[used++] = number[i];
    }
    ret_text[used] = '\0';
}

static void assert_clean(const char *place, const struct gk_test_holder *holder,
                         const struct gk_test_picture *picture)
{
    static const uint8_t jpeg[] = {0xff, 0xd8, 0xff, 0xe0};
    static const uint8_t png[] = {0x89, 'P', 'N', 'G', '\r', '\n'};
    char text[64];
    const char *address = strchr(holder->contact, ':') + 1;

    spaced(holder->number, text);
    assert_nowhere(place, holder->number, strlen(holder->number), "the number");
    assert_nowhere(place, text, strlen(text), "the printed number");
    assert_nowhere(place, address, strlen(address), "the holder's address");
    assert_nowhere(place, picture->data + picture->size / 2, 32, "a part of the picture");
    assert_nowhere(place, jpeg, sizeof jpeg, "a JPEG header");
    assert_nowhere(place, png, sizeof png, "a PNG header");
}

static void test_nothing_that_names_a_holder_rests_in_clear(void **state)
{
    struct gk_test_service service;
    struct gk_test_holder holder = {.scheme = "iso7812", .language = "en", .holder_id = "holder-id-in-clear"};
    char stranger_number[40];
    char issuer[GK_TEST_TOKEN_SIZE];
    char box[GK_TEST_TOKEN_SIZE];
    char place[128];
    guika_v1_DepositResponse response = {0};
    struct gk_test_picture picture = gk_test_mint_card(42, holder.number);
    struct gk_test_picture stranger = gk_test_mint_card(43, stranger_number);

    (void)state;
    (void)snprintf(holder.contact, sizeof holder.contact, "smtp:very.private@holders.example");
    gk_test_service_make(&service, 1);
    gk_test_service_start(&service);
    gk_test_add_issuer(&service, "bank", "iso7812", issuer);
    gk_test_add_box(&service, "box-1", box);
    gk_test_import(&service, issuer, "one", &holder, 1);
    struct gk_rpc_client *client = gk_test_client(&service, box);

    assert_int_equal(gk_test_deposit(client, "known", &picture, &response, NULL), GK_OK);
    gk_test_confirm_stored(client, "known", response.zone);
    assert_int_equal(gk_test_deposit(client, "stranger", &stranger, &response, NULL), GK_OK);
    gk_test_confirm_stored(client, "stranger", response.zone);
    assert_true(gk_test_mail_wait(&service, 1, 20000));
    gk_rpc_client_close(client);

    (void)snprintf(place, sizeof place, "%s/service", service.directory); /* configuration, keys, data */
    assert_clean(place, &holder, &picture);
    assert_clean(service.log, &holder, &picture);
    assert_int_equal(gk_test_service_stop(&service, SIGTERM), 0);
    assert_clean(place, &holder, &picture);
    (void)snprintf(holder.number, sizeof holder.number, "%s", stranger_number);
    (void)snprintf(holder.contact, sizeof holder.contact, "smtp:%s", holder.holder_id);
    assert_clean(place, &holder, &stranger);
    assert_clean(service.log, &holder, &picture);
    gk_test_service_remove(&service);
    free(picture.data);
    free(stranger.data);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_nothing_that_names_a_holder_rests_in_clear)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
