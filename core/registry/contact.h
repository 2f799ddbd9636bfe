/*
 * Where somebody can be reached, in the one form in which it is compared: a telephone number in E.164
 * ("+8613800138000") or an e-mail address in small letters.
 */
#ifndef GUIKA_CORE_REGISTRY_CONTACT_H
#define GUIKA_CORE_REGISTRY_CONTACT_H

#include <stdbool.h>

#define GK_CONTACT_SIZE 124 /* bytes with the terminator: HolderContacts.contacts without "smtp:" */

enum gk_contact_kind { GK_CONTACT_MAIL = 1, GK_CONTACT_TELEPHONE };

struct gk_contact {
    enum gk_contact_kind kind;
    char text[GK_CONTACT_SIZE];
};

/* Reads what a person typed or an issuer registered, with or without its channel ("smtp:A@b.example",
 * "+44 (0)20 7946 0000", "138 0013 8000"). A telephone number without a country's code is a Chinese one: a
 * mobile number of 11 digits, or a trunk 0 and 9 to 11 digits. False for everything else: addresses of
 * other channels cannot be asked by. [any] */
bool gk_contact_read(const char *text, struct gk_contact *ret_contact);

/* CHANNEL:ADDRESS for somebody of whom no channel is known: "smtp:" for mail, "sms:" for a telephone. Fits
 * HolderContacts.contacts. [any] */
void gk_contact_address(const struct gk_contact *contact, char ret_address[129]);

#endif
