// The dashboard with a kernel behind it: the figures in the page first, then what the kernel says.

import {mount} from "./app.js";
import {h} from "./dom.js";
import {connect} from "./link.js";
import {TEXTS} from "./texts.js";

function start(root) {
  const given = document.getElementById("exams-data");
  if (!given) {
    root.replaceChildren(h("p", {class: "problem", role: "alert"}, TEXTS.frame.notStarted));
    return;
  }
  const {title, kernel, base, payload} = JSON.parse(given.textContent);
  mount(root, {
    title, payload,
    connect: (hear, state) => connect({base, kernel, comm: payload.comm}, hear, state),
  });
}

start(document.getElementById("app"));
