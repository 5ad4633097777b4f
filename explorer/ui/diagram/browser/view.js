// The drawing comes as SVG from Python, every text in it escaped there; layer names reach the rest of the page
// as textContent only. Pan, zoom, hover, search and the walk along the flow happen here; what changes the
// drawing or the panel is asked of Python by one trigger: {what, id}.

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
      if (same) this.keep(before);
      else if (this.canvas.isConnected) this.camera.put(this.camera.start());
      else this.seen = undefined; // no size and no style yet: it starts with its first size
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
