// Elements are made once for what the server sends; moving and enlarging only puts them elsewhere.
const SVG = "http://www.w3.org/2000/svg";
const MARGIN = { left: 62, right: 40, top: 10, bottom: 64 }; // pixels where a rem is 16
const ROOM = { x: 80, y: 44 }; // pixels that a tick of each axis takes

function make(parent, tag, attributes = {}, text = "") {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text) element.textContent = text;
  parent.append(element);
  return element;
}

class Drawing {
  constructor(data, axes) {
    Object.assign(this, { data, axes });
    this.svg = document.createElementNS(SVG, "svg");
    // An application: its arrow keys go from dot to dot, and are not the screen reader's.
    for (const [name, value] of Object.entries({ tabindex: 0, role: "application", "aria-label": data.label }))
      this.svg.setAttribute(name, value);
    this.clip = make(make(make(this.svg, "defs"), "clipPath", { id: "plot" }), "rect");
    this.frame = make(this.svg, "g", { class: "axes", "aria-hidden": "true" });
    const inside = make(this.svg, "g", { "clip-path": "url(#plot)", "aria-hidden": "true" });
    this.dots = this.makeDots(make(inside, "g"));
    this.line = make(inside, "path", { class: "frontier" });
    this.rings = this.makeRings(make(inside, "g"));
    this.here = make(inside, "circle", { class: "here", r: 0 });
    this.names = data.names.map((name) => {
      const group = make(this.svg, "g", { "aria-hidden": "true", class: name.story ? "name story" : "name" });
      return { ...name, group, line: make(group, "path"), word: make(group, "text", {}, name.text) };
    });
    this.arrow = data.arrow && this.makeArrow(data.arrow);
    this.framed = make(this.svg, "path", { class: "framed", "aria-hidden": "true" });
  }

  makeDots(parent) {
    const { x, y, diameter, colour, opacity, diamond, rimmed } = this.data.dots;
    const circle = document.createElementNS(SVG, "circle");
    const square = document.createElementNS(SVG, "path");
    return x.map((_, n) => {
      const mark = (diamond[n] ? square : circle).cloneNode();
      mark.setAttribute("class", rimmed[n] ? "point rimmed" : "point");
      mark.setAttribute("fill", colour[n]);
      if (opacity[n] < 1) mark.setAttribute("opacity", opacity[n]);
      parent.append(mark);
      return { mark, x: x[n], y: y[n], radius: diameter[n] / 2, diamond: diamond[n] };
    });
  }

  makeRings(parent) {
    return this.dots.filter((_, n) => this.data.dots.ringed[n]).map((dot) => ({ dot, ring: make(parent, "circle", { class: "ring" }) }));
  }

  makeArrow({ start, end, lines }) {
    const group = make(this.svg, "g", { class: "arrow", "aria-hidden": "true" });
    const line = make(group, "path");
    const ground = make(group, "rect", { rx: 3 });
    const words = make(group, "text");
    return { group, start, end, line, ground, words, rows: lines.map((text) => make(words, "tspan", {}, text)) };
  }

  // Puts all of it where it belongs in an area of this size; rem: pixels of one.
  place(width, height, rem) {
    const grown = rem / 16;
    Object.assign(this, { width, height, grown });
    this.left = MARGIN.left * grown;
    this.top = MARGIN.top * grown;
    this.right = width - MARGIN.right * grown;
    this.bottom = height - MARGIN.bottom * grown;
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.svg.setAttribute("width", width);
    this.svg.setAttribute("height", height);
    const size = { x: this.left, y: this.top, width: Math.max(0, this.right - this.left), height: Math.max(0, this.bottom - this.top) };
    for (const [name, value] of Object.entries(size)) this.clip.setAttribute(name, value);
    this.placeAxes();
    for (const dot of this.dots) {
      [dot.left, dot.top] = this.at(dot.x, dot.y);
      dot.reach = dot.radius * grown;
      const { mark, left, top, reach } = dot;
      if (dot.diamond) mark.setAttribute("d", `M${left} ${top - 1.3 * reach}l${1.3 * reach} ${1.3 * reach}l${-1.3 * reach} ${1.3 * reach}l${-1.3 * reach} ${-1.3 * reach}z`);
      else {
        mark.setAttribute("cx", left);
        mark.setAttribute("cy", top);
        mark.setAttribute("r", reach);
      }
    }
    this.line.setAttribute("d", this.data.frontier.map(([x, y], n) => `${n ? "L" : "M"}${this.at(x, y)}`).join(""));
    for (const { dot, ring } of this.rings) this.encircle(ring, dot, 4);
    this.placeNames();
    if (this.arrow) this.placeArrow(this.arrow);
  }

  at(x, y) {
    const { left, right, top, bottom } = this;
    return [left + this.axes.x.share(x) * (right - left), bottom - this.axes.y.share(y) * (bottom - top)];
  }

  // Whether this place lies between the axes.
  holds(left, top) {
    return left >= this.left - 1 && left <= this.right + 1 && top >= this.top - 1 && top <= this.bottom + 1;
  }

  encircle(ring, dot, gap) {
    ring.setAttribute("cx", dot.left);
    ring.setAttribute("cy", dot.top);
    ring.setAttribute("r", dot.reach + gap * this.grown);
  }

  placeAxes() {
    const { frame, left, right, top, bottom, width, height, grown } = this;
    const { x, y } = this.axes;
    frame.replaceChildren();
    const tick = 5 * grown;
    for (const [value, words] of x.ticks((right - left) / (ROOM.x * grown))) {
      const place = left + x.share(value) * (right - left);
      make(frame, "path", { class: "grid", d: `M${place} ${top}V${bottom + tick}` });
      make(frame, "text", { x: place, y: bottom + 20 * grown, "text-anchor": "middle" }, words);
    }
    for (const [value, words] of y.ticks((bottom - top) / (ROOM.y * grown))) {
      const place = bottom - y.share(value) * (bottom - top);
      make(frame, "path", { class: "grid", d: `M${left - tick} ${place}H${right}` });
      make(frame, "text", { x: left - 8 * grown, y: place + 5 * grown, "text-anchor": "end" }, words);
    }
    const [middle, centre] = [(left + right) / 2, (top + bottom) / 2];
    this.title(x, { x: middle, y: height - 14 * grown }, width);
    this.title(y, { x: -centre, y: 15 * grown, transform: "rotate(-90)" }, height);
  }

  // The upright title turns its arrow with it.
  title(axis, attributes, room) {
    const title = make(this.frame, "text", { class: "title", "text-anchor": "middle", ...attributes }, axis.title);
    const way = make(title, "tspan", { class: "way" }, axis.better === "less" ? "\u2003← better" : "\u2003better →");
    if (title.getComputedTextLength() > room) way.remove(); // a phone's
  }

  placeNames() {
    const plot = this.data.windows.find((window) => innerWidth >= window);
    for (const name of this.names) {
      const [x, y] = this.at(name.x, name.y);
      const shown = !name.hidden.includes(plot) && this.holds(x, y);
      name.group.setAttribute("display", shown ? "inline" : "none");
      if (!shown) continue;
      const [left, top] = [x + name.right * this.grown, y - name.up * this.grown];
      name.word.setAttribute("style", `font-size: ${name.size / 16}rem`);
      name.word.setAttribute("x", left);
      name.word.setAttribute("y", top + 0.33 * name.size * this.grown);
      name.line.setAttribute("d", name.far ? this.leader(x, y, left, top, name) : "");
    }
  }

  // From the rim of the dot to the edge of its name.
  leader(x, y, left, top, { text, size }) {
    const [dx, dy] = [left - x, top - y];
    const half = [0.25 * size * text.length * this.grown, 0.6 * size * this.grown];
    const end = Math.max(0, 1 - Math.min(half[0] / Math.abs(dx || 1e-9), half[1] / Math.abs(dy || 1e-9)));
    const start = Math.min(end, (5.5 * this.grown) / Math.hypot(dx, dy));
    return `M${x + start * dx} ${y + start * dy}L${x + end * dx} ${y + end * dy}`;
  }

  placeArrow({ group, start, end, line, ground, words, rows }) {
    const [x0, y0] = this.at(...start);
    const [x1, y1] = this.at(...end);
    const shown = this.holds(x0, y0) && this.holds(x1, y1);
    group.setAttribute("display", shown ? "inline" : "none");
    if (!shown) return;
    const length = Math.hypot(x1 - x0, y1 - y0) || 1;
    const [ux, uy] = [(x1 - x0) / length, (y1 - y0) / length];
    const head = 10 * this.grown;
    const [bx, by] = [x1 - head * ux, y1 - head * uy];
    line.setAttribute("d", `M${x0} ${y0}L${x1} ${y1}M${bx - 0.5 * head * uy} ${by + 0.5 * head * ux}L${x1} ${y1}L${bx + 0.5 * head * uy} ${by - 0.5 * head * ux}`);
    const middle = (y0 + y1) / 2;
    rows.forEach((row, n) => {
      row.setAttribute("x", x1 + 10 * this.grown);
      row.setAttribute("y", middle + (n ? 14 : -4) * this.grown);
    });
    words.setAttribute("text-anchor", "start");
    let box = words.getBBox();
    if (box.x + box.width > this.right) {
      words.setAttribute("text-anchor", "end");
      rows.forEach((row) => row.setAttribute("x", x1 - 10 * this.grown));
      box = words.getBBox();
    }
    const around = { x: box.x - 4, y: box.y - 2, width: box.width + 8, height: box.height + 4 };
    for (const [name, value] of Object.entries(around)) ground.setAttribute(name, value);
  }

  // The dot nearest to a place, or none within reach; of those that hold it the one whose centre is relatively nearest.
  nearest(left, top) {
    if (!this.holds(left, top)) return -1;
    let [found, least] = [-1, 20];
    this.dots.forEach((dot, n) => {
      const away = Math.hypot(dot.left - left, dot.top - top);
      const distance = away > dot.reach ? away - dot.reach : away / dot.reach - 1;
      if (distance <= least && this.holds(dot.left, dot.top)) [found, least] = [n, distance];
    });
    return found;
  }

  // Dots within the outline, as places; the topmost first.
  within(outline) {
    const found = [];
    for (let n = this.dots.length - 1; n >= 0; n -= 1) {
      const { left, top } = this.dots[n];
      if (this.holds(left, top) && encloses(outline, left, top)) found.push(n);
    }
    return found;
  }

  // As a document of its own: what style sheets say is written down, but for the dots, whose own attributes say it.
  saved() {
    const copy = this.svg.cloneNode(true);
    const [from, to] = [this.svg, copy].map((svg) => [...svg.querySelectorAll(":not(.point)")]);
    from.forEach((element, n) => {
      const seen = getComputedStyle(element);
      for (const name of ["fill", "stroke", "stroke-width", "stroke-dasharray", "stroke-linejoin", "paint-order", "font-size", "font-family", "font-weight", "font-style", "text-anchor"])
        to[n].style.setProperty(name, seen.getPropertyValue(name));
      // Another machine has another font: its letters take the room that these take here.
      if (element.matches("text:not(:has(tspan)), .arrow tspan"))
        Object.entries({ textLength: element.getComputedTextLength(), lengthAdjust: "spacingAndGlyphs" }).forEach((pair) => to[n].setAttribute(...pair));
    });
    const ink = getComputedStyle(this.svg);
    for (const mark of copy.querySelectorAll(".rimmed")) Object.assign(mark.style, { stroke: ink.color, strokeWidth: "1.5px" });
    copy.querySelectorAll(".here, .framed").forEach((each) => each.remove());
    const ground = make(copy, "rect", { width: this.width, height: this.height, fill: ink.getPropertyValue("--st-background-color") });
    copy.prepend(ground);
    return new XMLSerializer().serializeToString(copy);
  }
}

// Whether a place lies in a polygon: how often a ray to the right crosses it.
function encloses(outline, x, y) {
  let inside = false;
  outline.forEach(([x1, y1], n) => {
    const [x0, y0] = outline.at(n - 1);
    if (y0 > y !== y1 > y && x < x0 + ((y - y0) / (y1 - y0)) * (x1 - x0)) inside = !inside;
  });
  return inside;
}
