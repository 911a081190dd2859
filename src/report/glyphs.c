/*
 * Characters of texts that come from anywhere.
 */
#include "report/glyphs.h"

#include <stdbool.h>
#include <string.h>

enum { REPLACEMENT = 0xfffd };

/* C0 and C1 controls, surrogates, line separators, marks that turn the direction of writing, and
   what is no character. */
static bool is_drawable(uint32_t glyph) {
    bool control = glyph < 0x20 || (glyph >= 0x7f && glyph < 0xa0);
    bool surrogate = glyph >= 0xd800 && glyph < 0xe000;
    bool directs = (glyph >= 0x2028 && glyph <= 0x202e) || (glyph >= 0x2066 && glyph <= 0x2069);
    return !control && !surrogate && !directs && (glyph & 0xfffe) != 0xfffe && glyph < 0x110000;
}

uint32_t gs_glyph_next(const char **text) {
    const unsigned char *bytes = (const unsigned char *)*text;
    if (!*bytes)
        return 0;
    size_t length = *bytes < 0x80   ? 1
                    : *bytes < 0xc2 ? 0
                    : *bytes < 0xe0 ? 2
                    : *bytes < 0xf0 ? 3
                                    : 4;
    uint32_t glyph = length == 1 ? *bytes : *bytes & (0x7fu >> length);
    for (size_t i = 1; i < length; i++) {
        if ((bytes[i] & 0xc0) != 0x80)
            length = 0;
        glyph = glyph << 6 | (bytes[i] & 0x3f);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    bool valid = length > 0 && *bytes < 0xf5 && glyph >= least[length] && is_drawable(glyph);
    *text += valid ? length : 1;
    return valid ? glyph : REPLACEMENT;
}

void gs_glyph_encode(uint32_t glyph, char out[5]) {
    static const unsigned char lead[] = {0, 0, 0xc0, 0xe0, 0xf0};
    size_t length = glyph < 0x80 ? 1 : glyph < 0x800 ? 2 : glyph < 0x10000 ? 3 : 4;
    for (size_t i = length; i-- > 1; glyph >>= 6)
        out[i] = (char)(0x80 | (glyph & 0x3f));
    out[0] = (char)(lead[length] | glyph);
    out[length] = '\0';
}

void gs_glyph_ascii(uint32_t glyph, char out[5]) {
    static const struct {
        uint32_t glyph;
        char text[4];
    } others[] = {
        {0xb1, "+-"},    {0xb7, "."},   {0xd7, "x"},   {0x2013, "-"},   {0x2016, "|"},
        {0x2026, "..."}, {0x2202, "d"}, {0x2212, "-"}, {0x221e, "inf"}, {0x2264, "<="},
    };
    strcpy(out, "?");
    if (glyph >= 0x20 && glyph < 0x7f)
        *out = (char)glyph;
    for (size_t i = 0; i < sizeof others / sizeof *others; i++)
        if (others[i].glyph == glyph)
            strcpy(out, others[i].text);
}

unsigned gs_glyph_width(uint32_t glyph) {
    static const unsigned short widths[] = {
        278,  278, 355, 556, 556, 889, 667, 222, 333, 333, 389, 584, 278, 333, 278, 278,
        556,  556, 556, 556, 556, 556, 556, 556, 556, 556, 278, 278, 584, 584, 584, 556,
        1015, 667, 667, 722, 722, 667, 611, 778, 722, 278, 500, 667, 556, 833, 722, 778,
        667,  778, 722, 667, 611, 722, 667, 944, 667, 667, 611, 278, 278, 278, 469, 556,
        222,  556, 556, 500, 556, 556, 278, 556, 556, 222, 222, 500, 222, 833, 556, 556,
        556,  556, 333, 500, 278, 556, 500, 722, 500, 500, 500, 334, 260, 334, 584,
    };
    if (glyph >= 0x20 && glyph < 0x7f)
        return widths[glyph - 0x20];
    return glyph < 0x1100 || (glyph >= 0x2000 && glyph < 0x2e80) ? 600 : 1000;
}
