/*
 * The public services: what each method of box.proto, holder.proto, issuer.proto and operator.proto does. A
 * handler checks its request, hands the work to the module that owns it, and answers; one file a service.
 * Everything runs on the loop unless tagged.
 */
#ifndef GUIKA_CORE_SERVICES_SERVICES_H
#define GUIKA_CORE_SERVICES_SERVICES_H

#include "core/boxes.h"
#include "core/clock.h"
#include "core/enquiries.h"
#include "core/log.h"
#include "core/mailbox.h"
#include "core/pipeline.h"
#include "core/plugins/keeper.h"
#include "core/reader_jobs.h"
#include "core/registry/registry.h"
#include "core/security/credentials.h"
#include "core/security/keys.h"
#include "core/security/rate_limit.h"
#include "core/store/store.h"
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
    struct gk_pipeline *pipeline;
    struct gk_enquiries *enquiries;
    struct gk_keeper *keeper;            /* of plugins; NULL: this service has none */
    struct gk_rate_limit *enquiry_limit; /* by client */
    uint32_t heartbeat_ms;
};

/* Each binding's context is the struct, borrowed. */
struct gk_rpc_binding gk_box_service(struct gk_services *services);
struct gk_rpc_binding gk_holder_service(struct gk_services *services);
struct gk_rpc_binding gk_issuer_service(struct gk_services *services);
struct gk_rpc_binding gk_operator_service(struct gk_services *services);

/* OperatorService's methods about plugins. */
void gk_operator_list_plugins(struct gk_rpc_call *call, const guika_v1_ListPluginsRequest *request,
                              void *context);
void gk_operator_release_plugin(struct gk_rpc_call *call, const guika_v1_ReleasePluginRequest *request,
                                void *context);

#endif
