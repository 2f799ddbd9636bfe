#include "clients/box/box.h"

#include "clients/box/box_internal.h"
#include "clients/box/camera.h"
#include "clients/box/deposit_id.h"
#include "guika/client.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define DOWN_DEADLINE_MS 1000U /* while it is down: no finder waits five seconds for nothing */
#define DOWN_INTERVAL_MS 2000U /* between heartbeats while it is down */
#define UP_INTERVAL_MS 10000U  /* where the service names none */
#define LEAST_INTERVAL_MS 100U
#define MORE_FRAMES_ROUNDS 8
#define FINDER_KEPT "finder: Thank you. The card is kept."
#define FINDER_BACK "finder: Please take the card back."

void gk_box_say(const char *subject, const char *format, ...)
{
    char clock[16] = "";
    struct tm local;
    const time_t now = time(NULL);
    va_list arguments;

    if (localtime_r(&now, &local) != NULL) {
        (void)strftime(clock, sizeof clock, "%H:%M:%S", &local);
    }
    (void)printf("%s  %-12s  ", clock, subject);
    va_start(arguments, format);
    (void)vprintf(format, arguments);
    va_end(arguments);
    (void)putchar('\n');
    (void)fflush(stdout);
}

static uint64_t now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000U + (uint64_t)now.tv_nsec / 1000000U;
}

uint32_t gk_box_deadline_ms(const struct gk_box *box)
{
    return box->line_up ? GK_BOX_DEADLINE_MS : DOWN_DEADLINE_MS;
}

static void line_is(struct gk_box *box, bool up, const char *why)
{
    if (box->line_known && box->line_up == up) {
        return;
    }
    if (!up) {
        gk_box_say("line", "down: %s", why);
    } else if (gk_box_spooled(box) > 0) {
        gk_box_say("line", "up; %zu entries wait in the spool", gk_box_spooled(box));
    } else {
        gk_box_say("line", "up");
    }
    box->line_known = true;
    box->line_up = up;
}

enum gk_status gk_box_open(const struct gk_settings *settings, bool quiet, struct gk_box **ret_box,
                           struct gk_error *error)
{
    char token[GK_BEARER_SIZE];
    struct guika_failure failure = {0};
    enum gk_status status = gk_settings_read_token(settings->token_file, token, error);

    if (status != GK_OK) {
        return status;
    }
    struct gk_box *box = calloc(1, sizeof *box);

    if (box == NULL) {
        return gk_error_set(error, GK_INTERNAL, "no memory for a box");
    }
    const struct guika_box_options options = {
        .url = settings->server,
        .token = token,
        .ca_file = settings->ca_file,
        .server_name = settings->server_name,
        .spool_directory = settings->spool,
    };

    box->quiet = quiet;
    if (guika_box_open(&options, &box->client, &failure) != GUIKA_CODE_OK) {
        status = gk_error_set(error, (enum gk_status)failure.code, "%s", failure.message);
    }
    if (status == GK_OK) {
        status = gk_box_prefix(settings->spool, box->prefix, error);
    }
    if (status == GK_OK) {
        status = gk_compartments_open(settings->spool, (unsigned)settings->compartments,
                                      (unsigned)settings->difficult, &box->compartments, error);
    }
    if (status == GK_OK) {
        status = gk_camera_open(settings->camera, &box->camera, error);
    }
    if (status == GK_OK && settings->keypad != NULL) {
        status = gk_keypad_open(settings->keypad, &box->keypad, error);
    }
    if (status == GK_OK) {
        (void)snprintf(box->directory, sizeof box->directory, "%s", settings->spool);
        status = gk_box_recover_opening(box, error);
    }
    if (status != GK_OK) {
        gk_box_close(box);
        return status;
    }
    *ret_box = box;
    return GK_OK;
}

void gk_box_close(struct gk_box *box)
{
    if (box != NULL) {
        gk_camera_close(box->camera);
        gk_keypad_close(box->keypad);
        gk_compartments_close(box->compartments);
        guika_box_close(box->client);
        free(box);
    }
}

int gk_box_camera_fd(const struct gk_box *box)
{
    return gk_camera_fd(box->camera);
}

void gk_box_camera_settle(struct gk_box *box)
{
    gk_camera_settle(box->camera);
}

size_t gk_box_spooled(const struct gk_box *box)
{
    size_t entries = 0;

    guika_box_spooled(box->client, &entries, NULL);
    return entries;
}

size_t gk_box_troubles(const struct gk_box *box)
{
    return box->troubles;
}

/* A card on its way through the box. */
struct passage {
    const struct gk_card_seen *card;
    char stem[GK_STEM_SIZE];
    char deposit_id[GK_DEPOSIT_ID_SIZE];
    size_t sent; /* frames of the card that were shown */
    uint64_t begun_ms;
};

/* The frame that comes nearest to what the service wants: not shown yet, of that side, under that lamp. */
static size_t choose_frame(const struct passage *passage, const struct guika_answer *wanted)
{
    size_t best = 0;
    int best_score = -1;

    for (size_t i = 0; i < passage->card->frame_count; i++) {
        const struct guika_frame *frame = &passage->card->frames[i];
        const int score = (i >= passage->sent ? 4 : 0) + (frame->side == wanted->wanted_side ? 2 : 0) +
                          (frame->lamp == wanted->wanted_lamp ? 1 : 0);

        if (score > best_score) {
            best = i;
            best_score = score;
        }
    }
    return best;
}

/* Shows the card and whatever more the service asks for. */
static enum guika_code show(struct gk_box *box, struct passage *passage, struct gk_card_seen *card,
                            struct guika_answer *ret_answer, struct guika_failure *failure)
{
    enum guika_code code = guika_box_deposit(box->client, passage->deposit_id, card->frames,
                                             card->first_count, gk_box_deadline_ms(box), ret_answer, failure);

    passage->sent = card->first_count;
    for (int round = 0; code == GUIKA_CODE_OK && ret_answer->decision == GUIKA_MORE_FRAMES; round++) {
        if (round == MORE_FRAMES_ROUNDS) {
            *ret_answer = (struct guika_answer){.decision = GUIKA_KEEP, .zone = GUIKA_ZONE_DIFFICULT};
            break;
        }
        const size_t chosen = choose_frame(passage, ret_answer);
        const struct guika_frame frame = card->frames[chosen];

        code = guika_box_add_frames(box->client, passage->deposit_id, ret_answer->sequence, &frame, 1,
                                    gk_box_deadline_ms(box), ret_answer, failure);
        if (chosen >= passage->sent) {
            card->frames[chosen] = card->frames[passage->sent];
            card->frames[passage->sent++] = frame;
        }
    }
    return code;
}

/* The service must learn where the card lies, now or from the spool; a refusal is for a person to look at. */
static enum gk_status confirm(struct gk_box *box, const struct passage *passage, enum guika_stored outcome,
                              enum guika_zone zone, const char *compartment, struct gk_error *error)
{
    struct guika_failure failure = {0};
    const enum guika_code code = guika_box_confirm_stored(box->client, passage->deposit_id, outcome, zone,
                                                          compartment, gk_box_deadline_ms(box), &failure);

    switch (code) {
    case GUIKA_CODE_OK:
        return GK_OK;
    case GUIKA_CODE_UNAVAILABLE:
    case GUIKA_CODE_RESOURCE_EXHAUSTED:
    case GUIKA_CODE_INTERNAL:
        line_is(box, false, failure.message);
        return gk_error_set(error, GK_UNAVAILABLE, "%s", failure.message);
    default:
        box->troubles++;
        gk_box_say(passage->stem, "operator: the service did not take where the card lies: %s",
                   failure.message);
        return GK_OK;
    }
}

static enum gk_status keep(struct gk_box *box, const struct passage *passage,
                           const struct guika_answer *answer, struct gk_error *error)
{
    const char *compartment = NULL;
    enum guika_zone zone = answer->zone;
    enum gk_status status = gk_compartments_take(box->compartments, passage->deposit_id, answer->zone,
                                                 &compartment, &zone, error);

    if (status == GK_RESOURCE_EXHAUSTED) {
        status = confirm(box, passage, GUIKA_FULL, GUIKA_ZONE_NONE, "", error);
        if (status == GK_OK) {
            gk_box_say(passage->stem, FINDER_BACK);
            gk_box_say(passage->stem, "given back: no compartment is free in the %s zone",
                       answer->zone == GUIKA_ZONE_NORMAL ? "normal" : "difficult");
        }
        return status;
    }
    if (status == GK_OK) {
        status = confirm(box, passage, GUIKA_STORED, zone, compartment, error);
    }
    if (status != GK_OK) {
        return status;
    }
    const unsigned long long took_ms = (unsigned long long)(now_ms() - passage->begun_ms);

    gk_box_say(passage->stem, FINDER_KEPT);
    if (answer->spooled) {
        gk_box_say(passage->stem, "kept: compartment %s, difficult zone, waits in the spool, %llu ms",
                   compartment, took_ms);
    } else {
        gk_box_say(passage->stem, "kept: compartment %s, %s zone, case %s, %llu ms", compartment,
                   zone == GUIKA_ZONE_NORMAL ? "normal" : "difficult", answer->case_id, took_ms);
    }
    if (!box->quiet) {
        gk_compartments_print(box->compartments, stdout);
    }
    return GK_OK;
}

static void give_back(struct gk_box *box, const struct passage *passage, const char *why, bool trouble)
{
    box->troubles += trouble;
    gk_box_say(passage->stem, FINDER_BACK);
    gk_box_say(passage->stem, "given back: %s", why);
}

static enum gk_status pass(struct gk_box *box, struct gk_card_seen *card, struct gk_error *error)
{
    struct passage passage = {.card = card, .begun_ms = now_ms()};
    struct guika_answer answer = {0};
    struct guika_failure failure = {0};

    gk_card_stem(card->name, passage.stem);
    gk_deposit_id(box->prefix, card, passage.deposit_id);
    if (show(box, &passage, card, &answer, &failure) != GUIKA_CODE_OK) {
        give_back(box, &passage, failure.message, true);
        return GK_OK;
    }
    line_is(box, !answer.spooled, "the service does not answer; what cannot be told waits in the spool");
    if (answer.decision == GUIKA_GIVE_BACK) {
        give_back(box, &passage, answer.not_a_card ? "not a card" : "the service says that the box is full",
                  false);
        return GK_OK;
    }
    return keep(box, &passage, &answer, error);
}

enum gk_status gk_box_take_card(struct gk_box *box, struct gk_error *error)
{
    struct gk_card_seen card;
    enum gk_status status = gk_camera_next(box->camera, &card, error);

    if (status == GK_INVALID_ARGUMENT) {
        struct passage passage = {.card = &card};

        gk_card_stem(card.name, passage.stem);
        give_back(box, &passage, error->message, true);
        status = gk_camera_erase(box->camera, card.name, error);
    } else if (status == GK_OK) {
        status = pass(box, &card, error);
        if (status == GK_OK) {
            status = gk_camera_erase(box->camera, card.name, error);
        }
    }
    gk_card_seen_clear(&card);
    return status;
}

/* Without them the box works as long as the line does. */
static void update_grants(struct gk_box *box)
{
    struct guika_failure failure = {0};
    size_t count = 0;

    if (guika_box_update_grants(box->client, DOWN_DEADLINE_MS, &count, &failure) != GUIKA_CODE_OK) {
        gk_box_say("grants", "not fetched: %s", failure.message);
    } else if (count != box->grants) {
        gk_box_say("grants", "%zu cards can be collected without the line", count);
    }
    box->grants = count;
}

bool gk_box_beat(struct gk_box *box, unsigned *ret_interval_ms)
{
    const struct guika_zone_fill zones[] = {
        gk_compartments_fill(box->compartments, GUIKA_ZONE_NORMAL),
        gk_compartments_fill(box->compartments, GUIKA_ZONE_DIFFICULT),
    };
    const struct guika_heartbeat heartbeat = {
        .zones = zones,
        .zone_count = sizeof zones / sizeof zones[0],
        .front_lamps = 1U << GUIKA_LAMP_DIFFUSE,
        .can_give_back = true,
        .software = "guika-box " GUIKA_VERSION,
    };
    struct guika_failure failure = {0};
    uint32_t interval_ms = 0;

    if (guika_box_heartbeat(box->client, &heartbeat, DOWN_DEADLINE_MS, &interval_ms, &failure) !=
        GUIKA_CODE_OK) {
        line_is(box, false, failure.message);
        *ret_interval_ms = DOWN_INTERVAL_MS;
        return false;
    }
    line_is(box, true, "");
    gk_box_report_opening(box);
    update_grants(box);
    *ret_interval_ms = interval_ms == 0                  ? UP_INTERVAL_MS
                       : interval_ms < LEAST_INTERVAL_MS ? LEAST_INTERVAL_MS
                                                         : interval_ms;
    return true;
}

static void say_late_decision(const struct gk_box *box, const char *deposit_id,
                              const struct guika_answer *answer)
{
    enum guika_zone zone = GUIKA_ZONE_NONE;
    const char *compartment = gk_compartments_find(box->compartments, deposit_id, &zone);
    const char *decision = answer->decision == GUIKA_KEEP && answer->zone == GUIKA_ZONE_NORMAL ? "normal zone"
                           : answer->decision == GUIKA_KEEP ? "difficult zone"
                                                            : "not to be kept";

    if (strncmp(deposit_id, "pickup-", 7) == 0 && answer->decision == 0) {
        gk_box_say("spool", "told what happened at a door");
    } else if (answer->decision == 0) {
        gk_box_say("spool", "told where %s lies", deposit_id);
    } else {
        gk_box_say("spool", "late decision on %s: %s, case %s; the card lies in %s", deposit_id, decision,
                   answer->case_id, compartment != NULL ? compartment : "no compartment");
    }
}

bool gk_box_replay(struct gk_box *box)
{
    char deposit_id[GK_DEPOSIT_ID_SIZE] = "";
    struct guika_answer answer = {0};
    struct guika_failure failure = {0};
    const size_t before = gk_box_spooled(box);

    if (before == 0) {
        return false;
    }
    if (guika_box_replay_one(box->client, GK_BOX_DEADLINE_MS, deposit_id, &answer, &failure) ==
        GUIKA_CODE_OK) {
        say_late_decision(box, deposit_id, &answer);
        return gk_box_spooled(box) > 0;
    }
    if (gk_box_spooled(box) < before) {
        box->troubles++;
        gk_box_say("spool", "operator: the service refused %s, which is set aside: %s", deposit_id,
                   failure.message);
        return gk_box_spooled(box) > 0;
    }
    line_is(box, false, failure.message);
    return false;
}
