#include "core/recognition/text.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include <tesseract/capi.h>

/* libgomp's. Tesseract's parallel loops cost three times the CPU that they save on one line. They ask for
 * four threads each and OMP_THREAD_LIMIT is read before main, so that forbidding nested teams altogether is
 * what is left. The setting is the calling thread's own. */
void omp_set_max_active_levels(int levels);

struct gk_text_reader {
    TessBaseAPI *api;
};

enum gk_status gk_text_reader_open(struct gk_text_reader **ret_reader, struct gk_error *error)
{
    static char *const names[] = {"load_system_dawg", "load_freq_dawg",   "load_unambig_dawg",
                                  "load_punc_dawg",   "load_number_dawg", "load_bigram_dawg",
                                  "lstm_choice_mode", "debug_file"};
    static char *const values[] = {"0", "0", "0", "0", "0", "0", "2", "/dev/null"};
    struct gk_text_reader *reader = calloc(1, sizeof *reader);
    if (reader == NULL) {
        return gk_error_set(error, GK_RESOURCE_EXHAUSTED, "out of memory");
    }
    reader->api = TessBaseAPICreate();
    if (reader->api == NULL ||
        TessBaseAPIInit4(reader->api, NULL, "eng", OEM_LSTM_ONLY, NULL, 0, (char **)names, (char **)values,
                         sizeof names / sizeof *names, 0) != 0) {
        gk_text_reader_close(reader);
        return gk_error_set(error, GK_UNAVAILABLE,
                            "Tesseract does not start: install tesseract-ocr-eng (English, LSTM)");
    }
    /* Strips come dark on light, so that trying the inverse would only cost a third. */
    TessBaseAPISetVariable(reader->api, "tessedit_do_invert", "0");
    TessBaseAPISetVariable(reader->api, "lstm_choice_mode", "2");
    TessBaseAPISetPageSegMode(reader->api, PSM_RAW_LINE);
    *ret_reader = reader;
    return GK_OK;
}

void gk_text_reader_close(struct gk_text_reader *reader)
{
    if (reader == NULL) {
        return;
    }
    if (reader->api != NULL) {
        TessBaseAPIEnd(reader->api);
        TessBaseAPIDelete(reader->api);
    }
    free(reader);
}

static char single_character(const char *text)
{
    return text != NULL && text[0] > ' ' && text[0] < 127 && text[1] == '\0' ? text[0] : '?';
}

static void add_choice(struct gk_text_symbol *symbol, char character, float share)
{
    for (int i = 0; i < symbol->choice_count; i++) {
        if (symbol->choices[i].character == character) {
            return;
        }
    }
    if (symbol->choice_count < GK_TEXT_CHOICES_MOST) {
        symbol->choices[symbol->choice_count++] = (struct gk_text_choice){character, share};
    }
}

static bool read_symbol(TessResultIterator *results, struct gk_text_symbol *ret_symbol)
{
    struct gk_text_symbol symbol = {0};
    const TessPageIterator *page = TessResultIteratorGetPageIteratorConst(results);
    char *text = TessResultIteratorGetUTF8Text(results, RIL_SYMBOL);
    int top, bottom;
    if (text == NULL ||
        !TessPageIteratorBoundingBox(page, RIL_SYMBOL, &symbol.left, &top, &symbol.right, &bottom)) {
        TessDeleteText(text);
        return false;
    }
    symbol.confidence = TessResultIteratorConfidence(results, RIL_SYMBOL);
    symbol.starts_word = TessPageIteratorIsAtBeginningOf(page, RIL_WORD) != 0;
    add_choice(&symbol, single_character(text), symbol.confidence / 100);
    TessDeleteText(text);
    TessChoiceIterator *choices = TessResultIteratorGetChoiceIterator(results);
    if (choices != NULL) {
        do {
            const char *other = TessChoiceIteratorGetUTF8Text(choices);
            if (other != NULL && other[0] != '\0') {
                add_choice(&symbol, single_character(other), TessChoiceIteratorConfidence(choices) / 100);
            }
        } while (TessChoiceIteratorNext(choices));
        TessChoiceIteratorDelete(choices);
    }
    *ret_symbol = symbol;
    return true;
}

bool gk_text_read(struct gk_text_reader *reader, const struct gk_image *strip, struct gk_text_line *ret_line)
{
    assert(reader != NULL && strip != NULL && ret_line != NULL);
    omp_set_max_active_levels(0);
    TessBaseAPISetImage(reader->api, strip->grey, strip->width_px, strip->height_px, 1, strip->width_px);
    TessBaseAPISetSourceResolution(reader->api, 300);
    if (TessBaseAPIRecognize(reader->api, NULL) != 0) {
        return false;
    }
    TessResultIterator *results = TessBaseAPIGetIterator(reader->api);
    if (results == NULL) {
        return false;
    }
    struct gk_text_line line = {0};
    do {
        struct gk_text_symbol symbol;
        if (line.count < GK_TEXT_SYMBOLS_MOST && read_symbol(results, &symbol)) {
            line.symbols[line.count++] = symbol;
        }
    } while (TessResultIteratorNext(results, RIL_SYMBOL));
    TessResultIteratorDelete(results);
    TessBaseAPIClear(reader->api);
    *ret_line = line;
    return line.count > 0;
}
