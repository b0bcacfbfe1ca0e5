// Parts of a chart that depend on how much room there is.

import {token} from "./theme.js";

const ASLANT = 16; // pixels from one name to the next that stands aslant

/** Return title and subtitle as plain lines, or null if the title is an expression. */
export function heading(title) {
  const lines = (value) => (value === undefined ? [] : [value].flat());
  const whole = title && typeof title === "object" && !Array.isArray(title) ? title : {text: title};
  const parts = {title: lines(whole.text), subtitle: lines(whole.subtitle)};
  const plain = [...parts.title, ...parts.subtitle].every((line) => typeof line === "string");
  return plain ? parts : null;
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
 *  lower, or set them aslant if that is not enough; of very many, the axis shows as many as fit.
 *  Returns whether the chart has changed. */
export function separate(spec, view) {
  const scale = view.scale("x");
  const names = scale?.step ? scale.domain().map(String) : [];
  if (distance(names, 1) <= (scale?.step?.() ?? 0)) return false;
  if (scale.step() < ASLANT) return false;
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
export function stretch(spec, view, more) {
  if (typeof spec.height === "number") spec.height += more;
  else if (spec.height?.step) spec.height.step *= 1 + more / view.height();
}
