/*
 * The columns of the log against a naive network over the same weights and batch.
 */
#include "naive_network.h"

/* ---- Columns by their definitions ---- */

static void check_column(const gs_layer_stats *row, gs_column column, double expected) {
    double actual = NAN;
    bool is_there = gs_layer_stats_get(row, column, &actual);
    bool is_close = fabs(actual - expected) <= tolerance * (1e-3 + fabs(expected));
    CHECK_THAT(is_there && (actual == expected || is_close),
               "%s of layer %zu is %.17g, expected %.17g", gs_column_name(column), row->layer,
               actual, expected);
}

static void check_absent(const gs_layer_stats *row, gs_column column) {
    double value;
    CHECK_THAT(!gs_layer_stats_get(row, column, &value), "%s of layer %zu is there",
               gs_column_name(column), row->layer);
}

static void check_moments(const naive_network *n, table t, size_t units, const gs_layer_stats *row,
                          gs_column mean_column, gs_column std_column) {
    double count = (double)(n->batch * units), mean = 0, square = 0;
    for (size_t b = 0; b < n->batch; b++)
        for (size_t i = 0; i < units; i++)
            mean += t[b][i] / count;
    for (size_t b = 0; b < n->batch; b++)
        for (size_t i = 0; i < units; i++)
            square += (t[b][i] - mean) * (t[b][i] - mean) / count;
    check_column(row, mean_column, mean);
    check_column(row, std_column, sqrt(square));
}

/* Where the activation of layer l stands: at z_l, or before the dense layer at x_{l-1}. */
static void check_slopes(naive_network *n, size_t l, const gs_layer_stats *row) {
    size_t units = n->units[n->act_dense ? l - 1 : l], saturated = 0, zero = 0, dead = 0;
    for (size_t i = 0; i < units; i++) {
        size_t zeros = 0;
        for (size_t b = 0; b < n->batch; b++) {
            double slope = n->slope(n->act_dense ? n->x[l - 1][b][i] : n->z[l][b][i]);
            saturated += fabs(slope) < n->largest_slope / 10;
            zeros += slope == 0;
        }
        zero += zeros, dead += zeros == n->batch;
    }
    double count = (double)(units * n->batch);
    check_column(row, GS_SATURATED, (double)saturated / count);
    check_column(row, GS_ZERO, (double)zero / count);
    check_column(row, GS_DEAD, (double)dead / (double)units);
}

/* What a conversion to the format leaves: half of the least subnormal number goes to zero. */
static void check_lost(naive_network *n, size_t l, const gs_layer_stats *row) {
    static const struct {
        gs_column column;
        double least;
    } formats[] = {{GS_F32_ZERO, 0x1p-149}, {GS_F16_ZERO, 0x1p-24}, {GS_BF16_ZERO, 0x1p-133}};
    size_t units = n->units[n->act_dense ? l - 1 : l];
    for (size_t f = 0; f < 3; f++) {
        size_t lost = 0;
        for (size_t b = 0; b < n->batch; b++)
            for (size_t i = 0; i < units; i++)
                lost += fabs(n->da[l][b][i]) <= formats[f].least / 2;
        check_column(row, formats[f].column, (double)lost / (double)(units * n->batch));
    }
    for (size_t b = 0; b < n->batch; b++) /* the boundary of f32 is that of its conversion */
        CHECK((fabs(n->da[l][b][0]) <= 0x1p-150) == ((float)n->da[l][b][0] == 0));
}

/* The largest eigenvalue of W^T W by 3000 power steps; the next is 1 % smaller here at least. */
static double largest_singular_value(const naive_network *n, size_t l) {
    double v[MOST_UNITS], u[MOST_UNITS], sigma = 0;
    for (size_t j = 0; j < MOST_UNITS; j++)
        v[j] = test_noise(1, j);
    for (size_t step = 0; step < 3000; step++) {
        for (size_t i = 0; i < n->units[l]; i++) {
            u[i] = 0;
            for (size_t j = 0; j < n->units[l - 1]; j++)
                u[i] += n->weight[l][i][j] * v[j];
        }
        sigma = vector_norm(u, n->units[l]) / vector_norm(v, n->units[l - 1]);
        double scale = vector_norm(u, n->units[l]);
        for (size_t j = 0; j < n->units[l - 1]; j++) {
            v[j] = 0;
            for (size_t i = 0; i < n->units[l]; i++)
                v[j] += n->weight[l][i][j] * u[i] / scale;
        }
    }
    return sigma;
}

/* A ratio to nothing is no number. */
static void check_ratio(const gs_layer_stats *row, gs_column column, double above, double below) {
    if (below != 0)
        check_column(row, column, above / below);
    else
        check_absent(row, column);
}

static void check_gains(naive_network *n, size_t l, const gs_layer_stats *row) {
    size_t units_of_a = n->units[n->act_dense ? l - 1 : l];
    double here_x = norm(n, n->dx[l], n->units[l]), here_z = norm(n, n->dz[l], n->units[l]);
    double here_a = norm(n, n->da[l], units_of_a), below_x = norm(n, n->dx[l - 1], n->units[l - 1]);
    bool has_above = l < depth(n);
    double above_z = has_above ? norm(n, n->dz[l + 1], n->units[l + 1]) : 0;
    if (n->add) {
        check_absent(row, GS_WEIGHT_GAIN), check_absent(row, GS_ACT_GAIN);
        if (has_above)
            check_ratio(row, GS_GAIN, here_x, norm(n, n->dx[l + 1], n->units[l + 1]));
    } else if (n->act_dense) {
        check_ratio(row, GS_WEIGHT_GAIN, here_a, here_z);
        check_ratio(row, GS_ACT_GAIN, below_x, here_a);
        check_ratio(row, GS_GAIN, below_x, here_z);
    } else {
        check_ratio(row, GS_ACT_GAIN, here_z, here_a);
        if (has_above) {
            check_ratio(row, GS_WEIGHT_GAIN, here_a, above_z);
            check_ratio(row, GS_GAIN, here_z, above_z);
        }
    }
    if (!has_above && !n->act_dense)
        check_absent(row, GS_WEIGHT_GAIN), check_absent(row, GS_GAIN);
}

static void check_row(naive_network *n, size_t l, const gs_layer_stats *row) {
    bool is_head = l > n->layers;
    double grad = matrix_norm(n, n->dweight[l], l), weight = matrix_norm(n, n->weight[l], l),
           sigma = NAN;
    CHECK(row->layer == l && row->kind == (is_head ? GS_KIND_HEAD : GS_KIND_DENSE));
    check_moments(n, n->z[l], n->units[l], row, GS_Z_MEAN, GS_Z_STD);
    check_column(row, GS_W_NORM, weight);
    CHECK(gs_layer_stats_get(row, GS_W_SIGMA_MAX, &sigma));
    CHECK_CLOSE(sigma, largest_singular_value(n, l), 1e-6);
    check_column(row, GS_GRAD_W, grad);
    check_column(row, GS_GRAD_W_LOG10, log10(grad));
    check_column(row, GS_GRAD_B_LOG10, log10(vector_norm(n->dbias[l], n->units[l])));
    check_column(row, GS_GRAD_Z_LOG10, log10(norm(n, n->dz[l], n->units[l])));
    check_column(row, GS_GRAD_RATIO, grad / weight);
    check_absent(row, GS_UPDATE_RATIO);
    if (is_head) {
        for (gs_column c = GS_A_MEAN; c <= GS_DEAD; c++)
            check_absent(row, c);
        check_absent(row, GS_F16_ZERO), check_absent(row, GS_GAIN);
    } else {
        check_moments(n, n->a[l], n->units[n->act_dense ? l - 1 : l], row, GS_A_MEAN, GS_A_STD);
        check_slopes(n, l, row);
        check_lost(n, l, row);
        check_gains(n, l, row);
    }
}

/* ---- Networks ---- */

static options networks[] = {
    {{"act", "tanh"},
     {"layers", "5"},
     {"width", "9"},
     {"batch", "17"},
     {"bias", "normal:0.3"},
     {"gain", "2"}},
    {{"act", "relu"},
     {"layers", "6"},
     {"width", "7"},
     {"inputs", "12"},
     {"outputs", "3"},
     {"batch", "4"},
     {"init", "he"},
     {"bias", "-0.2"}},
    {{"act", "tanh"},
     {"layers", "4"},
     {"width", "8"},
     {"batch", "15"},
     {"head", "on"},
     {"outputs", "5"},
     {"bias", "0.1"}},
    {{"act", "relu"},
     {"layers", "4"},
     {"width", "9"},
     {"batch", "16"},
     {"order", "act-dense"},
     {"inputs", "5"}},
    {{"act", "tanh"},
     {"layers", "4"},
     {"width", "9"},
     {"batch", "16"},
     {"order", "act-dense"},
     {"residual", "add"},
     {"head", "on"}},
    {{"act", "tanh"},
     {"layers", "5"},
     {"width", "12"},
     {"inputs", "7"},
     {"batch", "20"},
     {"residual", "add"},
     {"branch-scale", "0.5"}},
    {{"act", "tanh"},
     {"layers", "8"},
     {"width", "10"},
     {"batch", "8"},
     {"residual", "add"},
     {"skip", "3"},
     {"branch-scale", "1/sqrt(L)"}},
    {{"act", "relu"},
     {"layers", "6"},
     {"width", "10"},
     {"batch", "8"},
     {"residual", "add"},
     {"skip", "2"},
     {"branch-scale", "1/L"},
     {"order", "act-dense"}},
    {{"act", "tanh"}, {"layers", "4"}, {"width", "9-4-12-7"}, {"batch", "17"}, {"bias", "0.1"}},
    {{"act", "relu"},
     {"layers", "6"},
     {"width", "8-3-8-3-8-12"},
     {"batch", "8"},
     {"inputs", "5"},
     {"outputs", "3"},
     {"head", "on"},
     {"residual", "add"},
     {"skip", "2"}},
    {{"act", "tanh"},
     {"layers", "5"},
     {"width", "9-9-4-4-9"},
     {"batch", "8"},
     {"order", "act-dense"},
     {"residual", "add"}},
    {{"act", "tanh"}, {"layers", "8"}, {"width", "10"}, {"batch", "8"}, {"init", "normal:0.03"}},
    {{"act", "relu"}, {"layers", "8"}, {"width", "10"}, {"batch", "8"}, {"init", "normal:1e-7"}},
};
enum { NETWORKS = sizeof networks / sizeof *networks };

static void check_near(double actual, double expected) {
    bool same = actual == expected || (isnan(actual) && isnan(expected));
    CHECK_THAT(same || fabs(actual - expected) <= 100 * tolerance, "%.17g, expected %.17g", actual,
               expected);
}

/* Of the examples that have a gradient at the output: sorted by insertion. */
static void check_ratios(const naive_network *n, const gs_summary *summary) {
    double logs[MOST_BATCH];
    size_t count = 0, silent = 0;
    for (size_t b = 0; b < n->batch; b++) {
        double last = vector_norm(n->dx[n->layers][b], n->units[n->layers]);
        double log = log10(vector_norm(n->dx[0][b], n->units[0]) / last);
        if (last == 0)
            continue;
        silent += log == -INFINITY;
        size_t place = count++;
        for (; place > 0 && logs[place - 1] > log; place--)
            logs[place] = logs[place - 1];
        logs[place] = log;
    }
    CHECK(summary->examples == count && summary->silent_examples == silent);
    check_near(summary->ratio_log10, (logs[(count - 1) / 2] + logs[count / 2]) / 2);
    check_near(summary->low_log10, logs[count / 10]);
    check_near(summary->high_log10, logs[count - 1 - count / 10]);
}

static double mean_cosine(const naive_network *n, table t, size_t units) {
    double sum = 0, pairs = 0;
    for (size_t b = 0; b < n->batch; b++)
        for (size_t c = 0; c < n->batch; c++) {
            double dot = 0, norms = vector_norm(t[b], units) * vector_norm(t[c], units);
            for (size_t i = 0; i < units; i++)
                dot += t[b][i] * t[c][i];
            sum += b != c && norms != 0 ? dot / norms : 0;
            pairs += b != c && norms != 0;
        }
    return pairs > 0 ? sum / pairs : (double)NAN;
}

static void test_columns_are_those_of_a_naive_network(void) {
    for (size_t i = 0; i < NETWORKS; i++) {
        gs_layer_stats rows[MOST_LAYERS + 1];
        gs_summary summary;
        naive_network *n = measure_both(networks[i], "none", rows, &summary);
        for (size_t l = 1; l <= depth(n); l++)
            check_row(n, l, &rows[l - 1]);
        check_ratios(n, &summary);
        CHECK_CLOSE(summary.decades_per_layer, summary.ratio_log10 / (double)n->layers, 0x1p-52);
        check_near(summary.corr_output, mean_cosine(n, n->dx[n->layers], n->units[n->layers]));
        check_near(summary.corr_input, mean_cosine(n, n->dx[0], n->units[0]));
        free(n);
    }
}

/* ---- Formats, verdicts and names ---- */

/* A linear chain W = c I of 40 layers, whose dL/da is c^(40 - l) everywhere at layer l. */
static gs_summary chain(const char *c) {
    options o = {{"act", "linear"}, {"layers", "40"}, {"width", "4"},
                 {"batch", "1"},    {"loss", "sum"},  {"input", "constant:1"}};
    char init[32];
    gs_layer_stats rows[40];
    gs_summary summary;
    gs_config *config = gs_config_new(&error);
    snprintf(init, sizeof init, "identity:%s", c);
    for (size_t i = 0; o[i][0]; i++)
        CHECK(gs_config_set(config, o[i][0], o[i][1], &error) == GS_OK);
    CHECK(gs_config_set(config, "init", init, &error) == GS_OK);
    gs_network *network = gs_network_new(config, &error);
    CHECK(gs_network_draw_batch(network, &error) == GS_OK);
    CHECK(gs_measure(network, rows, &summary, &error) == GS_OK);
    gs_network_free(network);
    gs_config_free(config);
    return summary;
}

/* dL/da_l = 2^(-5 (40 - l)): at or below 2^-25 from layer 35 on, 2^-134 from 13, 2^-150 from 10. */
static void test_layer_where_a_format_underflows_is_named(void) {
    gs_summary s = chain("0.03125");
    CHECK(s.f16.underflow == 35 && s.bf16.underflow == 13 && s.f32.underflow == 10);
    CHECK(s.f16.overflow == 0 && s.bf16.overflow == 0 && s.f32.overflow == 0);
    s = chain("1");
    CHECK(s.f16.underflow == 0 && s.f32.underflow == 0 && s.f16.overflow == 0);
}

/* dL/da_l = 2^(5 (40 - l)): above 2^16 from layer 36 on, above 2^128 from 14. */
static void test_layer_where_a_format_overflows_is_named(void) {
    gs_summary s = chain("32");
    CHECK(s.f16.overflow == 36 && s.bf16.overflow == 14 && s.f32.overflow == 14);
    CHECK(s.f16.underflow == 0 && s.bf16.underflow == 0 && s.f32.underflow == 0);
}

/* The verdict falls where the ratio crosses its threshold of three decades: c^40 = 10^+-3. */
static void test_verdict_follows_the_threshold(void) {
    CHECK(chain("1").verdict == GS_HEALTHY && chain("1").ratio_log10 == 0);
    CHECK(chain("0.8").verdict == GS_VANISHING && chain("0.85").verdict == GS_HEALTHY);
    CHECK(chain("1.25").verdict == GS_EXPLODING && chain("1.18").verdict == GS_HEALTHY);
    CHECK(chain("1").threshold_log10 == 3);
    CHECK_STRING(gs_verdict_name(GS_HEALTHY), "healthy");
    CHECK_STRING(gs_verdict_name(GS_VANISHING), "vanishing");
    CHECK_STRING(gs_verdict_name(GS_EXPLODING), "exploding");
    CHECK_STRING(gs_verdict_name(GS_NONFINITE), "nonfinite");
}

static void test_every_column_has_its_own_name(void) {
    for (gs_column a = 0; a < GS_COLUMN_COUNT; a++)
        for (gs_column b = 0; b < a; b++)
            CHECK(strcmp(gs_column_name(a), gs_column_name(b)) != 0);
    CHECK_STRING(gs_column_name(GS_Z_MEAN), "z_mean");
    CHECK_STRING(gs_column_name(GS_THEORY_GRAD_LOG10), "theory_grad_log10");
}

TEST_MAIN(TEST(test_columns_are_those_of_a_naive_network),
          TEST(test_layer_where_a_format_underflows_is_named),
          TEST(test_layer_where_a_format_overflows_is_named),
          TEST(test_verdict_follows_the_threshold), TEST(test_every_column_has_its_own_name))
