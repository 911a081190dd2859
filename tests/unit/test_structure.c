/*
 * The stages of a network, in the order of the model, and what they are called: z_l, a_l and x_l.
 */
#include "configured.h"

#include "net/network.h"

typedef const char *const options[8][2]; /* NULL past the last pair */

/* "dense:z act:ax | ...": kinds, names of the outputs, and a bar between layers. */
static const char *stages_of(const gs_network *network) {
    static const char *const kinds[] = {[GS_STAGE_DENSE] = "dense",
                                        [GS_STAGE_ACTIVATION] = "act",
                                        [GS_STAGE_NORM] = "norm",
                                        [GS_STAGE_SKIP] = "skip"};
    static char text[1024];
    size_t length = 0;
    for (size_t i = 0; i < network->stage_count; i++) {
        const gs_stage *stage = &network->stages[i];
        bool is_first = i > 0 && stage->layer != network->stages[i - 1].layer;
        length +=
            (size_t)snprintf(text + length, sizeof text - length, "%s%s%s%s%s%s%s",
                             i > 0 ? " " : "", is_first ? "| " : "", kinds[stage->kind],
                             stage->names ? ":" : "", stage->names & GS_IS_Z ? "z" : "",
                             stage->names & GS_IS_A ? "a" : "", stage->names & GS_IS_X ? "x" : "");
        CHECK(stage->in == (i > 0 ? &network->stages[i - 1].out : &network->input));
    }
    return text;
}

/* One layer of width 4 with these options. */
static void check_layer(const char *norm, const char *norm_at, const char *residual,
                        const char *order, const char *expected) {
    options o = {{"layers", "1"},      {"width", "4"},         {"batch", "2"},  {"norm", norm},
                 {"norm-at", norm_at}, {"residual", residual}, {"order", order}};
    gs_network *network = network_of(o);
    CHECK_STRING(stages_of(network), expected);
    gs_network_free(network);
}

static void test_norm_stands_where_it_is_asked_for(void) {
    check_layer("none", "preact", "none", "dense-act", "dense:z act:ax");
    check_layer("rms", "input", "none", "dense-act", "norm dense:z act:ax");
    check_layer("rms", "preact", "none", "dense-act", "dense norm:z act:ax");
    check_layer("rms", "postact", "none", "dense-act", "dense:z act norm:ax");
    check_layer("rms", "output", "none", "dense-act", "dense:z act:a norm:x");
    check_layer("none", "preact", "none", "act-dense", "act:a dense:zx");
    check_layer("rms", "input", "none", "act-dense", "norm act:a dense:zx");
    check_layer("rms", "preact", "none", "act-dense", "act:a dense norm:zx");
    check_layer("rms", "postact", "none", "act-dense", "act norm:a dense:zx");
    check_layer("rms", "output", "none", "act-dense", "act:a dense:z norm:x");
}

static void test_skip_stands_before_the_output_norm_or_before_the_activation(void) {
    check_layer("none", "preact", "add", "dense-act", "dense:z act:a skip:x");
    check_layer("rms", "preact", "add", "dense-act", "dense norm:z act:a skip:x");
    check_layer("rms", "postact", "add", "dense-act", "dense:z act norm:a skip:x");
    check_layer("rms", "output", "add", "dense-act", "dense:z act:a skip norm:x");
    check_layer("none", "preact", "add", "act-dense", "act:a dense:z skip:x");
    check_layer("rms", "output", "add", "act-dense", "act:a dense:z skip norm:x");
    check_layer("none", "preact", "post-act", "dense-act", "dense:z skip act:ax");
    check_layer("rms", "preact", "post-act", "dense-act", "dense norm:z skip act:ax");
    check_layer("rms", "output", "post-act", "dense-act", "dense:z skip act:a norm:x");
}

/* The output that a skip starts from is the last of its layer. */
static void check_sources(options o, const char *expected) {
    gs_network *network = network_of(o);
    CHECK_STRING(stages_of(network), expected);
    for (size_t i = 0; i < network->stage_count; i++) {
        const gs_stage *stage = &network->stages[i];
        if (stage->kind != GS_STAGE_SKIP)
            continue;
        const gs_signal *source = &network->input;
        for (size_t j = 0; j < i; j++)
            if (network->stages[j].layer == stage->skip.source_layer &&
                network->stages[j].names & GS_IS_X)
                source = &network->stages[j].out;
        CHECK(stage->skip.source == source);
        CHECK(stage->skip.source_layer + network->config->skip == stage->layer);
    }
    gs_network_free(network);
}

static void test_skips_end_at_every_sth_layer_and_start_where_the_last_ended(void) {
    options every = {{"layers", "3"}, {"width", "4"}, {"residual", "add"}};
    options second = {{"layers", "5"}, {"width", "4"}, {"residual", "add"}, {"skip", "2"}};
    options long_one = {{"layers", "2"}, {"width", "4"}, {"residual", "add"}, {"skip", "3"}};
    check_sources(every, "dense:z act:a skip:x | dense:z act:a skip:x | dense:z act:a skip:x");
    check_sources(second, "dense:z act:ax | dense:z act:a skip:x | dense:z act:ax | "
                          "dense:z act:a skip:x | dense:z act:ax");
    check_sources(long_one, "dense:z act:ax | dense:z act:ax");
}

static void test_skip_across_different_widths_is_left_out(void) {
    options o = {
        {"layers", "3"}, {"width", "4"}, {"inputs", "5"}, {"outputs", "6"}, {"residual", "add"}};
    check_sources(o, "dense:z act:ax | dense:z act:a skip:x | dense:z act:ax");
}

static void test_head_is_a_dense_layer_alone(void) {
    options o = {
        {"layers", "1"}, {"width", "4"}, {"norm", "rms"}, {"residual", "add"}, {"head", "on"}};
    check_sources(o, "dense norm:z act:a skip:x | dense:zx");
}

TEST_MAIN(TEST(test_norm_stands_where_it_is_asked_for),
          TEST(test_skip_stands_before_the_output_norm_or_before_the_activation),
          TEST(test_skips_end_at_every_sth_layer_and_start_where_the_last_ended),
          TEST(test_skip_across_different_widths_is_left_out),
          TEST(test_head_is_a_dense_layer_alone))
