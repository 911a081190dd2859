/*
 * The verdict: whether the backward signal survives the way from the output to the input.
 */
#include <math.h>

#include "flow/measure.h"

/* A signal that changes by less than this many decades end to end is healthy: an optimizer with one
   learning rate for all layers still moves the first and the last at comparable speed. */
static const double threshold_decades = 3;

static const char *const names[] = {
    [GS_HEALTHY] = "healthy",
    [GS_VANISHING] = "vanishing",
    [GS_EXPLODING] = "exploding",
    [GS_NONFINITE] = "nonfinite",
};

const char *gs_verdict_name(gs_verdict verdict) {
    return names[verdict];
}

void gs_judge(gs_magnitude first, gs_magnitude last, size_t layers, bool finite,
              gs_summary *summary) {
    double ratio = gs_magnitude_log10(first) - gs_magnitude_log10(last);
    summary->ratio_log10 = ratio;
    summary->decades_per_layer = ratio / (double)layers;
    summary->threshold_log10 = threshold_decades;
    if (!finite)
        summary->verdict = GS_NONFINITE;
    else if (ratio < -threshold_decades)
        summary->verdict = GS_VANISHING;
    else if (ratio > threshold_decades)
        summary->verdict = GS_EXPLODING;
    else
        summary->verdict = GS_HEALTHY;
}
