/* guika-mint: a folder of specimen cards and their manifest. */
#include "core/host/plugin_loader.h"
#include "tests/mint/issued.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

static const char usage_text[] =
    "usage: guika-mint --out DIR [options]\n"
    "\n"
    "Draws specimen cards with made-up, valid numbers into DIR, and DIR/manifest.tsv, which\n"
    "`guika corpus DIR` reads. The same options give the same pictures.\n"
    "\n"
    "  --out DIR               the folder, made if it is missing\n"
    "  --count N               pictures (default 1, at most 100000)\n"
    "  --seed S                start of chance (default 1)\n"
    "  --kind K                any (default), payment, transit, id, campus, parking, receipt, nothing,\n"
    "                          or a brand: visa, mastercard, amex, discover, jcb, diners, unionpay, octopus, "
    "tunion\n"
    "  --plugin FILE.so        instead of a kind: cards of an issuer's plugin, by its rules and layouts; "
    "kind, print,\n"
    "                          layout, barcode and number are then the plugin's\n"
    "  --print P               any (default), flat, embossed; only payment cards are embossed\n"
    "  --layout L              line (default), low, blocks, portrait, any: where flat payment numbers stand\n"
    "  --barcode B             none (default), code128, qr: the number on campus and parking cards, again\n"
    "  --number N              this number (0-9, A-Z, at most 31) instead of a random one\n"
    "  --difficulty D          0 (default) .. 1: light, glare, blur, noise, size and place in the frame\n"
    "  --lamps L               one (default), both: each picture twice, lit from the left and from the "
    "right\n"
    "  --tilt-max-degrees D    0 .. 60, default 10\n"
    "  --rotation R            upright (default, within 2 degrees), upside-down, any\n"
    "  --background B          any (default), desk, wood, cloth, clutter, tray\n"
    "  --size WxH              pixels, 16 .. 8192 each, default 1280x960\n"
    "  --format F              jpg (default, quality 88) or png\n"
    "  --help, --version\n";

/* Words by the value of their enum. */
static const char *const print_words[] = {"flat", "embossed", NULL};
static const char *const layout_words[] = {"line", "low", "blocks", "portrait", NULL};
static const char *const background_words[] = {"desk", "wood", "cloth", "clutter", "tray", NULL};
static const char *const kind_words[] = {"payment", "transit", "id",      "campus",
                                         "parking", "receipt", "nothing", NULL};
static const char *const rotation_words[] = {"upright", "upside-down", "any", NULL};
static const char *const lamps_words[] = {"one", "both", NULL};
static const char *const barcode_words[] = {"none", "code128", "qr", NULL};
static const char *const format_words[] = {"jpg", "png", NULL};

#define ANY (-1)
#define JPEG_QUALITY 88
#define LEAST_LAMP_STRENGTH 0.6 /* of a box's own lamp, beside which the room's light is weak */

struct options {
    const char *out, *brand, *number;
    const struct guika_issuer *issuer;    /* NULL: none */
    int kind, print, layout, background;  /* ANY or the enum's value */
    int rotation, format, barcode, lamps; /* indices into their words */
    uint64_t seed;
    uint32_t count, width_px, height_px;
    double difficulty, tilt_max_degrees;
};

static bool parse_word(const char *option, const char *text, const char *const *words, bool may_be_any,
                       int *ret_index)
{
    for (int i = 0; words[i] != NULL; i++) {
        if (strcmp(text, words[i]) == 0) {
            *ret_index = i;
            return true;
        }
    }
    if (may_be_any && strcmp(text, "any") == 0) {
        *ret_index = ANY;
        return true;
    }
    fprintf(stderr, "guika-mint: --%s does not know '%s'; see --help\n", option, text);
    return false;
}

static bool parse_real(const char *option, const char *text, double low, double high, double *ret_value)
{
    char *end;
    double value = strtod(text, &end);
    if (end == text || *end != '\0' || !(value >= low && value <= high)) {
        fprintf(stderr, "guika-mint: --%s takes %g to %g, got '%s'\n", option, low, high, text);
        return false;
    }
    *ret_value = value;
    return true;
}

static bool parse_whole(const char *option, const char *text, uint64_t low, uint64_t high,
                        uint64_t *ret_value)
{
    char *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || errno != 0 || value < low || value > high) {
        fprintf(stderr, "guika-mint: --%s takes %llu to %llu, got '%s'\n", option, (unsigned long long)low,
                (unsigned long long)high, text);
        return false;
    }
    *ret_value = value;
    return true;
}

static bool parse_kind(const char *text, struct options *options)
{
    static const enum gk_mint_kind branded[] = {GK_MINT_PAYMENT, GK_MINT_TRANSIT};
    for (size_t i = 0; i < sizeof branded / sizeof *branded; i++) {
        const char *brand;
        for (size_t j = 0; (brand = gk_mint_brand_name(branded[i], j)) != NULL; j++) {
            if (strcmp(text, brand) == 0) {
                options->kind = (int)branded[i];
                options->brand = brand;
                return true;
            }
        }
    }
    return parse_word("kind", text, kind_words, true, &options->kind);
}

static bool parse_number(const char *text, struct options *options)
{
    size_t length = strlen(text);
    if (length == 0 || length > 31 || strspn(text, "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ") != length) {
        fprintf(stderr, "guika-mint: --number takes 1 to 31 of 0-9 and A-Z without spaces\n");
        return false;
    }
    options->number = text;
    return true;
}

static bool parse_size(const char *text, struct options *options)
{
    unsigned width, height;
    int end = 0;
    if (sscanf(text, "%5ux%5u%n", &width, &height, &end) != 2 || text[end] != '\0' || width < 16 ||
        width > 8192 || height < 16 || height > 8192) {
        fprintf(stderr, "guika-mint: --size takes WxH, 16 to 8192 each, got '%s'\n", text);
        return false;
    }
    options->width_px = width;
    options->height_px = height;
    return true;
}

static const struct option long_options[] = {
    {"out", required_argument, NULL, 'o'},
    {"count", required_argument, NULL, 'c'},
    {"seed", required_argument, NULL, 's'},
    {"kind", required_argument, NULL, 'k'},
    {"print", required_argument, NULL, 'p'},
    {"layout", required_argument, NULL, 'l'},
    {"number", required_argument, NULL, 'n'},
    {"difficulty", required_argument, NULL, 'd'},
    {"rotation", required_argument, NULL, 'r'},
    {"tilt-max-degrees", required_argument, NULL, 't'},
    {"background", required_argument, NULL, 'b'},
    {"size", required_argument, NULL, 'z'},
    {"format", required_argument, NULL, 'f'},
    {"barcode", required_argument, NULL, 'a'},
    {"lamps", required_argument, NULL, 'm'},
    {"plugin", required_argument, NULL, 'g'},
    {"help", no_argument, NULL, 'h'},
    {"version", no_argument, NULL, 'v'},
    {NULL, 0, NULL, 0},
};

/* The plugin stays open until the program ends. */
static bool open_plugin(const char *path, struct options *options)
{
    static const struct gk_plugin_kind kind = {.symbol = "guika_issuer",
                                               .word = "issuer",
                                               .abi_major = GUIKA_ISSUER_ABI_MAJOR,
                                               .abi_minor = GUIKA_ISSUER_ABI_MINOR,
                                               .smallest_struct = offsetof(struct guika_issuer, barcodes)};
    struct gk_plugin *plugin;
    struct gk_error error;
    if (gk_plugin_open(path, &kind, &plugin, &error) != GK_OK) {
        fprintf(stderr, "guika-mint: %s\n", error.message);
        return false;
    }
    options->issuer = (const struct guika_issuer *)(const void *)gk_plugin_head(plugin);
    return true;
}

static bool parse_option(int letter, const char *text, struct options *options)
{
    uint64_t count;
    switch (letter) {
    case 'o':
        options->out = text;
        return true;
    case 'c':
        if (!parse_whole("count", text, 1, 100000, &count)) {
            return false;
        }
        options->count = (uint32_t)count;
        return true;
    case 's':
        return parse_whole("seed", text, 0, UINT64_MAX, &options->seed);
    case 'k':
        return parse_kind(text, options);
    case 'p':
        return parse_word("print", text, print_words, true, &options->print);
    case 'l':
        return parse_word("layout", text, layout_words, true, &options->layout);
    case 'a':
        return parse_word("barcode", text, barcode_words, false, &options->barcode);
    case 'm':
        return parse_word("lamps", text, lamps_words, false, &options->lamps);
    case 'n':
        return parse_number(text, options);
    case 'g':
        return open_plugin(text, options);
    case 'd':
        return parse_real("difficulty", text, 0, 1, &options->difficulty);
    case 'r':
        return parse_word("rotation", text, rotation_words, false, &options->rotation);
    case 't':
        return parse_real("tilt-max-degrees", text, 0, 60, &options->tilt_max_degrees);
    case 'b':
        return parse_word("background", text, background_words, true, &options->background);
    case 'z':
        return parse_size(text, options);
    case 'f':
        return parse_word("format", text, format_words, false, &options->format);
    default:
        fprintf(stderr,
                "guika-mint: unknown option, or an option without its value; see guika-mint --help\n");
        return false;
    }
}

/* splitmix64's increment: seeds of neighbouring pictures lie far apart. */
static uint64_t picture_seed(const struct options *options, uint32_t index)
{
    return options->seed * UINT64_C(0xd1342543de82ef95) + index * UINT64_C(0x9e3779b97f4a7c15);
}

static bool choose_card(const struct options *options, uint32_t index, struct gk_mint_card *ret_card)
{
    uint64_t seed = picture_seed(options, index);
    if (options->issuer != NULL) {
        return gk_mint_issue_card(options->issuer, index % options->issuer->rule_count, seed, ret_card);
    }
    /* any: half of them payment cards */
    static const enum gk_mint_kind kinds[] = {GK_MINT_PAYMENT, GK_MINT_TRANSIT, GK_MINT_PAYMENT,
                                              GK_MINT_ID,      GK_MINT_PAYMENT, GK_MINT_CAMPUS,
                                              GK_MINT_PAYMENT, GK_MINT_PARKING};
    gk_mint_card_random(options->kind != ANY ? (enum gk_mint_kind)options->kind : kinds[index % 8],
                        options->brand, seed, ret_card);
    if (ret_card->kind == GK_MINT_PAYMENT && options->print != ANY) {
        ret_card->print = (enum gk_mint_print)options->print;
    }
    if (ret_card->kind == GK_MINT_PAYMENT && ret_card->print == GK_MINT_FLAT) {
        ret_card->layout =
            (enum gk_mint_layout)(options->layout != ANY ? (uint32_t)options->layout : index / 2 % 4);
    }
    if (ret_card->kind == GK_MINT_CAMPUS || ret_card->kind == GK_MINT_PARKING) {
        ret_card->barcode = (enum gk_mint_barcode)options->barcode;
    }
    if (options->number != NULL) {
        gk_mint_card_set_number(ret_card, options->number);
    }
    return true;
}

static void choose_scene(const struct options *options, uint32_t index, const struct gk_mint_card *card,
                         struct gk_mint_scene *ret_scene)
{
    struct gk_mint_scene scene;
    uint64_t seed = picture_seed(options, index);
    gk_mint_scene_random(options->difficulty, seed, &scene);
    scene.width_px = options->width_px;
    scene.height_px = options->height_px;
    if (options->background != ANY) {
        scene.background = (enum gk_mint_background)options->background;
    }
    /* three shares of 0 .. 1 from the scene's own seed */
    double turn = (double)(scene.seed & 0xffff) / 65535, x = (double)(scene.seed >> 16 & 0xffff) / 65535;
    double y = (double)(scene.seed >> 32 & 0xffff) / 65535;
    scene.rotation_degrees = options->rotation == 2 ? 360 * turn : 180 * options->rotation + 4 * turn - 2;
    scene.tilt_x_degrees = (2 * x - 1) * options->tilt_max_degrees;
    scene.tilt_y_degrees = (2 * y - 1) * options->tilt_max_degrees;
    gk_mint_scene_fit(card, &scene);
    *ret_scene = scene;
}

static int write_picture(const struct options *options, const char *file,
                         const struct gk_mint_picture *picture)
{
    char path[4096];
    if (snprintf(path, sizeof path, "%s/%s", options->out, file) >= (int)sizeof path) {
        errno = ENAMETOOLONG;
        return -1;
    }
    FILE *stream = fopen(path, "wb");
    if (stream == NULL) {
        return -1;
    }
    int status = options->format == 0 ? gk_mint_write_jpeg(stream, picture, JPEG_QUALITY)
                                      : gk_mint_write_png(stream, picture);
    return fclose(stream) == 0 ? status : -1;
}

static int mint_picture(const struct options *options, uint32_t index, const struct gk_mint_card *card,
                        const struct gk_mint_scene *scene, FILE *manifest)
{
    static const char *const lamps[] = {"", "-left", "-right"};
    struct gk_mint_picture picture;
    char file[40];
    snprintf(file, sizeof file, "%.20s-%05u%s.%s",
             options->issuer != NULL ? options->issuer->id : kind_words[card->kind], index,
             lamps[scene->lamp], format_words[options->format]);
    if (gk_mint_draw(card, scene, &picture) != 0) {
        errno = ENOMEM;
        return -1;
    }
    int status = write_picture(options, file, &picture);
    if (status == 0) {
        status = gk_mint_write_manifest_line(manifest, file, card, scene, &picture);
    }
    gk_mint_picture_clear(&picture);
    return status;
}

static int mint_one(const struct options *options, uint32_t index, FILE *manifest)
{
    struct gk_mint_card card;
    struct gk_mint_scene scene, opposite;
    if (!choose_card(options, index, &card)) {
        fprintf(stderr, "guika-mint: the plugin's rules let no number pass\n");
        errno = EINVAL;
        return -1;
    }
    choose_scene(options, index, &card, &scene);
    if (options->lamps == 0) {
        return mint_picture(options, index, &card, &scene, manifest);
    }
    scene.lamp = GK_MINT_LAMP_LEFT;
    scene.light_degrees = 180;
    scene.light_strength = fmax(scene.light_strength, LEAST_LAMP_STRENGTH);
    gk_mint_scene_opposite_lamp(&scene, &opposite);
    int status = mint_picture(options, index, &card, &scene, manifest);
    return status == 0 ? mint_picture(options, index, &card, &opposite, manifest) : status;
}

static int mint_all(const struct options *options)
{
    char path[4096];
    snprintf(path, sizeof path, "%s/manifest.tsv", options->out);
    if (mkdir(options->out, 0777) != 0 && errno != EEXIST) {
        fprintf(stderr, "guika-mint: cannot make the folder %s: %s\n", options->out, strerror(errno));
        return 1;
    }
    FILE *manifest = fopen(path, "w");
    if (manifest == NULL) {
        fprintf(stderr, "guika-mint: cannot write %s: %s\n", path, strerror(errno));
        return 1;
    }
    int status = gk_mint_write_manifest_header(manifest);
    for (uint32_t i = 0; i < options->count && status == 0; i++) {
        status = mint_one(options, i, manifest);
    }
    if (status != 0) {
        fprintf(stderr, "guika-mint: cannot write into %s: %s\n", options->out, strerror(errno));
    }
    if (fclose(manifest) != 0 && status == 0) {
        fprintf(stderr, "guika-mint: cannot write %s: %s\n", path, strerror(errno));
        status = -1;
    }
    return status == 0 ? 0 : 1;
}

int main(int argc, char **argv)
{
    struct options options = {.kind = ANY,
                              .print = ANY,
                              .background = ANY,
                              .seed = 1,
                              .count = 1,
                              .width_px = 1280,
                              .height_px = 960,
                              .tilt_max_degrees = 10};
    int letter;
    opterr = 0;
    while ((letter = getopt_long(argc, argv, "", long_options, NULL)) != -1) {
        if (letter == 'h') {
            return fputs(usage_text, stdout) < 0 ? 1 : 0;
        }
        if (letter == 'v') {
            return puts("guika-mint " GUIKA_VERSION) < 0 ? 1 : 0;
        }
        if (!parse_option(letter, optarg, &options)) {
            return 2;
        }
    }
    if (optind < argc || options.out == NULL) {
        fprintf(stderr, "guika-mint: %s; try --help\n",
                optind < argc ? "there is an argument too many" : "--out DIR is missing");
        return 2;
    }
    return mint_all(&options);
}
