/*
 * A JSON reader that shares nothing with the writers: strict (RFC 8259), and small because a test
 * knows what it looks for.
 */
#ifndef GS_TEST_JSON_H
#define GS_TEST_JSON_H

#include <ctype.h>

#include "test.h"

static inline const char *json_end(const char *s);

static inline const char *json_blank(const char *s) {
    return s + strspn(s, " \t\r\n");
}

/* The end of the string that begins at `s`, NULL if there is none. Its bytes are to be UTF-8. */
static inline const char *json_string_end(const char *s) {
    if (*s++ != '"')
        return NULL;
    while (*s != '"') {
        unsigned char c = (unsigned char)*s;
        size_t length = c < 0x80 ? 1 : c < 0xe0 ? 2 : c < 0xf0 ? 3 : 4;
        if (c < 0x20 || (c >= 0x80 && c < 0xc2) || c > 0xf4)
            return NULL;
        if (c == '\\' && s[1] == 'u')
            for (length = 2; length < 6; length++)
                if (!isxdigit((unsigned char)s[length]))
                    return NULL;
        if (c == '\\' && s[1] != 'u') {
            length = 2;
            if (!s[1] || !strchr("\"\\/bfnrt", s[1]))
                return NULL;
        }
        for (size_t i = 1; c >= 0x80 && i < length; i++)
            if (((unsigned char)s[i] & 0xc0) != 0x80)
                return NULL;
        s += length;
    }
    return s + 1;
}

static inline const char *json_number_end(const char *s) {
    const char *start = s += *s == '-';
    s += strspn(s, "0123456789");
    if (s == start || (*start == '0' && s > start + 1))
        return NULL;
    if (*s == '.') {
        size_t digits = strspn(s + 1, "0123456789");
        if (digits == 0)
            return NULL;
        s += 1 + digits;
    }
    if (*s == 'e' || *s == 'E') {
        s += s[1] == '+' || s[1] == '-' ? 2 : 1;
        size_t digits = strspn(s, "0123456789");
        return digits > 0 ? s + digits : NULL;
    }
    return s;
}

/* The end of the object or array at `s`. */
static inline const char *json_group_end(const char *s) {
    bool object = *s == '{';
    char last = object ? '}' : ']';
    s = json_blank(s + 1);
    if (*s == last)
        return s + 1;
    for (;;) {
        if (object) {
            s = json_string_end(json_blank(s));
            if (!s || *(s = json_blank(s)) != ':')
                return NULL;
            s++;
        }
        s = json_end(s);
        if (!s)
            return NULL;
        s = json_blank(s);
        if (*s == last)
            return s + 1;
        if (*s++ != ',')
            return NULL;
    }
}

/* The end of the value at `s`, NULL if that is no JSON. */
static inline const char *json_end(const char *s) {
    static const char *const words[] = {"null", "true", "false"};
    s = json_blank(s);
    if (*s == '{' || *s == '[')
        return json_group_end(s);
    if (*s == '"')
        return json_string_end(s);
    for (size_t i = 0; i < 3; i++)
        if (strncmp(s, words[i], strlen(words[i])) == 0)
            return s + strlen(words[i]);
    return json_number_end(s);
}

/* Copies the value of `key` in the object at `s`, as it is written; "" if there is none. */
static inline const char *json_member(const char *s, const char *key, char *out, size_t size) {
    size_t length = strlen(key);
    out[0] = '\0';
    for (s = json_blank(s); s && (*s == '{' || *s == ',');) {
        s = json_blank(s + 1);
        bool found = strncmp(s + 1, key, length) == 0 && s[1 + length] == '"';
        const char *value = json_string_end(s), *end;
        value = value ? json_blank(json_blank(value) + 1) : NULL;
        end = value ? json_end(value) : NULL;
        if (found && end)
            snprintf(out, size, "%.*s", (int)(end - value), value);
        s = end ? json_blank(end) : NULL;
    }
    return out;
}

#endif
