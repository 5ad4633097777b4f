// The drawing comes as SVG from Python, every text in it escaped there; layer names reach the rest of the page
// as textContent only. Pan, zoom, hover, search and the walk along the flow happen here; what changes the
// drawing or the panel is asked of Python by one trigger: {what, id}.

const SVG = "http://www.w3.org/2000/svg";
const FARTHEST = 0.4; // of the readable scale, when something large has to come into the window
const LARGEST = 1.6; // a small network is not blown up beyond this
const CLOSEST = 6;
const FAR = 0.34; // below it text is left out while zooming: nobody can read it, and it costs most
const MARGIN = 18;
const DRAG = 4; // pixels of the pointer that make a click a drag

const calm = () => matchMedia("(prefers-reduced-motion: reduce)").matches;
const clamp = (value, low, high) => Math.min(Math.max(value, low), high);

function element(tag, parent, { text, ...attributes } = {}) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  if (text !== undefined) made.textContent = text;
  parent?.append(made);
  return made;
}

// Where the drawing lies in its window: screen = drawing * k + (x, y).
class Camera {
  constructor(canvas, moved) {
    this.canvas = canvas;
    this.moved = moved;
    this.at = { x: 0, y: 0, k: 1 };
    this.size = { width: 1, height: 1 };
    this.entry = [0, 0, 0, 0]; // the box to begin with
    this.word = 11; // pixels of the smallest text at scale 1
  }

  get window() {
    return { width: this.canvas.clientWidth, height: this.canvas.clientHeight };
  }

  put(at) {
    this.at = at;
    if (this.layer) this.layer.setAttribute("transform", `translate(${at.x} ${at.y}) scale(${at.k})`);
    this.layer?.classList.toggle("far", at.k < FAR);
    this.moved();
  }

  // The scale at which the smallest text is as large as the style sheet asks.
  get readable() {
    return parseFloat(getComputedStyle(this.canvas).fontSize) / this.word;
  }

  whole() {
    const { width, height } = this.window;
    const k = Math.min((width - 2 * MARGIN) / this.size.width, (height - 2 * MARGIN) / this.size.height, LARGEST);
    return { k, x: (width - this.size.width * k) / 2, y: (height - this.size.height * k) / 2 };
  }

  // All of it where that can be read, else the box to begin with at a size that can; of a wider one its end,
  // where the branches meet, of a higher one its beginning.
  start() {
    const whole = this.whole();
    const k = this.readable;
    if (whole.k >= k) return whole;
    const { width, height } = this.window;
    const place = (room, length, low, extent, edge) => {
      const spare = room - length * k;
      if (spare >= 2 * MARGIN) return spare / 2;
      const fits = extent * k <= room - 2 * MARGIN;
      return clamp(fits ? room / 2 - (low + extent / 2) * k : edge, spare - MARGIN, MARGIN);
    };
    const [x, y, w, h] = this.entry;
    const [end, top] = [width - MARGIN - (x + w) * k, MARGIN - y * k];
    return { k, x: place(width, this.size.width, x, w, end), y: place(height, this.size.height, y, h, top) };
  }

  zoom(factor, x = this.window.width / 2, y = this.window.height / 2) {
    const { at } = this;
    const k = clamp(at.k * factor, Math.min(this.whole().k, this.readable) * 0.6, CLOSEST);
    const by = k / at.k;
    this.stop();
    this.put({ k, x: x - (x - at.x) * by, y: y - (y - at.y) * by });
  }

  pan(dx, dy) {
    this.stop();
    this.put({ ...this.at, x: this.at.x + dx, y: this.at.y + dy });
  }

  // The least movement that brings a box into the window; smaller if it would not fit otherwise.
  reveal([x, y, width, height], { centre = false } = {}) {
    const room = this.window;
    const fits = Math.min((room.width - 2 * MARGIN) / width, (room.height - 2 * MARGIN) / height);
    const k = Math.min(this.at.k, Math.max(fits, this.readable * FARTHEST));
    const anchor = { x: this.at.x + x * (this.at.k - k), y: this.at.y + y * (this.at.k - k) };
    const along = (offset, low, length, space) => {
      const [start, end] = [low * k + offset, (low + length) * k + offset];
      if (centre) return offset + (space - start - end) / 2;
      if (end - start > space - 2 * MARGIN) return offset + MARGIN - start;
      return offset + Math.max(0, MARGIN - start) - Math.max(0, end - (space - MARGIN));
    };
    this.glide({ k, x: along(anchor.x, x, width, room.width), y: along(anchor.y, y, height, room.height) });
  }

  glide(to) {
    this.stop();
    const from = this.at;
    const far = Math.abs(to.x - from.x) + Math.abs(to.y - from.y) + 100 * Math.abs(to.k - from.k);
    if (far < 2) return;
    if (calm()) { this.put(to); return; }
    let began;
    const step = (now) => {
      began ??= now;
      const part = Math.min(1, (now - began) / 240);
      const eased = 1 - (1 - part) ** 3;
      this.put({
        k: from.k + (to.k - from.k) * eased,
        x: from.x + (to.x - from.x) * eased,
        y: from.y + (to.y - from.y) * eased,
      });
      this.frame = part < 1 ? requestAnimationFrame(step) : undefined;
    };
    this.frame = requestAnimationFrame(step);
  }

  stop() {
    if (this.frame) cancelAnimationFrame(this.frame);
    this.frame = undefined;
  }
}

// Drag, wheel and pinch. The wheel scrolls the page until the visitor has taken hold of the drawing.
function listen(view) {
  const { canvas, camera } = view;
  const pointers = new Map();
  let dragged = 0;
  const place = (event) => {
    const frame = canvas.getBoundingClientRect();
    return [event.clientX - frame.left, event.clientY - frame.top];
  };
  canvas.addEventListener("pointerdown", (event) => {
    if (event.target.closest("button, .facts")) return;
    view.held = true;
    pointers.set(event.pointerId, place(event));
    dragged = 0;
  });
  canvas.addEventListener("pointermove", (event) => {
    const before = pointers.get(event.pointerId);
    if (!before) return;
    const now = place(event);
    const [dx, dy] = [now[0] - before[0], now[1] - before[1]];
    dragged += Math.abs(dx) + Math.abs(dy);
    if (dragged < DRAG) return;
    canvas.setPointerCapture(event.pointerId);
    canvas.classList.add("dragging");
    view.tip.hidden = true;
    const other = [...pointers].find(([id]) => id !== event.pointerId)?.[1];
    if (other) {
      const length = (point) => Math.hypot(point[0] - other[0], point[1] - other[1]) || 1;
      camera.zoom(length(now) / length(before), other[0], other[1]);
    } else camera.pan(dx, dy);
    pointers.set(event.pointerId, now);
  });
  const release = (event) => {
    pointers.delete(event.pointerId);
    canvas.classList.remove("dragging");
  };
  canvas.addEventListener("pointerup", release);
  canvas.addEventListener("pointercancel", release);
  canvas.addEventListener("pointerleave", () => { view.held = canvas.contains(canvas.getRootNode().activeElement); });
  canvas.addEventListener("click", (event) => {
    if (dragged >= DRAG) { event.stopPropagation(); event.preventDefault(); }
  }, { capture: true });
  canvas.addEventListener("wheel", (event) => {
    if (!view.held && !event.ctrlKey && !event.metaKey) { view.hint(); return; }
    event.preventDefault();
    const lines = event.deltaMode === 1 ? 20 : 1;
    camera.zoom(Math.exp(-clamp(event.deltaY * lines, -120, 120) * (event.ctrlKey ? 0.012 : 0.003)), ...place(event));
  }, { passive: false });
}

// A small picture of all of it with a frame around what is on screen; only where not all of it is.
class Minimap {
  constructor(view) {
    this.view = view;
    this.svg = document.createElementNS(SVG, "svg");
    this.svg.classList.add("map");
    this.svg.setAttribute("aria-hidden", "true");
    view.canvas.append(this.svg);
    const go = (event) => {
      if (event.type === "pointermove" && !event.buttons) return;
      const frame = this.svg.getBoundingClientRect();
      const { camera } = this.view;
      const part = [(event.clientX - frame.left) / frame.width, (event.clientY - frame.top) / frame.height];
      const { k } = camera.at;
      camera.stop();
      camera.put({
        k,
        x: camera.window.width / 2 - part[0] * camera.size.width * k,
        y: camera.window.height / 2 - part[1] * camera.size.height * k,
      });
      event.stopPropagation();
    };
    this.svg.addEventListener("pointerdown", go);
    this.svg.addEventListener("pointermove", go);
  }

  draw() {
    const { camera, boxes } = this.view;
    const { width, height } = camera.size;
    const scale = Math.min(160 / width, 66 / height);
    this.svg.setAttribute("viewBox", `0 0 ${width} ${height}`);
    this.svg.style.width = `${Math.max(24, width * scale)}px`;
    this.svg.style.height = `${Math.max(14, height * scale)}px`;
    this.svg.replaceChildren();
    for (const { box: [x, y, w, h], group } of boxes.values()) {
      const rect = document.createElementNS(SVG, "rect");
      for (const [name, value] of Object.entries({ x, y, width: w, height: h })) rect.setAttribute(name, value);
      rect.setAttribute("class", group.classList.contains("open") ? "box" : "dot");
      this.svg.append(rect);
    }
    this.frame = document.createElementNS(SVG, "rect");
    this.frame.setAttribute("class", "frame");
    this.svg.append(this.frame);
  }

  follow() {
    if (!this.frame) return;
    const { camera } = this.view;
    const { x, y, k } = camera.at;
    const room = camera.window;
    const seen = { x: -x / k, y: -y / k, width: room.width / k, height: room.height / k };
    const all = seen.x <= 1 && seen.y <= 1 && seen.x + seen.width >= camera.size.width - 1 && seen.y + seen.height >= camera.size.height - 1;
    this.svg.classList.toggle("needless", all);
    const left = clamp(seen.x, 0, camera.size.width), top = clamp(seen.y, 0, camera.size.height);
    this.frame.setAttribute("x", left);
    this.frame.setAttribute("y", top);
    this.frame.setAttribute("width", Math.max(0, Math.min(seen.x + seen.width, camera.size.width) - left));
    this.frame.setAttribute("height", Math.max(0, Math.min(seen.y + seen.height, camera.size.height) - top));
  }
}

// Text, a kind, or /a regular expression/, over every node, also those in closed boxes.
function matcher(query) {
  const expression = query.match(/^\/(.+?)\/?$/);
  if (!expression) {
    const words = query.toLowerCase().split(/\s+/).filter(Boolean);
    return (text) => words.every((word) => text.toLowerCase().includes(word));
  }
  try {
    const pattern = new RegExp(expression[1], "i");
    return (text) => pattern.test(text);
  } catch {
    return null; // still being typed
  }
}

class Search {
  constructor(view, box) {
    this.view = view;
    this.rows = [];
    this.hits = [];
    this.input = box.querySelector("input");
    this.count = box.querySelector(".hits");
    this.input.addEventListener("focus", () => { if (!this.rows.length) view.ask("index"); });
    this.input.addEventListener("input", () => { this.at = -1; this.run(); });
    this.input.addEventListener("keydown", (event) => {
      if (event.key === "Enter") this.next(event.shiftKey ? -1 : 1);
      if (event.key === "Escape") { this.input.value = ""; this.run(); this.input.blur(); }
      event.stopPropagation();
    });
  }

  // rows: id, id of the box around it, all its words.
  know(rows) {
    this.rows = rows;
    this.around = new Map(rows.map(([id, parent]) => [id, parent]));
    this.run();
  }

  run() {
    const { view } = this;
    const query = this.input.value.trim();
    const test = query ? matcher(query) : null;
    this.hits = test ? this.rows.filter(([, , words]) => test(words)).map(([id]) => id) : [];
    const found = new Set(this.hits);
    const holding = new Set(this.hits.map((id) => this.visible(id)));
    view.svg?.classList.toggle("searching", Boolean(query && test));
    for (const [id, { group }] of view.boxes) {
      group.classList.toggle("found", found.has(id));
      group.classList.toggle("holds", !found.has(id) && holding.has(id));
    }
    if (!query) this.count.textContent = "";
    else if (!test) this.count.textContent = "not a regular expression yet";
    else if (!this.rows.length) this.count.textContent = "…";
    else this.count.textContent = this.at >= 0 ? `${this.at + 1} of ${this.hits.length}` : `${this.hits.length} found`;
  }

  visible(id) {
    while (id && !this.view.boxes.has(id)) id = this.around.get(id);
    return id;
  }

  next(step) {
    if (!this.hits.length) return;
    this.at = ((this.at ?? -1) + step + this.hits.length) % this.hits.length;
    const id = this.hits[this.at];
    this.run();
    if (this.view.boxes.has(id)) this.view.select(id, { centre: true });
    else this.view.ask("reveal", id);
  }
}

// One way from the input through a node to the output: the longest, which is the one through the layers.
function way(view, through) {
  const next = new Map(), before = new Map();
  for (const edge of view.edges) {
    const { source, target } = edge.dataset;
    if (!next.has(source)) next.set(source, []);
    if (!before.has(target)) before.set(target, []);
    next.get(source).push([target, edge]);
    before.get(target).push([source, edge]);
  }
  const longest = (start, links) => {
    const best = new Map();
    const visit = (first) => {
      const stack = [[first, false]];
      while (stack.length) {
        const [node, done] = stack.pop();
        if (best.has(node)) continue;
        const ways = links.get(node) ?? [];
        if (!done) {
          stack.push([node, true]);
          for (const [other] of ways) if (!best.has(other)) stack.push([other, false]);
          continue;
        }
        let chosen = { length: 0 };
        for (const [other, edge] of ways) {
          const length = 1 + (best.get(other)?.length ?? 0);
          if (length > chosen.length) chosen = { length, other, edge };
        }
        best.set(node, chosen);
      }
    };
    visit(start);
    const edges = [];
    for (let at = start; best.get(at)?.edge; at = best.get(at).other) edges.push(best.get(at).edge);
    return edges;
  };
  const start = through instanceof Element ? through.dataset.source : through;
  const end = through instanceof Element ? through.dataset.target : through;
  const middle = through instanceof Element ? [through] : [];
  return [...longest(start, before).reverse(), ...middle, ...longest(end, next)];
}

class View {
  constructor(root) {
    this.root = root;
    this.canvas = root.querySelector(".canvas");
    this.tip = root.querySelector(".tip");
    this.facts = root.querySelector(".facts"); // on a full screen, where the page's own panel is not seen
    this.trail = root.querySelector(".trail");
    this.crumbs = root.querySelector(".crumbs");
    this.boxes = new Map();
    this.edges = [];
    this.map = null;
    this.camera = new Camera(this.canvas, () => this.map?.follow());
    this.map = new Minimap(this);
    this.search = new Search(this, root.querySelector(".find"));
    this.downloaded = 0;
    listen(this);
    this.buttons();
    this.pointing();
    this.canvas.addEventListener("keydown", (event) => this.key(event));
    new ResizeObserver(() => this.resized()).observe(this.canvas);
  }

  ask(what, id = "") {
    this.asked = (this.asked ?? 0) + 1; // two equal wishes are two wishes
    this.component.setTriggerValue("ask", { what, id, held: this.data?.digest ?? "", asked: this.asked });
  }

  update(component) {
    this.component = component;
    const again = this.data?.digest === component.data.digest;
    const drawing = component.data.drawing ?? (again ? this.data.drawing : null);
    if (!drawing) { this.ask("again"); return; }
    const data = { ...component.data, drawing, ...drawing };
    const same = this.data?.scene === data.scene;
    const network = this.data?.network === data.network;
    const before = this.data && new Map([...this.boxes].map(([id, { box }]) => [id, box]));
    this.data = data;
    if (!again) this.paint();
    if (!network) this.search.rows = [];
    this.choose(data.selected, { silent: true });
    if (!again) {
      if (!same) this.camera.put(this.camera.start());
      else this.keep(before);
      this.map.draw();
      this.map.follow();
    }
    if (data.index) this.search.know(data.index);
    else if (!again) this.search.run();
    if (data.centre && data.centre !== this.centred && this.boxes.has(data.centre)) {
      this.camera.reveal(this.boxes.get(data.centre).box, { centre: true });
    }
    this.centred = data.centre;
    this.breadcrumb();
    this.legend();
    if (data.file && data.file.token !== this.downloaded) {
      this.downloaded = data.file.token;
      save(data.file);
    }
  }

  paint() {
    const focused = this.canvas.getRootNode().activeElement?.dataset?.id;
    const holder = document.createElement("template");
    holder.innerHTML = this.data.svg;
    const svg = holder.content.querySelector("svg");
    this.svg?.remove();
    this.svg = svg;
    this.canvas.prepend(svg);
    this.camera.layer = svg.querySelector(".scene");
    this.camera.size = { width: this.data.width, height: this.data.height };
    this.boxes = new Map();
    for (const group of svg.querySelectorAll("[data-id]")) {
      this.boxes.set(group.dataset.id, { group, box: group.dataset.box.split(" ").map(Number) });
    }
    const input = svg.querySelector(".kind-input")?.dataset.id;
    this.camera.entry = (this.boxes.get(this.data.start) ?? this.boxes.get(input))?.box ?? [0, 0, 0, 0];
    this.camera.word = this.data.word;
    this.edges = [...svg.querySelectorAll(".edge")];
    for (const edge of this.edges) { // a wide invisible line, or nobody could hit the thin one
      const line = edge.querySelector(".flow").cloneNode();
      line.setAttribute("class", "hit");
      line.removeAttribute("stroke-width");
      edge.append(line);
    }
    this.tip.hidden = true;
    this.walk(null);
    const first = this.boxes.get(this.data.selected) ?? this.boxes.values().next().value;
    first?.group.setAttribute("tabindex", "0");
    if (focused) (this.boxes.get(focused) ?? first)?.group.focus({ preventScroll: true });
  }

  // What the visitor touched stays where it was on the screen; what is new comes gently into view.
  keep(before) {
    const touched = this.touched;
    this.touched = undefined;
    const [was, is] = [before?.get(touched), this.boxes.get(touched)?.box];
    if (!was || !is) { this.camera.put(this.camera.at); return; }
    const { x, y, k } = this.camera.at;
    this.camera.put({ k, x: x + (was[0] - is[0]) * k, y: y + (was[1] - is[1]) * k });
    this.camera.reveal(is);
  }

  resized() {
    const { width, height } = this.camera.window;
    if (!width || !this.svg) return;
    const first = !this.seen;
    if (first || Math.abs(width - this.seen.width) > 40 || Math.abs(height - this.seen.height) > 40) {
      this.seen = { width, height };
      this.camera.put(this.camera.start());
      if (this.data.selected && this.boxes.has(this.data.selected)) {
        this.camera.reveal(this.boxes.get(this.data.selected).box);
      }
    }
    this.map.follow();
  }

  choose(id, { silent = false } = {}) {
    for (const group of this.canvas.querySelectorAll('[aria-pressed="true"]')) group.removeAttribute("aria-pressed");
    const found = this.boxes.get(id);
    found?.group.setAttribute("aria-pressed", "true");
    if (!silent && found) {
      for (const { group } of this.boxes.values()) group.setAttribute("tabindex", "-1");
      found.group.setAttribute("tabindex", "0");
    }
    this.chosen = found ? id : "";
    this.facts.hidden = !found;
    if (found) this.tell(this.facts, this.data.tips[id]);
    this.followButton.disabled = !this.chosen;
  }

  select(id, { centre = false, focus = false } = {}) {
    this.choose(id);
    const found = this.boxes.get(id);
    // A box that is larger than the window stays where it is.
    if (found && (centre || !found.group.classList.contains("open"))) this.camera.reveal(found.box, { centre });
    if (focus) found?.group.focus({ preventScroll: true });
    this.walk(null);
    this.ask("select", id);
  }

  toggle(id) {
    const group = this.boxes.get(id)?.group;
    if (!group?.hasAttribute("aria-expanded")) { this.select(id); return; }
    this.touched = id;
    this.tip.hidden = true;
    this.ask(group.getAttribute("aria-expanded") === "true" ? "close" : "open", id);
  }

  pointing() {
    const { canvas } = this;
    canvas.addEventListener("click", (event) => {
      const group = event.target.closest("[data-id]");
      const edge = event.target.closest(".edge");
      if (group && event.target.closest(".chevron")) this.toggle(group.dataset.id);
      else if (group) this.select(group.dataset.id, { focus: true });
      else if (edge) this.walk(edge);
      else if (event.target.closest("svg.map") === null && !event.target.closest("button, .facts")) {
        this.walk(null);
        if (this.chosen) { this.choose(""); this.ask("select", ""); }
      }
    });
    canvas.addEventListener("dblclick", (event) => {
      const group = event.target.closest("[data-id]");
      if (group?.hasAttribute("aria-expanded") && !event.target.closest(".chevron")) this.toggle(group.dataset.id);
    });
    canvas.addEventListener("pointerover", (event) => {
      const group = event.target.closest?.("[data-id]");
      const edge = event.target.closest?.(".edge");
      if (canvas.classList.contains("dragging")) return;
      if (group && !group.classList.contains("open")) this.show(this.data.tips[group.dataset.id], group);
      else if (group && event.target.closest("text, .chevron")) this.show(this.data.tips[group.dataset.id], group);
      else if (edge) this.showEdge(edge, event);
      else this.tip.hidden = true;
    });
    canvas.addEventListener("pointerleave", () => { this.tip.hidden = true; });
    canvas.addEventListener("focusin", (event) => {
      const group = event.target.closest?.("[data-id]");
      if (!group) return;
      this.held = true;
      if (group.matches(":focus-visible")) this.show(this.data.tips[group.dataset.id], group);
    });
    canvas.addEventListener("focusout", () => { this.tip.hidden = true; });
  }

  show(facts, group) {
    if (!facts) return;
    this.tell(this.tip, facts);
    this.place(group.getBoundingClientRect());
  }

  tell(place, facts) {
    place.replaceChildren();
    if (!facts) return;
    element("strong", place, { text: facts.title });
    for (const [what, amount] of facts.rows) {
      const row = element("div", place);
      element("span", row, { text: what });
      element("span", row, { text: amount });
    }
  }

  showEdge(edge, event) {
    const { tip } = this;
    const names = [edge.dataset.source, edge.dataset.target].map((id) => this.data.tips[id]?.title ?? "");
    tip.replaceChildren();
    element("strong", tip, { text: edge.dataset.shape });
    element("div", tip, { text: names.join(" → ") });
    this.place(new DOMRect(event.clientX, event.clientY, 1, 8));
  }

  place(target) {
    const { tip } = this;
    tip.hidden = false;
    const frame = this.root.getBoundingClientRect();
    const [width, height] = [tip.offsetWidth, tip.offsetHeight];
    const left = clamp(target.left - frame.left + target.width / 2 - width / 2, 0, Math.max(0, frame.width - width));
    const below = target.bottom - frame.top + 8;
    const above = target.top - frame.top - height - 8;
    tip.style.left = `${left}px`;
    tip.style.top = `${below + height + frame.top < innerHeight || above < 0 ? below : above}px`;
  }

  key(event) {
    const id = event.target.closest?.("[data-id]")?.dataset.id;
    const arrows = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
    const act = {
      Enter: () => id && this.select(id),
      " ": () => id && this.toggle(id),
      Escape: () => this.escape(),
      f: () => this.walk(this.walking ? null : id ?? this.chosen),
      "+": () => this.camera.zoom(1.25),
      "-": () => this.camera.zoom(0.8),
      0: () => this.camera.glide(this.camera.whole()),
      "/": () => this.search.input.focus(),
    }[event.key];
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    if (arrows[event.key] && id) this.step(id, arrows[event.key]);
    else if (act && !event.target.closest("input, button")) act();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  escape() {
    if (!this.tip.hidden) this.tip.hidden = true;
    if (this.walking) this.walk(null);
    else if (this.chosen) {
      const around = this.data.around[this.chosen];
      if (around && this.boxes.has(around)) this.select(around, { focus: true });
      else { this.choose(""); this.ask("select", ""); }
    } else if (this.data.crumbs.length > 1) this.ask("up");
  }

  // To the nearest card that way, as the eye would go; boxes that are open are passed through.
  step(id, [dx, dy]) {
    const centre = ([x, y, w, h]) => [x + w / 2, y + h / 2];
    const [x, y] = centre(this.boxes.get(id).box);
    let best, least = Infinity;
    for (const [other, { box, group }] of this.boxes) {
      if (other === id || group.classList.contains("open")) continue;
      const [ox, oy] = centre(box);
      const along = (ox - x) * dx + (oy - y) * dy;
      const aside = Math.abs((ox - x) * dy) + Math.abs((oy - y) * dx);
      if (along > 1 && along + 2.5 * aside < least) { least = along + 2.5 * aside; best = other; }
    }
    if (!best) return;
    for (const { group } of this.boxes.values()) group.setAttribute("tabindex", "-1");
    const { group, box } = this.boxes.get(best);
    group.setAttribute("tabindex", "0");
    this.camera.reveal(box);
    group.focus({ preventScroll: true });
  }

  // Lights up one way of the tensor and writes down its shapes where they change.
  walk(through) {
    this.walking = through || null;
    this.svg?.classList.toggle("walking", Boolean(through));
    for (const lit of this.canvas.querySelectorAll(".lit")) { lit.classList.remove("lit"); lit.style.removeProperty("--nth"); }
    this.trail.textContent = "";
    this.followButton.setAttribute("aria-pressed", String(Boolean(through)));
    if (!through) return;
    const edges = way(this, through instanceof Element ? through : this.within(through));
    const pace = Math.min(60, 1600 / Math.max(1, edges.length));
    const shapes = [];
    const light = (part, n) => { part?.classList.add("lit"); part?.style.setProperty("--nth", `${calm() ? 0 : n * pace}ms`); };
    edges.forEach((edge, n) => {
      light(this.boxes.get(edge.dataset.source)?.group, n);
      light(edge, n + 0.5);
      if (edge.dataset.shape && edge.dataset.shape !== shapes.at(-1)) shapes.push(edge.dataset.shape);
    });
    light(this.boxes.get(edges.at(-1)?.dataset.target)?.group, edges.length);
    this.trail.textContent = shapes.join("  →  ");
  }

  // Edges end at cards, not at open boxes: one of the cards inside stands for the box.
  within(id) {
    const ends = new Set(this.edges.map((edge) => edge.dataset.source));
    const inside = (other) => {
      for (let at = other; at; at = this.data.around[at]) if (at === id) return true;
      return false;
    };
    return ends.has(id) ? id : [...ends].find(inside) ?? id;
  }

  buttons() {
    const on = (name, act) => this.root.querySelector(`[data-do="${name}"]`).addEventListener("click", act);
    this.followButton = this.root.querySelector('[data-do="follow"]');
    on("follow", () => this.walk(this.walking ? null : this.chosen));
    on("in", () => this.camera.zoom(1.3));
    on("out", () => this.camera.zoom(1 / 1.3));
    on("whole", () => this.camera.glide(this.camera.whole()));
    on("start", () => this.camera.glide(this.camera.start()));
    const frame = this.canvas.parentElement;
    on("full", () => (frame.getRootNode().fullscreenElement ? document.exitFullscreen() : frame.requestFullscreen()));
    this.root.querySelector('[data-do="full"]').hidden = !document.fullscreenEnabled; // a host may forbid it
    on("svg", () => this.ask("export", "svg"));
    on("png", () => this.ask("export", "png"));
  }

  breadcrumb() {
    this.crumbs.replaceChildren();
    this.data.crumbs.forEach(([id, label], index, all) => {
      if (index) element("span", this.crumbs, { text: "›", "aria-hidden": "true" });
      if (index === all.length - 1) { element("strong", this.crumbs, { text: label, "aria-current": "location" }); return; }
      element("button", this.crumbs, { text: label, type: "button" }).addEventListener("click", () => this.ask("focus", id));
    });
  }

  legend() {
    const list = this.root.querySelector(".legend");
    list.replaceChildren();
    for (const [kind, name] of this.data.legend) {
      const item = element("li", list);
      element("i", item).style.background = `var(--kind-${kind})`;
      item.append(name);
    }
    const { scale } = this.data;
    if (scale) {
      const item = element("li", list, { class: "scale" });
      element("span", item, { text: scale.title });
      element("span", item, { text: scale.low });
      element("b", item).style.background = `linear-gradient(to right, ${scale.colours.join(", ")})`;
      element("span", item, { text: scale.high });
    }
    for (const note of this.data.notes) element("li", list, { class: "note", text: note });
  }

  hint() {
    this.root.classList.add("hinting");
    clearTimeout(this.hinted);
    this.hinted = setTimeout(() => this.root.classList.remove("hinting"), 1400);
  }
}

// A file for the visitor; the picture is painted at twice its size for slides and projectors.
async function save({ kind, name, svg }) {
  const text = new Blob([svg], { type: "image/svg+xml" });
  if (kind === "svg") { hand(text, `${name}.svg`); return; }
  const image = new Image();
  const address = URL.createObjectURL(text);
  image.src = address;
  await image.decode();
  URL.revokeObjectURL(address);
  const scale = Math.min(2, 16000 / Math.max(image.width, image.height));
  const sheet = Object.assign(document.createElement("canvas"), { width: image.width * scale, height: image.height * scale });
  sheet.getContext("2d").drawImage(image, 0, 0, sheet.width, sheet.height);
  sheet.toBlob((blob) => hand(blob, `${name}.png`), "image/png");
}

function hand(blob, name) {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(blob);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}

const views = new WeakMap();

export default function (component) {
  const root = component.parentElement.querySelector(".network");
  for (const [name, value] of Object.entries(component.data.colours)) root.style.setProperty(`--${name}`, value);
  if (!views.has(root)) views.set(root, new View(root));
  views.get(root).update(component);
}
