/*
 * Steps of optimizers whose result is known beforehand, and what they do where no number or memory
 * is enough.
 */
#include "optimizers.h"

/* ---- Known answers: one W, zero at first, whose gradient the test sets ---- */

typedef struct {
    gs_network *network;
    gs_optimizer optimizer;
    gs_dense *dense;
} bare;

static bare bare_of(const char *opt, const char *dtype, size_t inputs) {
    char options[128];
    snprintf(options, sizeof options, "layers=1 act=linear loss=sum outputs=1 inputs=%zu dtype=%s",
             inputs, dtype);
    bare b = {.network = network_of(options)};
    double zeros[16] = {0};
    b.optimizer = optimizer_of(b.network, opt);
    b.dense = &b.network->stages[0].dense;
    pass(b.network);
    gs_matrix_write(&b.network->engine, zeros, &b.dense->weight);
    b.dense->bias.grad[0] = 0;
    return b;
}

static void set_grad(bare *b, const double *grad) {
    gs_matrix_write(&b->network->engine, grad, &b->dense->grad);
}

static double weight_of(const bare *b, size_t index) {
    return b->network->engine.kernels->get(
        gs_matrix_element(b->network->engine.kernels, &b->dense->weight, 0, index));
}

static void bare_free(bare *b) {
    gs_optimizer_free(&b->optimizer);
    gs_network_free(b->network);
}

/* Row 61. The last is a difference of numbers a thousand times the rounding of W. */
static void test_adam_takes_the_known_first_steps(void) {
    static const double grads[] = {1, -1, 1};
    static const double steps[] = {-1e-3, 5.2631579e-5, -3.3579335e-4};
    bare b = bare_of("adam", "f64", 1);
    gs_step_settings s = settings_of(1e-3, "none");
    for (size_t t = 0; t < 3; t++) {
        double before = weight_of(&b, 0);
        set_grad(&b, &grads[t]);
        step(&b.optimizer, &s);
        CHECK_CLOSE(weight_of(&b, 0) - before, steps[t], t == 0 ? 2e-8 : 1e-7);
    }
    CHECK(b.optimizer.steps == 3);
    bare_free(&b);
}

/* Row 61: the first step is lr g / (|g| + eps). */
static void test_the_first_step_of_adam_has_the_size_of_the_rate(void) {
    static const double grads[] = {3e-9, -1e-4, 7, -2e5};
    for (size_t i = 0; i < 4; i++) {
        bare b = bare_of("adam", "f64", 1);
        gs_step_settings s = settings_of(1e-3, "none");
        set_grad(&b, &grads[i]);
        step(&b.optimizer, &s);
        CHECK_CLOSE(weight_of(&b, 0), -1e-3 * grads[i] / (fabs(grads[i]) + 1e-8), 1e-14);
        bare_free(&b);
    }
}

/* Row 62. */
static void test_the_first_step_of_rmsprop_is_greater_than_the_rate(void) {
    static const double rhos[] = {0.9, 0.99};
    static const double steps[] = {3.16227766016838, 10};
    for (size_t i = 0; i < 2; i++) {
        bare b = bare_of("rmsprop", "f64", 1);
        gs_step_settings s = settings_of(0.01, "none");
        s.rho = rhos[i], s.eps = 0;
        set_grad(&b, (double[]){-5});
        step(&b.optimizer, &s);
        CHECK_CLOSE(weight_of(&b, 0) / 0.01, steps[i], 1e-14);
        bare_free(&b);
    }
}

/* Row 63. */
static void test_a_heavy_ball_rolls_past_the_minimum(void) {
    static const double path[] = {0.9, 0.72, 0.486, 0.2268, -0.02916};
    bare b = bare_of("momentum:0.9", "f64", 1);
    gs_step_settings s = settings_of(0.1, "none");
    gs_matrix_write(&b.network->engine, (double[]){1}, &b.dense->weight);
    for (size_t t = 0; t < 5; t++) {
        set_grad(&b, (double[]){weight_of(&b, 0)});
        step(&b.optimizer, &s);
        CHECK(fabs(weight_of(&b, 0) - path[t]) <= 1e-15);
    }
    bare_free(&b);
}

/* Row 65. */
static void test_clipping_by_norm_keeps_the_direction(void) {
    bare b = bare_of("sgd", "f64", 2);
    gs_step_settings s = settings_of(1, "norm:1");
    set_grad(&b, (double[]){3, 4});
    step(&b.optimizer, &s);
    CHECK_CLOSE(weight_of(&b, 0), -0.6, 1e-15);
    CHECK_CLOSE(weight_of(&b, 1), -0.8, 1e-15);
    bare_free(&b);
}

/* Row 33: dL/dW of a W before a norm is orthogonal to it, without eps. */
static void test_a_step_before_a_norm_adds_in_squares(void) {
    gs_network *network = network_of("layers=3 width=24 batch=32 act=tanh norm=batch norm-eps=0");
    gs_optimizer optimizer = optimizer_of(network, "sgd");
    gs_step_settings s = settings_of(0.3, "none");
    gs_layer_step layers[3];
    gs_step_stats stats = {.layers = layers};
    pass(network);
    CHECK(gs_optimizer_try(&optimizer, &s, &stats, &error) == GS_OK);
    step(&optimizer, &s);
    for (size_t i = 0; i < network->stage_count; i++) {
        const gs_stage *stage = &network->stages[i];
        if (stage->kind != GS_STAGE_DENSE)
            continue;
        gs_layer_step *layer = &layers[stage->layer - 1];
        double after =
            gs_magnitude_value(gs_matrix_magnitude(&network->engine, &stage->dense.weight));
        double grad = gs_magnitude_value(layer->before), before = gs_magnitude_value(layer->weight);
        CHECK(0.3 * grad > 1e-3 * before);
        CHECK_CLOSE(after * after, before * before + 0.09 * grad * grad, 1e-12);
        CHECK_CLOSE(gs_magnitude_value(layer->step), 0.3 * grad, 1e-12);
    }
    gs_optimizer_free(&optimizer);
    gs_network_free(network);
}

/* The product of two scalar weights after time 1, 2 and 3 of gradient flow on (s - ab)^2 / 2, in
   steps of 1 / `per_second`. Inputs 1 and -1 with targets s and -s have no use for a bias, and the
   mse is twice that loss. */
static void flow_of(size_t per_second, double u[3]) {
    gs_network *network = network_of("layers=2 width=1 batch=2 act=linear threads=1");
    gs_optimizer optimizer = optimizer_of(network, "sgd");
    gs_step_settings s = settings_of(0.5 / (double)per_second, "none");
    double a = 0, b = 0;
    write_tensor(network, "input", (double[]){1, -1}, 2);
    write_tensor(network, "target", (double[]){1, -1}, 2);
    write_layer(network, 1, "weight", (double[]){0.1}, 1);
    write_layer(network, 2, "weight", (double[]){0.1}, 1);
    for (size_t t = 1; t <= 3 * per_second; t++) {
        pass(network);
        step(&optimizer, &s);
        if (t % per_second == 0) {
            read_layer(network, 1, "weight", &a, 1);
            read_layer(network, 2, "weight", &b, 1);
            u[t / per_second - 1] = a * b;
        }
    }
    read_layer(network, 1, "bias", &b, 1);
    CHECK(b == 0);
    gs_optimizer_free(&optimizer);
    gs_network_free(network);
}

/* Row 59. Euler's error is linear in the step, so that two step sizes give the limit up to a
   square, (1/200)^2 with a factor of about e^2t / 10. */
static void test_small_steps_follow_the_gradient_flow_of_two_weights(void) {
    static const double expected[] = {0.06945316, 0.35546099, 0.80295715};
    double coarse[3], fine[3];
    flow_of(200, coarse);
    flow_of(400, fine);
    for (size_t i = 0; i < 3; i++) {
        CHECK_CLOSE(2 * fine[i] - coarse[i], expected[i], 1e-3);
        CHECK(fabs(fine[i] - expected[i]) > 10 * fabs(2 * fine[i] - coarse[i] - expected[i]));
    }
}

/* 0.9 times the smallest numbers rounds to the same, so that a moment would stay there for ever. */
static void test_a_moment_without_gradients_ends_at_zero(void) {
    static const char *const opts[] = {"momentum", "nesterov", "adam"};
    for (size_t i = 0; i < 3; i++) {
        bare b = bare_of(opts[i], "f32", 1);
        gs_step_settings s = settings_of(0.01, "none");
        double moment = 0;
        set_grad(&b, (double[]){1});
        step(&b.optimizer, &s);
        set_grad(&b, (double[]){0});
        for (size_t t = 0; t < 1200; t++) {
            step(&b.optimizer, &s);
            gs_optimizer_read_moment(&b.optimizer, 0, 0, &moment);
            CHECK(moment == 0 || fabs(moment) >= 0x1p-126);
        }
        CHECK(moment == 0);
        bare_free(&b);
    }
}

/* ---- Gradients that no number holds ---- */

static void check_extreme(const char *dtype, const char *clip, bool normalize, int64_t exponent,
                          const double *expected) {
    bare b = bare_of("sgd", dtype, 2);
    gs_step_settings s = settings_of(1, clip);
    s.grad_normalize = normalize;
    set_grad(&b, (double[]){3, -4});
    b.dense->grad.exponent = exponent;
    step(&b.optimizer, &s);
    for (size_t i = 0; i < 2; i++)
        CHECK_THAT(fabs(weight_of(&b, i) - expected[i]) <= 1e-6 * fabs(expected[i]),
                   "%s, %s, 2^%d: %.17g, expected %g", dtype, clip, (int)exponent, weight_of(&b, i),
                   expected[i]);
    bare_free(&b);
}

static void test_gradients_beyond_any_number_are_clipped_all_the_same(void) {
    static const char *const dtypes[] = {"f64", "f32"};
    for (size_t i = 0; i < 2; i++) {
        check_extreme(dtypes[i], "norm:1", false, 9000, (double[]){-0.6, 0.8});
        check_extreme(dtypes[i], "layer:10", false, 9000, (double[]){-6, 8});
        check_extreme(dtypes[i], "value:0.5", false, 9000, (double[]){-0.5, 0.5});
        check_extreme(dtypes[i], "agc:1000", false, 9000, (double[]){-0.6, 0.8});
        check_extreme(dtypes[i], "none", true, 9000, (double[]){-0.6, 0.8});
        check_extreme(dtypes[i], "none", true, -9000, (double[]){-0.6, 0.8});
        check_extreme(dtypes[i], "none", false, -9000, (double[]){0, 0});
        check_extreme(dtypes[i], "norm:1", false, -9000, (double[]){0, 0});
        check_extreme(dtypes[i], "none", false, 110, (double[]){-3 * 0x1p110, 4 * 0x1p110});
    }
}

static void test_a_zero_gradient_moves_nothing(void) {
    static const char *const clips[] = {"none", "value:1", "norm:1", "layer:1", "agc:1"};
    for (size_t i = 0; i < 5; i++) {
        bare b = bare_of("sgd", "f64", 2);
        gs_step_settings s = settings_of(1, clips[i]);
        gs_step_stats stats = {0};
        s.grad_normalize = true;
        set_grad(&b, (double[]){0, 0});
        CHECK(gs_optimizer_step(&b.optimizer, &s, &stats, &error) == GS_OK);
        CHECK(weight_of(&b, 0) == 0 && weight_of(&b, 1) == 0);
        CHECK(!stats.is_clipped && gs_magnitude_value(stats.before) == 0);
        bare_free(&b);
    }
}

static void test_a_step_that_is_not_finite_is_told_of_its_layer_alone(void) {
    gs_network *network = network_of("layers=4 width=9 batch=3 act=tanh");
    gs_optimizer optimizer = optimizer_of(network, "sgd");
    gs_step_settings s = settings_of(1, "none");
    gs_layer_step layers[4];
    gs_step_stats stats = {.layers = layers};
    pass(network);
    network->stages[4].dense.grad.exponent = 3000; /* of layer 3 */
    CHECK(gs_optimizer_try(&optimizer, &s, &stats, &error) == GS_OK);
    for (size_t i = 0; i < 4; i++)
        CHECK(!isfinite(layers[i].step.sum_squares) == (i == 2));
    gs_optimizer_free(&optimizer);
    gs_network_free(network);
}

/* ---- Errors ---- */

static void check_refused(const char *options, const char *message) {
    gs_network *network = network_of(options);
    gs_optimizer optimizer;
    CHECK(gs_optimizer_new(network, (gs_choice){0, 0}, &optimizer, &error) == GS_ERR_USAGE);
    CHECK_THAT(strstr(error.message, message) != NULL, "%s", error.message);
    gs_optimizer_free(&optimizer);
    gs_network_free(network);
}

static void test_weights_that_cannot_be_trained_are_refused(void) {
    check_refused("layers=3 width=9 weights=streamed", "--weights: expected stored");
    check_refused("layers=3 width=9 dtype=f32 gain=1e-70", "layer 1: expected weights from");
}

static void test_weights_lose_their_exponent_and_keep_their_values(void) {
    gs_network *network = network_of("layers=2 width=9 gain=1e-40");
    double before[81], after[81];
    read_layer(network, 2, "weight", before, 81);
    CHECK(network->stages[2].dense.weight.exponent != 0);
    gs_optimizer optimizer = optimizer_of(network, "sgd");
    read_layer(network, 2, "weight", after, 81);
    CHECK(network->stages[2].dense.weight.exponent == 0);
    CHECK(memcmp(before, after, sizeof before) == 0);
    gs_optimizer_free(&optimizer);
    gs_network_free(network);
}

static void test_a_step_needs_gradients(void) {
    gs_network *network = network_of("layers=2 width=9");
    gs_optimizer optimizer = optimizer_of(network, "sgd");
    gs_step_settings s = settings_of(1, "none");
    CHECK(gs_optimizer_step(&optimizer, &s, NULL, &error) == GS_ERR_USAGE);
    CHECK_STRING(error.message, "a step: expected a backward pass before it");
    gs_optimizer_free(&optimizer);
    gs_network_free(network);
}

static void test_every_allocation_may_fail(void) {
    gs_network *network =
        network_of("layers=2 width=9 norm=layer residual=add branch-scale=rezero");
    gs_choice adam = choice_of(&gs_optimizer_family, "adam");
    size_t failures = 0;
    for (size_t nth = 1;; nth++) {
        gs_optimizer optimizer;
        test_fail_allocation(nth);
        gs_status status = gs_optimizer_new(network, adam, &optimizer, &error);
        bool failed = test_allocation_failed();
        test_fail_allocation(0);
        gs_optimizer_free(&optimizer);
        CHECK(status == (failed ? GS_ERR_MEMORY : GS_OK));
        if (!failed)
            break;
        failures++;
    }
    CHECK_THAT(failures > 20, "%zu allocations", failures);
    gs_network_free(network);
}

/* ---- Saved and continued ---- */

static void test_a_state_that_was_saved_continues_the_same(void) {
    static const char shape[] = "layers=2 width=9 batch=5 norm=layer residual=add "
                                "branch-scale=rezero dtype=f32";
    gs_network *network = network_of(shape);
    gs_optimizer whole = optimizer_of(network, "adam"), rest = optimizer_of(network, "adam");
    gs_step_settings s = settings_of(0.01, "none");
    double values[81], one[81], other[81];
    for (size_t t = 0; t < 3; t++) {
        pass(network);
        step(&whole, &s);
    }
    for (size_t i = 0; i < whole.parameters.count; i++)
        for (size_t m = 0; m < GS_MOMENTS; m++) {
            gs_optimizer_read_moment(&whole, i, m, values);
            gs_optimizer_write_moment(&rest, i, m, values);
        }
    rest.steps = whole.steps;
    double before[81], alpha, alphas[2];
    pass(network);
    read_layer(network, 2, "weight", before, 81);
    read_layer(network, 2, "branch_scale", &alpha, 1);
    step(&whole, &s);
    read_layer(network, 2, "weight", one, 81);
    read_layer(network, 2, "branch_scale", &alphas[0], 1);
    write_layer(network, 2, "weight", before, 81);
    write_layer(network, 2, "branch_scale", &alpha, 1);
    step(&rest, &s);
    read_layer(network, 2, "weight", other, 81);
    read_layer(network, 2, "branch_scale", &alphas[1], 1);
    CHECK(memcmp(one, other, sizeof one) == 0 && memcmp(one, before, sizeof one) != 0);
    CHECK(alphas[0] == alphas[1] && alphas[0] != alpha);
    gs_optimizer_free(&whole), gs_optimizer_free(&rest);
    gs_network_free(network);
}

TEST_MAIN(TEST(test_adam_takes_the_known_first_steps),
          TEST(test_the_first_step_of_adam_has_the_size_of_the_rate),
          TEST(test_the_first_step_of_rmsprop_is_greater_than_the_rate),
          TEST(test_a_heavy_ball_rolls_past_the_minimum),
          TEST(test_clipping_by_norm_keeps_the_direction),
          TEST(test_a_step_before_a_norm_adds_in_squares),
          TEST(test_small_steps_follow_the_gradient_flow_of_two_weights),
          TEST(test_a_moment_without_gradients_ends_at_zero),
          TEST(test_gradients_beyond_any_number_are_clipped_all_the_same),
          TEST(test_a_zero_gradient_moves_nothing),
          TEST(test_a_step_that_is_not_finite_is_told_of_its_layer_alone),
          TEST(test_weights_that_cannot_be_trained_are_refused),
          TEST(test_weights_lose_their_exponent_and_keep_their_values),
          TEST(test_a_step_needs_gradients), TEST(test_every_allocation_may_fail),
          TEST(test_a_state_that_was_saved_continues_the_same))
