/*
 * The certificate is its own authority (CA:TRUE), so that clients name this very file as what they trust.
 * P-256 with SHA-256: known to OpenSSL, mbedTLS 2.28 and browsers alike.
 */
#include "core/security/certificate.h"

#include "core/security/file.h"

#include <arpa/inet.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define NAME_LIMIT 253       /* characters of a DNS name, RFC 1035 */
#define COMMON_NAME_LIMIT 64 /* characters, RFC 5280's ub-common-name */
#define NAMES_LIMIT 32       /* names a certificate */
#define DAYS_LIMIT 36500     /* a hundred years */
#define SKEW_SECONDS 3600L   /* valid already for a client whose clock is late */
#define DAY_SECONDS 86400L   /* as RFC 5280 counts them */
#define ALTERNATIVES_SIZE                                                                                    \
    ((size_t)2 * NAMES_LIMIT * (NAME_LIMIT + 5) + 1) /* every name twice, with its kind */

static bool is_address(const char *name)
{
    uint8_t address[16];

    return inet_pton(AF_INET, name, address) == 1 || inet_pton(AF_INET6, name, address) == 1;
}

static enum gk_status check_request(const char *const *names, size_t name_count, unsigned days,
                                    struct gk_error *error)
{
    if (name_count < 1 || name_count > NAMES_LIMIT) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "a certificate has 1 to %d names, not %zu",
                            NAMES_LIMIT, name_count);
    }
    if (days < 1 || days > DAYS_LIMIT) {
        return gk_error_set(error, GK_INVALID_ARGUMENT, "a certificate is valid for 1 to %d days, not %u",
                            DAYS_LIMIT, days);
    }
    for (size_t i = 0; i < name_count; i++) {
        const size_t length = strlen(names[i]);

        if (length < 1 || length > NAME_LIMIT) {
            return gk_error_set(error, GK_INVALID_ARGUMENT, "a name has 1 to %d characters, not %zu",
                                NAME_LIMIT, length);
        }
        /* Nothing else: OpenSSL's syntax of extensions gives a meaning to commas and more. */
        if (strspn(names[i], "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-*") != length &&
            !is_address(names[i])) {
            return gk_error_set(error, GK_INVALID_ARGUMENT, "\"%.64s\" is no DNS name and no IP address",
                                names[i]);
        }
    }
    return GK_OK;
}

static bool add_extension(X509 *certificate, int nid, const char *value)
{
    X509V3_CTX context;

    X509V3_set_ctx_nodb(&context);
    X509V3_set_ctx(&context, certificate, certificate, NULL, NULL, 0);

    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    const bool added = extension != NULL && X509_add_ext(certificate, extension, -1) == 1;

    X509_EXTENSION_free(extension);
    return added;
}

/* An address stands there twice, because mbedTLS 2.28 compares what it connects to with DNS names alone. */
static bool add_names(X509 *certificate, const char *const *names, size_t name_count)
{
    char text[ALTERNATIVES_SIZE];
    size_t length = 0;

    for (size_t i = 0; i < name_count; i++) {
        const char *separator = i > 0 ? "," : "";
        const int added = is_address(names[i]) ? snprintf(text + length, sizeof text - length,
                                                          "%sIP:%s,DNS:%s", separator, names[i], names[i])
                                               : snprintf(text + length, sizeof text - length, "%sDNS:%s",
                                                          separator, names[i]);

        length += (size_t)added;
    }
    return add_extension(certificate, NID_subject_alt_name, text);
}

static bool set_subject(X509 *certificate, const char *name)
{
    X509_NAME *subject = X509_get_subject_name(certificate);
    char common[COMMON_NAME_LIMIT + 1];

    (void)snprintf(common, sizeof common, "%s", name);
    return X509_NAME_add_entry_by_txt(subject, "O", MBSTRING_ASC, (const uint8_t *)"Guika", -1, -1, 0) == 1 &&
           X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const uint8_t *)common, -1, -1, 0) ==
               1 &&
           X509_set_issuer_name(certificate, subject) == 1;
}

static bool set_serial(X509 *certificate)
{
    BIGNUM *serial = BN_new();
    /* 127 random bits with the top one set: positive, and well over the 64 bits that CAs owe. */
    const bool set = serial != NULL && BN_rand(serial, 127, BN_RAND_TOP_ONE, BN_RAND_BOTTOM_ANY) == 1 &&
                     BN_to_ASN1_INTEGER(serial, X509_get_serialNumber(certificate)) != NULL;

    BN_free(serial);
    return set;
}

static bool fill(X509 *certificate, EVP_PKEY *key, const char *const *names, size_t name_count, unsigned days)
{
    return X509_set_version(certificate, X509_VERSION_3) == 1 && set_serial(certificate) &&
           X509_gmtime_adj(X509_getm_notBefore(certificate), -SKEW_SECONDS) != NULL &&
           X509_gmtime_adj(X509_getm_notAfter(certificate), (long)days * DAY_SECONDS) != NULL &&
           set_subject(certificate, names[0]) && X509_set_pubkey(certificate, key) == 1 &&
           add_extension(certificate, NID_basic_constraints, "critical,CA:TRUE,pathlen:0") &&
           add_extension(certificate, NID_key_usage, "critical,digitalSignature,keyCertSign") &&
           add_extension(certificate, NID_ext_key_usage, "serverAuth") &&
           add_extension(certificate, NID_subject_key_identifier, "hash") &&
           add_names(certificate, names, name_count) && X509_sign(certificate, key, EVP_sha256()) > 0;
}

static struct gk_bytes memory_of(BIO *bio)
{
    char *data = NULL;
    const long size = BIO_get_mem_data(bio, &data);

    return (struct gk_bytes){.data = (const uint8_t *)data, .size = size > 0 ? (size_t)size : 0};
}

static enum gk_status write_both(const char *certificate_file, struct gk_bytes certificate,
                                 const char *key_file, struct gk_bytes key, struct gk_error *error)
{
    /* Asked before anything is written, so that neither file is left without the other. */
    if (access(certificate_file, F_OK) == 0) {
        return gk_error_set(error, GK_ALREADY_EXISTS, "%s is there already and is never overwritten",
                            certificate_file);
    }
    enum gk_status status = gk_file_create(key_file, 0600, key, error);

    if (status == GK_OK) {
        status = gk_file_create(certificate_file, 0644, certificate, error);
        if (status != GK_OK) {
            (void)unlink(key_file);
        }
    }
    return status;
}

enum gk_status gk_certificate_make(const char *certificate_file, const char *key_file,
                                   const char *const *names, size_t name_count, unsigned days,
                                   struct gk_error *error)
{
    enum gk_status status = check_request(names, name_count, days, error);

    if (status != GK_OK) {
        return status;
    }
    EVP_PKEY *key = EVP_EC_gen("P-256");
    X509 *certificate = X509_new();
    /* Secure memory where OpenSSL has some: it is wiped when freed. */
    BIO *key_text = BIO_new(BIO_s_secmem());
    BIO *certificate_text = BIO_new(BIO_s_mem());

    if (key != NULL && certificate != NULL && key_text != NULL && certificate_text != NULL &&
        fill(certificate, key, names, name_count, days) &&
        PEM_write_bio_PrivateKey(key_text, key, NULL, NULL, 0, NULL, NULL) == 1 &&
        PEM_write_bio_X509(certificate_text, certificate) == 1) {
        status =
            write_both(certificate_file, memory_of(certificate_text), key_file, memory_of(key_text), error);
    } else {
        char cause[160];

        ERR_error_string_n(ERR_get_error(), cause, sizeof cause);
        status = gk_error_set(error, GK_INTERNAL, "OpenSSL cannot make a certificate: %s", cause);
    }
    BIO_free(certificate_text);
    BIO_free(key_text);
    X509_free(certificate);
    EVP_PKEY_free(key);
    return status;
}
