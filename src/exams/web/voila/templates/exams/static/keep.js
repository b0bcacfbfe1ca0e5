// What a reader has set up in a page: it outlives its being drawn anew.

const FOCUSED = "a, button, input, select, summary, [tabindex]";
const TYPED = "input, select, textarea";
const STORE = "exams-kept";

/** Return what is open, scrolled, typed and focused below `root`, as JSON can hold it; with it
 *  what of `former`, kept before, could not be set up yet. */
export function keep(root, former) {
  const kept = former ?? {open: [], whole: [], scrolled: {}, typed: {}, focus: null};
  each(root, "details", (element, name) => element.open && kept.open.push(name));
  each(root, ".scroll", (element, name) => {
    if (element.dataset.whole !== undefined) kept.whole.push(name);
    const at = [element.scrollLeft, element.scrollTop];
    if (at.some(Boolean)) kept.scrolled[name] = at;
  });
  each(root, TYPED, (element, name) => { kept.typed[name] = element.value; });
  each(root, FOCUSED, (element, name) => {
    if (element === document.activeElement) kept.focus = name;
  });
  return kept;
}

/** Set up below `root` what was kept; what is not there yet is left for another call. */
export function restore(root, kept) {
  each(root, "details", (element, name) => {
    if (taken(kept.open, name)) element.open = true;
  });
  each(root, ".scroll", (element, name) => {
    if (taken(kept.whole, name)) element.parentElement.querySelector("button")?.click();
    if (!kept.scrolled[name]) return;
    [element.scrollLeft, element.scrollTop] = kept.scrolled[name];
    delete kept.scrolled[name];
  });
  each(root, FOCUSED, (element, name) => {
    if (kept.focus !== name) return;
    kept.focus = null;
    const {activeElement: other, body} = document;
    if (!other || other === body) element.focus({preventScroll: true}); // or the reader went on
  });
}

/** Set what was typed, and let those who listen follow. */
export function retype(root, kept) {
  each(root, TYPED, (element, name) => {
    if (!(name in kept.typed) || element.value === kept.typed[name]) return;
    element.value = kept.typed[name];
    const told = element.tagName === "SELECT" ? "change" : "input";
    element.dispatchEvent(new Event(told, {bubbles: true}));
  });
}

/** Keep the page where it is scrolled to, while what is in `main` is drawn anew. */
export function hold(main, height) {
  main.style.minHeight = `${height}px`;
  document.documentElement.style.overflowAnchor = "none";
}

/** It is drawn: let the page be as high as it is. */
export function release(main) {
  main.style.minHeight = "";
  document.documentElement.style.overflowAnchor = "";
}

/** Load the page anew, with its address; what was set up is set up again then. */
export function startAgain(root) {
  sessionStorage.setItem(STORE, JSON.stringify({...keep(root), at: [scrollX, scrollY]}));
  const reload = () => location.reload();
  if (document.hidden) document.addEventListener("visibilitychange", reload, {once: true});
  else setTimeout(reload, 1000 * Math.random()); // not all viewers at once
}

/** Return what was kept when the page was loaded anew, once; null otherwise. */
export function keptBefore() {
  const text = sessionStorage.getItem(STORE);
  sessionStorage.removeItem(STORE);
  return text && JSON.parse(text);
}

/** Call use(element, name) for elements below `root`; the name is the same after a redrawing. */
function each(root, selector, use) {
  const seen = new Map();
  for (const element of root.querySelectorAll(selector)) {
    const words = element.id || element.getAttribute("aria-label") || element.name
      || (element.querySelector(":scope > summary") ?? element).textContent.slice(0, 80);
    const chart = element.closest("[data-chart]")?.dataset.chart ?? "";
    const name = [element.tagName, chart, words].join(" ");
    const count = (seen.get(name) ?? 0) + 1;
    seen.set(name, count);
    use(element, `${name} ${count}`);
  }
}

/** Take an item out of a list; was it there? */
function taken(list, item) {
  const at = list.indexOf(item);
  if (at >= 0) list.splice(at, 1);
  return at >= 0;
}
