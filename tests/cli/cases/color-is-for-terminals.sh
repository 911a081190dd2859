# Whether a vanishing gradient is shown in color: 1 or 0 lines have an escape.
shown() {
    gradsim --layers 50 --width 8 -q "$@" | grep -c "$(printf '\033')" || true
}
shown
shown --color always
NO_COLOR=1 shown --color always
shown --color never
