#include "core/registry/contact.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

enum {
    DIGITS_MIN = 7,  /* the shortest international numbers in use */
    DIGITS_MAX = 15, /* ITU-T E.164, clause 6.1 */
    CHINESE_MOBILE_DIGITS = 11,
    CHINESE_TRUNK_MIN = 10, /* 0 and 9 to 11 digits */
    CHINESE_TRUNK_MAX = 12,
};

static const char spaces[] = " \t\r\n";

/* Behind "smtp:", "mailto:" and the like; `text` itself where there is none. */
static const char *skip_channel(const char *text)
{
    static const char channel_characters[] = "abcdefghijklmnopqrstuvwxyz0123456789-";
    const size_t length = strspn(text, channel_characters);

    text += length > 0 && text[length] == ':' ? length + 1 : 0;
    return text + strspn(text, spaces);
}

static size_t trimmed_length(const char *text)
{
    size_t length = strlen(text);

    while (length > 0 && strchr(spaces, text[length - 1]) != NULL) {
        length--;
    }
    return length;
}

/* One @ with something on both sides, and nothing that could not stand in an unquoted address. */
static bool read_mail(const char *text, struct gk_contact *ret_contact)
{
    const size_t length = trimmed_length(text);
    size_t at = length;

    if (length >= sizeof ret_contact->text) {
        return false;
    }
    for (size_t i = 0; i < length; i++) {
        const unsigned char c = (unsigned char)text[i];

        if (c <= ' ' || c == 0x7f || strchr("<>()[],;:\\\"", c) != NULL || (c == '@' && at != length)) {
            return false;
        }
        at = c == '@' ? i : at;
        ret_contact->text[i] = (char)tolower(c);
    }
    ret_contact->text[length] = '\0';
    ret_contact->kind = GK_CONTACT_MAIL;
    return at > 0 && at + 1 < length;
}

/* The digits of `text` with a + in front where it has one; false for anything but digits and what people
 * write between them. A "(0)" is the trunk digit, which is not dialled from abroad. */
static bool read_digits(const char *text, char ret_digits[32])
{
    size_t count = 0;

    if (*text == '+') {
        ret_digits[count++] = *text++;
    }
    while (*text != '\0') {
        if (count > 1 && ret_digits[0] == '+' && strncmp(text, "(0)", 3) == 0) {
            text += 3;
            continue;
        }
        if (isdigit((unsigned char)*text)) {
            if (count == 31) {
                return false;
            }
            ret_digits[count++] = *text;
        } else if (strchr(" -()./\t\r\n", *text) == NULL) {
            return false;
        }
        text++;
    }
    ret_digits[count] = '\0';
    return count > 0;
}

/* The digits behind the country's code are those that are dialled from abroad. */
static bool read_telephone(const char *text, struct gk_contact *ret_contact)
{
    char digits[32];
    const char *country = "";
    const char *number = digits;

    if (!read_digits(text, digits)) {
        return false;
    }
    const size_t length = strlen(digits);

    if (digits[0] == '+') {
        number = digits + 1;
    } else if (strncmp(digits, "00", 2) == 0) {
        number = digits + 2;
    } else if (length == CHINESE_MOBILE_DIGITS && digits[0] == '1' && digits[1] >= '3') {
        country = "86";
    } else if (digits[0] == '0' && length >= CHINESE_TRUNK_MIN && length <= CHINESE_TRUNK_MAX) {
        country = "86";
        number = digits + 1;
    } else {
        return false;
    }
    if (country[0] == '\0' && strncmp(number, "860", 3) == 0) { /* a trunk 0 that was left in */
        country = "86";
        number += 3;
    }
    const size_t dialled = strlen(country) + strlen(number);

    if (number[0] == '0' || dialled < DIGITS_MIN || dialled > DIGITS_MAX) {
        return false;
    }
    (void)snprintf(ret_contact->text, sizeof ret_contact->text, "+%s%s", country, number);
    ret_contact->kind = GK_CONTACT_TELEPHONE;
    return true;
}

bool gk_contact_read(const char *text, struct gk_contact *ret_contact)
{
    struct gk_contact contact = {.text = ""};

    text = skip_channel(text + strspn(text, spaces));
    if (strchr(text, '@') != NULL ? !read_mail(text, &contact) : !read_telephone(text, &contact)) {
        return false;
    }
    *ret_contact = contact;
    return true;
}

void gk_contact_address(const struct gk_contact *contact, char ret_address[129])
{
    (void)snprintf(ret_address, 129, "%s:%s", contact->kind == GK_CONTACT_MAIL ? "smtp" : "sms",
                   contact->text);
}
