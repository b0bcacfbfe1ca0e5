// Draws the charts of a report. charts.js, with what it imports, stands above this in one script.

const {drawChart} = modules["charts.js"];
const drawn = [];

async function drawAll() {
  drawn.splice(0).forEach((finalize) => finalize());
  for (const figure of document.querySelectorAll("figure[data-chart]")) {
    const data = figure.querySelector("script");
    figure.replaceChildren(data);
    drawn.push(await drawChart(figure, JSON.parse(data.textContent)));
  }
  document.body.dataset.drawn = drawn.length;
}

await drawAll();
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", drawAll);
