/*
 * One kernel table. This file is compiled once per instruction set and element type: -DGS_ISA_...
 * and -DGS_DTYPE_... choose the vectors, -DGS_KERNEL_TABLE=name names the table that detect.c picks
 * from.
 */
#include "kernels/kernels.h"
#include "kernels/vector.h"

#include "kernels/activation.h"
#include "kernels/elementary.h"
#include "kernels/elementwise.h"
#include "kernels/matvec.h"
#include "kernels/norm.h"
#include "kernels/optimize.h"
#include "kernels/orthonormalise.h"
#include "kernels/product.h"
#include "kernels/random.h"
#include "kernels/reduce.h"

extern const gs_kernels GS_KERNEL_TABLE;

const gs_kernels GS_KERNEL_TABLE = {
#if defined(GS_ISA_PORTABLE)
    .isa = "portable",
#elif defined(GS_ISA_AVX2)
    .isa = "avx2",
#elif defined(GS_ISA_AVX512)
    .isa = "avx512",
#else
    .isa = "neon",
#endif
#if defined(GS_DTYPE_F64)
    .dtype = GS_F64,
#else
    .dtype = GS_F32,
#endif
    .size = sizeof(real),
    .panel = PANEL,

    .activation =
        {
            [GS_ACT_LINEAR] = activation_linear,
            [GS_ACT_SIGMOID] = activation_sigmoid,
            [GS_ACT_TANH] = activation_tanh,
            [GS_ACT_RELU] = activation_relu,
            [GS_ACT_LEAKY_RELU] = activation_leaky_relu,
            [GS_ACT_ELU] = activation_elu,
            [GS_ACT_SELU] = activation_selu,
            [GS_ACT_SILU] = activation_silu,
            [GS_ACT_GELU] = activation_gelu,
            [GS_ACT_GELU_TANH] = activation_gelu_tanh,
            [GS_ACT_SOFTPLUS] = activation_softplus,
            [GS_ACT_MISH] = activation_mish,
        },
    .random_tiles = random_tiles,
    .exp = kernel_exp,
    .expm1 = kernel_expm1,
    .log = kernel_log,
    .log1p = kernel_log1p,
    .tanh = kernel_tanh,
    .erf = kernel_erf,
    .sincos2pi = kernel_sincos2pi,

    .product =
        {
            [GS_PRODUCT_FORWARD] = product_forward,
            [GS_PRODUCT_BACKWARD] = product_backward,
            [GS_PRODUCT_OUTER] = product_outer,
            [GS_PRODUCT_GRAM] = product_gram,
            [GS_PRODUCT_COMBINE] = product_combine,
        },
    .tile_row_gram = tile_row_gram,
    .combine_doubles = combine_doubles,
    .orthonormalising_factor = orthonormalising_factor,

    .set = set,
    .get = get,
    .set_all = set_all,
    .get_all = get_all,
    .scale = scale,
    .combine = combine,
    .multiply = multiply,
    .add_rows = add_rows,
    .affine_rows = affine_rows,
    .transpose_panel = transpose_panel,
    .transpose_tile = transpose_tile,
    .fetch_rows = fetch_rows,

    .moments = moments,
    .magnitude = magnitude,
    .dot = dot,
    .bilinear = bilinear,
    .count_below = count_below,
    .count_at_most = count_at_most,
    .row_zeros = row_zeros,

    .sums = {[GS_AXIS_UNIT] = unit_sums, [GS_AXIS_EXAMPLE] = example_sums},
    .dots = {[GS_AXIS_UNIT] = unit_dots, [GS_AXIS_EXAMPLE] = example_dots},
    .centred_squares = {[GS_AXIS_UNIT] = unit_squares, [GS_AXIS_EXAMPLE] = example_squares},
    .normalise = {[GS_AXIS_UNIT] = unit_normalise, [GS_AXIS_EXAMPLE] = example_normalise},
    .normalise_backward =
        {[GS_AXIS_UNIT] = unit_normalise_backward, [GS_AXIS_EXAMPLE] = example_normalise_backward},
    .softmax = softmax,

    .optimize =
        {
            [GS_UPDATE_SGD] = optimize_sgd,
            [GS_UPDATE_MOMENTUM] = optimize_momentum,
            [GS_UPDATE_NESTEROV] = optimize_nesterov,
            [GS_UPDATE_RMSPROP] = optimize_rmsprop,
            [GS_UPDATE_ADAM] = optimize_adam,
        },
    .squared_distance = squared_distance,
    .tile_row_squares = tile_row_squares,
    .clip_tile_row = clip_tile_row,
};
