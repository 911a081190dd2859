"""Reports in a headless Chromium: nothing but the file is asked for and nothing is complained of;
values at the pointer are those of the log; series hide; the table sorts; light, dark, on a phone, in
print; and no text of a log becomes part of the page.

usage: GRADSIM=path/to/gradsim pages.py [TEXT]     only the tests whose name contains TEXT
"""

import csv
import math
import os
import re
import subprocess
import sys
import tempfile
from collections import defaultdict
from html.parser import HTMLParser

import chromium

GRADSIM = os.environ["GRADSIM"]
DIGITS = os.path.abspath("examples/data/digits.csv")
HOSTILE = ["</script><script>document.title='broken'</script>", "<img src=x onerror=alert(1)>",
           "\"><b onclick='x'>&amp;lt;", "</style></title>\x01\x1b[31m\xff\u202e"]


# ---- Logs, and pages of them ----

LOGS = {
    "lines": ["sweep", "--layers", "24", "--width", "32", "--act", "sigmoid,tanh,relu",
              "--init", "xavier,he", "--seeds", "3"],
    "one": ["run", "--layers", "30", "--width", "32"],
    "many": ["sweep", "--layers", "8..32*2", "--width", "16", "--act", "sigmoid,tanh,relu",
             "--norm", "none,batch", "--residual", "none,add"],
    "wide": ["sweep", "--layers", "4..7", "--width", "4", "--act", "tanh,relu,elu,selu",
             "--norm", "none,batch,layer", "--residual", "none,add", "--init", "xavier,he,lecun"],
    "summary": ["sweep", "--layers", "8..32*2", "--width", "16", "--act", "sigmoid,relu",
                "--summary"],
    "training": ["sweep", "--layers", "5", "--width", "16", "--act", "tanh,relu", "--seeds", "2",
                 "--data", DIGITS, "--test-share", "0.2", "--steps", "40", "--log-every", "4"],
    "spaced": ["run", "--layers", "3", "--width", "8", "--data", DIGITS, "--steps", "1000",
               "--log-every", "log"],
    "infinite": ["sweep", "--layers", "40", "--width", "8", "--act", "sigmoid,softplus",
                 "--init", "xavier,normal:1e15"],
}


def run(*arguments):
    subprocess.run([GRADSIM, *arguments], check=True, stdout=subprocess.DEVNULL)


def make_pages():
    for name, arguments in LOGS.items():
        run(*arguments, "-o", name + ".csv")
    make_hostile()
    for name in [*LOGS, "hostile"]:
        run("report", name + ".csv", "-o", name + ".html")


def rows_of(name):
    with open(name + ".csv", newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


def make_hostile():
    """Options that say what they must not."""
    rows = rows_of("lines")
    acts = sorted({row["act"] for row in rows})
    for row in rows:
        row["act"] = HOSTILE[acts.index(row["act"])]
        row["init"] = HOSTILE[3] if row["init"].startswith("he") else row["init"]
    with open("hostile.csv", "w", newline="", encoding="latin-1", errors="replace") as file:
        writer = csv.DictWriter(file, rows[0], lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def means(name, keys, layer):
    """log10 of the gradient at a layer, or end to end with layer None: by configuration."""
    found = defaultdict(lambda: defaultdict(list))
    for row in rows_of(name):
        key = ", ".join("%s %s" % (option, row[option]) for option in keys)
        found[key][int(row["layer"])].append(float(row["grad_z_log10"]))
    average = {key: {at: sum(v) / len(v) for at, v in layers.items()}
               for key, layers in found.items()}
    if layer is None:
        return {key: layers[1] - layers[max(layers)] for key, layers in average.items()}
    return {key: layers[layer] for key, layers in average.items()}


# ---- What is in a page ----

class Structure(HTMLParser):
    """Every element that begins ends, in order, and no id occurs twice."""

    VOID = {"meta", "link", "br", "img"}

    def __init__(self, text):
        super().__init__()
        self.open, self.ids, self.wrong = [], set(), []
        self.feed(text)
        self.close()
        self.wrong += self.open

    def handle_starttag(self, tag, attributes):
        names = [name for name, _ in attributes]
        if len(names) != len(set(names)) or dict(attributes).get("id", self) in self.ids:
            self.wrong.append((tag, names))
        self.ids.add(dict(attributes).get("id"))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        pass

    def handle_endtag(self, tag):
        if not self.open or self.open.pop() != tag:
            self.wrong.append("/" + tag)


def box(browser, selector, index=0):
    return browser.run("(b => [b.x, b.y, b.width, b.height])(Array.from(document.querySelectorAll("
                       "'%s'))[%d].getBoundingClientRect())" % (selector, index))


def scroll_to(browser, selector, index=0):
    """And wait until the page knows: a tip goes when it scrolls."""
    browser.run("document.querySelectorAll('%s')[%d].scrollIntoView({block: 'center'}); new Promise("
                "done => requestAnimationFrame(() => requestAnimationFrame(done))).then(() => 0)"
                % (selector, index))


def middle(browser, selector, index=0):
    """Where it is, after it was scrolled to."""
    scroll_to(browser, selector, index)
    x, y, width, height = box(browser, selector, index)
    return x + width / 2, y + height / 2


def click(browser, selector, index=0):
    browser.click(*middle(browser, selector, index))


def tip(browser):
    """The rows of the tip: [name, value, ...]; None if it is hidden."""
    return browser.run("(t => t.hidden ? null : Array.from(t.children).map(r => r.children.length ?"
                       " Array.from(r.children).map(c => c.innerText.trim()) : [r.innerText]))"
                       "(document.querySelector('.tip'))")


def power(text):
    """10^-1.5, as the tip says it, is -1.5."""
    assert text.startswith("10"), text
    return float(text[2:].replace("−", "-"))


def point_at(browser, place, figure=""):
    """Move to where it is drawn on the x axis: 1 % of that is free on both sides."""
    numbers = "document.querySelector('.wide .gs-figure" + figure + " .gs-panel').dataset.%s" \
              ".split(' ').map(Number)"
    scroll_to(browser, ".wide .gs-figure" + figure)
    left, top, _, _ = box(browser, ".wide .gs-figure" + figure)
    x, y, width, height = browser.run(numbers % "box")
    low, high = browser.run(numbers % "x")
    browser.move(left + x + width * (place - low) / (high - low), top + y + height / 2)


def complaints(browser):
    kinds = "Log.entryAdded", "Runtime.exceptionThrown", "Runtime.consoleAPICalled"
    return [event["params"] for event in browser.events if event["method"] in kinds]


# ---- Tests: each says what is wrong by an assertion ----

def test_pages_need_nothing_and_complain_of_nothing(browser):
    for name in [*LOGS, "hostile"]:
        browser.show()
        browser.open(name + ".html")
        x, y = middle(browser, ".wide .gs-figure")
        browser.move(x, y)
        asked = {event["params"]["request"]["url"] for event in browser.events
                 if event["method"] == "Network.requestWillBeSent"}
        asked = {url for url in asked if not url.startswith("data:")}
        assert len(asked) == 1, asked
        assert not complaints(browser), complaints(browser)
        with open(name + ".html", encoding="utf-8") as file:
            assert not Structure(file.read()).wrong, name
        names = re.findall(r"\w+://[^\s\"']*", browser.run("document.documentElement.outerHTML"))
        assert set(names) == {"http://www.w3.org/2000/svg"}, names


def test_the_pointer_shows_the_values_of_a_layer(browser):
    browser.show()
    browser.open("lines.html")
    for layer in (1, 7, 24):
        point_at(browser, layer)
        rows = tip(browser)
        assert rows[0] == ["layer %d" % layer], rows[0]
        shown = {row[1]: power(row[2]) for row in rows[1:]}
        expected = means("lines", ("act", "init"), layer)
        assert shown.keys() == expected.keys(), shown
        for name, value in expected.items():
            assert abs(shown[name] - value) < 0.0051, (name, value, shown[name])
        assert list(shown.values()) == sorted(shown.values(), reverse=True), shown
    browser.move(2, 2)
    assert tip(browser) is None


def test_the_pointer_shows_the_step_on_an_axis_of_powers(browser):
    browser.show()
    browser.open("spaced.html")
    losses = {int(row["step"]): float(row["loss"]) for row in rows_of("spaced")}
    for step in (1, 50, 1000):
        point_at(browser, math.log10(step), "[data-x-decades]")
        rows = tip(browser)
        assert rows[0] == ["step %d" % step], rows[0]
        assert abs(float(rows[1][2]) - losses[step]) < 0.001, (rows[1], losses[step])


def test_the_pointer_shows_the_value_of_a_cell(browser):
    browser.show(height=1400)
    browser.open("many.html")
    expected = means("many", ("layers", "act", "norm", "residual"), None)
    panel = "document.querySelector('.wide .gs-panel').dataset."
    lefts, tops = (browser.run(panel + side).split() for side in ("columns", "rows"))
    width, height = map(float, browser.run(panel + "cell").split())
    scroll_to(browser, ".wide .gs-figure")
    left, top, _, _ = box(browser, ".wide .gs-figure")
    for column, row in ((0, 0), (1, 2), (len(lefts) - 1, len(tops) - 1)):
        browser.move(left + float(lefts[column]) + width / 2, top + float(tops[row]) + height / 2)
        across, down, value = tip(browser)
        parts = dict(part.split(" ") for part in ", ".join(across + down).split(", "))
        key = ", ".join("%s %s" % (o, parts[o]) for o in ("layers", "act", "norm", "residual"))
        assert abs(power(value[1]) - expected[key]) < 0.0051, (key, value)


def displays(browser, series):
    return browser.run("getComputedStyle(document.querySelector("
                       "'.wide .gs-series[data-series=\"%d\"]')).display" % series)


def test_a_click_hides_and_shows_a_series(browser):
    browser.show()
    browser.open("lines.html")
    pressed = "document.querySelectorAll('.legend button')[1].getAttribute('aria-pressed')"
    click(browser, ".legend button", 1)
    assert displays(browser, 1) == "none" and browser.run(pressed) == "false"
    assert displays(browser, 0) != "none" and displays(browser, 2) != "none"
    point_at(browser, 5)
    names = [row[1] for row in tip(browser)[1:]]
    assert len(names) == 5 and "act sigmoid, init he-normal" not in names, names
    click(browser, ".legend button", 1)
    assert displays(browser, 1) != "none" and browser.run(pressed) == "true"


def test_keys_hide_and_show_a_series(browser):
    browser.show()
    browser.open("lines.html")
    browser.run("document.querySelectorAll('.legend button')[2].focus()")
    browser.press(" ", 32, " ")
    assert displays(browser, 2) == "none"
    browser.press("Enter", 13, "\r")
    assert displays(browser, 2) != "none"


def column(browser, index):
    return browser.run("Array.from(document.querySelectorAll('tbody tr')).map(r => "
                       "(c => c.dataset.value ?? c.textContent)(r.cells[%d]))" % index)


def test_the_table_sorts_both_ways(browser):
    browser.show()
    browser.open("many.html")
    heads = browser.run("Array.from(document.querySelectorAll('th')).map(h => h.innerText.trim())")
    for name, kind in (("end to end, log10", float), ("layers", float), ("act", str)):
        index = heads.index(name)
        button = "th:nth-child(%d) button" % (index + 1)
        before = [kind(text) for text in column(browser, index)]
        for order, reverse in (("ascending", False), ("descending", True)):
            click(browser, button)
            shown = [kind(text) for text in column(browser, index)]
            assert shown == sorted(before, reverse=reverse), (name, shown)
            assert browser.run("document.querySelector('th[aria-sort]').ariaSort") == order
    numbers = [int(text) for text in column(browser, 0)]
    assert sorted(numbers) == list(range(1, 37)), numbers


def test_the_table_is_that_of_the_log(browser):
    browser.show()
    browser.open("lines.html")
    expected = list(means("lines", ("act", "init"), None).values())
    shown = [float(text) for text in column(browser, 5)]
    assert len(shown) == 6 and all(abs(a - b) < 1e-9 for a, b in zip(shown, expected)), shown
    words = column(browser, 7)
    assert words == ["vanishing" if value < -3 else "healthy" for value in expected], words


def luminance(color):
    """WCAG 2.2, relative luminance."""
    parts = [float(part) / 255 for part in re.findall(r"[\d.]+", color)[:3]]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(a, b):
    a, b = sorted((luminance(a), luminance(b)))
    return (b + 0.05) / (a + 0.05)


def test_light_and_dark_differ_and_have_contrast(browser):
    pictures = []
    for dark in (False, True):
        browser.show(dark=dark)
        browser.open("lines.html")
        style = "getComputedStyle(document.querySelector('%s')).%s"
        card, ground = (browser.run(style % (of, "backgroundColor")) for of in (".card", "body"))
        assert (luminance(card) < 0.05) == dark, card
        for text, under in (("h1", ground), ("header p", ground), ("h2", card), ("td", card),
                            ("th", card), (".legend button", card), (".legend .note", card)):
            ratio = contrast(browser.run(style % (text, "color")), under)
            assert ratio >= 4.5, (text, dark, ratio)
        for text in (".gs-tick", ".gs-label"):
            ratio = contrast(browser.run(style % (".wide " + text, "fill")), card)
            assert ratio >= 4.5, (text, dark, ratio)
        for word in ("vanishing", "healthy"):
            ratio = contrast(browser.run("getComputedStyle(document.querySelector('td .%s'), "
                                         "'::before').color" % word), card)
            assert ratio >= 3, (word, dark, ratio)
        pictures.append(browser.screenshot())
    assert pictures[0] != pictures[1]


def test_pictures_are_not_blank(browser):
    for name in ("lines", "many", "training"):
        browser.show(1000, 700)
        browser.open(name + ".html")
        middle(browser, ".wide .gs-figure")
        rows = chromium.pixels(browser.screenshot())
        assert (len(rows[0]), len(rows)) == (1000, 700)
        colors = {pixel for row in rows for pixel in row}
        assert len(colors) > 100, len(colors)
        reds = {pixel for pixel in colors if pixel[0] > pixel[2] + 60}
        blues = {pixel for pixel in colors if pixel[2] > pixel[0] + 60}
        assert reds and blues, name


def test_nothing_moves_while_it_loads_and_is_used(browser):
    browser.show()
    browser.open("lines.html")
    before = browser.run("document.documentElement.scrollHeight")
    click(browser, ".legend button")
    point_at(browser, 5)
    click(browser, "th button", 1)
    assert browser.run("document.documentElement.scrollHeight") == before
    shift = browser.run("new Promise(done => { new PerformanceObserver(list => done(list"
                        ".getEntries().reduce((sum, e) => sum + e.value, 0))).observe({type: "
                        "'layout-shift', buffered: true}); setTimeout(() => done(0), 200); })")
    assert shift < 0.001, shift


def test_a_phone_needs_no_sideways_scrolling(browser):
    for name in (*LOGS, "hostile"):
        browser.show(390, 844, mobile=True)
        browser.open(name + ".html")
        width = browser.run("document.documentElement.scrollWidth")
        assert width == 390, (name, width)
        widths = browser.run("Array.from(document.querySelectorAll(':not(.always-wide) > div > "
                             ".gs-figure')).map(s => s.getBoundingClientRect().width)")
        assert name == "wide" or (0 in widths and 330 < max(widths) <= 390), (name, widths)


def test_a_finger_shows_values_until_the_next_touch(browser):
    browser.show(390, 844, mobile=True)
    browser.open("lines.html")
    browser.touch(*middle(browser, ".narrow .gs-figure"))
    assert len(tip(browser)) == 7, tip(browser)
    browser.touch(5, 5)
    assert tip(browser) is None


def test_paper_is_white_and_whole(browser):
    browser.show(760, 1000, dark=True, media="print")
    browser.open("many.html")
    style = "getComputedStyle(document.querySelector('%s')).%s"
    assert luminance(browser.run(style % (".card", "backgroundColor"))) == 1
    assert luminance(browser.run(style % (".wide .gs-paper", "fill"))) == 1
    assert luminance(browser.run(style % ("td", "color"))) < 0.05
    assert browser.run(style % (".scroll", "overflow")) == "visible"
    width, room = browser.run("[document.querySelector('table').offsetWidth, innerWidth]")
    assert width <= room, (width, room)
    pdf = browser.pdf()
    assert pdf.startswith(b"%PDF") and len(re.findall(rb"/Type\s*/Page\b", pdf)) >= 2


def test_texts_of_a_log_stay_texts(browser):
    browser.show()
    browser.open("hostile.html")
    assert browser.run("document.title") == "Gradients by act and init"
    assert browser.run("document.querySelectorAll('b[onclick], img').length") == 0
    figures = browser.run("document.querySelectorAll('.lines').length")
    assert browser.run("document.scripts.length") == figures + 1
    names = browser.run("Array.from(document.querySelectorAll('.legend button')).map("
                        "b => b.textContent)")
    assert len(names) == 6, names
    for text in HOSTILE[:3]:
        assert any(text in name for name in names), (text, names)
    assert any("</style></title>\ufffd\ufffd[31m\ufffd" in name for name in names), names


def test_what_is_not_finite_is_said(browser):
    browser.show()
    browser.open("infinite.html")
    words = set(column(browser, browser.run(
        "Array.from(document.querySelectorAll('th')).findIndex(h => h.innerText.includes("
        "'verdict'))")))
    assert len(words) > 1, words


def test_pages_are_small(_):
    for name in (*LOGS, "hostile"):
        assert os.path.getsize(name + ".html") < 300_000, name


# ---- The whole ----

def main():
    tests = [(name[5:].replace("_", " "), test) for name, test in globals().items()
             if name.startswith("test_") and name.find(sys.argv[1] if sys.argv[1:] else "") >= 0]
    failed = 0
    with tempfile.TemporaryDirectory(prefix="gradsim-pages-") as folder:
        os.chdir(folder)
        make_pages()
        browser = chromium.Chromium()
        try:
            for name, test in tests:
                failed += not passes(name, test, browser)
        finally:
            browser.close()
    print("%d passed, %d failed" % (len(tests) - failed, failed))
    return failed > 0


def passes(name, test, browser):
    try:
        test(browser)
    except (AssertionError, RuntimeError, TimeoutError, TypeError, ValueError, KeyError) as error:
        where = error.__traceback__.tb_next
        print("not ok - %s # line %d: %s: %s" % (name, where.tb_lineno if where else 0,
                                                type(error).__name__, str(error)[:300]))
        return False
    print("ok - " + name)
    return True


if __name__ == "__main__":
    sys.exit(main())
