// Type and colours of charts, as Vega-Lite's `config`: those of the page, or of white paper.

// Okabe and Ito's colours, told apart by colour-blind eyes; lightened for a dark page.
const CATEGORIES = {
  light: ["#0072b2", "#d55e00", "#009e73", "#b5608f", "#b07f00", "#3f9bd1", "#5c6670"],
  dark: ["#56b4e9", "#f0883e", "#2fbf94", "#dd94bf", "#e6c14f", "#8fb8de", "#a9b4c0"],
};
const NARROW = 480; // pixels; below this, labels and legends get less room

// Of pictures on white, whatever the page has.
const PAPER = {ink: "#17212b", mute: "#566472", line: "#e1e6eb", edge: "#7d8a96"};

const prefersDark = () => matchMedia("(prefers-color-scheme: dark)").matches;

/** Return a value of the page's style by its name. */
export const token = (name) => getComputedStyle(document.documentElement).getPropertyValue(name).trim();

/** Return the colours of text and lines: of white paper, or of the page. */
export const inks = (paper) => (paper ? PAPER
  : Object.fromEntries(Object.keys(PAPER).map((name) => [name, token(`--${name}`)])));

/** Return Vega-Lite's `config` for a chart of this width (pixels), in the page or on paper. */
export function theme(width, paper = false) {
  const {ink, mute, line, edge} = inks(paper);
  const dark = !paper && prefersDark();
  const colours = CATEGORIES[dark ? "dark" : "light"];
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
    style: {outlined: {stroke: edge, strokeWidth: 0.75}}, // pale or dark, an area has an edge
    title: {color: ink, subtitleColor: mute, anchor: "start", fontSize: 15},
    range: {
      category: colours,
      ordinal: {scheme: dark ? "tealblues" : "blues"},
      ramp: {scheme: dark ? "viridis" : "blues"},
      heatmap: {scheme: "viridis"},
      diverging: {scheme: "blueorange"},
    },
  };
}
