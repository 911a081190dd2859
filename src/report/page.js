// What a page does when it is touched: values at the pointer, series that hide, a table that sorts.
// Without it the page shows all that it knows. The marks in the pictures are those of svg.h.
'use strict';

// ---- Texts ----

const numbers = text => text.split(' ').map(number);

// "nan", "inf" and "-inf" as they are in logs.
function number(text) {
    return text === 'inf' ? Infinity : text === '-inf' ? -Infinity : Number.parseFloat(text);
}

function format(value, decades) {
    if (Number.isNaN(value))
        return '–';
    if (!Number.isFinite(value))
        return value > 0 ? '∞' : '−∞';
    const text = decades ? value.toFixed(2) : String(Number(value.toPrecision(4)));
    return text.replace(/^-(?=[0.]*$)/, '').replace(/-/g, '−');
}

// "step 50" of the axis "step (0 is left out)".
function placeText(label, text) {
    return `${(label || '').replace(/ \(.*\)$/, '')} ${text}`;
}

function element(name, text, ...classes) {
    const made = document.createElement(name);
    made.textContent = text;
    made.classList.add(...classes);
    return made;
}

// A value of a quantity whose numbers are log10 of what it names is a power of ten.
function valueElement(value, decades) {
    if (!decades || !Number.isFinite(value))
        return element('b', decades && value === -Infinity ? '0' : format(value));
    const made = element('b', '10');
    made.append(element('sup', format(value, true)));
    return made;
}

// ---- The tip: a box beside the pointer ----

const tip = document.body.appendChild(element('div', '', 'tip'));
tip.hidden = true;
tip.setAttribute('role', 'status');

function showTip(rows, x, y) {
    tip.replaceChildren(...rows);
    tip.hidden = false;
    const width = document.documentElement.clientWidth, gap = 16;
    const left = x + gap + tip.offsetWidth > width ? x - gap - tip.offsetWidth : x + gap;
    const top = Math.min(y + gap, innerHeight - tip.offsetHeight - 4);
    tip.style.left = Math.max(4, left) + 'px';
    tip.style.top = Math.max(4, top) + 'px';
}

function row(...parts) {
    const made = element('div', '');
    made.append(...parts);
    return made;
}

// ---- Panels ----

function mark(panel, name, attributes) {
    const made = document.createElementNS('http://www.w3.org/2000/svg', name);
    for (const key in attributes)
        made.setAttribute(key, attributes[key]);
    return panel.appendChild(made);
}

function share(range, value) {
    return (value - range[0]) / (range[1] - range[0]);
}

// The panel of a picture at a place on the screen, and the place in the picture's coordinates.
function panelAt(svg, event) {
    const point = new DOMPoint(event.clientX, event.clientY);
    const at = point.matrixTransform(svg.getScreenCTM().inverse());
    for (const [index, panel] of svg.querySelectorAll('.gs-panel').entries()) {
        const box = numbers(panel.dataset.box), right = box[0] + box[2], bottom = box[1] + box[3];
        if (at.x >= box[0] - 8 && at.x <= right + 8 && at.y >= box[1] - 8 && at.y <= bottom + 8)
            return {panel, index, box, x: at.x, y: at.y};
    }
    return null;
}

// ---- Lines: the values of all series at the nearest x ----

function nearest(series, wanted) {
    let best = NaN;
    for (const {x} of series)
        for (const value of x)
            if (!(Math.abs(value - wanted) >= Math.abs(best - wanted)))
                best = value;
    return best;
}

function seriesRow(picture, series, at) {
    const value = number(String(series.y ? series.y[at] : NaN)), decades = picture.decades;
    const button = picture.buttons[series.series];
    const swatch = element('i', ''), name = element('span', button ? button.textContent : 'value');
    if (button)
        swatch.append(button.querySelector('svg').cloneNode(true));
    const parts = [swatch, name, valueElement(value, decades)];
    const range = end => format(Number(series[end][at]), decades);
    if (series.low && Number.isFinite(series.low[at]))
        parts.push(element('small', `${range('low')} … ${range('high')}`));
    if (series.theory && Number.isFinite(series.theory[at]))
        parts.push(element('small', `${picture.dashed} ${range('theory')}`));
    return {value, row: row(...parts)};
}

function linesTip(picture, svg, place) {
    const {panel, box} = place, xs = numbers(panel.dataset.x), ys = numbers(panel.dataset.y);
    const shown = picture.panels[place.index].filter(s => !picture.hidden.has(s.series));
    const x = nearest(shown, xs[0] + (place.x - box[0]) / box[2] * (xs[1] - xs[0]));
    if (Number.isNaN(x))
        return null;
    const left = box[0] + box[2] * share(xs, x);
    mark(panel, 'path', {class: 'cross', d: `M${left},${box[1]}v${box[3]}`});
    const rows = [];
    for (const series of shown) {
        const at = series.x.indexOf(x);
        if (at < 0)
            continue;
        const made = seriesRow(picture, series, at);
        const height = share(ys, made.value);
        if (height >= 0 && height <= 1)
            mark(panel, 'circle', {class: 'dot', cx: left, cy: box[1] + box[3] * (1 - height), r: 4});
        rows.push(made);
    }
    rows.sort((a, b) => b.value - a.value);
    const at = 'xDecades' in svg.dataset ? Number((10 ** x).toPrecision(9)) : x;
    const label = placeText(svg.dataset.xLabel || 'x', String(at).replace('-', '−'));
    return [element('strong', label), ...rows.map(made => made.row)];
}

// ---- Maps: the value of a cell ----

function cellAt(starts, size, place) {
    return starts.findIndex(start => place >= start && place < start + size);
}

function mapTip(picture, svg, place) {
    const data = place.panel.dataset, [width, height] = numbers(data.cell);
    const lefts = numbers(data.columns), tops = numbers(data.rows);
    const column = cellAt(lefts, width, place.x), line = cellAt(tops, height, place.y);
    if (column < 0 || line < 0)
        return null;
    mark(place.panel, 'rect', {class: 'cell', x: lefts[column], y: tops[line], width, height});
    const value = number(data.values.split(' ')[line * lefts.length + column]);
    const named = (label, names, at) =>
        row(element('span', placeText(label, names.split('\n')[at])));
    return [
        named(svg.dataset.xLabel, data.columnNames, column),
        named(svg.dataset.yLabel, data.rowNames, line),
        row(element('span', svg.dataset.valueLabel || 'value'), valueElement(value, picture.decades)),
    ];
}

// ---- Pictures ----

function clear() {
    document.querySelectorAll('.cross, .dot, .cell').forEach(old => old.remove());
    tip.hidden = true;
}

function follow(picture, svg) {
    const kind = svg.dataset.kind === 'map' ? mapTip : linesTip;
    const move = event => {
        clear();
        const place = panelAt(svg, event), rows = place && kind(picture, svg, place);
        if (rows)
            showTip(rows, event.clientX, event.clientY);
    };
    svg.addEventListener('pointermove', move);
    svg.addEventListener('pointerdown', move);
    // What a finger has shown stays until the next touch.
    svg.addEventListener('pointerleave', event => event.pointerType === 'touch' || clear());
}

function toggle(picture, figure, button) {
    const series = Number(button.dataset.series), shows = picture.hidden.delete(series);
    if (!shows)
        picture.hidden.add(series);
    button.setAttribute('aria-pressed', String(shows));
    for (const drawn of figure.querySelectorAll(`.gs-series[data-series="${series}"]`))
        drawn.classList.toggle('off', !shows);
}

// The others step back while the pointer or the focus is on a name.
function stress(figure, series) {
    for (const drawn of figure.querySelectorAll('.gs-series'))
        drawn.classList.toggle('back', series !== null && drawn.dataset.series !== series);
}

function begin(figure) {
    const data = figure.querySelector('script');
    const picture = {
        decades: 'decades' in figure.dataset,
        dashed: figure.dataset.dashed || 'theory',
        panels: data ? JSON.parse(data.textContent) : [],
        hidden: new Set(),
        buttons: figure.querySelectorAll('button'),
    };
    for (const panel of picture.panels)
        for (const series of panel)
            series.x = series.x || panel[0].x;
    for (const button of picture.buttons) {
        const series = button.dataset.series;
        button.addEventListener('click', () => toggle(picture, figure, button));
        for (const name of ['pointerenter', 'focus'])
            button.addEventListener(name, () => stress(figure, series));
        for (const name of ['pointerleave', 'blur'])
            button.addEventListener(name, () => stress(figure, null));
    }
    for (const svg of figure.querySelectorAll('.gs-figure'))
        follow(picture, svg);
}

// ---- The table ----

// What there is none of comes last, whichever way.
function compare(a, b, direction) {
    const absent = value => value === '' || Number.isNaN(value);
    if (absent(a) || absent(b))
        return absent(a) - absent(b);
    return (a < b ? -1 : a > b ? 1 : 0) * direction;
}

function key(tr, column, numeric) {
    const cell = tr.cells[column], text = cell.dataset.value ?? cell.textContent;
    return numeric ? number(text) : text;
}

function sort(table, head) {
    const falls = head.getAttribute('aria-sort') === 'ascending';
    const column = head.cellIndex, numeric = 'numeric' in head.dataset, body = table.tBodies[0];
    const rows = [...body.rows].map(tr => [key(tr, column, numeric), tr]);
    rows.sort((a, b) => compare(a[0], b[0], falls ? -1 : 1));
    body.replaceChildren(...rows.map(pair => pair[1]));
    for (const other of table.tHead.rows[0].cells)
        other.removeAttribute('aria-sort');
    head.setAttribute('aria-sort', falls ? 'descending' : 'ascending');
}

document.querySelectorAll('figure').forEach(begin);
addEventListener('pointerdown', clear, true);
addEventListener('scroll', clear, true);
for (const button of document.querySelectorAll('th button'))
    button.addEventListener('click', () => sort(button.closest('table'), button.closest('th')));
