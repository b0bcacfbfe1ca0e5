// A chart as a picture of its own: title above it, source below it, on white.

import {drawable, embed} from "./drawing.js";
import {heading, separate} from "./layout.js";
import {inks, theme, token} from "./theme.js";

const SVG = "http://www.w3.org/2000/svg";
const WIDTH = 760; // pixels, so that a picture is the same from any screen
const EDGE = 24;
const SCALE = 2; // pixels of a PNG for each of an SVG

/** Return lines of at most WIDTH pixels. */
function wrapped(text, size, weight) {
  const pen = document.createElement("canvas").getContext("2d");
  pen.font = `${weight} ${size}px ${token("--font")}`;
  const lines = [];
  for (const word of text.split(" ").filter(Boolean)) {
    const longer = lines.length ? `${lines.at(-1)} ${word}` : word;
    if (lines.length && pen.measureText(longer).width <= WIDTH) lines[lines.length - 1] = longer;
    else lines.push(word);
  }
  return lines;
}

/** Put `text` into an SVG from `top` on; return where it ends. */
function write(svg, text, top, {size, weight, color}) {
  let end = top;
  for (const line of wrapped(text, size, weight)) {
    end += 1.35 * size;
    const element = document.createElementNS(SVG, "text");
    for (const [name, value] of Object.entries({
      x: EDGE, y: end - 0.3 * size, fill: color, "font-size": size, "font-weight": weight,
      "font-family": token("--font"),
    })) element.setAttribute(name, value);
    element.textContent = line;
    svg.append(element);
  }
  return end;
}

/** Draw `spec` on paper; return Vega's SVG. */
async function drawn(spec) {
  const canvas = document.createElement("div");
  let chart = await embed(canvas, spec, theme(WIDTH, true));
  if (separate(spec, chart.view)) {
    chart.finalize();
    chart = await embed(canvas, spec, theme(WIDTH, true));
  }
  const text = await chart.view.toSVG();
  chart.finalize();
  return new DOMParser().parseFromString(text, "image/svg+xml").documentElement;
}

/** Return a chart as an SVG element, `source` below it. */
export async function picture(spec, source) {
  spec = structuredClone(drawable(spec));
  const words = heading(spec.title);
  if (words) delete spec.title;
  if (spec.width) spec.width = WIDTH;
  const chart = await drawn(spec);
  const {ink, mute} = inks(true);
  const svg = document.createElementNS(SVG, "svg");
  let end = EDGE - 6;
  if (words) {
    end = write(svg, words.title.join(" "), end, {size: 18, weight: 650, color: ink});
    end = write(svg, words.subtitle.join(" "), end, {size: 13.5, weight: 400, color: mute}) + 14;
  }
  chart.setAttribute("x", EDGE);
  chart.setAttribute("y", end);
  svg.append(chart);
  end += Number(chart.getAttribute("height")) + 8;
  if (source) end = write(svg, source, end, {size: 12, weight: 400, color: mute});
  return framed(svg, Number(chart.getAttribute("width")) + 2 * EDGE, end + EDGE - 8);
}

/** Give an SVG its size and a white ground. */
function framed(svg, width, height) {
  const [w, h] = [Math.ceil(width), Math.ceil(height)];
  const ground = document.createElementNS(SVG, "rect");
  ground.setAttribute("width", w);
  ground.setAttribute("height", h);
  ground.setAttribute("fill", "#fff");
  svg.prepend(ground);
  svg.setAttribute("width", w);
  svg.setAttribute("height", h);
  svg.setAttribute("viewBox", `0 0 ${w} ${h}`);
  return svg;
}

/** Return the file of an SVG element. */
export const svgFile = (svg) =>
  new Blob([new XMLSerializer().serializeToString(svg)], {type: "image/svg+xml"});

/** Return an SVG element as a PNG file. */
export async function pngFile(svg) {
  const image = new Image();
  const address = URL.createObjectURL(svgFile(svg));
  image.src = address;
  await image.decode();
  const canvas = document.createElement("canvas");
  [canvas.width, canvas.height] = [SCALE * image.width, SCALE * image.height];
  canvas.getContext("2d").drawImage(image, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(address);
  return new Promise((done) => canvas.toBlob(done, "image/png"));
}
