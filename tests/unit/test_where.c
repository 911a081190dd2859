/*
 * The expression of --where: what it says of a configuration, and the exact words with which it is
 * refused. It is part of the program, not of the library.
 */
#include "test.h"

#include "cli/where.c"

/* Whether `text` keeps the configuration. */
static bool keeps(const gs_config *config, const char *text) {
    cli_where where;
    gs_error error = {0};
    gs_config *scratch = gs_config_new(NULL);
    gs_status status = cli_where_read(&where, scratch, text, &error);
    CHECK_THAT(status == GS_OK, "%s: %s", text, error.message);
    size_t at = where.count > 0 ? 0 : CLI_WHERE_LEAVE;
    for (size_t asked = 0; at < where.count; asked++) {
        const cli_condition *condition = &where.conditions[at];
        char value[256];
        gs_option_format(condition->option, config, value, sizeof value);
        at = condition->next[cli_condition_holds(condition, config, value)];
        CHECK_THAT(asked < where.count, "%s comes to an end", text);
    }
    CHECK(at == CLI_WHERE_KEEP || at == CLI_WHERE_LEAVE);
    cli_where_free(&where);
    gs_config_free(scratch);
    return at == CLI_WHERE_KEEP;
}

/* Whether the default configuration with `name` set to `value` is kept. */
static bool keeps_value(const char *name, const char *value, const char *text) {
    gs_config *config = gs_config_new(NULL);
    CHECK(gs_config_set(config, name, value, NULL) == GS_OK);
    bool kept = keeps(config, text);
    gs_config_free(config);
    return kept;
}

static void check_refused(const char *text, const char *message) {
    cli_where where;
    gs_error error = {0};
    gs_config *scratch = gs_config_new(NULL);
    CHECK_THAT(cli_where_read(&where, scratch, text, &error) == GS_ERR_USAGE, "%s is refused",
               text);
    CHECK(error.code == GS_ERR_USAGE && !where.conditions);
    CHECK_STRING(error.message, message);
    gs_config_free(scratch);
}

static void test_numbers_are_compared(void) {
    static const char *const operators[] = {"==", "!=", "<", "<=", ">", ">="};
    static const bool expected[3][6] = {/* 63, 64 and 65 against 64 */
                                        {false, true, true, true, false, false},
                                        {true, false, false, true, false, true},
                                        {false, true, false, false, true, true}};
    static const char *const values[] = {"63", "64", "65"};
    static const char *const options[] = {"layers", "width",     "seed",  "gain",
                                          "bias",   "log-every", "memory"};
    for (size_t o = 0; o < sizeof options / sizeof *options; o++)
        for (size_t v = 0; v < 3; v++)
            for (size_t c = 0; c < 6; c++) {
                char text[64];
                snprintf(text, sizeof text, "%s%s64", options[o], operators[c]);
                CHECK_THAT(keeps_value(options[o], values[v], text) == expected[v][c], "%s of %s",
                           text, values[v]);
            }
}

static void test_seeds_are_compared_to_the_last_digit(void) {
    const char *const seed = "18446744073709551614";
    CHECK(keeps_value("seed", seed, "seed < 18446744073709551615"));
    CHECK(!keeps_value("seed", seed, "seed >= 18446744073709551615"));
    CHECK(keeps_value("seed", seed, "seed > 18446744073709551613"));
    CHECK(keeps_value("seed", seed, "seed <= 18446744073709551614"));
}

static void test_equality_is_that_of_canonical_texts(void) {
    CHECK(keeps_value("act", "relu", "act==ReLU"));
    CHECK(keeps_value("init", "he", "init == kaiming_normal"));
    CHECK(keeps_value("lr", "0.01", "lr==1e-2"));
    CHECK(keeps_value("memory", "2G", "memory==2048M"));
    CHECK(keeps_value("branch-scale", "1/sqrt(L)", "branch-scale==1/sqrt(L)"));
    CHECK(keeps_value("branch-scale", "1/sqrt(L)", "(branch-scale=='1/sqrt(L)')"));
    CHECK(keeps_value("branch-scale", "1/sqrt(L)", "(layers==96&&branch-scale==1/sqrt(L))"));
    CHECK(keeps_value("data", "a (b)&c|d", "data == \"a (b)&c|d\""));
    CHECK(!keeps_value("layers", "2", "data == x"));
    CHECK(keeps_value("layers", "2", "data != x"));
    CHECK(keeps_value("head", "on", "head==on"));
    CHECK(keeps_value("lr", "auto", "lr==auto"));
    CHECK(keeps_value("width", "8-4-2", "width==8-4-2 && width!=8"));
}

static void test_a_name_alone_has_any_parameter(void) {
    CHECK(keeps_value("clip", "norm:5", "clip==norm"));
    CHECK(keeps_value("clip", "norm:5", "clip==GLOBAL"));
    CHECK(!keeps_value("clip", "norm:5", "clip!=norm"));
    CHECK(!keeps_value("clip", "norm:5", "clip==norm:4"));
    CHECK(!keeps_value("clip", "none", "clip==norm"));
    CHECK(keeps_value("act", "leaky-relu:0.3", "act==leaky"));
    CHECK(!keeps_value("act", "leaky-relu:0.3", "act==leaky-relu:0.01"));
    CHECK(!keeps_value("act", "elu:1", "act==leaky-relu"));
}

static void test_parameters_of_one_name_have_an_order(void) {
    CHECK(keeps_value("clip", "norm:2", "clip<norm:5"));
    CHECK(!keeps_value("clip", "norm:5", "clip<norm:5"));
    CHECK(!keeps_value("clip", "layer:2", "clip<norm:5"));
    CHECK(!keeps_value("clip", "layer:2", "clip>=norm:1"));
    CHECK(!keeps_value("clip", "none", "clip<norm:5"));
    CHECK(keeps_value("bias", "normal:2", "bias>normal:1"));
    CHECK(!keeps_value("bias", "normal:2", "bias>1"));
}

static void test_what_is_no_number_is_in_no_order(void) {
    static const char *const texts[] = {"lr<1", "lr<=1", "lr>1", "lr>=1"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        CHECK_THAT(!keeps_value("lr", "auto", texts[i]), "%s of auto", texts[i]);
    CHECK(!keeps_value("width", "8-4", "width<9"));
    CHECK(!keeps_value("inputs", "auto", "inputs<9"));
    CHECK(!keeps_value("memory", "half", "memory<9G"));
    CHECK(!keeps_value("log-every", "log", "log-every>1"));
}

/* All values of three conditions, against C. */
static void test_and_binds_closer_than_or(void) {
    for (int i = 0; i < 8; i++) {
        bool a = i & 1, b = i & 2, c = i & 4;
        gs_config *config = gs_config_new(NULL);
        gs_config_set(config, "layers", a ? "1" : "2", NULL);
        gs_config_set(config, "skip", b ? "1" : "2", NULL);
        gs_config_set(config, "batch", c ? "1" : "2", NULL);
        const struct {
            const char *text;
            bool expected;
        } cases[] = {
            {"layers==1 && skip==1", a && b},
            {"layers==1 || skip==1", a || b},
            {"layers==1 || skip==1 && batch==1", a || (b && c)},
            {"layers==1 && skip==1 || batch==1", (a && b) || c},
            {"(layers==1||skip==1)&&batch==1", (a || b) && c},
            {"layers==1&&(skip==1||batch==1)", a && (b || c)},
            {"!layers==1", !a},
            {"!!layers==1", a},
            {"! layers == 1 && skip == 1", !a && b},
            {"!(layers==1 && skip==1)", !(a && b)},
            {"!(layers==1 || !skip==1) || batch==1", !(a || !b) || c},
            {"!(!(layers==1 && skip==1) && !(batch==1 || layers==1))", (a && b) || c || a},
            {"((layers==1)) && (((skip==1) || batch==1))", a && (b || c)},
            {"layers==1 && skip==1 && batch==1", a && b && c},
            {"layers==1 || skip==1 || batch==1", a || b || c},
            {"!(layers==1||skip==1&&!batch==1)&&!(batch==1&&layers==2)||skip==2&&batch==2",
             (!(a || (b && !c)) && !(c && !a)) || (!b && !c)},
        };
        for (size_t k = 0; k < sizeof cases / sizeof *cases; k++)
            CHECK_THAT(keeps(config, cases[k].text) == cases[k].expected, "%s of %d, %d, %d",
                       cases[k].text, a, b, c);
        gs_config_free(config);
    }
}

static void test_white_space_counts_only_within_words(void) {
    CHECK(keeps_value("layers", "64", "\t layers\n>=64 \t||act==relu "));
    CHECK(keeps_value("layers", "64", "!act==relu&&layers==64&&!(skip>1)"));
    CHECK(keeps_value("norm-at", "postact", "norm_at=='postact'"));
}

static void test_places_are_named(void) {
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"", "expected an option at character 1, got nothing"},
        {"  ", "expected an option at character 3, got nothing"},
        {"64<layers", "unknown option '64'"},
        {"lyers>3", "unknown option 'lyers' (did you mean 'layers'?)"},
        {"point>3", "unknown option 'point'"},
        {"layers", "expected ==, !=, <, <=, > or >= at character 7, got nothing"},
        {"layers = 3", "expected ==, !=, <, <=, > or >= at character 8, got '= 3'"},
        {"layers==", "expected a value at character 9, got nothing"},
        {"layers== && act==relu", "expected a value at character 10, got '&& act==relu'"},
        {"layers==3 act==relu", "expected && or || at character 11, got 'act==relu'"},
        {"layers==3 & act==relu", "expected && or || at character 11, got '& act==relu'"},
        {"layers==3 | act==relu", "expected && or || at character 11, got '| act==relu'"},
        {"layers==3)", "expected && or || at character 10, got ')'"},
        {"(layers==3", "expected &&, || or ) at character 11, got nothing"},
        {"(layers==3 act==relu)", "expected &&, || or ) at character 12, got 'act==relu)'"},
        {"()", "expected an option at character 2, got ')'"},
        {"layers==3 && ", "expected an option at character 14, got nothing"},
        {"|| layers==3", "expected an option at character 1, got '|| layers==3'"},
        {"!", "expected an option at character 2, got nothing"},
        {"layers=='3", "expected a value with a quote behind it at character 9, got ''3'"},
        {"layers==x", "--layers: expected a whole number from 1 to 10000000, got 'x'"},
        {"data==''", "--data: expected PATH, got ''"},
        {"clip<norm", "--clip norm: expected a number from 1e-30 to 1e+15 after ':', got ''"},
        {"act<relu", "expected == or != before 'relu', which --act does not order, got '<' before "
                     "character 9"},
        {"lr>=auto", "expected == or != before 'auto', which --lr does not order, got '>=' before "
                     "character 9"},
        {"width>8-4", "expected == or != before '8-4', which --width does not order, got '>' "
                      "before character 10"},
        {"head<on", "expected == or != before 'on', which --head does not order, got '<' before "
                    "character 8"},
        {"data<x", "expected == or != before 'x', which --data does not order, got '<' before "
                   "character 7"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char message[256];
        snprintf(message, sizeof message, "--where: %s", cases[i].message);
        check_refused(cases[i].text, message);
    }
}

/* `count` times `open`, a condition, `count` times `close`; freed by the caller. */
static char *nested(size_t count, const char *open, const char *close) {
    char *text = malloc(count * (strlen(open) + strlen(close)) + 16);
    *text = '\0';
    char *end = text;
    for (size_t i = 0; i < count; i++)
        end += sprintf(end, "%s", open);
    end += sprintf(end, "l1>0");
    for (size_t i = 0; i < count; i++)
        end += sprintf(end, "%s", close);
    return text;
}

static void test_long_expressions_are_read(void) {
    char *all = nested(30000, "l1>0&&", ""), *any = nested(30000, "l1>1||", "");
    char *most = nested(64, "(", ")"), *more = nested(65, "(", ")"), *not = nested(20001, "!", "");
    CHECK(keeps_value("l1", "1", all) && !keeps_value("l1", "0", all));
    CHECK(keeps_value("l1", "1", any) && !keeps_value("l1", "0", any));
    CHECK(keeps_value("l1", "1", most) && !keeps_value("l1", "1", not ));
    check_refused(more, "--where: expected fewer parentheses at character 66, got "
                        "'l1>0))))))))))))))))))))))))))))))))))))'");
    free(all), free(any), free(most), free(more), free(not );
}

static void test_every_allocation_may_fail(void) {
    gs_config *scratch = gs_config_new(NULL);
    size_t nth = 1;
    for (bool failed = true; failed; nth++) {
        cli_where where;
        gs_error error = {0};
        test_fail_allocation(nth);
        gs_status status =
            cli_where_read(&where, scratch, "(data==x || width==3) && !clip==norm", &error);
        failed = test_allocation_failed();
        test_fail_allocation(0);
        CHECK(status == (failed ? GS_ERR_MEMORY : GS_OK) && status == error.code);
        cli_where_free(&where);
    }
    CHECK_THAT(nth > 6, "%zu allocations", nth);
    gs_config_free(scratch);
}

TEST_MAIN(TEST(test_numbers_are_compared), TEST(test_seeds_are_compared_to_the_last_digit),
          TEST(test_equality_is_that_of_canonical_texts), TEST(test_a_name_alone_has_any_parameter),
          TEST(test_parameters_of_one_name_have_an_order),
          TEST(test_what_is_no_number_is_in_no_order), TEST(test_and_binds_closer_than_or),
          TEST(test_white_space_counts_only_within_words), TEST(test_places_are_named),
          TEST(test_long_expressions_are_read), TEST(test_every_allocation_may_fail))
