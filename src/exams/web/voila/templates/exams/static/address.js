// What a reader has chosen stands in the address: a link to it shows the same.

const CHOSEN = ["quarter", "score", "dimension", "table", "search", "span", "sort", "from"];

/** Return what the address says: `wanted`, a text (or null) by name, and the name of the page. */
export function chosenInAddress() {
  const address = new URLSearchParams(location.search);
  return {
    wanted: Object.fromEntries(CHOSEN.map((name) => [name, address.get(name)])),
    page: address.get("page"),
  };
}

/** Keep page, quarter and filters in the address (and the token, if any, out of it). */
export function remember({page, wanted}) {
  const address = new URL(location.href);
  address.searchParams.set("page", page);
  for (const [name, value] of Object.entries(wanted)) {
    if (value) address.searchParams.set(name, value);
    else address.searchParams.delete(name);
  }
  address.searchParams.delete("token");
  history.replaceState(null, "", address);
}
