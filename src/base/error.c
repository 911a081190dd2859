/* The one place where error messages are made. */
#include "base/error.h"

#include <string.h>

#include "base/text.h"

static void replace_control_characters(char *text) {
    for (; *text; text++)
        if ((unsigned char)*text < 0x20 || *text == 0x7f)
            *text = '?';
}

gs_status gs_fail(gs_error *error, gs_status code, const char *format, ...) {
    if (!error)
        return code;
    /* Formatted apart, so that a caller can wrap the message that it already has. */
    char message[sizeof error->message];
    va_list arguments;
    va_start(arguments, format);
    if (gs_format_list(message, sizeof message, format, arguments) < 0)
        message[0] = '\0';
    va_end(arguments);
    replace_control_characters(message);
    memcpy(error->message, message, sizeof message);
    error->code = code;
    return code;
}
