/*
 * Guika's mint: draws specimen cards and photographs of them, for tests, benches, the demo and training.
 *
 * A card (what is printed) and a scene (how it lies before the camera) are plain structures: fill them by
 * hand, or draw them at random from a seed, then change what the test is about. The same structures give the
 * same pixels in one build on one machine. Every number is made up. The functions keep no state and may be
 * called from any thread.
 *
 * Millimetres are measured on the upright card from its top left corner, x to the right, y down.
 */
#ifndef GUIKA_TESTS_MINT_MINT_H
#define GUIKA_TESTS_MINT_MINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* ISO/IEC 7810, ID-1. */
#define GK_MINT_CARD_WIDTH_MM 85.60
#define GK_MINT_CARD_HEIGHT_MM 53.98
#define GK_MINT_CORNER_RADIUS_MM 3.18

/*
 * Where numbers stand. `y` is the line's centre, `height` the height of a digit.
 * Payment: ISO/IEC 7811-3 puts the embossed line 21.42 mm above the bottom edge; pitch is that of Farrington
 * 7B. Resident ID: read off the published specimen. The others are the mint's own choice.
 */
#define GK_MINT_PAYMENT_NUMBER_Y_MM 32.56
#define GK_MINT_PAYMENT_FIRST_DIGIT_X_MM 10.18
#define GK_MINT_PAYMENT_PITCH_MM 3.63
#define GK_MINT_PAYMENT_DIGIT_HEIGHT_MM 4.0
#define GK_MINT_PAYMENT_FLAT_X_MM 8.6
#define GK_MINT_PAYMENT_FLAT_RIGHT_MM 77.5
/* Low line, as on cards that carry the number above the bottom edge (GK_MINT_LOW). */
#define GK_MINT_PAYMENT_LOW_Y_MM 41.5
/* Four rows of four digits (GK_MINT_BLOCKS): the first row's centre, the step to the next, the left edge. */
#define GK_MINT_PAYMENT_BLOCKS_Y_MM 16.0
#define GK_MINT_PAYMENT_BLOCKS_STEP_MM 6.0
#define GK_MINT_PAYMENT_BLOCKS_X_MM 50.0
/* Portrait card (GK_MINT_PORTRAIT): millimetres of the upright portrait face, 53.98 wide and 85.60 high. */
#define GK_MINT_PORTRAIT_NUMBER_Y_MM 58.0
#define GK_MINT_PORTRAIT_NUMBER_X_MM 5.5
#define GK_MINT_PORTRAIT_NUMBER_RIGHT_MM 48.5

#define GK_MINT_OCTOPUS_NUMBER_Y_MM 47.5
#define GK_MINT_OCTOPUS_NUMBER_RIGHT_MM 80.0
#define GK_MINT_OCTOPUS_DIGIT_HEIGHT_MM 2.6
#define GK_MINT_TUNION_NUMBER_Y_MM 47.5
#define GK_MINT_TUNION_NUMBER_X_MM 7.0
#define GK_MINT_TUNION_DIGIT_HEIGHT_MM 2.6
#define GK_MINT_ID_NUMBER_Y_MM 46.0
#define GK_MINT_ID_NUMBER_X_MM 28.5
#define GK_MINT_ID_NUMBER_RIGHT_MM 77.5
#define GK_MINT_ID_DIGIT_HEIGHT_MM 3.0
#define GK_MINT_CAMPUS_NUMBER_Y_MM 31.0
#define GK_MINT_CAMPUS_NUMBER_X_MM 21.0
#define GK_MINT_CAMPUS_DIGIT_HEIGHT_MM 3.0
#define GK_MINT_PARKING_NUMBER_Y_MM 42.0
#define GK_MINT_PARKING_NUMBER_X_MM 8.0
#define GK_MINT_PARKING_DIGIT_HEIGHT_MM 3.6
/* The white field of a bar code (left, top, right, bottom): the mint's own choice. */
#define GK_MINT_CAMPUS_CODE128_MM 5.0, 40.8, 59.0, 47.8
#define GK_MINT_CAMPUS_QR_MM 45.5, 35.8, 58.0, 48.3
#define GK_MINT_PARKING_CODE128_MM 5.0, 45.2, 59.0, 52.2
#define GK_MINT_PARKING_QR_MM 61.5, 39.3, 72.5, 50.3

enum gk_mint_kind {
    GK_MINT_PAYMENT,
    GK_MINT_TRANSIT,
    GK_MINT_ID, /* Chinese resident ID, the side with the number */
    GK_MINT_CAMPUS,
    GK_MINT_PARKING,
    GK_MINT_RECEIPT, /* a paper slip with decoy figures; no card */
    GK_MINT_NOTHING, /* the background alone */
    GK_MINT_ISSUED,  /* after an issuer's descriptor, see issued.h: number in `window` */
};

/* Only payment cards and those after a descriptor are embossed. */
enum gk_mint_print { GK_MINT_FLAT, GK_MINT_EMBOSSED };

/* Only payment cards have a layout other than GK_MINT_LINE; embossed ones GK_MINT_LINE or GK_MINT_LOW. */
enum gk_mint_layout { GK_MINT_LINE, GK_MINT_LOW, GK_MINT_BLOCKS, GK_MINT_PORTRAIT };

enum gk_mint_foil { GK_MINT_FOIL_SILVER, GK_MINT_FOIL_GOLD, GK_MINT_FOIL_WHITE, GK_MINT_FOIL_NONE };

/* Only campus and parking cards carry one, and those after a descriptor where there is room; the default is
 * none. */
enum gk_mint_barcode { GK_MINT_BARCODE_NONE, GK_MINT_BARCODE_CODE128, GK_MINT_BARCODE_QR };

/* A part of a GK_MINT_ISSUED card, millimetres of the upright face. */
struct gk_mint_window {
    double left_mm, top_mm, width_mm, height_mm;
};

/* A window that is higher holds a row for each group of the number, another one line in its middle. */
#define GK_MINT_WINDOW_LINE_MOST_MM 14.0
#define GK_MINT_HIDDEN_MOST 16

/* What is printed. */
struct gk_mint_card {
    enum gk_mint_kind kind;
    enum gk_mint_print print;
    enum gk_mint_layout layout;
    enum gk_mint_foil foil; /* of embossed digits */
    double foil_wear;       /* 0 new .. 1 all worn off */
    double scratches;       /* of the whole face: 0 none .. 1 carried loose among keys for years */
    char brand[16];         /* see gk_mint_brand_name; the brand of a payment or transit card, else empty */
    char issuer[48];        /* UTF-8, printed on the card */
    char number[32];        /* canonical: 0-9 and A-Z alone; empty: none is printed */
    char grouping[24];      /* how it is printed: "4-4-4-4", "6-13", "9(1)" */
    char name[32];          /* UTF-8, printed as the holder's */
    enum gk_mint_barcode barcode;
    char barcode_text[64];        /* printable ASCII, in the bar code; empty: the number */
    struct gk_mint_window window; /* the number's; of GK_MINT_ISSUED alone, as what follows */
    bool portrait;                /* the face is upright when it is taller than wide */
    struct gk_mint_window hidden[GK_MINT_HIDDEN_MOST]; /* a portrait each, or figures where it is small */
    size_t hidden_count;
    bool back;     /* a back: plain, with small print */
    bool stripe;   /* a back with a magnetic stripe and a panel to sign on */
    uint64_t seed; /* of the artwork, the fonts, the decoys: frames of one card share it */
};

enum gk_mint_background { GK_MINT_DESK, GK_MINT_WOOD, GK_MINT_CLOTH, GK_MINT_CLUTTER, GK_MINT_TRAY };

/* A box's camera may have lamps to the left and right of the card; frames under them differ in noise. */
enum gk_mint_lamp { GK_MINT_LAMP_UNNAMED, GK_MINT_LAMP_LEFT, GK_MINT_LAMP_RIGHT };

/* How the card lies before the camera. */
struct gk_mint_scene {
    uint32_t width_px, height_px; /* 16 .. 8192 each */
    double card_width_share; /* the card's long edge as a share of the frame's width, untilted; 0.05 .. 1.5 */
    double centre_x, centre_y; /* the card's centre as shares of the frame; 0.5 is the middle */
    double rotation_degrees;   /* clockwise; 180 is upside down */
    double tilt_x_degrees;     /* the card's far edge leans away: -60 .. 60 */
    double tilt_y_degrees;     /* its right edge leans away: -60 .. 60 */
    double light_degrees;      /* where the light comes from in the picture: 0 right, 90 top */
    double light_strength;     /* 0 flat light .. 1 one hard lamp */
    double brightness;         /* 1: well exposed */
    double warmth;             /* -1 blue .. 1 yellow light */
    double glare;              /* 0 none .. 1 a band of the card burnt out */
    double blur_sigma_px;      /* 0 .. 20 */
    double noise;              /* standard deviation in grey levels of 255 */
    enum gk_mint_background background;
    enum gk_mint_lamp lamp; /* told in the manifest; the light comes from where light_degrees says */
    uint64_t seed;          /* of the background, the noise, the place of the glare */
};

struct gk_mint_point {
    double x, y; /* pixels; the top left pixel's centre is 0.5, 0.5 */
};

struct gk_mint_picture {
    uint32_t width_px, height_px;
    uint8_t *rgb; /* 3 bytes a pixel, rows without padding; free with gk_mint_picture_clear */
    struct gk_mint_point
        quad[4]; /* the card's sharp corners: TL, TR, BR, BL of the upright card; 0 without a card */
    struct gk_mint_point digits[4]; /* the box around the number, likewise; 0 without a number */
};

/* ---- numbers ---- */

/* The brands by index: payment ("visa", "mastercard", "amex", "discover", "jcb", "diners", "unionpay") or
 * transit
 * ("octopus", "tunion"). NULL past the end and for kinds without brands. */
const char *gk_mint_brand_name(enum gk_mint_kind kind, size_t index);

/* The check digit ('0'-'9') that makes `digits` with it appended pass Luhn (ISO/IEC 7812-1, annex B). */
char gk_mint_luhn_digit(const char *digits);
/* The check digit in brackets of an Octopus number of 8 or 9 digits. */
char gk_mint_octopus_digit(const char *digits);
/* The check character of a resident ID (GB 11643-1999), from its first 17 digits. */
char gk_mint_resident_id_check(const char *digits17);

/* How the number is printed, e.g. "102012507(0)". Groups are parted by one space. Digits that the grouping
 * does not cover follow at the end. `ret_text` holds at least 64 bytes. */
void gk_mint_printed_number(const struct gk_mint_card *card, char *ret_text);

/* The manifest's word for the check that the number passes or fails: "luhn_ok", "luhn_bad", "iso7064_ok",
 * "iso7064_bad", "octopus_ok", "octopus_bad" or "none". */
const char *gk_mint_check_word(const struct gk_mint_card *card);

/* ---- at random ---- */

/* A card with a valid number. `brand` NULL or "": any of the kind's. Payment cards are embossed or flat by
 * chance. */
void gk_mint_card_random(enum gk_mint_kind kind, const char *brand, uint64_t seed,
                         struct gk_mint_card *ret_card);

/* Prints `number` (0-9 and A-Z, at most 31) instead. A payment card takes the brand and the grouping that the
 * number's prefix and length call for, and keeps its own where they fit or where nothing does. Returns 0, or
 * -1 with the card untouched where the number is longer or holds another character. */
int gk_mint_card_set_number(struct gk_mint_card *card, const char *number);

/* A scene of 1280 x 960 pixels in which an ID-1 card lies wholly within the frame.
 * difficulty 0: upright, untilted, sharp, even light; 1: any rotation, tilts to 40 degrees, glare, blur,
 * noise. */
void gk_mint_scene_random(double difficulty, uint64_t seed, struct gk_mint_scene *ret_scene);

/* The same scene under the opposite lamp: the light comes from the other side, and the noise is other noise.
 * `scene->lamp` is LEFT or RIGHT. */
void gk_mint_scene_opposite_lamp(const struct gk_mint_scene *scene, struct gk_mint_scene *ret_scene);

/* Shrinks and moves the card, where it must, until its corners lie in the frame with a margin of 2% of its
 * width. */
void gk_mint_scene_fit(const struct gk_mint_card *card, struct gk_mint_scene *scene);

/* ---- pictures ---- */

/* Takes about 0.15 s for 1280 x 960. Returns 0, or -1 where a value lies out of its range or memory ran out;
 * `ret_picture` is then untouched. */
int gk_mint_draw(const struct gk_mint_card *card, const struct gk_mint_scene *scene,
                 struct gk_mint_picture *ret_picture);

/* Accepts NULL and an empty picture. */
void gk_mint_picture_clear(struct gk_mint_picture *picture);

/* Where a point of the upright card (millimetres) lies in the picture. Needs a picture with a card. */
struct gk_mint_point gk_mint_picture_at(const struct gk_mint_card *card, const struct gk_mint_scene *scene,
                                        double x_mm, double y_mm);

/* Encode to a stream, from its position on. quality 1 .. 100. Return 0, or -1 with errno set. */
int gk_mint_write_jpeg(FILE *stream, const struct gk_mint_picture *picture, int quality);
int gk_mint_write_png(FILE *stream, const struct gk_mint_picture *picture);

/* A JPEG in memory, `*ret_size` bytes; NULL where memory ran out. Free with free. */
uint8_t *gk_mint_jpeg(const struct gk_mint_picture *picture, int quality, size_t *ret_size);

/* ---- the manifest of a folder of pictures ---- */

/* The header line, then one line a picture: file kind issuer number check print capture width height notes,
 * parted by tabs. The card's corners stand in the notes as quad=x,y;x,y;x,y;x,y in pixels, and behind them
 * a named lamp as lamp=left or lamp=right. Return 0, or -1
 * with errno. */
int gk_mint_write_manifest_header(FILE *stream);
int gk_mint_write_manifest_line(FILE *stream, const char *file, const struct gk_mint_card *card,
                                const struct gk_mint_scene *scene, const struct gk_mint_picture *picture);

#endif
