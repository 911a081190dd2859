/*
 * The networks of one configuration, added up.
 */
#include "report/outcome.h"

#include <math.h>

void gs_outcome_add(gs_outcome *outcome, const gs_summary *summary,
                    const gs_training_stats *training) {
    gs_sample_add(&outcome->ratio, summary->ratio_log10);
    gs_sample_add(&outcome->corr_output, summary->corr_output);
    gs_sample_add(&outcome->corr_input, summary->corr_input);
    gs_sample_add(&outcome->loss, summary->loss);
    if (training) {
        gs_sample_add(&outcome->accuracy, training->accuracy);
        gs_sample_add(&outcome->test_loss, training->test_loss);
        gs_sample_add(&outcome->test_accuracy, training->test_accuracy);
    }
    if (!isfinite(summary->ratio_log10))
        outcome->ratio_left_out = summary->ratio_log10;
    outcome->networks++;
    outcome->shattered += summary->shattered;
    size_t count = ++outcome->verdicts[summary->verdict];
    size_t most = outcome->verdicts[outcome->verdict];
    if (count > most || (count == most && summary->verdict > outcome->verdict))
        outcome->verdict = summary->verdict;
}

double gs_outcome_ratio(const gs_outcome *outcome) {
    return outcome->ratio.count > 0 ? outcome->ratio.mean : outcome->ratio_left_out;
}

bool gs_outcome_is_shattered(const gs_outcome *outcome) {
    return outcome->verdict == GS_HEALTHY && 2 * outcome->shattered > outcome->networks;
}

const char *gs_outcome_name(const gs_outcome *outcome) {
    if (outcome->networks == 0)
        return "failed";
    return gs_outcome_is_shattered(outcome) ? "shattered" : gs_verdict_name(outcome->verdict);
}

/* ---- The summary of a sweep ---- */

enum {
    POINT,
    POINTS,
    SWEEP,
    SEED,
    STEPS,
    NETWORKS,
    FAILED,
    RATIO,
    RATIO_STD,
    DECADES,
    VERDICT,
    HEALTHY,
    VANISHING,
    EXPLODING,
    NONFINITE,
    SHATTERED,
    LOSS,
    LOSS_STD,
    ACCURACY,
    TEST_LOSS,
    TEST_ACCURACY,
    ERROR,
    COLUMNS
};

static const char *const column_names[COLUMNS] = {
    [POINT] = "point",
    [POINTS] = "points",
    [SWEEP] = "sweep",
    [SEED] = "seed",
    [STEPS] = "steps",
    [NETWORKS] = "networks",
    [FAILED] = "failed",
    [RATIO] = "ratio_log10_mean",
    [RATIO_STD] = "ratio_log10_std",
    [DECADES] = "decades_per_layer",
    [VERDICT] = "verdict",
    [HEALTHY] = "healthy",
    [VANISHING] = "vanishing",
    [EXPLODING] = "exploding",
    [NONFINITE] = "nonfinite",
    [SHATTERED] = "shattered",
    [LOSS] = "loss_mean",
    [LOSS_STD] = "loss_std",
    [ACCURACY] = "accuracy_mean",
    [TEST_LOSS] = "test_loss_mean",
    [TEST_ACCURACY] = "test_accuracy_mean",
    [ERROR] = "error",
};

gs_sheet *gs_outcome_sheet_new(FILE *file, gs_report_style style, gs_error *error) {
    return gs_sheet_new(file, style, column_names, COLUMNS, error);
}

static gs_cell known(double value) {
    return isnan(value) ? gs_cell_absent() : gs_cell_real(value);
}

static void fill_measured(gs_cell *cell, const gs_point *point) {
    const gs_outcome *outcome = point->outcome;
    double ratio = gs_outcome_ratio(outcome);
    cell[RATIO] = gs_cell_real(ratio);
    cell[RATIO_STD] = known(gs_sample_std(&outcome->ratio));
    cell[DECADES] = gs_cell_real(ratio / (double)point->config->layers);
    cell[VERDICT] = gs_cell_text(gs_verdict_name(outcome->verdict));
    cell[LOSS] = known(gs_sample_mean(&outcome->loss));
    cell[LOSS_STD] = known(gs_sample_std(&outcome->loss));
    cell[ACCURACY] = known(gs_sample_mean(&outcome->accuracy));
    cell[TEST_LOSS] = known(gs_sample_mean(&outcome->test_loss));
    cell[TEST_ACCURACY] = known(gs_sample_mean(&outcome->test_accuracy));
}

gs_status gs_outcome_sheet_write(gs_sheet *sheet, const gs_point *point, gs_error *error) {
    const gs_outcome *outcome = point->outcome;
    gs_status status = gs_sheet_set_config(sheet, point->config, error);
    if (status != GS_OK)
        return status;
    gs_cell *cell = gs_sheet_cells(sheet);
    for (size_t i = 0; i < COLUMNS; i++)
        cell[i] = gs_cell_absent();
    cell[POINT] = gs_cell_whole(point->point);
    cell[POINTS] = gs_cell_whole(point->points);
    cell[SWEEP] = gs_cell_text(point->sweep);
    cell[SEED] = gs_cell_whole(point->seed);
    cell[STEPS] = gs_cell_whole(point->config->steps);
    cell[NETWORKS] = gs_cell_whole(outcome->networks);
    cell[FAILED] = gs_cell_whole(outcome->failed);
    cell[HEALTHY] = gs_cell_whole(outcome->verdicts[GS_HEALTHY]);
    cell[VANISHING] = gs_cell_whole(outcome->verdicts[GS_VANISHING]);
    cell[EXPLODING] = gs_cell_whole(outcome->verdicts[GS_EXPLODING]);
    cell[NONFINITE] = gs_cell_whole(outcome->verdicts[GS_NONFINITE]);
    cell[SHATTERED] = gs_cell_whole(outcome->shattered);
    if (outcome->networks > 0)
        fill_measured(cell, point);
    if (point->error)
        cell[ERROR] = gs_cell_text(point->error);
    gs_sheet_write(sheet);
    return GS_OK;
}
