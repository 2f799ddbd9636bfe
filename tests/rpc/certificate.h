/* A self-signed certificate for tests, valid for an hour. */
#ifndef GUIKA_TESTS_RPC_CERTIFICATE_H
#define GUIKA_TESTS_RPC_CERTIFICATE_H

/* Writes FOLDER/certificate.pem and FOLDER/key.pem for the DNS name `name`. */
void certificate_make(const char *folder, const char *name);
void certificate_remove(const char *folder);

#endif
