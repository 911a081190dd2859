/*
 * JSON lines: a row is one object.
 */
#include <math.h>

#include "base/json.h"
#include "base/text.h"
#include "report/row.h"

static void write_cell(FILE *out, const gs_cell *cell) {
    char digits[32];
    switch (cell->kind) {
    case GS_CELL_ABSENT:
        fputs("null", out);
        break;
    case GS_CELL_TEXT:
        gs_json_string(out, cell->text);
        break;
    case GS_CELL_REAL:
        gs_format_real(digits, cell->real);
        fprintf(out, isfinite(cell->real) ? "%s" : "\"%s\"", digits);
        break;
    case GS_CELL_WHOLE:
    case GS_CELL_NUMERAL:
        gs_cell_write_number(out, cell);
    }
}

void gs_jsonl_write(FILE *out, const gs_row *row) {
    for (size_t i = 0; i < row->count; i++) {
        putc(i == 0 ? '{' : ',', out);
        gs_json_string(out, row->name[i]);
        putc(':', out);
        write_cell(out, &row->cell[i]);
    }
    fputs("}\n", out);
}
