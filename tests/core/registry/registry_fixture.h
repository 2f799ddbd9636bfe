/* A real registry on a real store in a directory of its own, and pages of an import. */
#ifndef GUIKA_TESTS_CORE_REGISTRY_REGISTRY_FIXTURE_H
#define GUIKA_TESTS_CORE_REGISTRY_REGISTRY_FIXTURE_H

#include "core/registry/registry.h"
#include "rpc/repeated.h"

struct registry_fixture {
    char directory[64]; /* scratch; "store" and "keys" lie below it */
    char store_path[80];
    struct gk_store *store;
    struct gk_keys *keys;
    struct gk_registry *registry;
    guika_v1_ImportCardsResponse response; /* of the latest page */
    struct gk_error error;
};

/* cmocka's setup and teardown; *state is the fixture. The account "bank" may register iso7812 numbers that
 * begin with 62. */
int registry_setup(void **state);
int registry_teardown(void **state);

/* What a test adds to a new account: nothing. */
enum gk_status registry_add_nothing(void *context, struct gk_transaction *transaction,
                                    struct gk_error *error);

/* Closes everything and opens it again. */
void registry_reopen(struct registry_fixture *fixture);

/* One page under construction: rows and a reader's answers to them. Starts zeroed. */
struct page {
    struct gk_repeated rows;
    struct gk_repeated answers;
};

/* Adds a row; the reader's answer is that the number is canonical, and a payment card. */
void page_add(struct page *page, const char *number, const char *holder_id, const char *contact);
/* Adds a row with an answer as given (NULL: no match, `problem`). */
void page_add_answered(struct page *page, const guika_v1_CardRow *row,
                       const guika_v1_internal_NumberMatch *match, const char *problem);

/* Sends the page as account "bank" and empties it. Response and error are the fixture's. */
enum gk_status page_send(struct registry_fixture *fixture, struct page *page, const char *import_id,
                         uint32_t number, bool last);

/* Looks a payment card's number up. */
struct gk_registration registry_find(struct registry_fixture *fixture, const char *number);

/* Deletes the record of "bank", whose lists then belong to nobody. */
void registry_forget_accounts(struct registry_fixture *fixture);

/* Records of a family. */
size_t registry_count(struct registry_fixture *fixture, enum gk_family family);

#endif
