'use strict';
// Draws the charts that #charts describes, sorts tables, switches the theme. Text from files is only ever set as text.
(() => {
  const DASHES = [[], [8, 4], [2, 3], [9, 3, 2, 3]];
  const SHAPES = 4;
  const MOST_IN_TIP = 10;
  const MOST_MARKERS = 100;
  const root = document.documentElement;
  const specs = JSON.parse(document.getElementById('charts').textContent);
  const charts = [];

  const css = name => getComputedStyle(root).getPropertyValue(name).trim();
  const color = s => css('--c' + s.color % 8);

  function element(tag, parent, text, className) {
    const e = document.createElement(tag);
    if (text) e.textContent = text;
    if (className) e.className = className;
    parent.append(e);
    return e;
  }

  // Numbers

  const digits = (v, n) => new Intl.NumberFormat('en', {maximumSignificantDigits: n}).format(v);

  function format(unit, v, n = 4) {
    if (v == null) return '';
    if (unit === '%') return digits(v * 100, n) + ' %';
    if (unit === 's') {
      const a = Math.abs(v);
      if (a === 0) return '0 s';
      if (a < 1e-3) return digits(v * 1e6, n) + ' \u00b5s';
      if (a < 1) return digits(v * 1e3, n) + ' ms';
      return digits(v, n) + ' s';
    }
    const short = digits(v, Math.max(n, Math.ceil(Math.log10(Math.abs(v) + 1))));
    return unit ? short + ' ' + unit : short;
  }

  const atX = (spec, i) => spec.x.labels ? spec.x.labels[i] : format(spec.x.unit, spec.xs[i]);

  // Drawing

  function marker(ctx, shape, x, y, r) {
    ctx.beginPath();
    if (shape === 0) ctx.arc(x, y, r, 0, 2 * Math.PI);
    else if (shape === 1) ctx.rect(x - r, y - r, 2 * r, 2 * r);
    else {
      const corners = shape === 2 ? [[0, -1.3], [1.2, 1], [-1.2, 1]] : [[0, -1.4], [1.4, 0], [0, 1.4], [-1.4, 0]];
      corners.forEach(([dx, dy], i) => i ? ctx.lineTo(x + dx * r, y + dy * r) : ctx.moveTo(x + dx * r, y + dy * r));
      ctx.closePath();
    }
    ctx.fill();
  }

  function drawMarkers(spec, s) {
    return (u, index) => {
      const ctx = u.ctx;
      ctx.save();
      ctx.fillStyle = color(s);
      spec.xs.forEach((x, i) => {
        if (s.y[i] == null || x < u.scales.x.min || x > u.scales.x.max) return;
        marker(ctx, s.color % SHAPES, u.valToPos(x, 'x', true), u.valToPos(s.y[i], 'y', true), 4 * devicePixelRatio);
      });
      ctx.restore();
      return false;
    };
  }

  function drawIntervals(spec) {
    return u => {
      const ctx = u.ctx;
      const {left, top, width, height} = u.bbox;
      ctx.save();
      ctx.beginPath();
      ctx.rect(left, top, width, height);
      ctx.clip();
      ctx.lineWidth = 1.5 * devicePixelRatio;
      spec.series.forEach((s, n) => {
        if (!s.low || !u.series[n + 1].show) return;
        // On a bar of its own colour it would not be seen.
        ctx.strokeStyle = spec.kind === 'bars' ? css('--ink') : color(s);
        const cap = 4 * devicePixelRatio;
        spec.xs.forEach((x, i) => {
          if (s.low[i] == null || s.high[i] == null) return;
          const at = u.valToPos(x, 'x', true);
          const low = u.valToPos(Math.max(s.low[i], u.scales.y.min), 'y', true);
          const high = u.valToPos(s.high[i], 'y', true);
          ctx.beginPath();
          ctx.moveTo(at - cap, low); ctx.lineTo(at + cap, low);
          ctx.moveTo(at, low); ctx.lineTo(at, high);
          ctx.moveTo(at - cap, high); ctx.lineTo(at + cap, high);
          ctx.stroke();
        });
      });
      ctx.strokeStyle = css('--worse');
      ctx.fillStyle = css('--worse');
      for (const m of spec.marks) {
        const at = u.valToPos(m.x, 'x', true);
        ctx.setLineDash([4 * devicePixelRatio, 4 * devicePixelRatio]);
        ctx.beginPath(); ctx.moveTo(at, top); ctx.lineTo(at, top + height); ctx.stroke();
        marker(ctx, 3, at, top + 6 * devicePixelRatio, 4 * devicePixelRatio);
      }
      ctx.restore();
    };
  }

  function xRange(spec) {
    const first = spec.xs[0], last = spec.xs[spec.xs.length - 1];
    return (u, min, max) => {
      if (min == null) return [0, 1];
      // uPlot widens the range of a single value by itself.
      if (first === last) min = max = first;
      if (spec.x.labels) return [min - .5, max + .5];
      if (spec.x.scale !== 'linear') return min === max ? [min / 2, max * 2] : spec.kind === 'steps' ? [min, max] : [min / 1.15, max * 1.15];
      if (min === max) return [min - 1, max + 1];
      const pad = spec.kind === 'steps' ? 0 : (max - min) * .03;
      return [min - (min > first ? 0 : pad), max + (max < last ? 0 : pad)];
    };
  }

  function yRange(spec) {
    return (u, min, max) => {
      if (min == null) return [spec.y.scale === 'log' ? 1 : 0, spec.y.scale === 'log' ? 10 : 1];
      spec.series.forEach((s, n) => {
        if (!s.low || !u.series[n + 1].show) return;
        for (const v of s.low) if (v != null) min = Math.min(min, v);
        for (const v of s.high) if (v != null) max = Math.max(max, v);
      });
      if (spec.y.scale === 'log') {
        const low = Math.floor(Math.log10(min)), high = Math.ceil(Math.log10(max));
        return [10 ** low, 10 ** (high > low ? high : low + 1)];
      }
      if (spec.y.unit === '%') return [0, 1];
      if (spec.y.zero) return [0, max > 0 ? max * 1.06 : 1];
      return uPlot.rangeNum(min, max, .1, true);
    };
  }

  function xAxis(spec, width) {
    const axis = {label: spec.x.label, values: (u, splits) => splits.map(v => format(spec.x.unit, v, 3))};
    if (spec.x.labels) {
      const most = Math.max(1, Math.floor(width / 28));
      const every = Math.ceil(spec.xs.length / most);
      const longest = Math.min(24, Math.max(...spec.x.labels.map(l => l.length)));
      const turned = longest * 7 * spec.xs.length / every > width - 80;
      const cut = l => l.length > 24 ? l.slice(0, 23) + '\u2026' : l;
      axis.splits = () => spec.xs.filter((x, i) => i % every === 0);
      axis.values = (u, splits) => splits.map(x => cut(spec.x.labels[spec.xs.indexOf(x)] || ''));
      if (turned) { axis.rotate = -40; axis.size = 20 + longest * 4.6; }
      axis.grid = {show: false};
    } else if (spec.kind !== 'steps' && spec.xs.length <= width / 60) {
      // Every value that was measured, where there is room.
      let splits = spec.xs;
      if (spec.x.scale === 'linear') {
        const span = splits[splits.length - 1] - splits[0];
        if (splits.some((x, i) => i && (x - splits[i - 1]) / span * width < 34)) splits = null;
      }
      if (splits) axis.splits = () => splits;
    }
    if (axis.splits) axis.filter = (u, splits) => splits;
    return axis;
  }

  function options(chart, width) {
    const {spec} = chart;
    const pen = {stroke: css('--soft'), grid: {stroke: css('--line'), width: 1}, ticks: {stroke: css('--line'), width: 1}, font: '12px system-ui, sans-serif', labelFont: '12px system-ui, sans-serif', labelSize: 22};
    const x = xAxis(spec, width);
    const scale = a => a.scale === 'linear' ? {} : {distr: 3, log: a.scale === 'log2' ? 2 : 10};
    const markers = spec.xs.length <= MOST_MARKERS && spec.kind !== 'steps' && spec.kind !== 'bars';
    const paths = {
      lines: uPlot.paths.linear(),
      steps: uPlot.paths.stepped({align: 1}),
      bars: uPlot.paths.bars({size: [.6, 72]}),
      points: () => null,
    }[spec.kind];
    return {
      width, height: Math.max(240, Math.min(340, width * .6)) + (x.size ? x.size / 2 : 0),
      legend: {show: false},
      cursor: {points: {size: 7}, drag: {x: true, y: false}},
      scales: {x: {time: false, ...scale(spec.x), range: xRange(spec)}, y: {...scale(spec.y), range: yRange(spec)}},
      axes: [
        {...pen, ...x, grid: {...pen.grid, ...x.grid}},
        {...pen, label: spec.y.label, size: (u, v) => v ? 18 + 7.5 * Math.max(3, ...v.map(t => (t || '').length)) : 50, values: (u, splits) => splits.map(v => format(spec.y.unit, v, 3))},
      ],
      series: [{}, ...spec.series.map(s => ({
        label: s.name, show: s.shown, stroke: color(s), width: spec.kind === 'steps' ? 1.5 : 2, dash: DASHES[s.dash % DASHES.length],
        spanGaps: spec.joined, paths,
        fill: spec.kind === 'bars' ? color(s) + '66' : undefined,
        points: {show: markers ? drawMarkers(spec, s) : false},
      }))],
      hooks: {draw: [drawIntervals(spec)], setCursor: [u => showTip(chart, u)]},
    };
  }

  // Values on hover

  function showTip(chart, u) {
    const {spec, tip} = chart;
    const i = u.cursor.idx;
    if (i == null || u.cursor.left < 0) { tip.hidden = true; return; }
    const y = u.posToVal(u.cursor.top, 'y');
    const shown = spec.series.filter((s, n) => u.series[n + 1].show && s.y[i] != null);
    const nearest = [...shown].sort((a, b) => Math.abs(a.y[i] - y) - Math.abs(b.y[i] - y)).slice(0, MOST_IN_TIP);
    tip.replaceChildren();
    element('b', tip, (spec.x.labels ? '' : spec.x.label + ' ') + atX(spec, i));
    if (spec.notes && spec.notes[i]) element('div', tip, spec.notes[i]);
    for (const m of spec.marks) if (m.x === spec.xs[i]) element('div', tip, m.text);
    for (const s of shown) {
      if (!nearest.includes(s)) continue;
      let text = s.name + ': ' + format(spec.y.unit, s.y[i], 5);
      if (s.low && s.low[i] != null) text += ' (95 %: ' + format(spec.y.unit, s.low[i]) + ' to ' + format(spec.y.unit, s.high[i]) + ')';
      element('span', tip, text).style.borderColor = color(s);
    }
    if (shown.length > nearest.length) element('div', tip, 'and ' + (shown.length - nearest.length) + ' more');
    if (!shown.length) element('div', tip, 'no value');
    tip.hidden = false;
    const box = u.over.getBoundingClientRect(), figure = chart.figure.getBoundingClientRect();
    const at = box.left - figure.left + u.cursor.left;
    const left = at + 14 + tip.offsetWidth > figure.width ? at - 14 - tip.offsetWidth : at + 14;
    tip.style.left = Math.max(4, Math.min(left, figure.width - tip.offsetWidth - 4)) + 'px';
    tip.style.top = box.top - figure.top + Math.max(0, Math.min(u.cursor.top - 20, box.height - tip.offsetHeight)) + 'px';
  }

  function step(chart, by) {
    const u = chart.plot, last = chart.spec.xs.length - 1;
    const from = u.cursor.idx == null || u.cursor.left < 0 ? (by > 0 ? -1 : last + 1) : u.cursor.idx;
    const i = Math.max(0, Math.min(last, from + by));
    u.setCursor({left: u.valToPos(chart.spec.xs[i], 'x'), top: u.over.clientHeight / 2});
    chart.said.textContent = chart.tip.innerText;
  }

  // Files

  function save(blob, name) {
    const a = document.createElement('a');
    a.href = URL.createObjectURL(blob);
    a.download = name;
    a.click();
    setTimeout(() => URL.revokeObjectURL(a.href), 10000);
  }

  function field(text) {
    // A spreadsheet must not take a name for a formula.
    const plain = /^[=+\-@\t\r]/.test(text) ? "'" + text : String(text);
    return /[",\r\n]/.test(plain) ? '"' + plain.replaceAll('"', '""') + '"' : plain;
  }

  function csvOf(spec) {
    const number = v => v == null ? '' : String(v);
    const head = [spec.x.label || 'x'];
    for (const s of spec.series) {
      head.push(s.name);
      if (s.low) head.push(s.name + ' low', s.name + ' high');
    }
    const lines = [head.map(field).join(',')];
    spec.xs.forEach((x, i) => {
      const row = [spec.x.labels ? field(spec.x.labels[i]) : number(x)];
      for (const s of spec.series) {
        row.push(number(s.y[i]));
        if (s.low) row.push(number(s.low[i]), number(s.high[i]));
      }
      lines.push(row.join(','));
    });
    return lines.join('\n') + '\n';
  }

  function picture(chart) {
    const from = chart.plot.ctx.canvas, k = devicePixelRatio, line = 18 * k, pad = 10 * k;
    const shown = chart.spec.series.filter((s, n) => chart.plot.series[n + 1].show).slice(0, 20);
    const to = document.createElement('canvas');
    to.width = from.width + 2 * pad;
    to.height = from.height + line * (shown.length + 2) + 2 * pad;
    const ctx = to.getContext('2d');
    ctx.fillStyle = css('--paper');
    ctx.fillRect(0, 0, to.width, to.height);
    ctx.fillStyle = css('--ink');
    ctx.font = 'bold ' + 14 * k + 'px system-ui, sans-serif';
    ctx.fillText(chart.spec.title, pad, pad + line * .8);
    ctx.drawImage(from, pad, pad + line * 1.3);
    ctx.font = 12 * k + 'px system-ui, sans-serif';
    shown.forEach((s, n) => {
      const y = pad + from.height + line * (n + 2);
      ctx.strokeStyle = ctx.fillStyle = color(s);
      ctx.lineWidth = 2 * k;
      ctx.setLineDash(DASHES[s.dash % DASHES.length].map(d => d * k));
      ctx.beginPath(); ctx.moveTo(pad, y); ctx.lineTo(pad + 42 * k, y); ctx.stroke();
      if (chart.spec.kind === 'lines' || chart.spec.kind === 'points') marker(ctx, s.color % SHAPES, pad + 21 * k, y, 4 * k);
      ctx.fillStyle = css('--ink');
      ctx.fillText(s.name, pad + 50 * k, y + 4 * k);
    });
    to.toBlob(blob => save(blob, chart.spec.id + '.png'));
  }

  // Legend

  function swatch(parent, s, kind) {
    const svg = document.createElementNS('http://www.w3.org/2000/svg', 'svg');
    svg.setAttribute('width', 42); svg.setAttribute('height', 10); svg.setAttribute('aria-hidden', 'true');
    const shape = (tag, attributes) => {
      const e = document.createElementNS(svg.namespaceURI, tag);
      for (const [k, v] of Object.entries(attributes)) e.setAttribute(k, v);
      svg.append(e);
    };
    const c = color(s);
    shape('line', {x1: 0, x2: 42, y1: 5, y2: 5, stroke: c, 'stroke-width': 2, 'stroke-dasharray': DASHES[s.dash % DASHES.length].join(' ')});
    if (kind === 'lines' || kind === 'points') {
      if (s.color % SHAPES === 0) shape('circle', {cx: 21, cy: 5, r: 4, fill: c});
      else shape('polygon', {points: ['', '17,1 25,1 25,9 17,9', '21,0 26,9 16,9', '21,0 26,5 21,10 16,5'][s.color % SHAPES], fill: c});
    }
    parent.append(svg);
  }

  function legend(chart) {
    const {spec, plot} = chart;
    chart.legend.replaceChildren();
    if (spec.series.length < 2) return;
    const set = (n, on) => { spec.series[n].shown = on; plot.setSeries(n + 1, {show: on}); };
    spec.series.forEach((s, n) => {
      const b = element('button', chart.legend);
      b.type = 'button';
      b.setAttribute('aria-pressed', s.shown);
      swatch(b, s, spec.kind);
      element('span', b, s.name);
      b.onclick = () => { set(n, !s.shown); b.setAttribute('aria-pressed', s.shown); };
    });
    if (spec.series.length < 5) return;
    for (const [word, on] of [['show none', false], ['show all', true]]) {
      const b = element('button', chart.legend, word);
      b.type = 'button';
      chart.legend.prepend(b);
      b.onclick = () => { plot.batch(() => spec.series.forEach((s, n) => set(n, on))); legend(chart); };
    }
  }

  // Charts

  function draw(chart) {
    if (chart.plot) chart.plot.destroy();
    const {spec} = chart;
    chart.plot = new uPlot(options(chart, chart.place.clientWidth), [spec.xs, ...spec.series.map(s => s.y)], chart.place);
    chart.tip.hidden = true;
    legend(chart);
  }

  function build(spec) {
    const figure = document.getElementById(spec.id);
    const caption = element('figcaption', figure);
    element('h3', caption, spec.title);
    for (const [word, save] of [['PNG', picture], ['CSV', c => saveCsv(c.spec)]]) {
      const b = element('button', caption, word);
      b.type = 'button';
      b.title = 'download as ' + word;
      b.setAttribute('aria-label', spec.title + ': download as ' + word);
      b.onclick = () => save(chart);
    }
    if (spec.note) element('p', figure, spec.note, 'small');
    const place = element('div', figure, '', 'plot');
    place.tabIndex = 0;
    place.setAttribute('role', 'img');
    place.setAttribute('aria-label', spec.title + ', a chart; arrow keys read its values, the CSV button saves them');
    const tip = element('div', figure, '', 'tip');
    const said = element('div', figure, '', 'said');
    said.setAttribute('aria-live', 'polite');
    const chart = {spec, figure, place, tip, said, legend: element('div', figure, '', 'legend')};
    place.onkeydown = e => {
      const by = {ArrowLeft: -1, ArrowRight: 1}[e.key];
      if (by) { step(chart, by); e.preventDefault(); }
      if (e.key === 'Escape') tip.hidden = true;
    };
    draw(chart);
    charts.push(chart);
    let width = place.clientWidth;
    new ResizeObserver(() => {
      if (place.clientWidth === width || !place.clientWidth) return;
      width = place.clientWidth;
      draw(chart);
    }).observe(place);
  }

  const saveCsv = spec => save(new Blob([csvOf(spec)], {type: 'text/csv'}), spec.id + '.csv');

  // Tables

  function sortable(table) {
    table.querySelectorAll('th').forEach((th, column) => {
      const b = document.createElement('button');
      b.type = 'button';
      b.append(...th.childNodes);
      th.append(b);
      b.onclick = () => {
        const down = th.getAttribute('aria-sort') === 'ascending';
        table.querySelectorAll('th').forEach(t => t.removeAttribute('aria-sort'));
        th.setAttribute('aria-sort', down ? 'descending' : 'ascending');
        const key = row => row.cells[column].dataset.v ?? row.cells[column].textContent;
        const compare = (a, b) => {
          const x = key(a), y = key(b);
          if (x === '' || y === '') return (x === '') - (y === '');
          const c = isNaN(x) || isNaN(y) ? x.localeCompare(y, 'en', {numeric: true}) : x - y;
          return down ? -c : c;
        };
        table.tBodies[0].append(...[...table.tBodies[0].rows].sort(compare));
      };
    });
  }

  // Theme

  const dark = matchMedia('(prefers-color-scheme: dark)');
  const redraw = () => charts.forEach(draw);
  const isDark = () => root.dataset.theme ? root.dataset.theme === 'dark' : dark.matches;
  const button = document.getElementById('theme');
  const nameTheme = () => { button.textContent = isDark() ? 'light' : 'dark'; };
  button.hidden = false;
  button.onclick = () => { root.dataset.theme = isDark() ? 'light' : 'dark'; nameTheme(); redraw(); };
  dark.addEventListener('change', () => { nameTheme(); redraw(); });
  let before;
  addEventListener('beforeprint', () => { before = root.dataset.theme; root.dataset.theme = 'light'; redraw(); });
  addEventListener('afterprint', () => {
    if (before) root.dataset.theme = before;
    else delete root.dataset.theme;
    redraw();
  });

  nameTheme();
  specs.forEach(build);
  document.querySelectorAll('table.sortable').forEach(sortable);
})();
