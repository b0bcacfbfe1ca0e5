// The figures behind a chart, as its Vega-Lite file holds them.

/** Return the layer whose marks tell their figures; undefined if none does. */
const telling = (spec) =>
  [spec, ...(spec.layer ?? [])].find(({encoding}) => Array.isArray(encoding?.tooltip));

/** Return the rows of a layer's data; none where they are not in the file. */
function rowsOf(spec, layer) {
  const {name, values} = layer?.data ?? spec.data ?? {};
  const found = values ?? spec.datasets?.[name];
  return Array.isArray(found) ? found : [];
}

/** Does a row have a figure, or a hidden one? Others are headings of the chart. */
const tells = (row, tips) => Boolean(row.suppressed)
  || tips.some(({field, type}) => type === "quantitative" && (row[field] ?? null) !== null);

/** Return columns ({field, title}) and rows (objects, in the file's order) of a chart: of the
 *  marks with a tooltip, or, where none has one, all of its data. */
export function figuresOf(spec) {
  const layer = telling(spec);
  const rows = rowsOf(spec, layer);
  if (layer) {
    const tips = layer.encoding.tooltip.filter(({field}) => field);
    const columns = tips.map(({field, title}) => ({field, title: title ?? field}));
    return {columns, rows: rows.filter((row) => tells(row, tips))};
  }
  const fields = [...new Set(rows.flatMap((row) => Object.keys(row)))];
  return {columns: fields.map((field) => ({field, title: field})), rows};
}
