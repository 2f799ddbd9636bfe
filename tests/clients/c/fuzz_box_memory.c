/* What a box reads back from its folder: a file of grants and a journal, with the digest that makes each
 * whole. The first byte chooses. */
#include "clients/c/grants.h"
#include "clients/c/pickup_journal.h"

#include <assert.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

enum { DIGEST_SIZE = 32, HEX_SIZE = 2 * DIGEST_SIZE + 1 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void read_grants(const uint8_t *file, size_t size)
{
    guika_v1_SignedGrant *items = NULL;
    uint64_t version = 0;
    size_t count = 0;

    if (gk_grants_file_read(file, size, &version, &items, &count, NULL) == GK_OK) {
        assert(count <= GK_GRANTS_MOST);
        free(items);
    }
}

static void read_journal(const char *text, size_t size)
{
    struct gk_pickup_journal journal = {0};

    if (gk_pickup_journal_read(text, size, &journal)) {
        assert(journal.next_sequence > 0);
        gk_pickup_journal_close(&journal);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t digest[DIGEST_SIZE];
    uint8_t *whole = size < 2 ? NULL : malloc(size + HEX_SIZE + 8);

    if (whole == NULL) {
        return 0;
    }
    const size_t body = size - 1;

    memcpy(whole, data + 1, body);
    (void)crypto_generichash(digest, sizeof digest, whole, body, NULL, 0);
    if (data[0] % 2 == 0) {
        read_grants(whole, body);
        memcpy(whole + body, digest, sizeof digest);
        read_grants(whole, body + sizeof digest);
    } else {
        read_journal((const char *)whole, body);
        memcpy(whole + body, "end ", 4);
        (void)sodium_bin2hex((char *)whole + body + 4, HEX_SIZE, digest, sizeof digest);
        whole[body + 4 + HEX_SIZE - 1] = '\n';
        read_journal((const char *)whole, body + 4 + HEX_SIZE);
    }
    free(whole);
    return 0;
}
