// Paints a layout computed in Python. Every text enters as textContent: names of layers come from strangers.

const SVG = "http://www.w3.org/2000/svg";
// A single row may grow into a wide column; several rows would push everything else down.
const MAX_ZOOM = { oneRow: 1.3, more: 1.08 };

function make(tag, attributes, parent, text) {
  const element = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  if (text !== undefined) element.textContent = text;
  parent.append(element);
  return element;
}

const points = (list) => list.map((point) => point.join(",")).join(" ");
const colour = (kind) => (kind ? `var(--kind-${kind})` : "var(--track)");

function arrow(corners, parent) {
  // Rounded corners: each inner corner is cut by a short quadratic curve.
  let d = `M${corners[0]}`;
  for (let i = 1; i < corners.length - 1; i += 1) {
    const [before, at, after] = [corners[i - 1], corners[i], corners[i + 1]];
    const near = (other) => {
      const length = Math.hypot(other[0] - at[0], other[1] - at[1]) || 1;
      const cut = Math.min(8, length / 2) / length;
      return [at[0] + (other[0] - at[0]) * cut, at[1] + (other[1] - at[1]) * cut];
    };
    d += `L${near(before)}Q${at} ${near(after)}`;
  }
  make("path", { class: "flow", d: `${d}L${corners.at(-1)}`, "marker-end": "url(#head)" }, parent);
}

function joint(curves, kind, parent) {
  for (const [from, c1, c2, to] of curves) make("path", { class: "way", d: `M${from}C${c1} ${c2} ${to}` }, parent);
  const [x, y] = curves[0][3];
  make("circle", { class: "merge", cx: x, cy: y, r: 6.5 }, parent);
  const sign = kind === "add" ? `M${x - 3.5},${y}h7M${x},${y - 3.5}v7` : `M${x - 1.8},${y - 3.2}v6.4M${x + 1.8},${y - 3.2}v6.4`;
  make("path", { class: "sign", d: sign }, parent);
}

function paintCard(card, placed, selected, parent) {
  const [x, y, width, height] = placed.box;
  const group = make("g", { class: card.port ? "port" : "card", "data-id": card.id }, parent);
  if (!card.port) {
    group.setAttribute("role", "button");
    group.setAttribute("tabindex", "0");
    group.setAttribute("aria-pressed", String(card.id === selected));
    const written = placed.labels.map(([text]) => text).join(" "); // who steers by voice says what he reads
    group.setAttribute("aria-label", `${written}; ${card.label}`);
    make("rect", { class: "frame", x, y, width, height, rx: 10 }, group);
  }
  const flow = placed.flowY;
  const first = parent.firstCard, last = parent.lastCard;
  if (card !== first) make("path", { class: "flow", d: `M${x},${flow}H${placed.volume[0][0][0]}` }, group);
  if (card !== last) make("path", { class: "flow", d: `M${placed.volume[2][1][0]},${flow}H${x + width}` }, group);
  if (placed.curves.length) joint(placed.curves, card.skip, group);
  placed.volume.forEach((face, index) => {
    make("polygon", { class: `face face${index}`, points: points(face), style: `--fill:${colour(card.kind)}` }, group);
  });
  for (const [bx, by, bw, bh, kind] of placed.bars) {
    make("rect", { x: bx, y: by, width: bw, height: bh, style: `fill:${colour(kind)}`, class: kind ? "share" : "track" }, group);
  }
  for (const [text, tx, ty, size, style, anchor] of placed.labels) {
    make("text", { x: tx, y: ty, "font-size": size, class: style, "text-anchor": anchor }, group, text);
    group.append(" ");
  }
  return group;
}

function showTip(tip, root, group, card) {
  tip.replaceChildren();
  const head = document.createElement("strong");
  head.textContent = card.title;
  tip.append(head);
  for (const [what, amount] of card.lines) {
    const row = document.createElement("div");
    const name = document.createElement("span");
    const value = document.createElement("span");
    name.textContent = what;
    value.textContent = amount;
    row.append(name, value);
    tip.append(row);
  }
  tip.hidden = false;
  const frame = root.getBoundingClientRect();
  const at = group.getBoundingClientRect();
  const left = Math.min(Math.max(0, at.left - frame.left + at.width / 2 - tip.offsetWidth / 2), frame.width - tip.offsetWidth);
  tip.style.left = `${Math.max(0, left)}px`;
  tip.style.top = `${at.bottom - frame.top + 6}px`;
}

function legend(root, data) {
  const list = root.querySelector(".legend");
  list.replaceChildren();
  for (const [kind, name] of data.legend) {
    const item = document.createElement("li");
    const swatch = document.createElement("i");
    swatch.style.background = colour(kind);
    item.append(swatch, document.createTextNode(name));
    list.append(item);
  }
  for (const note of data.notes) {
    const item = document.createElement("li");
    item.className = "note";
    item.textContent = note;
    list.append(item);
  }
}

function paint(root, data, choose) {
  const stage = root.querySelector(".stage");
  const tip = root.querySelector(".tip");
  const available = stage.clientWidth;
  if (!available) return;
  const layout = data.layouts.findLast((each) => each.width <= available) ?? data.layouts[0];
  const oneRow = layout.arrows.every((corners) => corners.length === 2);
  const zoom = Math.min(available / layout.width, oneRow ? MAX_ZOOM.oneRow : MAX_ZOOM.more);
  const active = root.getRootNode().activeElement;
  const focused = active && active.dataset ? active.dataset.id : undefined;

  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", `-1 -1 ${layout.width + 2} ${layout.height + 2}`);
  svg.setAttribute("width", layout.width * zoom);
  svg.setAttribute("height", layout.height * zoom);
  svg.setAttribute("role", "group");
  svg.setAttribute("aria-label", data.label);
  const marker = make("marker", { id: "head", viewBox: "0 0 8 8", refX: 7, refY: 4, markerWidth: 7, markerHeight: 7, orient: "auto" }, make("defs", {}, svg));
  make("path", { class: "head", d: "M0,0.5L8,4L0,7.5z" }, marker);
  svg.firstCard = data.cards[0];
  svg.lastCard = data.cards.at(-1);
  layout.arrows.forEach((corners) => arrow(corners, svg));
  data.cards.forEach((card, index) => {
    const group = paintCard(card, layout.cards[index], data.selected, svg);
    group.addEventListener("pointerenter", () => showTip(tip, root, group, card));
    group.addEventListener("pointerleave", () => { tip.hidden = true; });
    if (card.port) return;
    group.addEventListener("focus", () => { if (group.matches(":focus-visible")) showTip(tip, root, group, card); });
    group.addEventListener("blur", () => { tip.hidden = true; });
    group.addEventListener("click", () => choose(card.id));
    group.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); choose(card.id); }
      if (event.key === "Escape") tip.hidden = true;
      const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
      if (!step) return;
      const all = [...svg.querySelectorAll(".card")];
      all[all.indexOf(group) + step]?.focus();
      event.preventDefault();
    });
  });
  tip.hidden = true;
  stage.replaceChildren(svg);
  if (focused) [...svg.querySelectorAll(".card")].find((each) => each.dataset.id === focused)?.focus();
}

export default function ({ data, parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".diagram");
  for (const [kind, value] of Object.entries(data.colours)) root.style.setProperty(`--kind-${kind}`, value);
  legend(root, data);
  const choose = (id) => setTriggerValue("stage", id);
  let width = 0;
  const draw = () => {
    width = root.clientWidth;
    paint(root, data, choose);
  };
  draw();
  const observer = new ResizeObserver(() => { if (root.clientWidth !== width) draw(); });
  observer.observe(root);
  return () => observer.disconnect();
}
