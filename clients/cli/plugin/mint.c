/* guika plugin mint: test cards of a plugin's own layouts, and their manifest. */
#include "clients/cli/cli.h"
#include "clients/cli/plugin/plugin.h"
#include "plugins/sdk/conformance/specimen.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#define CARDS_USUAL 4
#define CARDS_MOST 1000
#define JPEG_QUALITY 90

static const char help[] =
    "usage: guika plugin mint FILE.so -o DIR [--cards N]\n"
    "\n"
    "Draws photographs of test cards with made-up, valid numbers into DIR, and DIR/manifest.tsv, which\n"
    "`guika corpus DIR` reads. The same plugin gives the same cards.\n"
    "\n"
    "  -o DIR, --out DIR    the folder, made if it is missing\n"
    "  --cards N            of each layout, 1 to 1000 (4)\n" GK_CLI_LOCAL_HELP;

static int mint_one(const struct guika_issuer *issuer, const char *directory, size_t layout, unsigned index,
                    FILE *manifest)
{
    struct gk_specimen specimen;
    struct gk_mint_picture picture;
    char file[80], path[PATH_MAX];
    if (!gk_specimen_make(issuer, layout, index, &specimen) ||
        gk_mint_draw(&specimen.card, &specimen.scene, &picture) != 0) {
        fprintf(stderr, "guika plugin mint: no card of layout %zu could be drawn; see guika plugin check\n",
                layout);
        return 1;
    }
    snprintf(file, sizeof file, "%s-%s-%u.jpg", issuer->id, specimen.layout->name, index);
    for (char *c = file; *c != '\0'; c++) {
        *c = *c == '/' ? '_' : *c;
    }
    snprintf(path, sizeof path, "%s/%s", directory, file);
    FILE *stream = fopen(path, "wb");
    int status = stream == NULL ? -1 : gk_mint_write_jpeg(stream, &picture, JPEG_QUALITY);
    if ((stream != NULL && fclose(stream) != 0) || status != 0) {
        fprintf(stderr, "guika plugin mint: %s: %s\n", path, strerror(errno));
        status = -1;
    } else {
        status = gk_mint_write_manifest_line(manifest, file, &specimen.card, &specimen.scene, &picture);
    }
    gk_mint_picture_clear(&picture);
    return status == 0 ? 0 : 1;
}

static int mint_all(const struct guika_issuer *issuer, const char *directory, long cards)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/manifest.tsv", directory);
    FILE *manifest = mkdir(directory, 0777) != 0 && errno != EEXIST ? NULL : fopen(path, "w");
    if (manifest == NULL) {
        fprintf(stderr, "guika plugin mint: %s: %s\n", path, strerror(errno));
        return 1;
    }
    int exit_status = gk_mint_write_manifest_header(manifest) == 0 ? 0 : 1;
    for (size_t layout = 0; layout < issuer->layout_count && exit_status == 0; layout++) {
        for (unsigned i = 0; i < (unsigned)cards && exit_status == 0; i++) {
            exit_status = mint_one(issuer, directory, layout, i, manifest);
        }
    }
    return fclose(manifest) == 0 ? exit_status : 1;
}

int gk_cli_plugin_mint(int argc, char **argv)
{
    struct gk_cli cli;
    struct gk_error error = {0};
    const char *out = NULL, *cards_text = NULL;
    long cards = CARDS_USUAL;
    struct gk_plugin *plugin = NULL;
    const struct gk_cli_option options[] = {{"out", &out, NULL}, {"cards", &cards_text, NULL}};
    gk_cli_plugin_long_out(argc, argv);
    int exit_status = gk_cli_begin_local(&cli, "plugin mint", help, argc, argv, options, 2);
    if (exit_status == GK_CLI_GO_ON && (cli.argument_count != 1 || out == NULL)) {
        exit_status = gk_cli_usage(&cli, "takes one file, and -o DIR");
    }
    if (exit_status == GK_CLI_GO_ON && cards_text != NULL &&
        gk_settings_number(cards_text, "--cards", 1, CARDS_MOST, &cards, &error) != GK_OK) {
        exit_status = gk_cli_usage(&cli, "%s", error.message);
    }
    if (exit_status == GK_CLI_GO_ON && out != NULL) {
        const struct guika_issuer *issuer =
            gk_cli_plugin_open("guika plugin mint", cli.arguments[0], &plugin);
        exit_status = issuer == NULL ? 1 : mint_all(issuer, out, cards);
    }
    gk_plugin_close(plugin);
    (void)gk_cli_end(&cli, GK_OK, NULL);
    return exit_status;
}
