// Numbers and times as people read them.

import {TEXTS} from "./texts.js";

const SAID = TEXTS.format;

/** Whole number with separators: 1,000. */
export const count = (n) =>
  n === null || n === undefined ? "–" : n.toLocaleString(TEXTS.locale);

/** Share as per cent with one decimal. */
export const percent = (share) =>
  share === null || share === undefined ? "–" : `${(100 * share).toFixed(1).replace("-", "−")}\u00a0%`;

/** From one figure to another, never broken at the end of a line. */
export const range = (low, high) => `${low}\u2060–\u2060${high}`;

/** Decimals that suit the scale of a score: one on 0 to 100, two on 1 to 6. */
const decimals = (field) => (field && field.maximum - field.minimum <= 20 ? 2 : 1);

/** Score in the decimals of its field. */
export const score = (value, field) =>
  value === null || value === undefined ? "–" : value.toFixed(decimals(field));

/** Score with its sign, for differences. */
export function difference(value, field) {
  if (value === null || value === undefined) return "–";
  const text = Math.abs(value).toFixed(decimals(field));
  return Number(text) === 0 ? `±${text}` : (value < 0 ? "−" : "+") + text;
}

/** Cell of a table that may be hidden to protect students. */
export const cell = (row, text) => {
  if (!row) return "–";
  if (!row.suppressed) return text;
  const mark = document.createElement("span");
  mark.className = "hidden-cell";
  mark.textContent = SAID.hidden;
  return mark;
};

/** Date and time in UTC: 3 Oct 2026, 14:05 UTC. */
export const moment = (iso) => (isTime(iso) ? SAID.utc(brief(iso)) : "–");

/** The same where it is said already that it is UTC. */
export function brief(iso) {
  const options = {dateStyle: "medium", timeStyle: "short", timeZone: "UTC"};
  return isTime(iso) ? new Date(iso).toLocaleString(TEXTS.locale, options) : "–";
}

const isTime = (iso) => Boolean(iso) && !Number.isNaN(new Date(iso).valueOf());

/** Day: 30 Oct 2026. */
export const day = (iso) =>
  new Date(`${iso}T00:00Z`).toLocaleString(TEXTS.locale, {dateStyle: "medium", timeZone: "UTC"});

/** Time between two moments: 0.8 s, 12 s, 3 min 20 s, 2 h 5 min. */
export function duration(start, end) {
  const exact = (new Date(end) - new Date(start)) / 1000;
  if (!Number.isFinite(exact)) return "–";
  const seconds = Math.round(exact); // before it is taken apart: never 1 min 60 s
  if (exact < 9.95) return SAID.seconds(exact.toFixed(1));
  if (seconds < 60) return SAID.seconds(seconds);
  const minutes = Math.floor(seconds / 60);
  if (minutes < 60) return SAID.minutes(minutes, seconds % 60);
  return SAID.hours(Math.floor(minutes / 60), minutes % 60);
}

/** Code such as above_maximum as words. */
export function words(code) {
  if (Object.hasOwn(TEXTS.codes, code)) return TEXTS.codes[code];
  const text = String(code).replaceAll("_", " ").replaceAll("-", " ");
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Name of a quarter, marked where files of it were refused. */
export const named = (quarter, {incomplete}) =>
  incomplete.includes(quarter) ? TEXTS.frame.marked(quarter) : quarter;
