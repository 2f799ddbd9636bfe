/* The OperatorService's methods that have files of their own; operator_service.c puts them into its table. */
#ifndef GUIKA_CORE_SERVICES_OPERATOR_METHODS_H
#define GUIKA_CORE_SERVICES_OPERATOR_METHODS_H

#include "core/services/services.h"
#include "guika/v1/operator.rpc.h"

/* One row of a list; `row` is zeroed before. [any] */
void gk_operator_fill_row(const struct gk_keys *keys, const guika_v1_internal_FoundCard *card,
                          guika_v1_FoundCardRow *row);

/* operator_add.c */
void gk_operator_add_operator(struct gk_rpc_call *call, const guika_v1_AddOperatorRequest *request,
                              void *context);

/* statistics_service.c */
void gk_operator_get_statistics(struct gk_rpc_call *call, const guika_v1_GetStatisticsRequest *request,
                                void *context);

/* difficult_service.c */
void gk_operator_list_difficult(struct gk_rpc_call *call, const guika_v1_ListDifficultRequest *request,
                                void *context);
void gk_operator_get_difficult(struct gk_rpc_call *call, const guika_v1_DifficultCaseRequest *request,
                               void *context);
void gk_operator_get_picture(struct gk_rpc_call *call, const guika_v1_GetPictureRequest *request,
                             void *context);
void gk_operator_resolve(struct gk_rpc_call *call, const guika_v1_ResolveRequest *request, void *context);
void gk_operator_retry(struct gk_rpc_call *call, const guika_v1_DifficultCaseRequest *request, void *context);
void gk_operator_discard(struct gk_rpc_call *call, const guika_v1_DifficultCaseRequest *request,
                         void *context);
void gk_operator_hand_to_issuer(struct gk_rpc_call *call, const guika_v1_HandToIssuerRequest *request,
                                void *context);

#endif
