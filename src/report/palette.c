/*
 * Colours, from published palettes for the colour blind.
 */
#include "report/palette.h"

#include <math.h>

/* Okabe and Ito, Color Universal Design (2008), blue first. Its yellow cannot be seen on white: the
   grey that palettes of R put beside it stands in. Blue and black are lighter on a dark screen. */
static const gs_color series_colors[GS_SERIES_COLORS][2] = {
    {{0x00, 0x72, 0xb2}, {0x2f, 0x97, 0xdb}}, /* blue           */
    {{0xd5, 0x5e, 0x00}, {0xe8, 0x74, 0x1e}}, /* vermillion     */
    {{0x00, 0x9e, 0x73}, {0x00, 0xb3, 0x82}}, /* bluish green   */
    {{0xcc, 0x79, 0xa7}, {0xd8, 0x89, 0xb6}}, /* reddish purple */
    {{0xe6, 0x9f, 0x00}, {0xe6, 0x9f, 0x00}}, /* orange         */
    {{0x56, 0xb4, 0xe9}, {0x7c, 0xcb, 0xf7}}, /* sky blue       */
    {{0x22, 0x22, 0x22}, {0xe8, 0xe8, 0xe8}}, /* black          */
    {{0x99, 0x99, 0x99}, {0x99, 0x99, 0x99}}, /* grey           */
};

/* Viridis (van der Walt and Smith, 2015, CC0), ten steps at equal distances. */
static const gs_color viridis[] = {
    {0x44, 0x01, 0x54}, {0x48, 0x28, 0x78}, {0x3e, 0x49, 0x89}, {0x31, 0x68, 0x8e},
    {0x26, 0x82, 0x8e}, {0x1f, 0x9e, 0x89}, {0x35, 0xb7, 0x79}, {0x6e, 0xce, 0x58},
    {0xb5, 0xde, 0x2b}, {0xfd, 0xe7, 0x25},
};

/* ColorBrewer (Brewer and Harrower, 2003, Apache 2): the blue half of RdBu and the orange half of
   PuOr, eleven classes each, which grow dark alike. */
static const gs_color blue_orange[] = {
    {0x05, 0x30, 0x61}, {0x21, 0x66, 0xac}, {0x43, 0x93, 0xc3}, {0x92, 0xc5, 0xde},
    {0xd1, 0xe5, 0xf0}, {0xf7, 0xf7, 0xf7}, {0xfe, 0xe0, 0xb6}, {0xfd, 0xb8, 0x63},
    {0xe0, 0x82, 0x14}, {0xb3, 0x58, 0x06}, {0x7f, 0x3b, 0x08},
};

static unsigned char between(unsigned char a, unsigned char b, double share) {
    return (unsigned char)floor(a + (b - a) * share + 0.5);
}

static gs_color blend(const gs_color *steps, size_t count, double share) {
    double place = fmin(fmax(share, 0), 1) * (double)(count - 1);
    size_t below = (size_t)fmin(floor(place), (double)(count - 2));
    const gs_color *a = &steps[below], *b = a + 1;
    share = place - (double)below;
    return (gs_color){between(a->red, b->red, share), between(a->green, b->green, share),
                      between(a->blue, b->blue, share)};
}

gs_color gs_palette_series(size_t index, bool dark) {
    return series_colors[index][dark];
}

/* The ends of the ramp are hardly seen on a dark screen, or on white. */
static double ordered_share(size_t index, size_t count) {
    return count > 1 ? 0.1 + 0.7 * (double)index / (double)(count - 1) : 0.1;
}

gs_color gs_palette_ordered(size_t index, size_t count) {
    return gs_palette_magnitude(ordered_share(index, count));
}

gs_color gs_palette_magnitude(double share) {
    return blend(viridis, sizeof viridis / sizeof *viridis, share);
}

gs_color gs_palette_signed(double share) {
    return blend(blue_orange, sizeof blue_orange / sizeof *blue_orange, (share + 1) / 2);
}

gs_color gs_palette_special(double value) {
    static const gs_color black = {0x10, 0x10, 0x10}, grey = {0xd4, 0xd4, 0xd4};
    static const gs_color magenta = {0xe7, 0x29, 0x8a}; /* ColorBrewer, Dark2 */
    return isnan(value) ? grey : value > 0 ? magenta : black;
}

/* Luma, as ITU-R BT.601 weighs it. */
bool gs_color_is_dark(gs_color color) {
    return 299 * color.red + 587 * color.green + 114 * color.blue < 140 * 1000;
}

/* ---- Terminals ---- */

/* Near the colours above, picked by hand: the nearest by distance would change their hue. */
static const unsigned char terminal_series[GS_SERIES_COLORS] = {32,  166, 36,  175,
                                                                214, 117, 250, 244};
static const unsigned char terminal_magnitude[] = {53, 54, 55, 25,  31,  37,  36,
                                                   35, 71, 77, 113, 149, 185, 227};
static const unsigned char terminal_signed[] = {17,  18,  19,  26,  32,  74,  117, 153, 189, 255,
                                                230, 223, 216, 215, 208, 172, 166, 130, 94};

/* The step of a ramp that a share, 0 to 1, is in; the middle one of an odd number is around 1/2. */
static unsigned step_of(const unsigned char *ramp, size_t count, double share) {
    double step = floor(fmin(fmax(share, 0), 1) * (double)(count - 1) + 0.5);
    return ramp[(size_t)step];
}

unsigned gs_terminal_series(size_t index) {
    return terminal_series[index];
}

unsigned gs_terminal_ordered(size_t index, size_t count) {
    return gs_terminal_magnitude(ordered_share(index, count) + 0.15);
}

unsigned gs_terminal_magnitude(double share) {
    return step_of(terminal_magnitude, sizeof terminal_magnitude, share);
}

unsigned gs_terminal_signed(double share) {
    return step_of(terminal_signed, sizeof terminal_signed, (share + 1) / 2);
}

unsigned gs_terminal_special(double value) {
    return isnan(value) ? 250 : value > 0 ? 162 : 232;
}

/* 16 and more are a cube of six levels a side, 232 and more are greys. */
bool gs_terminal_is_dark(unsigned color) {
    static const unsigned char levels[] = {0, 95, 135, 175, 215, 255};
    if (color >= 232)
        return color < 244;
    unsigned part = color - 16;
    return gs_color_is_dark((gs_color){levels[part / 36], levels[part / 6 % 6], levels[part % 6]});
}
