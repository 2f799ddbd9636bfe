#include "core/notification/message_templates.h"

#include "core/notification/messages.h"

#define CARD_AND_PLACE                                                                                       \
    "[卡片：{issuer}[，尾号 {last_four}]\n]"                                                           \
    "[领取地点：{place}\n]"                                                                             \
    "[地图：{map_url}\n]"                                                                                 \
    "[开放时间：{opening_hours}\n]"                                                                     \
    "[领取方式：{collecting}\n]"                                                                        \
    "[招领编号：{case_number}\n]"                                                                       \
    "[取卡码：{code}[（须同时输入您手机号的后 {tail_digits} 位）]\n"                       \
    "取卡码有效期至 {code_expires}，过期可重新申请。\n]"

#define HOW                                                                                                  \
    "[在回收箱上先输入招领编号，再输入取卡码 "                                            \
    "{code}；在服务台请直接告知工作人员。请勿把取卡码告诉他人：谁有取卡码，谁就能取走您的卡。\n]"

#define NO_LINK "领取所需的信息都在这条消息里，不用点开任何链接。\n"
#define NO_FEE                                                                                               \
    "归还卡片完全免费。任何人都不会为此向您索要密码、验证码或费用；如果有人这样做，那是诈骗，请不要理会。\n"
#define SIGNATURE "\n归卡（Guika）失卡招领\n"

static const struct gk_message_template templates[] = {
    {GK_MESSAGE_CARD_FOUND, "您遗失的卡找到了[：{issuer}][，尾号 {last_four}]",
     "[{name}，]您好！\n"
     "\n"
     "好消息：有人捡到了您的卡，投进了我们的回收箱。卡片现在保管妥当，等您来取。\n"
     "\n" CARD_AND_PLACE "\n" HOW "\n" NO_LINK NO_FEE SIGNATURE},
    {GK_MESSAGE_CARD_MOVED, "您的卡换了存放地点[：{issuer}][，尾号 {last_four}]",
     "[{name}，]您好！\n"
     "\n"
     "您的卡已转到新的地点，等您来取。上一条消息里的取卡码已经失效，请使用下面的新取卡码。\n"
     "\n" CARD_AND_PLACE "\n" HOW "\n" NO_LINK NO_FEE SIGNATURE},
    {GK_MESSAGE_CARD_REMINDER, "提醒：您遗失的卡还在等您[：{issuer}][，尾号 {last_four}]",
     "[{name}，]您好！\n"
     "\n"
     "您的卡还在等您来取，但保管期快到了，请尽快领取。请使用下面的新取卡码，以前消息里的取卡码已经失效。\n"
     "\n" CARD_AND_PLACE "\n" HOW "\n" NO_LINK NO_FEE SIGNATURE},
    {GK_MESSAGE_CARD_EXPIRED, "您的卡保管期已过[：{issuer}][，尾号 {last_four}]",
     "[{name}，]您好！\n"
     "\n"
     "您的卡保管期已过，不能再领取，将退回发卡方，或移交公安机关、失物招领处；以前消息里的取卡码已经失效。请"
     "联系发卡方。\n"
     "\n[卡片：{issuer}[，尾号 {last_four}]\n][原存放地点：{place}\n][招领编号：{case_number}\n]"
     "\n" NO_FEE SIGNATURE},
    {GK_MESSAGE_NEW_CODE, "您的新取卡码[：{issuer}][，尾号 {last_four}]",
     "[{name}，]您好！\n"
     "\n"
     "这是您领卡用的新取卡码，以前消息里的取卡码已经失效。如果不是您本人申请的，无需理会：只有您收到了这个取"
     "卡码。\n"
     "\n" CARD_AND_PLACE "\n" HOW "\n" NO_LINK NO_FEE SIGNATURE},
    {GK_MESSAGE_ENQUIRY_FOUND, "查询结果：您的卡找到了[：{issuer}][，尾号 {last_four}]",
     "[{name}，]您好！\n"
     "\n"
     "我们收到了对您这张卡的查询。它已经找到，现在保管妥当，等您来取。\n"
     "\n" CARD_AND_PLACE "\n" HOW
     "如果上面没有取卡码，说明您的卡还在送往领取地点的途中，到了我们会再通知您。\n"
     "如果查询的不是您本人，也不必担心：结果只发给卡主登记的联系方式。\n"
     "\n" NO_LINK NO_FEE SIGNATURE},
    {GK_MESSAGE_ENQUIRY_NOT_FOUND, "查询结果：暂未找到您的卡[（尾号 {last_four}）]",
     "[{name}，]您好！\n"
     "\n"
     "我们收到了对您[尾号为 {last_four} 的]这张卡的查询。到目前为止，还没有人把它交到我们这里。\n"
     "一旦找到，我们会马上通知您，不必再次查询。如果担心卡被他人使用，请尽快联系发卡方挂失。\n"
     "\n"
     "如果查询的不是您本人，无需理会这条消息：结果只发给卡主登记的联系方式。\n"
     "\n" NO_FEE SIGNATURE},
    {GK_MESSAGE_CONTACT_CODE, "验证码：{code}",
     "[{name}，]您好！\n"
     "\n"
     "您的验证码是 {code}，十分钟内有效，用来查看您的卡在哪里。\n"
     "\n"
     "请只在您提出查询的地方输入，不要告诉任何人；我们的工作人员不会向您索要。如果不是您本人操作，无需理会这"
     "条消息。\n" SIGNATURE},
    {GK_MESSAGE_BOX_SILENT, "回收箱 {name} 失去联系",
     "回收箱 "
     "{name}[（{place}）]"
     "已连续多次没有报告。已授权的卡仍可凭取卡码取走，新投入的卡由箱子保存，恢复联系后补报。\n"
     "请检查它的电源和网络。guika box list 可查看所有回收箱。\n" SIGNATURE},
    {GK_MESSAGE_BOX_HEARD, "回收箱 {name} 已恢复联系", "回收箱 {name}[（{place}）]已恢复报告。\n" SIGNATURE},
    {GK_MESSAGE_BOX_FULL, "回收箱 {name} 已满",
     "回收箱 {name}[（{place}）]有一个区域已没有空格。清空之前，该区域的卡会退还给拾到者。\n"
     "guika box list 可查看是哪个区域；疑难卡和过期卡可以取走。\n" SIGNATURE},
    {GK_MESSAGE_BOX_ROOM, "回收箱 {name} 又有空位", "回收箱 {name}[（{place}）]又有空格了。\n" SIGNATURE},
    {GK_MESSAGE_BOX_LOOK, "请查看回收箱 {name}",
     "回收箱 "
     "{name}[（{place}）]在断网期间的操作与系统记录不符。日志（offline_pickup_needs_a_look）写明了编号，"
     "guika audit show 编号 可查看经过。\n" SIGNATURE},
};

const struct gk_message_template *gk_message_templates_zh(size_t *ret_count)
{
    *ret_count = sizeof templates / sizeof templates[0];
    return templates;
}
