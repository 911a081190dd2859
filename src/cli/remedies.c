/*
 * Remedies: the table of what is known to mend a gradient, what of it applies to a network, and the
 * command line of each.
 */
#include "cli/remedies.h"

#include <math.h>
#include <string.h>

#include "base/error.h"
#include "base/memory.h"
#include "net/init.h"
#include "report/row.h"

/* ---- The table ---- */

typedef struct {
    const char *name, *source;
    const char *settings; /* "option=value option=value" */
    const char *act;      /* the one that it is meant for, NULL: any */
} known_remedy;

/* An init is the whole law of the weights, so that it sets the gain too; a skip or a norm stands
   where it is usual, unless its place is the remedy. */
static const known_remedy singles[] = {
    {"tanh", "LeCun 1998", "act=tanh", NULL},
    {"ReLU", "Nair 2010", "act=relu", NULL},
    {"leaky ReLU", "Maas 2013", "act=leaky-relu", NULL},
    {"PReLU", "He 2015", "act=prelu", NULL},
    {"ELU", "Clevert 2016", "act=elu", NULL},
    {"SELU", "Klambauer 2017", "act=selu", NULL},
    {"GELU", "Hendrycks 2016", "act=gelu", NULL},
    {"Swish", "Ramachandran 2017", "act=silu", NULL},
    {"Mish", "Misra 2019", "act=mish", NULL},

    {"no gain", NULL, "gain=1", NULL},
    {"no bias", NULL, "bias=0", NULL},
    {"Xavier init", "Glorot 2010", "init=xavier gain=1", NULL},
    {"He init", "He 2015", "init=he gain=1", NULL},
    {"LeCun init", "LeCun 1998", "init=lecun gain=1", NULL},
    {"gain of tanh", "PyTorch", "init=xavier gain=1.66667", "tanh"},
    {"gain of SELU", "PyTorch", "init=xavier gain=0.75", "selu"},
    {"orthogonal init", "Saxe 2014", "init=orthogonal gain=1", NULL},

    {"no norm", NULL, "norm=none", NULL},
    {"batch norm", "Ioffe 2015", "norm=batch norm-at=preact", NULL},
    {"batch norm of the input", NULL, "norm=batch norm-at=input", NULL},
    {"batch norm after phi", NULL, "norm=batch norm-at=postact", NULL},
    {"batch norm of the output", NULL, "norm=batch norm-at=output", NULL},
    {"layer norm", "Ba 2016", "norm=layer norm-at=preact", NULL},
    {"layer norm of the input", NULL, "norm=layer norm-at=input", NULL},
    {"layer norm after phi", NULL, "norm=layer norm-at=postact", NULL},
    {"layer norm of the output", NULL, "norm=layer norm-at=output", NULL},
    {"RMS norm", "Zhang 2019", "norm=rms norm-at=preact", NULL},
    {"RMS norm of the input", NULL, "norm=rms norm-at=input", NULL},
    {"RMS norm after phi", NULL, "norm=rms norm-at=postact", NULL},
    {"RMS norm of the output", NULL, "norm=rms norm-at=output", NULL},

    {"no residual", NULL, "residual=none", NULL},
    {"residual", "He 2016", "residual=add skip=1 branch-scale=1", NULL},
    {"residual over 2 layers", "He 2016", "residual=add skip=2 branch-scale=1", NULL},
    {"residual before phi", "He 2016", "residual=post-act skip=1 branch-scale=1", NULL},
    {"residual / sqrt(L)", "Hayou 2021", "residual=add skip=1 branch-scale=1/sqrt(L)", NULL},
    {"residual / L", "Haber 2017", "residual=add skip=1 branch-scale=1/L", NULL},
    {"ReZero", "Bachlechner 2020", "residual=add skip=1 branch-scale=rezero", NULL},

    {"clipping to norm 1", "Pascanu 2013", "clip=norm:1", NULL},
};

/* sigma_w and sigma_b of tanh: the edge of chaos at sigma_b = 0.2 (Hayou 2019), and near q* = 0.026
   (Pennington 2017). */
static const known_remedy mixes[] = {
    {"ReLU + He", "He 2015", "act=relu init=he gain=1 bias=0", NULL},
    {"SELU + LeCun", "Klambauer 2017", "act=selu init=lecun gain=1 bias=0", NULL},
    {"tanh + its gain", "PyTorch", "act=tanh init=xavier gain=1.66667 bias=0", NULL},
    {"tanh at its edge", "Hayou 2019", "act=tanh init=scaled:1.30415 gain=1 bias=normal:0.2", NULL},
    {"isometric tanh", "Pennington 2017",
     "act=tanh init=orthogonal:1.02468 gain=1 bias=normal:0.0044787", NULL},
    {"He + BN + ReLU", "Ioffe 2015", "act=relu init=he gain=1 bias=0 norm=batch norm-at=preact",
     NULL},
    {"He + BN + ReLU + residual", NULL,
     "act=relu init=he gain=1 bias=0 norm=batch norm-at=preact residual=add skip=1 branch-scale=1",
     NULL},
    {"pre-activation ResNet", "He 2016",
     "act=relu init=he gain=1 bias=0 order=act-dense norm=batch norm-at=input residual=add skip=1 "
     "branch-scale=1",
     NULL},
    {"post-LN residual", "Vaswani 2017",
     "norm=layer norm-at=output residual=add skip=1 branch-scale=1", NULL},
    {"pre-LN residual", "Xiong 2020",
     "order=act-dense norm=layer norm-at=input residual=add skip=1 branch-scale=1", NULL},
    {"as in GPT-3", "Brown 2020",
     "act=gelu init=normal:0.02 gain=1 bias=0 order=act-dense norm=layer norm-at=input "
     "residual=add skip=1 branch-scale=1/sqrt(L) clip=norm:1",
     NULL},
};

enum {
    SINGLES = sizeof singles / sizeof singles[0],
    MIXES = sizeof mixes / sizeof mixes[0],
    COMPUTED = 2,
    MOST = 1 + SINGLES + COMPUTED + MIXES
};

/* ---- The edge of chaos of the activation at hand ---- */

/* A point that is held on the way through the layers: the variance comes to it, or all are kept. */
static bool is_held(const gs_critical_point *point) {
    return isnan(point->fixed_q) || point->slope < 1 - 1e-6;
}

/* Without biases if a point is held there; else with some (Hayou 2019 has 0.2), else the first.
   False if there is none. */
static gs_status choose_critical(const char *act, gs_critical_point *chosen, bool *found,
                                 gs_error *error) {
    static const double sigma_b[] = {0, 0.2};
    enum { ROOM = 4 };
    bool held = false;
    *found = false;
    for (size_t i = 0; i < sizeof sigma_b / sizeof *sigma_b; i++) {
        gs_critical_point points[ROOM];
        size_t count;
        gs_status status = gs_find_critical(act, NAN, sigma_b[i], ROOM, points, &count, error);
        if (status != GS_OK)
            return status;
        for (size_t j = 0; j < count; j++) {
            if (*found && (held || !is_held(&points[j])))
                continue;
            *chosen = points[j];
            *found = true;
            held = is_held(&points[j]);
        }
    }
    return GS_OK;
}

/* ---- Which apply ---- */

static gs_status apply(gs_config *config, const char *settings, gs_error *error) {
    gs_status status = GS_OK;
    while (status == GS_OK && *settings) {
        char name[32], value[64];
        size_t name_length = strcspn(settings, "="), length = strcspn(settings, " ");
        gs_format(name, sizeof name, "%.*s", (int)name_length, settings);
        gs_format(value, sizeof value, "%.*s", (int)(length - name_length - 1),
                  settings + name_length + 1);
        status = gs_config_set(config, name, value, error);
        settings += length + (settings[length] == ' ');
    }
    return status;
}

static bool differs(const cli_remedy *a, const cli_remedy *b, size_t option) {
    return strcmp(a->options[option], b->options[option]) != 0;
}

/* Weights that have the same variance, to a part in a thousand, in layers of this shape. */
static bool same_law(const gs_config *a, const gs_config *b, size_t fan_in, size_t fan_out) {
    gs_weight_law of_a = gs_init_law(a->init, a->gain, fan_in, fan_out);
    gs_weight_law of_b = gs_init_law(b->init, b->gain, fan_in, fan_out);
    return of_a.kind == of_b.kind &&
           fabs(of_a.value - of_b.value) <= 1e-3 * fmax(fabs(of_a.value), fabs(of_b.value));
}

static bool same_laws(const gs_config *a, const gs_config *b) {
    size_t first = gs_config_width(a, 1), last = gs_config_width(a, a->layers);
    bool same = same_law(a, b, a->inputs, first) && same_law(a, b, last, a->outputs);
    if (a->width.count == 1)
        return same && same_law(a, b, first, first);
    for (size_t l = 2; same && l <= a->layers; l++)
        same = same_law(a, b, gs_config_width(a, l - 1), gs_config_width(a, l));
    return same;
}

/* Without a skip the output of a layer is what its activation gives. */
static bool same_place(const gs_config *a, const gs_config *b) {
    bool plain = !gs_config_has_skip(a) && a->order.index == GS_ORDER_DENSE_ACT;
    return a->norm_at.index == b->norm_at.index ||
           (plain && a->norm_at.index >= GS_NORM_AT_POSTACT &&
            b->norm_at.index >= GS_NORM_AT_POSTACT);
}

/* What the text of these options says need not differ in the network. */
static bool is_same_network(const cli_remedy *a, const cli_remedy *b) {
    static const char *const of_laws[] = {"init", "gain", "norm-at", NULL};
    static const char *const of_skips[] = {"residual", "skip", "branch-scale", NULL};
    bool skips = gs_config_has_skip(a->config) || gs_config_has_skip(b->config);
    for (size_t i = 0; i < gs_config_options.count; i++) {
        const char *name = gs_config_options.rows[i].name;
        bool apart = gs_is_among(name, of_laws) || (!skips && gs_is_among(name, of_skips));
        if (!apart && differs(a, b, i))
            return false;
    }
    return same_laws(a->config, b->config) && same_place(a->config, b->config);
}

static void release(cli_remedy *remedy) {
    gs_config_free(remedy->config);
    gs_free(remedy->options);
    *remedy = (cli_remedy){0};
}

static bool is_known(const cli_remedies *remedies, const cli_remedy *remedy) {
    for (size_t i = 0; i < remedies->count; i++)
        if (is_same_network(&remedies->rows[i], remedy))
            return true;
    return false;
}

static void count_changes(const cli_remedies *remedies, cli_remedy *remedy) {
    for (size_t i = 0; remedies->count > 0 && i < gs_config_options.count; i++)
        remedy->changes += differs(&remedies->rows[0], remedy, i);
}

/* Add it, unless it contradicts the rest of the configuration or is there already. */
static gs_status add(cli_remedies *remedies, const gs_config *given, const gs_data *data,
                     const known_remedy *known, gs_error *error) {
    cli_remedy remedy = {.name = known->name, .source = known->source};
    remedy.config = gs_config_copy(given, error);
    gs_status status = remedy.config ? apply(remedy.config, known->settings, error) : GS_ERR_MEMORY;
    if (status == GS_OK) {
        remedy.options = gs_option_texts(remedy.config, error);
        status = remedy.options ? GS_OK : GS_ERR_MEMORY;
    }
    if (status == GS_OK)
        status = gs_config_resolve(remedy.config, data->features, data->classes, error);
    if (status == GS_OK && !is_known(remedies, &remedy)) {
        count_changes(remedies, &remedy);
        remedies->rows[remedies->count++] = remedy;
        return GS_OK;
    }
    release(&remedy);
    return status == GS_ERR_USAGE && remedies->count > 0 ? GS_OK : status;
}

static gs_status add_table(cli_remedies *remedies, const gs_config *given, const gs_data *data,
                           const known_remedy *table, size_t count, gs_error *error) {
    char act[64];
    gs_status status = gs_config_get(given, "act", act, sizeof act, error);
    for (size_t i = 0; status == GS_OK && i < count; i++)
        if (!table[i].act || strcmp(table[i].act, act) == 0)
            status = add(remedies, given, data, &table[i], error);
    return status;
}

static gs_status add_critical(cli_remedies *remedies, const gs_config *given, const gs_data *data,
                              gs_error *error) {
    static const struct {
        const char *name, *source, *init;
    } kinds[COMPUTED] = {{"edge of chaos", "Schoenholz 2017", "scaled"},
                         {"orthogonal edge", "Pennington 2017", "orthogonal"}};
    gs_critical_point point;
    bool found = false;
    char act[64];
    gs_status status = gs_config_get(given, "act", act, sizeof act, error);
    if (status == GS_OK)
        status = choose_critical(act, &point, &found, error);
    for (size_t i = 0; status == GS_OK && found && i < COMPUTED; i++) {
        char settings[96];
        gs_format(settings, sizeof settings, "init=%s:%.6g gain=1 bias=%s%.6g", kinds[i].init,
                  point.sigma_w, point.sigma_b > 0 ? "normal:" : "", point.sigma_b);
        known_remedy known = {kinds[i].name, kinds[i].source, settings, NULL};
        status = add(remedies, given, data, &known, error);
    }
    return status;
}

static gs_status take_usual(cli_remedies *remedies, gs_error *error) {
    gs_config *usual = gs_config_new(error);
    remedies->usual = usual ? gs_option_texts(usual, error) : NULL;
    gs_config_free(usual);
    return remedies->usual ? GS_OK : GS_ERR_MEMORY;
}

gs_status cli_remedies_new(const gs_config *given, const gs_data *data, cli_remedies *remedies,
                           gs_error *error) {
    static const known_remedy nothing = {"as given", NULL, "", NULL};
    *remedies = (cli_remedies){.rows = gs_alloc(MOST, sizeof(cli_remedy), error)};
    gs_status status = remedies->rows ? take_usual(remedies, error) : GS_ERR_MEMORY;
    if (status == GS_OK)
        status = add(remedies, given, data, &nothing, error);
    if (status == GS_OK)
        status = add_table(remedies, given, data, singles, SINGLES, error);
    if (status == GS_OK)
        status = add_critical(remedies, given, data, error);
    size_t before = remedies->count;
    if (status == GS_OK)
        status = add_table(remedies, given, data, mixes, MIXES, error);
    for (size_t i = before; i < remedies->count; i++)
        remedies->rows[i].mix = true;
    return status;
}

void cli_remedies_free(cli_remedies *remedies) {
    for (size_t i = 0; i < remedies->count; i++)
        release(&remedies->rows[i]);
    gs_free(remedies->rows);
    gs_free(remedies->usual);
    *remedies = (cli_remedies){0};
}

/* ---- Commands ---- */

enum { LINE_WIDTH = 80, CONTINUATION = 3 };

static bool is_plain(const char *word) {
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                               "_-+=.,:/@%";
    return word[0] && word[strspn(word, safe)] == '\0';
}

/* In single quotes nothing is special but their end: ' is '\''. */
static size_t word_length(const char *word) {
    size_t length = strlen(word) + (is_plain(word) ? 0 : strlen("''"));
    for (; *word; word++)
        length += *word == '\'' ? strlen("'\\'") : 0;
    return length;
}

static void write_word(FILE *out, const char *word, bool for_people) {
    bool plain = is_plain(word);
    fputs(plain ? "" : "'", out);
    for (; *word; word++) {
        bool control = (unsigned char)*word < 0x20 || *word == 0x7f;
        fputs(*word == '\'' ? "'\\'" : "", out);
        putc(for_people && control ? '?' : *word, out);
    }
    fputs(plain ? "" : "'", out);
}

/* What is not as usual; but no result depends on the threads, nor shall a command. */
static bool is_told(const cli_remedies *remedies, const cli_remedy *remedy, size_t option) {
    return strcmp(remedy->options[option], remedies->usual[option]) != 0 &&
           strcmp(gs_config_options.rows[option].name, "threads") != 0;
}

void cli_remedy_write_command(FILE *out, const cli_remedies *remedies, const cli_remedy *remedy,
                              size_t indent) {
    const char program[] = "gradsim";
    size_t column = indent + strlen(program);
    fputs(program, out);
    for (size_t i = 0; i < gs_config_options.count; i++) {
        const gs_option *option = &gs_config_options.rows[i];
        const char *value = remedy->options[i];
        bool flag = option->kind == GS_OPTION_FLAG;
        if (!is_told(remedies, remedy, i))
            continue;
        size_t length = strlen(" --") + strlen(option->name) + (flag ? 0 : 1 + word_length(value));
        if (indent > 0 && column + length + strlen(" \\") > LINE_WIDTH) {
            fprintf(out, " \\\n%*s", (int)indent + CONTINUATION, "");
            column = indent + CONTINUATION;
        }
        column += length;
        fprintf(out, " --%s%s", option->name, flag ? "" : " ");
        if (!flag)
            write_word(out, value, indent > 0);
    }
}
