// Narrows charts and tables to one subject or one dimension, in the browser.
//
// A chart needs no support of its own. It can be narrowed where its data have several subjects in
// a column `score` (or `target`), or several dimensions in a column `dimension`. A chart that
// draws one subject, but holds all, has a parameter `score` with the one to start with.

import {changed, dataOf, has, only} from "./figures.js";
import {fieldsOf} from "./fields.js";
import {heading} from "./layout.js";

const EVERYONE = "all"; // stands in the column `dimension` of figures of all students
const AND = " · "; // between subject and dimension, in titles and in a file's findings
const COLUMNS = {score: ["score", "target"], dimension: ["dimension"]};

/** Return the values among which a chart can be narrowed, by `score` or by `dimension`. */
function choices(spec, name) {
  const rows = dataOf(spec).flat();
  const columns = spec.params?.some((param) => param.name === name) ? [name] : COLUMNS[name];
  const values = new Set(rows.flatMap((row) => columns.map((column) => row[column] ?? EVERYONE)));
  values.delete(EVERYONE);
  return values.size > 1 ? values : new Set();
}

/** Return what a page's charts can be narrowed to: [{name, fields}], without what none can. */
export function offered({tables}, charts) {
  const known = {
    score: [...fieldsOf(tables, "score"), ...fieldsOf(tables, "overall")],
    dimension: fieldsOf(tables, "dimension"),
  };
  return Object.entries(known).map(([name, fields]) => {
    const found = new Set(charts.flatMap(({spec}) => [...choices(spec, name)]));
    return {name, fields: fields.filter(({title}) => found.has(title))};
  }).filter(({fields}) => fields.length);
}

/** Let a chart's axis have those places alone that its rows still take. */
function fitted(spec) {
  const rows = dataOf(spec).flat();
  return changed(spec, (part) => {
    if (!part.encoding) return part;
    const encoding = {...part.encoding};
    for (const channel of ["x", "y"]) {
      const {field, scale} = encoding[channel] ?? {};
      if (!field || !Array.isArray(scale?.domain)) continue;
      const taken = new Set(rows.map((row) => row[field]));
      if (!scale.domain.every((place) => typeof place === "string")) continue;
      const domain = scale.domain.filter((place) => taken.has(place));
      encoding[channel] = {...encoding[channel], scale: {...scale, domain}};
    }
    return {...part, encoding};
  });
}

/** Let what is left keep the colour that it has beside the others. */
function coloured(spec, column, values, title) {
  return changed(spec, (part) => {
    const {color} = part.encoding ?? {};
    if (color?.field !== column || color.scale?.domain || color.scale === null) return part;
    const domain = color.sort === null ? [...values] : [...values].sort();
    const legend = color.legend === null ? null : {...color.legend, values: [title]};
    const scale = {...color.scale, domain};
    return {...part, encoding: {...part.encoding, color: {...color, scale, legend}}};
  });
}

/** Return a chart of the rows of one subject or dimension (its title) alone. */
function reduced(spec, name, title) {
  const values = choices(spec, name);
  const params = (spec.params ?? []).map((param) =>
    (param.name === name ? {...param, value: title} : param));
  const own = params.some((param) => param.name === name) ? [name] : COLUMNS[name];
  const others = name === "dimension" ? [title, EVERYONE] : [title];
  const kept = only(spec, (row) => own.every((column) =>
    others.some((value) => has(row, column, value))));
  const found = own.reduce((chart, column) => coloured(chart, column, values, title), kept);
  return params.length ? {...found, params} : found;
}

/** Return the title of a narrowed chart: the finding of what it shows, or just what that is.
 *  A chart that begins with one subject shows it also where a dimension alone is chosen. */
function titleOf({params, usermeta}, chosen, titles) {
  const begun = params?.find(({name}) => name === "score")?.value;
  const shown = [chosen.score ?? begun, chosen.dimension].filter(Boolean).join(AND);
  return usermeta?.findings?.[shown] ?? titles.join(AND);
}

/** Return {spec, by}: the chart, narrowed to what is chosen ({score, dimension}: titles) as far as
 *  it can be, and the titles that it is narrowed to. */
export function narrowed(spec, chosen) {
  const by = Object.entries(chosen).filter(([name, title]) => choices(spec, name).has(title));
  if (!by.length) return {spec, by: []};
  const titles = by.map(([, title]) => title);
  const text = titleOf(spec, Object.fromEntries(by), titles);
  const subtitle = heading(spec.title)?.subtitle ?? [];
  const found = by.reduce((chart, [name, title]) => reduced(chart, name, title), spec);
  const words = [text, subtitle.join(" "), spec.usermeta?.kind].filter(Boolean);
  return {
    spec: {...fitted(found), title: {text, subtitle}, description: `${words.join(". ")}.`},
    by: titles,
  };
}

/** Return a payload whose tables have the rows of what is chosen ({score, dimension}: names). */
export function narrowedTables(payload, {score, dimension}) {
  const fits = (row) => (!score || has(row, "score", score))
    && (!dimension || has(row, "dimension", dimension) || row.dimension === EVERYONE);
  const shown = ({role, name}) => (role === "dimension" ? [undefined, name].includes(dimension)
    : [undefined, name].includes(score));
  const tables = Object.entries(payload.tables).map(([name, rows]) =>
    [name, rows.filter(name === "field" ? shown : fits)]);
  return {...payload, tables: Object.fromEntries(tables)};
}
