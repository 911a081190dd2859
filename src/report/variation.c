/* What differs between configurations. */
#include "report/variation.h"

#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "net/config.h"
#include "report/row.h"

/* An option with its values. */
typedef struct {
    size_t option; /* index in gather->options */
    size_t count;
    size_t *first;   /* [count] a configuration with each value */
    size_t *place;   /* [config_count] */
    double *numbers; /* [count], or NULL */
    bool follows;    /* from another option */
    size_t partner;  /* the factor before it that it walks with; itself if none */
} varied;

static const char *text_of(const gs_gather *gather, size_t config, size_t option) {
    const char *text = gather->configs[config].texts[option];
    return *text ? text : "none";
}

/* Of a network that could not be measured nobody knows what "auto" came to. */
static bool is_open(const gs_gather *gather, size_t config, size_t option) {
    const char *automatic = gather->options[option]->automatic;
    return automatic && strcmp(gather->configs[config].texts[option], automatic) == 0;
}

/* ---- The values of an option ---- */

/* Among what failed "auto" is a value: there may be no other difference. */
static bool differs(const gs_gather *gather, size_t option, bool among_failed) {
    size_t first = SIZE_MAX;
    for (size_t c = 0; c < gather->config_count; c++) {
        if (among_failed ? gather->configs[c].networks > 0 : is_open(gather, c, option))
            continue;
        first = first == SIZE_MAX ? c : first;
        if (strcmp(text_of(gather, c, option), text_of(gather, first, option)) != 0)
            return true;
    }
    return false;
}

static void find_places(const gs_gather *gather, varied *v) {
    size_t last = 0;
    v->count = 0;
    for (size_t c = 0; c < gather->config_count; c++) {
        const char *text = text_of(gather, c, v->option);
        if (is_open(gather, c, v->option))
            continue;
        if (v->count == 0 || strcmp(text, text_of(gather, v->first[last], v->option)) != 0)
            for (last = 0; last < v->count; last++)
                if (strcmp(text, text_of(gather, v->first[last], v->option)) == 0)
                    break;
        if (last == v->count)
            v->first[v->count++] = c;
        v->place[c] = last;
    }
}

/* Numbers ascend. `order` and `rank` have room for the values. */
static void sort_numbers(const gs_gather *gather, varied *v, size_t *order, size_t *rank) {
    for (size_t i = 0; i < v->count; i++)
        if (gs_parse_real(text_of(gather, v->first[i], v->option), &v->numbers[i]) != GS_TEXT_OK) {
            v->numbers = NULL;
            return;
        }
    for (size_t i = 0; i < v->count; i++) {
        size_t k = i;
        for (; k > 0 && v->numbers[order[k - 1]] > v->numbers[i]; k--)
            order[k] = order[k - 1];
        order[k] = i;
    }
    for (size_t i = 0; i < v->count; i++)
        rank[order[i]] = i;
    for (size_t c = gather->config_count; c-- > 0;) {
        v->place[c] = rank[v->place[c]];
        if (!is_open(gather, c, v->option))
            v->first[v->place[c]] = c;
    }
    for (size_t i = 0; i < v->count; i++)
        gs_parse_real(text_of(gather, v->first[i], v->option), &v->numbers[i]);
}

/* Whether each value of `a` comes with one value of `b` alone. */
static bool determines(const gs_gather *gather, const varied *a, const varied *b) {
    for (size_t c = 0; c < gather->config_count; c++)
        if (!is_open(gather, c, b->option) && b->place[c] != b->place[a->first[a->place[c]]])
            return false;
    return true;
}

/* Options that are "auto" unless given follow from others; others that do walk with them. */
static void relate(const gs_gather *gather, varied *all, size_t count) {
    for (size_t i = 0; i < count; i++) {
        varied *v = &all[i];
        v->partner = i;
        bool is_automatic = gather->options[v->option]->automatic;
        for (size_t j = 0; j < count && is_automatic && !v->follows; j++)
            v->follows = i != j && !gather->options[all[j].option]->automatic &&
                         determines(gather, &all[j], v);
        for (size_t j = i; j-- > 0 && !v->follows;)
            if (!all[j].follows && all[j].count == v->count && determines(gather, &all[j], v))
                v->partner = all[j].partner;
    }
}

/* ---- Factors ---- */

/* Take what the line holds. */
static const char *keep(gs_arena *arena, const gs_line *line) {
    char *copy = gs_arena_alloc(arena, line->length + 1);
    return copy ? memcpy(copy, line->text, line->length + 1) : NULL;
}

static bool make_factor(const gs_gather *gather, gs_arena *arena, const varied *all, size_t count,
                        size_t index, gs_factor *factor) {
    const varied *v = &all[index];
    const char **texts = gs_arena_alloc(arena, v->count * sizeof *texts);
    gs_line label = {0};
    size_t members = 0;
    if (!texts)
        return false;
    for (size_t j = index; j < count; j++)
        if (!all[j].follows && all[j].partner == index)
            gs_line_add(&label, "%s%s", members++ > 0 ? ", " : "",
                        gather->options[all[j].option]->name);
    for (size_t i = 0; i < v->count; i++) {
        gs_line text = {0};
        for (size_t j = index; j < count; j++)
            if (!all[j].follows && all[j].partner == index)
                gs_line_add(&text, "%s%s", j > index ? ", " : "",
                            text_of(gather, v->first[i], all[j].option));
        texts[i] = keep(arena, &text);
        if (!texts[i])
            return false;
    }
    *factor = (gs_factor){keep(arena, &label), v->count, texts, members == 1 ? v->numbers : NULL,
                          v->place};
    return factor->label;
}

static bool make_factors(gs_variation *variation, const varied *all, size_t count) {
    gs_factor *factors = gs_arena_alloc(variation->arena, count * sizeof *factors);
    size_t *options = gs_arena_alloc(variation->arena, count * sizeof *options);
    bool fits = factors && options;
    for (size_t i = 0; i < count && fits; i++) {
        if (all[i].follows)
            continue;
        options[variation->option_count++] = all[i].option;
        if (all[i].partner == i)
            fits = make_factor(variation->gather, variation->arena, all, count, i,
                               &factors[variation->count++]);
    }
    variation->factors = factors;
    variation->options = options;
    return fits;
}

static bool list_told(gs_variation *variation, const varied *all, size_t count) {
    const gs_gather *gather = variation->gather;
    size_t *told = gs_arena_alloc(variation->arena, gather->option_count * sizeof *told);
    for (size_t i = 0, k = 0; i < gather->option_count && told; i++) {
        bool is_varied = k < count && all[k].option == i;
        if (is_varied ? !all[k].follows : differs(gather, i, true))
            told[variation->told_count++] = i;
        k += is_varied;
    }
    variation->told = told;
    return told;
}

static bool find_factors(gs_variation *variation) {
    const gs_gather *gather = variation->gather;
    size_t configs = gather->config_count, count = 0, each = (configs + 1) * sizeof(size_t);
    gs_arena *arena = variation->arena;
    varied *all = gs_arena_alloc(arena, gather->option_count * sizeof *all);
    size_t *order = gs_arena_alloc(arena, each), *rank = gs_arena_alloc(arena, each);
    for (size_t i = 0; i < gather->option_count; i++) {
        varied v = {.option = i};
        if (!differs(gather, i, false))
            continue;
        v.first = gs_arena_alloc(arena, each);
        v.place = gs_arena_alloc(arena, each);
        v.numbers = gs_arena_alloc(arena, each);
        if (!all || !order || !rank || !v.numbers)
            return false;
        find_places(gather, &v);
        sort_numbers(gather, &v, order, rank);
        all[count++] = v;
    }
    relate(gather, all, count);
    return make_factors(variation, all, count) && list_told(variation, all, count);
}

/* ---- Texts ---- */

static void add_option(const gs_option *option, const char *text, gs_line *line) {
    gs_line_add(line, "%s%s %s", line->length > 0 ? ", " : "", option->name, text);
}

/* Whether a name goes without an option. */
static bool is_usual(const gs_variation *variation, size_t config, size_t option) {
    const gs_gather *gather = variation->gather;
    const char *usual = variation->usual[gather->options[option] - gs_config_options.rows];
    return strcmp(gather->configs[config].texts[option], usual) == 0;
}

void gs_variation_name(const gs_variation *variation, size_t config, gs_line *name) {
    *name = (gs_line){0};
    for (size_t i = 0; i < variation->option_count; i++) {
        size_t option = variation->options[i];
        if (i == 0 || !variation->is_long || !is_usual(variation, config, option))
            add_option(variation->gather->options[option],
                       text_of(variation->gather, config, option), name);
    }
}

static bool has_long_names(const gs_variation *variation) {
    enum { LONG = 40 };
    gs_line name;
    for (size_t c = 0; c < variation->gather->config_count; c++) {
        gs_variation_name(variation, c, &name);
        if (name.length > LONG)
            return true;
    }
    return false;
}

void gs_variation_labels(const gs_variation *variation, gs_line *text) {
    *text = (gs_line){0};
    for (size_t i = 0; i < variation->option_count; i++)
        gs_line_add(text, "%s%s",
                    i == 0                            ? ""
                    : i + 1 < variation->option_count ? ", "
                                                      : " and ",
                    variation->gather->options[variation->options[i]]->name);
}

/* Options that say what kind of network it is, and those that are not as they usually are. */
static bool is_worth_saying(const gs_variation *variation, size_t option) {
    static const char *const always[] = {"layers", "width", "act", "init", NULL};
    static const char *const training[] = {"opt", "lr", NULL};
    const gs_gather *gather = variation->gather;
    const gs_option *row = gather->options[option];
    size_t steps = 0;
    if (gather->first)
        gs_gather_steps(gather, GS_GATHER_WANTED, &steps);
    if (gs_is_among(row->name, always))
        return true;
    if (gs_is_among(row->name, training))
        return steps > 1;
    return !row->automatic && !is_usual(variation, 0, option);
}

static const char *known_text(const gs_gather *gather, size_t option) {
    size_t config = 0;
    while (config + 1 < gather->config_count && is_open(gather, config, option))
        config++;
    return text_of(gather, config, option);
}

void gs_variation_common(const gs_variation *variation, gs_line *text) {
    const gs_gather *gather = variation->gather;
    *text = (gs_line){0};
    for (size_t i = 0; i < gather->option_count && gather->config_count > 0; i++) {
        const gs_option *option = gather->options[i];
        if (differs(gather, i, false) || !is_worth_saying(variation, i))
            continue;
        const char *value = known_text(gather, i), *slash = strrchr(value, '/');
        add_option(option, option->kind == GS_OPTION_TEXT && slash ? slash + 1 : value, text);
    }
}

/* ---- The whole ---- */

gs_variation *gs_variation_new(const gs_gather *gather, gs_error *error) {
    /* Four arrays and the texts of each option. */
    size_t line = sizeof(gs_line) + 2 * GS_ALIGNMENT;
    size_t each = (gather->config_count + 2) * (4 * sizeof(size_t) + line) + 16 * GS_ALIGNMENT;
    gs_variation *variation = gs_alloc(1, sizeof *variation, error);
    if (!variation)
        return NULL;
    gs_config *config = gs_config_new(error);
    variation->gather = gather;
    variation->usual = config ? gs_option_texts(config, error) : NULL;
    gs_config_free(config);
    if (variation->usual)
        variation->arena = gs_arena_new((gather->option_count + 2) * each, error);
    if (variation->arena && find_factors(variation)) {
        variation->is_long = has_long_names(variation);
        return variation;
    }
    if (variation->arena)
        gs_fail(error, GS_ERR_MEMORY, "out of memory for what differs");
    gs_variation_free(variation);
    return NULL;
}

void gs_variation_free(gs_variation *variation) {
    if (variation) {
        gs_arena_free(variation->arena);
        gs_free(variation->usual);
    }
    gs_free(variation);
}
