/* Who stands at the box and types: a holder with case number and code, or staff. */
#include "clients/box/box_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

enum { POWER_CUT_STATUS = 9 /* exit status of a box whose power is cut, on request */ };

int gk_box_keypad_fd(const struct gk_box *box)
{
    return box->keypad == NULL ? -1 : gk_keypad_fd(box->keypad);
}

/* --- the report --- */

enum gk_status gk_box_recover_opening(struct gk_box *box, struct gk_error *error)
{
    struct guika_door door;
    struct guika_failure failure = {0};
    enum gk_status status = GK_OK;

    if (guika_box_door_left_open(box->client, &door)) {
        gk_box_say("door", "power was lost while compartment %s was open: somebody must look",
                   door.compartment);
        if (guika_box_confirm_door(box->client, &door, GUIKA_UNCERTAIN, GK_BOX_DEADLINE_MS, &failure) !=
            GUIKA_CODE_OK) {
            return gk_error_set(error, GK_INTERNAL, "%s", failure.message);
        }
    }
    status = gk_opening_read(box->directory, &box->opening, error);
    if (status == GK_NOT_FOUND) {
        return GK_OK;
    }
    if (status == GK_OK && box->opening.outcome == 0) {
        gk_box_say("door", "power was lost while compartment %s was open: somebody must look",
                   box->opening.compartment);
        box->opening.outcome = GUIKA_UNCERTAIN;
        status = gk_opening_write(box->directory, &box->opening, error);
    }
    return status;
}

void gk_box_report_opening(struct gk_box *box)
{
    struct guika_failure failure = {0};
    struct gk_error error;

    if (box->opening.outcome <= 0) {
        return;
    }
    struct guika_door door = {.fencing_token = box->opening.fencing_token};

    memcpy(door.case_id, box->opening_case, sizeof door.case_id);
    const enum guika_code code = guika_box_confirm_door(
        box->client, &door, (enum guika_collected)box->opening.outcome, gk_box_deadline_ms(box), &failure);

    if (code == GUIKA_CODE_UNAVAILABLE || code == GUIKA_CODE_DEADLINE_EXCEEDED ||
        code == GUIKA_CODE_RESOURCE_EXHAUSTED || code == GUIKA_CODE_INTERNAL) {
        gk_box_say("door", "what came of the opening waits for the line: %s", failure.message);
        return;
    }
    if (code != GUIKA_CODE_OK) {
        box->troubles++;
        gk_box_say("door", "operator: the service did not take what came of the opening: %s",
                   failure.message);
    }
    box->opening.outcome = GK_OPENING_REPORTED;
    if (gk_opening_write(box->directory, &box->opening, &error) != GK_OK) {
        gk_box_say("door", "operator: %s", error.message);
    }
}

/* --- a holder --- */

/* What the simulated holder does at the open door. */
static int act_of(const char *word)
{
    return strcasecmp(word, "leave") == 0  ? GUIKA_CARD_INSIDE
           : strcasecmp(word, "away") == 0 ? GUIKA_NOT_OPENED
           : strcasecmp(word, "cut") == 0  ? GUIKA_UNCERTAIN
                                           : GUIKA_COLLECTED;
}

static void say_refusal(enum guika_code code, const struct guika_failure *failure)
{
    switch (code) {
    case GUIKA_CODE_PERMISSION_DENIED:
        gk_box_say("keypad", "holder: The case number or the code is wrong.");
        break;
    case GUIKA_CODE_RESOURCE_EXHAUSTED:
        gk_box_say("keypad",
                   "holder: Too many wrong codes for this case. Please wait, or ask for another code.");
        break;
    case GUIKA_CODE_FAILED_PRECONDITION:
        gk_box_say("keypad", "holder: This code has run out. Please ask for another.");
        break;
    default:
        gk_box_say("keypad", "holder: This does not work just now, please try again later. (%s)",
                   failure->message);
    }
}

static void say_act(const char *compartment, int act)
{
    gk_box_say("door",
               act == GUIKA_COLLECTED     ? "compartment %s is empty: the holder has the card"
               : act == GUIKA_CARD_INSIDE ? "compartment %s is closed, the card is still inside"
                                          : "compartment %s was never opened",
               compartment);
}

static void open_physically(const char *compartment, int act)
{
    gk_box_say("door", "compartment %s opens", compartment);
    if (act == GUIKA_UNCERTAIN) {
        gk_box_say("door", "the power is cut");
        _exit(POWER_CUT_STATUS);
    }
}

/* The journal knows the door before it opens, and the outcome before the service does. */
static enum gk_status open_by_word(struct gk_box *box, const struct guika_door *door, int act,
                                   struct gk_error *error)
{
    if (door->fencing_token <= box->opening.fencing_token) {
        box->troubles++;
        gk_box_say("keypad", "operator: an old opening was answered; the door stays closed");
        return GK_OK;
    }
    box->opening = (struct gk_opening){.fencing_token = door->fencing_token};
    memcpy(box->opening.compartment, door->compartment, sizeof box->opening.compartment);
    memcpy(box->opening_case, door->case_id, sizeof box->opening_case);
    enum gk_status status = gk_opening_write(box->directory, &box->opening, error);

    if (status != GK_OK) {
        return status;
    }
    open_physically(door->compartment, act);
    box->opening.outcome = act;
    status = gk_opening_write(box->directory, &box->opening, error);
    if (status == GK_OK && act == GUIKA_COLLECTED) {
        status = gk_compartments_free(box->compartments, door->compartment, error);
    }
    say_act(door->compartment, act);
    gk_box_report_opening(box);
    return status;
}

/* Does another card lie there than the one that the grant is for? Staff may have emptied the compartment
 * since. */
static bool holds_another(const struct gk_box *box, const struct guika_door *door)
{
    const char *held = gk_compartments_holds(box->compartments, door->compartment);

    return held[0] != '\0' && strcmp(held, door->deposit_id) != 0;
}

/* The library's journal has the grant as used already. */
static enum gk_status open_by_grant(struct gk_box *box, const struct guika_door *door, int act,
                                    struct gk_error *error)
{
    struct guika_failure failure = {0};
    const bool wrong_card = holds_another(box, door);
    const int outcome = wrong_card ? GUIKA_NOT_OPENED : act;

    if (wrong_card) {
        box->troubles++;
        gk_box_say("keypad", "holder: This does not work just now, please try again later.");
        gk_box_say("door",
                   "operator: compartment %s does not hold the card that the grant is for; it stays closed",
                   door->compartment);
    } else {
        gk_box_say("door", "by a grant: the service cannot be reached");
        open_physically(door->compartment, act);
    }
    if (guika_box_confirm_door(box->client, door, (enum guika_collected)outcome, GK_BOX_DEADLINE_MS,
                               &failure) != GUIKA_CODE_OK) {
        return gk_error_set(error, GK_INTERNAL, "%s", failure.message);
    }
    if (!wrong_card) {
        say_act(door->compartment, act);
    }
    return outcome == GUIKA_COLLECTED ? gk_compartments_free(box->compartments, door->compartment, error)
                                      : GK_OK;
}

static enum gk_status serve_holder(struct gk_box *box, char **words, size_t count, struct gk_error *error)
{
    const bool has_tail = count > 2 && strspn(words[2], "0123456789") == strlen(words[2]);
    const char *act = count > (has_tail ? 3U : 2U) ? words[has_tail ? 3 : 2] : "take";
    struct guika_door door = {0};
    struct guika_failure failure = {0};

    gk_box_report_opening(box);
    const enum guika_code code = guika_box_open_door(
        box->client, words[0], words[1], has_tail ? words[2] : "", gk_box_deadline_ms(box), &door, &failure);

    if (code != GUIKA_CODE_OK) {
        say_refusal(code, &failure);
        return GK_OK;
    }
    return door.offline ? open_by_grant(box, &door, act_of(act), error)
                        : open_by_word(box, &door, act_of(act), error);
}

/* --- staff --- */

struct round {
    struct gk_box *box;
    char (*take)[33]; /* case ids */
    char (*from)[33]; /* their compartments */
    size_t count, room;
};

static const char *why(enum guika_take take)
{
    switch (take) {
    case GUIKA_TAKE_DIFFICULT:
        return "difficult";
    case GUIKA_TAKE_EXPIRED:
        return "expired";
    case GUIKA_LOOK:
        return "place uncertain, look";
    case GUIKA_TAKE_JAMMED:
        return "jammed";
    case GUIKA_TAKE_MISPLACED:
        return "ready, but out of its holder's reach";
    default:
        return "stays";
    }
}

static void visit_item(void *context, const struct guika_service_item *item)
{
    struct round *round = context;

    gk_box_say("staff", "%.4s-%.4s  %s  %s", item->case_id, item->case_id + 4, item->compartment,
               why(item->take));
    if (item->take == GUIKA_LEAVE || item->take == GUIKA_LOOK || round->count == round->room) {
        return;
    }
    memcpy(round->take[round->count], item->case_id, sizeof item->case_id);
    memcpy(round->from[round->count++], item->compartment, sizeof item->compartment);
}

static enum gk_status take_all(struct gk_box *box, const struct round *round, const char *bag,
                               const char *credential, struct gk_error *error)
{
    struct guika_failure failure = {0};
    enum gk_status status = GK_OK;

    for (size_t i = 0; i < round->count && status == GK_OK; i++) {
        if (guika_box_confirm_service(box->client, credential, bag, round->take[i], GK_BOX_DEADLINE_MS,
                                      &failure) != GUIKA_CODE_OK) {
            gk_box_say("staff", "not taken: %s", failure.message);
            return GK_OK;
        }
        status = gk_compartments_free(box->compartments, round->from[i], error);
    }
    gk_box_say("staff", "%zu cards are in bag %s", round->count, bag);
    return status;
}

static enum gk_status serve_staff(struct gk_box *box, const char *bag, const char *credential,
                                  struct gk_error *error)
{
    struct round round = {.box = box, .room = 2 * GK_COMPARTMENTS_MOST};
    struct guika_failure failure = {0};
    enum gk_status status = GK_OK;

    round.take = calloc(round.room, sizeof *round.take);
    round.from = calloc(round.room, sizeof *round.from);
    if (round.take == NULL || round.from == NULL) {
        status = gk_error_set(error, GK_INTERNAL, "no memory for a list");
    } else if (guika_box_open_for_service(box->client, credential, GK_BOX_DEADLINE_MS, visit_item, &round,
                                          &failure) != GUIKA_CODE_OK) {
        gk_box_say("staff", "the box stays closed: %s", failure.message);
    } else {
        status = take_all(box, &round, bag, credential, error);
    }
    free(round.take);
    free(round.from);
    return status;
}

static enum gk_status serve_line(struct gk_box *box, char *line, struct gk_error *error)
{
    char *words[4];
    char *rest = NULL;
    size_t count = 0;

    for (char *word = strtok_r(line, " \t\r", &rest); word != NULL && count < 4;
         word = strtok_r(NULL, " \t\r", &rest)) {
        words[count++] = word;
    }
    if (count == 3 && strcmp(words[0], "service") == 0) {
        return serve_staff(box, words[1], words[2], error);
    }
    if (count >= 2) {
        return serve_holder(box, words, count, error);
    }
    gk_box_say("keypad", "holder: Enter the case number, then the code.");
    return GK_OK;
}

enum gk_status gk_box_serve_keypad(struct gk_box *box, struct gk_error *error)
{
    char line[GK_KEYPAD_LINE_SIZE];
    enum gk_status status = GK_OK;

    while (status == GK_OK && box->keypad != NULL && gk_keypad_next(box->keypad, line)) {
        status = serve_line(box, line, error);
        explicit_bzero(line, sizeof line);
    }
    return status;
}
