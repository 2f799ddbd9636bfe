/* What OperatorService changes about an issuer's account: SetIssuer. */
#ifndef GUIKA_CORE_SERVICES_OPERATOR_ISSUERS_H
#define GUIKA_CORE_SERVICES_OPERATOR_ISSUERS_H

#include "guika/v1/operator.pb.h"
#include "rpc/call.h"

/* Handler; `context` is the struct gk_services. [loop] */
void gk_operator_on_set_issuer(struct gk_rpc_call *call, const guika_v1_SetIssuerRequest *request,
                               void *context);

#endif
