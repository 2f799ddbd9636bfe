/*
 * The public services: what each method of box.proto, holder.proto, issuer.proto and operator.proto does. A
 * handler checks its request, hands the work to the module that owns it, and answers; one file a service.
 * Everything runs on the loop unless tagged.
 */
#ifndef GUIKA_CORE_SERVICES_SERVICES_H
#define GUIKA_CORE_SERVICES_SERVICES_H

#include "core/box_alerts.h"
#include "core/boxes.h"
#include "core/clock.h"
#include "core/collapse.h"
#include "core/difficult.h"
#include "core/enquiries.h"
#include "core/found_card_clocks.h"
#include "core/grants.h"
#include "core/issuer_queue.h"
#include "core/log.h"
#include "core/mailbox.h"
#include "core/pipeline.h"
#include "core/plugins/keeper.h"
#include "core/reader_jobs.h"
#include "core/registry/registry.h"
#include "core/security/credentials.h"
#include "core/security/keys.h"
#include "core/security/rate_limit.h"
#include "core/sessions.h"
#include "core/shelf.h"
#include "core/store/store.h"
#include "guika/v1/operator.pb.h"
#include "rpc/server.h"

/* What the handlers work with; all borrowed. */
struct gk_services {
    uv_loop_t *loop;
    struct gk_mailbox *mailbox;
    const struct gk_log *log;
    struct gk_clock clock;
    const struct gk_keys *keys;
    struct gk_store *store;
    struct gk_registry *registry;
    struct gk_credentials *credentials;
    struct gk_reader_jobs *jobs;
    struct gk_boxes *boxes;
    struct gk_grants *grants;
    struct gk_box_alerts *alerts;
    struct gk_pipeline *pipeline;
    struct gk_enquiries *enquiries;
    struct gk_issuer_queue *issuer_queue;
    struct gk_keeper *keeper; /* of plugins; NULL: this service has none */
    struct gk_difficult *difficult;
    struct gk_collapse *collapse; /* NULL: this service has none */
    struct gk_picture_vault *vault;
    struct gk_shelf *shelf;
    struct gk_sessions *sessions;
    struct gk_rate_limit *enquiry_limit;     /* enquiries and codes, by client */
    struct gk_rate_limit *subject_limit;     /* enquiries, by number or contact; watches, by contact */
    struct gk_rate_limit *code_limit;        /* codes sent, by contact */
    struct gk_rate_limit *try_limit;         /* codes tried and watches filed, by client */
    struct gk_rate_limit *contact_try_limit; /* codes tried, by contact */
    uint32_t heartbeat_ms;
    const struct gk_retention *retention;
    void (*on_notice_due)(void *context); /* a notice may leave */
    void *on_notice_due_context;
    const char *data_directory; /* absolute */
    const char *keys_directory;
    bool rotating;                      /* new keys are being made: see keys_service.c */
    void (*start_again)(void *context); /* the service ends what it has in hand and begins anew */
    void *start_again_context;
};

/* A name of a box, a desk, a bag, ...: characters of [A-Za-z0-9._-], at least one. [any] */
bool gk_services_is_name(const char *text);

/* Each binding's context is the struct, borrowed. */
struct gk_rpc_binding gk_box_service(struct gk_services *services);
struct gk_rpc_binding gk_holder_service(struct gk_services *services);
struct gk_rpc_binding gk_issuer_service(struct gk_services *services);
struct gk_rpc_binding gk_operator_service(struct gk_services *services);
struct gk_rpc_binding gk_admin_service(struct gk_services *services);

/* OperatorService's methods about plugins. */
void gk_operator_list_plugins(struct gk_rpc_call *call, const guika_v1_ListPluginsRequest *request,
                              void *context);
void gk_operator_release_plugin(struct gk_rpc_call *call, const guika_v1_ReleasePluginRequest *request,
                                void *context);

/* operator_claims.c, bound by the operator service. */
void gk_operator_list_claims(struct gk_rpc_call *call, const guika_v1_ListClaimsRequest *request,
                             void *context);
void gk_operator_resolve_claim(struct gk_rpc_call *call, const guika_v1_ResolveClaimRequest *request,
                               void *context);

#endif
