/*
 * The columns of the log by name, and the values of a row.
 */
#include "flow/measure.h"

static const char *const column_names[GS_COLUMN_COUNT] = {
    [GS_Z_MEAN] = "z_mean",
    [GS_Z_STD] = "z_std",
    [GS_A_MEAN] = "a_mean",
    [GS_A_STD] = "a_std",
    [GS_SATURATED] = "saturated",
    [GS_ZERO] = "zero",
    [GS_DEAD] = "dead",
    [GS_W_NORM] = "w_norm",
    [GS_W_SIGMA_MAX] = "w_sigma_max",
    [GS_GRAD_W] = "grad_w",
    [GS_GRAD_W_LOG10] = "grad_w_log10",
    [GS_GRAD_B_LOG10] = "grad_b_log10",
    [GS_GRAD_Z_LOG10] = "grad_z_log10",
    [GS_WEIGHT_GAIN] = "weight_gain",
    [GS_ACT_GAIN] = "act_gain",
    [GS_GAIN] = "gain",
    [GS_GRAD_RATIO] = "grad_ratio",
    [GS_UPDATE_RATIO] = "update_ratio",
    [GS_CLIP_SCALE] = "clip_scale",
    [GS_GRAD_CLIPPED_LOG10] = "grad_clipped_log10",
    [GS_GRAD_SNR] = "grad_snr",
    [GS_GRAD_CORR] = "grad_corr",
    [GS_F32_ZERO] = "f32_zero",
    [GS_F16_ZERO] = "f16_zero",
    [GS_BF16_ZERO] = "bf16_zero",
    [GS_THEORY_GRAD_LOG10] = "theory_grad_log10",
    [GS_MOVED] = "moved",
};

const char *gs_column_name(gs_column column) {
    return column_names[column];
}

bool gs_layer_stats_get(const gs_layer_stats *stats, gs_column column, double *value) {
    if (!(stats->present >> column & 1))
        return false;
    *value = stats->value[column];
    return true;
}

void gs_stats_set(gs_layer_stats *stats, gs_column column, double value) {
    stats->present |= (uint64_t)1 << column;
    stats->value[column] = value;
}
