/*
 * gradsim help: everything is read off the tables of commands, options, families and columns. The
 * first tier is one page; the second tells all there is to know of one option or topic.
 */
#include <stdarg.h>
#include <string.h>

#include "base/error.h"
#include "cli/cli.h"
#include "net/config.h"

/* What the overview lists; other commands have options of their own. */
static const gs_option_table *const tables[] = {&gs_config_options, &cli_output_options,
                                                &cli_run_options, &cli_general_options};
enum { TABLES = sizeof tables / sizeof tables[0] };

/* ---- A page: a column of terms and a column of text, in 80 columns ---- */

enum { PAGE_WIDTH = 79, TEXT_COLUMN = 27 };

static void print_words(const char *text, int column, int at) {
    while (*text) {
        int length = (int)strcspn(text, " ");
        if (at > column && at + 1 + length > PAGE_WIDTH) {
            printf("\n%*s", column, "");
            at = column;
        }
        at += printf("%s%.*s", at > column ? " " : "", length, text);
        text += length;
        text += strspn(text, " ");
    }
    putchar('\n');
}

static void print_row(const char *term, const char *text) {
    int at = printf("  %s", term);
    if (at > TEXT_COLUMN - 2)
        at = printf("\n") - 1;
    printf("%*s", TEXT_COLUMN - at, "");
    print_words(text, TEXT_COLUMN, TEXT_COLUMN);
}

typedef struct {
    const char *term, *text;
} topic_row;

static void print_rows(const topic_row *rows) {
    for (; rows->term; rows++)
        print_row(rows->term, rows->text);
}

/* A text that grows; what does not fit is cut. */
typedef struct {
    char text[512];
    size_t length;
} line;

__attribute__((format(printf, 2, 3))) static void add(line *l, const char *format, ...) {
    va_list arguments;
    va_start(arguments, format);
    if (l->length < sizeof l->text)
        l->length += (size_t)gs_format_list(l->text + l->length, sizeof l->text - l->length, format,
                                            arguments);
    va_end(arguments);
}

/* ---- Options ---- */

/* "--output FILE". */
static void add_option(line *l, const gs_option *option) {
    add(l, "--%s", option->name);
    if (option->value)
        add(l, " %s", option->value);
}

static void add_default(line *l, const gs_option *option) {
    if (option->standard)
        add(l, " [%s]", option->standard);
}

/* "leaky-relu[:A]", "normal:STD", or the letter of a bare number. */
static void add_name(line *l, const gs_name *row) {
    static const char *const forms[] = {[GS_PARAM_OPTIONAL] = "[:%s]", [GS_PARAM_REQUIRED] = ":%s"};
    add(l, "%s", row->name ? row->name : row->letter);
    if (row->parameter != GS_PARAM_NONE)
        add(l, forms[row->parameter], row->letter);
}

/* A line of the first tier: what an option does, the names that it takes if they are few, and its
   default. */
static void print_option(const gs_option *option) {
    line term = {0}, names = {0}, text = {0};
    for (size_t i = 0; option->family && i < option->family->count; i++) {
        add(&names, i > 0 ? ", " : ": ");
        add_name(&names, gs_family_row(option->family, i));
    }
    bool many = names.length > 60;
    if (option->letter)
        add(&term, "-%c, ", option->letter);
    else
        add(&term, "    ");
    add_option(&term, option);
    add(&text, "%s", option->help);
    add(&text, many ? ": see gradsim help %s" : "%s", many ? option->name : names.text);
    add_default(&text, option);
    print_row(term.text, text.text);
}

static void print_options(const gs_option_table *table) {
    for (size_t i = 0; i < table->count; i++) {
        if (table->rows[i].group)
            printf("\n%s:\n", table->rows[i].group);
        print_option(&table->rows[i]);
    }
}

/* ---- One option in full ---- */

static void add_range(line *l, double minimum, double maximum) {
    char low[32], high[32];
    gs_format_real(low, minimum);
    gs_format_real(high, maximum);
    if (minimum < maximum)
        add(l, " from %s to %s", low, high);
    else
        add(l, " is %s", low);
}

/* "; N from 1 to 4096, or all", if the option is a number. */
static void add_option_range(line *l, const gs_option *option) {
    if (option->kind == GS_OPTION_SEED)
        add(l, "; %s from 0 to %llu", option->value, (unsigned long long)UINT64_MAX);
    if (option->kind == GS_OPTION_SIZE || option->kind == GS_OPTION_REAL) {
        add(l, "; %s", option->value);
        add_range(l, option->minimum, option->maximum);
        if (option->automatic)
            add(l, ", or %s", option->automatic);
    }
}

static void print_name(const gs_name *row) {
    line term = {0}, text = {0};
    char standard[32];
    add_name(&term, row);
    add(&text, "%s", row->help);
    for (size_t i = 0; i < sizeof row->alias / sizeof row->alias[0] && row->alias[i]; i++)
        add(&text, "%s%s", i == 0 ? "; also " : ", ", row->alias[i]);
    if (row->letter) {
        add(&text, "; %s", row->letter);
        add_range(&text, row->minimum, row->maximum);
    }
    gs_format_real(standard, row->standard);
    if (row->parameter == GS_PARAM_OPTIONAL)
        add(&text, " [%s]", standard);
    print_row(term.text, text.text);
}

/* What one line does not hold. */
static const topic_row notes[] = {
    {"data",
     "A folder holds train-images-idx3-ubyte and train-labels-idx1-ubyte, or those of t10k, as "
     "MNIST names them, unpacked. A CSV has an example a line: its features, then its class 0, 1, "
     "2, ...; a first line without a number is passed over. --batch examples are drawn by --seed, "
     "scaled by --data-scale, and classified by a readout."},
    {"memory", "About the most that a network takes: weights that do not fit are streamed, signals "
               "are made again between checkpoints. The gradients that --save and --clip value or "
               "agc keep come on top."},
    {"output", "A file is opened for the first record, and what was there is "
               "replaced; a run that is refused changes nothing."},
    {"save", "Every tensor as F64 or F32, as --dtype is: input, target, layers.N.weight [out, in], "
             "layers.N.bias, layers.N.norm.weight, head.weight, ..., and each gradient under the "
             "same name and .grad, unclipped. FILE is replaced when all is written. Only with "
             "--seeds 1."},
    {"seed", "The same seed and options give the same numbers, on any machine and with any number "
             "of threads."},
    {NULL, NULL},
};

static void print_option_page(const gs_option *option) {
    line title = {0};
    add_option(&title, option);
    add(&title, ": %s", option->help);
    add_default(&title, option);
    add_option_range(&title, option);
    print_words(title.text, 0, 0);
    for (size_t i = 0; option->family && i < option->family->count; i++)
        print_name(gs_family_row(option->family, i));
    for (const topic_row *note = notes; note->term; note++)
        if (strcmp(note->term, option->name) == 0)
            print_words(note->text, 0, 0);
}

/* ---- Topics ---- */

static const topic_row exit_statuses[] = {
    {"0", "done"},
    {"1", "failed: a file, memory, or a check that does not hold"},
    {"2", "bad usage: a name or a value, GRADSIM_ISA's too; nothing was changed"},
    {"3", "the condition of --fail-on holds"},
    {"130", "killed by Ctrl-C, and a shell's loop ends with it; files hold whole records"},
    {NULL, NULL},
};

static const topic_row environment[] = {
    {"GRADSIM_ISA",
     "the instruction set to compute with: portable, avx2, avx512 or neon; it must be one "
     "that this machine has. The results do not depend on it"},
    {"NO_COLOR", "no colors in the table, unless --color says otherwise"},
    {NULL, NULL},
};

static const topic_row verdict[] = {
    {"gradient",
     "of every example b, r_b = |dL/dx_0,b| / |dL/dx_L,b|: what is left at the input of "
     "the gradient at the output of layer L. The verdict rests on the median of log10 "
     "r_b, so that one badly classified example does not decide it. Examples whose "
     "gradient at the output is exactly 0 are left out"},
    {"examples", "the least and the largest log10 r_b when a tenth of the examples is left out at "
                 "each end, and how many get exactly nothing: units that are dead for them, or a "
                 "gradient too small beside the largest for the element type to hold both"},
    {"vanishing", "the median is below -3: the input gets less than a thousandth"},
    {"exploding", "it is above 3"},
    {"nonfinite", "a value or a gradient is infinite or no number"},
    {"healthy", "everything else, and what gets no gradient by design: a branch with alpha 0 "
                "(rezero), as its skip passes all of it on"},
    {"rate",
     "over how many layers the gradient changes by e: by the median of the change a layer "
     "over some 16 stretches of the way, which a few layers unlike the others do not change; "
     "left out where it explains less than half of the whole"},
    {"why",
     "what the typical layer passes on, |dL/dx_{l-1}| / |dL/dx_l| over the batch, split into "
     "the slope of its activation, its weights and its norm; with a skip, the skip and its "
     "branch are one factor. Each number is a median over the layers, and the factor that is "
     "most to blame comes first"},
    {"worst", "up to three layers that do more: by a factor of 2, and by 5 standard deviations of "
              "the others"},
    {"shattered",
     "the gradients of two examples have a mean cosine of at least 0.1 at the output, "
     "and at the input less than a tenth of that: norms may look healthy, but the first "
     "layers are told something else by every example (Balduzzi et al. 2017). Of "
     "random targets (--loss mse) the gradients hardly agree to begin with: --loss "
     "random or sum starts from equal ones"},
    {"float32 ...", "the layer nearest the output where half of dL/da or more would be 0 in this "
                    "format, or its root mean square overflows"},
    {NULL, NULL},
};

static const topic_row isometry[] = {
    {"gradsim spectrum",
     "all singular values of J = dx_L/dx_0 for one example: by which factors small changes of "
     "the input, and gradients on their way back, may grow or shrink. x_L is the output of the "
     "last layer, and not of a head. There are as many as the lesser of inputs and outputs, "
     "which may be 1024"},
    {"isometry",
     "dynamical isometry (Saxe et al. 2014; Pennington et al. 2017): all of them near 1, so that "
     "every direction keeps its length. The verdict is yes if all are within a factor of 2 of 1, "
     "up to scale if all are within a factor of 2 of another number, and else no"},
    {"mean square", "of the singular values: what a random gradient's squared norm is multiplied "
                    "with. It may be near 1 where there is no isometry"},
    {"condition", "the largest over the smallest"},
    {"batch norm", "makes each output depend on the whole batch; here its means and variances are "
                   "held as they are, as at inference"},
    {"exactly 0",
     "a direction that dead units or a norm cut off; or one that a single layer leaves "
     "nothing of but rounding, some 1e-14 of what else it lets through. The product of all layers "
     "loses nothing: values of 1e-300 or 1e-3000 are as right as others"},
    {NULL, NULL},
};

/* ---- Columns of the log ---- */

static const topic_row indices[] = {
    {"run, seed, step", "which network, from which seed, after how many steps of training"},
    {"layer, kind", "1 is next to the input; dense, or head for the readout"},
    {"loss", "of the whole network"},
    {NULL, NULL},
};

static const char *const column_help[GS_COLUMN_COUNT] = {
    [GS_Z_MEAN] = "mean of z over units and batch",
    [GS_Z_STD] = "its standard deviation",
    [GS_A_MEAN] = "mean of the activation over units and batch",
    [GS_A_STD] = "its standard deviation",
    [GS_SATURATED] = "share of (unit, example) with |phi'(z)| below a tenth of phi's largest slope",
    [GS_ZERO] = "share of (unit, example) with phi'(z) = 0 exactly",
    [GS_DEAD] = "share of units with phi'(z) = 0 on the whole batch",
    [GS_W_NORM] = "Frobenius norm of W",
    [GS_W_SIGMA_MAX] = "largest singular value of W",
    [GS_GRAD_W] = "Frobenius norm of dL/dW; 0 or inf where it does not fit",
    [GS_GRAD_W_LOG10] = "its log10, which always fits",
    [GS_GRAD_B_LOG10] = "log10 of the norm of dL/db",
    [GS_GRAD_Z_LOG10] = "log10 of the norm of dL/dz over the whole batch",
    [GS_WEIGHT_GAIN] = "norm of dL/da over the norm of dL/dz one layer on",
    [GS_ACT_GAIN] = "norm of dL/dz over the norm of dL/da",
    [GS_GAIN] = "their product; with skips the ratio of the norms of dL/dx",
    [GS_GRAD_RATIO] = "norm of dL/dW over the norm of W",
    [GS_UPDATE_RATIO] = "norm of the step over the norm of W",
    [GS_CLIP_SCALE] = "factor that clipping applied",
    [GS_GRAD_CLIPPED_LOG10] = "log10 of the norm of dL/dW after it",
    [GS_GRAD_SNR] = "norm of the mean gradient over the standard error across examples",
    [GS_GRAD_CORR] = ("mean cosine between the gradients of two examples; one too small beside "
                      "the largest for the element type is left out"),
    [GS_F32_ZERO] = "share of dL/da that would be zero in float32",
    [GS_F16_ZERO] = "share of dL/da that would be zero in float16",
    [GS_BF16_ZERO] = "share of dL/da that would be zero in bfloat16",
    [GS_THEORY_GRAD_LOG10] = "predicted grad_z_log10",
};

static const topic_row act_dense_gains[] = {
    {"weight_gain", "norm of dL/da_l over the norm of dL/dz_l"},
    {"act_gain", "norm of dL/dx_{l-1} over the norm of dL/da_l"},
    {"gain", "their product"},
    {NULL, NULL},
};

static const topic_row cells[] = {
    {"empty", "there is no such value; null in JSON"},
    {"nan", "the network is not finite there"},
    {"inf", "the number does not fit"},
    {"-inf", "log10 of exactly 0"},
    {NULL, NULL},
};

static void print_columns(const topic_row *rows) {
    line options = {0};
    printf("A line for each layer, with\n");
    print_rows(rows);
    for (gs_column column = 0; column < GS_COLUMN_COUNT; column++)
        print_row(gs_column_name(column), column_help[column]);
    add(&options, "and the options");
    for (size_t i = 0; i < gs_config_options.count; i++)
        if (gs_config_options.rows[i].column)
            add(&options, " %s", gs_config_options.rows[i].name);
    add(&options, ", with _ for -; the options gain and loss, which are measurements too, stand as "
                  "config_gain and config_loss.");
    print_words(options.text, 0, 0);
    printf("\nWith --order act-dense the gains are those of the layer itself:\n");
    print_rows(act_dense_gains);
    printf("\nA cell that is no number:\n");
    print_rows(cells);
    print_words(
        "JSON lines have nan, inf and -inf as strings. A gradient that is zero in theory, as "
        "that of --loss sum through a batch norm at the output, shows as rounding noise.",
        0, 0);
}

/* ---- Finding a topic ---- */

static const struct {
    const char *name;
    const char *option;                   /* another name for the page of this option, or */
    void (*print)(const topic_row *rows); /* what prints these rows */
    const topic_row *rows;
} topics[] = {
    {"activations", "act", NULL, NULL},
    {"inits", "init", NULL, NULL},
    {"norms", "norm", NULL, NULL},
    {"residuals", "residual", NULL, NULL},
    {"losses", "loss", NULL, NULL},
    {"clipping", "clip", NULL, NULL},
    {"columns", NULL, print_columns, indices},
    {"environment", NULL, print_rows, environment},
    {"exit-status", NULL, print_rows, exit_statuses},
    {"verdict", NULL, print_rows, verdict},
    {"isometry", NULL, print_rows, isometry},
};
enum { TOPICS = sizeof topics / sizeof topics[0] };

/* By its name or by its letter. */
static const gs_option *find_in(const gs_option_table *table, const char *name) {
    for (size_t i = 0; i < table->count; i++)
        if (table->rows[i].letter && table->rows[i].letter == name[0] && !name[1])
            return &table->rows[i];
    return gs_option_find(table, name);
}

static const gs_option *find_option(const char *name) {
    const gs_option *option = NULL;
    for (size_t i = 0; i < TABLES && !option; i++)
        option = find_in(tables[i], name);
    for (const cli_command *command = cli_commands; command->name && !option; command++)
        option = command->options ? find_in(command->options, name) : NULL;
    return option;
}

/* Every topic, then every option. */
static const char *topic_name_at(const void *unused, size_t index) {
    (void)unused;
    if (index < TOPICS)
        return topics[index].name;
    index -= TOPICS;
    for (size_t i = 0; i < TABLES; index -= tables[i++]->count)
        if (index < tables[i]->count)
            return tables[i]->rows[index].name;
    return NULL;
}

static void print_command_page(const cli_command *command) {
    line title = {0};
    add(&title, "gradsim %s%s%s: %s", command->name, command->operand ? " " : "",
        command->operand ? command->operand : "", command->summary);
    print_words(title.text, 0, 0);
    if (command->options)
        print_options(command->options);
}

static int print_topic(const char *name) {
    for (size_t i = 0; i < TOPICS; i++) {
        if (strcmp(topics[i].name, name) != 0)
            continue;
        if (topics[i].option)
            print_option_page(find_option(topics[i].option));
        else
            topics[i].print(topics[i].rows);
        return CLI_DONE;
    }
    const gs_option *option = find_option(name);
    if (option) {
        print_option_page(option);
        return CLI_DONE;
    }
    for (const cli_command *command = cli_commands; command->name; command++)
        if (strcmp(command->name, name) == 0) {
            print_command_page(command);
            return CLI_DONE;
        }
    gs_error error;
    gs_unknown_name("topic", "", name, topic_name_at, NULL, &error);
    return cli_fail(&error);
}

/* ---- The first tier ---- */

static void print_commands(void) {
    printf("Commands:\n");
    for (const cli_command *command = cli_commands; command->name; command++) {
        line term = {0};
        add(&term, "%s", command->name);
        if (command->operand)
            add(&term, " [%s]", command->operand);
        print_row(term.text, command->summary);
    }
}

static void print_overview(void) {
    printf("gradsim: what happens to the gradient on its way back through a deep network\n\n"
           "Usage: gradsim [COMMAND] [OPTIONS]\n\n");
    print_commands();
    for (size_t i = 0; i < TABLES; i++)
        print_options(tables[i]);
    line names = {0};
    for (size_t i = 0; i < TOPICS; i++)
        add(&names, "%s, ", topics[i].name);
    add(&names, "and every option");
    printf("\nTopics:\n  ");
    print_words(names.text, 2, 2);
}

int cli_help(const char *command) {
    if (strcmp(command, "run") != 0 && strcmp(command, "help") != 0)
        return print_topic(command);
    print_overview();
    return CLI_DONE;
}

/* `help --act` is `help act`, but `help --help` and `help --version` are what they always are. */
static void drop_dashes(char **argument) {
    char *name = *argument + strspn(*argument, "-");
    if (*name && !find_in(&cli_general_options, name))
        *argument = name;
}

int cmd_help(char **arguments) {
    const char *topic = NULL;
    int status;
    if (arguments[0])
        drop_dashes(&arguments[0]);
    if (!cli_begin("help", arguments, NULL, 0, &topic, &status))
        return status;
    return topic ? print_topic(topic) : cli_help("run");
}
