// The dashboard without a kernel: figures from the files of the static site, looked at again and
// again. They are scripts that hold JSON, so that they also open from a file system, where
// browsers let a page fetch nothing.

import {mount} from "./app.js";

const EVERY = 10000; // milliseconds between two looks for something new

const read = new Map(); // by file: its version and its data
let given = null;

/** Called by each file of data. */
window.exams = {give: (data) => { given = data; }};

/** Return what data/<name>.js gives, read anew if that is another version than before. */
async function load(name, version) {
  if (read.get(name)?.version !== version) {
    read.set(name, {version, data: await run(`data/${name}.js?${version}`)});
  }
  return read.get(name).data;
}

/** Run a script; the promise ends with what it gives. */
function run(address) {
  return new Promise((done, failed) => {
    const script = document.createElement("script");
    const end = (then) => () => { script.remove(); then(); };
    script.onload = end(() => done(given)); // it follows its script without anything between
    script.onerror = end(() => failed(new Error(address)));
    script.src = address;
    document.head.append(script);
  });
}

/** Return the figures of `quarter` (the newest, if it is not published), or null if the page has
 *  them: `have` is the stamp of what it shows. */
async function figures(quarter, have) {
  const {stamp, common, now, quarters} = await run(`data/version.js?${Date.now()}`);
  if (have === stamp) return null;
  const every = load("common", common);
  const stands = load("now", now);
  const chosen = Object.hasOwn(quarters, quarter) ? quarter : Object.keys(quarters).sort().at(-1);
  const own = chosen ? load(chosen, quarters[chosen]) : {};
  return {...(await every), ...(await own), now: dated(await stands), stamp};
}

/** Return how things stand, with when that was written. */
const dated = (now) => now && {...now, written: now.as_of};

/** Hear the rows of a published table, of a quarter or (null) of all. */
async function tableOf({table: name, of}, hear, state) {
  try {
    const {tables} = await run(`data/version.js?${Date.now()}`);
    const {columns, rows} = await load(`tables/${name}`, tables[name]);
    const at = columns.findIndex((column) => column.name === "quarter");
    hear({table: {name, quarter: of, columns,
      rows: of === null ? rows : rows.filter((row) => row[at] === of)}});
  } catch {
    state("lost");
  }
}

/** Return a source for `mount`. */
function source(title, payload) {
  const cardAddress = (quarter) => `../${quarter}/model_card.html`;
  return {title, payload, cardAddress, connect: (hear, state) => {
    let [asked, last] = [0, Date.now()];
    async function look({quarter, have}) {
      if (have && Date.now() - last < EVERY) return;
      last = Date.now();
      const mine = ++asked;
      try {
        const found = await figures(quarter, have);
        if (mine === asked) hear({payload: found}); // nothing else was asked for meanwhile
        state("open");
      } catch {
        state("lost");
      }
    }
    // The report of a quarter is a page of its own, beside the site.
    return (question, anchor = "") => {
      if ("report" in question) open(`../${question.report}/visualize.html${anchor}`, "_blank");
      else if ("table" in question) tableOf(question, hear, state);
      else look(question);
    };
  }};
}

/** Draw the dashboard as soon as there are figures. */
async function start() {
  const wanted = new URLSearchParams(location.search).get("quarter");
  try {
    mount(document.getElementById("app"), source(document.title, await figures(wanted)));
  } catch {
    setTimeout(start, EVERY);
  }
}

start();
