class View {
  constructor(root) {
    this.root = root;
    this.place = root.querySelector(".place");
    this.tip = root.querySelector(".tip");
    this.tool = "box";
    this.pointed = -1;
    listen(this);
    this.watcher = new ResizeObserver(() => this.fit());
    this.watcher.observe(this.place);
  }

  // Other axes show all of themselves; the same ones stay where the visitor has put them.
  take(data) {
    const before = this.drawing?.axes;
    const axes = { x: new Axis(data.x), y: new Axis(data.y) };
    const same = before && ["x", "y"].every((way) => before[way].title === axes[way].title && before[way].log === axes[way].log);
    for (const way of ["x", "y"]) if (same && this.moved) axes[way].range = before[way].range;
    this.moved &&= same;
    const focused = this.drawing && this.root.getRootNode().activeElement === this.drawing.svg;
    const pointed = focused ? this.drawing.data.dots.id[this.pointed] : undefined;
    this.drawing?.svg.remove();
    this.drawing = new Drawing(data, axes);
    this.place.prepend(this.drawing.svg);
    listenToKeys(this, this.drawing.svg);
    this.fillLegend(data.legend);
    this.press({ drag: this.tool });
    this.pointed = -1;
    this.fit();
    if (focused) this.drawing.svg.focus({ preventScroll: true });
    this.point(data.dots.id.indexOf(pointed));
  }

  fillLegend(keys) {
    const items = keys.map(({ name, look, bar }) => {
      const item = document.createElement("li");
      const swatch = document.createElement("i");
      swatch.className = look ? (bar ? "bar" : "dot") : "line";
      if (look) swatch.style.background = look;
      item.append(swatch, name);
      return item;
    });
    this.root.querySelector(".legend").replaceChildren(...items);
  }

  fit() {
    const { clientWidth, clientHeight } = this.place;
    if (!clientWidth || !this.drawing) return;
    this.drawing.place(clientWidth, clientHeight, Number.parseFloat(getComputedStyle(document.documentElement).fontSize));
    this.point(-1);
  }

  // Shows what is told of a dot; of -1 nothing. said: aloud as well.
  point(dot, said = false) {
    if (dot === this.pointed && !said) return;
    const { drawing, tip } = this;
    this.pointed = dot;
    this.place.classList.toggle("pointing", dot >= 0);
    tip.hidden = dot < 0;
    if (dot < 0) return drawing.here.setAttribute("r", 0);
    drawing.encircle(drawing.here, drawing.dots[dot], 2);
    tip.innerHTML = drawing.data.dots.hover[dot]; // the server has escaped what strangers wrote
    const { left, top, reach } = drawing.dots[dot];
    const gap = reach + 8;
    const beside = left + gap + tip.offsetWidth <= drawing.width ? left + gap : left - gap - tip.offsetWidth;
    tip.style.left = `${clamp(beside, 0, Math.max(0, drawing.width - tip.offsetWidth))}px`;
    tip.style.top = `${clamp(top - tip.offsetHeight / 2, 0, Math.max(0, drawing.height - tip.offsetHeight))}px`;
    if (said) this.root.querySelector(".said").textContent = tip.innerText.replaceAll("\n", ". ");
  }

  // To the nearest dot within 45 degrees of the direction; at first to the one that is drawn last, of the story.
  step(right, down) {
    const { dots } = this.drawing;
    const from = dots[this.pointed];
    if (!from) return this.point(dots.findLastIndex((dot) => this.drawing.holds(dot.left, dot.top)), true);
    let [found, least] = [-1, Infinity];
    dots.forEach((dot, n) => {
      const [dx, dy] = [dot.left - from.left, dot.top - from.top];
      const [along, aside] = right ? [dx * right, Math.abs(dy)] : [dy * down, Math.abs(dx)];
      const distance = Math.hypot(dx, dy);
      if (along > 0 && aside <= along && distance < least && this.drawing.holds(dot.left, dot.top)) [found, least] = [n, distance];
    });
    if (found >= 0) this.point(found, true);
  }

  choose(dots) {
    if (dots.length) this.component.setTriggerValue("dots", dots.map((dot) => this.drawing.data.dots.id[dot]));
  }

  press({ drag, do: deed }) {
    if (drag) {
      this.tool = this.place.dataset.tool = drag;
      for (const button of this.place.querySelectorAll("[data-drag]")) button.setAttribute("aria-pressed", String(button.dataset.drag === drag));
    } else if (deed === "all") this.all();
    else if (deed === "in" || deed === "out") this.zoom(deed === "in" ? 1.5 : 1 / 1.5);
    else if (deed) save({ kind: deed, name: "efficiency", svg: this.drawing.saved() });
  }

  all() {
    for (const axis of Object.values(this.drawing.axes)) axis.range = axis.home;
    this.moved = false;
    this.fit();
  }

  // What lies between two places of the drawing becomes all of it.
  enlarge([x0, y0], [x1, y1]) {
    const { left, right, top, bottom, axes } = this.drawing;
    const [from, to] = [x0, x1].sort((a, b) => a - b).map((x) => (x - left) / (right - left));
    const [below, above] = [y0, y1].sort((a, b) => b - a).map((y) => (bottom - y) / (bottom - top));
    axes.x.show(from, to);
    axes.y.show(below, above);
    this.moved = true;
    this.fit();
  }

  zoom(factor, x = (this.drawing.left + this.drawing.right) / 2, y = (this.drawing.top + this.drawing.bottom) / 2) {
    const { left, right, top, bottom } = this.drawing;
    this.enlarge([x + (left - x) / factor, y + (bottom - y) / factor], [x + (right - x) / factor, y + (top - y) / factor]);
  }

  pan(dx, dy) {
    const { left, right, top, bottom } = this.drawing;
    this.enlarge([left - dx, bottom - dy], [right - dx, top - dy]);
  }
}

const views = new WeakMap();

export default function (component) {
  const root = component.parentElement.querySelector(".scatter");
  if (!views.has(root)) views.set(root, new View(root));
  const view = views.get(root);
  view.component = component;
  const content = JSON.stringify(component.data);
  if (view.content === content) return;
  view.content = content;
  view.take(component.data);
}
