/*
 * The title of what is written for people: the network, as far as it is not the usual one.
 */
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "net/config.h"
#include "report/row.h"
#include "report/table.h"

/* Characters, not bytes, of UTF-8. */
static size_t text_width(const char *text) {
    size_t width = 0;
    for (; *text; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80;
    return width;
}

/* Adds "name value" to a list that breaks before GS_LINE_WIDTH; *column is where it stands. A path may
   hold what a terminal would obey. */
static void put_item(FILE *out, size_t *column, const char *name, const char *value) {
    size_t width = text_width(name) + (*name && *value ? 1 : 0) + text_width(value);
    if (*column > 0) {
        bool fits = *column + 2 + width + 1 <= GS_LINE_WIDTH;
        fputs(fits ? ", " : ",\n  ", out);
        *column = fits ? *column + 2 : 2;
    }
    fprintf(out, "%s%s", name, *name && *value ? " " : "");
    for (; *value; value++)
        putc((unsigned char)*value < 0x20 || *value == 0x7f ? '?' : *value, out);
    *column += width;
}

/* What every title shows at its place, and that of training in the order of the options. */
static const char *const always_shown[] = {"layers", "width", "act", "init", "batch", NULL};
static const char *const of_training[] = {"steps", "opt", "lr", NULL};

static bool is_listed(const gs_config *config, const gs_option *option, bool is_usual) {
    if (config->steps > 0 && gs_is_among(option->name, of_training))
        return true;
    return option->column && !is_usual && !gs_is_among(option->name, always_shown);
}

static const char *option_text(char *const *texts, const char *name) {
    return texts[gs_option_find(&gs_config_options, name) - gs_config_options.rows];
}

/* The texts of a network that is as wide as that of `config`, and else as usual. With data no loss
   is so usual that it need not be named. */
static char **usual_texts(const gs_config *config, gs_error *error) {
    gs_config *usual = gs_config_new(error);
    if (!usual)
        return NULL;
    usual->inputs = gs_config_width(config, 1);
    usual->outputs = gs_config_width(config, config->layers);
    gs_config_resolve(usual, 0, 0, NULL);
    if (config->data)
        usual->loss.index = GS_CHOICE_AUTO;
    char **texts = gs_option_texts(usual, error);
    gs_config_free(usual);
    return texts;
}

/* "512-256-128"; of a long list its ends: "1024-512-256-..-10". */
static void format_widths(char *text, size_t size, const char *widths) {
    enum { MOST = 40 };
    size_t length = strlen(widths), head = MOST - 12, tail = length;
    if (length <= MOST) {
        gs_format(text, size, "%s", widths);
        return;
    }
    while (widths[head] != '-')
        head--;
    while (widths[tail - 1] != '-')
        tail--;
    gs_format(text, size, "%.*s-..-%s", (int)head, widths, widths + tail);
}

static void put_network(FILE *out, size_t *column, const gs_config *config, char *const *texts,
                        char *const *usual) {
    char text[64], widths[48];
    format_widths(widths, sizeof widths, option_text(texts, "width"));
    gs_format(text, sizeof text, "layer%s x %s", config->layers == 1 ? "" : "s", widths);
    put_item(out, column, option_text(texts, "layers"), text);
    put_item(out, column, "", option_text(texts, "act"));
    put_item(out, column, "", option_text(texts, "init"));
    for (size_t i = 0; i < gs_config_options.count; i++) {
        const gs_option *option = &gs_config_options.rows[i];
        bool flag = option->kind == GS_OPTION_FLAG;
        if (is_listed(config, option, strcmp(texts[i], usual[i]) == 0))
            put_item(out, column, option->name, flag ? "" : texts[i]);
    }
    put_item(out, column, "batch", option_text(texts, "batch"));
}

static gs_status write_title(FILE *out, const gs_config *config, const uint64_t *seed, size_t step,
                             gs_error *error) {
    char **texts = gs_option_texts(config, error);
    char **usual = texts ? usual_texts(config, error) : NULL;
    size_t column = 0;
    char text[64];
    if (usual) {
        put_network(out, &column, config, texts, usual);
        gs_format(text, sizeof text, "%llu", seed ? (unsigned long long)*seed : 0);
        if (seed)
            put_item(out, &column, "seed", text);
        gs_format(text, sizeof text, "%zu", step);
        if (step > 0)
            put_item(out, &column, "step", text);
        fputs("\n\n", out);
    }
    gs_free(texts);
    gs_free(usual);
    return usual ? GS_OK : GS_ERR_MEMORY;
}

gs_status gs_title_write(FILE *out, const gs_config *config, uint64_t seed, size_t step,
                         gs_error *error) {
    return write_title(out, config, &seed, step, error);
}

gs_status gs_network_title_write(FILE *out, const gs_config *config, gs_error *error) {
    return write_title(out, config, NULL, 0, error);
}
