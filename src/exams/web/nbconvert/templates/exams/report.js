// Draws the charts of a report. charts.js, with what it imports, stands above this in one script.

const {drawChart, sourceOf} = modules["charts.js"];
const drawn = [];
const publication = JSON.parse(document.body.dataset.publication ?? "null");

async function drawAll() {
  drawn.splice(0).forEach((finalize) => finalize());
  for (const figure of document.querySelectorAll("figure[data-chart]")) {
    const data = figure.querySelector("script");
    figure.replaceChildren(data);
    const spec = JSON.parse(data.textContent);
    const name = [spec.usermeta?.name ?? "chart", publication?.quarter].filter(Boolean).join("-");
    drawn.push(await drawChart(figure, spec, {name, source: sourceOf(publication)}));
  }
  document.body.dataset.drawn = drawn.length;
}

/** Run the script that draws charts. It is packed, as it would be most of the file otherwise. */
async function unpack() {
  const packed = atob(document.getElementById("vega").textContent);
  const bytes = Uint8Array.from(packed, (letter) => letter.charCodeAt(0));
  const text = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"));
  const script = document.createElement("script");
  script.textContent = await new Response(text).text();
  document.head.append(script);
}

await unpack();
await drawAll();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
