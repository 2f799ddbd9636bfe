/* OperatorService.ListAudit. */
#ifndef GUIKA_CORE_SERVICES_OPERATOR_AUDIT_H
#define GUIKA_CORE_SERVICES_OPERATOR_AUDIT_H

#include "guika/v1/operator.pb.h"
#include "rpc/call.h"

/* Handler; `context` is the struct gk_services. [loop] */
void gk_operator_on_list_audit(struct gk_rpc_call *call, const guika_v1_ListAuditRequest *request,
                               void *context);

#endif
