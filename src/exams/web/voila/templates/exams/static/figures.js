// The figures behind a chart, as its Vega-Lite file holds them.

const NESTED = ["layer", "hconcat", "vconcat", "concat"];

/** Return a copy of a chart in which `change` was made to it and to each of its parts. */
export function changed(spec, change) {
  const copy = {...spec};
  for (const name of NESTED) {
    if (Array.isArray(copy[name])) copy[name] = copy[name].map((part) => changed(part, change));
  }
  return change(copy);
}

/** Return the lists of rows that a chart is drawn from. */
export function dataOf(spec) {
  const found = Object.values(spec.datasets ?? {});
  changed(spec, (part) => {
    found.push(part.data?.values);
    return part;
  });
  return found.filter(Array.isArray);
}

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

/** Return a chart of those rows alone that `keep` is true for, also in its table. */
export function only(spec, keep) {
  const told = figuresOf(spec).rows;
  const {table, ...usermeta} = spec.usermeta ?? {};
  if (table?.rows.length === told.length) { // its rows are those that the marks tell, in order
    usermeta.table = {...table, rows: table.rows.filter((_, i) => keep(told[i]))};
  }
  const kept = changed(spec, (part) => (Array.isArray(part.data?.values)
    ? {...part, data: {...part.data, values: part.data.values.filter(keep)}} : part));
  if (kept.datasets) {
    kept.datasets = Object.fromEntries(Object.entries(kept.datasets).map(([name, rows]) =>
      [name, Array.isArray(rows) ? rows.filter(keep) : rows]));
  }
  return {...kept, usermeta};
}

/** Does a row have this value, or none, in a column? */
export const has = (row, column, value) => [value, null, undefined].includes(row[column]);

/** Return a chart with the rows that it draws alone: where it has a parameter that is named like
 *  a column, these have its value there. */
export function drawnOf(spec) {
  const given = (spec.params ?? []).filter(({name, value}) => value !== undefined
    && dataOf(spec).some((rows) => rows.some((row) => name in row)));
  if (!given.length) return spec;
  return only(spec, (row) => given.every(({name, value}) => has(row, name, value)));
}
