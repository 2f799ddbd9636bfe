#include "core/shelf.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void announce(guika_v1_internal_AnnounceRequest *request, const char *issuer, const char *scheme)
{
    guika_v1_internal_ShelfIssuer *item = &request->issuers[request->issuers_count++];

    (void)snprintf(item->issuer, sizeof item->issuer, "%s", issuer);
    (void)snprintf(item->scheme, sizeof item->scheme, "%s", scheme);
    (void)snprintf(item->name_en, sizeof item->name_en, "Name of %s", issuer);
}

static void test_empty_shelf_has_nothing(void **state)
{
    struct gk_shelf *shelf = gk_shelf_new();
    char schemes[GK_SHELF_SCHEMES_MAX][32];
    guika_v1_internal_ShelfIssuer issuer;

    (void)state;
    assert_false(gk_shelf_find(shelf, "unionpay", &issuer));
    assert_int_equal(gk_shelf_schemes(shelf, schemes), 0);
    gk_shelf_free(shelf);
}

static void test_issuers_of_one_scheme_count_once(void **state)
{
    guika_v1_internal_AnnounceRequest *request = calloc(1, sizeof *request);
    struct gk_shelf *shelf = gk_shelf_new();
    char schemes[GK_SHELF_SCHEMES_MAX][32];
    guika_v1_internal_ShelfIssuer issuer;

    (void)state;
    announce(request, "iso7812", "iso7812");
    announce(request, "unionpay", "iso7812");
    announce(request, "octopus", "octopus");
    gk_shelf_set(shelf, request);
    assert_true(gk_shelf_find(shelf, "unionpay", &issuer));
    assert_string_equal(issuer.name_en, "Name of unionpay");
    assert_int_equal(gk_shelf_schemes(shelf, schemes), 2);
    assert_string_equal(schemes[0], "iso7812");
    assert_string_equal(schemes[1], "octopus");
    gk_shelf_free(shelf);
    free(request);
}

static void test_new_announcement_replaces_the_old(void **state)
{
    guika_v1_internal_AnnounceRequest *request = calloc(1, sizeof *request);
    struct gk_shelf *shelf = gk_shelf_new();
    guika_v1_internal_ShelfIssuer issuer;

    (void)state;
    announce(request, "old", "a");
    gk_shelf_set(shelf, request);
    request->issuers_count = 0;
    announce(request, "new", "b");
    gk_shelf_set(shelf, request);
    assert_false(gk_shelf_find(shelf, "old", &issuer));
    assert_true(gk_shelf_find(shelf, "new", &issuer));
    gk_shelf_free(shelf);
    free(request);
}

static void test_more_schemes_than_fit_are_cut(void **state)
{
    guika_v1_internal_AnnounceRequest *request = calloc(1, sizeof *request);
    struct gk_shelf *shelf = gk_shelf_new();
    char schemes[GK_SHELF_SCHEMES_MAX][32];
    char name[16];

    (void)state;
    for (int i = 0; i < GK_SHELF_SCHEMES_MAX + 5; i++) {
        (void)snprintf(name, sizeof name, "s%d", i);
        announce(request, name, name);
    }
    gk_shelf_set(shelf, request);
    assert_int_equal(gk_shelf_schemes(shelf, schemes), GK_SHELF_SCHEMES_MAX);
    gk_shelf_free(shelf);
    free(request);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_empty_shelf_has_nothing),
        cmocka_unit_test(test_issuers_of_one_scheme_count_once),
        cmocka_unit_test(test_new_announcement_replaces_the_old),
        cmocka_unit_test(test_more_schemes_than_fit_are_cut),
    };

    return cmocka_run_group_tests_name("core/shelf", tests, NULL, NULL);
}
