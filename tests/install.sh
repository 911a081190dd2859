#!/bin/sh
# The installed library as a user has it: `make install` to a scratch folder, the examples compiled
# against that folder alone, shared and static, and run; then `make uninstall`.
# shellcheck disable=SC2317 # some functions are called through others

cd "$(dirname "$0")/.." || exit 1
unset MAKEFLAGS # nothing from a make around this
prefix=/opt/gradsim
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT
trap 'exit 130' INT TERM
root=$scratch/root
installed=$root$prefix
log=$scratch/log
status=0

report() { # name, what is wrong with it
    if [ -z "$2" ]; then
        echo "ok - $1"
    else
        echo "not ok - $1 # $(echo "$2" | tr '\n' ';')"
        status=1
    fi
}

# What a command says if it fails, or "failed" if it says nothing.
complaint() {
    "$@" > "$log" 2>&1 && return
    if [ -s "$log" ]; then tail -n 5 "$log"; else echo failed; fi
}

differ() { # what came, what was expected
    [ "$1" = "$2" ] || echo "expected '$2', got '$1'"
}

compile() {
    # shellcheck disable=SC2086 # words
    ${CC:-cc} ${CFLAGS:--O1} -Wall -Wextra -Wpedantic -Werror "$@" ${LDFLAGS:-}
}

# ---- Installing ----

report "make install succeeds" \
    "$(complaint make -s install DESTDIR="$root" PREFIX="$prefix")"
version=$(sed -n 's/^#define GS_VERSION "\(.*\)"$/\1/p' include/gradsim.h)
expected="bin/gradsim
include/gradsim.h
lib/libgradsim.a
lib/libgradsim.so
lib/libgradsim.so.${version%%.*}
lib/libgradsim.so.$version
lib/pkgconfig/gradsim.pc"
report "make install copies these files and no others" \
    "$(differ "$(find "$root" ! -type d | sed "s|^$installed/||" | LC_ALL=C sort)" "$expected")"
report "the installed program runs" \
    "$(differ "$("$installed/bin/gradsim" --version 2>&1)" "gradsim $version")"
if command -v nm > /dev/null; then
    grep -oE 'gs_[a-z0-9_]+\(' include/gradsim.h | tr -d '(' |
        LC_ALL=C sort -u > "$scratch/declared"
    nm -D --defined-only "$installed/lib/libgradsim.so" | sed 's/.* //' |
        LC_ALL=C sort > "$scratch/exported"
    report "the shared library exports what the header declares and nothing else" \
        "$(diff "$scratch/declared" "$scratch/exported" 2>&1)"
else
    echo "skip - the shared library exports what the header declares and nothing else # no nm"
fi

# ---- Flags ----

if command -v pkg-config > /dev/null; then
    export PKG_CONFIG_PATH="$installed/lib/pkgconfig"
    report "pkg-config knows the version" \
        "$(differ "$(pkg-config --modversion gradsim 2>&1)" "$version")"
    report "pkg-config knows the prefix" \
        "$(differ "$(pkg-config --variable=prefix gradsim 2>&1)" "$prefix")"
    export PKG_CONFIG_SYSROOT_DIR="$root"
    shared=$(pkg-config --cflags --libs gradsim)
    private=$(pkg-config --cflags --static --libs gradsim)
else
    echo "skip - pkg-config knows the version and the prefix # NO pkg-config: flags are guessed"
    shared="-I$installed/include -L$installed/lib -lgradsim"
    private="$shared -pthread -lm"
fi
# The linker prefers a shared library of the same name.
static=$(echo "$private" | sed "s|-lgradsim|$installed/lib/libgradsim.a|")

# ---- The examples ----

measure_is_sensible() { # 24 rows, sigmoid far below relu at the first, and both verdicts
    awk '$1 == 1 { first = $2 < -10 && $4 > -1 }
         $1 ~ /^[0-9]+$/ { rows++ }
         $1 == "verdict" { verdicts = $2 == "vanishing" && $3 == "healthy" }
         END { exit !(first && rows == 24 && verdicts) }'
}

blocks_is_sensible() { # the truth table of xor
    awk '$2 == "xor" { seen++; right += ($5 + 0 == ($1 != $3)) }
         END { exit !(seen == 4 && right == 4) }'
}

check_example() { # name, static or shared, flags
    # shellcheck disable=SC2086 # words
    report "examples/$1.c compiles, $2" "$(complaint compile -o "$scratch/$1" "examples/$1.c" $3)"
    path=$([ "$2" = static ] || echo "$installed/lib")
    LD_LIBRARY_PATH=$path "$scratch/$1" > "$scratch/$1.out" 2>&1
    differ "$?" 0 > "$log"
    "$1_is_sensible" < "$scratch/$1.out" || cat "$scratch/$1.out" >> "$log"
    report "examples/$1.c says what it should, $2" "$(cat "$log")"
}

for example in measure blocks; do
    check_example $example shared "$shared"
    cp "$scratch/$example.out" "$scratch/$example.shared" 2> /dev/null
    check_example $example static "$static"
    report "examples/$example.c says the same, static and shared" \
        "$(diff "$scratch/$example.out" "$scratch/$example.shared" 2>&1)"
done

cat > "$scratch/version.cc" << 'END'
#include <gradsim.h>

#include <cstring>

int main() {
    return std::strcmp(gs_version(), GS_VERSION);
}
END
if command -v "${CXX:-c++}" > /dev/null; then
    # shellcheck disable=SC2086 # words
    report "the header is C++ too" "$(
        complaint "${CXX:-c++}" -Wall -Wextra -Wpedantic -Werror -o "$scratch/version" \
            "$scratch/version.cc" $static
        complaint "$scratch/version"
    )"
else
    echo "skip - the header is C++ too # no ${CXX:-c++}"
fi

# ---- Uninstalling ----

report "make uninstall succeeds" \
    "$(complaint make -s uninstall DESTDIR="$root" PREFIX="$prefix")"
report "make uninstall leaves no file" "$(find "$root" ! -type d)"
exit $status
