// One number of a feature map as on a board: where it looks, what it multiplies, what comes of the sum.
// Other parts speak to it by events: "explorer:cell" from the feature maps, "explorer:place" from the picture;
// it tells the picture by "explorer:field" what the number sees. Texts enter as textContent.

const MINUS = "\u2212";
const PACE_MS = 1500; // from place to place, where it goes on by itself
const NUMBERS_UP_TO = 7; // places of a kernel's side whose numbers can still be read

function figure(value, digits = 3) {
  if (!value) return "0";
  const rounded = Number(value.toPrecision(digits));
  const places = Math.max(0, digits - 1 - Math.floor(Math.log10(Math.abs(rounded))));
  const small = Math.abs(value) < 1e-4;
  return (small ? rounded.toExponential(digits - 1) : rounded.toFixed(Math.min(places, 12))).replaceAll("-", MINUS);
}

function short(value) {
  const size = Math.abs(value);
  if (size < 0.005) return "0";
  return (size < 9.95 ? value.toFixed(size < 0.995 ? 2 : 1) : value.toFixed(0)).replace(/^(-?)0\./, "$1.").replace("-", MINUS);
}

function make(tag, className, ...inside) {
  const element = document.createElement(tag);
  element.className = className;
  element.append(...inside.filter((each) => each != null));
  return element;
}

function shade({ low, high, lut }, value) {
  const at = Math.round(Math.min(1, Math.max(0, (value - low) / (high - low))) * (lut.length - 1));
  const [red, green, blue] = lut[at];
  return [`rgb(${red} ${green} ${blue})`, 0.299 * red + 0.587 * green + 0.114 * blue > 140 ? "#000" : "#fff"];
}

// Numbers [kh][kw] as coloured cells. taken: [row, column] to mark; inside: false where padding is read.
function grid(numbers, scale, caption, { inside, taken } = {}) {
  const across = numbers[0].length;
  const cells = make("div", "cells");
  cells.style.setProperty("--across", across);
  cells.dataset.size = across <= 3 ? "large" : across <= 5 ? "middle" : across <= NUMBERS_UP_TO ? "small" : "bare";
  numbers.forEach((row, y) => row.forEach((value, x) => {
    const padding = inside && !inside[y][x];
    const cell = make("span", padding ? "padding" : "", across > NUMBERS_UP_TO ? "" : short(value));
    if (!padding) [cell.style.background, cell.style.color] = shade(scale, value);
    cell.title = padding ? "Outside of the map: padding" : figure(value, 6);
    if (taken && taken[0] === y && taken[1] === x) cell.classList.add("taken");
    cells.append(cell);
  }));
  return make("figure", "", cells, make("figcaption", "note", caption));
}

// Values with a bar each, to the right of the middle where they add, to the left where they take away.
function bars(rows, { chosen, choose } = {}) {
  const most = Math.max(...rows.map((row) => Math.abs(row.value)), 1e-12);
  return make("div", "bars", ...rows.map((row, number) => {
    const fill = make("span", row.value < 0 ? "fill negative" : "fill");
    fill.style.width = `${(50 * Math.abs(row.value)) / most}%`;
    const line = make(choose && !row.rest ? "button" : "div", row.rest ? "row rest" : "row",
      make("span", "name", row.name), row.terms && make("span", "terms note", row.terms),
      make("span", "track", fill), make("span", "value", figure(row.value)));
    if (choose && !row.rest) {
      line.type = "button";
      line.setAttribute("aria-pressed", String(number === chosen));
      line.onclick = () => choose(number);
    }
    return line;
  }));
}

// A map with a frame over some of its cells. box: {corner: [row, column], size: [rows, columns], shape}.
function map(drawn, caption, box) {
  const image = make("img", "pixels");
  image.src = drawn.url;
  image.alt = "";
  const stage = make("div", "sheet", image);
  if (box) {
    const [rows, columns] = box.shape;
    const frame = make("div", "frame-of-cells");
    Object.assign(frame.style, {
      left: `${(100 * box.corner[1]) / columns}%`, top: `${(100 * box.corner[0]) / rows}%`,
      width: `${(100 * box.size[1]) / columns}%`, height: `${(100 * box.size[0]) / rows}%`,
    });
    stage.append(frame);
  }
  return make("figure", "", stage, make("figcaption", "note", caption));
}

// Grids and signs in a row. across: cells of a grid, from which their size follows.
function product(across, ...parts) {
  const row = make("div", "product", ...parts);
  row.style.setProperty("--across", across);
  return row;
}

const scaled = ({ signed, colours }, drawn) => ({ ...drawn, lut: drawn.signed ? signed : colours });
const symmetric = (lut, numbers) => {
  const high = Math.max(...numbers.flat().map(Math.abs), 1e-12);
  return { lut, low: -high, high };
};
const sum = (count, one, many) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;

function weighed(data, chosen, choose) {
  const { gathered, signed } = data;
  const channel = gathered.channels[chosen];
  const parts = [];
  if (gathered.drawn) {
    const products = channel.patch.map((row, y) => row.map((value, x) => value * channel.kernel[y][x]));
    const scale = channel.map ? scaled(data, channel.map) : symmetric(signed, channel.patch);
    const { inside } = gathered;
    parts.push(product(gathered.size[1],
      grid(channel.patch, scale, `patch of ${channel.name}`, { inside }), make("span", "sign", "×"),
      grid(channel.kernel, symmetric(signed, channel.kernel), "kernel"), make("span", "sign", "="),
      grid(products, symmetric(signed, products), `products, sum ${figure(channel.partial)}`, { inside })));
  }
  const rows = gathered.channels.map((each) => ({
    name: each.name, value: each.partial,
    terms: gathered.drawn ? null : `${figure(each.patch[0][0])} × ${figure(each.kernel[0][0])}`,
  }));
  const { count, partial } = gathered.rest;
  if (count) rows.push({ name: `and ${sum(count, "other", "others")}`, value: partial, rest: true });
  parts.push(bars(rows, { chosen, choose }));
  return make("div", "gathered", make("b", "", gathered.words), ...parts,
    make("div", "total", make("span", "", "sum"), make("b", "", figure(gathered.total))),
    rows.length > 1 ? make("p", "note", `Bars to the right add to the sum, to the left they take away. Press a channel for its ${gathered.drawn ? "patch and kernel" : "map"}.`) : null);
}

function pooled(data) {
  const { gathered, signed } = data;
  const scale = gathered.map ? scaled(data, gathered.map) : symmetric(signed, gathered.patch);
  return make("div", "gathered", make("b", "", gathered.words),
    gathered.drawn ? product(gathered.size[1], grid(gathered.patch, scale, `patch of ${gathered.channel}`, gathered)) : null);
}

function attended(found) {
  const rows = found.rows.map((row) => ({
    name: row.name, value: row.product, terms: `${figure(row.weight)} × ${figure(row.value)}`,
  }));
  const { count, partial } = found.rest;
  if (count) rows.push({ name: `and ${sum(count, "other", "others")}`, value: partial, rest: true });
  const box = found.looks && { corner: found.looks, size: [1, 1], shape: found.size };
  return make("div", "attended",
    map(found.map, found.whole ? "how much it looks where" : "how much it looks where in its window", box), bars(rows));
}

// Calls `follow` with what other parts ask for, instead of what it called before; returns how to end it.
function listen(root, follow) {
  root.stop?.();
  const heard = ({ detail }) => follow(detail);
  for (const name of ["explorer:cell", "explorer:place"]) document.addEventListener(name, heard);
  return (root.stop = () => {
    for (const name of ["explorer:cell", "explorer:place"]) document.removeEventListener(name, heard);
  });
}

export default function ({ parentElement, data, setTriggerValue }) {
  const root = parentElement.querySelector(".number");
  const board = root.querySelector(".board");
  const state = (root.state ??= { chosen: 0, touched: false });
  const announce = (detail) => document.dispatchEvent(new CustomEvent("explorer:field", { detail }));

  if (data.waits) {
    root.querySelector(".title").textContent = "One number, opened";
    root.querySelector(".steps").style.visibility = "hidden";
    board.replaceChildren(make("p", "note", "The strongest number of this layer, and how it is made …"));
    const watch = new IntersectionObserver(([entry]) => {
      if (!entry.isIntersecting) return;
      watch.disconnect();
      setTriggerValue("seen", true);
    }, { rootMargin: "160px" });
    watch.observe(root);
    // Who presses a cell before has it opened as soon as the layer is laid open.
    const stop = listen(root, (ask) => {
      state.asked = ask;
      setTriggerValue("seen", true);
    });
    return () => {
      watch.disconnect();
      stop();
    };
  }

  const [channels, height, width] = data.shape;
  const [channel, row, column] = data.cell;
  if (state.cell !== String([data.layer, data.cell])) state.chosen = 0;
  state.cell = String([data.layer, data.cell]);
  root.querySelector(".steps").style.visibility = "visible";
  root.querySelector(".title").textContent =
    `One number, opened: channel ${channel} of ${data.layer}, row ${row}, column ${column}`;

  function go(cell) {
    state.touched = cell !== null; // what it begins with leaves the picture alone
    setTriggerValue("cell", cell);
  }
  function by(what, step) {
    if (what === "strongest") return go(null);
    if (what === "channel") return go([(channel + step + channels) % channels, row, column]);
    const place = (row * width + column + step + height * width) % (height * width);
    go([channel, Math.floor(place / width), place % width]);
  }
  for (const button of root.querySelectorAll("[data-step]")) {
    button.onclick = () => by(button.dataset.step, Number(button.dataset.by));
  }
  const play = root.querySelector(".play");
  const label = () => {
    play.textContent = state.plays ? "Stop" : "Go on";
    play.setAttribute("aria-pressed", String(Boolean(state.plays)));
  };
  play.onclick = () => {
    state.plays = !state.plays;
    label();
    clearTimeout(state.timer);
    if (state.plays) by("place", 1);
  };
  label();

  function photo() {
    const image = make("img", data.tiny ? "pixels" : "");
    image.src = data.photo;
    image.alt = "";
    const stage = make("div", "sheet", image);
    if (data.field) {
      const [left, top, right, bottom] = data.field.map((each) => 100 * Math.min(1, Math.max(0, each)));
      const frame = make("div", "field");
      Object.assign(frame.style, { left: `${left}%`, top: `${top}%`, width: `${right - left}%`, height: `${bottom - top}%` });
      stage.append(frame);
    }
    return make("figure", "", stage, make("figcaption", "note", data.sees));
  }

  function answer() {
    const figureOf = map(data.map, "", { corner: [row, column], size: [1, 1], shape: [height, width] });
    const stage = figureOf.firstChild;
    stage.classList.add("pick");
    stage.tabIndex = 0;
    stage.setAttribute("role", "application");
    stage.setAttribute("aria-label", `Channel ${channel}, row ${row}, column ${column}: ${figure(data.captured)}. Arrow keys move.`);
    stage.onclick = (event) => {
      const bounds = stage.getBoundingClientRect();
      const at = (offset, length, count) => Math.min(count - 1, Math.max(0, Math.floor((offset / length) * count)));
      go([channel, at(event.clientY - bounds.top, bounds.height, height), at(event.clientX - bounds.left, bounds.width, width)]);
    };
    stage.onkeydown = (event) => {
      const move = { ArrowLeft: [0, -1], ArrowRight: [0, 1], ArrowUp: [-1, 0], ArrowDown: [1, 0] }[event.key];
      if (!move) return;
      event.preventDefault();
      const [y, x] = [row + move[0], column + move[1]];
      if (y >= 0 && x >= 0 && y < height && x < width) go([channel, y, x]);
    };
    figureOf.lastChild.textContent = `map ${channel} of ${channels.toLocaleString("en")}: click another cell`;
    return figureOf;
  }

  function chain() {
    return make("ol", "chain", ...data.chain.map((line) => {
      const item = make("li", "", make("span", "words", line.words), make("span", "formula", line.formula));
      item.title = `${line.where}: ${line.value}`;
      return item;
    }));
  }

  function draw() {
    const { gathered } = data;
    const choose = (number) => {
      state.chosen = number;
      draw();
    };
    const gather = { weighed: () => weighed(data, state.chosen, choose), pooled: () => pooled(data), attended: () => attended(gathered) };
    const source = gathered?.kind === "weighed" ? gathered.channels[state.chosen].map : gathered?.map;
    const input = gathered?.box && source &&
      map(source, `${gathered.channel ?? gathered.channels[state.chosen].name} of ${gathered.source}`, gathered.box);
    const said = `The network gave ${figure(data.captured, 6)}` +
      (!data.known ? "." : data.apart ? `, and these lines come to it within ${figure(data.apart, 1)}.` : ", and these lines come to just that.");
    board.replaceChildren(
      make("div", "where", photo(), input || null),
      make("div", "sum", gathered ? gather[gathered.kind]() : null,
        data.aside && make("details", "", make("summary", "",
          `Channel ${data.aside.channel} of its input comes from attention: ${figure(data.aside.value)}`), attended(data.aside))),
      make("div", "then", chain(), make("p", "note", said)),
      make("div", "map", answer()));
  }
  const focused = root.contains(parentElement.getRootNode().activeElement) && board.contains(parentElement.getRootNode().activeElement);
  draw();
  if (focused) board.querySelector(".pick").focus({ preventScroll: true });
  announce(state.touched ? data.field : null);

  // ask: {x, y} in shares of the map, and the channel and its layer where a feature map was pressed.
  function follow(ask) {
    if (ask.layer && ask.layer !== data.layer) return;
    const place = [Math.floor(ask.y * height), Math.floor(ask.x * width)];
    if (ask.layer) return go([ask.channel, ...place]);
    state.touched = true;
    setTriggerValue("place", place);
  }
  const { asked } = state;
  state.asked = null;
  if (asked) follow(asked);
  clearTimeout(state.timer);
  if (state.plays) state.timer = setTimeout(() => by("place", 1), PACE_MS);
  const stop = listen(root, follow);
  return () => {
    stop();
    clearTimeout(state.timer);
    announce(null);
  };
}
