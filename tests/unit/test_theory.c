/*
 * Predictions: known answers, what a network measures where the prediction is exact, and why there
 * is none elsewhere.
 */
#include "configs.h"
#include "configured.h"

typedef struct {
    gs_layer_theory rows[1024];
    gs_theory theory;
    size_t layers;
} prediction;

static prediction predicted;

/* The prediction for "name=value ..." on top of the defaults. */
static const prediction *predict(const char *options) {
    gs_config *config = config_of(options);
    CHECK_THAT(gs_predict(config, NULL, true, predicted.rows, &predicted.theory, &error) == GS_OK,
               "%s", error.message);
    gs_config_free(config);
    return &predicted;
}

static double rate(const char *options, size_t layer) {
    return predict(options)->rows[layer - 1].rate;
}

/* ---- Published rates, to the digits that are published (THEORY of this project, row) ---- */

static void test_plain_rates_are_the_published_ones(void) {
    const prediction *p = predict("act=sigmoid init=lecun layers=40 loss=random");
    CHECK_CLOSE(p->theory.fixed_q, 0.264687, 1e-5); /* 12 */
    CHECK_CLOSE(p->rows[0].rate, 0.0557207, 2e-1);
    CHECK_CLOSE(p->rows[30].rate, 0.0557207, 1e-6);
    CHECK_CLOSE(p->theory.chi, 0.0557207, 1e-6);
    CHECK_CLOSE(rate("act=relu init=xavier layers=8 loss=random", 3), 0.5, 1e-12);      /* 17 */
    CHECK_CLOSE(rate("act=leaky:0.2 init=he layers=8 loss=random", 3), 1.04, 1e-12);    /* 18 */
    CHECK_CLOSE(rate("act=linear init=torch layers=8 loss=random", 3), 1.0 / 3, 1e-12); /* 19 */
    p = predict("act=selu init=lecun layers=40 loss=random");
    CHECK_CLOSE(p->theory.chi, 1.07157499, 1e-8); /* 16 */
    CHECK_CLOSE(p->theory.fixed_q, 1, 1e-8);
}

static void test_norm_rates_are_the_published_ones(void) {
    static const struct {
        const char *options;
        double rate;
    } cases[] = {
        {"norm=batch act=linear batch=16 loss=mse", 1.0769231}, /* 24 */
        {"norm=batch act=linear batch=64 loss=mse", 1.0163934},
        {"norm=batch act=relu batch=8", 1.788190}, /* 25 */
        {"norm=batch act=relu batch=16", 1.589950},
        {"norm=batch act=relu batch=128", 1.479681},
        {"norm=batch act=tanh batch=32", 1.208303}, /* 27 */
        {"norm=batch act=tanh batch=128", 1.184853},
        {"norm=layer act=linear width=24", 1.047619},    /* 30 */
        {"norm=layer act=tanh width=1000000", 1.177807}, /* 29 */
        {"norm=rms act=gelu width=1000000", 1.072032},
        {"norm=layer norm-at=output order=act-dense residual=add act=tanh init=lecun width=1000000",
         1.050282}, /* 48 */
        {"norm=layer norm-at=output order=act-dense residual=add act=sigmoid init=lecun "
         "width=1000000",
         0.807835},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char options[256];
        snprintf(options, sizeof options, "layers=12 norm-eps=1e-12 loss=random %s",
                 cases[i].options);
        double actual = rate(options, 6);
        CHECK_THAT(fabs(actual - cases[i].rate) <= 4e-6 * cases[i].rate, "%s: %.9g, not %.9g",
                   options, actual, cases[i].rate);
    }
}

static void test_residual_gains_are_the_published_ones(void) {
    static const char block[] = "act=relu init=he order=act-dense residual=add loss=random ";
    char options[256];
    double squared;
    snprintf(options, sizeof options, "%slayers=10", block);
    CHECK_CLOSE(predict(options)->theory.ratio_log10, 10 * log10(2) / 2, 1e-10); /* 43 */
    snprintf(options, sizeof options, "%slayers=10 branch-scale=1/sqrt(L)", block);
    squared = pow(10, 2 * predict(options)->theory.ratio_log10);
    CHECK_CLOSE(squared, 2.593742, 1e-6); /* 44 */
    snprintf(options, sizeof options, "%slayers=10 branch-scale=1/L", block);
    squared = pow(10, 2 * predict(options)->theory.ratio_log10);
    CHECK_CLOSE(squared, 1.104622, 1e-6);
    snprintf(options, sizeof options, "%slayers=10 norm=layer norm-at=input width=1000000", block);
    squared = pow(10, 2 * predict(options)->theory.ratio_log10);
    CHECK_CLOSE(squared, 11, 1e-4);            /* 45 */
    CHECK_CLOSE(predicted.rows[9].q, 1, 1e-4); /* z is the branch: sw2 E relu(N(0,1))^2 */
}

/* ---- Phases ---- */

static void test_the_edge_of_chaos_is_where_it_is_known_to_be(void) {
    gs_critical_point points[4];
    size_t count;
    CHECK(gs_find_critical("tanh", NAN, sqrt(0.05), 4, points, &count, &error) == GS_OK);
    CHECK(count == 1);
    CHECK_CLOSE(pow(points[0].sigma_w, 2), 1.760955, 5e-7);
    CHECK_CLOSE(points[0].fixed_q, 0.570048, 1e-6);
    CHECK(points[0].slope < 1);
    CHECK(gs_find_critical("tanh", sqrt(1.049961), NAN, 4, points, &count, &error) == GS_OK);
    CHECK(count == 1);
    CHECK_CLOSE(pow(points[0].sigma_b, 2), 2.00587e-5, 1e-4);
    CHECK_CLOSE(points[0].fixed_q, 0.0259, 1e-4);
    CHECK(gs_find_critical("relu", NAN, 0, 4, points, &count, &error) == GS_OK);
    CHECK(count == 1 && isnan(points[0].fixed_q));
    CHECK_CLOSE(points[0].sigma_w, sqrt(2), 1e-12);
    CHECK(gs_find_critical("relu", NAN, 0.1, 4, points, &count, &error) == GS_OK);
    CHECK(count == 0);
    CHECK(gs_find_critical("rely", NAN, 0.1, 4, points, &count, &error) == GS_ERR_USAGE);
}

/* Where phi(0) = 0 there is a point at q = 0, with the slopes that both sides of 0 have. */
static void test_the_edge_of_chaos_may_lie_at_zero(void) {
    static const struct {
        const char *act;
        double sigma_w2;
    } cases[] = {{"tanh", 1}, {"gelu", 4}, {"elu:0.5", 1.6}};
    gs_critical_point points[4];
    size_t count;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        CHECK(gs_find_critical(cases[i].act, NAN, 0, 4, points, &count, &error) == GS_OK);
        CHECK(count == 1 && points[0].fixed_q == 0 && points[0].sigma_b == 0);
        CHECK_CLOSE(pow(points[0].sigma_w, 2), cases[i].sigma_w2, 1e-12);
    }
    CHECK(gs_find_critical("tanh", 1e5, NAN, 4, points, &count, &error) == GS_OK);
    CHECK(count == 1 && points[0].fixed_q > 1e19); /* as far as it takes */
}

static void test_fixed_points_are_found_from_anywhere(void) {
    const gs_theory *t = &predicted.theory;
    predict("act=tanh init=scaled:2 input=normal:1e15 layers=3 loss=random");
    double far = t->fixed_q;
    predict("act=tanh init=scaled:2 input=normal:1e-9 layers=3 loss=random");
    CHECK_CLOSE(t->fixed_q, far, 1e-12);
    predict("act=tanh init=scaled:2 input=constant:0 layers=3 loss=random");
    CHECK(t->fixed_q == 0);
    CHECK_CLOSE(t->chi, 4, 1e-12);
    predict("act=relu init=scaled:1 layers=3 loss=random"); /* the slope at 0 itself is no matter */
    CHECK(t->fixed_q == 0);
    CHECK_CLOSE(t->chi, 0.5, 1e-12);
    CHECK_CLOSE(t->depth_q, 1 / log(2), 1e-12);
    predict("act=relu init=he bias=normal:0.1 layers=3 loss=random");
    CHECK(isinf(t->fixed_q) && t->phase == GS_PHASE_CRITICAL);
    predict("act=linear init=scaled:0.9 bias=normal:1e12 layers=3 loss=random");
    CHECK_CLOSE(t->fixed_q, 1e24 / 0.19, 1e-12);
    /* dq'/dq at v = 0 is sigma_w^2 (phi phi')' */
    predict("act=tanh init=scaled:1e-6 bias=0.5 layers=3 loss=random");
    double slope = 1 - pow(tanh(0.5), 2), bend = slope * (slope - 2 * pow(tanh(0.5), 2));
    CHECK_CLOSE(t->depth_q, -1 / log(1e-12 * bend), 1e-4);
}

static void test_phases_have_their_fixed_points_and_depths(void) {
    const gs_theory *t = &predicted.theory;
    predict("act=tanh init=scaled:2 bias=normal:0.22360679775 layers=3 loss=random");
    CHECK(t->phase == GS_PHASE_CHAOTIC);
    CHECK_CLOSE(t->fixed_q, 2.195494, 1e-6); /* 2 */
    CHECK_CLOSE(t->chi, 1.342402, 1e-6);
    CHECK(t->fixed_correlation > 0 && t->fixed_correlation < 0.9);
    CHECK(isfinite(t->depth_correlation));
    predict("act=tanh init=lecun bias=normal:0.22360679775 layers=3 loss=random");
    CHECK(t->phase == GS_PHASE_ORDERED);
    CHECK_CLOSE(t->chi, 0.759032, 1e-6);
    CHECK(t->fixed_correlation == 1);
    CHECK_CLOSE(t->depth_correlation, -1 / log(0.759032), 1e-5);
    CHECK_CLOSE(t->depth_gradient, -1 / log(0.759032), 1e-5);
    predict("act=tanh init=lecun layers=3 loss=random");
    CHECK(t->phase == GS_PHASE_CRITICAL && t->fixed_q == 0 && isinf(t->depth_gradient));
    predict("act=relu init=scaled:2 layers=3 loss=random");
    CHECK(t->phase == GS_PHASE_CHAOTIC && isinf(t->fixed_q));
    CHECK_CLOSE(t->chi, 2, 1e-12);
    predict("act=relu init=he layers=3 loss=random norm=layer");
    CHECK(t->phase == GS_PHASE_NONE && isnan(t->chi));
}

/* ---- Sizes that do not fit a double ---- */

static void test_signals_and_gradients_of_any_size_are_predicted(void) {
    const prediction *p = predict("act=linear init=scaled:1e6 layers=1000 loss=random");
    CHECK_CLOSE(p->theory.ratio_log10, 6000, 1e-12);
    CHECK_CLOSE(p->rows[0].grad_z_log10, 5994 - log10(64) / 2, 1e-12);
    p = predict("act=linear init=scaled:1e-6 layers=1000 loss=sum");
    CHECK_CLOSE(p->theory.ratio_log10, -6000, 1e-12);
    CHECK(p->rows[999].q == 0);
    p = predict("act=identity init=identity:1e6 layers=1000 loss=random");
    CHECK_CLOSE(p->theory.ratio_log10, 6000, 1e-12);
    /* mse: dL/dx_L = 2 x / (B n) in effect; |W^T W x| = sqrt(2) sigma^2 |x| for a square W */
    p = predict("act=linear init=scaled:1e6 layers=1 loss=mse");
    CHECK_CLOSE(p->theory.ratio_log10, 6 + log10(2) / 2, 1e-9);
    p = predict("act=linear init=orthogonal:1e6 layers=100 loss=mse");
    CHECK_CLOSE(p->theory.ratio_log10, 600, 1e-9);
}

static void test_inputs_whose_squares_do_not_fit_are_predicted(void) {
    const prediction *p = predict("act=relu input=normal:1e-300 layers=4 loss=random");
    double gradient = p->rows[0].grad_z_log10, correlation = p->rows[3].correlation;
    CHECK(p->rows[3].q == 0);
    p = predict("act=relu layers=4 loss=random");
    CHECK_CLOSE(p->rows[0].grad_z_log10, gradient, 1e-12);
    CHECK_CLOSE(p->rows[3].correlation, correlation, 1e-14);
}

/* ---- Cross-entropy ---- */

/* p of two classes is 1 / (1 + e^-d) with d ~ N(0, 2 q): E (p - onehot)^2 of either is
   E p^2 - E p + 1 / 2 = E p^2. */
static void test_cross_entropy_of_two_classes_is_an_integral(void) {
    static const double deviations[] = {0.01, 0.5, 1, 4, 15};
    for (size_t i = 0; i < sizeof deviations / sizeof *deviations; i++) {
        char options[128];
        snprintf(options, sizeof options,
                 "act=linear init=scaled:%.17g loss=ce outputs=2 batch=1 layers=1 input=normal:1",
                 sqrt(deviations[i]));
        double actual = predict(options)->rows[1].grad_z_log10, sum = 0, total = 0;
        for (int j = -40000; j <= 40000; j++) {
            double y = j * 2.5e-4, p = 1 / (1 + exp(-y * sqrt(2) * deviations[i]));
            sum += exp(-y * y / 2) * p * p;
            total += exp(-y * y / 2);
        }
        CHECK_CLOSE(actual, log10(2 * sum / total) / 2, 1e-9);
    }
}

/* Where logits are so far apart that p is one-hot, the gradient of a linear network is what the
   weights make of it. */
static void test_cross_entropy_of_large_logits_is_that_of_one_hot(void) {
    const prediction *p = predict("act=linear gain=1e10 layers=100 loss=ce outputs=10 batch=1");
    CHECK_CLOSE(p->rows[100].grad_z_log10, log10(1.8) / 2, 1e-12);
    CHECK_CLOSE(p->theory.ratio_log10, 1000, 1e-3);
}

/* ---- Norms whose eps counts ---- */

/* The variance of few examples varies about (B - 1) / B of that of many: E s / (s + eps), by the
   density of chi-square with B - 1 degrees of freedom. */
static void test_eps_of_a_batch_norm_meets_the_variance_of_few_examples(void) {
    double sum = 0, total = 0;
    for (double x = 5e-4; x < 60; x += 1e-3) { /* 3 degrees */
        double density = sqrt(x) * exp(-x / 2), s = x / 4;
        sum += density * s / (s + 0.5);
        total += density;
    }
    const prediction *p = predict("act=tanh norm=batch norm-eps=0.5 batch=4 init=lecun layers=1");
    CHECK_CLOSE(p->rows[0].q, sum / total, 1e-4);
    p = predict("act=tanh norm=batch norm-eps=1 batch=4 init=lecun input=normal:1e-5 layers=1");
    CHECK_CLOSE(p->rows[0].q, 0.75e-10, 1e-6);
}

/* ---- Chains: exact at any width ---- */

static void check_measured(const char *const options[][2], double tolerance) {
    gs_network *network = network_of(options);
    gs_config *config = configure(options);
    gs_layer_stats stats[16];
    gs_layer_theory rows[16];
    CHECK(gs_measure(network, stats, &(gs_summary){0}, &error) == GS_OK);
    CHECK(gs_predict(config, NULL, false, rows, NULL, &error) == GS_OK);
    for (size_t i = 0; i < gs_network_layers(network); i++) {
        double measured = stats[i].value[GS_GRAD_Z_LOG10];
        CHECK_THAT(fabs(measured - rows[i].grad_z_log10) <= tolerance, "layer %zu: %.12g and %.12g",
                   i + 1, measured, rows[i].grad_z_log10);
    }
    gs_config_free(config);
    gs_network_free(network);
}

static void test_chains_of_one_input_are_exact(void) {
    check_measured((const char *const[][2]){{"act", "tanh"},
                                            {"init", "identity:1.5"},
                                            {"input", "constant:0.3"},
                                            {"layers", "10"},
                                            {"width", "5"},
                                            {"loss", "sum"},
                                            {"bias", "0.1"},
                                            {NULL, NULL}},
                   1e-12);
    check_measured((const char *const[][2]){{"act", "sigmoid"},
                                            {"init", "identity:2"},
                                            {"residual", "add"},
                                            {"skip", "2"},
                                            {"branch-scale", "0.5"},
                                            {"input", "constant:-1"},
                                            {"layers", "9"},
                                            {"width", "4"},
                                            {"loss", "sum"},
                                            {NULL, NULL}},
                   1e-12);
    check_measured((const char *const[][2]){{"act", "silu"},
                                            {"init", "identity:2"},
                                            {"order", "act-dense"},
                                            {"input", "constant:0.7"},
                                            {"layers", "9"},
                                            {"width", "4"},
                                            {"loss", "sum"},
                                            {NULL, NULL}},
                   1e-12);
    check_measured((const char *const[][2]){{"act", "tanh"},
                                            {"init", "constant:0.3"},
                                            {"input", "constant:0.2"},
                                            {"layers", "6"},
                                            {"width", "5"},
                                            {"inputs", "3"},
                                            {"outputs", "7"},
                                            {"loss", "sum"},
                                            {NULL, NULL}},
                   1e-12);
}

/* 1 I, x = 0, sigmoid (row 53): the derivative after 10 layers. */
static void test_the_sigmoid_chain_has_its_derivative(void) {
    predict("act=sigmoid init=identity input=constant:0 layers=10 loss=sum batch=1 width=1");
    CHECK_CLOSE(pow(10, predicted.theory.ratio_log10), 3.87522023e-7, 1e-8);
}

/* ---- Where there is none ---- */

static void test_what_theory_does_not_cover_is_named(void) {
    static const char *const cases[][2] = {
        {"act=tanh residual=post-act layers=4", "activation is not normally"},
        {"act=tanh norm=batch norm-at=output layers=4", "batch norm is not normally"},
        {"norm=batch batch=3 layers=4", "3 examples or fewer"},
        {"norm=layer width=3 layers=4", "3 units or fewer"},
        {"norm=batch input=constant:1 layers=4", "all alike"},
        {"norm=layer norm-at=input input=constant:1 layers=4", "units that are all alike"},
        {"norm=layer norm-eps=0 init=normal:0 act=relu layers=4", "all alike"},
        {"act=selu init=normal:1e15 gain=1e15 layers=99", "overflows"},
        {"init=identity inputs=3 layers=4", "different widths"},
        {"init=constant:1 residual=add layers=4", "constant weights with"},
        {"init=identity norm=batch layers=4", "batch norm where weights"},
        {"init=identity bias=normal:1 layers=4", "random biases"},
        {"init=identity head=on layers=4", "head"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const prediction *p = predict(cases[i][0]);
        CHECK_THAT(strstr(p->theory.missing, cases[i][1]), "%s: '%s'", cases[i][0],
                   p->theory.missing);
        CHECK(isnan(p->rows[0].grad_z_log10) && isnan(p->theory.ratio_log10));
    }
    CHECK(predict("layers=4")->theory.missing[0] == '\0');
}

static void test_zero_by_design_is_predicted(void) {
    const prediction *p = predict("residual=add branch-scale=rezero layers=5 loss=random");
    CHECK(p->theory.ratio_log10 == 0);
    CHECK(isinf(p->rows[2].grad_z_log10) && p->rows[2].grad_z_log10 < 0);
    CHECK(p->rows[2].rate == 1);
}

static void test_every_allocation_failure_is_survived(void) {
    for (size_t i = 1; i < 50; i++) {
        gs_config *config = gs_config_new(&error);
        test_state.fail_allocation = i;
        gs_status status = gs_predict(config, NULL, true, NULL, NULL, &error);
        bool failed = test_state.fail_allocation == 0;
        test_state.fail_allocation = 0;
        gs_config_free(config);
        CHECK(failed ? status == GS_ERR_MEMORY : status == GS_OK);
        if (!failed)
            return;
    }
    CHECK(!"no end of allocations");
}

TEST_MAIN(TEST(test_plain_rates_are_the_published_ones),
          TEST(test_norm_rates_are_the_published_ones),
          TEST(test_residual_gains_are_the_published_ones),
          TEST(test_the_edge_of_chaos_is_where_it_is_known_to_be),
          TEST(test_the_edge_of_chaos_may_lie_at_zero),
          TEST(test_fixed_points_are_found_from_anywhere),
          TEST(test_phases_have_their_fixed_points_and_depths),
          TEST(test_signals_and_gradients_of_any_size_are_predicted),
          TEST(test_inputs_whose_squares_do_not_fit_are_predicted),
          TEST(test_cross_entropy_of_two_classes_is_an_integral),
          TEST(test_cross_entropy_of_large_logits_is_that_of_one_hot),
          TEST(test_eps_of_a_batch_norm_meets_the_variance_of_few_examples),
          TEST(test_chains_of_one_input_are_exact), TEST(test_the_sigmoid_chain_has_its_derivative),
          TEST(test_what_theory_does_not_cover_is_named), TEST(test_zero_by_design_is_predicted),
          TEST(test_every_allocation_failure_is_survived))
