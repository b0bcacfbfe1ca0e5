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

await drawAll();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
