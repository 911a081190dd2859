/*
 * What a run of training comes to: a plateau, layers that do not move, units that die, and where
 * numbers ceased to be finite. It is fed with every step, and needs room for a few of them only.
 */
#ifndef GS_TRAIN_DIAGNOSIS_H
#define GS_TRAIN_DIAGNOSIS_H

#include "train/trainer.h"

typedef struct {
    uint64_t first_step, last_step;
    double first_loss, last_loss;
    gs_training_stats first, last; /* those of the first and the last measured step */
    /* The longest stretch, a fifth of these steps or more and no fewer than GS_PLATEAU_STEPS, over
       which the mean loss of every part of it stays within 2 % of that of the whole stretch while
       the gradient vanishes on its way back, as the last step that was measured has it. */
    bool has_plateau;
    uint64_t plateau_first, plateau_last;
    double plateau_loss;
    /* Effective depth: the layers, the head among them, that moved by more than a tenth of what the
       one that moved most did. 0 moving: nothing moved; 0 layers: it was not measured. */
    size_t moving_layers, layers;
    size_t least_layer, most_layer; /* that moved least, and most */
    double least_moved, most_moved;
    /* Of all units that have an activation, as gs_dead_share; nan also where it is 0 at both ends. */
    double first_dead, last_dead;
    size_t dead_layer; /* the layer with most of them in the end; 0: none has any */
    double dead_share; /* of its units */
    /* The first measured step at which the signal or the gradient is not finite, and the layer where
       the signal ceased to be, 0 if the gradient did. */
    bool is_finite;
    uint64_t nonfinite_step;
    size_t nonfinite_layer;
} gs_findings;

enum { GS_LOSS_PARTS = 64, GS_PLATEAU_STEPS = 5 };

/* Of a part of the run. */
typedef struct {
    double sum;                /* of losses */
    uint64_t count, vanishing; /* of steps; at which the gradient vanished */
} gs_loss_part;

/* A run so far; all zero to begin with. When the parts are full, neighbours become one. */
typedef struct {
    gs_loss_part parts[GS_LOSS_PARTS];
    size_t part_count;
    uint64_t part_steps; /* in a part that is full, as all but the last are */
    bool has_ended;      /* a loss was not finite: nothing more goes into the parts */
    bool has_begun, has_measured;
    bool is_vanishing; /* as the last measured step was */
    gs_findings found; /* all but the plateau */
} gs_diagnosis;

/* A step with this loss, before it is measured if it is: steps come in their order. */
void gs_diagnosis_step(gs_diagnosis *diagnosis, uint64_t step, double loss);

/* Share of the units whose slope is 0 on the whole batch; nan where no layer has the column. `config`
   is resolved. */
double gs_dead_share(const gs_config *config, const gs_layer_stats *rows, size_t count);

/* It was measured: rows[count]. What needs columns that are absent or not finite stays as it was
   last seen. */
void gs_diagnosis_measured(gs_diagnosis *diagnosis, const gs_config *config, uint64_t step,
                           const gs_layer_stats *rows, size_t count, const gs_summary *summary,
                           const gs_training_stats *stats);

/* After one step or more. */
gs_findings gs_diagnosis_find(const gs_diagnosis *diagnosis);

#endif
