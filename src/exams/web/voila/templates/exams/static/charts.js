// Draws Vega-Lite files in the type and colours of the page. Used by dashboard and reports;
// needs window.vegaEmbed. (Reports hold this file, before it what it imports, as one script.)

import {TEXTS} from "./texts.js";

// Okabe and Ito's colours, told apart by colour-blind eyes; lightened for a dark page.
const CATEGORIES = {
  light: ["#0072b2", "#d55e00", "#009e73", "#b5608f", "#b07f00", "#3f9bd1", "#5c6670"],
  dark: ["#56b4e9", "#f0883e", "#2fbf94", "#dd94bf", "#e6c14f", "#8fb8de", "#a9b4c0"],
};
const NARROW = 480; // pixels; below this, labels and legends get less room

const prefersDark = () => matchMedia("(prefers-color-scheme: dark)").matches;
const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Return Vega-Lite's `config` for a chart of this width (pixels). */
function theme(width) {
  const [ink, mute, line, edge] = ["--ink", "--mute", "--line", "--edge"].map(token);
  const colours = CATEGORIES[prefersDark() ? "dark" : "light"];
  const text = {labelColor: mute, titleColor: mute, labelFontSize: 12, titleFontSize: 12};
  return {
    background: "transparent",
    font: token("--font"),
    view: {stroke: null},
    axis: {
      ...text, gridColor: line, domainColor: edge, tickColor: edge, titleFontWeight: 500,
      titlePadding: 10, labelPadding: 6, labelLimit: Math.min(0.44 * width, 220),
      labelOverlap: true, tickSize: 4,
    },
    axisQuantitative: {tickCount: width < NARROW ? 4 : 6, domain: false, ticks: false},
    axisX: {labelFlush: false},
    header: text,
    legend: {
      ...text, titleFontWeight: 500, orient: "top", direction: "horizontal", offset: 12,
      columns: width < NARROW ? 1 : 0, symbolType: "circle", symbolSize: 80, labelLimit: 200,
      rowPadding: 5, columnPadding: 14,
      labelColor: ink,
    },
    scale: {barBandPaddingInner: 0.3},
    mark: {color: colours[0]},
    bar: {color: colours[0], cornerRadiusEnd: 3},
    line: {strokeWidth: 2.5},
    point: {size: 60, filled: true, opacity: 1},
    rule: {color: mute, strokeWidth: 1.5},
    text: {color: ink, fontSize: 12},
    errorbar: {color: mute},
    title: {color: ink, subtitleColor: mute, anchor: "start", fontSize: 15},
    range: {
      category: colours,
      ordinal: {scheme: prefersDark() ? "tealblues" : "blues"},
      ramp: {scheme: prefersDark() ? "viridis" : "blues"},
      heatmap: {scheme: "viridis"},
      diverging: {scheme: "blueorange"},
    },
  };
}

/** Return title and subtitle as plain lines, or null if the title is an expression. */
function heading(title) {
  const lines = (value) => (value === undefined ? [] : [value].flat());
  const whole = title && typeof title === "object" && !Array.isArray(title) ? title : {text: title};
  const parts = {title: lines(whole.text), subtitle: lines(whole.subtitle)};
  const plain = [...parts.title, ...parts.subtitle].every((line) => typeof line === "string");
  return plain ? parts : null;
}

/** Put the chart's title into the page's own text, where it wraps on a small screen; return it,
 *  empty if it stays in the drawing. */
function caption(figure, spec) {
  const words = heading(spec.title);
  if (!words) return "";
  delete spec.title;
  const box = document.createElement("figcaption");
  for (const [part, tag] of [["title", "strong"], ["subtitle", "span"]]) {
    const line = document.createElement(tag);
    line.textContent = words[part].join(" ").replaceAll(" %", "\u00a0%");
    if (line.textContent) box.append(line);
  }
  figure.append(box);
  return words.title.join(" ");
}

/** Return the distance (pixels) that names along a horizontal axis need where only every n-th
 *  stands on the same line. */
function distance(names, n) {
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = `12px ${token("--font")}`;
  const widths = names.map((name) => pen.measureText(name).width);
  return Math.max(0, ...widths.slice(n).map((width, i) => (width + widths[i]) / 2 + 8)) / n;
}

/** Where names along a horizontal axis would cover each other, let every second one stand
 *  lower, or set them aslant if that is not enough. Returns whether the chart has changed. */
function separate(spec, view) {
  const scale = view.scale("x");
  const names = scale?.step ? scale.domain().map(String) : [];
  if (distance(names, 1) <= (scale?.step?.() ?? 0)) return false;
  const axis = {labelAngle: -40, labelOverlap: false};
  if (distance(names, 2) <= scale.step()) {
    axis.labelAngle = 0;
    axis.labelExpr = "indexof(domain('x'), datum.value) % 2 ? ['', datum.label] : [datum.label, '']";
  }
  for (const {encoding} of [spec, ...(spec.layer ?? [])]) {
    if (!encoding?.x || encoding.x.axis === null) continue;
    const above = encoding.x.axis?.orient === "top"; // the second line takes the padding's place
    if (above) spec.padding = {left: 5, top: 5, right: axis.labelExpr ? 20 : 40, bottom: 5};
    encoding.x.axis = {...encoding.x.axis, ...axis, ...(above && {labelPadding: 20})};
  }
  return true;
}

/** Let the chart grow by `more` pixels. */
function stretch(spec, view, more) {
  if (typeof spec.height === "number") spec.height += more;
  else if (spec.height?.step) spec.height.step += more / view.scale("y").domain().length;
}

/** For those who do not see it, the drawing is a picture that `words` stand for; the menu beside
 *  it has a name, and Escape closes it. */
function describe(figure, words, title) {
  const drawing = figure.querySelector("svg.marks");
  drawing.setAttribute("aria-hidden", "true");
  const picture = drawing.parentElement;
  picture.removeAttribute("aria-roledescription");
  picture.setAttribute("role", "img");
  picture.setAttribute("aria-label", words);
  const menu = figure.querySelector(".canvas summary");
  menu.setAttribute("aria-label", TEXTS.charts.menuOf(title));
  menu.title = TEXTS.charts.menu;
  menu.querySelector("svg")?.setAttribute("aria-hidden", "true");
  menu.parentElement.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    menu.parentElement.open = false;
    menu.focus();
  });
}

/** Put the chart's figures below it, as a table that is closed until asked for. */
function figures(figure, {columns, rows}, title) {
  const make = (tag, ...children) => {
    const element = document.createElement(tag);
    element.append(...children);
    return element;
  };
  const line = (tag, cells) => make("tr", ...cells.map((text, i) => {
    const cell = make(tag, text);
    if (columns[i].number) cell.className = "number";
    return cell;
  }));
  const head = line("th", columns.map(({title}) => title));
  const body = rows.map((row) => line("td", row));
  const box = make("div", make("table", make("thead", head), make("tbody", ...body)));
  box.tabIndex = 0; // it scrolls
  box.setAttribute("role", "region");
  box.setAttribute("aria-label", TEXTS.charts.figuresOf(title));
  const fold = make("details", make("summary", TEXTS.charts.figures), box);
  fold.className = "figures";
  figure.append(fold);
}

/** Draw `spec` into the empty element `figure`, `taller` pixels higher than it asks for. The
 *  promise ends when it is drawn, with a function that ends the drawing. */
export async function drawChart(figure, spec, name = "", taller = 0) {
  spec = structuredClone(spec);
  const title = caption(figure, spec) || name;
  const canvas = document.createElement("div");
  canvas.className = "canvas";
  figure.append(canvas);
  const embed = () => window.vegaEmbed(canvas, spec, {
    renderer: "svg",
    config: theme(figure.clientWidth),
    actions: {export: {svg: true, png: true}, source: false, compiled: false, editor: false},
    downloadFileName: name || "chart",
    i18n: {SVG_ACTION: TEXTS.charts.svg, PNG_ACTION: TEXTS.charts.png},
  });
  let drawn = await embed();
  if (taller) stretch(spec, drawn.view, taller);
  if (separate(spec, drawn.view) || taller) {
    drawn.finalize();
    drawn = await embed();
  }
  describe(figure, spec.description || title, title);
  if (spec.usermeta?.table) figures(figure, spec.usermeta.table, title);
  return () => drawn.finalize();
}
