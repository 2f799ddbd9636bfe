/* The OperatorService's methods that have files of their own; operator_service.c puts them into its table. */
#ifndef GUIKA_CORE_SERVICES_OPERATOR_METHODS_H
#define GUIKA_CORE_SERVICES_OPERATOR_METHODS_H

#include "core/services/services.h"
#include "guika/v1/operator.rpc.h"

/* One row of a list; `row` is zeroed before. [any] */
void gk_operator_fill_row(const struct gk_keys *keys, const guika_v1_internal_FoundCard *card,
                          guika_v1_FoundCardRow *row);

/* custody_service.c */
void gk_operator_add_desk(struct gk_rpc_call *call, const guika_v1_AddDeskRequest *request, void *context);
void gk_operator_add_staff(struct gk_rpc_call *call, const guika_v1_AddStaffRequest *request, void *context);
void gk_operator_move_card(struct gk_rpc_call *call, const guika_v1_MoveCardRequest *request, void *context);
void gk_operator_reissue_code(struct gk_rpc_call *call, const guika_v1_ReissueCodeRequest *request,
                              void *context);
void gk_operator_close_card(struct gk_rpc_call *call, const guika_v1_CloseCardRequest *request,
                            void *context);

/* boxes_service.c */
void gk_operator_list_boxes(struct gk_rpc_call *call, const guika_v1_ListBoxesRequest *request,
                            void *context);

/* case_service.c */
void gk_operator_show_card(struct gk_rpc_call *call, const guika_v1_ShowCardRequest *request, void *context);
void gk_operator_list_hand_over(struct gk_rpc_call *call, const guika_v1_ListHandOverRequest *request,
                                void *context);

/* pickup_service.c */
void gk_operator_hand_out(struct gk_rpc_call *call, const guika_v1_HandOutRequest *request, void *context);

/* operator_add.c */
void gk_operator_add_operator(struct gk_rpc_call *call, const guika_v1_AddOperatorRequest *request,
                              void *context);

/* statistics_service.c */
void gk_operator_get_statistics(struct gk_rpc_call *call, const guika_v1_GetStatisticsRequest *request,
                                void *context);
/* operator_issuers.c */
void gk_operator_set_issuer(struct gk_rpc_call *call, const guika_v1_SetIssuerRequest *request,
                            void *context);

/* operator_audit.c */
void gk_operator_list_audit(struct gk_rpc_call *call, const guika_v1_ListAuditRequest *request,
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
