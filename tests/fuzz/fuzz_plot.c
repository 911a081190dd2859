/* Sheets, gathered and drawn. */
#include "fuzz.h"
#include "report/draw.h"
#include "report/page.h"
#include "report/picture.h"
#include "report/svg.h"

static void draw(const gs_figure *figure) {
    FILE *out = fopen("/dev/null", "w");
    fuzz_check(out != NULL, "/dev/null");
    fuzz_check(gs_svg_write(out, figure, (gs_svg_style){0}, NULL) == GS_OK, "SVG");
    fuzz_check(gs_draw_write(out, figure, (gs_draw_style){0}, NULL) == GS_OK, "text");
    fclose(out);
}

static void write_page(const gs_variation *variation) {
    FILE *out = fopen("/dev/null", "w");
    fuzz_check(out != NULL, "/dev/null");
    gs_status status = gs_page_write(out, variation, NULL, NULL);
    fuzz_check((status == GS_OK) == (variation->gather->config_count > 0), "a page of something");
    fclose(out);
}

/* Every kind that suits, also those that neither a plot nor a page chooses. */
static void draw_all(const gs_gather *gather) {
    gs_error error = {0};
    gs_picture_kind chosen;
    gs_variation *variation = gs_variation_new(gather, &error);
    fuzz_check(variation != NULL, "what differs");
    bool is_drawn = gs_picture_choose(variation, GS_GATHER_WANTED, &chosen, &error) == GS_OK;
    fuzz_check(is_drawn || error.message[0], "a picture or a reason");
    for (gs_picture_kind kind = 0; kind < GS_PICTURES; ++kind) {
        if (!gs_picture_suits(variation, GS_GATHER_WANTED, kind))
            continue;
        gs_picture *picture = gs_picture_new(variation, GS_GATHER_WANTED, kind, NULL, &error);
        fuzz_check(picture != NULL, "what suits");
        draw(&picture->figure);
        gs_picture_free(picture);
    }
    write_page(variation);
    gs_variation_free(variation);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    gs_error error = {0};
    fuzz_write("x", NULL, data, size);
    FILE *file = fopen(fuzz_path("x"), "rb");
    fuzz_check(file != NULL, "a file in /tmp");
    gs_gather *gather = gs_gather_new(NULL, NULL, NULL, &error);
    gs_page_ask(gather);
    gs_status status = gs_gather_file(gather, file, "x", &error);
    fuzz_check(status == error.code, "a code in the error");
    if (status == GS_OK)
        draw_all(gather);
    gs_gather_free(gather);
    fclose(file);
    return 0;
}
