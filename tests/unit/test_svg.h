/*
 * For tests of SVG: a picture as text, and what stands in it.
 */
#ifndef GS_TEST_SVG_H
#define GS_TEST_SVG_H

#include "report/svg.h"
#include "test_figure.h"
#include "test_xml.h"

static char *picture(const gs_figure *figure, double width) {
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    gs_error error;
    CHECK(gs_svg_write(out, figure, (gs_svg_style){.width = width}, &error) == GS_OK);
    fclose(out);
    return text;
}

/* A number that a tag has; nan: it has none. */
static inline double attribute(const char *tag, const char *name) {
    char pattern[32];
    snprintf(pattern, sizeof pattern, " %s=\"", name);
    const char *at = strstr(tag, pattern), *end = strchr(tag, '>');
    return at && at < end ? strtod(at + strlen(pattern), NULL) : NAN;
}

#endif
