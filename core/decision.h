/*
 * What is to be done with a card, from all that is known of it: the reader's candidates, the registry, and
 * what its box can do.
 */
#ifndef GUIKA_CORE_DECISION_H
#define GUIKA_CORE_DECISION_H

#include "core/boxes.h"
#include "core/found_card.h"
#include "core/registry/registry.h"
#include "guika/v1/internal/reader.pb.h"

struct gk_evidence {
    guika_v1_Frame frames[8];
    size_t frame_count;
    guika_v1_internal_CompleteRecognitionRequest read; /* what a reader made of them */
    struct gk_box_abilities abilities;
    bool may_ask;     /* for more frames */
    bool in_box;      /* the card lies in the box already: it cannot be given back */
    uint32_t asked;   /* times that frames were asked for and came */
    double threshold; /* see gk_match_decide */
    double registered_share;
    int64_t now_ms; /* Unix milliseconds */
};

/* Decides, into `decision`, whose case id, box, deposit id, digests and time of receipt are set already. What
 * was found of a number that nobody registered comes under one token before (core/same_number.h). Fails only
 * where the registry cannot be read, or the store not be written. [worker] */
enum gk_status gk_decision_make(struct gk_registry *registry, struct gk_store *store,
                                const struct gk_keys *keys, const struct gk_evidence *evidence,
                                struct gk_found_card_decision *decision, struct gk_error *error);

/* Decides that the card is that registration's: IDENTIFIED, with its notice where its issuer wants the holder
 * to be told at once, or with the issuer's reference where the issuer tells. `decision->card` is as it rests,
 * with its token and mask. UNAVAILABLE where the list was replaced just now. [worker] */
enum gk_status gk_decision_accept(struct gk_registry *registry, const struct gk_keys *keys,
                                  const struct gk_registration *registration, int64_t now_ms,
                                  struct gk_found_card_decision *decision, struct gk_error *error);

/* Decides that the card was cancelled by its issuer: it is to be destroyed. [any] */
void gk_decision_cancelled(const struct gk_registration *registration,
                           struct gk_found_card_decision *decision);

/* Opens what a difficult card may be; false where nothing was kept. [any] */
bool gk_decision_candidates(const struct gk_keys *keys, const guika_v1_internal_FoundCard *card,
                            guika_v1_internal_MaskedCandidates *ret_candidates);

#endif
