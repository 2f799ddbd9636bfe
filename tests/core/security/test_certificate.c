#include "core/security/certificate.h"

#include "tests/core/security/scratch.h"

#include <mbedtls/pk.h>
#include <mbedtls/x509_crt.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

struct fixture {
    char *directory;
    char *certificate;
    char *key;
};

static const char *const names[] = {"localhost", "guika.example", "127.0.0.1", "::1"};

static int setup(void **state)
{
    struct fixture *fixture = calloc(1, sizeof *fixture);

    fixture->directory = scratch_make();
    fixture->certificate = scratch_path(fixture->directory, "server.crt");
    fixture->key = scratch_path(fixture->directory, "server.key");
    *state = fixture;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *fixture = *state;

    free(fixture->certificate);
    free(fixture->key);
    scratch_remove(fixture->directory);
    free(fixture);
    return 0;
}

static void make(struct fixture *fixture)
{
    struct gk_error error = {0};

    if (gk_certificate_make(fixture->certificate, fixture->key, names, 4, 365, &error) != GK_OK) {
        fail_msg("%s", error.message);
    }
}

static mode_t mode_of(const char *path)
{
    struct stat found;

    assert_int_equal(stat(path, &found), 0);
    return found.st_mode & 0777;
}

static void test_the_key_is_the_owners_alone(void **state)
{
    struct fixture *fixture = *state;

    make(fixture);
    assert_int_equal(mode_of(fixture->key), 0600);
    assert_int_equal(mode_of(fixture->certificate), 0644);
}

static void test_openssl_trusts_it_as_its_own_authority_for_every_name(void **state)
{
    struct fixture *fixture = *state;

    make(fixture);
    FILE *file = fopen(fixture->certificate, "re");
    X509 *certificate = PEM_read_X509(file, NULL, NULL, NULL);

    (void)fclose(file);
    assert_non_null(certificate);
    file = fopen(fixture->key, "re");
    EVP_PKEY *key = PEM_read_PrivateKey(file, NULL, NULL, NULL);

    (void)fclose(file);
    assert_int_equal(X509_check_private_key(certificate, key), 1);
    assert_int_equal(X509_check_ca(certificate), 1);
    assert_int_equal(X509_check_host(certificate, "localhost", 0, 0, NULL), 1);
    assert_int_equal(X509_check_host(certificate, "guika.example", 0, 0, NULL), 1);
    assert_int_equal(X509_check_host(certificate, "other.example", 0, 0, NULL), 0);
    assert_int_equal(X509_check_ip_asc(certificate, "127.0.0.1", 0), 1);
    assert_int_equal(X509_check_ip_asc(certificate, "::1", 0), 1);
    assert_int_equal(X509_check_ip_asc(certificate, "127.0.0.2", 0), 0);

    time_t now = time(NULL);
    time_t late = now + (time_t)364 * 86400;
    time_t too_late = now + (time_t)366 * 86400;

    assert_int_equal(X509_cmp_time(X509_get0_notBefore(certificate), &now), -1);
    assert_int_equal(X509_cmp_time(X509_get0_notAfter(certificate), &late), 1);
    assert_int_equal(X509_cmp_time(X509_get0_notAfter(certificate), &too_late), -1);

    X509_STORE *trusted = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();

    assert_int_equal(X509_STORE_add_cert(trusted, certificate), 1);
    assert_int_equal(X509_STORE_CTX_init(context, trusted, certificate, NULL), 1);
    assert_int_equal(X509_STORE_CTX_set_purpose(context, X509_PURPOSE_SSL_SERVER), 1);
    assert_int_equal(X509_verify_cert(context), 1);
    X509_STORE_CTX_free(context);
    X509_STORE_free(trusted);
    EVP_PKEY_free(key);
    X509_free(certificate);
}

static void assert_mbedtls_accepts(mbedtls_x509_crt *certificate, const char *name, bool expected)
{
    uint32_t flags = 0;
    const int result = mbedtls_x509_crt_verify(certificate, certificate, NULL, name, &flags, NULL, NULL);

    if ((result == 0) != expected) {
        fail_msg("mbedTLS: \"%s\" gave -0x%x, flags 0x%x", name, (unsigned)-result, (unsigned)flags);
    }
}

static void test_mbedtls_trusts_it_as_its_own_authority_for_every_name(void **state)
{
    struct fixture *fixture = *state;
    mbedtls_x509_crt certificate;
    mbedtls_pk_context key;

    make(fixture);
    mbedtls_x509_crt_init(&certificate);
    mbedtls_pk_init(&key);
    assert_int_equal(mbedtls_x509_crt_parse_file(&certificate, fixture->certificate), 0);
    assert_int_equal(mbedtls_pk_parse_keyfile(&key, fixture->key, NULL), 0);
    assert_int_equal(mbedtls_pk_check_pair(&certificate.pk, &key), 0);
    for (size_t i = 0; i < 4; i++) {
        assert_mbedtls_accepts(&certificate, names[i], true);
    }
    assert_mbedtls_accepts(&certificate, "other.example", false);
    mbedtls_pk_free(&key);
    mbedtls_x509_crt_free(&certificate);
}

static void test_files_are_never_overwritten(void **state)
{
    struct fixture *fixture = *state;

    make(fixture);
    assert_int_equal(gk_certificate_make(fixture->certificate, fixture->key, names, 4, 365, NULL),
                     GK_ALREADY_EXISTS);
    assert_int_equal(unlink(fixture->key), 0);
    assert_int_equal(gk_certificate_make(fixture->certificate, fixture->key, names, 4, 365, NULL),
                     GK_ALREADY_EXISTS);
    assert_int_not_equal(access(fixture->key, F_OK), 0);
    assert_int_equal(unlink(fixture->certificate), 0);
    make(fixture);
}

static void test_wrong_names_and_days_are_refused_and_leave_no_file(void **state)
{
    struct fixture *fixture = *state;
    static const char *const wrong[] = {"", "a,b", "DNS:a", "a b", "a\n", "300.1.1.1:4"};
    struct gk_error error = {0};

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        assert_int_equal(gk_certificate_make(fixture->certificate, fixture->key, &wrong[i], 1, 1, &error),
                         GK_INVALID_ARGUMENT);
    }
    assert_int_equal(gk_certificate_make(fixture->certificate, fixture->key, names, 0, 1, &error),
                     GK_INVALID_ARGUMENT);
    assert_int_equal(gk_certificate_make(fixture->certificate, fixture->key, names, 4, 0, &error),
                     GK_INVALID_ARGUMENT);
    assert_int_not_equal(access(fixture->key, F_OK), 0);
    assert_int_not_equal(access(fixture->certificate, F_OK), 0);
}

#define CERTIFICATE_TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CERTIFICATE_TEST(test_the_key_is_the_owners_alone),
        CERTIFICATE_TEST(test_openssl_trusts_it_as_its_own_authority_for_every_name),
        CERTIFICATE_TEST(test_mbedtls_trusts_it_as_its_own_authority_for_every_name),
        CERTIFICATE_TEST(test_files_are_never_overwritten),
        CERTIFICATE_TEST(test_wrong_names_and_days_are_refused_and_leave_no_file),
    };

    return cmocka_run_group_tests_name("certificate", tests, NULL, NULL);
}
