/* JSON strings (RFC 8259, section 7). */
#include "base/json.h"

#include <stdbool.h>

#include "base/text.h"

/* Bytes of the UTF-8 character at `s`, 0 if there is none: overlong forms, surrogates and what lies
   past U+10FFFF are not UTF-8 (RFC 3629). */
static size_t utf8_length(const unsigned char *s) {
    size_t length = s[0] < 0x80   ? 1
                    : s[0] < 0xc2 ? 0
                    : s[0] < 0xe0 ? 2
                    : s[0] < 0xf0 ? 3
                    : s[0] < 0xf5 ? 4
                                  : 0;
    for (size_t i = 1; i < length; i++)
        if ((s[i] & 0xc0) != 0x80)
            return 0;
    bool wrong = (s[0] == 0xe0 && s[1] < 0xa0) || (s[0] == 0xed && s[1] > 0x9f) ||
                 (s[0] == 0xf0 && s[1] < 0x90) || (s[0] == 0xf4 && s[1] > 0x8f);
    return wrong ? 0 : length;
}

static size_t put(FILE *out, const void *bytes, size_t count) {
    if (out)
        fwrite(bytes, 1, count, out);
    return count;
}

size_t gs_json_string(FILE *out, const char *text) {
    size_t written = put(out, "\"", 1);
    for (const unsigned char *s = (const unsigned char *)text; *s;) {
        size_t length = utf8_length(s);
        char escape[8];
        if (length == 0)
            written += put(out, "\\ufffd", 6);
        else if (*s == '"' || *s == '\\')
            written += put(out, (const char[]){'\\', (char)*s}, 2);
        else if (*s < 0x20)
            written += put(out, escape, (size_t)gs_format(escape, sizeof escape, "\\u%04x", *s));
        else
            written += put(out, s, length);
        s += length > 0 ? length : 1;
    }
    return written + put(out, "\"", 1);
}
