// Says as of when the figures are, whether the line holds, and which quarters are late.

import {standing} from "./clock.js";
import {h} from "./dom.js";
import {moment} from "./format.js";
import {lateOf} from "./standing.js";
import {TEXTS} from "./texts.js";

const SAID = TEXTS.frame;

/** Say it in the header of the page; `turn` turns to another page. */
export function tell(app, turn) {
  if (!app.message) return;
  const {publication} = app.payload;
  let text = publication ? SAID.asOf(moment(publication.published_at)) : SAID.nothingYet;
  if (app.trouble) text = app.trouble;
  if (app.link !== "open") text += ` · ${SAID.lost}`;
  if (app.message.textContent !== text) app.message.textContent = text;
  app.message.classList.toggle("bad", app.link !== "open" || Boolean(app.trouble));
  const late = lateOf(standing(app.payload));
  const said = late.length ? SAID.late(late) : "";
  if (app.late.textContent === said) return;
  app.late.replaceChildren(said && lateLink(said, () => turn(app, "status")));
}

const lateLink = (said, follow) => h("a", {class: "state failed", href: "?page=status",
  onclick: (event) => { event.preventDefault(); follow(); }}, said);
