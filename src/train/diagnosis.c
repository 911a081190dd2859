/*
 * The diagnosis of a run of training: losses are kept as sums over parts of it, all else is said as
 * it is seen.
 */
#include <math.h>

#include "net/config.h"
#include "train/diagnosis.h"

/* A plateau: this near the mean, and at least this share of the run. */
static const double flat_tolerance = 0.02;
enum { LEAST_SHARE = 5 }; /* one in so many */

/* A layer moves if it moves by more than this share of the one that moves most. */
static const double moving_share = 0.1;

/* ---- Step by step ---- */

static gs_loss_part joined(gs_loss_part a, gs_loss_part b) {
    return (gs_loss_part){a.sum + b.sum, a.count + b.count, a.vanishing + b.vanishing};
}

/* Neighbours become one: every part is full then. */
static void halve_parts(gs_diagnosis *diagnosis) {
    for (size_t i = 0; i < GS_LOSS_PARTS / 2; i++)
        diagnosis->parts[i] = joined(diagnosis->parts[2 * i], diagnosis->parts[2 * i + 1]);
    diagnosis->part_count = GS_LOSS_PARTS / 2;
    diagnosis->part_steps *= 2;
}

static void add_loss(gs_diagnosis *diagnosis, double loss) {
    const gs_loss_part step = {loss, 1, diagnosis->is_vanishing};
    size_t count = diagnosis->part_count;
    if (count > 0 && diagnosis->parts[count - 1].count < diagnosis->part_steps) {
        diagnosis->parts[count - 1] = joined(diagnosis->parts[count - 1], step);
        return;
    }
    if (count == GS_LOSS_PARTS)
        halve_parts(diagnosis);
    diagnosis->parts[diagnosis->part_count++] = step;
}

void gs_diagnosis_step(gs_diagnosis *diagnosis, uint64_t step, double loss) {
    gs_findings *found = &diagnosis->found;
    if (!diagnosis->has_begun) {
        diagnosis->has_begun = true;
        diagnosis->part_steps = 1;
        found->first_step = step;
        found->first_loss = loss;
        found->first_dead = found->last_dead = (double)NAN;
        found->is_finite = true;
    }
    found->last_step = step;
    found->last_loss = loss;
    diagnosis->has_ended = diagnosis->has_ended || !isfinite(loss);
    if (!diagnosis->has_ended)
        add_loss(diagnosis, loss);
}

/* ---- Measured steps ---- */

/* The step went into the last part with the verdict of the one before. */
static void set_vanishing(gs_diagnosis *diagnosis, bool is_vanishing) {
    if (!diagnosis->has_ended) {
        gs_loss_part *part = &diagnosis->parts[diagnosis->part_count - 1];
        part->vanishing = part->vanishing - diagnosis->is_vanishing + is_vanishing;
    }
    diagnosis->is_vanishing = is_vanishing;
}

static bool has_finite(const gs_layer_stats *row, gs_column column) {
    double value;
    return gs_layer_stats_get(row, column, &value) && isfinite(value);
}

static void see_depth(gs_findings *found, const gs_layer_stats *rows, size_t count) {
    const gs_layer_stats *least = NULL, *most = NULL;
    size_t layers = 0, moving = 0;
    for (const gs_layer_stats *row = rows; row < rows + count; row++)
        if (has_finite(row, GS_MOVED)) {
            double moved = row->value[GS_MOVED];
            least = !least || moved < least->value[GS_MOVED] ? row : least;
            most = !most || moved > most->value[GS_MOVED] ? row : most;
            layers++;
        }
    if (layers == 0)
        return;
    found->least_layer = least->layer;
    found->most_layer = most->layer;
    found->least_moved = least->value[GS_MOVED];
    found->most_moved = most->value[GS_MOVED];
    for (const gs_layer_stats *row = rows; row < rows + count; row++)
        moving +=
            has_finite(row, GS_MOVED) && row->value[GS_MOVED] > moving_share * found->most_moved;
    found->moving_layers = moving;
    found->layers = layers;
}

double gs_dead_share(const gs_config *config, const gs_layer_stats *rows, size_t count) {
    bool act_first = config->order.index == GS_ORDER_ACT_DENSE;
    double dead = 0, all = 0;
    for (const gs_layer_stats *row = rows; row < rows + count; row++)
        if (has_finite(row, GS_DEAD)) {
            double units = (double)gs_config_units(config, row->layer - act_first);
            dead += units * row->value[GS_DEAD];
            all += units;
        }
    return dead / all;
}

static void see_dead(gs_findings *found, const gs_config *config, const gs_layer_stats *rows,
                     size_t count) {
    double dead = gs_dead_share(config, rows, count);
    if (isnan(dead))
        return;
    found->last_dead = dead;
    if (isnan(found->first_dead))
        found->first_dead = dead;
    found->dead_layer = 0;
    found->dead_share = 0;
    for (const gs_layer_stats *row = rows; row < rows + count; row++)
        if (has_finite(row, GS_DEAD) && row->value[GS_DEAD] > found->dead_share) {
            found->dead_layer = row->layer;
            found->dead_share = row->value[GS_DEAD];
        }
}

void gs_diagnosis_measured(gs_diagnosis *diagnosis, const gs_config *config, uint64_t step,
                           const gs_layer_stats *rows, size_t count, const gs_summary *summary,
                           const gs_training_stats *stats) {
    gs_findings *found = &diagnosis->found;
    set_vanishing(diagnosis, summary->verdict == GS_VANISHING);
    if (found->is_finite && summary->verdict == GS_NONFINITE) {
        found->is_finite = false;
        found->nonfinite_step = step;
        found->nonfinite_layer = summary->nonfinite_layer;
    }
    if (!diagnosis->has_measured)
        found->first = *stats;
    diagnosis->has_measured = true;
    found->last = *stats;
    if (summary->verdict == GS_NONFINITE)
        return;
    see_depth(found, rows, count);
    see_dead(found, config, rows, count);
}

/* ---- What it comes to ---- */

/* A last part that is not full has few steps, whose mean may be far off by chance: it goes with the
   one before. */
static size_t full_parts(const gs_diagnosis *diagnosis, gs_loss_part parts[GS_LOSS_PARTS]) {
    size_t count = diagnosis->part_count;
    for (size_t i = 0; i < count; i++)
        parts[i] = diagnosis->parts[i];
    if (count > 1 && parts[count - 1].count < diagnosis->part_steps) {
        parts[count - 2] = joined(parts[count - 2], parts[count - 1]);
        count--;
    }
    return count;
}

/* The longest stretch of parts from the first of `parts`. */
static gs_loss_part flat_stretch(const gs_loss_part *parts, size_t count) {
    gs_loss_part whole = {0}, longest = {0};
    double low = INFINITY, high = -INFINITY;
    for (size_t i = 0; i < count && parts[i].vanishing == parts[i].count; i++) {
        double loss = parts[i].sum / (double)parts[i].count;
        low = fmin(low, loss);
        high = fmax(high, loss);
        whole = joined(whole, parts[i]);
        double mean = whole.sum / (double)whole.count;
        if (isfinite(mean) && fmax(high - mean, mean - low) <= flat_tolerance * fabs(mean))
            longest = whole;
    }
    return longest;
}

static void find_plateau(const gs_diagnosis *diagnosis, gs_findings *found) {
    gs_loss_part parts[GS_LOSS_PARTS], longest = {0};
    uint64_t step = found->first_step, first = step, steps = found->last_step - step + 1;
    size_t count = full_parts(diagnosis, parts);
    for (size_t i = 0; i < count; step += parts[i++].count) {
        gs_loss_part stretch = flat_stretch(parts + i, count - i);
        if (stretch.count > longest.count) {
            longest = stretch;
            first = step;
        }
    }
    if (longest.count < GS_PLATEAU_STEPS ||
        longest.count < steps / LEAST_SHARE + (steps % LEAST_SHARE > 0))
        return;
    found->has_plateau = true;
    found->plateau_first = first;
    found->plateau_last = first + longest.count - 1;
    found->plateau_loss = longest.sum / (double)longest.count;
}

gs_findings gs_diagnosis_find(const gs_diagnosis *diagnosis) {
    gs_findings found = diagnosis->found;
    find_plateau(diagnosis, &found);
    if (found.first_dead == 0 && found.last_dead == 0)
        found.first_dead = found.last_dead = (double)NAN;
    return found;
}
