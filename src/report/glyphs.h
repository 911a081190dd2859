/*
 * The characters of a text that may hold any bytes, one at a time, for who draws it.
 */
#ifndef GS_REPORT_GLYPHS_H
#define GS_REPORT_GLYPHS_H

#include <stddef.h>
#include <stdint.h>

/* The next character of UTF-8, and *text moves past it; U+FFFD for a byte that begins none, and for
   controls and what else no page may hold; 0 at the end. */
uint32_t gs_glyph_next(const char **text);

/* Its UTF-8, terminated. */
void gs_glyph_encode(uint32_t glyph, char out[5]);

/* What stands in for it where there is only ASCII: "-" for U+2212, "?" for what has nothing. */
void gs_glyph_ascii(uint32_t glyph, char out[5]);

/* Its width in Helvetica, or what looks much the same, in thousandths of the size of the font. */
unsigned gs_glyph_width(uint32_t glyph);

#endif
