// Paints the timeline that Python laid out. Everything that needs no answer from Python happens here:
// highlighting a line of descent, filling the card, switching lanes on and off.

// Whether Python knows that a network may be wanted. Once a visit, however often the drawing is painted anew:
// told again after a click, it would start a run of this page that overtakes the one that leaves it.
let told = false;

const SVG = "http://www.w3.org/2000/svg";

function add(parent, name, attributes = {}, text = "") {
  const svg = parent.namespaceURI === SVG || name === "svg";
  const element = svg ? document.createElementNS(SVG, name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) element.setAttribute(key, value);
  if (text) element.textContent = text;
  parent.append(element);
  return element;
}

function write(parent, line, kind = "") {
  return add(parent, "text", {
    x: line.x, y: line.y, "font-size": line.size, "text-anchor": line.anchor,
    class: `${kind} ${line.bold ? "bold" : ""}`.trim(),
  }, line.text);
}

// Its name for a screen reader. It begins with the words that stand there: who steers by voice says what he reads.
function name(group, said) {
  const words = [...group.querySelectorAll("text")];
  for (const each of words) each.after(" ");
  const written = words.map((each) => each.textContent).join(" ");
  group.setAttribute("aria-label", said.startsWith(written) ? said : `${written}. ${said}`);
}

function spoken(detail) {
  const parts = detail.parts.filter(([, text]) => text).map(([what, text]) => `${what}: ${text}`);
  return [detail.title, detail.over, ...parts].join(". ");
}

// A mark that the keyboard reaches; `open` is what a click or Enter leads to, "" for a mark that only explains.
function mark(view, parent, id, family) {
  const detail = view.data.details[id];
  const group = add(parent, "g", {
    class: "mark", tabindex: "0", role: detail.open ? "link" : "img",
    "data-id": id, style: `--family: ${view.data.colours[family]}`,
  });
  if (detail.open) group.classList.add("opens");
  const show = () => view.show(id);
  group.addEventListener("pointerenter", show);
  group.addEventListener("focus", show);
  group.addEventListener("pointerleave", () => view.calm());
  group.addEventListener("blur", () => view.calm());
  group.addEventListener("click", () => view.open(detail.open));
  group.addEventListener("keydown", (event) => {
    if (event.key === "Enter") view.open(detail.open);
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (step) view.step(group, step);
  });
  return group;
}

function paintAxis(svg, axis, [, top, cardWidth]) {
  const group = add(svg, "g", { class: "axis", "aria-hidden": "true" });
  for (const year of axis.years) {
    add(group, "line", { class: "grid", x1: year.grid, x2: year.grid, y1: 0, y2: year.grid < cardWidth ? top : axis.y });
    write(group, year);
  }
  const { turn, y } = axis;
  add(group, "path", { class: "rule", d: `M0 ${y}H${turn - 7}M${turn + 7} ${y}H${svg.viewBox.baseVal.width}` });
  for (const x of [turn - 7, turn + 3]) add(group, "path", { class: "rule", d: `M${x} ${y + 6}L${x + 4} ${y - 6}` });
  write(group, axis.note, "quiet");
}

function paintLinks(view, svg) {
  const group = add(svg, "g", { class: "links", "aria-hidden": "true" });
  for (const link of view.data.links) {
    const [a, b, c, d] = link.points;
    const family = view.familyOf.get(link.to);
    add(group, "path", {
      d: `M${a}C${b} ${c} ${d}`, "data-from": link.from, "data-to": link.to,
      style: `--family: ${view.data.colours[family]}`,
    });
  }
}

function paintBands(view, svg) {
  const group = add(svg, "g", { "aria-hidden": "true" });
  for (const lane of view.data.lanes) {
    const [x, y, width, height] = lane.band;
    add(group, "rect", {
      class: "band", x, y, width, height, rx: 7, "data-family": lane.family,
      style: `--family: ${view.data.colours[lane.family]}`,
    });
  }
}

function paintLane(view, svg, lane) {
  const group = add(svg, "g", { class: "lane", "data-family": lane.family });
  const label = add(group, "g", {
    class: "lane-label", tabindex: "0", role: "button",
    style: `--family: ${view.data.colours[lane.family]}`,
  });
  const [first, last] = [lane.label[0], lane.label.at(-1)];
  const top = first.y - first.size;
  add(label, "rect", { class: "hit", x: first.x - 84, y: top - 3, width: 88, height: last.y - top + 9, rx: 5 });
  for (const line of lane.label) write(label, line);
  name(label, `Show the family ${lane.name}`);
  const toggle = () => view.toggle(lane.family);
  label.addEventListener("click", toggle);
  label.addEventListener("keydown", (event) => {
    if (event.key !== "Enter" && event.key !== " ") return;
    event.preventDefault();
    toggle();
  });
  for (const stop of lane.stops) {
    const each = mark(view, group, stop.id, lane.family);
    each.classList.toggle("selected", stop.id === view.data.selected);
    add(each, "circle", { class: "halo", cx: stop.x, cy: stop.y, r: stop.r + 4 });
    add(each, "circle", { class: "dot", cx: stop.x, cy: stop.y, r: stop.r });
    for (const line of stop.lines) { // so that no curve runs through a name
      add(each, "rect", { class: "ground", x: line.x - 2, y: line.y - 0.88 * line.size, width: line.width + 4, height: 1.18 * line.size });
    }
    stop.lines.forEach((line) => write(each, line, stop.r < 4 || line.size < 12 ? "quiet" : ""));
    name(each, spoken(view.data.details[stop.id]));
  }
}

function paintCurve(view, svg) {
  const { curve } = view.data;
  const group = add(svg, "g", { class: "curve" });
  const path = curve.points.map(({ x, y }, index) => `${index ? "L" : "M"}${x} ${y}`).join("");
  const [x, , width] = curve.box;
  const human = mark(view, group, "human", "handcrafted");
  human.classList.add("human");
  add(human, "line", { class: "reach", x1: x, x2: x + width, y1: curve.human, y2: curve.human });
  add(human, "line", { class: "level", x1: x, x2: x + width, y1: curve.human, y2: curve.human });
  add(group, "path", { class: "fall", d: path, "aria-hidden": "true" });
  const [title, level] = curve.texts;
  write(group, title);
  write(human, level, "quiet");
  name(human, spoken(view.data.details.human));
  for (const point of curve.points) {
    const each = mark(view, group, point.id, point.family);
    add(each, "circle", { class: "halo", cx: point.x, cy: point.y, r: 8 });
    add(each, "circle", { class: "dot", cx: point.x, cy: point.y, r: 4.5 });
    const [value, ...names] = point.lines;
    write(each, value);
    for (const line of names) write(each, line, "quiet");
    name(each, spoken(view.data.details[point.id]));
  }
}

function paintLadder(view, root) {
  const section = add(root, "section", { class: "ladder" });
  add(section, "h2", {}, "The ladder: each ceiling, and the idea that removed it");
  const list = add(section, "ol");
  for (const rung of view.data.ladder) {
    const item = add(list, "li");
    const button = add(item, "button", { type: "button", style: `--family: ${view.data.colours[rung.family]}` });
    add(button, "span", { class: "year" }, rung.year);
    add(button, "span", { class: "name" }, rung.name);
    add(button, "span", { class: "ceiling" }, rung.ceiling);
    add(button, "span", { class: "arrow", "aria-hidden": "true" }, "→");
    add(button, "span", { class: "idea" }, rung.idea);
    button.addEventListener("click", () => view.open(rung.id));
  }
}

// The whole story from the top down, for windows in which the drawing is wider than the screen.
function paintStory(view, root) {
  const section = add(root, "section", { class: "story" });
  add(section, "h2", {}, "The story, year by year: each ceiling, and the idea that removed it");
  const list = add(section, "ol");
  const stops = view.data.lanes.flatMap((lane) => lane.stops.map((stop) => ({ ...stop, family: lane.family })));
  const year = (stop) => Number.parseInt(view.data.details[stop.id].over, 10);
  for (const stop of stops.sort((a, b) => year(a) - year(b))) {
    const detail = view.data.details[stop.id];
    const item = add(list, "li", { style: `--family: ${view.data.colours[stop.family]}` });
    const place = add(item, detail.open ? "button" : "div", detail.open ? { type: "button" } : {});
    add(place, "span", { class: "year" }, String(year(stop)));
    add(place, "span", { class: "name" }, detail.title);
    for (const [what, text] of detail.parts) if (text) add(place, "span", { class: what.toLowerCase() }, text);
    if (detail.open) place.addEventListener("click", () => view.open(detail.open));
  }
}

class View {
  constructor(root, component) {
    this.root = root;
    this.data = component.data;
    this.component = component;
    this.on = new Set(this.data.on);
    this.familyOf = new Map(this.data.lanes.flatMap((lane) => lane.stops.map((stop) => [stop.id, lane.family])));
    this.paint();
    this.filter();
    this.fill(this.data.details[this.data.selected]);
  }

  paint() {
    const { width, height, card } = this.data;
    this.root.replaceChildren();
    const stage = add(this.root, "div", { class: "stage" });
    this.svg = add(stage, "svg", {
      viewBox: `0 0 ${width} ${height}`, role: "group",
      "aria-label": "Architectures from 1998 to 2023 in lanes by family, and the error of the ImageNet winners",
    });
    paintAxis(this.svg, this.data.axis, card);
    paintBands(this, this.svg);
    paintLinks(this, this.svg);
    for (const lane of this.data.lanes) paintLane(this, this.svg, lane);
    paintCurve(this, this.svg); // below the lanes: the Tab key goes down the drawing
    this.card = add(stage, "div", { class: "card" });
    const [x, y, w, h] = card;
    const units = (length) => `calc(${length} * var(--unit))`; // the drawing may be wider than the stage
    Object.assign(this.card.style, { left: units(x), top: units(y), width: units(w), height: units(h) });
    paintLadder(this, this.root);
    paintStory(this, this.root);
    const fit = () => stage.style.setProperty("--unit", `${this.svg.clientWidth / width}px`);
    this.watcher = new ResizeObserver(fit);
    this.watcher.observe(stage); // tells its width before the first paint, when the layout is known anyway
    if (this.data.first) requestAnimationFrame(() => requestAnimationFrame(() => this.mention("stands")));
  }

  fill(detail) {
    this.detail = detail;
    this.card.replaceChildren();
    if (this.on.size) {
      const shown = this.data.lanes.filter((lane) => this.on.has(lane.family)).map((lane) => lane.name);
      const row = add(this.card, "p", { class: "filtered" }, `Only ${shown.join(", ")}. `);
      const all = add(row, "button", { type: "button", class: "open" }, "Show all families");
      all.addEventListener("click", () => this.showAll());
    }
    if (!detail) {
      add(this.card, "p", { class: "over" }, "How to read it");
      add(this.card, "p", {}, "Every stop met a ceiling and brought one idea that removed it. Large stops are the rungs of the ladder; a curve leads from an architecture to those that build on it.");
      add(this.card, "p", {}, "Point at a stop to read both. Click it to open the network. Click the name of a family to see it alone.");
      return;
    }
    add(this.card, "p", { class: "over" }, detail.over);
    add(this.card, "h2", {}, detail.title);
    for (const [name, text] of detail.parts) {
      if (!text) continue;
      add(this.card, "p", { class: "part" }, name);
      add(this.card, "p", {}, text);
    }
    for (const [name, value, source] of detail.facts) {
      const row = add(this.card, "p", { class: "fact", title: source });
      add(row, "span", {}, name);
      add(row, "strong", {}, value);
      add(row, "small", {}, source);
    }
    if (detail.under) add(this.card, "p", { class: "under" }, detail.under);
    if (detail.open) {
      const open = add(this.card, "button", { type: "button", class: "open" }, "Open this architecture");
      open.addEventListener("click", () => this.open(detail.open));
    }
  }

  show(id) {
    this.fill(this.data.details[id]);
    if (!told && this.data.details[id].open) {
      told = true;
      this.mention("intent");
    }
    const kin = new Set([id]);
    for (const path of this.svg.querySelectorAll(".links path")) {
      const near = path.dataset.from === id || path.dataset.to === id;
      path.classList.toggle("near", near);
      if (near) kin.add(path.dataset.from).add(path.dataset.to);
    }
    const traced = this.familyOf.has(id);
    this.svg.classList.toggle("tracing", traced);
    for (const each of this.svg.querySelectorAll(".mark")) each.classList.toggle("kin", kin.has(each.dataset.id));
  }

  calm() {
    this.svg.classList.remove("tracing");
    for (const each of this.svg.querySelectorAll(".near, .kin")) each.classList.remove("near", "kin");
  }

  toggle(family) {
    if (!this.on.delete(family)) this.on.add(family);
    if (this.on.size === this.data.lanes.length) this.on.clear();
    this.filtered();
  }

  showAll() {
    this.on.clear();
    this.filtered();
  }

  filtered() {
    this.filter();
    this.fill(this.detail);
    this.component.setStateValue("families", [...this.on]);
  }

  filter() {
    const shown = (family) => !this.on.size || this.on.has(family);
    for (const each of this.svg.querySelectorAll("[data-family]")) {
      each.classList.toggle("off", !shown(each.dataset.family));
    }
    for (const label of this.svg.querySelectorAll(".lane-label")) {
      label.setAttribute("aria-pressed", String(this.on.has(label.parentNode.dataset.family)));
    }
    for (const path of this.svg.querySelectorAll(".links path")) {
      const ends = [path.dataset.from, path.dataset.to].map((id) => this.familyOf.get(id));
      path.classList.toggle("off", !ends.every(shown));
    }
  }

  step(from, by) {
    const marks = [...this.svg.querySelectorAll(".lane:not(.off) .mark")];
    marks[(marks.indexOf(from) + by + marks.length) % marks.length]?.focus();
  }

  mention(what) { // which nobody asked for: what the visitor does comes first
    history.onceStaying(() => { if (!this.left) this.component.setTriggerValue(what, true); }); // frame/history.js
  }

  open(id) {
    if (!id) return;
    this.left = true; // what would be told from now on would start a run of this page that overtakes the leaving
    this.component.setTriggerValue("open", id);
  }
}

const views = new WeakMap();

export default function (component) {
  const root = component.parentElement.querySelector(".timeline");
  const drawn = views.get(root);
  const content = JSON.stringify({ ...component.data, first: false }); // once it stands, nothing is painted anew
  if (drawn?.content === content) {
    drawn.view.component = component;
    return;
  }
  drawn?.view.watcher.disconnect();
  views.set(root, { content, view: new View(root, component) });
}
