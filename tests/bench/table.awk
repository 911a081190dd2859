# Makes the table, and with -v csv=FILE a CSV of the same lines, from the rows of bench.h. A row that
# comes twice is there to be measured twice: the faster counts.

BEGIN {
    FS = ","
    layout = "%-35s %-13s %-4s %2s  %9s %16s  %-11s %9s %7s  %-10s %s\n"
    print "group,item,shape,dtype,threads,program,seconds,median,work,unit,against," \
        "against_seconds,ratio,target,verdict" > csv
}

/^#/ { print substr($0, 3); next }

{
    key = $1 FS $2 FS $3 FS $4 FS $5
    if (!(key in programs))
        order[++keys] = key
    if (!((key, $6) in seconds))
        programs[key] = programs[key] FS $6
    else if (seconds[key, $6] / work[key, $6] <= $7 / $9)
        next
    seconds[key, $6] = $7
    median[key, $6] = $8
    work[key, $6] = $9
    unit[key] = $10
    if ($6 == "peak" && $4 == 1 && $9 / $7 > best_peak[$3])
        best_peak[$3] = $9 / $7
}

function time_text(s) {
    if (s == 0)
        return ""
    if (s < 1e-3)
        return sprintf("%.1f us", s * 1e6)
    return s < 1 ? sprintf("%.2f ms", s * 1e3) : sprintf("%.2f s", s)
}

function rate_text(key, program,    s, w) {
    s = seconds[key, program]
    w = work[key, program]
    if (unit[key] == "flop")
        return sprintf("%.1f GFLOP/s", w / s * 1e-9)
    if (unit[key] == "number")
        return sprintf("%.0f M/s", w / s * 1e-6)
    if (unit[key] == "layer")
        return sprintf("%.2f us/layer", s / w * 1e6)
    if (unit[key] == "network")
        return sprintf("%.2f ms/network", s / w * 1e3)
    return unit[key] == "GiB" ? sprintf("%.2f GiB", w) : ""
}

# The targets: low and high are the bounds of the ratio, 0 where there is none.
function set_target(against,    parts, width, one) {
    split(shape, parts, "x")
    width = parts[2] + 0
    one = threads == 1
    low = high = 0
    if (group == "products" && against == "peak" && one)
        low = item != "weight gradient" && dtype == "f64" ? 0.90 : 0.85
    if (group == "products" && against == "openblas")
        low = item == "weight gradient" ? 1.00 : 1.05
    if (against == "one thread" && threads == 2 && width >= 512)
        low = 1.85
    if (group == "pass" && against == "torch")
        low = item == "sigmoid" ? 15 : 4
    if (group == "training" && against == "torch")
        low = 3
    if (group == "generation" && against == "torch" && item ~ /^orthogonal/)
        low = 1
    else if (group == "generation" && against == "torch" && one)
        low = 8
    if (group == "process" && against == "torch")
        low = 100
    if (group == "sweep" && against == "one thread")
        low = 1.8
    if (group == "sweep" && against ~ /^torch/)
        low = 60
    if (group == "streamed" && against == "both floors")
        high = 1.3
    if (group == "streamed" && against == "1 GiB")
        high = 1
    if (group == "depth") {
        low = 0.9
        high = 1.1
    }
}

# Whether other work was in the way: half of the time there was less than 0.9 of the peak.
function is_busy(key) {
    return (key, "peak") in seconds &&
        work[key, "peak"] / median[key, "peak"] < 0.9 * threads * best_peak[dtype]
}

function line(key, program, against, against_seconds, ratio,    target, verdict) {
    target = verdict = ""
    if (against != "")
        set_target(against)
    else
        low = high = 0
    if (low || high) {
        target = low && high ? low " to " high : low ? ">= " low : "<= " high
        verdict = (low && ratio < low) || (high && ratio > high) ? "missed" : "met"
        counts[verdict]++
        if (is_busy(key)) {
            verdict = verdict " *"
            busy++
        }
    }
    if (group != last_group)
        print "---- " group " ----"
    last_group = group
    printf layout, item, shape, dtype, threads, time_text(seconds[key, program]), rate_text(key, program),
        against == "" && program != "gradsim" ? program : against, time_text(against_seconds),
        against == "" ? "" : sprintf(ratio < 2 ? "%.3f" : "%.1f", ratio), target, verdict
    print group, item, shape, dtype, threads, program, seconds[key, program], median[key, program],
        work[key, program], unit[key], against, against_seconds, against == "" ? "" : ratio, target,
        verdict > csv
}

# What a key is compared with, beside the programs of its own rows.
function compare_within(key,    one, thousand, ours) {
    ours = seconds[key, "gradsim"] / work[key, "gradsim"]
    one = group FS shape FS dtype FS 1 FS item
    if (threads > 1 && group ~ /^(products|pass|training|sweep)$/ && ((one, "gradsim") in seconds))
        line(key, "gradsim", "one thread", seconds[one, "gradsim"],
             seconds[one, "gradsim"] / work[one, "gradsim"] / ours)
    if (unit[key] == "GiB")
        line(key, "gradsim", "1 GiB", 0, work[key, "gradsim"])
    thousand = key
    sub(/,[0-9]*x/, ",1000x", thousand)
    if (group == "depth" && thousand != key)
        line(key, "gradsim", "1000 layers", 0,
             ours * work[thousand, "gradsim"] / seconds[thousand, "gradsim"])
}

END {
    OFS = FS
    printf "\n" layout, "what", "shape", "type",
        "on", "time", "rate", "against", "its time", "ratio", "target", "verdict"
    for (k = 1; k <= keys; k++) {
        key = order[k]
        split(key, field, FS)
        group = field[1]; shape = field[2]; dtype = field[3]; threads = field[4]; item = field[5]
        count = split(substr(programs[key], 2), program, FS)
        lines = 0
        for (p = 1; p <= count; p++) {
            if (program[p] == "gradsim" || !((key, "gradsim") in seconds))
                continue
            theirs = seconds[key, program[p]] / work[key, program[p]]
            ours = seconds[key, "gradsim"] / work[key, "gradsim"]
            # How many times as fast; of floors, how many times as long.
            line(key, "gradsim", program[p], theirs * work[key, "gradsim"],
                 program[p] ~ /floors/ ? ours / theirs : theirs / ours)
            lines++
        }
        if ((key, "gradsim") in seconds)
            compare_within(key)
        if (!lines && unit[key] != "GiB" && !(group == "depth" && shape !~ /^1000x/))
            line(key, program[1], "", 0, 0)
    }
    printf "\n%d targets met, %d missed", counts["met"], counts["missed"]
    printf busy ? ", %d of these (*) while other work kept the processors busy: measure again\n" : "\n", busy
    print "All lines: " csv
}
