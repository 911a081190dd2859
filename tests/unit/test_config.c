/* The configuration: its table is sound, every option survives a round trip, and contradictions are
 * refused. */
#include "test.h"

#include "net/config.h"

static gs_error error;

static gs_config *fresh(void) {
    gs_config *config = gs_config_new(&error);
    CHECK_THAT(config, "%s", error.message);
    return config;
}

static void set(gs_config *config, const char *name, const char *value) {
    CHECK_THAT(gs_config_set(config, name, value, &error) == GS_OK, "%s", error.message);
}

static const char *get(const gs_config *config, const char *name) {
    static char text[128];
    CHECK_THAT(gs_config_get(config, name, text, sizeof text, &error) == GS_OK, "%s",
               error.message);
    return text;
}

/* `options` is "--name value" twice at most, as names and values, NULL past the last. */
static void check_contradiction(const char *const options[][2], size_t features, size_t classes,
                                const char *message) {
    gs_config *config = fresh();
    for (size_t i = 0; options[i][0]; i++)
        set(config, options[i][0], options[i][1]);
    const gs_config before = *config;
    CHECK(gs_config_resolve(config, features, classes, &error) == GS_ERR_USAGE);
    CHECK_STRING(error.message, message);
    CHECK(config->inputs == before.inputs && config->outputs == before.outputs &&
          config->loss.index == before.loss.index && config->head == before.head);
    gs_config_free(config);
}

/* ---- The table ---- */

static void test_every_row_can_be_shown_in_help(void) {
    for (size_t i = 0; i < gs_config_options.count; i++) {
        const gs_option *row = &gs_config_options.rows[i];
        CHECK_THAT(row->help && row->help[0], "--%s has no help", row->name);
        CHECK_THAT((row->kind == GS_OPTION_FLAG) == !row->value, "--%s and its value", row->name);
        CHECK_THAT((row->kind == GS_OPTION_CHOICE) == (row->family != NULL), "--%s and its family",
                   row->name);
        CHECK_THAT(gs_option_find(&gs_config_options, row->name) == row, "--%s stands twice",
                   row->name);
    }
    CHECK(gs_config_options.rows[0].group);
}

static void test_every_default_is_canonical_and_survives_a_round_trip(void) {
    gs_config *config = fresh();
    for (size_t i = 0; i < gs_config_options.count; i++) {
        const gs_option *row = &gs_config_options.rows[i];
        if (row->kind == GS_OPTION_TEXT)
            continue;
        char text[128];
        snprintf(text, sizeof text, "%s", get(config, row->name));
        set(config, row->name, text);
        CHECK_STRING(get(config, row->name), text);
    }
    gs_config_free(config);
}

static void test_every_name_of_every_family_parses_to_its_own_row(void) {
    gs_config *config = fresh();
    for (size_t i = 0; i < gs_config_options.count; i++) {
        const gs_option *row = &gs_config_options.rows[i];
        const char *name;
        for (size_t j = 0; row->family && (name = gs_family_name_at(row->family, j)); j++) {
            gs_choice *choice = (gs_choice *)((char *)config + row->offset);
            char text[128];
            snprintf(text, sizeof text, "%s", name);
            if (gs_config_set(config, row->name, text, NULL) != GS_OK)
                snprintf(text, sizeof text, "%s:%s", name, strcmp(name, "step") == 0 ? "5" : "0.5");
            set(config, row->name, text);
            const gs_name *found = gs_family_row(row->family, choice->index);
            CHECK_THAT(found->help && found->help[0], "--%s %s has no help", row->name, name);
            char canonical[128];
            snprintf(canonical, sizeof canonical, "%s", get(config, row->name));
            set(config, row->name, canonical);
            CHECK(gs_family_row(row->family, choice->index) == found);
        }
    }
    gs_config_free(config);
}

static void test_small_families_are_in_the_order_of_their_constants(void) {
    static const struct {
        const char *option, *text;
        size_t offset, index;
    } rows[] = {
        {"order", "act-dense", offsetof(gs_config, order), GS_ORDER_ACT_DENSE},
        {"bias", "0.5", offsetof(gs_config, bias), GS_BIAS_CONSTANT},
        {"bias", "normal:1", offsetof(gs_config, bias), GS_BIAS_NORMAL},
        {"norm", "none", offsetof(gs_config, norm), GS_NORM_NONE},
        {"norm", "batch", offsetof(gs_config, norm), GS_NORM_BATCH},
        {"norm", "layer", offsetof(gs_config, norm), GS_NORM_LAYER},
        {"norm", "rms", offsetof(gs_config, norm), GS_NORM_RMS},
        {"norm-at", "input", offsetof(gs_config, norm_at), GS_NORM_AT_INPUT},
        {"norm-at", "preact", offsetof(gs_config, norm_at), GS_NORM_AT_PREACT},
        {"norm-at", "postact", offsetof(gs_config, norm_at), GS_NORM_AT_POSTACT},
        {"norm-at", "output", offsetof(gs_config, norm_at), GS_NORM_AT_OUTPUT},
        {"residual", "none", offsetof(gs_config, residual), GS_RESIDUAL_NONE},
        {"residual", "add", offsetof(gs_config, residual), GS_RESIDUAL_ADD},
        {"residual", "post-act", offsetof(gs_config, residual), GS_RESIDUAL_POST_ACT},
        {"branch-scale", "0.5", offsetof(gs_config, branch_scale), GS_BRANCH_NUMBER},
        {"branch-scale", "1/sqrt(L)", offsetof(gs_config, branch_scale),
         GS_BRANCH_INVERSE_SQRT_DEPTH},
        {"branch-scale", "1/L", offsetof(gs_config, branch_scale), GS_BRANCH_INVERSE_DEPTH},
        {"branch-scale", "rezero", offsetof(gs_config, branch_scale), GS_BRANCH_REZERO},
        {"input", "normal", offsetof(gs_config, input), GS_INPUT_NORMAL},
        {"input", "constant:1", offsetof(gs_config, input), GS_INPUT_CONSTANT},
        {"data-scale", "none", offsetof(gs_config, data_scale), GS_SCALE_NONE},
        {"data-scale", "unit", offsetof(gs_config, data_scale), GS_SCALE_UNIT},
        {"data-scale", "standard", offsetof(gs_config, data_scale), GS_SCALE_STANDARD},
        {"loss", "mse", offsetof(gs_config, loss), GS_LOSS_MSE},
        {"loss", "ce", offsetof(gs_config, loss), GS_LOSS_CE},
        {"loss", "sum", offsetof(gs_config, loss), GS_LOSS_SUM},
        {"loss", "random", offsetof(gs_config, loss), GS_LOSS_RANDOM},
        {"clip", "none", offsetof(gs_config, clip), GS_CLIP_NONE},
        {"clip", "value:1", offsetof(gs_config, clip), GS_CLIP_VALUE},
        {"clip", "norm:1", offsetof(gs_config, clip), GS_CLIP_NORM},
        {"clip", "layer:1", offsetof(gs_config, clip), GS_CLIP_LAYER},
        {"clip", "agc:1", offsetof(gs_config, clip), GS_CLIP_AGC},
        {"dtype", "f64", offsetof(gs_config, dtype), GS_F64},
        {"dtype", "f32", offsetof(gs_config, dtype), GS_F32},
    };
    gs_config *config = fresh();
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        set(config, rows[i].option, rows[i].text);
        const gs_choice *choice = (const gs_choice *)((const char *)config + rows[i].offset);
        CHECK_THAT(choice->index == rows[i].index, "--%s %s is row %zu", rows[i].option,
                   rows[i].text, choice->index);
    }
    gs_config_free(config);
}

/* ---- Configurations ---- */

static void test_a_new_configuration_is_96_layers_of_sigmoid(void) {
    gs_config *config = fresh();
    CHECK_STRING(get(config, "layers"), "96");
    CHECK_STRING(get(config, "width"), "128");
    CHECK_STRING(get(config, "act"), "sigmoid");
    CHECK_STRING(get(config, "loss"), "auto");
    CHECK_STRING(get(config, "data"), "");
    gs_config_free(config);
}

static void test_setting_an_unknown_option_suggests_the_nearest(void) {
    gs_config *config = fresh();
    CHECK(gs_config_set(config, "layer", "3", &error) == GS_ERR_USAGE);
    CHECK_STRING(error.message, "unknown option 'layer' (did you mean 'layers'?)");
    char text[8];
    CHECK(gs_config_get(config, "zzz", text, sizeof text, &error) == GS_ERR_USAGE);
    CHECK_STRING(error.message, "unknown option 'zzz'");
    gs_config_free(config);
}

static void test_getting_into_too_little_room_is_an_error(void) {
    gs_config *config = fresh();
    char text[7];
    CHECK(gs_config_get(config, "act", text, sizeof text, &error) == GS_ERR_USAGE);
    CHECK_STRING(error.message, "--act: expected room for 8 bytes, got 7");
    CHECK_STRING(text, "sigmoi");
    gs_config_free(config);
}

static void test_a_copy_shares_nothing(void) {
    gs_config *config = fresh();
    set(config, "data", "here");
    set(config, "layers", "5");
    gs_config *copy = gs_config_copy(config, &error);
    set(config, "data", "there");
    set(config, "layers", "6");
    config->width.at[0] = 99;
    CHECK_STRING(get(copy, "width"), "128");
    CHECK_STRING(get(copy, "data"), "here");
    CHECK_STRING(get(copy, "layers"), "5");
    gs_config_free(config);
    gs_config_free(copy);
    gs_config_free(NULL);
}

static void test_new_and_copy_survive_failed_allocations(void) {
    for (size_t nth = 1; nth <= 2; nth++) {
        test_fail_allocation(nth);
        CHECK(!gs_config_new(&error) && error.code == GS_ERR_MEMORY);
    }
    gs_config *config = fresh();
    set(config, "data", "here");
    for (size_t nth = 1; nth <= 3; nth++) {
        test_fail_allocation(nth);
        CHECK(!gs_config_copy(config, &error) && error.code == GS_ERR_MEMORY);
    }
    gs_config_free(config);
}

/* ---- Resolving ---- */

static void test_without_data_everything_follows_the_width(void) {
    gs_config *config = fresh();
    set(config, "width", "32");
    CHECK(gs_config_resolve(config, 0, 0, &error) == GS_OK);
    CHECK(config->inputs == 32 && config->outputs == 32 && !config->head);
    CHECK_STRING(get(config, "loss"), "mse");
    gs_config_free(config);
}

static void test_each_layer_may_have_its_own_width(void) {
    gs_config *config = fresh();
    set(config, "layers", "3");
    set(config, "width", "5-9-7");
    CHECK(gs_config_resolve(config, 0, 0, &error) == GS_OK);
    CHECK(config->inputs == 5 && config->outputs == 7 && gs_config_widest(config) == 9);
    for (size_t l = 1; l <= 3; l++) {
        const size_t widths[] = {5, 9, 7};
        CHECK(gs_config_width(config, l) == widths[l - 1]);
        CHECK(gs_config_units(config, l) == widths[l - 1]);
    }
    set(config, "inputs", "4");
    set(config, "outputs", "30");
    set(config, "head", "on");
    CHECK(gs_config_resolve(config, 0, 0, &error) == GS_OK);
    CHECK(gs_config_units(config, 0) == 4 && gs_config_units(config, 3) == 7);
    CHECK(gs_config_units(config, 4) == 30 && gs_config_widest(config) == 30);
    gs_config_free(config);
}

static void test_one_width_is_that_of_all_layers_below_the_outputs(void) {
    gs_config *config = fresh();
    set(config, "layers", "3");
    set(config, "width", "5");
    set(config, "outputs", "2");
    CHECK(gs_config_resolve(config, 0, 0, &error) == GS_OK);
    CHECK(gs_config_width(config, 3) == 5 && gs_config_units(config, 2) == 5);
    CHECK(gs_config_units(config, 3) == 2);
    set(config, "layers", "1");
    CHECK(gs_config_widest(config) == 5); /* the inputs: no layer is as wide as --width */
    set(config, "inputs", "3");
    CHECK(gs_config_widest(config) == 3);
    gs_config_free(config);
}

static void test_a_skip_needs_layers_of_one_width(void) {
    static const struct {
        const char *residual, *skip, *width;
        bool has_skip;
    } cases[] = {{"none", "1", "8", false},      {"add", "1", "8", true},
                 {"add", "3", "8-7-6-5", false}, {"post-act", "1", "8-8-6-5", true},
                 {"add", "2", "8-7-7-5", false}, {"add", "2", "8-7-6-7", true},
                 {"add", "4", "8-7-6-8", true},  {"add", "5", "8", false},
                 {"add", "10000000", "8", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        gs_config *config = fresh();
        set(config, "layers", "4");
        set(config, "residual", cases[i].residual);
        set(config, "skip", cases[i].skip);
        set(config, "width", cases[i].width);
        CHECK(gs_config_resolve(config, 0, 0, &error) == GS_OK);
        CHECK_THAT(gs_config_has_skip(config) == cases[i].has_skip, "case %zu", i);
        gs_config_free(config);
    }
}

static void test_data_give_inputs_outputs_head_and_loss(void) {
    gs_config *config = fresh();
    set(config, "data", "digits.csv");
    CHECK(gs_config_resolve(config, 64, 10, &error) == GS_OK);
    CHECK(config->inputs == 64 && config->outputs == 10 && config->head);
    CHECK_STRING(get(config, "loss"), "ce");
    gs_config_free(config);
}

static void test_a_given_loss_stays_with_data(void) {
    gs_config *config = fresh();
    set(config, "data", "digits.csv");
    set(config, "loss", "mse");
    CHECK(gs_config_resolve(config, 64, 10, &error) == GS_OK);
    CHECK(config->head && config->loss.index == GS_LOSS_MSE);
    gs_config_free(config);
}

static void test_cross_entropy_adds_a_head(void) {
    gs_config *config = fresh();
    set(config, "loss", "ce");
    set(config, "outputs", "10");
    CHECK(gs_config_resolve(config, 0, 0, &error) == GS_OK);
    CHECK(config->head && config->inputs == 128 && config->outputs == 10);
    gs_config_free(config);
}

static void test_resolving_twice_changes_nothing(void) {
    gs_config *config = fresh();
    set(config, "data", "digits.csv");
    CHECK(gs_config_resolve(config, 64, 10, &error) == GS_OK);
    const gs_config once = *config;
    CHECK(gs_config_resolve(config, 0, 0, &error) == GS_OK);
    CHECK(config->inputs == once.inputs && config->outputs == once.outputs &&
          config->head == once.head && config->loss.index == once.loss.index);
    gs_config_free(config);
}

static void test_contradictions_with_the_data_are_refused(void) {
    check_contradiction((const char *const[][2]){{"data", "d.csv"}, {"inputs", "32"}, {NULL}}, 64,
                        10, "--inputs: expected 64, the features of 'd.csv', got '32'");
    check_contradiction((const char *const[][2]){{"data", "d.csv"}, {"outputs", "9"}, {NULL}}, 64,
                        10, "--outputs: expected 10 or more, the classes of 'd.csv', got '9'");
    check_contradiction((const char *const[][2]){{"data", "d.csv"}, {NULL}}, 64, 1,
                        "--outputs: expected 2 or more with --loss ce, got '1'");
}

static void test_contradictions_between_options_are_refused(void) {
    check_contradiction((const char *const[][2]){{"norm", "batch"}, {"batch", "1"}, {NULL}}, 0, 0,
                        "--batch: expected 2 or more with --norm batch, got '1'");
    check_contradiction(
        (const char *const[][2]){{"residual", "post-act"}, {"order", "act-dense"}, {NULL}}, 0, 0,
        "--residual: expected none or add with --order act-dense, got 'post-act'");
    check_contradiction((const char *const[][2]){{"loss", "ce"}, {"outputs", "1"}, {NULL}}, 0, 0,
                        "--outputs: expected 2 or more with --loss ce, got '1'");
    check_contradiction((const char *const[][2]){{"layers", "3"}, {"width", "5-6"}, {NULL}}, 0, 0,
                        "--width: expected 1 or 3 widths for --layers 3, got 2");
    check_contradiction((const char *const[][2]){{"layers", "1"}, {"width", "5-6"}, {NULL}}, 0, 0,
                        "--width: expected 1 width for --layers 1, got 2");
    check_contradiction(
        (const char *const[][2]){{"layers", "2"}, {"width", "5-6"}, {"outputs", "5"}, {NULL}}, 0, 0,
        "--outputs: expected 6, the last of --width, or a --head, got '5'");
}

static void test_what_is_merely_unused_is_allowed(void) {
    gs_config *config = fresh();
    set(config, "norm-at", "output");
    set(config, "skip", "1000");
    set(config, "residual", "add");
    set(config, "input", "constant:0");
    CHECK(gs_config_resolve(config, 0, 0, &error) == GS_OK);
    gs_config_free(config);
}

TEST_MAIN(TEST(test_every_row_can_be_shown_in_help),
          TEST(test_every_default_is_canonical_and_survives_a_round_trip),
          TEST(test_every_name_of_every_family_parses_to_its_own_row),
          TEST(test_small_families_are_in_the_order_of_their_constants),
          TEST(test_a_new_configuration_is_96_layers_of_sigmoid),
          TEST(test_setting_an_unknown_option_suggests_the_nearest),
          TEST(test_getting_into_too_little_room_is_an_error), TEST(test_a_copy_shares_nothing),
          TEST(test_new_and_copy_survive_failed_allocations),
          TEST(test_without_data_everything_follows_the_width),
          TEST(test_each_layer_may_have_its_own_width),
          TEST(test_one_width_is_that_of_all_layers_below_the_outputs),
          TEST(test_a_skip_needs_layers_of_one_width),
          TEST(test_data_give_inputs_outputs_head_and_loss),
          TEST(test_a_given_loss_stays_with_data), TEST(test_cross_entropy_adds_a_head),
          TEST(test_resolving_twice_changes_nothing),
          TEST(test_contradictions_with_the_data_are_refused),
          TEST(test_contradictions_between_options_are_refused),
          TEST(test_what_is_merely_unused_is_allowed))
