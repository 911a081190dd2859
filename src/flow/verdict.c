/*
 * The verdict: whether the backward signal survives the way from the output to the input, which
 * layers are to blame, and whether it still says something there.
 */
#include <math.h>

#include "flow/measure.h"

/* A signal that changes by less than this many decades end to end is healthy: an optimizer with one
   learning rate for all layers still moves the first and the last at comparable speed. */
static const double threshold_decades = 3;

static const double log10_of_e = 0.43429448190325182765;

static const char *const names[] = {
    [GS_HEALTHY] = "healthy",
    [GS_VANISHING] = "vanishing",
    [GS_EXPLODING] = "exploding",
    [GS_NONFINITE] = "nonfinite",
};

const char *gs_verdict_name(gs_verdict verdict) {
    return names[verdict];
}

static const char *const part_names[] = {
    [GS_PART_ACTIVATION] = "activation slope",
    [GS_PART_WEIGHTS] = "weights",
    [GS_PART_NORM] = "norm",
    [GS_PART_BLOCK] = "skip and branch",
};

const char *gs_gain_part_name(gs_gain_part part) {
    return part_names[part];
}

/* ---- End to end ---- */

/* The median over the stretches between points of the change in decades a layer on the way back: a
   few layers unlike the others do not change it. */
static double typical_slope(const gs_path *path) {
    double slopes[GS_MOST_POINTS];
    size_t count = 0;
    for (size_t i = 1; i < path->point_count; i++) {
        const gs_path_point *from = &path->points[i - 1], *to = &path->points[i];
        double change = to->ratio_log10 - from->ratio_log10;
        if (isfinite(change))
            slopes[count++] = change / (double)(from->layer - to->layer);
    }
    return gs_median(slopes, count);
}

gs_verdict gs_verdict_of(double ratio_log10) {
    return ratio_log10 < -threshold_decades  ? GS_VANISHING
           : ratio_log10 > threshold_decades ? GS_EXPLODING
                                             : GS_HEALTHY;
}

static void judge_ratio(const gs_path *path, size_t layers, gs_summary *summary) {
    double ratio = path->points[path->point_count - 1].ratio_log10;
    summary->ratio_log10 = ratio;
    summary->low_log10 = isnan(ratio) ? ratio : path->low;
    summary->high_log10 = isnan(ratio) ? ratio : path->high;
    summary->examples = path->examples;
    summary->silent_examples = path->silent;
    summary->decades_per_layer = ratio / (double)layers;
    summary->layers_per_e = log10_of_e / typical_slope(path);
    summary->threshold_log10 = threshold_decades;
    summary->verdict = gs_verdict_of(ratio);
}

/* ---- Layers to blame ---- */

/* A layer stands out if it changes the signal by this factor more than the typical one, and by so
   many standard deviations, as the median absolute deviation tells them of a normal law. */
static const double outstanding_factor = 2, outstanding_deviations = 5, deviations_in_mad = 1.4826;

/* Typical layers are to blame if together they are for this many decades. */
static const double least_decades = 1;

/* How much a factor moves the signal towards the verdict, in decades. */
static double towards(const gs_summary *summary, double factor) {
    double log = gs_log10(factor);
    return summary->verdict == GS_VANISHING ? -log : log;
}

static void find_cause(const gs_summary *summary, gs_layer_gain *gain) {
    double most = -INFINITY;
    for (gs_gain_part f = 0; f < GS_PART_COUNT; f++) {
        double part = towards(summary, gain->factor[f]);
        if (part > most) {
            most = part;
            gain->cause = f;
        }
    }
}

/* Layers that are alike: blocks with a skip, or where there is none all layers. */
static bool is_counted(const gs_path *path, const gs_layer_gain *gain) {
    return gain->last > 0 && !isnan(gain->gain) &&
           (!path->network->has_skip || !isnan(gain->factor[GS_PART_BLOCK]));
}

/* The median over layers of the gain, f = GS_PART_COUNT, or of a factor. */
static double median_factor(const gs_path *path, gs_gain_part f, size_t *count) {
    *count = 0;
    for (size_t i = 0; i < path->network->config->layers; i++) {
        const gs_layer_gain *gain = &path->gains[i];
        double value = f == GS_PART_COUNT ? gain->gain : gain->factor[f];
        if (is_counted(path, gain) && !isnan(value))
            path->values[(*count)++] = value;
    }
    return gs_median(path->values, *count);
}

/* By how many decades a layer must stand out from the typical gain; and whether none is as far from
   it as a factor says. */
static double outstanding_decades(const gs_path *path, double typical, bool *alike) {
    double least = gs_log10(outstanding_factor);
    size_t count = 0;
    *alike = true;
    for (size_t i = 0; i < path->network->config->layers; i++) {
        const gs_layer_gain *gain = &path->gains[i];
        double distance = fabs(gs_log10(gain->gain) - typical);
        *alike = *alike && (gain->last == 0 || distance <= least);
        if (is_counted(path, gain))
            path->values[count++] = distance;
    }
    return fmax(least, outstanding_deviations * deviations_in_mad * gs_median(path->values, count));
}

/* The most that stand out, first the worst; of equals the one that the gradient reaches first. */
static void name_layers(const gs_path *path, gs_summary *summary) {
    double typical = towards(summary, summary->typical.gain);
    double limit =
        outstanding_decades(path, gs_log10(summary->typical.gain), &summary->layers_alike);
    summary->worst_count = 0;
    for (size_t i = path->network->config->layers; i-- > 0;) {
        const gs_layer_gain *gain = &path->gains[i];
        double part = towards(summary, gain->gain);
        if (gain->last == 0 || !(part > 0 && part - typical > limit))
            continue;
        size_t place = summary->worst_count;
        while (place > 0 && part > towards(summary, summary->worst[place - 1].gain))
            place--;
        if (place == GS_WORST_LAYERS)
            continue;
        summary->worst_count += summary->worst_count < GS_WORST_LAYERS;
        for (size_t j = summary->worst_count - 1; j > place; j--)
            summary->worst[j] = summary->worst[j - 1];
        summary->worst[place] = *gain;
        find_cause(summary, &summary->worst[place]);
    }
}

static void find_reasons(const gs_path *path, gs_summary *summary) {
    gs_layer_gain *typical = &summary->typical;
    size_t count, unused;
    for (gs_gain_part f = 0; f < GS_PART_COUNT; f++)
        typical->factor[f] = median_factor(path, f, &unused);
    typical->gain = median_factor(path, GS_PART_COUNT, &count);
    if (count == 0)
        return;
    name_layers(path, summary);
    find_cause(summary, typical);
    summary->typical_layers =
        towards(summary, typical->gain) * (double)count >= least_decades ? count : 0;
}

/* ---- Shattered gradients (Balduzzi et al. 2017) ---- */

/* Two examples' gradients agree at the output if their mean cosine is at least this, and more than
   this many standard deviations of that of unrelated directions. */
static const double least_correlation = 0.1, noise_deviations = 4;

/* Shattered: at the input less than this share of it is left. */
const double gs_shattered_share = 0.1;

/* Over the way to the point where the share is reached: beyond it there may be noise alone. */
static double layers_per_e(const gs_path *path, double limit) {
    const gs_path_point *output = &path->points[0], *point = output + 1;
    while (fabs(point->corr) > limit)
        point++;
    double left = fmax(fabs(point->corr), fmin(point->noise, limit));
    return (double)(output->layer - point->layer) * log10_of_e / gs_log10(output->corr / left);
}

/* A batch that is too small to tell shows as noise above the limit. */
static void judge_correlation(const gs_path *path, gs_summary *summary) {
    const gs_path_point *output = &path->points[0], *input = &path->points[path->point_count - 1];
    double limit = gs_shattered_share * output->corr;
    summary->corr_output = output->corr;
    summary->corr_input = input->corr;
    summary->shattered =
        output->corr >= fmax(least_correlation, noise_deviations * output->noise) &&
        fabs(input->corr) <= limit && input->noise <= limit;
    if (summary->shattered)
        summary->corr_layers_per_e = layers_per_e(path, limit);
}

/* ---- The whole ---- */

void gs_judge(const gs_path *path, bool finite, gs_summary *summary) {
    judge_ratio(path, path->network->config->layers, summary);
    judge_correlation(path, summary);
    if (!finite)
        summary->verdict = GS_NONFINITE;
    if (summary->verdict == GS_VANISHING || summary->verdict == GS_EXPLODING)
        find_reasons(path, summary);
}
