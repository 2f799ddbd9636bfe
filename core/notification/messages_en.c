#include "core/notification/message_templates.h"

#include "core/notification/messages.h"

#define CARD_AND_PLACE                                                                                       \
    "[Card: {issuer}[, ending in {last_four}]\n]"                                                            \
    "[Where: {place}\n]"                                                                                     \
    "[Map: {map_url}\n]"                                                                                     \
    "[Opening hours: {opening_hours}\n]"                                                                     \
    "[How to collect: {collecting}\n]"                                                                       \
    "[Case number: {case_number}\n]"                                                                         \
    "[Pickup code: {code}[, together with the last {tail_digits} digits of your telephone number]\n"         \
    "The code is good until {code_expires}. If it runs out, ask for another.\n]"

#define HOW                                                                                                  \
    "[At the box, enter the case number, then the code {code}. At a desk, say them. Give the code to "       \
    "nobody "                                                                                                \
    "else: whoever has it gets your card.\n]"

#define NO_LINK "Everything you need is in this message; you do not have to follow any link.\n"
#define NO_FEE                                                                                               \
    "Getting your card back is free. Nobody will ever ask you for a PIN, a password or a fee; if someone "   \
    "does, it is a fraud, so please do not answer.\n"
#define SIGNATURE "\nGuika, the lost card service\n"

static const struct gk_message_template templates[] = {
    {GK_MESSAGE_CARD_FOUND, "Your lost card has been found[: {issuer}][, ending in {last_four}]",
     "[Dear {name},\n\n]"
     "Good news: someone found your card and dropped it into one of our recovery boxes. It is being kept "
     "safe "
     "and is waiting for you.\n"
     "\n" CARD_AND_PLACE "\n" HOW "\n" NO_LINK NO_FEE SIGNATURE},
    {GK_MESSAGE_CARD_MOVED, "Your lost card is now kept elsewhere[: {issuer}][, ending in {last_four}]",
     "[Dear {name},\n\n]"
     "Your card has been brought to another place, where it is waiting for you. The code in our last message "
     "is no "
     "longer valid; please use the one below.\n"
     "\n" CARD_AND_PLACE "\n" HOW "\n" NO_LINK NO_FEE SIGNATURE},
    {GK_MESSAGE_CARD_REMINDER, "Reminder: your lost card is waiting[: {issuer}][, ending in {last_four}]",
     "[Dear {name},\n\n]"
     "Your card is still waiting for you, but we cannot keep it much longer. Please collect it soon, and use "
     "the new "
     "code below: those in earlier messages are no longer valid.\n"
     "\n" CARD_AND_PLACE "\n" HOW "\n" NO_LINK NO_FEE SIGNATURE},
    {GK_MESSAGE_CARD_EXPIRED, "Your lost card is no longer kept for you[: {issuer}][, ending in {last_four}]",
     "[Dear {name},\n\n]"
     "We kept your card as long as we could. It can no longer be collected and goes back to its issuer, or "
     "to the "
     "police or a lost property office; codes in earlier messages are no longer valid. Please ask the card's "
     "issuer.\n"
     "\n[Card: {issuer}[, ending in {last_four}]\n][It was kept at: {place}\n][Case number: {case_number}\n]"
     "\n" NO_FEE SIGNATURE},
    {GK_MESSAGE_NEW_CODE, "Your new pickup code[: {issuer}][, ending in {last_four}]",
     "[Dear {name},\n\n]"
     "Here is the new code for your card. Codes in earlier messages are no longer valid. If you did not ask "
     "for it, you "
     "can ignore this message: only you have the code.\n"
     "\n" CARD_AND_PLACE "\n" HOW "\n" NO_LINK NO_FEE SIGNATURE},
    {GK_MESSAGE_ENQUIRY_FOUND, "Your enquiry: your card has been found[: {issuer}][, ending in {last_four}]",
     "[Dear {name},\n\n]"
     "Someone asked us whether this card of yours has been found. It has: it is being kept safe and is "
     "waiting "
     "for you.\n"
     "\n" CARD_AND_PLACE "\n" HOW "If there is no code above, your card is still on its way to where you can "
     "collect it, and we will write again.\n"
     "If it was not you who asked, there is no need to "
     "worry: "
     "the answer goes to the card holder's registered contact alone.\n"
     "\n" NO_LINK NO_FEE SIGNATURE},
    {GK_MESSAGE_ENQUIRY_NOT_FOUND, "Your enquiry: your card has not been found yet[ (ending in {last_four})]",
     "[Dear {name},\n\n]"
     "Someone asked us whether your card[ ending in {last_four}] has been found. So far, nobody has handed "
     "it "
     "in.\n"
     "If it turns up, we will tell you at once; there is no need to ask again. If you are worried that "
     "someone "
     "might use it, please ask its issuer to block it.\n"
     "\n"
     "If it was not you who asked, you can ignore this message: the answer goes to the card holder's "
     "registered "
     "contact alone.\n"
     "\n" NO_FEE SIGNATURE},
    {GK_MESSAGE_CONTACT_CODE, "Your code: {code}",
     "[Dear {name},\n\n]"
     "Your code is {code}. It is good for ten minutes and shows where your cards are.\n"
     "\n"
     "Please enter it only where you asked for it, and do not give it to anybody: nobody of ours will ever "
     "ask for "
     "it. If it was not you who asked, you can ignore this message.\n" SIGNATURE},
    {GK_MESSAGE_BOX_SILENT, "Box {name} is silent",
     "Nothing has been heard from box {name}[, {place},] for several of its reports. Holders whose code it "
     "knows can "
     "still collect, and what finders drop in waits in the box until the line is back.\n"
     "Please look at its power and its line. `guika box list` shows all boxes.\n" SIGNATURE},
    {GK_MESSAGE_BOX_HEARD, "Box {name} speaks again", "Box {name}[, {place},] reports again.\n" SIGNATURE},
    {GK_MESSAGE_BOX_FULL, "Box {name} is full",
     "No compartment is free in a zone of box {name}[, {place}]. Until somebody empties it, cards for that "
     "zone are given "
     "back.\n"
     "`guika box list` shows which zone; the difficult and the expired cards can be taken out.\n" SIGNATURE},
    {GK_MESSAGE_BOX_ROOM, "Box {name} has room again",
     "There is room again in box {name}[, {place}].\n" SIGNATURE},
    {GK_MESSAGE_BOX_LOOK, "Please look at box {name}",
     "While its line was down, box {name}[, {place},] did something that does not fit what the service "
     "knows. The log "
     "(offline_pickup_needs_a_look) names the case, `guika audit show CASE` says what happened.\n" SIGNATURE},
};

const struct gk_message_template *gk_message_templates_en(size_t *ret_count)
{
    *ret_count = sizeof templates / sizeof templates[0];
    return templates;
}
