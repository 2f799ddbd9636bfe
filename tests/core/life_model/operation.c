#include "tests/core/life_model/operation.h"

#include "tests/core/life_model/model.h"

const char *operation_word(enum operation_kind kind)
{
    static const char *const words[OP_KINDS] = {"deposit",
                                                "deposit two at once",
                                                "deposit twice at once",
                                                "deposit again",
                                                "add frames",
                                                "confirm stored",
                                                "heartbeat",
                                                "courier",
                                                "reissue",
                                                "open for pickup",
                                                "collected",
                                                "service",
                                                "take",
                                                "move",
                                                "hand out",
                                                "resolve",
                                                "retry",
                                                "view",
                                                "discard",
                                                "hand to issuer",
                                                "close",
                                                "give up",
                                                "acknowledge",
                                                "decide",
                                                "import",
                                                "revoke",
                                                "forget",
                                                "watch",
                                                "grant",
                                                "plugin arrives",
                                                "time passes",
                                                "crash",
                                                "rotate keys"};

    return words[kind];
}

static void print_reading(FILE *to, uint32_t reading)
{
    if (reading < NUMBERS) {
        (void)fprintf(to, " number=%u (%s)", reading, world_accounts[world_numbers[reading].account].name);
    } else {
        (void)fprintf(to, " reason=%u", reading - READING_REASON);
    }
}

static const char *outcome_word(uint32_t outcome)
{
    static const char *const words[] = {"?", "STORED", "TAKEN_BACK", "JAMMED", "FULL"};

    return words[outcome < 5 ? outcome : 0];
}

static const char *collected_word(uint32_t outcome)
{
    static const char *const words[] = {"?", "COLLECTED", "NOT_OPENED", "CARD_INSIDE", "UNCERTAIN"};

    return words[outcome < 5 ? outcome : 0];
}

static const char *courier_word(uint32_t what)
{
    static const char *const words[] = {"delivers", "is refused", "tries later", "dies"};

    return words[what < 4 ? what : 0];
}

static void print_move(FILE *to, const struct operation *operation)
{
    (void)fprintf(to, " to %s", world_place((guika_v1_internal_Place_Kind)operation->what, operation->where));
    if (operation->what == IN_COMPARTMENT) {
        (void)fprintf(to, " compartment M%u", 1 + operation->where / BOXES % 3);
    } else if (operation->what == IN_BIN) {
        (void)fprintf(to, " bin");
    }
}

static void print_rest(FILE *to, const struct operation *operation)
{
    switch (operation->kind) {
    case OP_DEPOSIT:
    case OP_DEPOSIT_TWO:
    case OP_DEPOSIT_RACE:
        (void)fprintf(to, " -> card %u, box=%u", 2 * operation->id, operation->box);
        print_reading(to, operation->reading);
        break;
    case OP_ADD_FRAMES:
    case OP_RETRY:
    case OP_PLUGIN:
    case OP_REVOKE:
    case OP_FORGET:
        print_reading(to, operation->reading);
        break;
    case OP_RESOLVE:
    case OP_WATCH:
        print_reading(to, operation->reading);
        (void)fprintf(to, " by=%u", operation->what);
        break;
    case OP_STORE:
        (void)fprintf(to, " %s zone=%s", outcome_word(operation->what),
                      operation->where == ZONE_BIN ? "difficult" : "normal");
        break;
    case OP_COURIER:
        (void)fprintf(to, " %s", courier_word(operation->what));
        break;
    case OP_COLLECTED:
        (void)fprintf(to, " %s", collected_word(operation->what));
        break;
    case OP_MOVE:
        print_move(to, operation);
        break;
    case OP_PICKUP:
    case OP_HAND_OUT:
        (void)fprintf(to, " with %s code", operation->right ? "the" : "a wrong");
        break;
    case OP_SERVICE:
        (void)fprintf(to, " box=%u", operation->box);
        break;
    case OP_PASS:
        (void)fprintf(to, ": %lld s", (long long)(operation->pass_ms / SECOND_MS));
        break;
    case OP_IMPORT:
        (void)fprintf(to, " %s numbers=0x%x", world_accounts[operation->where].name, operation->what);
        break;
    default:
        (void)fprintf(to, " what=%u", operation->what);
    }
}

bool operation_has_card(enum operation_kind kind)
{
    return kind != OP_DEPOSIT && kind != OP_DEPOSIT_TWO && kind != OP_DEPOSIT_RACE && kind != OP_HEARTBEAT &&
           kind != OP_SERVICE && kind != OP_IMPORT && kind != OP_REVOKE && kind != OP_FORGET &&
           kind != OP_WATCH && kind != OP_PLUGIN && kind != OP_PASS && kind != OP_CRASH && kind != OP_ROTATE;
}

void operation_print(FILE *to, const struct operation *operation)
{
    (void)fprintf(to, "#%u %s", operation->id, operation_word(operation->kind));
    if (operation_has_card(operation->kind)) {
        (void)fprintf(to, " card %u", operation->card);
    }
    print_rest(to, operation);
    (void)fprintf(to, "%s%s%s", operation->may_ask ? " may-ask" : "",
                  operation->no_picture ? " no-picture" : "", operation->lost ? " LOST" : "");
}
