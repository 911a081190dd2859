/*
 * The diagnosis of runs whose losses, verdicts and layers are made up, so that it is known.
 */
#include "test.h"

#include "flow/measure.h"
#include "net/config.h"
#include "train/diagnosis.h"

enum { ROWS = 5 };

static size_t same_width = 10;
static const struct gs_config alike = {
    .layers = ROWS - 1, .width = {&same_width, 1}, .inputs = 3, .outputs = 2, .head = true};

/* ---- Runs ---- */

typedef struct {
    uint64_t first, last; /* steps */
    double (*loss)(uint64_t step);
    bool (*is_vanishing)(uint64_t step);
    uint64_t every; /* step is measured; and the last, 0: nothing is */
} made_run;

static gs_findings findings_of(made_run run) {
    gs_diagnosis diagnosis = {0};
    for (uint64_t step = run.first; step <= run.last; step++) {
        gs_diagnosis_step(&diagnosis, step, run.loss(step));
        if (run.every > 0 && (step % run.every == 0 || step == run.last)) {
            const gs_summary summary = {.verdict =
                                            run.is_vanishing(step) ? GS_VANISHING : GS_HEALTHY};
            const gs_training_stats stats = {.accuracy = (double)step};
            gs_diagnosis_measured(&diagnosis, &alike, step, NULL, 0, &summary, &stats);
        }
    }
    CHECK(diagnosis.part_count <= GS_LOSS_PARTS);
    return gs_diagnosis_find(&diagnosis);
}

static void check_plateau(gs_findings found, uint64_t first, uint64_t last, double loss) {
    CHECK_THAT(found.has_plateau && found.plateau_first == first && found.plateau_last == last,
               "plateau %d: %d to %d", found.has_plateau, (int)found.plateau_first,
               (int)found.plateau_last);
    CHECK_CLOSE(found.plateau_loss, loss, 1e-12);
}

static bool always(uint64_t step) {
    (void)step;
    return true;
}

static bool never(uint64_t step) {
    (void)step;
    return false;
}

static bool to_511(uint64_t step) {
    return step <= 511;
}

static bool to_64(uint64_t step) {
    return step <= 64;
}

static double flat(uint64_t step) {
    (void)step;
    return 2.3;
}

/* Falls by a tenth a step: never within 2 % of a mean. */
static double steep(uint64_t step) {
    return pow(0.9, (double)step);
}

static double flat_to_39(uint64_t step) {
    return step <= 39 ? 2 : 2 * pow(0.9, (double)(step - 39));
}

static double flat_from_60(uint64_t step) {
    return step < 60 ? 2 + (double)(60 - step) : 2;
}

/* ---- Plateaus ---- */

static void test_a_flat_loss_is_a_plateau_while_the_gradient_vanishes(void) {
    check_plateau(findings_of((made_run){0, 40, flat, always, 1}), 0, 40, 2.3);
    CHECK(!findings_of((made_run){0, 40, flat, never, 1}).has_plateau);
    CHECK(!findings_of((made_run){0, 40, steep, always, 1}).has_plateau);
}

static void test_what_is_not_measured_is_no_plateau(void) {
    CHECK(!findings_of((made_run){0, 40, flat, always, 0}).has_plateau);
}

static void test_a_plateau_ends_where_the_loss_falls(void) {
    check_plateau(findings_of((made_run){0, 60, flat_to_39, always, 1}), 0, 39, 2);
}

static void test_a_plateau_begins_where_the_loss_is_flat(void) {
    check_plateau(findings_of((made_run){0, 40 + 60, flat_from_60, always, 1}), 60, 100, 2);
}

/* 1024 steps: parts of 16. */
static void test_a_plateau_ends_where_the_gradient_comes_back(void) {
    check_plateau(findings_of((made_run){0, 1023, flat, to_511, 1}), 0, 511, 2.3);
}

/* That of step 40 holds for 41 to 79. */
static void test_a_verdict_holds_until_the_next(void) {
    CHECK(findings_of((made_run){0, 63, flat, to_64, 40}).plateau_last == 63);
    check_plateau(findings_of((made_run){0, 127, flat, to_64, 40}), 0, 79, 2.3);
}

static void test_before_the_first_verdict_there_is_none(void) {
    check_plateau(findings_of((made_run){30, 60, flat, always, 40}), 40, 60, 2.3);
}

/* A part is two steps, and in one of them the gradient is there. */
static bool odd(uint64_t step) {
    return step % 2 == 1;
}

static void test_it_vanishes_in_every_step_of_a_part(void) {
    CHECK(!findings_of((made_run){0, 127, flat, odd, 1}).has_plateau);
}

/* 2.02 and 1.98 about 2, and a little more. */
static double within(uint64_t step) {
    return step % 2 ? 2.0399 : 1.9601;
}

static double without(uint64_t step) {
    return step % 2 ? 2.0401 : 1.9599;
}

static double negative(uint64_t step) {
    return -within(step);
}

static void test_flat_is_within_2_percent_of_the_mean(void) {
    check_plateau(findings_of((made_run){0, 59, within, always, 1}), 0, 59, 2);
    check_plateau(findings_of((made_run){0, 59, negative, always, 1}), 0, 59, -2);
    CHECK(!findings_of((made_run){0, 59, without, always, 1}).has_plateau);
}

/* The parts' means are what counts: pairs of steps have one. */
static void test_noise_within_a_part_does_not_matter(void) {
    check_plateau(findings_of((made_run){0, 127, without, always, 1}), 0, 127, 2);
}

static double flat_for_10(uint64_t step) {
    return step < 10 ? 2 : steep(step);
}

static double flat_for_4(uint64_t step) {
    return step < 4 ? 2 : steep(step);
}

static double flat_for_5(uint64_t step) {
    return step < 5 ? 2 : steep(step);
}

static void test_a_plateau_is_a_fifth_of_the_run(void) {
    check_plateau(findings_of((made_run){0, 49, flat_for_10, always, 1}), 0, 9, 2);
    CHECK(!findings_of((made_run){0, 50, flat_for_10, always, 1}).has_plateau);
}

static void test_a_plateau_has_5_steps(void) {
    CHECK(!findings_of((made_run){0, 9, flat_for_4, always, 1}).has_plateau);
    check_plateau(findings_of((made_run){0, 9, flat_for_5, always, 1}), 0, 4, 2);
    CHECK(!findings_of((made_run){0, 3, flat, always, 1}).has_plateau);
    check_plateau(findings_of((made_run){0, 4, flat, always, 1}), 0, 4, 2.3);
}

/* 20 and 21 steps. */
static double two_plateaus(uint64_t step) {
    return step < 20 ? 3 : step >= 30 && step <= 50 ? 1 : 10 + (double)step;
}

static void test_the_longest_plateau_is_told(void) {
    check_plateau(findings_of((made_run){0, 62, two_plateaus, always, 1}), 30, 50, 1);
}

static void test_one_step_is_a_run(void) {
    gs_findings found = findings_of((made_run){7, 7, flat, always, 1});
    CHECK(!found.has_plateau && found.first_step == 7 && found.last_step == 7);
    CHECK(found.first_loss == 2.3 && found.last_loss == 2.3);
}

/* ---- Many steps ---- */

static double flat_from_2000_to_5999(uint64_t step) {
    return step < 2000 ? 10 - (double)step / 250 : step < 6000 ? 2 : 6001. / (double)step;
}

/* 10001 steps: parts of 256, but the last, so an end may be off by that. */
static void test_parts_merge_and_steps_are_told_to_a_part(void) {
    gs_findings found = findings_of((made_run){0, 10000, flat_from_2000_to_5999, always, 1});
    CHECK(found.has_plateau);
    CHECK(found.plateau_first % 256 == 0 && llabs((long long)found.plateau_first - 2000) <= 256);
    CHECK((found.plateau_last + 1) % 256 == 0);
    CHECK(llabs((long long)found.plateau_last - 5999) <= 256);
    CHECK_CLOSE(found.plateau_loss, 2, 0.01);
}

static void test_no_step_is_lost_when_parts_merge(void) {
    for (uint64_t last = 60; last < 1500; last += last < 140 ? 1 : 37) {
        gs_diagnosis diagnosis = {0};
        uint64_t count = 0;
        double sum = 0;
        for (uint64_t step = 0; step <= last; step++)
            gs_diagnosis_step(&diagnosis, step, (double)step);
        for (size_t i = 0; i < diagnosis.part_count; i++) {
            const gs_loss_part *part = &diagnosis.parts[i];
            CHECK(i + 1 == diagnosis.part_count || part->count == diagnosis.part_steps);
            CHECK(part->sum ==
                  (double)part->count * ((double)count + (double)(part->count - 1) / 2));
            sum += part->sum;
            count += part->count;
        }
        CHECK(count == last + 1 && sum == (double)(last * (last + 1) / 2));
        CHECK(diagnosis.part_count > GS_LOSS_PARTS / 2);
    }
}

/* 16 steps a part, and the last of 1025 alone in one: 3 % off. */
static double last_is_off(uint64_t step) {
    return step == 1024 ? 2.06 : 2;
}

static void test_a_part_that_is_not_full_goes_with_the_one_before(void) {
    check_plateau(findings_of((made_run){0, 1024, last_is_off, always, 1}), 0, 1024,
                  2 + 0.06 / 1025);
}

/* ---- Runs that go on from a saved one ---- */

static double flat_to_1039(uint64_t step) {
    return flat_to_39(step - 1000);
}

static void test_a_run_may_go_on_from_any_step(void) {
    gs_findings found = findings_of((made_run){1000, 1060, flat_to_1039, always, 1});
    check_plateau(found, 1000, 1039, 2);
    CHECK(found.first_step == 1000 && found.last_step == 1060);
    CHECK(found.first_loss == 2 && found.last_loss == flat_to_1039(1060));
    CHECK(found.first.accuracy == 1000 && found.last.accuracy == 1060);
}

static void test_a_run_may_go_on_from_a_step_that_is_not_measured(void) {
    gs_findings found = findings_of((made_run){1001, 1060, flat_to_1039, always, 10});
    check_plateau(found, 1010, 1039, 2);
    CHECK(found.first.accuracy == 1010 && found.last.accuracy == 1060);
}

/* ---- Numbers that are not finite ---- */

static double nan_at_100(uint64_t step) {
    return step < 100 ? 2 : (double)NAN;
}

static double inf_at_100(uint64_t step) {
    return step == 100 ? (double)INFINITY : 2;
}

static void test_a_loss_that_is_not_finite_ends_a_plateau(void) {
    gs_findings found = findings_of((made_run){0, 100, nan_at_100, always, 1});
    check_plateau(found, 0, 99, 2);
    CHECK(isnan(found.last_loss) && found.last_step == 100);
    check_plateau(findings_of((made_run){0, 300, inf_at_100, always, 1}), 0, 99, 2);
    CHECK(!findings_of((made_run){100, 300, nan_at_100, always, 1}).has_plateau);
}

static double huge(uint64_t step) {
    return step % 2 ? 1e308 : 1.7e308;
}

static void test_losses_whose_sum_overflows_are_no_plateau(void) {
    CHECK(!findings_of((made_run){0, 200, huge, always, 1}).has_plateau);
}

static void see(gs_diagnosis *diagnosis, uint64_t step, gs_verdict verdict, size_t layer) {
    const gs_summary summary = {.verdict = verdict, .nonfinite_layer = layer};
    const gs_training_stats stats = {0};
    gs_diagnosis_step(diagnosis, step, verdict == GS_NONFINITE ? (double)NAN : 1);
    gs_diagnosis_measured(diagnosis, &alike, step, NULL, 0, &summary, &stats);
}

static void test_the_first_step_that_is_not_finite_is_told(void) {
    gs_diagnosis diagnosis = {0};
    see(&diagnosis, 5, GS_HEALTHY, 0);
    CHECK(gs_diagnosis_find(&diagnosis).is_finite);
    see(&diagnosis, 57, GS_NONFINITE, 12);
    see(&diagnosis, 58, GS_NONFINITE, 1);
    gs_findings found = gs_diagnosis_find(&diagnosis);
    CHECK(!found.is_finite && found.nonfinite_step == 57 && found.nonfinite_layer == 12);
}

/* ---- Layers ---- */

/* A step at which these rows are seen: nan is no value. */
static void see_rows_of(gs_diagnosis *diagnosis, const gs_config *config, gs_column column,
                        const double values[ROWS]) {
    gs_layer_stats rows[ROWS];
    const gs_summary summary = {.verdict = GS_HEALTHY};
    const gs_training_stats stats = {0};
    memset(rows, 0, sizeof rows);
    for (size_t i = 0; i < ROWS; i++) {
        rows[i].layer = i + 1;
        rows[i].kind = i + 1 == ROWS ? GS_KIND_HEAD : GS_KIND_DENSE;
        if (!isnan(values[i]))
            gs_stats_set(&rows[i], column, values[i]);
    }
    gs_diagnosis_step(diagnosis, diagnosis->found.last_step + 1, 1);
    gs_diagnosis_measured(diagnosis, config, diagnosis->found.last_step, rows, ROWS, &summary,
                          &stats);
}

static void see_rows(gs_diagnosis *diagnosis, gs_column column, const double values[ROWS]) {
    see_rows_of(diagnosis, &alike, column, values);
}

static gs_findings after_rows(gs_column column, const double values[ROWS]) {
    gs_diagnosis diagnosis = {0};
    see_rows(&diagnosis, column, values);
    return gs_diagnosis_find(&diagnosis);
}

static void test_depth_counts_layers_that_move_by_over_a_tenth_of_the_most(void) {
    gs_findings found = after_rows(GS_MOVED, (double[]){2e-8, 0.0311, 0.03, 0.31, 0.2});
    CHECK(found.moving_layers == 3 && found.layers == 5);
    CHECK(found.least_layer == 1 && found.least_moved == 2e-8);
    CHECK(found.most_layer == 4 && found.most_moved == 0.31);
}

static void test_depth_is_0_where_nothing_moved(void) {
    gs_findings found = after_rows(GS_MOVED, (double[ROWS]){0});
    CHECK(found.moving_layers == 0 && found.layers == 5 && found.most_moved == 0);
}

static void test_depth_leaves_out_what_has_no_value(void) {
    gs_findings found = after_rows(GS_MOVED, (double[]){NAN, 0.5, INFINITY, 1, NAN});
    CHECK(found.moving_layers == 2 && found.layers == 2);
    CHECK(found.least_layer == 2 && found.most_layer == 4);
    CHECK(after_rows(GS_DEAD, (double[ROWS]){0}).layers == 0);
}

static void test_dead_units_are_told_at_both_ends(void) {
    gs_diagnosis diagnosis = {0};
    see_rows(&diagnosis, GS_DEAD, (double[]){0.04, 0, 0.08, 0, NAN});
    see_rows(&diagnosis, GS_DEAD, (double[]){0.9, 0.9, 0.9, 0.9, NAN});
    see_rows(&diagnosis, GS_DEAD, (double[]){0, 0.25, 0.5, 0.25, NAN});
    gs_findings found = gs_diagnosis_find(&diagnosis);
    CHECK_CLOSE(found.first_dead, 0.03, 1e-15);
    CHECK(found.last_dead == 0.25 && found.dead_layer == 3 && found.dead_share == 0.5);
}

static void test_units_count_alike_whatever_the_width_of_their_layer(void) {
    size_t widths[] = {200, 50, 10, 40};
    struct gs_config config = alike;
    const double dead[] = {0.125, 1, 0, 0.5, NAN};
    gs_diagnosis diagnosis = {0}, act_first = {0};
    config.width = (gs_sizes){widths, 4};
    config.inputs = 100;
    see_rows_of(&diagnosis, &config, GS_DEAD, dead);
    gs_findings found = gs_diagnosis_find(&diagnosis);
    CHECK_CLOSE(found.last_dead, (25 + 50 + 20) / 300.0, 1e-15);
    CHECK(found.dead_layer == 2 && found.dead_share == 1);
    config.order.index = GS_ORDER_ACT_DENSE; /* units of what goes into a layer */
    see_rows_of(&act_first, &config, GS_DEAD, dead);
    CHECK_CLOSE(gs_diagnosis_find(&act_first).last_dead, (12.5 + 200 + 5) / 360.0, 1e-15);
}

static void test_where_no_unit_dies_nothing_is_told(void) {
    CHECK(isnan(after_rows(GS_DEAD, (double[]){0, 0, 0, 0, NAN}).last_dead));
    CHECK(isnan(after_rows(GS_MOVED, (double[ROWS]){0}).last_dead));
    gs_diagnosis diagnosis = {0};
    see_rows(&diagnosis, GS_DEAD, (double[]){0.5, 0, 0, 0, NAN});
    see_rows(&diagnosis, GS_DEAD, (double[]){0, 0, 0, 0, NAN});
    gs_findings found = gs_diagnosis_find(&diagnosis);
    CHECK(found.first_dead == 0.125 && found.last_dead == 0 && found.dead_layer == 0);
}

static void test_layers_that_are_not_finite_leave_what_was_seen(void) {
    gs_diagnosis diagnosis = {0};
    see_rows(&diagnosis, GS_DEAD, (double[]){0.5, 0.5, 0.5, 0.5, NAN});
    see_rows(&diagnosis, GS_MOVED, (double[]){1, 2, 3, 4, 5});
    see_rows(&diagnosis, GS_DEAD, (double[]){INFINITY, INFINITY, INFINITY, INFINITY, INFINITY});
    gs_findings found = gs_diagnosis_find(&diagnosis);
    CHECK(found.last_dead == 0.5 && found.most_moved == 5);
}

TEST_MAIN(
    TEST(test_a_flat_loss_is_a_plateau_while_the_gradient_vanishes),
    TEST(test_what_is_not_measured_is_no_plateau), TEST(test_a_plateau_ends_where_the_loss_falls),
    TEST(test_a_plateau_begins_where_the_loss_is_flat),
    TEST(test_a_plateau_ends_where_the_gradient_comes_back),
    TEST(test_a_verdict_holds_until_the_next), TEST(test_before_the_first_verdict_there_is_none),
    TEST(test_it_vanishes_in_every_step_of_a_part), TEST(test_flat_is_within_2_percent_of_the_mean),
    TEST(test_noise_within_a_part_does_not_matter), TEST(test_a_plateau_is_a_fifth_of_the_run),
    TEST(test_a_plateau_has_5_steps), TEST(test_the_longest_plateau_is_told),
    TEST(test_one_step_is_a_run), TEST(test_parts_merge_and_steps_are_told_to_a_part),
    TEST(test_no_step_is_lost_when_parts_merge),
    TEST(test_a_part_that_is_not_full_goes_with_the_one_before),
    TEST(test_a_run_may_go_on_from_any_step),
    TEST(test_a_run_may_go_on_from_a_step_that_is_not_measured),
    TEST(test_a_loss_that_is_not_finite_ends_a_plateau),
    TEST(test_losses_whose_sum_overflows_are_no_plateau),
    TEST(test_the_first_step_that_is_not_finite_is_told),
    TEST(test_depth_counts_layers_that_move_by_over_a_tenth_of_the_most),
    TEST(test_depth_is_0_where_nothing_moved), TEST(test_depth_leaves_out_what_has_no_value),
    TEST(test_dead_units_are_told_at_both_ends),
    TEST(test_units_count_alike_whatever_the_width_of_their_layer),
    TEST(test_where_no_unit_dies_nothing_is_told),
    TEST(test_layers_that_are_not_finite_leave_what_was_seen))
