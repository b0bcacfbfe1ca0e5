// Lets Vega draw a chart: what can be drawn of it, and nothing in the console about the rest.
// Needs window.vegaEmbed.

// Channels with a scale, each with the one that tells its type.
const CHANNELS = [["x", "x"], ["x2", "x"], ["y", "y"], ["y2", "y"], ["color", "color"]];
const EQUALS = /^\(?datum\.(\w+) == (\d+|'([^']*)')\)?$/; // a filter that is looked through
const WIDTH = "isFinite(containerSize()[0]) ? containerSize()[0] : 200"; // as Vega-Lite has it

/** Draw `spec` into an element; the promise ends with what Vega made. */
export async function embed(canvas, spec, config) {
  const byRows = spec.width === "container" && (spec.height === undefined || spec.height.step);
  const drawn = await window.vegaEmbed(
    canvas, byRows ? {...spec, width: 200, autosize: "pad"} : spec,
    {renderer: "svg", actions: false, config, ...(byRows && {patch: asWide})},
  );
  // Gradients are in this page, whatever its address will be when another view is chosen.
  for (const mark of canvas.querySelectorAll("[fill^='url(']")) {
    mark.setAttribute("fill", mark.getAttribute("fill").replace(/\(.*#/, "(#"));
  }
  return drawn;
}

/** Let a compiled chart be as wide as its element. Vega-Lite would do it, too, but for each chart
 *  that is as high as its rows it warns that the height is not fitted. */
function asWide(vega) {
  const width = {name: "width", init: WIDTH, on: [{update: WIDTH, events: "window:resize"}]};
  return {
    ...vega, width: undefined, autosize: {type: "fit-x", contains: "padding"},
    signals: [...(vega.signals ?? []), width],
  };
}

/** Return a chart without the layers that have nothing to draw, for which Vega finds no scale;
 *  null if none of its figures is left. `spec` holds the rows that it draws alone. */
export function drawable(spec) {
  if (!Array.isArray(spec.layer)) return isEmpty(spec, spec) ? null : spec;
  const layer = spec.layer.filter((part) => !isEmpty(spec, part));
  return layer.length === spec.layer.length || layer.some(hasFigures) ? {...spec, layer} : null;
}

/** Does a layer draw numbers? Others are lines at fixed places, and words. */
const hasFigures = ({encoding = {}}) =>
  Object.values(encoding).some(({field, type}) => field && type === "quantitative");

/** Has a part of a chart no row, or no number where it draws one? */
function isEmpty(spec, part) {
  const rows = rowsOf(spec, part);
  if (!rows?.length) return rows !== null;
  const encoding = part.encoding ?? {};
  return CHANNELS.some(([channel, main]) => {
    const name = encoding[channel]?.field;
    const known = rows.some((row) => row[name] !== undefined); // else the chart works it out
    return known && encoding[main]?.type === "quantitative"
      && !rows.some((row) => Number.isFinite(row[name]));
  });
}

/** Return the rows that a part draws, as far as filters say plainly; null where a file has none. */
function rowsOf(spec, {data = spec.data, transform = []}) {
  const rows = data?.values ?? spec.datasets?.[data?.name];
  if (!Array.isArray(rows)) return null;
  return transform.reduce((kept, {filter}) => {
    const [, name, value, word] = EQUALS.exec(filter) ?? [];
    const fits = (row) => String(row[name]) === (word ?? value);
    return kept.some((row) => name in row) ? kept.filter(fits) : kept;
  }, rows);
}
