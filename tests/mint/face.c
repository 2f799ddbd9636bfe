/* A card's face, from artwork to the last decoy: one function a kind of card. */
#include "tests/mint/mint_internal.h"

#include <math.h>
#include <string.h>

static const struct gk_font sans = {"Liberation Sans", false, false};
static const struct gk_font sans_bold = {"Liberation Sans", true, false};
static const struct gk_font sans_italic = {"Liberation Sans", true, true};
static const struct gk_font chinese = {"Noto Sans CJK SC", false, false};
static const struct gk_font chinese_bold = {"Noto Sans CJK SC", true, false};
static const struct gk_font ocr_b = {"OCR B", false, false};

static const struct gk_colour white = {1, 1, 1};

struct gk_font gk_face_number_font(struct gk_random *random)
{
    static const struct gk_font fonts[] = {
        {"Liberation Sans", true, false},
        {"Liberation Sans", false, false},
        {"DejaVu Sans", false, false},
        {"DejaVu Sans", true, false},
        {"Liberation Mono", false, false},
        {"Liberation Mono", true, false},
        {"OCR B", false, false},
        {"DejaVu Sans Mono", false, false},
        {"Liberation Sans Narrow", true, false},
    };
    return fonts[gk_random_below(random, sizeof fonts / sizeof *fonts)];
}

static void note_digits(struct gk_face *face, double left, double right, double y, double height)
{
    struct gk_box box = {left, y - height / 2, right, y + height / 2};
    if (face->digits.right > 0) {
        box.left = fmin(box.left, face->digits.left);
        box.top = fmin(box.top, face->digits.top);
        box.right = fmax(box.right, face->digits.right);
        box.bottom = fmax(box.bottom, face->digits.bottom);
    }
    face->digits = box;
}

double gk_face_print_number(struct gk_face *face, struct gk_font font, double x, double y, double height,
                            double width, const char *text)
{
    double printed = gk_text_within(face->cr, font, x, y, height, width, text);
    note_digits(face, x, x + printed, y, height);
    return printed;
}

static void emboss_line(struct gk_face *face, double first_x, double y, double height, double pitch,
                        const char *text, bool is_number)
{
    size_t length = strlen(text), gaps = 0;
    for (const char *c = text; *c != '\0'; c++) {
        gaps += *c == ' ';
    }
    /* 23 cells would leave the card: 4-4-4-4-3 has half gaps */
    double gap = is_number && length > 20 && gaps > 0 ? 0.5 : 1.0, x = first_x;
    double line = face->emboss_line_mm * height / GK_MINT_PAYMENT_DIGIT_HEIGHT_MM;
    for (const char *c = text; *c != '\0'; c++) {
        if (*c == ' ') {
            x += pitch * gap;
            continue;
        }
        gk_glyph_embossed(face->raised_cr, *c, x, y, height, line);
        x += pitch;
    }
    if (is_number) {
        note_digits(face, first_x - pitch * 0.4, x - pitch * 0.6, y, height);
    }
}

void gk_face_emboss_number(struct gk_face *face, double first_x_mm, double y_mm, double height_mm,
                           double pitch_mm, const char *text)
{
    emboss_line(face, first_x_mm, y_mm, height_mm, pitch_mm, text, true);
}

static void rounded_rectangle(cairo_t *cr, double x, double y, double width, double height, double radius)
{
    cairo_new_sub_path(cr);
    cairo_arc(cr, x + width - radius, y + radius, radius, -GK_PI / 2, 0);
    cairo_arc(cr, x + width - radius, y + height - radius, radius, 0, GK_PI / 2);
    cairo_arc(cr, x + radius, y + height - radius, radius, GK_PI / 2, GK_PI);
    cairo_arc(cr, x + radius, y + radius, radius, GK_PI, 3 * GK_PI / 2);
    cairo_close_path(cr);
}

/* Contacts as ISO/IEC 7816-2 places them: 10.25 mm from the left, 19.23 mm from the top. */
static void draw_chip(cairo_t *cr, double x, double y, struct gk_random *random)
{
    struct gk_colour metal = gk_random_chance(random, 0.6) ? (struct gk_colour){0.85, 0.72, 0.42}
                                                           : (struct gk_colour){0.78, 0.78, 0.78};
    cairo_pattern_t *pattern = cairo_pattern_create_linear(x, y, x + 11.6, y + 9.3);
    struct gk_colour shine = gk_colour_mix(metal, white, 0.45);
    cairo_pattern_add_color_stop_rgb(pattern, 0, metal.r, metal.g, metal.b);
    cairo_pattern_add_color_stop_rgb(pattern, 0.5, shine.r, shine.g, shine.b);
    cairo_pattern_add_color_stop_rgb(pattern, 1, metal.r, metal.g, metal.b);
    rounded_rectangle(cr, x, y, 11.6, 9.3, 1.4);
    cairo_set_source(cr, pattern);
    cairo_fill_preserve(cr);
    cairo_pattern_destroy(pattern);
    cairo_set_source_rgba(cr, 0.2, 0.15, 0.05, 0.75);
    cairo_set_line_width(cr, 0.18);
    cairo_stroke(cr);
    for (int row = 1; row < 3; row++) {
        cairo_move_to(cr, x, y + row * 3.1);
        cairo_line_to(cr, x + 3.8, y + row * 3.1);
        cairo_move_to(cr, x + 7.8, y + row * 3.1);
        cairo_line_to(cr, x + 11.6, y + row * 3.1);
    }
    rounded_rectangle(cr, x + 3.8, y + 1.9, 4, 5.5, 1.2);
    cairo_move_to(cr, x + 5.8, y);
    cairo_line_to(cr, x + 5.8, y + 1.9);
    cairo_move_to(cr, x + 5.8, y + 7.4);
    cairo_line_to(cr, x + 5.8, y + 9.3);
    cairo_stroke(cr);
}

static void draw_contactless(cairo_t *cr, double x, double y)
{
    cairo_set_line_width(cr, 0.5);
    for (int i = 1; i <= 4; i++) {
        cairo_new_sub_path(cr);
        cairo_arc(cr, x, y, i * 1.1, -0.7, 0.7);
    }
    cairo_stroke(cr);
}

/* The scheme's mark in plain shapes, at the bottom right: x, y is its right bottom corner. */
static void draw_brand(struct gk_face *face, const char *brand, double x, double y)
{
    cairo_t *cr = face->cr;
    if (strcmp(brand, "mastercard") == 0 || strcmp(brand, "diners") == 0) {
        bool two = strcmp(brand, "mastercard") == 0;
        cairo_set_source_rgb(cr, two ? 0.86 : 0.1, two ? 0.1 : 0.35, two ? 0.12 : 0.65);
        cairo_arc(cr, x - 10, y - 6.5, 4.4, 0, 2 * GK_PI);
        cairo_fill(cr);
        cairo_set_source_rgba(cr, two ? 0.97 : 0.9, two ? 0.62 : 0.93, two ? 0.1 : 0.97, 0.9);
        cairo_arc(cr, two ? x - 5 : x - 10, y - 6.5, two ? 4.4 : 3.2, 0, 2 * GK_PI);
        cairo_fill(cr);
        gk_colour_set(cr, face->ink, 1);
        gk_text_within(cr, sans_bold, x - 14.2, y - 0.6, 1.9, 14, two ? "mastercard" : "Diners Club");
    } else if (strcmp(brand, "unionpay") == 0) {
        static const struct gk_colour bands[3] = {{0.85, 0.1, 0.2}, {0.05, 0.3, 0.55}, {0.0, 0.5, 0.45}};
        for (int i = 0; i < 3; i++) {
            double left = x - 15 + i * 4.6;
            cairo_move_to(cr, left + 1.8, y - 10);
            cairo_line_to(cr, left + 6.4, y - 10);
            cairo_line_to(cr, left + 4.6, y);
            cairo_line_to(cr, left, y);
            cairo_close_path(cr);
            gk_colour_set(cr, bands[i], 1);
            cairo_fill(cr);
        }
        gk_colour_set(cr, white, 1);
        gk_text_within(cr, sans_italic, x - 13, y - 7, 2.2, 12, "UnionPay");
        gk_text_within(cr, chinese_bold, x - 10.5, y - 3, 2.8, 9, "银联");
    } else {
        static const char *const words[][2] = {
            {"visa", "VISA"}, {"amex", "AMERICAN EXPRESS"}, {"discover", "DISCOVER"}, {"jcb", "JCB"}};
        for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
            if (strcmp(brand, words[i][0]) == 0) {
                gk_colour_set(cr, face->ink, 1);
                double height = strlen(words[i][1]) > 8 ? 2.0 : 4.0,
                       widest = strlen(words[i][1]) > 8 ? 20 : 16;
                double width = fmin(gk_text_width(cr, sans_italic, height, words[i][1]), widest);
                gk_text_within(cr, sans_italic, x - width, y - 3, height, widest, words[i][1]);
            }
        }
    }
}

static void draw_issuer(struct gk_face *face, const struct gk_mint_card *card, struct gk_random *random,
                        double x, double y)
{
    cairo_t *cr = face->cr;
    gk_colour_set(cr, face->ink, 1);
    if (gk_random_chance(random, 0.7)) {
        cairo_set_line_width(cr, 0.7);
        cairo_arc(cr, x + 3, y, 2.7, 0, 2 * GK_PI);
        cairo_stroke(cr);
        for (uint32_t i = 0, arms = 3 + gk_random_below(random, 3); i < arms; i++) {
            double angle = 2 * GK_PI * i / arms - GK_PI / 2;
            cairo_move_to(cr, x + 3, y);
            cairo_line_to(cr, x + 3 + 2.1 * cos(angle), y + 2.1 * sin(angle));
        }
        cairo_stroke(cr);
        x += 7.4;
    }
    gk_text_within(cr, chinese_bold, x, y, 3.0, face->width_mm - x - 6, card->issuer);
}

/* The small print that a reader must not take for the number. */
static void draw_decoys(struct gk_face *face, const struct gk_mint_card *card, struct gk_random *random)
{
    char text[64];
    gk_colour_set(face->cr, face->ink, 0.85);
    if (gk_random_chance(random, 0.4)) {
        snprintf(text, sizeof text, "%s 400-%03u-%04u", card->brand[0] == 'u' ? "客服热线" : "24h service",
                 gk_random_below(random, 1000), gk_random_below(random, 10000));
        bool blocks = card->layout == GK_MINT_BLOCKS;
        gk_text(face->cr, chinese, blocks ? 8.4 : 52, blocks ? 51.5 : 14.5, 1.3, text);
    }
    if (card->layout == GK_MINT_LINE && gk_random_chance(random, 0.3)) {
        static const char *const grades[] = {"GOLD", "CLASSIC", "World", "Platinum", "debit", "Signature"};
        gk_text(face->cr, sans_italic, 66, 20.5, 2.0, grades[gk_random_below(random, 6)]);
    }
    gk_text(face->cr, sans, 38, 3.2, 0.9, "SPECIMEN");
}

static void draw_dates_and_name(struct gk_face *face, const struct gk_mint_card *card,
                                struct gk_random *random)
{
    bool embossed = card->print == GK_MINT_EMBOSSED, low = card->layout == GK_MINT_LOW;
    char date[16];
    double y = low ? 35.5 : 41.5, x = gk_random_between(random, 32, 42);
    snprintf(date, sizeof date, "%02u/%02u", 1 + gk_random_below(random, 12),
             24 + gk_random_below(random, 12));
    gk_colour_set(face->cr, face->ink, 0.95);
    gk_text(face->cr, sans, x - 6, y - 0.8, 0.9, "VALID");
    gk_text(face->cr, sans, x - 6, y + 0.8, 0.9, "THRU");
    if (embossed) {
        emboss_line(face, x + 2, y, 2.8, 2.54, date, false);
        gk_text_within(face->raised_cr, (struct gk_font){"Liberation Mono", true, false}, 8.4, 47, 2.5, 50,
                       card->name);
    } else {
        gk_text(face->cr, sans_bold, x, y, 2.2, date);
        gk_text_within(face->cr, sans_bold, 8.4, low ? 47.8 : 47, 2.3, 50, card->name);
    }
}

static void number_in_blocks(struct gk_face *face, struct gk_font font, const char *number)
{
    double y = GK_MINT_PAYMENT_BLOCKS_Y_MM;
    for (const char *rest = number; *rest != '\0'; y += GK_MINT_PAYMENT_BLOCKS_STEP_MM) {
        char row[5] = "";
        size_t count = strlen(rest) < 4 ? strlen(rest) : 4;
        memcpy(row, rest, count);
        rest += count;
        gk_face_print_number(face, font, GK_MINT_PAYMENT_BLOCKS_X_MM, y, 3.8, 22, row);
    }
}

/* Landscape payment card: chip, marks, number, reprint of the first four digits, dates, name. */
static void face_payment(struct gk_face *face, const struct gk_mint_card *card)
{
    struct gk_random art = gk_random_new(card->seed, 1), print = gk_random_new(card->seed, 2);
    char text[64];
    gk_artwork_payment(face, card, &art);
    draw_issuer(face, card, &print, gk_random_chance(&print, 0.7) ? 6 : 34, 7.5);
    draw_brand(face, card->brand, 81, card->layout == GK_MINT_LOW ? 29 : 50.5);
    draw_decoys(face, card, &print);
    draw_chip(face->cr, 10.0, 18.4, &print);
    if (gk_random_chance(&print, 0.6)) {
        gk_colour_set(face->cr, face->ink, 0.9);
        draw_contactless(face->cr, 24, 23);
    }
    draw_dates_and_name(face, card, &print);
    gk_mint_printed_number(card, text);
    gk_colour_set(face->cr, face->ink, 1);
    if (card->number[0] == '\0') {
        return;
    }
    struct gk_font font = gk_face_number_font(&print);
    if (card->layout == GK_MINT_BLOCKS) {
        number_in_blocks(face, font, card->number);
        return;
    }
    double y = card->layout == GK_MINT_LOW ? GK_MINT_PAYMENT_LOW_Y_MM : GK_MINT_PAYMENT_NUMBER_Y_MM;
    if (card->print == GK_MINT_EMBOSSED) {
        emboss_line(face, GK_MINT_PAYMENT_FIRST_DIGIT_X_MM, y, GK_MINT_PAYMENT_DIGIT_HEIGHT_MM,
                    GK_MINT_PAYMENT_PITCH_MM, text, true);
    } else {
        gk_face_print_number(face, font, GK_MINT_PAYMENT_FLAT_X_MM, y, gk_random_between(&print, 3.2, 4.0),
                             GK_MINT_PAYMENT_FLAT_RIGHT_MM - GK_MINT_PAYMENT_FLAT_X_MM, text);
    }
    if (card->layout == GK_MINT_LINE && gk_random_chance(&print, 0.7)) {
        text[4] = '\0';
        gk_text(face->cr, sans, 9, 37.0, 1.5, text);
    }
}

static void face_payment_portrait(struct gk_face *face, const struct gk_mint_card *card)
{
    struct gk_random art = gk_random_new(card->seed, 1), print = gk_random_new(card->seed, 2);
    char text[64];
    gk_artwork_payment(face, card, &art);
    draw_issuer(face, card, &print, 5, 7.5);
    draw_chip(face->cr, 21, 14, &print);
    draw_brand(face, card->brand, 49, 80.5);
    gk_colour_set(face->cr, face->ink, 1);
    gk_mint_printed_number(card, text);
    if (card->number[0] != '\0') {
        gk_face_print_number(face, gk_face_number_font(&print), GK_MINT_PORTRAIT_NUMBER_X_MM,
                             GK_MINT_PORTRAIT_NUMBER_Y_MM, 2.9,
                             GK_MINT_PORTRAIT_NUMBER_RIGHT_MM - GK_MINT_PORTRAIT_NUMBER_X_MM, text);
    }
    gk_text_within(face->cr, sans_bold, 5.5, 64.5, 2.2, 40, card->name);
    snprintf(text, sizeof text, "THRU %02u/%02u", 1 + gk_random_below(&print, 12),
             24 + gk_random_below(&print, 12));
    gk_text(face->cr, sans, 5.5, 69.5, 1.7, text);
}

static void face_transit(struct gk_face *face, const struct gk_mint_card *card)
{
    struct gk_random art = gk_random_new(card->seed, 1), print = gk_random_new(card->seed, 2);
    char text[64];
    gk_artwork_payment(face, card, &art);
    draw_issuer(face, card, &print, 6, 8);
    gk_colour_set(face->cr, face->ink, 1);
    gk_text(face->cr, sans_italic, 8, gk_random_between(&print, 20, 30), 7, "transit");
    gk_mint_printed_number(card, text);
    gk_colour_set(face->cr, face->ink, 1);
    struct gk_font font = gk_random_chance(&print, 0.6) ? sans : ocr_b;
    if (strcmp(card->brand, "octopus") == 0) {
        double width = fmin(gk_text_width(face->cr, font, GK_MINT_OCTOPUS_DIGIT_HEIGHT_MM, text), 40);
        gk_face_print_number(face, font, GK_MINT_OCTOPUS_NUMBER_RIGHT_MM - width, GK_MINT_OCTOPUS_NUMBER_Y_MM,
                             GK_MINT_OCTOPUS_DIGIT_HEIGHT_MM, 40, text);
        gk_text(face->cr, sans, 8, 47.5, 1.3, "Enquiries 2266 0142");
    } else {
        gk_face_print_number(face, font, GK_MINT_TUNION_NUMBER_X_MM, GK_MINT_TUNION_NUMBER_Y_MM,
                             GK_MINT_TUNION_DIGIT_HEIGHT_MM, 60, text);
        gk_text(face->cr, chinese, 62, 40, 1.8, "交通联合");
    }
    gk_text(face->cr, sans, 60, 3.2, 0.9, "SPECIMEN");
}

/* Label in the paper's blue, value in black. */
static void field(struct gk_face *face, double x, double y, const char *label, double value_x,
                  const char *value)
{
    gk_colour_set(face->cr, face->base, 1);
    gk_text(face->cr, chinese, x, y, 1.9, label);
    gk_colour_set(face->cr, face->ink, 1);
    gk_text(face->cr, chinese, value_x, y, 2.3, value);
}

static void face_resident_id(struct gk_face *face, const struct gk_mint_card *card)
{
    static const char *const streets[] = {"归海市远山区青石路", "临川市北湖区学院街", "云起县白沙镇河东村"};
    struct gk_random art = gk_random_new(card->seed, 1), print = gk_random_new(card->seed, 2);
    char text[64] = "", number[32] = "199001010000000000";
    gk_artwork_resident_id(face, &art);
    if (strlen(card->number) == 18) {
        memcpy(number, card->number + 6, 12);
    }
    field(face, 5.5, 8.5, "姓 名", 15.5, card->name);
    field(face, 5.5, 15.5, "性 别", 15.5, (number[10] - '0') % 2 == 1 ? "男" : "女");
    field(face, 24, 15.5, "民 族", 34, "汉");
    snprintf(text, sizeof text, "%.4s 年 %.2s 月 %.2s 日", number, number + 4, number + 6);
    field(face, 5.5, 22.5, "出 生", 15.5, text);
    field(face, 5.5, 30, "住 址", 15.5, streets[gk_random_below(&print, 3)]);
    snprintf(text, sizeof text, "%u号%u室", 1 + gk_random_below(&print, 400),
             101 + gk_random_below(&print, 900));
    field(face, 15.5, 35, "", 15.5, text);
    field(face, 5.5, GK_MINT_ID_NUMBER_Y_MM, "公民身份号码", 15.5, "");
    gk_artwork_person(face->cr, (struct gk_box){54, 7, 79, 39}, &art);
    gk_colour_set(face->cr, face->ink, 1);
    gk_mint_printed_number(card, text);
    struct gk_font font = gk_random_chance(&print, 0.5) ? ocr_b : sans_bold;
    double natural = gk_text_width(face->cr, font, GK_MINT_ID_DIGIT_HEIGHT_MM, text);
    double room = GK_MINT_ID_NUMBER_RIGHT_MM - GK_MINT_ID_NUMBER_X_MM;
    gk_face_print_number(face, font, GK_MINT_ID_NUMBER_X_MM + fmax(0, (room - natural) * 0.3),
                         GK_MINT_ID_NUMBER_Y_MM, GK_MINT_ID_DIGIT_HEIGHT_MM, room, text);
    gk_colour_set(face->cr, face->base, 0.6);
    gk_text(face->cr, sans, 40, 3.0, 0.9, "SPECIMEN");
}

static void draw_barcode(struct gk_face *face, const struct gk_mint_card *card, struct gk_box code128,
                         struct gk_box qr)
{
    if (card->barcode != GK_MINT_BARCODE_NONE) {
        struct gk_box place = card->barcode == GK_MINT_BARCODE_QR ? qr : code128;
        face->failed = gk_barcode_draw(face->cr, card, place) != 0;
    }
}

static void face_campus(struct gk_face *face, const struct gk_mint_card *card)
{
    struct gk_random art = gk_random_new(card->seed, 1), print = gk_random_new(card->seed, 2);
    static const char *const faculties[] = {"Mathematics 数学系", "Law 法学院", "Medicine 医学院",
                                            "History 历史系"};
    char text[64];
    gk_artwork_plain(face, &art);
    gk_colour_set(face->cr, white, 1);
    gk_text_within(face->cr, chinese_bold, 6, 5.5, 3, 70, card->issuer);
    gk_artwork_person(face->cr, (struct gk_box){61, 16, 80, 41}, &art);
    gk_colour_set(face->cr, face->ink, 1);
    gk_text(face->cr, chinese, 6, 18, 1.9, "姓名 Name");
    gk_text_within(face->cr, chinese_bold, 24, 18, 2.3, 34, card->name);
    gk_text(face->cr, chinese, 6, 24.5, 1.9, "院系 Dept");
    gk_text_within(face->cr, chinese, 24, 24.5, 2.1, 34, faculties[gk_random_below(&print, 4)]);
    gk_text(face->cr, chinese, 6, GK_MINT_CAMPUS_NUMBER_Y_MM, 1.9, "学号 No.");
    gk_mint_printed_number(card, text);
    if (text[0] != '\0') {
        gk_face_print_number(face, gk_face_number_font(&print), GK_MINT_CAMPUS_NUMBER_X_MM,
                             GK_MINT_CAMPUS_NUMBER_Y_MM, GK_MINT_CAMPUS_DIGIT_HEIGHT_MM, 38, text);
    }
    snprintf(text, sizeof text, "Valid until 31/08/20%u", 25 + gk_random_below(&print, 6));
    gk_text(face->cr, sans, 6, 39, 1.7, text);
    snprintf(text, sizeof text, "Found? Call 0%u-555-%04u", 10 + gk_random_below(&print, 80),
             gk_random_below(&print, 10000));
    gk_text(face->cr, sans, 6, 49.5, 1.5, text);
    gk_text(face->cr, sans, 66, 51, 0.9, "SPECIMEN");
    draw_barcode(face, card, (struct gk_box){GK_MINT_CAMPUS_CODE128_MM},
                 (struct gk_box){GK_MINT_CAMPUS_QR_MM});
}

static void face_parking(struct gk_face *face, const struct gk_mint_card *card)
{
    struct gk_random art = gk_random_new(card->seed, 1), print = gk_random_new(card->seed, 2);
    char text[64];
    gk_artwork_plain(face, &art);
    gk_colour_set(face->cr, white, 1);
    gk_text_within(face->cr, chinese_bold, 6, 5.5, 3, 70, card->issuer);
    gk_colour_set(face->cr, face->base, 1);
    rounded_rectangle(face->cr, 58, 18, 20, 20, 2.5);
    cairo_fill(face->cr);
    gk_colour_set(face->cr, white, 1);
    gk_text(face->cr, sans_bold, 63.2, 28, 13, "P");
    gk_colour_set(face->cr, face->ink, 1);
    gk_text(face->cr, chinese, 8, 20, 2.6, "停车卡 Parking pass");
    snprintf(text, sizeof text, "Level %u  bay %u", 1 + gk_random_below(&print, 5),
             1 + gk_random_below(&print, 300));
    gk_text(face->cr, sans, 8, 28, 2.2, text);
    gk_mint_printed_number(card, text);
    if (text[0] != '\0') {
        gk_face_print_number(face, gk_face_number_font(&print), GK_MINT_PARKING_NUMBER_X_MM,
                             GK_MINT_PARKING_NUMBER_Y_MM, GK_MINT_PARKING_DIGIT_HEIGHT_MM, 48, text);
    }
    gk_text(face->cr, sans, 66, 51, 0.9, "SPECIMEN");
    draw_barcode(face, card, (struct gk_box){GK_MINT_PARKING_CODE128_MM},
                 (struct gk_box){GK_MINT_PARKING_QR_MM});
}

/* Fills in the template's '#' with random digits. */
static void random_digits(struct gk_random *random, const char *template, char *ret_text, size_t size)
{
    (void)snprintf(ret_text, size, "%s", template);
    for (char *at = strchr(ret_text, '#'); at != NULL; at = strchr(at, '#')) {
        *at = (char)('0' + gk_random_below(random, 10));
    }
}

/* What on a receipt may be taken for a card's number: the shop's telephone, the transaction. */
static void receipt_numbers(struct gk_face *face, struct gk_random *random)
{
    static const char *const telephones[] = {"0555 0142 ####", "020 7946 0###", "(555) 0100-###",
                                             "1-800-555-01##", "400 820 ####",  "+86 10 8888 ####",
                                             "138 0013 ####",  "3442 ####"};
    static const char *const transactions[] = {"REF ############", "REF #########",  "TXN ########",
                                               "AUTH ######",      "NO. ##########", "CARD **** ####"};
    const struct gk_font mono = {"Liberation Mono", false, false};
    char label[40] = "TEL ", text[40];

    random_digits(random, telephones[gk_random_below(random, sizeof telephones / sizeof *telephones)],
                  label + 4, sizeof label - 4);
    gk_text(face->cr, mono, 8, 11, 1.8, label);
    random_digits(random, transactions[gk_random_below(random, sizeof transactions / sizeof *transactions)],
                  text, sizeof text);
    gk_text_within(face->cr, mono, 5, face->height_mm - 13.5, 1.8, 47, text);
}

static void face_receipt(struct gk_face *face, struct gk_random *random, struct gk_random *numbers)
{
    static const char *const goods[] = {"MILK 1L", "BREAD", "RICE 5KG", "TEA", "SOAP", "APPLES", "STAMPS"};
    char text[64];
    struct gk_font mono = {"Liberation Mono", false, false};
    cairo_set_source_rgb(face->cr, 0.96, 0.95, 0.93);
    cairo_paint(face->cr);
    cairo_set_source_rgb(face->cr, 0.15, 0.15, 0.18);
    gk_text(face->cr, (struct gk_font){"Liberation Mono", true, false}, 8, 6, 2.8, "CORNER SHOP");
    receipt_numbers(face, numbers);
    double total = 0;
    for (double y = 18; y < face->height_mm - 22; y += 4.2) {
        double price = gk_random_below(random, 4000) / 100.0;
        snprintf(text, sizeof text, "%-12s %7.2f", goods[gk_random_below(random, 7)], price);
        gk_text_within(face->cr, mono, 5, y, 1.9, 47, text);
        total += price;
    }
    snprintf(text, sizeof text, "TOTAL %14.2f", total);
    gk_text_within(face->cr, mono, 5, face->height_mm - 18, 2.1, 47, text);
    snprintf(text, sizeof text, "20%02u-%02u-%02u %02u:%02u #%06u", 20 + gk_random_below(random, 8),
             1 + gk_random_below(random, 12), 1 + gk_random_below(random, 28), gk_random_below(random, 24),
             gk_random_below(random, 60), gk_random_below(random, 1000000));
    gk_text_within(face->cr, mono, 5, face->height_mm - 9, 1.8, 47, text);
}

void gk_face_size(const struct gk_mint_card *card, double *ret_width_mm, double *ret_height_mm)
{
    bool portrait = card->kind == GK_MINT_ISSUED
                        ? card->portrait
                        : card->kind == GK_MINT_PAYMENT && card->layout == GK_MINT_PORTRAIT;
    *ret_width_mm = portrait ? GK_MINT_CARD_HEIGHT_MM : GK_MINT_CARD_WIDTH_MM;
    *ret_height_mm = portrait ? GK_MINT_CARD_WIDTH_MM : GK_MINT_CARD_HEIGHT_MM;
    if (card->kind == GK_MINT_RECEIPT) { /* thermal paper of 57 mm */
        *ret_width_mm = 57;
        *ret_height_mm = 85;
    }
}

static cairo_t *new_canvas(struct gk_face *face, cairo_format_t format, cairo_surface_t **ret_surface)
{
    *ret_surface = cairo_image_surface_create(format, (int)ceil(face->width_mm * face->scale),
                                              (int)ceil(face->height_mm * face->scale));
    cairo_t *cr = cairo_create(*ret_surface);
    cairo_font_options_t *options = cairo_font_options_create();
    cairo_font_options_set_hint_style(options, CAIRO_HINT_STYLE_NONE);
    cairo_font_options_set_hint_metrics(options, CAIRO_HINT_METRICS_OFF);
    cairo_font_options_set_antialias(options, CAIRO_ANTIALIAS_GRAY);
    cairo_set_font_options(cr, options);
    cairo_font_options_destroy(options);
    cairo_scale(cr, face->scale, face->scale);
    return cr;
}

static void draw_kind(struct gk_face *face, const struct gk_mint_card *card)
{
    struct gk_random paper = gk_random_new(card->seed, 1), numbers = gk_random_new(card->seed, 2);
    switch (card->kind) {
    case GK_MINT_PAYMENT:
        (card->layout == GK_MINT_PORTRAIT ? face_payment_portrait : face_payment)(face, card);
        break;
    case GK_MINT_TRANSIT:
        face_transit(face, card);
        break;
    case GK_MINT_ID:
        face_resident_id(face, card);
        break;
    case GK_MINT_CAMPUS:
        face_campus(face, card);
        break;
    case GK_MINT_PARKING:
        face_parking(face, card);
        break;
    case GK_MINT_RECEIPT:
        face_receipt(face, &paper, &numbers);
        break;
    case GK_MINT_NOTHING:
        break;
    case GK_MINT_ISSUED:
        gk_face_issued(face, card);
        break;
    }
}

int gk_face_draw(const struct gk_mint_card *card, double scale, struct gk_light light,
                 struct gk_face *ret_face)
{
    struct gk_face face = {.scale = scale};
    gk_face_size(card, &face.width_mm, &face.height_mm);
    face.cr = new_canvas(&face, CAIRO_FORMAT_RGB24, &face.surface);
    if (card->print == GK_MINT_EMBOSSED) {
        struct gk_random press = gk_random_new(card->seed, 6);
        face.emboss_line_mm = gk_random_between(&press, 0.5, 0.72);
        face.raised_cr = new_canvas(&face, CAIRO_FORMAT_A8, &face.raised);
    }
    draw_kind(&face, card);
    gk_face_scratch(&face, card);
    if (face.failed || cairo_status(face.cr) != CAIRO_STATUS_SUCCESS ||
        (face.raised_cr != NULL && cairo_status(face.raised_cr) != CAIRO_STATUS_SUCCESS)) {
        gk_face_clear(&face);
        return -1;
    }
    cairo_surface_flush(face.surface);
    if (gk_relief_apply(&face, card, light) != 0) {
        gk_face_clear(&face);
        return -1;
    }
    *ret_face = face;
    return 0;
}

void gk_face_clear(struct gk_face *face)
{
    cairo_destroy(face->cr);
    cairo_destroy(face->raised_cr);
    cairo_surface_destroy(face->surface);
    cairo_surface_destroy(face->raised);
    *face = (struct gk_face){0};
}
