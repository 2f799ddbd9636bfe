/* An issuer in C++17, which has no designated initialisers: by the order of the header's members. */
#include <guika/issuer.h>

#include <cstring>

namespace
{

const uint8_t lengths[] = {11};
const guika_prefix_range prefixes[] = {{"781", "789"}};
const guika_rule rules[] = {{"south", "0123456789", nullptr, GUIKA_LIST(prefixes), GUIKA_LIST(lengths),
                             nullptr, 0, GUIKA_CHECK_LUHN, GUIKA_CHECK_BINDS}};
const guika_region numbers[] = {{18.0f, 27.0f, 40.0f, 8.0f}};
const guika_layout layouts[] = {
    {"front", GUIKA_SIDE_FRONT, false, GUIKA_PRINT_FLAT, GUIKA_LIST(numbers), nullptr, 0}};
const guika_text names[] = {{"en", "South card"}, {"zh", "南卡"}};
const char *const examples[] = {"78100012349"};
const char *const counter_examples[] = {"78100012348"};

bool accepts(const char *number)
{
    return std::strlen(number) == 11;
}

} // namespace

const struct guika_issuer guika_issuer = {sizeof(struct guika_issuer),
                                          GUIKA_ISSUER_ABI_MAJOR,
                                          GUIKA_ISSUER_ABI_MINOR,
                                          "south",
                                          "1.0",
                                          "south",
                                          GUIKA_KIND_CAMPUS,
                                          GUIKA_LIST(names),
                                          GUIKA_LIST(rules),
                                          GUIKA_LIST(layouts),
                                          GUIKA_LIST(examples),
                                          GUIKA_LIST(counter_examples),
                                          accepts,
                                          nullptr,
                                          0,
                                          {0, 4}};
