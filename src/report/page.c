/*
 * The page: its head, what it is about, the pictures, the table, the script.
 */
#include "report/page.h"

#include <inttypes.h>
#include <string.h>

#include "base/error.h"
#include "report/picture.h"
#include "report/svg.h"
#include "report/svg_pen.h"

void gs_page_ask(gs_gather *gather) {
    for (const gs_page_measure *measure = gs_page_measures; measure->column; measure++)
        gs_gather_ask(gather, measure->column);
}

/* ---- The head ---- */

static void write_lines(FILE *out, const char *const *lines) {
    for (; *lines; lines++)
        fprintf(out, "%s\n", *lines);
}

/* Nothing may be fetched from anywhere, whatever the texts should hold. */
static const char policy[] =
    "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
    "style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src data:\">\n";

static void write_head(FILE *out, const char *title) {
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n", out);
    fputs(policy, out);
    fputs("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n", out);
    fputs("<meta name=\"generator\" content=\"gradsim " GS_VERSION "\">\n", out);
    fputs("<link rel=\"icon\" href=\"data:,\">\n<title>", out);
    gs_pen_escape(out, title, NULL);
    fputs("</title>\n<style>\n", out);
    gs_svg_write_rules(out);
    putc('\n', out);
    write_lines(out, gs_page_css);
    fputs("</style>\n</head>\n<body>\n", out);
}

/* ---- What it is about ---- */

static void write_counts(FILE *out, const gs_variation *variation) {
    const gs_gather *gather = variation->gather;
    gs_line seeds, last = {0};
    gs_name_seeds(gather, GS_GATHER_WANTED, false, &seeds);
    gs_add_last_step(gather, GS_GATHER_WANTED, &last);
    fprintf(out, "<p>%zu configuration%s", gather->config_count,
            gather->config_count == 1 ? "" : "s");
    if (seeds.length > 0)
        fprintf(out, "; means of %s", seeds.text);
    if (last.length > 0)
        fprintf(out, "; numbers %s", last.text);
    if (gather->failed > 0)
        fprintf(out, "; %" PRIu64 " network%s could not be measured", gather->failed,
                gather->failed == 1 ? "" : "s");
    fputs("</p>\n", out);
}

static void write_verdicts(FILE *out, const gs_variation *variation) {
    const gs_gather *gather = variation->gather;
    size_t counts[GS_VERDICTS + 1] = {0};
    if (!gs_is_gradient(gather, GS_GATHER_WANTED))
        return;
    for (size_t i = 0; i < gather->config_count; i++)
        counts[gs_gather_verdict(gather, i)]++;
    fputs("<ul class=\"tally\">\n", out);
    for (gs_verdict v = 0; v <= GS_NONFINITE; v++)
        if (counts[v] > 0)
            fprintf(out, "<li class=\"verdict %s\"><b>%zu</b> %s</li>\n", gs_verdict_name(v),
                    counts[v], gs_verdict_name(v));
    fputs("</ul>\n", out);
}

static void write_value(FILE *out, const char *text) {
    fputs("<dd>", out);
    gs_pen_escape(out, text, NULL);
    fputs("</dd>", out);
}

/* Of many numbers, the first and the last. */
static void write_values(FILE *out, const gs_factor *factor) {
    enum { MOST = 24 };
    size_t count = factor->count, shown = count <= MOST ? count : factor->numbers ? 1 : MOST;
    for (size_t k = 0; k < shown; k++)
        write_value(out, factor->texts[k]);
    if (shown == count)
        return;
    if (factor->numbers) {
        fputs("<dd class=\"word\">to</dd>", out);
        write_value(out, factor->texts[count - 1]);
        fprintf(out, "<dd class=\"word\">in %zu values</dd>", count);
    } else
        fprintf(out, "<dd class=\"word\">and %zu more</dd>", count - shown);
}

static void write_factors(FILE *out, const gs_variation *variation) {
    if (variation->count == 0)
        return;
    fputs("<dl>\n", out);
    for (size_t i = 0; i < variation->count; i++) {
        fputs("<div><dt>", out);
        gs_pen_escape(out, variation->factors[i].label, NULL);
        fputs("</dt>", out);
        write_values(out, &variation->factors[i]);
        fputs("</div>\n", out);
    }
    fputs("</dl>\n", out);
}

static void write_introduction(FILE *out, const gs_variation *variation, const char *title) {
    gs_line common;
    gs_variation_common(variation, &common);
    fputs("<header>\n<h1>", out);
    gs_pen_escape(out, title, NULL);
    fputs("</h1>\n<p>", out);
    gs_pen_escape(out, common.text, NULL);
    fputs("</p>\n", out);
    write_factors(out, variation);
    write_counts(out, variation);
    write_verdicts(out, variation);
    fputs("</header>\n", out);
}

/* ---- Pictures ---- */

static gs_status write_picture(FILE *out, const gs_variation *variation, size_t column,
                               gs_picture_kind kind, bool is_half, gs_error *error) {
    gs_picture *picture = gs_picture_new(variation, column, kind, NULL, error);
    if (!picture)
        return GS_ERR_MEMORY;
    gs_status status = gs_page_write_figure(out, &picture->figure, is_half, error);
    gs_picture_free(picture);
    return status;
}

/* A map of one option says no more than the lines do. */
static bool is_shown(const gs_variation *variation, size_t column, gs_picture_kind kind) {
    bool has_lines = gs_picture_suits(variation, column, GS_PICTURE_LAYERS) ||
                     gs_picture_suits(variation, column, GS_PICTURE_NUMBER);
    if (kind == GS_PICTURE_OPTIONS && variation->count < 2 && has_lines)
        return false;
    return gs_picture_suits(variation, column, kind);
}

/* What was asked for, in every way. */
static gs_status write_wanted(FILE *out, const gs_variation *variation, size_t *count,
                              gs_error *error) {
    static const gs_picture_kind kinds[] = {GS_PICTURE_LAYERS, GS_PICTURE_NUMBER,
                                            GS_PICTURE_OPTIONS, GS_PICTURE_TRAINING};
    gs_status status = GS_OK;
    for (size_t i = 0; i < sizeof kinds / sizeof *kinds && status == GS_OK; i++)
        if (is_shown(variation, GS_GATHER_WANTED, kinds[i])) {
            status = write_picture(out, variation, GS_GATHER_WANTED, kinds[i], false, error);
            ++*count;
        }
    return status;
}

/* How a training went: side by side, if there are as many as two in a row. */
static gs_status write_steps(FILE *out, const gs_variation *variation, size_t *count,
                             gs_error *error) {
    size_t shown[GS_GATHER_COLUMNS], steps = 0;
    gs_status status = GS_OK;
    for (size_t column = 0; column < variation->gather->column_count; column++)
        if (is_shown(variation, column, GS_PICTURE_STEPS))
            shown[steps++] = column;
    for (size_t i = 0; i < steps && status == GS_OK; i++)
        status = write_picture(out, variation, shown[i], GS_PICTURE_STEPS, steps % 2 == 0, error);
    *count += steps;
    return status;
}

static gs_status write_pictures(FILE *out, const gs_variation *variation, gs_error *error) {
    size_t count = 0;
    gs_status status = write_wanted(out, variation, &count, error);
    if (status == GS_OK)
        status = write_steps(out, variation, &count, error);
    gs_picture_kind kind;
    gs_error why;
    if (count == 0 && gs_picture_choose(variation, GS_GATHER_WANTED, &kind, &why) != GS_OK) {
        fputs("<p class=\"card\">No picture: ", out);
        gs_pen_escape(out, why.message, NULL);
        fputs("</p>\n", out);
    }
    return status;
}

/* ---- The whole ---- */

static void make_title(const gs_variation *variation, gs_line *title) {
    gs_line labels;
    gs_variation_labels(variation, &labels);
    *title = (gs_line){0};
    gs_line_add(title, variation->count > 0 ? "Gradients by %s" : "Gradients of one network",
                labels.text);
}

gs_status gs_page_write(FILE *out, const gs_variation *variation, const char *title,
                        gs_error *error) {
    gs_line own;
    if (variation->gather->config_count == 0)
        return gs_fail(error, GS_ERR_FORMAT, "expected rows, got none");
    make_title(variation, &own);
    title = title ? title : own.text;
    write_head(out, title);
    write_introduction(out, variation, title);
    fputs("<main>\n", out);
    gs_status status = write_pictures(out, variation, error);
    gs_page_write_table(out, variation);
    fputs("</main>\n<script>\n", out);
    write_lines(out, gs_page_js);
    fputs("</script>\n</body>\n</html>\n", out);
    return status;
}
