/*
 * What help has to say that no table of options knows.
 */
#include "cli/topics.h"

/* What one line does not hold. */
const help_row help_notes[] = {
    {"data",
     "A folder holds train-images-idx3-ubyte and train-labels-idx1-ubyte, or those of t10k, as "
     "MNIST names them, unpacked. A CSV has an example a line: its features, then its class 0, 1, "
     "2, ...; a first line without a number is passed over. --batch examples are drawn by --seed, "
     "scaled by --data-scale, and classified by a readout."},
    {"epochs", "An epoch has as many steps as --batch fits into the examples that are not held "
               "out. Those that are left over are passed over: others in every epoch, but with "
               "--shuffle off always the last."},
    {"load",
     "The options that were saved hold unless the arguments say otherwise. A run of training goes "
     "on from its checkpoint, up to --steps in all: in the log of --output, if there is one, whose "
     "rows behind the checkpoint are written again, so that the log and the network in the end are "
     "those of a run that never stopped; a table is begun anew. (Where --schedule ends with "
     "--steps, a longer run has another rate from where it goes on.) With --steps 0 the network is "
     "measured as it is. Of "
     "someone else's file every tensor is a weight [out, in] or a bias of a plain MLP, as PyTorch "
     "saves a chain of nn.Linear (0.weight, 0.bias, 2.weight, ...); the last becomes the head, and "
     "--act has to be given."},
    {"memory", "About the most that a network takes: weights that do not fit are streamed, signals "
               "are made again between checkpoints. The gradients that --save, --steps and --clip "
               "value or agc keep come on top, and so does the state of an optimizer."},
    {"output", "A file is opened for the first record, and what was there is "
               "replaced, unless --load goes on with it; a run that is refused changes nothing."},
    {"save", "Every tensor as F64 or F32, as --dtype is: input, target, layers.N.weight [out, in], "
             "layers.N.bias, layers.N.norm.weight, head.weight, ..., and each gradient under the "
             "same name and .grad, unclipped; after training also what the optimizer keeps, as "
             "PyTorch names it (.exp_avg, .momentum_buffer, ...), and the weights of step 0 "
             "(.initial). FILE is replaced when all is written. Only with --seeds 1."},
    {"save-every", "By default a checkpoint is saved when a second has passed since the last, and "
                   "twenty times as long as that took; and in any case at the end and when the "
                   "run is interrupted."},
    {"seed", "The same seed and options give the same numbers, on any machine and with any number "
             "of threads."},
    {"test-data", "Of a folder with both sets of MNIST it is t10k. Loss and accuracy on it are "
                  "computed for every step that is reported; a batch norm uses the statistics of "
                  "each batch of them, as there are no running averages."},
    {"test-share", "The examples are drawn by --seed (that of the first run with --seeds), or with "
                   "--shuffle off are the last of the file. --data-scale learns from the others "
                   "alone."},
    {NULL, NULL},
};

const help_row help_exit_statuses[] = {
    {"0", "done"},
    {"1", "failed: a file, memory, or a check that does not hold"},
    {"2", "bad usage: a name or a value, GRADSIM_ISA's too; nothing was changed"},
    {"3", "the condition of --fail-on holds"},
    {"130", "killed by Ctrl-C, and a shell's loop ends with it; files hold whole records"},
    {NULL, NULL},
};

const help_row help_environment[] = {
    {"GRADSIM_ISA",
     "the instruction set to compute with: portable, avx2, avx512 or neon; it must be one "
     "that this machine has. The results do not depend on it"},
    {"NO_COLOR", "no colors in the table, unless --color says otherwise"},
    {NULL, NULL},
};

const help_row help_verdict[] = {
    {"gradient",
     "of every example b, r_b = |dL/dx_0,b| / |dL/dx_L,b|: what is left at the input of "
     "the gradient at the output of layer L. The verdict rests on the median of log10 "
     "r_b, so that one badly classified example does not decide it. Examples whose "
     "gradient at the output is exactly 0 are left out"},
    {"examples", "the least and the largest log10 r_b when a tenth of the examples is left out at "
                 "each end, and how many get exactly nothing: units that are dead for them, or a "
                 "gradient too small beside the largest for the element type to hold both"},
    {"vanishing", "the median is below -3: the input gets less than a thousandth"},
    {"exploding", "it is above 3"},
    {"nonfinite", "a value or a gradient is infinite or no number"},
    {"healthy", "everything else, and what gets no gradient by design: a branch with alpha 0 "
                "(rezero), as its skip passes all of it on"},
    {"rate",
     "over how many layers the gradient changes by e: by the median of the change a layer "
     "over some 16 stretches of the way, which a few layers unlike the others do not change; "
     "left out where it explains less than half of the whole"},
    {"why",
     "what the typical layer passes on, |dL/dx_{l-1}| / |dL/dx_l| over the batch, split into "
     "the slope of its activation, its weights and its norm; with a skip, the skip and its "
     "branch are one factor. Each number is a median over the layers, and the factor that is "
     "most to blame comes first"},
    {"worst", "up to three layers that do more: by a factor of 2, and by 5 standard deviations of "
              "the others"},
    {"shattered",
     "the gradients of two examples have a mean cosine of at least 0.1 at the output, "
     "and at the input less than a tenth of that: norms may look healthy, but the first "
     "layers are told something else by every example (Balduzzi et al. 2017). Of "
     "random targets (--loss mse) the gradients hardly agree to begin with: --loss "
     "random or sum starts from equal ones"},
    {"float32 ...", "the layer nearest the output where half of dL/da or more would be 0 in this "
                    "format, or its root mean square overflows"},
    {NULL, NULL},
};

static const char limits_of_pictures[] =
    "10000 configurations, 4096 cells of a map, a million configurations times layers times steps; "
    "of more than 1024 steps neighbours become one";

const help_row help_plot[] = {
    {"gradsim plot",
     "picks the picture that fits what is in the files: csv, tsv or jsonl, several of "
     "which are one if they have the same columns, and - is standard input"},
    {"a log",
     "the gradient against the layer, a line a configuration: the mean over its seeds in a "
     "band from the least to the largest, and theory dashed"},
    {"of more than 10", "what is left of the gradient on the way from the last layer to the first: "
                        "against the one option that differs if that is a number, or as a map of "
                        "those that differ; the outlined are healthy by the threshold of gradsim "
                        "help verdict"},
    {"of training",
     "a map of layer and step; of more than 6 configurations the last step, as above"},
    {"a summary", "ratio_log10_mean, as above"},
    {"--column",
     "of a layer, as |dL/dz|: see gradsim help columns. What is no logarithm is averaged "
     "over the layers where there is one number a configuration. Of a network, as loss "
     "or test_accuracy: against the step, whose axis is of powers where steps are spread so, or "
     "the last step's"},
    {"limits", limits_of_pictures},
    {NULL, NULL},
};

const help_row help_report[] = {
    {"gradsim report",
     "makes one file of HTML, which needs no network, of all pictures that gradsim plot draws of "
     "what is in the files: a pointer shows values, and a click on the legend hides what it names. "
     "Below them every configuration is a row of a table, which sorts by a click on its head"},
    {"limits", limits_of_pictures},
    {NULL, NULL},
};

const help_row help_compare[] = {
    {"gradsim compare",
     "runs the network that the options describe, the same with each known remedy alone "
     "(activation, init, gain, norm and its place, residual, clipping), and the usual mixes of "
     "them. What contradicts the options is left out, and so is what leads to a network that is "
     "there already. --seeds N runs N networks of each"},
    {"rank", "healthy ones first, then those that vanish or explode, then those that are not "
             "finite; among these by how near log10 is to 0"},
    {"log10, std", "of what is left at the input of the gradient at the output, as in gradsim help "
                   "verdict: mean and standard deviation over the seeds. Networks where it is not "
                   "finite are left out"},
    {"a layer", "log10 over the number of layers"},
    {"corr", "mean cosine between the gradients of two examples at the input"},
    {"verdict", "the most frequent of the seeds, and of equals the worse; shattered: healthy, but "
                "most are shattered"},
    {"mended by", "the remedy that changes the fewest options, and of these the first in rank, "
                  "whose network is healthy and not shattered. If that of the options is "
                  "shattered, a tenth of its corr at the output must be left at the input too"},
    {"best mix", "the first in rank of the mixes that mend it like that"},
    {"csv, tsv, jsonl",
     "a row a network: rank, remedy, source, changes (options that differ from the network given), "
     "networks (one a seed), left_out, ratio_log10_mean, ratio_log10_std, decades_per_layer, "
     "grad_corr_output, grad_corr_input, verdict, healthy and shattered (how many of the "
     "networks), command, and the options"},
    {NULL, NULL},
};

const help_row help_training[] = {
    {"gradsim --steps N",
     "trains: every step takes a batch of --data (or again the one that was made up), and --opt "
     "changes the parameters by its gradient, after --grad-normalize and --clip. What is said of "
     "step t is the network after t updates, its gradient on batch t, and the update that follows; "
     "--log-every says of which steps"},
    {"acc, held out", "share of the batch that is classified right; loss and share on --test-data "
                      "or --test-share"},
    {"log|g|", "log10 of the norm of all gradients together"},
    {"clip to, clips", "the same after --clip; share of the updates so far that it changed"},
    {"dead", "share of units that no example of the batch activates"},
    {"|dL/dW|", "a bar for every layer (or for a few, of their mean logarithm): full within a "
                "factor of 10 of the largest, an eighth less for every further factor of 10"},
    {"moved", "|W - W_0| / |W_0|: how far a layer has come from where it began"},
    {"plateau", "a fifth of the run or more over which the loss stays within 2 % of its mean while "
                "the gradient vanishes (see gradsim help verdict)"},
    {"depth", "effective depth: the layers that moved by more than a tenth of what the one that "
              "moved most did"},
    {"stopped",
     "the first step at which the signal or the gradient of a layer is not finite, where "
     "a run ends (a loss that only overflows is inf)"},
    {"Ctrl-C", "ends a run after the step at hand; with --save it can go on: see gradsim help "
               "load"},
    {NULL, NULL},
};

const help_row help_theory[] = {
    {"gradsim theory",
     "what mean-field theory expects of a network: sums over very many units are replaced by their "
     "expectations (Poole 2016, Schoenholz 2017; with batch norm Yang 2019), and the mean square "
     "over all draws of the weights stands for one draw. A layer that is n wide strays from it by "
     "a share of about 1/sqrt(n), and the logarithm of one draw lies below it by about 1/n a "
     "layer"},
    {"q", "E z^2 over units and examples"},
    {"correlation", "E z z' of two examples and one unit, over q"},
    {"rate", "what the squared norm of the gradient is multiplied with in a layer"},
    {"phase", "of a plain network, far from both ends: ordered (chi < 1), chaotic (chi > 1), or "
              "critical, the edge of chaos between them"},
    {"chi", "the squared gradient's gain a layer where q has come to its fixed point q*"},
    {"xi_q, xi_c", "depth scales: layers over which the distance of q from q*, and of the "
                   "correlation from c*, falls by e"},
    {"--critical", "finds the edge of chaos: given --bias normal:STD, sigma_w (--init scaled:SW); "
                   "given another --init, sigma_b"},
    {"data",
     "are looked at in eight groups of examples of like size, as normally distributed with their "
     "mean correlation"},
    {"strays",
     "further than others: deep --residual add with --order act-dense, an activation whose "
     "mean is not 0 and --loss random or sum, since the little that a readout has in common "
     "with x_L grows as x does; and batch norm where the batch is not small beside the "
     "width"},
    {"not predicted",
     "what enters an activation or a batch norm must be normally distributed. That of --residual "
     "post-act is not, nor what a batch norm leaves and a skip adds to, nor what reaches a batch "
     "norm after an activation; a batch norm of 3 or fewer examples and a norm of 3 or fewer units "
     "have no mean square gradient; examples of --data are not alike, as batch norm's theory "
     "wants them. Weights that are not random (identity, constant) are followed unit by unit, "
     "where there is no batch norm, no head and no change of width; constant ones in plain "
     "networks alone"},
    {NULL, NULL},
};

const help_row help_isometry[] = {
    {"gradsim spectrum",
     "all singular values of J = dx_L/dx_0 for one example: by which factors small changes of "
     "the input, and gradients on their way back, may grow or shrink. x_L is the output of the "
     "last layer, and not of a head. There are as many as the lesser of inputs and outputs, "
     "neither of which may exceed 1024"},
    {"isometry",
     "dynamical isometry (Saxe et al. 2014; Pennington et al. 2017): all of them near 1, so that "
     "every direction keeps its length. The verdict is yes if all are within a factor of 2 of 1, "
     "up to scale if all are within a factor of 2 of another number, and else no"},
    {"mean square", "of the singular values: what a random gradient's squared norm is multiplied "
                    "with. It may be near 1 where there is no isometry"},
    {"condition", "the largest over the smallest"},
    {"batch norm", "makes each output depend on the whole batch; here its means and variances are "
                   "held as they are, as at inference"},
    {"exactly 0",
     "a direction that dead units or a norm cut off; or one that a single layer leaves "
     "nothing of but rounding, some 1e-14 of what else it lets through. The product of all layers "
     "loses nothing: values of 1e-300 or 1e-3000 are as right as others"},
    {"csv, tsv, jsonl", "a row a value, the largest first: run, seed, example, index, "
                        "singular_value (0 or inf where it does not fit), "
                        "singular_value_log10, and the options"},
    {NULL, NULL},
};

const help_row help_indices[] = {
    {"run, seed, step", "which network, from which seed, after how many steps of training"},
    {"layer, kind", "1 is next to the input; dense, or head for the readout"},
    {"loss", "of the whole network"},
    {NULL, NULL},
};

const help_row help_steps[] = {
    {"accuracy", "share of the batch whose largest output is that of its label"},
    {"test_loss, test_accuracy", "of the examples of --test-data or --test-share"},
    {"lr", "learning rate of the update that follows; the option stands as config_lr"},
    {"grad_norm_log10", "log10 of the norm of all gradients together"},
    {"grad_norm_clipped_log10", "the same after --grad-normalize and --clip"},
    {"clipped", "share of the updates up to this that clipping changed"},
    {"point, points", "which configuration of a sweep, and of how many; 1 of 1 in other runs"},
    {"sweep", "the name of the sweep: 16 digits that follow from its options"},
    {"error", "why a network of a sweep could not be measured: there is then this row alone"},
    {NULL, NULL},
};

const help_row help_sweep[] = {
    {"lists", "every option of a network takes values joined by commas, --act relu,tanh, and "
              "ranges: --layers 10..100:10 has steps of 10, --lr 1e-4..1e-1*10 a factor of 10, "
              "--clip norm:0.1..10*10 varies what stands after the colon. A comma within a value "
              "is \\,"},
    {"points", "the grid is the product of all lists. Options vary in the order in which help "
               "lists them, the first slowest, whatever their order in the arguments; points are "
               "numbered in that order, and --seeds N makes N networks of each"},
    {"--zip", "--zip layers,width walks through both lists together"},
    {"--where", "an expression of options, values, == != < <= > >=, && || ! and parentheses: "
                "--where 'layers>=64 || act==relu'. What it is not true of is left out before "
                "points are numbered"},
    {"rows", "with --format csv, tsv or jsonl, or -o FILE with such an ending: the rows of gradsim "
             "run for every network, where run counts on over the points; with --summary a row a "
             "point, with means and standard deviations over its seeds. Else a table for people: "
             "a matrix where two options vary"},
    {"--jobs", "networks side by side, small ones with a thread each, large ones (256 wide with a "
               "batch of 128, say) with all that are idle. "
               "One that needs all memory runs alone. Rows are written in grid order, each point "
               "as a whole: neither depends on the number of jobs"},
    {"--memory", "of all networks together. Weights that other networks draw too are kept beside "
                 "it, in an eighth of as much, 256 MiB at most"},
    {"--resume", "keeps the whole points of FILE and runs the others, which makes the bytes of a "
                 "sweep that was never stopped. Without FILE it begins anew, so that a script may "
                 "always say it"},
    {"--shard", "--shard 2/8 runs points 2, 10, 18, ... under their numbers in the whole; gradsim "
                "merge joins the files of all shards"},
    {"Ctrl-C", "ends it when the networks under way are done, and another one at once; FILE then "
               "holds whole points"},
    {"failures",
     "a network whose options contradict each other, or that has no memory, is a row "
     "with its error, and the rest goes on. The exit status is 1 if memory was short, or if "
     "none could be measured"},
    {NULL, NULL},
};

const char *const help_columns[GS_COLUMN_COUNT] = {
    [GS_Z_MEAN] = "mean of z over units and batch",
    [GS_Z_STD] = "its standard deviation",
    [GS_A_MEAN] = "mean of the activation over units and batch",
    [GS_A_STD] = "its standard deviation",
    [GS_SATURATED] = "share of (unit, example) with |phi'(z)| below a tenth of phi's largest slope",
    [GS_ZERO] = "share of (unit, example) with phi'(z) = 0 exactly",
    [GS_DEAD] = "share of units with phi'(z) = 0 on the whole batch",
    [GS_W_NORM] = "Frobenius norm of W",
    [GS_W_SIGMA_MAX] = "largest singular value of W",
    [GS_GRAD_W] = "Frobenius norm of dL/dW; 0 or inf where it does not fit",
    [GS_GRAD_W_LOG10] = "its log10, which always fits",
    [GS_GRAD_B_LOG10] = "log10 of the norm of dL/db",
    [GS_GRAD_Z_LOG10] = "log10 of the norm of dL/dz over the whole batch",
    [GS_WEIGHT_GAIN] = "norm of dL/da over the norm of dL/dz one layer on",
    [GS_ACT_GAIN] = "norm of dL/dz over the norm of dL/da",
    [GS_GAIN] = "their product; with skips the ratio of the norms of dL/dx",
    [GS_GRAD_RATIO] = "norm of dL/dW over the norm of W",
    [GS_UPDATE_RATIO] = "norm of the update that follows over the norm of W",
    [GS_CLIP_SCALE] = "factor that clipping applied",
    [GS_GRAD_CLIPPED_LOG10] = "log10 of the norm of dL/dW after it",
    [GS_GRAD_SNR] = "norm of the mean gradient over the standard error across examples",
    [GS_GRAD_CORR] = ("mean cosine between the gradients of two examples; one too small beside "
                      "the largest for the element type is left out"),
    [GS_F32_ZERO] = "share of dL/da that would be zero in float32",
    [GS_F16_ZERO] = "share of dL/da that would be zero in float16",
    [GS_BF16_ZERO] = "share of dL/da that would be zero in bfloat16",
    [GS_THEORY_GRAD_LOG10] = "predicted grad_z_log10, of step 0",
    [GS_MOVED] = "norm of W - W_0 over the norm of W_0, the weights of step 0",
};

const help_row help_act_dense_gains[] = {
    {"weight_gain", "norm of dL/da_l over the norm of dL/dz_l"},
    {"act_gain", "norm of dL/dx_{l-1} over the norm of dL/da_l"},
    {"gain", "their product"},
    {NULL, NULL},
};

const help_row help_cells[] = {
    {"empty", "there is no such value; null in JSON"},
    {"nan", "the network is not finite there"},
    {"inf", "the number does not fit"},
    {"-inf", "log10 of exactly 0"},
    {NULL, NULL},
};
