// The shared kit of all widgets: controls, plots, numbers, caption. No imports, no globals read but
// the DOM. Text may hold a little markup: *italic*, ~subscript~, ^superscript^.
const kit = (() => {
  const SVG_SPACE = "http://www.w3.org/2000/svg";
  const CSS = `
.sslw { --ink: var(--pst-color-text-base, var(--jp-content-font-color1, #222832));
  --paper: var(--pst-color-background, var(--jp-layout-color0, #fff));
  --quiet: color-mix(in srgb, var(--ink) 72%, var(--paper));
  --line: color-mix(in srgb, var(--ink) 26%, var(--paper));
  --wash: color-mix(in srgb, var(--ink) 7%, var(--paper));
  --blue: #0072B2; --red: #D55E00; --green: #009E73; --orange: #E69F00; --pink: #CC79A7;
  --tint: .17; container-type: inline-size; color: var(--ink); background: var(--paper); font-size: 15px;
  line-height: 1.45; border: 1px solid var(--line); border-radius: 8px; padding: 14px 16px;
  margin: 1em 0; color-scheme: light; break-inside: avoid; }
html[data-theme="dark"] .sslw, body[data-jp-theme-light="false"] .sslw {
  --blue: #56B4E9; --red: #F0803C; --green: #1FBF92; --orange: #E69F00; --pink: #DE9CC1;
  --tint: .27; color-scheme: dark; }
.sslw * { box-sizing: border-box; }
.sslw p { margin: 0; }
.sslw i, .sslw .it { font-family: "STIX Two Text", "Latin Modern Roman", "Times New Roman",
  "Liberation Serif", serif; font-style: italic; font-size: 1.07em; }
.sslw i { line-height: 1; }
.sslw sub, .sslw sup { font-size: .75em; line-height: 0; }
.sslw-question { font-weight: 600; }
.sslw-controls { display: flex; flex-wrap: wrap; gap: 10px 26px; margin-top: 12px; }
.sslw-control { flex: 1 1 200px; min-width: 0; }
.sslw-head { display: flex; justify-content: space-between; gap: 8px; align-items: baseline; }
.sslw-head label { min-width: 0; margin: 0; }
.sslw-head output { font-variant-numeric: tabular-nums; font-weight: 600; white-space: nowrap; }
.sslw-track { position: relative; }
.sslw input[type=range] { display: block; width: 100%; height: 28px; margin: 0; padding: 0;
  accent-color: var(--blue); cursor: pointer; background: none; }
.sslw-mark { position: absolute; top: 19px; width: 2px; height: 8px; margin-left: -1px;
  background: var(--ink); pointer-events: none; }
.sslw-ticks { display: flex; flex-wrap: wrap; gap: 4px 6px; min-height: 27px; }
.sslw button { font: inherit; font-size: 13px; line-height: 1.25; color: var(--ink);
  background: var(--wash); border: 1px solid var(--line); border-radius: 5px; padding: 4px 8px;
  min-height: 27px; cursor: pointer; }
.sslw button:hover { border-color: var(--ink); }
.sslw button[aria-pressed=true] { border-color: var(--ink); box-shadow: inset 0 0 0 1px var(--ink); }
.sslw select { font: inherit; font-size: 14px; color: var(--ink); background: var(--paper);
  border: 1px solid var(--quiet); border-radius: 5px; padding: 5px 6px; width: 100%;
  min-height: 32px; margin-top: 3px; }
.sslw-check { display: flex; gap: 9px; align-items: center; min-height: 32px; cursor: pointer;
  margin: 0; }
.sslw-check input { width: 19px; height: 19px; accent-color: var(--blue); flex: none; margin: 0; }
.sslw :is(input, select, button):focus-visible { outline: 2px solid var(--ink);
  outline-offset: 2px; }
.sslw-panels { display: flex; flex-wrap: wrap; gap: 14px 22px; margin-top: 12px;
  align-items: flex-start; }
.sslw-panel { flex: 1 1 280px; min-width: 0; }
.sslw-title { font-size: 14px; color: var(--ink); min-height: 1.45em; }
.sslw svg { display: block; width: 100%; height: auto; overflow: visible; font-size: 13px;
  font-family: inherit; touch-action: pan-y; background: none; }
.sslw svg text { fill: var(--ink); stroke: none; }
.sslw .halo { paint-order: stroke; stroke: var(--paper); stroke-width: 5px;
  stroke-linejoin: round; }
.sslw .quiet-text { fill: var(--quiet); }
.sslw .frame line { stroke: var(--line); stroke-width: 1; }
.sslw .frame .axis { stroke: var(--quiet); }
.sslw .frame text { fill: var(--quiet); }
.sslw .frame .name { fill: var(--ink); }
.sslw-legend { display: flex; flex-wrap: wrap; gap: 1px 16px; font-size: 13.5px;
  margin-top: 2px; }
.sslw-legend > span { display: inline-flex; gap: 6px; align-items: center; }
.sslw .sslw-legend svg { width: 30px; height: 14px; flex: none; }
.sslw path, .sslw line, .sslw circle, .sslw rect { fill: none; stroke: none; }
.sslw .s-ink { stroke: var(--ink); } .sslw .s-quiet { stroke: var(--quiet); }
.sslw .s-blue { stroke: var(--blue); } .sslw .s-red { stroke: var(--red); }
.sslw .s-green { stroke: var(--green); } .sslw .s-pink { stroke: var(--pink); }
.sslw .s-orange { stroke: var(--orange); } .sslw .s-line { stroke: var(--line); }
.sslw .f-ink { fill: var(--ink); } .sslw .f-paper { fill: var(--paper); }
.sslw .f-blue { fill: var(--blue); } .sslw .f-red { fill: var(--red); }
.sslw .f-green { fill: var(--green); } .sslw .f-quiet { fill: var(--quiet); }
.sslw .f-wash { fill: var(--wash); }
.sslw .tint { opacity: var(--tint); }
.sslw .w1 { stroke-width: 1.25; } .sslw .w2 { stroke-width: 2; } .sslw .w3 { stroke-width: 3; }
.sslw .dash { stroke-dasharray: 7 4; } .sslw .dot { stroke-dasharray: 1.5 4; stroke-linecap: round; }
.sslw .dashdot { stroke-dasharray: 9 4 2 4; }
.sslw .handle { cursor: grab; touch-action: none; outline: none; }
.sslw .handle:active { cursor: grabbing; }
.sslw .handle .ring { stroke: var(--ink); stroke-width: 2; opacity: 0; }
.sslw svg .handle:focus-visible { outline: none; } /* the ring shows the focus */
.sslw .handle:hover .ring { opacity: .35; }
.sslw .handle:focus-visible .ring, .sslw .handle:focus .ring { opacity: 1; }
.sslw .grip { fill: transparent; }
.sslw .handle .knob { stroke: var(--paper); stroke-width: 1.5; }
.sslw-numbers { display: flex; flex-wrap: wrap; gap: 6px 12px; margin: 12px 0 0; padding: 0; }
.sslw-number { flex: 1 1 120px; background: var(--wash); border-radius: 6px; padding: 6px 10px; }
.sslw-number .name { display: block; font-size: 13px; line-height: 20px; color: var(--ink); }
.sslw-number output { font-size: 17px; font-weight: 600; font-variant-numeric: tabular-nums;
  white-space: nowrap; }
.sslw-caption { display: block; margin-top: 12px; min-height: 4.4em; border-left: 4px solid;
  padding-left: 11px; border-color: var(--quiet); }
.sslw-caption b { font-weight: 700; }
.sslw-caption[data-tone=good] { border-color: var(--green); }
.sslw-caption[data-tone=bad] { border-color: var(--red); }
@container (max-width: 460px) { .sslw-caption { min-height: 7.3em; } }
@media (max-width: 480px) { .sslw { padding: 12px 10px; } }
@media (prefers-reduced-motion: no-preference) { .sslw .ring { transition: opacity .12s; } }
@media print { .sslw input[type=range], .sslw-ticks, .sslw-mark { display: none; } }
`;

  const MARKUP = /(\*[^*]+\*|~[^~]+~|\^[^^]+\^)/;
  function rich(target, text) {
    const vector = target.namespaceURI === SVG_SPACE;
    target.replaceChildren();
    let sunk = 0;
    for (const piece of String(text).split(MARKUP)) {
      if (!piece) continue;
      const kind = MARKUP.test(piece) ? piece[0] : "";
      const words = kind ? piece.slice(1, -1) : piece;
      if (!vector) {
        const tag = { "*": "i", "~": "sub", "^": "sup" }[kind];
        const node = tag ? document.createElement(tag) : document.createTextNode(words);
        if (tag) node.textContent = words;
        target.append(node);
        continue;
      }
      const level = { "~": 4, "^": -5 }[kind] ?? 0;
      const span = document.createElementNS(SVG_SPACE, "tspan");
      if (kind === "*") span.setAttribute("class", "it");
      if (level) span.setAttribute("font-size", "10");
      if (level !== sunk) span.setAttribute("dy", level - sunk);
      sunk = level;
      span.textContent = words;
      target.append(span);
    }
    return target;
  }
  const plain = (text) => String(text).replace(/[*~^]/g, "");

  function h(tag, attributes = {}, ...children) {
    const node = document.createElement(tag);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  }
  function s(tag, attributes = {}, ...children) {
    const node = document.createElementNS(SVG_SPACE, tag);
    for (const [key, value] of Object.entries(attributes)) node.setAttribute(key, value);
    node.append(...children);
    return node;
  }
  const clamp = (v, low, high) => Math.min(Math.max(v, low), high);

  // A number for people: `digits` significant digits, a true minus sign, zero for rounding dust.
  function show(v, digits = 3) {
    if (!Number.isFinite(v)) return v > 0 ? "∞" : v < 0 ? "−∞" : "undefined";
    if (Math.abs(v) < 1e-10) return "0";
    let text = Number(v.toPrecision(digits)).toString();
    if (Math.abs(v) < 1e-4) text = Number(v.toPrecision(digits)).toExponential();
    if (text.includes("e")) {
      const [m, e] = text.split("e");
      text = `${m}·10${[...String(Number(e))].map((c) => "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"["-0123456789".indexOf(c)]).join("")}`;
    }
    return text.replace("-", "−");
  }
  const fixed = (v, places = 2) => (Math.abs(v) < 0.5 * 10 ** -places ? (0).toFixed(places) : v.toFixed(places)).replace("-", "−");

  function niceTicks(low, high, wanted) {
    const raw = (high - low) / Math.max(wanted, 1);
    const power = 10 ** Math.floor(Math.log10(raw));
    const step = [1, 2, 2.5, 5, 10].map((m) => m * power).find((m) => m >= raw * 0.999);
    const out = [];
    for (let k = Math.ceil(low / step - 1e-9); k * step <= high + step * 1e-9; k += 1)
      out.push(Number((k * step).toPrecision(12)));
    return out;
  }

  // ---- the widget: root element, its values and the one path by which anything changes ----------
  function widget({ model, el, keys, name }) {
    const uid = `sslw${(globalThis.sslWidgetCount = (globalThis.sslWidgetCount ?? 0) + 1)}`;
    const controls = h("div", { class: "sslw-controls" });
    const panels = h("div", { class: "sslw-panels" });
    const numbers = h("div", { class: "sslw-numbers" });
    const caption = h("output", { class: "sslw-caption", "aria-live": "polite" });
    const question = rich(h("p", { class: "sslw-question", id: `${uid}-q` }), QUESTION);
    const root = h("div", { class: "sslw", role: "group", "aria-labelledby": `${uid}-q`,
      "data-widget": name });
    root.append(h("style", {}, CSS), question, controls, panels, numbers, caption);
    el.append(root);
    const plots = [], syncs = [], readouts = {};
    let draw = () => {}, ids = 0, ready = false;

    const get = (key) => model.get(key);
    function set(values) {
      for (const [key, value] of Object.entries(values)) model.set(key, value);
      model.save_changes();
    }
    function redraw() {
      if (!ready) return;
      for (const sync of syncs) sync();
      for (const p of plots) p.begin();
      const state = draw() ?? {};
      for (const [key, value] of Object.entries(state.numbers ?? {})) {
        const { text = show(value.value ?? value), value: raw = value } = value;
        readouts[key].textContent = text;
        readouts[key].dataset.value = raw;
      }
      if (state.caption) {
        const [lead, ...rest] = state.caption;
        const text = [lead, ...rest].join(" ");
        if (caption.dataset.text !== text) {
          caption.dataset.text = text;
          caption.replaceChildren(rich(h("b"), lead), " ", rich(h("span"), rest.join(" ")));
        }
        caption.dataset.tone = state.tone ?? "";
      }
      root.dataset.regime = state.regime ?? "";
      root.dataset.state = JSON.stringify(Object.fromEntries(keys.map((k) => [k, get(k)])));
    }

    function number(key, label) {
      const id = `${uid}-${(ids += 1)}`;
      readouts[key] = h("output", { id, "data-number": key, "aria-live": "off" });
      const title = rich(h("span", { class: "name", id: `${id}-n` }), label);
      readouts[key].setAttribute("aria-labelledby", `${id}-n ${id}`);
      numbers.append(h("div", { class: "sslw-number" }, title, readouts[key]));
    }

    // A slider; `ticks()` lists the critical values now: {label, value}. Each is a mark on the
    // track and a button that goes exactly there.
    function slider({ key, label, min, max, step, digits = 2, ticks = () => [] }) {
      const id = `${uid}-${(ids += 1)}`;
      const input = h("input", { type: "range", id, min, max, step: "any" });
      const output = h("output", { for: id, "aria-live": "off" });
      const track = h("div", { class: "sslw-track" }, input);
      const row = h("div", { class: "sslw-ticks", role: "group",
        "aria-label": `special values of ${plain(label)}` });
      const buttons = new Map();
      const go = (v) => set({ [key]: clamp(v, min, max) });
      input.addEventListener("input", () => {
        // the track is continuous; what the hand sets is rounded to the step
        const v = Number(input.value);
        go(v === get(key) ? v : Number((Math.round(v / step) * step).toPrecision(12)));
      });
      input.addEventListener("keydown", (event) => {
        const jump = { ArrowRight: 1, ArrowUp: 1, ArrowLeft: -1, ArrowDown: -1, PageUp: 10,
          PageDown: -10 }[event.key];
        if (!jump) return;
        event.preventDefault();
        const k = get(key) / step + jump;
        go(Number(((jump > 0 ? Math.floor(k + 1e-9) : Math.ceil(k - 1e-9)) * step).toPrecision(12)));
      });
      syncs.push(() => {
        const v = get(key);
        if (Number(input.value) !== v) input.value = v;
        output.textContent = fixed(v, digits);
        const live = ticks().filter((t) => t.value >= min && t.value <= max);
        const here = live.filter((t) => Math.abs(t.value - v) < 1e-9).map((t) => plain(t.label));
        input.setAttribute("aria-valuetext", [fixed(v, digits), ...here].join(", "));
        for (const [name, { button, mark }] of buttons)
          button.hidden = mark.hidden = !live.some((t) => t.label === name);
        for (const { label: name, value } of live) {
          if (!buttons.has(name)) {
            const button = rich(h("button", { type: "button", "data-tick": plain(name) }), name);
            const mark = h("span", { class: "sslw-mark" });
            const entry = { button, mark, value };
            button.addEventListener("click", () => go(entry.value));
            track.append(mark);
            row.append(button);
            buttons.set(name, entry);
          }
          const entry = buttons.get(name);
          entry.value = value;
          const part = (value - min) / (max - min);
          entry.mark.style.left = `calc(${8 * (1 - 2 * part)}px + ${100 * part}%)`;
          entry.button.dataset.value = value;
          entry.button.title = `${plain(label)} = ${fixed(value, digits + 1)}`;
          entry.button.setAttribute("aria-pressed", Math.abs(value - v) < 1e-9);
        }
      });
      controls.append(h("div", { class: "sslw-control", "data-control": key },
        h("div", { class: "sslw-head" }, rich(h("label", { for: id }), label), output), track, row));
    }

    function select({ key, label, options }) {
      const id = `${uid}-${(ids += 1)}`;
      const input = h("select", { id });
      for (const [value, words] of options)
        input.append(h("option", { value }, words));
      input.addEventListener("change", () => set({ [key]: input.value }));
      syncs.push(() => (input.value = get(key)));
      controls.append(h("div", { class: "sslw-control", "data-control": key },
        rich(h("label", { for: id }), label), input));
    }

    function choices(label, list) {
      const row = h("div", { class: "sslw-ticks", role: "group", "aria-label": plain(label) });
      for (const { label: words, values, title } of list) {
        const button = rich(h("button", { type: "button", "data-tick": plain(words) }), words);
        if (title) button.title = title;
        button.addEventListener("click", () => set(values));
        syncs.push(() => button.setAttribute("aria-pressed",
          Object.entries(values).every(([k, v]) => JSON.stringify(get(k)) === JSON.stringify(v))));
        row.append(button);
      }
      controls.append(h("div", { class: "sslw-control" },
        rich(h("div", { class: "sslw-head" }), label), row));
    }

    function plot(options) {
      const made = makePlot(panels, `${uid}-${(ids += 1)}`, options);
      plots.push(made);
      return made;
    }

    const observer = new ResizeObserver(() => {
      if (plots.some((p) => p.stale())) redraw();
    });
    function start(drawing) {
      draw = drawing;
      ready = true;
      for (const key of keys) model.on(`change:${key}`, redraw);
      redraw();
      observer.observe(panels);
      return () => {
        observer.disconnect();
        for (const key of keys) model.off(`change:${key}`, redraw);
      };
    }
    return { get, set, slider, select, choices, number, plot, start, controls, root };
  }

  // ---- a plot: one SVG in CSS pixels, redrawn when its width changes ---------------------------
  // x, y: [low, high]; equal: same scale both ways; log: powers of ten on y (values given as log10).
  function makePlot(host, uid, options) {
    const { name, title, xlabel, ylabel, ratio = 0.62, equal = false, log = false,
      maxWidth = 520, handles = false, legend = [] } = options;
    const heading = rich(h("p", { class: "sslw-title", id: `${uid}-t` }), title);
    const svg = s("svg", { role: handles ? "group" : "img", "aria-labelledby": `${uid}-t ${uid}-d`,
      "data-plot": name });
    const said = s("desc", { id: `${uid}-d` });
    const clip = s("rect");
    const frame = s("g", { class: "frame", "aria-hidden": "true" });
    const marks = s("g", { "clip-path": `url(#${uid}-c)`, "aria-hidden": "true" });
    const over = s("g", { "aria-hidden": "true" });
    const grips = s("g");
    svg.append(said, s("clipPath", { id: `${uid}-c` }, clip), frame, marks, over, grips);
    const box = h("div", { class: "sslw-panel" }, heading, svg);
    if (maxWidth) box.style.maxWidth = `${maxWidth}px`;
    if (legend.length) {
      const keys = h("div", { class: "sslw-legend" });
      for (const { looks, label, marker } of legend) {
        const sample = s("svg", { viewBox: "0 0 30 14", "aria-hidden": "true" });
        if (marker === "area") sample.append(s("rect", { x: 2, y: 1, width: 26, height: 12, class: looks }));
        else if (marker === "cross") sample.append(s("path", { d: "M10 2L20 12M10 12L20 2", class: looks }));
        else if (marker === "dot") sample.append(s("circle", { cx: 15, cy: 7, r: 4.5, class: looks }));
        else sample.append(s("line", { x1: 1, x2: 29, y1: 7, y2: 7, class: looks }));
        keys.append(h("span", {}, sample, rich(h("span"), label)));
      }
      box.append(keys);
    }
    host.append(box);
    const handleNodes = new Map();
    const m = { left: log ? 58 : 52, right: 14, top: 10, bottom: 42 };
    let x = options.x, y = options.y, width = 0, height = 0;
    const measure = () => Math.round(svg.getBoundingClientRect().width || box.clientWidth || 480);
    const X = (v) => m.left + ((v - x[0]) / (x[1] - x[0])) * (width - m.left - m.right);
    const Y = (v) => height - m.bottom - ((v - y[0]) / (y[1] - y[0])) * (height - m.top - m.bottom);
    const Xinv = (px) => x[0] + ((px - m.left) / (width - m.left - m.right)) * (x[1] - x[0]);
    const Yinv = (py) => y[0] + ((height - m.bottom - py) / (height - m.top - m.bottom)) * (y[1] - y[0]);

    function axes() {
      const bottom = height - m.bottom, right = width - m.right;
      frame.append(s("line", { x1: m.left, x2: right, y1: bottom, y2: bottom, class: "axis" }));
      frame.append(s("line", { x1: m.left, x2: m.left, y1: m.top, y2: bottom, class: "axis" }));
      for (const v of niceTicks(...x, (width - m.left - m.right) / 62)) {
        const label = s("text", { x: X(v), y: bottom + 17, "text-anchor": "middle", "data-axis": "x",
          "data-value": v, "data-pixel": X(v) });
        label.textContent = String(v).replace("-", "−");
        frame.append(s("line", { x1: X(v), x2: X(v), y1: bottom, y2: bottom + 4, class: "axis" }), label);
      }
      const values = log ? niceTicks(...y, (height - m.top - m.bottom) / 38).filter(Number.isInteger)
        : niceTicks(...y, (height - m.top - m.bottom) / 38);
      for (const v of values) {
        const label = s("text", { x: m.left - 8, y: Y(v) + 4.5, "text-anchor": "end",
          "data-axis": "y", "data-value": v, "data-pixel": Y(v) });
        if (log && v !== 0 && v !== 1) rich(label, `10^${String(v).replace("-", "−")}^`);
        else label.textContent = log ? String(10 ** v) : String(v).replace("-", "−");
        frame.append(s("line", { x1: m.left - 4, x2: m.left, y1: Y(v), y2: Y(v), class: "axis" }), label);
      }
      frame.append(rich(s("text", { x: (m.left + right) / 2, y: height - 6, class: "name",
        "text-anchor": "middle" }), xlabel));
      const side = s("text", { class: "name", "text-anchor": "middle",
        transform: `translate(11 ${(m.top + bottom) / 2}) rotate(-90)` });
      frame.append(rich(side, ylabel));
    }

    const api = {
      svg, X, Y,
      stale: () => Math.abs(measure() - width) > 1,
      // Clears the plot; called before each drawing. Bounds set by `bounds` hold until changed.
      begin() {
        width = measure();
        const inner = width - m.left - m.right;
        height = equal ? (inner * (y[1] - y[0])) / (x[1] - x[0]) + m.top + m.bottom
          : clamp(width * ratio, 235, 380);
        height = Math.round(height);
        svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
        for (const [k, v] of Object.entries({ x: m.left, y: m.top, width: inner,
          height: height - m.top - m.bottom })) clip.setAttribute(k, v);
        frame.replaceChildren();
        marks.replaceChildren();
        over.replaceChildren();
        axes();
      },
      bounds(nx, ny) {
        x = nx ?? x;
        y = ny ?? y;
        frame.replaceChildren();
        axes();
      },
      limits: () => ({ x, y }),
      size: () => ({ width, height }),
      say: (text) => (said.textContent = plain(text)),
      // A curve through (xs, ys). Its data coordinates stay on it for tests and for the curious.
      curve(mark, xs, ys, looks, clipped = true) {
        let d = "", pen = "M";
        xs.forEach((v, i) => {
          if (!Number.isFinite(ys[i])) return void (pen = "M");
          const py = clamp(Y(ys[i]), -4000, 4000);
          d += `${pen}${X(v).toFixed(2)} ${py.toFixed(2)}`;
          pen = "L";
        });
        const node = s("path", { d, class: looks, "data-mark": mark, "stroke-linejoin": "round",
          "data-x": JSON.stringify(xs), "data-y": JSON.stringify(ys) });
        (clipped ? marks : over).append(node);
        return node;
      },
      area(mark, xs, low, high, looks) {
        const up = xs.map((v, i) => `${X(v).toFixed(2)} ${Y(high[i]).toFixed(2)}`);
        const down = xs.map((v, i) => `${X(v).toFixed(2)} ${Y(low[i]).toFixed(2)}`).reverse();
        marks.append(s("path", { d: `M${[...up, ...down].join("L")}Z`, class: looks, "data-mark": mark }));
      },
      shape(d, looks, attributes = {}) {
        const node = s("path", { d, class: looks, ...attributes });
        marks.append(node);
        return node;
      },
      line(mark, x1, y1, x2, y2, looks) {
        const node = s("line", { x1: X(x1), y1: Y(y1), x2: X(x2), y2: Y(y2), class: looks,
          "data-mark": mark, "data-x": x2, "data-y": y2 });
        marks.append(node);
        return node;
      },
      circle(mark, cx, cy, r, looks, clipped = false) {
        const node = s("circle", { cx: X(cx), cy: Y(cy), r, class: looks, "data-mark": mark,
          "data-x": cx, "data-y": cy });
        (clipped ? marks : over).append(node);
        return node;
      },
      cross(mark, cx, cy, r, looks) {
        const px = X(cx), py = Y(cy);
        const node = s("path", { class: looks, "data-mark": mark, "data-x": cx, "data-y": cy,
          d: `M${px - r} ${py - r}L${px + r} ${py + r}M${px - r} ${py + r}L${px + r} ${py - r}` });
        over.append(node);
        return node;
      },
      // An arrow from (x1, y1) to (x2, y2) in data coordinates, with a head of `head` pixels.
      arrow(mark, x1, y1, x2, y2, looks, fill, head = 7) {
        const [ax, ay, bx, by] = [X(x1), Y(y1), X(x2), Y(y2)];
        const long = Math.hypot(bx - ax, by - ay);
        const node = s("g", { "data-mark": mark, "data-x": x2, "data-y": y2 });
        if (long > 0.5) {
          const k = Math.min(head, long), [ux, uy] = [(bx - ax) / long, (by - ay) / long];
          const [hx, hy] = [bx - ux * k, by - uy * k];
          node.append(s("line", { x1: ax, y1: ay, x2: hx, y2: hy, class: looks }), s("path", {
            class: fill, d: `M${bx} ${by}L${hx - uy * k * 0.5} ${hy + ux * k * 0.5}L${hx + uy * k * 0.5} ${hy - ux * k * 0.5}Z` }));
        }
        over.append(node);
        return node;
      },
      text(cx, cy, words, { anchor = "start", dx = 0, dy = 0, looks = "halo" } = {}) {
        const node = rich(s("text", { x: X(cx) + dx, y: Y(cy) + dy, "text-anchor": anchor,
          class: looks }), words);
        over.append(node);
        // keep it inside the picture
        const b = node.getBBox();
        if (b.x + b.width > width - 2) node.setAttribute("x", X(cx) + dx - (b.x + b.width - width + 2));
        else if (b.width && b.x < m.left + 2) node.setAttribute("x", X(cx) + dx + (m.left + 2 - b.x));
        return node;
      },
      // A point that can be dragged, or moved with the arrow keys. It stays the same element.
      handle(key, { at, label, valuetext, looks = "f-blue", radius = 7, step, onmove, onstart, mark }) {
        let entry = handleNodes.get(key);
        if (!entry) {
          const dot = s("circle", { r: radius });
          const node = s("g", { class: "handle", tabindex: "0", role: "slider", "data-handle": key },
            s("circle", { r: 18, class: "grip" }), s("circle", { r: radius + 5, class: "ring" }), dot);
          entry = { node, dot };
          const move = (nx, ny) => entry.onmove(clamp(nx, ...x), clamp(ny, ...y));
          const locate = (event) => {
            const r = svg.getBoundingClientRect(), scale = width / r.width;
            return [(event.clientX - r.left) * scale, (event.clientY - r.top) * scale];
          };
          node.addEventListener("pointerdown", (event) => {
            event.preventDefault();
            node.focus({ preventScroll: true });
            node.setPointerCapture(event.pointerId);
            const [px, py] = locate(event);
            entry.grab = [X(entry.at[0]) - px, Y(entry.at[1]) - py];
            entry.onstart?.();
          });
          node.addEventListener("pointermove", (event) => {
            if (!entry.grab) return;
            const [px, py] = locate(event);
            move(Xinv(px + entry.grab[0]), Yinv(py + entry.grab[1]));
          });
          for (const end of ["pointerup", "pointercancel", "lostpointercapture"])
            node.addEventListener(end, () => (entry.grab = null));
          node.addEventListener("focus", () => entry.onstart?.());
          node.addEventListener("keydown", (event) => {
            const by = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[event.key];
            if (!by) return;
            event.preventDefault();
            const k = event.shiftKey ? 5 : 1;
            const at = entry.at.map((v, i) => Number((v + by[i] * entry.step[i] * k).toPrecision(12)));
            move(...at);
          });
          grips.append(node);
          handleNodes.set(key, entry);
        }
        Object.assign(entry, { at, step, onmove, onstart });
        const { node, dot } = entry;
        node.setAttribute("transform", `translate(${X(at[0]).toFixed(2)} ${Y(at[1]).toFixed(2)})`);
        dot.setAttribute("class", `knob ${looks}`);
        for (const [k, v] of Object.entries({ "aria-label": label, "aria-valuetext": valuetext,
          "aria-valuenow": at[1], "aria-valuemin": y[0], "aria-valuemax": y[1], "data-x": at[0],
          "data-y": at[1], "data-mark": mark ?? key })) node.setAttribute(k, v);
      },
    };
    return api;
  }

  const range = (low, high, n) => Array.from({ length: n }, (_, i) => low + ((high - low) * i) / (n - 1));
  const mean = (v) => v.reduce((sum, e) => sum + e, 0) / v.length;
  return { widget, show, fixed, range, mean, clamp };
})();
