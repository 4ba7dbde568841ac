// Charts of the last 15 minutes, as SVG. A chart is drawn anew only when there is a new sample.

import { h, svg, setAttribute, setText } from "./dom.js";
import { clock } from "./format.js";

const WIDTH = 180; // one unit a sample
const HEIGHT = 40;

const known = (value) => value !== null && value !== undefined;
const most = (values) => values.reduce((top, value) => (known(value) && value > top ? value : top), 0);

// Where a line is unknown it has a gap. The newest value stands at the right edge.
function linePath(values, top) {
  let path = "";
  let pen = false;
  const first = WIDTH - values.length;
  values.forEach((value, i) => {
    if (!known(value)) {
      pen = false;
      return;
    }
    const y = (HEIGHT - (HEIGHT - 1) * Math.min(value / top, 1)).toFixed(1);
    path += pen ? `L${first + i + 0.5} ${y}` : `M${first + i} ${y}L${first + i + 0.5} ${y}`;
    pen = true;
  });
  return path;
}

function areaPath(values, top) {
  let path = "";
  const first = WIDTH - values.length;
  for (let i = 0; i < values.length; ) {
    if (!known(values[i])) {
      i += 1;
      continue;
    }
    path += `M${first + i} ${HEIGHT}`;
    for (; i < values.length && known(values[i]); i += 1) {
      path += `L${first + i + 0.5} ${(HEIGHT - (HEIGHT - 1) * Math.min(values[i] / top, 1)).toFixed(1)}`;
    }
    path += `L${first + i} ${HEIGHT}Z`;
  }
  return path;
}

// Bars from the bottom: a single failure must be seen.
function barPath(values, top) {
  let path = "";
  const first = WIDTH - values.length;
  values.forEach((value, i) => {
    if (!known(value) || value <= 0) return;
    const height = Math.max(3, (HEIGHT - 1) * Math.min(value / top, 1)).toFixed(1);
    path += `M${first + i} ${HEIGHT}v-${height}h1v${height}z`;
  });
  return path;
}

const tip = h("div", { id: "tip", hidden: "" });

export class Chart {
  // `tell(index)`: what the samples at an index are, for the tip.
  constructor(label, tell) {
    this.label = label;
    this.tell = tell;
    this.area = svg("path", { class: "area" });
    this.line = svg("path", { class: "line" });
    this.second = svg("path", { class: "second" });
    this.alarm = svg("path", { class: "alarm" });
    this.marks = svg("g");
    this.cursor = svg("path", { class: "cursor" });
    this.element = svg("svg", { class: "chart", viewBox: `0 0 ${WIDTH} ${HEIGHT}`,
                                preserveAspectRatio: "none", role: "img" },
                       this.marks, this.area, this.alarm, this.second, this.line,
                       svg("path", { class: "base", d: `M0 ${HEIGHT}H${WIDTH}` }), this.cursor);
    if (tell) {
      this.element.addEventListener("pointermove", (event) => this.point(event));
      this.element.addEventListener("pointerleave", () => this.leave());
    }
  }

  // lines: {main, second, alarm}: values by sample, the newest last; `top`: of the scale, at least.
  draw(lines, { top = 0, at = 0, every = 5, summary = "" } = {}) {
    this.at = at;
    this.every = every;
    this.count = (lines.main ?? []).length;
    this.top = Math.max(top, most(lines.main ?? []), most(lines.second ?? []), 1e-6);
    setAttribute(this.area, "d", areaPath(lines.main ?? [], this.top));
    setAttribute(this.line, "d", linePath(lines.main ?? [], this.top));
    setAttribute(this.second, "d", linePath(lines.second ?? [], this.top));
    setAttribute(this.alarm, "d", barPath(lines.alarm ?? [], this.top));
    setAttribute(this.element, "aria-label", `${this.label}, last 15 minutes. ${summary}`);
  }

  // Runs of samples that are to stand out: [{from, to, kind}], by index.
  mark(runs, count) {
    const key = runs.map((run) => `${run.from}-${run.to}${run.kind}`).join() + count;
    if (this.marked === key) return;
    this.marked = key;
    const first = WIDTH - count;
    this.marks.replaceChildren(...runs.map((run) => svg("rect", {
      class: run.kind, x: first + run.from, y: 0, width: run.to - run.from, height: HEIGHT,
    })));
  }

  point(event) {
    const box = this.element.getBoundingClientRect();
    const x = Math.floor(((event.clientX - box.left) / box.width) * WIDTH);
    const index = x - (WIDTH - this.count);
    if (!(index >= 0 && index < this.count)) return this.leave();
    setAttribute(this.cursor, "d", `M${x + 0.5} 0V${HEIGHT}`);
    setText(tip, `${clock(this.at - (this.count - 1 - index) * this.every)}  ${this.tell(index)}`);
    if (!tip.isConnected) document.body.append(tip);
    tip.hidden = false;
    tip.style.left = `${Math.min(event.clientX + 12, window.innerWidth - tip.offsetWidth - 8)}px`;
    tip.style.top = `${Math.max(event.clientY - 32, 4)}px`;
  }

  leave() {
    setAttribute(this.cursor, "d", "M0 0");
    tip.hidden = true;
  }
}
